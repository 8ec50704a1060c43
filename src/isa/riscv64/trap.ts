// Exceptions that instructions raise. Privileged ISA, section 3.1.15 (mcause).

import type { Arg, Builder } from '../../ir/builder.ts';
import { hart } from './state.ts';

/** Exception codes of mcause and scause. */
export const causes = {
  illegalInstruction: 2,
  loadAddressMisaligned: 4,
  storeAddressMisaligned: 6,
} as const;

/** Raises an exception at this instruction, which has no further effect. */
export function raise(s: Builder, cause: number, tval: Arg<'i64'>): void {
  s.setState(hart.pendingCause, cause);
  s.setState(hart.pendingTval, tval);
  s.raise();
}
