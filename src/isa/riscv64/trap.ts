// Exceptions and interrupts: how they are raised, delivered and returned from.
// Privileged ISA, sections 3.1.6 (mstatus), 3.1.8 (delegation), 3.1.15 (mcause), 3.3.2 (xRET), 12.1.
//
// Invariant: a trap changes mode, status and pc together and leaves the TLB tags right for the new mode.

import { type Arg, type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { vcpu } from '../shared/vcpu.ts';
import { updateContext } from './context.ts';
import { hart } from './state.ts';
import { MIE, MPIE, MPP_SHIFT, SIE, SPIE, SPP_SHIFT } from './status.ts';

/** Exception codes of mcause and scause. */
export const causes = {
  instructionAccessFault: 1,
  illegalInstruction: 2,
  breakpoint: 3,
  loadAddressMisaligned: 4,
  loadAccessFault: 5,
  storeAddressMisaligned: 6,
  storeAccessFault: 7,
  /** From user mode; 9 from supervisor, 11 from machine mode. */
  environmentCall: 8,
  instructionPageFault: 12,
  loadPageFault: 13,
  storePageFault: 15,
} as const;

type I64 = Value<'i64'>;

const INTERRUPT = 1n << 63n;
const NO_RESERVATION = (1n << 64n) - 1n;

/** Records an exception as pending; `deliver` takes it from there. */
export function setPending(s: Builder, cause: Arg<'i64'>, tval: Arg<'i64'>): void {
  s.setState(hart.pendingCause, cause);
  s.setState(hart.pendingTval, tval);
}

/** Raises an exception at this instruction, which has no further effect. */
export function raise(s: Builder, cause: Arg<'i64'>, tval: Arg<'i64'>): void {
  setPending(s, cause, tval);
  s.raise();
}

/** Raises an illegal-instruction exception unless the condition holds. */
export function require(s: Builder, condition: Arg<'i1'>): void {
  s.rarely(s.not(condition), () => raise(s, causes.illegalInstruction, 0));
}

/** Takes a trap to supervisor mode: what it leaves in the CSRs; gives stvec. */
function enterSupervisor(s: Builder, cause: I64, tval: I64): I64 {
  const status = s.state(hart.mstatus);
  s.setState(hart.scause, cause);
  s.setState(hart.sepc, s.state(vcpu.pc));
  s.setState(hart.stval, tval);
  const spie = s.shl(s.and(status, SIE), 4);
  const spp = s.shl(s.zext32(s.state(hart.mode)), SPP_SHIFT);
  const rest = s.and(status, ~(SIE | SPIE | (1n << SPP_SHIFT)));
  s.setState(hart.mstatus, s.or(rest, s.or(spie, spp)));
  s.setState(hart.mode, 1);
  return s.state(hart.stvec);
}

/** The same to machine mode. */
function enterMachine(s: Builder, cause: I64, tval: I64): I64 {
  const status = s.state(hart.mstatus);
  s.setState(hart.mcause, cause);
  s.setState(hart.mepc, s.state(vcpu.pc));
  s.setState(hart.mtval, tval);
  const mpie = s.shl(s.and(status, MIE), 4);
  const mpp = s.shl(s.zext32(s.state(hart.mode)), MPP_SHIFT);
  const rest = s.and(status, ~(MIE | MPIE | (3n << MPP_SHIFT)));
  s.setState(hart.mstatus, s.or(rest, s.or(mpie, mpp)));
  s.setState(hart.mode, 3);
  return s.state(hart.mtvec);
}

/** `(cause, tval)`: enters the handler; vcpu.pc is the address to return to. */
const enter = routine('trap_enter', ['i64', 'i64'], null, (s, cause, tval) => {
  const code = s.and(cause, 63);
  const isInterrupt = s.ge_u(cause, INTERRUPT);
  const delegation = s.select(isInterrupt, s.state(hart.mideleg), s.state(hart.medeleg));
  const bit = s.and(s.shr_u(delegation, code), 1);
  const delegated = s.both(s.ne32(s.state(hart.mode), 3), s.eq(bit, 1));
  const vector = s.variable('i64', 0);
  s.when(
    delegated,
    () => s.assign(vector, enterSupervisor(s, cause, tval)),
    () => s.assign(vector, enterMachine(s, cause, tval)),
  );
  const tvec = s.read(vector);
  const vectored = s.both(isInterrupt, s.eq(s.and(tvec, 1), 1));
  const offset = s.select(vectored, s.shl(code, 2), 0);
  s.setState(vcpu.pc, s.add(s.and(tvec, ~3n), offset));
  s.setState(hart.reservation, NO_RESERVATION);
  s.perform(updateContext);
});

/** Isa.raise: the pending exception of the instruction at vcpu.pc. */
export const deliver = routine('deliver', [], null, (s) => {
  s.perform(enter, s.state(hart.pendingCause), s.state(hart.pendingTval));
});

/** Interrupts by falling priority: MEI, MSI, MTI, SEI, SSI, STI. */
const priority = [11, 3, 7, 9, 1, 5] as const;

/** Isa.interrupt: delivers the interrupt of highest priority that is pending and enabled; 1 if there was one. */
export const interrupt = routine('interrupt', [], 'i32', (s) => {
  const pending = s.and(s.state(hart.mip), s.state(hart.mie));
  s.when(s.eqz(pending), () => s.return(s.int1(s.ne(0, 0))), undefined, 'likely');
  const mode = s.state(hart.mode);
  const status = s.state(hart.mstatus);
  const deleg = s.state(hart.mideleg);
  const enabled = (bit: bigint) => s.ne(s.and(status, bit), 0);
  const machine = s.either(s.ne32(mode, 3), enabled(MIE));
  const supervisor = s.either(s.eqz32(mode), s.both(s.eq32(mode, 1), enabled(SIE)));
  const forMachine = s.select(machine, s.and(pending, s.xor(deleg, -1n)), 0);
  const forSupervisor = s.select(supervisor, s.and(pending, deleg), 0);
  const ready = s.select(s.eqz(forMachine), forSupervisor, forMachine);
  s.when(s.eqz(ready), () => s.return(s.int1(s.ne(0, 0))));
  let code = s.const64(0);
  for (const number of priority.toReversed()) {
    code = s.select(s.ne(s.and(ready, 1n << BigInt(number)), 0), number, code);
  }
  s.perform(enter, s.or(code, INTERRUPT), 0);
  s.return(s.int1(s.eq(0, 0)));
});

/** Makes the executor look at interrupts at the next boundary, if one is pending and enabled in mie. */
export function noticeInterrupts(s: Builder): void {
  const pending = s.and(s.state(hart.mip), s.state(hart.mie));
  s.rarely(s.ne(pending, 0), () => s.setState(vcpu.attention, 1));
}
