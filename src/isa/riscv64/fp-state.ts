// Access to the floating-point state of a RISC-V hart: f registers, mstatus.FS, rounding modes.
// Unprivileged ISA, sections 20.2 (frm, rm), 21.2 (NaN boxing); Privileged ISA, section 3.1.6.6 (FS).
//
// A single-precision value is held in the low 32 bits of an i64. In a register its upper half is all ones; a register
// whose upper half is not reads as the canonical NaN.
// Invariant: whoever writes an f register or fcsr marks FS dirty; setF32 and setF64 do.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { hart } from './state.ts';

type I64 = Value<'i64'>;

/** mstatus.FS; both bits set: dirty. */
const FS = 0x6000n;
const illegalInstruction = 2n;
const boxed = 0xffff_ffff_0000_0000n;
const canonicalNaN32 = 0x7fc0_0000n;
/** Value of rm that means frm. */
const dynamic = 7n;
/** The last rounding mode, RMM; greater ones are reserved. */
const lastMode = 4n;

function raiseIllegal(s: Builder): void {
  s.setState(hart.pendingCause, illegalInstruction);
  s.setState(hart.pendingTval, 0n);
  s.raise();
}

/** Raises an illegal-instruction exception (trap value 0) while the floating-point unit is off. */
export function requireFp(s: Builder): void {
  s.rarely(s.eqz(s.and(s.state(hart.mstatus), FS)), () => raiseIllegal(s));
}

/** Marks the floating-point state as changed. */
export function markFpDirty(s: Builder): void {
  s.setState(hart.mstatus, s.or(s.state(hart.mstatus), FS));
}

/** The 64 bits of an f register. */
export const getF64 = (s: Builder, register: RegisterOperand): I64 => s.get(register);

/** A single-precision value, zero-extended; the canonical NaN where the register does not hold one. */
export function getF32(s: Builder, register: RegisterOperand): I64 {
  const value = s.get(register);
  return s.select(s.ge_u(value, boxed), s.and(value, 0xffff_ffffn), canonicalNaN32);
}

/** Writes 64 bits to an f register. */
export function setF64(s: Builder, register: RegisterOperand, value: I64): void {
  markFpDirty(s);
  s.set(register, value);
}

/** Writes a single-precision value, boxed; bits of `value` above the low 32 do not matter. */
export const setF32 = (s: Builder, register: RegisterOperand, value: I64): void =>
  setF64(s, register, s.or(value, boxed));

/**
 * The mode that an instruction's rm field means (0 RNE, 1 RTZ, 2 RDN, 3 RUP, 4 RMM). A reserved mode, static or in
 * frm, raises an illegal-instruction exception.
 */
export function roundingMode(s: Builder, rm: I64): I64 {
  const mode = s.select(s.eq(rm, dynamic), s.state(hart.frm), rm);
  s.rarely(s.gt_u(mode, lastMode), () => raiseIllegal(s));
  return mode;
}
