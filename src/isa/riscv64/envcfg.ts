// Which cache-block instructions a mode may execute. Unprivileged ISA, chapter 19 (CMO), control and status registers.

import type { Builder } from '../../ir/builder.ts';
import { hart } from './state.ts';
import { causes, raise } from './trap.ts';

/** Fields of menvcfg and senvcfg: invalidate, clean and flush, zero. */
export const CBIE = 3n << 4n;
export const CBCFE = 1n << 6n;
export const CBZE = 1n << 7n;

const user = 0n;
const machine = 3n;

/**
 * Raises an illegal-instruction exception where a field of menvcfg is 0 below machine mode, or the same field of
 * senvcfg is 0 in user mode.
 */
export function requireEnvcfg(s: Builder, field: bigint): void {
  const mode = s.state(hart.mode);
  const disabledByMachine = s.both(
    s.ne32(mode, machine),
    s.eqz(s.and(s.state(hart.menvcfg), field)),
  );
  const disabledBySupervisor = s.both(
    s.eq32(mode, user),
    s.eqz(s.and(s.state(hart.senvcfg), field)),
  );
  s.rarely(s.either(disabledByMachine, disabledBySupervisor), () =>
    raise(s, causes.illegalInstruction, 0n),
  );
}
