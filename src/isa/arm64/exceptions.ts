// Exceptions and interrupts: how they are raised, delivered and returned from.
// DDI 0487, D1.3 (exceptions), D1.4.3 (entry), D1.4.4 (return), D19.2.40 (ESR_EL1).
//
// Everything is taken to EL1. Invariant: an exception changes level, PSTATE, stack pointer and pc together and leaves
// the TLB tags right for the new level.

import { type Arg, type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { vcpu } from '../shared/vcpu.ts';
import { updateContext } from './context.ts';
import { flagBitsInRoutine } from './flags.ts';
import { DAIF, I_MASK, IL, PAN, sctlr } from './pstate.ts';
import { core } from './state.ts';

type I64 = Value<'i64'>;

/** Exception classes of ESR_EL1; those of aborts are of a lower level, one more is the same level's. */
export const classes = {
  unknown: 0x00,
  wf: 0x01,
  fp: 0x07,
  illegalState: 0x0e,
  svc: 0x15,
  systemRegister: 0x18,
  instructionAbort: 0x20,
  pcAlignment: 0x22,
  dataAbort: 0x24,
  brk: 0x3c,
} as const;

const CLASS_SHIFT = 26n;
/** Every instruction is 32 bits long. */
const IL_32 = 1n << 25n;
const HERE = (1n << 64n) - 1n;
const OPEN = (1n << 64n) - 1n;
/** Fault status of a misaligned access, and the bit that tells a write. */
const ALIGNMENT = 0x21n;
const WNR = 1n << 6n;

/** The syndrome of a class with its specific part. */
export const syndrome = (exceptionClass: number, iss: bigint): bigint =>
  (BigInt(exceptionClass) << CLASS_SHIFT) | IL_32 | iss;

/** Records an exception as pending; `deliver` takes it from there. */
export function setPending(s: Builder, esr: Arg<'i64'>, far?: Arg<'i64'>): void {
  s.setState(core.pendingEsr, esr);
  s.setState(core.pendingHasFar, far === undefined ? 0 : 1);
  if (far !== undefined) s.setState(core.pendingFar, far);
  s.setState(core.pendingReturn, HERE);
}

/** Raises an exception at this instruction, which has no further effect. */
export function raise(s: Builder, esr: Arg<'i64'>, far?: Arg<'i64'>): void {
  setPending(s, esr, far);
  s.raise();
}

/** Raises an exception that returns to another address than this instruction's. */
export function raiseReturningTo(s: Builder, esr: Arg<'i64'>, address: Arg<'i64'>): void {
  setPending(s, esr);
  s.setState(core.pendingReturn, address);
  s.raise();
}

/** The instruction is undefined. */
export const raiseUndefined = (s: Builder): void => raise(s, syndrome(classes.unknown, 0n));

/** The access is not aligned as it must be. */
export function raiseAlignment(s: Builder, address: I64, isWrite: boolean): void {
  raise(s, syndrome(classes.dataAbort, ALIGNMENT | (isWrite ? WNR : 0n)), address);
}

/** Raises unless the condition holds: the instruction is undefined here. */
export const require = (s: Builder, condition: Arg<'i1'>): void =>
  s.rarely(s.not(condition), () => raiseUndefined(s));

/** CPACR_EL1.FPEN, and the syndrome of its trap: COND is not valid. */
const FPEN_SHIFT = 20n;
const FP_ISS = 0x1e0_0000n;

/** Traps unless SIMD and floating-point instructions may be used (CPACR_EL1.FPEN). */
export function requireFp(s: Builder): void {
  const fpen = s.and(s.shr_u(s.state(core.cpacr), FPEN_SHIFT), 3);
  // 3: nothing is trapped; 1: EL0 is.
  s.rarely(s.ne(fpen, 3), () => {
    const allowed = s.both(s.eq(fpen, 1), s.ne32(s.state(core.currentEl), 0));
    s.rarely(s.not(allowed), () => raise(s, syndrome(classes.fp, FP_ISS)));
  });
}

/** What SPSR_EL1 holds after an exception now. */
function savedState(s: Builder): I64 {
  const level = s.state(core.currentEl);
  const mode = s.select(s.eqz32(level), 0, s.or(4, s.zext32(s.state(core.spSel))));
  const masks = s.or(s.state(core.daif), s.state(core.pstate));
  return s.or(s.or(s.shl(flagBitsInRoutine(s), 28), masks), mode);
}

const CURRENT_SP0 = 0x000n;
const CURRENT_SPX = 0x200n;
const LOWER = 0x400n;
const SYNCHRONOUS = 0x000n;
const IRQ = 0x080n;

/** `(kind, return address)`: enters the handler for an offset among the four kinds of exception. */
const enter = routine('enter', ['i64', 'i64'], null, (s, kind, back) => {
  const isLower = s.eqz32(s.state(core.currentEl));
  const usesSp0 = s.eqz32(s.state(core.spSel));
  const group = s.select(isLower, LOWER, s.select(usesSp0, CURRENT_SP0, CURRENT_SPX));
  s.setState(core.spsr, savedState(s));
  s.setState(core.elr, back);
  s.when(usesSp0, () => {
    s.setState(core.spEl0, s.state(core.sp));
    s.setState(core.sp, s.state(core.spEl1));
    s.setState(core.spSel, 1);
  });
  s.setState(core.currentEl, 1);
  s.setState(core.daif, DAIF);
  const keepsPan = s.ne(s.and(s.state(core.sctlr), sctlr.SPAN), 0);
  const pan = s.and(s.state(core.pstate), PAN);
  s.setState(core.pstate, s.select(keepsPan, pan, PAN));
  s.setState(core.exclusiveAddress, OPEN);
  s.setState(vcpu.pc, s.add(s.state(core.vbar), s.add(group, kind)));
  s.perform(updateContext);
});

/** Classes that differ for exceptions from the same level. */
const isAbort = (s: Builder, esr: I64): Value<'i1'> => {
  const kind = s.and(s.shr_u(esr, CLASS_SHIFT), 0x3fn);
  return s.either(s.eq(kind, classes.instructionAbort), s.eq(kind, classes.dataAbort));
};

/** Isa.raise: the pending exception of the instruction at vcpu.pc. */
export const deliver = routine('deliver', [], null, (s) => {
  const esr = s.state(core.pendingEsr);
  const same = s.both(isAbort(s, esr), s.ne32(s.state(core.currentEl), 0));
  s.setState(core.esr, s.add(esr, s.shl(s.zext1(same), CLASS_SHIFT)));
  s.when(s.ne32(s.state(core.pendingHasFar), 0), () => {
    s.setState(core.far, s.state(core.pendingFar));
  });
  const back = s.state(core.pendingReturn);
  s.perform(enter, SYNCHRONOUS, s.select(s.eq(back, HERE), s.state(vcpu.pc), back));
});

/** Isa.interrupt: delivers the IRQ if it is there and not masked; 1 if so. */
export const interrupt = routine('interrupt', [], 'i32', (s) => {
  const masked = s.ne(s.and(s.state(core.daif), I_MASK), 0);
  s.when(s.either(masked, s.eqz32(s.state(core.irqLine))), () => s.return(s.int1(s.ne(0, 0))));
  s.perform(enter, IRQ, s.state(vcpu.pc));
  s.return(s.int1(s.eq(0, 0)));
});

/** Makes the executor look at interrupts at the next boundary, if the IRQ is there. */
export function noticeInterrupts(s: Builder): void {
  s.rarely(s.ne32(s.state(core.irqLine), 0), () => s.setState(vcpu.attention, 1));
}

/** `(SPSR_EL1)`: PSTATE, level and stack pointer as an exception return sets them, flags aside; legal modes only. */
export const restore = routine('restore', ['i64'], null, (s, spsr) => {
  s.setState(core.daif, s.and(spsr, DAIF));
  s.setState(core.pstate, s.and(spsr, PAN | IL));
  s.setState(core.currentEl, s.wrap(s.and(s.shr_u(spsr, 2), 1)));
  s.setState(core.spSel, s.wrap(s.and(spsr, 1)));
  s.setState(core.exclusiveAddress, OPEN);
  s.perform(updateContext);
});
