// Floating-point operations in line: the host's instruction where its result is surely the guest's and raises nothing
// new, else the routine of float.ts.
//
// That is the case where rounding is to nearest even, inexact has been raised before (it is sticky, so nobody needs to
// know again), and the result is ordinary: then no other flag can arise. Programs that compute get there with their
// first inexact result. Values are encodings as in float.ts; they pass between operations as floats, so that a chain of
// them stays in the host's float registers.

import type { Builder } from '../../ir/builder.ts';
import type { StateField, Value } from '../../ir/node.ts';
import {
  exponentField,
  type FloatRoutines,
  type FormatRoutines,
  type Host,
  host32,
  host64,
  isOrdinary,
} from './float.ts';
import { flag, rounding } from './softfloat.ts';

type I64 = Value<'i64'>;
type I1 = Value<'i1'>;

/** Operations of one format as builders of IR; the mode is last where rounding is possible. */
export interface FastFormat {
  add(s: Builder, a: I64, b: I64, mode: I64): I64;
  sub(s: Builder, a: I64, b: I64, mode: I64): I64;
  mul(s: Builder, a: I64, b: I64, mode: I64): I64;
  div(s: Builder, a: I64, b: I64, mode: I64): I64;
  sqrt(s: Builder, a: I64, mode: I64): I64;
  eq(s: Builder, a: I64, b: I64): I64;
  lt(s: Builder, a: I64, b: I64): I64;
  le(s: Builder, a: I64, b: I64): I64;
}

export interface FastFloat {
  readonly f32: FastFormat;
  readonly f64: FastFormat;
}

/** The operations of a guest architecture that accrues flags in a cell, in line. */
export function fastFloat(
  flags: StateField & { readonly type: 'i64' },
  routines: FloatRoutines,
): FastFloat {
  return {
    f32: fastFormat(flags, host32, routines.f32),
    f64: fastFormat(flags, host64, routines.f64),
  };
}

function fastFormat(
  flags: StateField & { readonly type: 'i64' },
  host: Host,
  routines: FormatRoutines,
): FastFormat {
  const { format } = host;
  const isQuiet = (s: Builder, mode: I64): I1 =>
    s.both(s.eq(mode, BigInt(rounding.RNE)), s.ne(s.and(s.state(flags), flag.NX), 0n));
  /** A sum may be subnormal or zero: it is exact then. */
  const isSum = (s: Builder, result: I64): I1 =>
    s.lt_u(exponentField(s, format, result), BigInt(2 * format.maxExponent + 1));
  const isProduct = (s: Builder, result: I64): I1 => isOrdinary(s, format, result);
  const binary =
    (op: 'add' | 'sub' | 'mul' | 'div', isFine: typeof isSum): FastFormat['add'] =>
    (s, a, b, mode) => {
      const result = host[op](s, a, b);
      const fine = s.both(isQuiet(s, mode), isFine(s, result));
      return host.choose(s, fine, result, () => s.call(routines[op], 'i64', a, b, mode));
    };
  const relation =
    (op: 'eq' | 'lt' | 'le'): FastFormat['eq'] =>
    (s, a, b) => {
      const result = s.variable('i64', s.zext1(host[op](s, a, b)));
      const ordered = s.both(host.eq(s, a, a), host.eq(s, b, b));
      s.rarely(s.not(ordered), () => s.assign(result, s.call(routines[op], 'i64', a, b)));
      return s.read(result);
    };
  return {
    add: binary('add', isSum),
    sub: binary('sub', isSum),
    mul: binary('mul', isProduct),
    div: binary('div', isProduct),
    sqrt(s, a, mode) {
      const result = host.sqrt(s, a);
      const fine = s.both(isQuiet(s, mode), isProduct(s, result));
      return host.choose(s, fine, result, () => s.call(routines.sqrt, 'i64', a, mode));
    },
    eq: relation('eq'),
    lt: relation('lt'),
    le: relation('le'),
  };
}
