// FPCR and FPSR, and what operations need to know of them. DDI 0487, C5.2.8, C5.2.10.
//
// The mode that operations get is a number: the rounding mode as softfloat.ts numbers it, plus bits for what is rarely
// on. So the default mode is 0, which is all that a fast path looks for.

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { rounding } from '../shared/softfloat.ts';
import { requireFp } from './exceptions.ts';
import { core } from './state.ts';

type I64 = Value<'i64'>;

/** Default NaN, flush to zero, alternative half precision, in a mode. */
export const MODE = { defaultNaN: 8, flush: 16, alternativeHalf: 32, rounding: 7 } as const;

const FPCR_MASK = 0x07c0_0000n;
/** QC and IDC; the other flags lie in a cell of their own. The condition flags of AArch32 can be written too. */
const FPSR_MASK = 0xf800_0080n;
export const IDC = 1n << 7n;

/** Five flags between FPSR's order and that of softfloat.ts, which is its reverse. */
function reverseFlags(s: Builder, flags: I64): I64 {
  const outer = s.or(s.and(s.shr_u(flags, 4), 1), s.and(s.shl(flags, 4), 16));
  const inner = s.or(s.and(s.shr_u(flags, 2), 2), s.and(s.shl(flags, 2), 8));
  return s.or(s.or(outer, inner), s.and(flags, 4));
}

export function getFpsr(s: Builder): I64 {
  requireFp(s);
  return s.or(s.state(core.fpsr), reverseFlags(s, s.state(core.fpFlags)));
}

export function setFpsr(s: Builder, value: I64): void {
  requireFp(s);
  s.setState(core.fpsr, s.and(value, FPSR_MASK));
  s.setState(core.fpFlags, reverseFlags(s, value));
}

export function setFpcr(s: Builder, value: I64): void {
  requireFp(s);
  s.setState(core.fpcr, s.and(value, FPCR_MASK));
  // RMode: nearest, up, down, toward zero.
  const rmode = s.and(s.shr_u(value, 22), 3);
  const directed = s.select(s.eq(rmode, 2), rounding.RDN, rounding.RTZ);
  const known = s.select(s.eq(rmode, 1), rounding.RUP, directed);
  const mode = s.select(s.eqz(rmode), rounding.RNE, known);
  const dn = s.shl(s.and(s.shr_u(value, 25), 1), 3);
  const fz = s.shl(s.and(s.shr_u(value, 24), 1), 4);
  const ahp = s.shl(s.and(s.shr_u(value, 26), 1), 5);
  s.setState(core.fpMode, s.or(s.or(mode, dn), s.or(fz, ahp)));
}

/** The mode in force. */
export const mode = (s: Builder): I64 => s.state(core.fpMode);
