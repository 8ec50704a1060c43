// The condition flags N, Z, C and V, and conditions on them. DDI 0487, C1.2.4 (condition codes) and AddWithCarry in
// shared/functions/integer.
//
// They are kept as four registers that hold what the flags are computed from, so that setting them costs next to
// nothing where nobody looks: N is bit 63 of the first, Z is set if the second is zero, C is the third (0 or 1), V is
// bit 63 of the fourth. An operation on words keeps its operands sign-extended.
// Invariant: the third is 0 or 1.

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { core, NZCV } from './state.ts';

type I64 = Value<'i64'>;
type I1 = Value<'i1'>;

const flag = (index: number) => ({ file: NZCV, index }) as const;
const [N, Z, C, V] = [flag(0), flag(1), flag(2), flag(3)];

export type Size = 32 | 64;

/** A value as flags of an operation on words or doublewords need it: sign-extended. */
const asSigned = (s: Builder, size: Size, value: I64): I64 =>
  size === 64 ? value : s.ext32_s(value);

/** The low word, zero-extended, of a result of an operation on words. */
export const cut = (s: Builder, size: Size, value: I64): I64 =>
  size === 64 ? value : s.and(value, 0xffff_ffffn);

/** Sets N and Z of a result, clears C and V: logical operations. */
export function setLogicFlags(s: Builder, size: Size, result: I64): void {
  const value = asSigned(s, size, result);
  s.set(N, value);
  s.set(Z, value);
  s.set(C, 0n);
  s.set(V, 0n);
}

/** a + b with flags; the result, zero-extended from its size. */
export function addWithFlags(s: Builder, size: Size, a: I64, b: I64): I64 {
  const [left, right] = [asSigned(s, size, a), asSigned(s, size, b)];
  const result = asSigned(s, size, s.add(left, right));
  s.set(N, result);
  s.set(Z, result);
  s.set(C, s.zext1(s.lt_u(result, left)));
  s.set(V, s.and(s.xor(left, result), s.xor(right, result)));
  return cut(s, size, result);
}

/** a - b with flags; the result, zero-extended from its size. */
export function subtractWithFlags(s: Builder, size: Size, a: I64, b: I64): I64 {
  const [left, right] = [asSigned(s, size, a), asSigned(s, size, b)];
  const result = asSigned(s, size, s.sub(left, right));
  s.set(N, result);
  s.set(Z, result);
  s.set(C, s.zext1(s.ge_u(left, right)));
  s.set(V, s.and(s.xor(left, right), s.xor(left, result)));
  return cut(s, size, result);
}

/** a + b + C; with flags if wanted. The result, zero-extended from its size. */
export function addWithCarry(s: Builder, size: Size, a: I64, b: I64, withFlags: boolean): I64 {
  const carry = s.get(C);
  if (!withFlags) return cut(s, size, s.add(s.add(a, b), carry));
  const [left, right] = [asSigned(s, size, a), asSigned(s, size, b)];
  const result = asSigned(s, size, s.add(s.add(left, right), carry));
  s.set(N, result);
  s.set(Z, result);
  const more = s.lt_u(result, left);
  const wraps = s.both(s.eq(result, left), s.ne(carry, 0));
  s.set(C, s.zext1(s.either(more, wraps)));
  s.set(V, s.and(s.xor(left, result), s.xor(right, result)));
  return cut(s, size, result);
}

/** Sets all flags from bits N Z C V, 3 to 0, of a value. */
export function setFlags(s: Builder, bits: I64): void {
  s.set(N, s.shl(bits, 60));
  s.set(Z, s.xor(s.and(bits, 4), 4));
  s.set(C, s.and(s.shr_u(bits, 1), 1));
  s.set(V, s.shl(bits, 63));
}

/** The flags as bits N Z C V, 3 to 0. */
export const flagBits = (s: Builder): I64 =>
  bitsOf(s, { n: s.get(N), z: s.get(Z), c: s.get(C), v: s.get(V) });

/** The same for routines, which see registers as cells. */
export const flagBitsInRoutine = (s: Builder): I64 =>
  bitsOf(s, {
    n: s.state(core.flagN),
    z: s.state(core.flagZ),
    c: s.state(core.flagC),
    v: s.state(core.flagV),
  });

interface Sources {
  readonly n: I64;
  readonly z: I64;
  readonly c: I64;
  readonly v: I64;
}

function bitsOf(s: Builder, { n, z, c, v }: Sources): I64 {
  const negative = s.and(s.shr_u(n, 60), 8);
  const zero = s.shl(s.zext1(s.eqz(z)), 2);
  return s.or(s.or(negative, zero), s.or(s.shl(c, 1), s.shr_u(v, 63)));
}

/** Conditions by the upper three bits of their code; the lowest one inverts, except in the last. */
const conditions: readonly ((s: Builder) => I1)[] = [
  (s) => s.eqz(s.get(Z)),
  (s) => s.ne(s.get(C), 0),
  (s) => s.lt_s(s.get(N), 0),
  (s) => s.lt_s(s.get(V), 0),
  (s) => s.both(s.ne(s.get(C), 0), s.ne(s.get(Z), 0)),
  (s) => s.ge_s(s.xor(s.get(N), s.get(V)), 0),
  (s) => s.both(s.ge_s(s.xor(s.get(N), s.get(V)), 0), s.ne(s.get(Z), 0)),
];

/** Conditions in the order of their codes; al and nv always hold. */
// oxfmt-ignore
export const conditionNames = [
  'eq', 'ne', 'cs', 'cc', 'mi', 'pl', 'vs', 'vc', 'hi', 'ls', 'ge', 'lt', 'gt', 'le', 'al', 'nv',
] as const;

/** Whether the condition with a code known when rows are made holds. */
export function holdsFixed(s: Builder, code: number): I1 {
  const test = conditions[code >> 1];
  if (test === undefined) return s.eq(s.const64(0), 0);
  return code & 1 ? s.not(test(s)) : test(s);
}

/** Whether the condition with the code in an operand (0 to 15) holds. */
export function holds(s: Builder, code: I64): I1 {
  // What is known is not built: most conditions are looked at in translated code.
  if (code.op === 'const') return holdsFixed(s, Number(code.value));
  const which = s.shr_u(code, 1);
  let result = s.const64(1);
  for (const [i, test] of conditions.entries()) {
    result = s.select(s.eq(which, i), s.zext1(test(s)), result);
  }
  const inverts = s.both(s.ne(s.and(code, 1), 0), s.ne(which, 7));
  return s.ne(s.xor(result, s.zext1(inverts)), 0);
}
