// The arm64 guest architecture, put together: ARMv8.0-A in AArch64 state with the features that identification.ts
// tells, at EL0 and EL1.

import type { Isa, VcpuState } from '../shared/isa.ts';
import { decoderOf } from '../shared/decoder.ts';
import type { Row } from '../shared/row.ts';
import { vcpu } from '../shared/vcpu.ts';
import { rows as atomics } from './atomics.ts';
import { LR, rows as branches } from './branches.ts';
import { rows as crypto } from './crypto.ts';
import { rows as dataImmediate } from './data-immediate.ts';
import { rows as dataRegister } from './data-register.ts';
import { deliver, interrupt, raiseUndefined } from './exceptions.ts';
import { rows as fpScalar } from './fp-scalar.ts';
import { rows as fpVector } from './fp-vector.ts';
import { rows as loadsStores } from './loads-stores.ts';
import { DAIF, sctlr } from './pstate.ts';
import { core, NZCV, SP, V, X, XSP } from './state.ts';
import { rows as simdInteger } from './simd-integer.ts';
import { rows as simdMemory } from './simd-memory.ts';
import { rows as simdMove } from './simd-move.ts';
import { rows as simdShift } from './simd-shift.ts';
import { rows as simdWide } from './simd-wide.ts';
import { rows as system } from './system.ts';
import { rows as systemRegisters } from './system-registers.ts';
import { accessFault, translate } from './translate.ts';

// oxfmt-ignore
const rows: readonly Row[] = [
  ...dataImmediate, ...dataRegister, ...branches, ...loadsStores, ...atomics, ...system, ...systemRegisters,
  ...fpScalar, ...fpVector, ...simdMove, ...simdMemory, ...simdInteger, ...simdShift, ...simdWide, ...crypto,
];

const ALL_ONES = (1n << 64n) - 1n;

export const arm64: Isa = {
  name: 'arm64',
  rows,
  decode: decoderOf(rows),
  lengthOf: () => 4,
  registerFiles: [X, XSP, V, NZCV],
  linkRegisters: [LR],
  cells: { ...vcpu, ...core },
  illegal: raiseUndefined,
  translate,
  accessFault,
  raise: deliver,
  interrupt,
  reset,
};

/** OSLSR_EL1: the OS lock is implemented (and locked at reset). */
const OSLSR = 0xan;
const MPIDR = 1n << 31n;

/** Reset: EL1h, translation off, everything masked (DDI 0487, D1.3.2). */
function reset(state: VcpuState, number: number): void {
  for (const cell of Object.values(core)) state.set(cell, 0n);
  for (const file of [X, V, NZCV]) {
    for (let index = 0; index < file.count; index++) state.setRegister(file, index, 0n);
  }
  state.setRegister(XSP, SP.index, 0n);
  state.set(core.currentEl, 1n);
  state.set(core.spSel, 1n);
  state.set(core.daif, DAIF);
  state.set(core.sctlr, sctlr.RESET);
  state.set(core.exclusiveAddress, ALL_ONES);
  state.set(core.pendingReturn, ALL_ONES);
  state.set(core.oslsr, OSLSR);
  state.set(core.mpidr, MPIDR | BigInt(number));
  for (const tag of [vcpu.dataTag, vcpu.fetchTag, vcpu.userTag]) state.set(tag, 0n);
}

/** After reset: begins a kernel as its boot protocol wants it (Linux Documentation/arch/arm64/booting.rst). */
export function enterKernel(
  state: VcpuState,
  start: { readonly pc: bigint; readonly x0: bigint },
): void {
  state.set(vcpu.pc, start.pc);
  state.setRegister(X, 0, start.x0);
}
