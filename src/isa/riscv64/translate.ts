// Address translation: Sv39 and Sv48 with Svnapot, Svpbmt and hardware update of A and D; then PMP.
// Privileged ISA, sections 12.3 to 12.5 (Sv32, Sv39, Sv48; the algorithm is 12.3.2), 14 (Svnapot), 15 (Svpbmt),
// 3.7 (PMP).

import { type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { access } from '../shared/isa.ts';
import { vcpu } from '../shared/vcpu.ts';
import { dataMode, MODE_SHIFT } from './context.ts';
import { pmpCheck } from './pmp.ts';
import { hart } from './state.ts';
import { MXR, SUM } from './status.ts';
import { causes, setPending } from './trap.ts';
import { findTable, keepTable } from './walk-cache.ts';

const V = 1n;
const R = 2n;
const W = 4n;
const X = 8n;
const U = 16n;
const A = 64n;
const D = 128n;
const N = 1n << 63n;
const PBMT = 3n << 61n;
const RESERVED = 0x7fn << 54n;
const PBMTE = 1n << 62n;
const SV39 = 8n;
const NO_TRANSLATION = (1n << 64n) - 1n;
/** Width of physical addresses (12.4.1); nothing lies beyond, untranslated addresses included. */
const PHYSICAL_BITS = 56n;

type I64 = Value<'i64'>;
type I32 = Value<'i32'>;

const byAccess = (s: Builder, kind: I32, load: number, store: number, fetch: number): I64 =>
  s.select(s.eq32(kind, access.load), load, s.select(s.eq32(kind, access.store), store, fetch));

/** Isa.accessFault. */
export const accessFault = routine('access_fault', ['i64', 'i32'], null, (s, address, kind) => {
  const { loadAccessFault, storeAccessFault, instructionAccessFault } = causes;
  const cause = byAccess(s, kind, loadAccessFault, storeAccessFault, instructionAccessFault);
  setPending(s, cause, address);
});

const pageFault = routine('page_fault', ['i64', 'i32'], null, (s, address, kind) => {
  const { loadPageFault, storePageFault, instructionPageFault } = causes;
  const cause = byAccess(s, kind, loadPageFault, storePageFault, instructionPageFault);
  setPending(s, cause, address);
});

/** Whether a leaf PTE permits an access of the kind in the mode. */
function permits(s: Builder, pte: I64, kind: I32, mode: I64): Value<'i1'> {
  const status = s.state(hart.mstatus);
  const has = (bit: bigint): Value<'i1'> => s.ne(s.and(pte, bit), 0);
  const fetch = s.eq32(kind, access.fetch);
  const sum = s.both(s.ne(s.and(status, SUM), 0), s.not(fetch));
  const level = s.select(s.eqz(mode), s.zext1(has(U)), s.zext1(s.either(s.not(has(U)), sum)));
  const readable = s.either(has(R), s.both(has(X), s.ne(s.and(status, MXR), 0)));
  const right = s.select(
    s.eq32(kind, access.load),
    s.zext1(readable),
    s.zext1(s.either(s.both(s.not(fetch), has(W)), s.both(fetch, has(X)))),
  );
  return s.ne(s.and(level, right), 0);
}

/** Whether the extension bits of a leaf PTE are valid at its level. */
function wellFormed(s: Builder, pte: I64, shift: I64): Value<'i1'> {
  const ppn = s.and(s.shr_u(pte, 10), (1n << 44n) - 1n);
  const inner = s.sub(s.shl(1, s.sub(shift, 12)), 1);
  const aligned = s.eqz(s.and(ppn, inner));
  const pbmt = s.and(pte, PBMT);
  const pbmtOff = s.eqz(s.and(s.state(hart.menvcfg), PBMTE));
  const pbmtValid = s.either(s.eqz(pbmt), s.both(s.not(pbmtOff), s.ne(pbmt, PBMT)));
  const napot = s.ne(s.and(pte, N), 0);
  const napotValid = s.both(s.eq(shift, 12), s.eq(s.and(ppn, 15), 8));
  return s.both(aligned, s.both(pbmtValid, s.either(s.not(napot), napotValid)));
}

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

/** `(virtual, access, mode) → physical`, or all ones for a pending exception. */
const walk = routine('walk', ['i64', 'i32', 'i64'], 'i64', (s, address, kind, mode) => {
  const fail = (): void => {
    s.perform(pageFault, address, kind);
    s.return(s.const64(NO_TRANSLATION));
  };
  const deny = (): void => {
    s.perform(accessFault, address, kind);
    s.return(s.const64(NO_TRANSLATION));
  };
  s.setState(vcpu.walks, s.add(s.state(vcpu.walks), 1));
  const satp = s.state(hart.satp);
  const is39 = s.eq(s.shr_u(satp, MODE_SHIFT), SV39);
  const unused = s.select(is39, 25, 16);
  s.rarely(s.ne(s.shr_s(s.shl(address, unused), unused), address), fail);

  const shift = s.variable('i64', s.select(is39, 30, 39));
  const table = s.variable('i64', s.shl(s.and(satp, (1n << 44n) - 1n), 12));
  const pteAddress = s.variable('i64', 0);
  const entry = s.variable('i64', 0);
  findTable(s, address, (known) => {
    s.assign(shift, 12);
    s.assign(table, known);
  });
  s.loop(() => {
    const index = s.and(s.shr_u(address, s.read(shift)), 511);
    const at = s.add(s.read(table), s.shl(index, 3));
    s.assign(pteAddress, at);
    const allowed = s.both(s.inRam(at), pmpPermitsPte(s, at, access.load));
    s.rarely(s.not(allowed), deny);
    const pte = s.physicalLoad(64, at);
    s.assign(entry, pte);
    const invalid = s.either(s.eqz(s.and(pte, V)), s.eq(s.and(pte, R | W), W));
    s.rarely(s.either(invalid, s.ne(s.and(pte, RESERVED), 0)), fail);
    s.when(s.ne(s.and(pte, R | X), 0), () => s.break());
    s.rarely(s.ne(s.and(pte, N | PBMT | A | D | U), 0), fail);
    s.assign(shift, s.sub(s.read(shift), 9));
    s.rarely(s.lt_u(s.read(shift), 12), fail);
    s.assign(table, s.shl(s.and(s.shr_u(pte, 10), (1n << 44n) - 1n), 12));
    s.when(s.eq(s.read(shift), 12), () => keepTable(s, address, s.read(table)));
  });

  const pte = s.read(entry);
  const leafShift = s.read(shift);
  s.rarely(s.not(s.both(permits(s, pte, kind, mode), wellFormed(s, pte, leafShift))), fail);
  const dirty = s.select(s.eq32(kind, access.store), A | D, A);
  const updated = s.or(pte, dirty);
  s.rarely(s.ne(updated, pte), () => {
    s.rarely(s.not(pmpPermitsPte(s, s.read(pteAddress), access.store)), deny);
    const old = s.physicalCas(64, s.read(pteAddress), pte, updated);
    // Somebody changed the entry meanwhile: what was checked may no longer hold.
    s.when(s.ne(old, pte), () => s.return(s.call(walkAgain, 'i64', address, kind, mode)));
  });
  const size = s.select(s.ne(s.and(pte, N), 0), 16, leafShift);
  noteLarge(s, address, size);
  const mask = s.sub(s.shl(1, size), 1);
  const page = s.shl(s.and(s.shr_u(pte, 10), (1n << 44n) - 1n), 12);
  s.return(s.or(s.and(page, s.xor(mask, -1n)), s.and(address, mask)));
});

const walkAgain = routine('walk_again', ['i64', 'i32', 'i64'], 'i64', (s, address, kind, mode) => {
  s.return(s.call(walk, 'i64', address, kind, mode));
});

/** Whether PMP permits an access to a page-table entry; it is checked as the supervisor's own (3.7.1). */
function pmpPermitsPte(s: Builder, at: I64, kind: number): Value<'i1'> {
  const permitted = s.variable('i1', true);
  s.rarely(s.ne32(s.state(hart.pmpChecked), 0), () => {
    s.assign(permitted, s.eq32(s.call(pmpCheck, 'i32', at, kind, 1), 1));
  });
  return s.read(permitted);
}

/** Isa.translate. */
export const translate = routine('translate', ['i64', 'i32'], 'i64', (s, address, kind) => {
  const current = s.zext32(s.state(hart.mode));
  const mode = s.select(s.eq32(kind, access.fetch), current, dataMode(s));
  const physical = s.variable('i64', address);
  const off = s.either(s.eq(mode, 3), s.eqz(s.shr_u(s.state(hart.satp), MODE_SHIFT)));
  s.when(
    off,
    () =>
      s.rarely(s.ne(s.shr_u(address, PHYSICAL_BITS), 0), () => {
        s.perform(accessFault, address, kind);
        s.return(s.const64(NO_TRANSLATION));
      }),
    () => s.assign(physical, s.call(walk, 'i64', address, kind, mode)),
  );
  s.rarely(s.ne32(s.state(hart.pmpChecked), 0), () => {
    s.when(s.ne(s.read(physical), NO_TRANSLATION), () => {
      const permitted = s.call(pmpCheck, 'i32', s.read(physical), kind, s.wrap(mode));
      s.when(s.eqz32(permitted), () => {
        s.perform(accessFault, address, kind);
        s.assign(physical, NO_TRANSLATION);
      });
    });
  });
  s.return(s.read(physical));
});
