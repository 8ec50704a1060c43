// What handles the traps of random programs, in machine mode untranslated and in supervisor mode under translation.
//
// An interrupt is counted, nothing else, so it may come anywhere. An exception is logged. A page fault repairs the one
// entry that awaits it, if any does, and is tried again; a call goes from user to supervisor mode; a fetch with no page
// goes back to where a variant was called from, or else to the start; everything else is skipped as if of four bytes.
// Invariants: an interrupt leaves something in t3 only; exceptions use t4, s5 and s10; no handler raises an exception.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { createAssembler } from '../../../src/isa/shared/assembler.ts';
import { cells, sharedAsid, variantsAt } from './layout.ts';

const exception = (level: 'm' | 's'): string => `
  csrrs t4, ${level}cause, zero
  sd t4, 0(s11)
  csrrs s10, ${level}epc, zero
  sd s10, 8(s11)
  csrrs s5, ${level}tval, zero
  sd s5, 16(s11)
  addi s11, s11, 24
  addi t6, t6, -1
  addi s5, zero, 8
  beq t4, s5, call
  addi s5, zero, 12
  blt t4, s5, skip
  ld s5, ${cells.repairAddress}(gp)
  beq s5, zero, lasting
  sd zero, ${cells.repairAddress}(gp)
  ld t4, ${cells.repairValue}(gp)
  sd t4, 0(s5)
  sfence.vma zero, zero
  jal zero, return
lasting:
  addi s5, zero, 12
  bne t4, s5, skip
  lui s5, ${variantsAt / 4096}
  sub s5, s10, s5
  srli s5, s5, 21
  beq s5, zero, caller
  addi s10, s9, 0
  jal zero, supervisor
caller:
  addi s10, t0, 0
  jal zero, resume
call:
  lui s5, ${variantsAt / 4096}
  sub s5, s10, s5
  srli s5, s5, 21
  beq s5, zero, skip
  sub s10, s10, tp
  add s10, s10, s9
  addi s10, s10, 4
supervisor:
  addi s5, zero, 1
  slli s5, s5, ${level === 'm' ? 11 : 8}
  csrrs zero, ${level}status, s5
  jal zero, resume
skip:
  addi s10, s10, 4
resume:
  csrrw zero, ${level}epc, s10
return:
  ${level}ret
`;

const machine = `
  csrrs t3, mcause, zero
  blt t3, zero, interrupt
  ${exception('m')}
interrupt:
  csrrci zero, mip, 2
  ld t3, ${cells.interrupts}(gp)
  addi t3, t3, 1
  sd t3, ${cells.interrupts}(gp)
  mret
`;
/** Instructions that the handler retires for an interrupt. */
export const interruptLength = 7;

/** Bytes from one routine to the next. */
export const routineBytes = 32;

/**
 * Routines that store x19 as the page-table entry at s4 and fence: all; the address in x18; the ASID in x17; both; the
 * same by Svinval. Those by ASID include the one that the spaces share. They go back to s5.
 */
const fences: readonly (readonly string[])[] = [
  ['sfence.vma zero, zero'],
  ['sfence.vma s2, zero'],
  ['sfence.vma zero, a7', `addi a7, zero, ${sharedAsid}`, 'sfence.vma zero, a7'],
  ['sfence.vma s2, a7', `addi a7, zero, ${sharedAsid}`, 'sfence.vma s2, a7'],
  ['sfence.w.inval', 'sinval.vma s2, zero', 'sfence.inval.ir'],
];

const { assembleProgram } = createAssembler(riscv64);
const assemble = (text: string): Uint8Array => assembleProgram(text, 0n).bytes;

/** All run at any address. */
export const machineHandler: Uint8Array = assemble(machine);
export const supervisorHandler: Uint8Array = assemble(exception('s'));
export const routines: readonly Uint8Array[] = fences.map((fence) =>
  assemble(`sd s3, 0(s4)\n${fence.join('\n')}\njalr zero, 0(s5)`),
);
