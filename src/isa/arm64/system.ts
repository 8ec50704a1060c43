// Instructions that change level or context, barriers, and maintenance of caches and translations.
// DDI 0487, C6.2 (ERET, SVC, HVC, BRK, HLT, WFI, WFE, DMB, DSB, ISB, MSR immediate), C5.3 (IC, DC), C5.4 (AT), C5.5
// (TLBI).

import { type Builder, routine } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { access } from '../shared/isa.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { exitCode } from '../shared/vcpu.ts';
import { updateContext } from './context.ts';
import {
  classes,
  noticeInterrupts,
  raise,
  raiseReturningTo,
  raiseUndefined,
  require,
  restore,
  syndrome,
} from './exceptions.ts';
import { setFlags } from './flags.ts';
import { DAIF, IL, PAN, sctlr } from './pstate.ts';
import { core, x } from './state.ts';
import { type Encoding, patternOf, selectStack, setDaif } from './system-registers.ts';
import { manner, walk } from './translate.ts';
import { forgetWalks } from './walk-cache.ts';

type I64 = Value<'i64'>;
type I1 = Value<'i1'>;

const none = format({});
const immediate = format({ imm: number('5:16') });
const option = format({ imm: number('8:4') });
const address = format({ rt: x.source('0:5') });

const atEl1 = (s: Builder): I1 => s.ne32(s.state(core.currentEl), 0);
const enabled = (s: Builder, bit: bigint): I1 => s.ne(s.and(s.state(core.sctlr), bit), 0);

/** Modes of SPSR_EL1 that may be returned to: EL0t, EL1t, EL1h (bits 4 to 0). */
function isLegal(s: Builder, spsr: I64): I1 {
  const mode = s.and(spsr, 31);
  return s.either(s.eqz(mode), s.eq(s.and(mode, 30), 4));
}

function eret(s: Builder): void {
  require(s, atEl1(s));
  const spsr = s.state(core.spsr);
  const target = s.state(core.elr);
  s.rarely(s.either(s.not(isLegal(s, spsr)), s.ne(s.and(spsr, IL), 0)), () => {
    // The level stays, and the next instruction finds that its state is illegal.
    raiseReturningTo(s, syndrome(classes.illegalState, 0n), target);
  });
  setFlags(s, s.and(s.shr_u(spsr, 28), 15));
  selectStack(s, s.and(spsr, 1));
  s.perform(restore, spsr);
  noticeInterrupts(s);
  s.jump(target, 'sync');
}

const svc = (s: Builder, f: { readonly imm: I64 }): void =>
  raiseReturningTo(s, s.or(syndrome(classes.svc, 0n), f.imm), s.pc(4));

/** A call to firmware: the VM answers it. */
function hvc(s: Builder): void {
  require(s, atEl1(s));
  s.exit(exitCode('firmware'), s.pc(4));
}

const brk = (s: Builder, f: { readonly imm: I64 }): void =>
  raise(s, s.or(syndrome(classes.brk, 0n), f.imm));

/** WFI and WFE from EL0 may trap: `kind` as in the syndrome's TI. */
function trapWait(s: Builder, bit: bigint, kind: bigint): void {
  const allowed = s.either(atEl1(s), enabled(s, bit));
  s.rarely(s.not(allowed), () => raise(s, syndrome(classes.wf, (0xen << 20n) | kind)));
}

function wfi(s: Builder): void {
  trapWait(s, sctlr.nTWI, 0n);
  s.exit(exitCode('wait'), s.pc(4));
}

/** The event register is always set: a wait for an event ends at once, as it may. */
const wfe = (s: Builder): void => trapWait(s, sctlr.nTWE, 1n);

const fence = (s: Builder): void => s.fence();

/** What instructions have changed takes effect at once, so there is nothing to wait for. */
const nop = (): void => {};

const DAIF_SHIFT = 6n;

function daifSet(s: Builder, f: { readonly imm: I64 }): void {
  requireUma(s);
  s.setState(core.daif, s.or(s.state(core.daif), s.shl(f.imm, DAIF_SHIFT)));
}

function daifClear(s: Builder, f: { readonly imm: I64 }): void {
  requireUma(s);
  const cleared = s.xor(s.shl(f.imm, DAIF_SHIFT), DAIF);
  setDaif(s, s.and(s.state(core.daif), cleared));
}

const UMA_ISS = (3n << 20n) | (6n << 17n) | (3n << 14n) | (4n << 10n) | (0x1fn << 5n);

function requireUma(s: Builder): void {
  const allowed = s.either(atEl1(s), enabled(s, sctlr.UMA));
  s.rarely(s.not(allowed), () => raise(s, syndrome(classes.systemRegister, UMA_ISS)));
}

function panImmediate(s: Builder, f: { readonly imm: I64 }): void {
  require(s, atEl1(s));
  const rest = s.and(s.state(core.pstate), ~PAN);
  s.setState(core.pstate, s.or(rest, s.select(s.eqz(s.and(f.imm, 1)), 0, PAN)));
  s.perform(updateContext);
  s.jump(s.pc(4), 'sync');
}

function spSelImmediate(s: Builder, f: { readonly imm: I64 }): void {
  require(s, atEl1(s));
  selectStack(s, s.and(f.imm, 1));
}

// oxfmt-ignore
const control = instructions('System', {
  eret: none('1101011 0 100 11111 000000 11111 00000', 'eret', eret),
  svc: immediate('11010100 000 ................ 000 01', 'svc #{imm}', svc),
  hvc: immediate('11010100 000 ................ 000 10', 'hvc #{imm}', hvc),
  // There is no EL3.
  smc: immediate('11010100 000 ................ 000 11', 'smc #{imm}', raiseUndefined),
  brk: immediate('11010100 001 ................ 000 00', 'brk #{imm}', brk),
  // No debugger is attached from outside.
  hlt: immediate('11010100 010 ................ 000 00', 'hlt #{imm}', raiseUndefined),
  wfe: none('11010101000000110010 0000 010 11111', 'wfe', wfe),
  wfi: none('11010101000000110010 0000 011 11111', 'wfi', wfi),
  sev: none('11010101000000110010 0000 100 11111', 'sev', nop),
  sevl: none('11010101000000110010 0000 101 11111', 'sevl', nop),
  clrex: option('11010101000000110011 .... 010 11111', 'clrex #{imm}', (s) =>
    s.setState(core.exclusiveAddress, -1n)),
  dsb: option('11010101000000110011 .... 100 11111', 'dsb #{imm}', fence),
  dmb: option('11010101000000110011 .... 101 11111', 'dmb #{imm}', fence),
  isb: option('11010101000000110011 .... 110 11111', 'isb #{imm}', nop),
  msr_daifset: option('1101010100 0 00 011 0100 .... 110 11111', 'msr daifset, #{imm}', daifSet),
  msr_daifclr: option('1101010100 0 00 011 0100 .... 111 11111', 'msr daifclr, #{imm}', daifClear),
  msr_spsel_imm: option('1101010100 0 00 000 0100 .... 101 11111', 'msr spsel, #{imm}', spSelImmediate),
  msr_pan_imm: option('1101010100 0 00 000 0100 .... 100 11111', 'msr pan, #{imm}', panImmediate),
});

type Operation = (s: Builder, f: { readonly rt: RegisterOperand }) => void;

/** Rows of one kind of maintenance, by name: the encoding after op0 (which is 1), and what it does. */
const maintenance = (
  kind: string,
  operations: Readonly<
    Record<string, readonly [op1: number, crn: number, crm: number, op2: number, Operation]>
  >,
): Row[] =>
  Object.entries(operations).flatMap(([name, [op1, crn, crm, op2, meaning]]) => {
    const encoding: Encoding = [1, op1, crn, crm, op2];
    const text = `${kind} ${name}, {rt}`;
    return instructions('System', {
      [`${kind}_${name}`]: address(patternOf(encoding, false), text, meaning),
    });
  });

/** The block that DC ZVA writes, in bytes (DCZID_EL0). */
const ZVA_BYTES = 64n;

/** Traps from EL0 by a bit of SCTLR_EL1, with the instruction's own encoding. */
const requireUser = (s: Builder, bit: bigint, iss: bigint): void =>
  s.rarely(s.not(s.either(atEl1(s), enabled(s, bit))), () =>
    raise(s, syndrome(classes.systemRegister, iss)),
  );

const issOf = (op1: number, crn: number, crm: number, op2: number): bigint =>
  BigInt((1 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (crm << 1));

function zeroBlock(s: Builder, f: { readonly rt: RegisterOperand }): void {
  requireUser(s, sctlr.DZE, issOf(3, 7, 4, 1));
  const block = s.and(s.get(f.rt), -ZVA_BYTES);
  for (const offset of [0n, 16n, 32n, 48n]) s.storeVector(128, s.add(block, offset), 0n);
}

/** Caches are coherent: only what an access to the address would raise is left of maintenance. */
const byAddress =
  (op1: number, crm: number): Operation =>
  (s, f) => {
    if (op1 === 3) requireUser(s, sctlr.UCI, issOf(3, 7, crm, 1));
    else require(s, atEl1(s));
    s.probeLoad(s.get(f.rt));
  };

const privileged =
  (then: (s: Builder) => void): Operation =>
  (s) => {
    require(s, atEl1(s));
    then(s);
  };

/** The address in the argument of TLBI by address: bits 55 to 12 of it in bits 43 to 0. */
const pageOf = (s: Builder, argument: I64): I64 => s.shr_s(s.shl(argument, 20), 8);

const invalidateAll = privileged((s) => {
  s.flushTlb();
  s.jump(s.pc(4), 'sync');
});

/** `isLast`: entries of the last level only, so that what is kept of tables stays. */
const invalidatePage =
  (isLast: boolean): Operation =>
  (s, f) => {
    require(s, atEl1(s));
    if (!isLast) forgetWalks(s);
    s.flushTlbPage(pageOf(s, s.get(f.rt)));
    s.jump(s.pc(4), 'sync');
  };

const all = (crm: number, op2: number) => [0, 8, crm, op2, invalidateAll] as const;
const page = (crm: number, op2: number) => [0, 8, crm, op2, invalidatePage(false)] as const;
const lastPage = (crm: number, op2: number) => [0, 8, crm, op2, invalidatePage(true)] as const;

const F_BIT = 1n;
const FAULT_STATUS = 0x3fn;
/** PAR_EL1 of a translation that succeeds: bit 11 is RES1; memory is normal, inner shareable. */
const PAR_OK = (0xffn << 56n) | (1n << 11n) | (3n << 7n);

/** `(address, access, manner)`: sets PAR_EL1 to the outcome of a translation. */
const translateAddress = routine('at', ['i64', 'i32', 'i64'], null, (s, virtual, kind, who) => {
  s.when(s.eqz(s.and(s.state(core.sctlr), sctlr.M)), () => {
    s.setState(core.par, s.or(s.and(virtual, 0xffff_ffff_f000n), PAR_OK));
    s.return();
  });
  const physical = s.call(walk, 'i64', virtual, kind, who);
  const status = s.shl(s.and(s.state(core.pendingEsr), FAULT_STATUS), 1);
  const failed = s.or(status, (1n << 11n) | F_BIT);
  const found = s.or(s.and(physical, 0xffff_ffff_f000n), PAR_OK);
  s.setState(core.par, s.select(s.eq(physical, -1n), failed, found));
});

const at =
  (kind: number, who: number): Operation =>
  (s, f) => {
    require(s, atEl1(s));
    s.perform(translateAddress, s.get(f.rt), kind, who);
  };

// oxfmt-ignore
export const rows: readonly Row[] = [
  ...control,
  ...maintenance('ic', {
    ialluis: [0, 7, 1, 0, privileged(nop)],
    iallu: [0, 7, 5, 0, privileged(nop)],
    ivau: [3, 7, 5, 1, byAddress(3, 5)],
  }),
  ...maintenance('dc', {
    zva: [3, 7, 4, 1, zeroBlock],
    ivac: [0, 7, 6, 1, byAddress(0, 6)],
    isw: [0, 7, 6, 2, privileged(nop)],
    csw: [0, 7, 10, 2, privileged(nop)],
    cisw: [0, 7, 14, 2, privileged(nop)],
    cvac: [3, 7, 10, 1, byAddress(3, 10)],
    cvau: [3, 7, 11, 1, byAddress(3, 11)],
    civac: [3, 7, 14, 1, byAddress(3, 14)],
  }),
  ...maintenance('at', {
    s1e1r: [0, 7, 8, 0, at(access.load, manner.privileged)],
    s1e1w: [0, 7, 8, 1, at(access.store, manner.privileged)],
    s1e0r: [0, 7, 8, 2, at(access.load, manner.user)],
    s1e0w: [0, 7, 8, 3, at(access.store, manner.user)],
  }),
  ...maintenance('tlbi', {
    vmalle1is: all(3, 0), aside1is: all(3, 2), vmalle1: all(7, 0), aside1: all(7, 2),
    vae1is: page(3, 1), vaae1is: page(3, 3), vae1: page(7, 1), vaae1: page(7, 3),
    vale1is: lastPage(3, 5), vaale1is: lastPage(3, 7), vale1: lastPage(7, 5), vaale1: lastPage(7, 7),
  }),
];
