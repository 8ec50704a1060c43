// Address translation: VMSAv8-64, stage 1 of EL1&0, 4 KiB granule, with hardware update of access flag and dirty state.
// DDI 0487, D8.2 (translation process), D8.3 (descriptors), D8.4 (permissions), D8.5 (hardware update).
//
// The tags of the TLB give EL1 one address space (context.ts): at EL1 only a page that is global may be cached, and so
// may no page that was reached by an address with a tag in its top byte, since an invalidation names it without.

import { type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { access } from '../shared/isa.ts';
import { vcpu } from '../shared/vcpu.ts';
import { classes, setPending, syndrome } from './exceptions.ts';
import { PAN, sctlr, tcr } from './pstate.ts';
import { core } from './state.ts';
import { findTable, keepTable } from './walk-cache.ts';

type I64 = Value<'i64'>;
type I32 = Value<'i32'>;
type I1 = Value<'i1'>;

/** Bits of physical addresses (ID_AA64MMFR0_EL1.PARange). */
export const PHYSICAL_BITS = 40n;
const NO_TRANSLATION = (1n << 64n) - 1n;

const VALID = 1n;
const TABLE = 2n;
const AP_USER = 1n << 6n;
const AP_READ_ONLY = 1n << 7n;
const AF = 1n << 10n;
const NG = 1n << 11n;
const DBM = 1n << 51n;
const PXN = 1n << 53n;
const UXN = 1n << 54n;
const OUTPUT = 0xffff_ffff_f000n;
/** Attributes of a table descriptor, which hold for all below: PXN, UXN, AP. */
const TABLE_ATTRIBUTES = 0xfn << 59n;
const PXN_TABLE = 1n << 59n;
const UXN_TABLE = 1n << 60n;
const AP_TABLE_NO_USER = 1n << 61n;
const AP_TABLE_READ_ONLY = 1n << 62n;
/** Where a table's address and the attributes that lead to it are kept together: the low bits are free. */
const ATTRIBUTES_DOWN = 59n;

/** Fault status codes; for all but the external abort and alignment the level is added. */
const fault = { size: 0x00, translation: 0x04, access: 0x08, permission: 0x0c } as const;
const EXTERNAL = 0x10n;
const EXTERNAL_ON_WALK = 0x14;
const WNR = 1n << 6n;

/** Who accesses: EL0, EL1, EL1 with PAN. */
export const manner = { user: 0, privileged: 1, pan: 2 } as const;

const isStore = (s: Builder, kind: I32): I1 =>
  s.either(s.eq32(kind, access.store), s.eq32(kind, access.storeAsUser));

/** Records an abort with a fault status. */
const abort = routine('abort', ['i64', 'i32', 'i64'], null, (s, address, kind, status) => {
  const write = s.select(isStore(s, kind), WNR, 0);
  const data = s.or(syndrome(classes.dataAbort, 0n), write);
  const fetch = s.const64(syndrome(classes.instructionAbort, 0n));
  const esr = s.select(s.eq32(kind, access.fetch), fetch, data);
  setPending(s, s.or(esr, status), address);
});

/** Isa.accessFault: a synchronous external abort. */
export const accessFault = routine('access_fault', ['i64', 'i32'], null, (s, address, kind) => {
  s.perform(abort, address, kind, EXTERNAL);
});

/** Whether a leaf permits an access; `attributes` are those of the tables, in their own bits. */
function permits(s: Builder, leaf: I64, attributes: I64, kind: I32, who: I64): I1 {
  const has = (value: I64, bit: bigint): I1 => s.ne(s.and(value, bit), 0);
  const isUser = s.eq(who, manner.user);
  const user = s.both(has(leaf, AP_USER), s.not(has(attributes, AP_TABLE_NO_USER)));
  const readOnly = s.either(has(leaf, AP_READ_ONLY), has(attributes, AP_TABLE_READ_ONLY));
  const pxn = s.either(has(leaf, PXN), has(attributes, PXN_TABLE));
  const uxn = s.either(has(leaf, UXN), has(attributes, UXN_TABLE));
  const wxn = s.both(has(s.state(core.sctlr), sctlr.WXN), s.not(readOnly));
  // What EL0 may write, EL1 may not execute.
  const privilegedNever = s.either(pxn, s.both(user, s.not(readOnly)));
  const never = s.either(wxn, choose(s, isUser, uxn, privilegedNever));
  const pan = s.both(s.eq(who, manner.pan), user);
  const visible = choose(s, isUser, user, s.not(pan));
  const writable = s.both(visible, s.not(readOnly));
  const data = choose(s, isStore(s, kind), writable, visible);
  return choose(s, s.eq32(kind, access.fetch), s.not(never), data);
}

const choose = (s: Builder, condition: I1, yes: I1, no: I1): I1 =>
  s.either(s.both(condition, yes), s.both(s.not(condition), no));

/** Remembers that the engine may now cache pages of a mapping of 2^size bytes. */
function noteLarge(s: Builder, address: I64, size: I64): void {
  s.when(s.gt_u(size, 12), () => {
    const low = s.shl(s.shr_u(address, size), size);
    const high = s.add(low, s.sub(s.shl(1, size), 1));
    const [least, most] = [s.state(vcpu.largeLow), s.state(vcpu.largeHigh)];
    s.setState(vcpu.largeLow, s.select(s.lt_u(low, least), low, least));
    s.setState(vcpu.largeHigh, s.select(s.gt_u(high, most), high, most));
  });
}

/** The level of the table whose entries are chosen by the bits from `shift` on. */
const levelOf = (s: Builder, shift: I64): I64 => s.div_u(s.sub(39, shift), 9);

/** What a walk is about, and how it ends with a fault. */
interface Walk {
  readonly s: Builder;
  readonly address: I64;
  readonly kind: I32;
  readonly who: I64;
  /** Whether TCR_EL1 has a bit. */
  readonly has: (bit: bigint) => I1;
  readonly fail: (status: I64) => void;
}

/** Which tables translate an address, and the address without its tag. */
function regionOf({ s, address, who, has, fail }: Walk) {
  const control = s.state(core.tcr);
  const upper = s.ne(s.and(address, 1n << 55n), 0);
  const size = s.and(s.shr_u(control, s.select(upper, tcr.T1SZ, tcr.T0SZ)), 63);
  const tagged = choose(s, upper, has(tcr.TBI1), has(tcr.TBI0));
  const plain = s.shr_s(s.shl(address, 8), 8);
  const whole = s.select(tagged, plain, address);
  // 48 bits at most, 25 at least (D8.2.4); no other address than one that extends the sign of its region is mapped.
  const outside = s.ne(s.shr_s(s.shl(whole, s.sub(size, 1)), s.sub(size, 1)), whole);
  const badSize = s.either(s.lt_u(size, 16), s.gt_u(size, 39));
  const off = choose(s, upper, has(tcr.EPD1), has(tcr.EPD0));
  const isUser = s.eq(who, manner.user);
  const e0pd = s.both(isUser, choose(s, upper, has(tcr.E0PD1), has(tcr.E0PD0)));
  const none = s.either(s.either(outside, badSize), s.either(off, e0pd));
  s.rarely(none, () => fail(s.const64(fault.translation)));
  const ttbr = s.select(upper, s.state(core.ttbr1), s.state(core.ttbr0));
  return { whole, bits: s.sub(64, size), table: s.and(ttbr, 0xffff_ffff_ffc0n) };
}

/** Goes down the tables to a leaf: its address, what it holds, its place's lowest bit, and the tables' attributes. */
function descend({ s, fail }: Walk, whole: I64, bits: I64, first: I64) {
  const within = s.and(whole, s.sub(s.shl(1, bits), 1));
  // The first table's entries are chosen by the address's uppermost bits, nine or fewer.
  const shift = s.variable('i64', s.add(s.mul(s.div_u(s.sub(bits, 13), 9), 9), 12));
  const table = s.variable('i64', first);
  const attributes = s.variable('i64', 0);
  const entryAddress = s.variable('i64', 0);
  const entry = s.variable('i64', 0);
  findTable(s, whole, (known) => {
    s.assign(shift, 12);
    s.assign(table, s.and(known, OUTPUT));
    s.assign(attributes, s.shl(s.and(known, 0xf), ATTRIBUTES_DOWN));
  });
  s.loop(() => {
    const index = s.and(s.shr_u(within, s.read(shift)), 511);
    const at = s.add(s.read(table), s.shl(index, 3));
    s.assign(entryAddress, at);
    const level = levelOf(s, s.read(shift));
    s.rarely(s.not(s.inRam(at)), () => fail(s.add(level, EXTERNAL_ON_WALK)));
    const descriptor = s.physicalLoad(64, at);
    s.assign(entry, descriptor);
    s.rarely(s.eqz(s.and(descriptor, VALID)), () => fail(s.add(level, fault.translation)));
    const isTable = s.ne(s.and(descriptor, TABLE), 0);
    s.when(s.eq(s.read(shift), 12), () => {
      s.rarely(s.not(isTable), () => fail(s.add(level, fault.translation)));
      s.break();
    });
    s.when(s.not(isTable), () => {
      // Of the first level of four there are no blocks.
      s.rarely(s.eqz(level), () => fail(s.const64(fault.translation)));
      s.break();
    });
    const next = s.and(descriptor, OUTPUT);
    s.rarely(s.ne(s.shr_u(next, PHYSICAL_BITS), 0), () => fail(s.add(level, fault.size)));
    s.assign(attributes, s.or(s.read(attributes), s.and(descriptor, TABLE_ATTRIBUTES)));
    s.assign(shift, s.sub(s.read(shift), 9));
    s.assign(table, next);
    s.when(s.eq(s.read(shift), 12), () => {
      keepTable(s, whole, s.or(next, s.shr_u(s.read(attributes), ATTRIBUTES_DOWN)));
    });
  });
  const [leaf, at, size] = [s.read(entry), s.read(entryAddress), s.read(shift)];
  return { leaf, at, size, attributes: s.read(attributes) };
}

/** Checks a leaf and brings its access flag and dirty state up to date. */
function useLeaf(about: Walk, leaf: I64, at: I64, attributes: I64, level: I64): void {
  const { s, address, kind, who, has, fail } = about;
  const updates = has(tcr.HA);
  const accessed = s.ne(s.and(leaf, AF), 0);
  s.rarely(s.not(s.either(accessed, updates)), () => fail(s.add(level, fault.access)));
  // A page marked so becomes writable by the first write, if hardware keeps the dirty state.
  const dirties = s.both(s.both(updates, has(tcr.HD)), s.ne(s.and(leaf, DBM), 0));
  const effective = s.select(dirties, s.and(leaf, ~AP_READ_ONLY), leaf);
  s.rarely(s.not(permits(s, effective, attributes, kind, who)), () =>
    fail(s.add(level, fault.permission)),
  );
  const written = s.select(s.both(dirties, isStore(s, kind)), effective, leaf);
  const updated = s.or(written, AF);
  s.rarely(s.ne(updated, leaf), () => {
    const old = s.physicalCas(64, at, leaf, updated);
    // Somebody changed the entry meanwhile: what was checked may no longer hold.
    s.when(s.ne(old, leaf), () => s.return(s.call(walkAgain, 'i64', address, kind, who)));
  });
}

/**
 * `(address, access, manner) → physical`, or all ones for a pending exception. Sets vcpu.uncached where the tags do not
 * tell all that the result depends on.
 */
export const walk = routine('walk', ['i64', 'i32', 'i64'], 'i64', (s, address, kind, who) => {
  const fail = (status: I64): void => {
    s.perform(abort, address, kind, status);
    s.return(s.const64(NO_TRANSLATION));
  };
  const control = s.state(core.tcr);
  const has = (bit: bigint): I1 => s.ne(s.and(control, bit), 0);
  const about: Walk = { s, address, kind, who, has, fail };
  s.setState(vcpu.walks, s.add(s.state(vcpu.walks), 1));
  const { whole, bits, table } = regionOf(about);
  const { leaf, at, size, attributes } = descend(about, whole, bits, table);
  const level = levelOf(s, size);
  const inner = s.sub(s.shl(1, size), 1);
  const output = s.and(s.and(leaf, OUTPUT), s.xor(inner, -1n));
  s.rarely(s.ne(s.shr_u(output, PHYSICAL_BITS), 0), () => fail(s.add(level, fault.size)));
  // Until it is dirty, a page may be cached for loads only: the kinds have tables of their own.
  useLeaf(about, leaf, at, attributes, level);
  const local = s.both(s.ne(who, manner.user), s.ne(s.and(leaf, NG), 0));
  s.rarely(s.either(local, s.ne(whole, address)), () => s.setState(vcpu.uncached, 1));
  noteLarge(s, whole, size);
  s.return(s.or(output, s.and(whole, inner)));
});

const walkAgain = routine('walk_again', ['i64', 'i32', 'i64'], 'i64', (s, address, kind, who) => {
  s.return(s.call(walk, 'i64', address, kind, who));
});

/** Isa.translate. */
export const translate = routine('translate', ['i64', 'i32'], 'i64', (s, address, kind) => {
  s.rarely(s.both(s.eq32(kind, access.fetch), s.ne(s.and(address, 3), 0)), () => {
    setPending(s, syndrome(classes.pcAlignment, 0n), address);
    s.return(s.const64(NO_TRANSLATION));
  });
  s.when(s.eqz(s.and(s.state(core.sctlr), sctlr.M)), () => {
    s.rarely(s.ne(s.shr_u(address, PHYSICAL_BITS), 0), () => {
      s.perform(abort, address, kind, fault.size);
      s.return(s.const64(NO_TRANSLATION));
    });
    s.return(address);
  });
  const isUser = s.either(s.eqz32(s.state(core.currentEl)), s.ge_u32(kind, access.loadAsUser));
  const pan = s.ne(s.and(s.state(core.pstate), PAN), 0);
  const own = s.select(pan, manner.pan, manner.privileged);
  s.return(s.call(walk, 'i64', address, kind, s.select(isUser, manner.user, own)));
});
