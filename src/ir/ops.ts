// The table of pure IR operations: argument types, result type, WebAssembly instruction, meaning.
// Everything that must know an operation (builder, verifier, evaluator, printer, lowering, passes) reads it here.
//
// Values are held as unsigned bigints of their type's width (f32 and f64 as their IEEE-754 encodings), so `fold` is
// exact and is the reference for the WebAssembly instruction beside it.
// Laws: a row's fold and its wasm instruction agree on every input, except that an f32 or f64 NaN result may have any
// payload and sign (whoever makes the NaN visible must choose one); div_* and rem_* are undefined for a zero divisor,
// div_s also for the most negative value by -1: a meaning guards its divisor.
// Suffix 32: the same on i32. `i1` is a truth value, a WebAssembly i32 that holds 0 or 1.

import {
  bitsOfFloat32,
  bitsOfFloat64,
  countLeadingZeros,
  countTrailingZeros,
  float32FromBits,
  float64FromBits,
  populationCount,
  signed,
  unsigned,
} from '../std/bits.ts';
import { vectorOps } from './vector-ops.ts';

export type Type = 'i1' | 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** A pure operation. `wasm` null: lowered by name (see the lowering), since no single instruction does it. */
export interface PureRow<A extends readonly Type[] = readonly Type[], R extends Type = Type> {
  readonly args: A;
  readonly result: R;
  readonly wasm: string | null;
  readonly fold: (...values: bigint[]) => bigint;
  readonly commutes: boolean;
  /** Bytes of the WebAssembly instruction behind its opcode: numbers of lanes. */
  readonly immediate: readonly number[];
}

const op = <const A extends readonly Type[], R extends Type>(
  args: A,
  result: R,
  wasm: string | null,
  fold: (a: bigint, b: bigint, c: bigint) => bigint,
  traits: { commutes?: boolean } = {},
): PureRow<A, R> => ({
  args,
  result,
  wasm,
  fold: (...values) => fold(values[0]!, values[1]!, values[2]!),
  commutes: traits.commutes ?? false,
  immediate: [],
});

const commutes = { commutes: true };
const truth = (value: boolean): bigint => (value ? 1n : 0n);
const u64 = (value: bigint): bigint => unsigned(64, value);
const s64 = (value: bigint): bigint => signed(64, value);
const u32 = (value: bigint): bigint => unsigned(32, value);
const s32 = (value: bigint): bigint => signed(32, value);
const d = float64FromBits;
const s = float32FromBits;
const bd = bitsOfFloat64;
const bs = bitsOfFloat32;

/** Ties to even, keeping the sign of zero: what f64.nearest does. */
function roundEven(x: number): number {
  const nearest = Math.round(x);
  const even = Math.abs(x % 1) === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
  return even === 0 && (x < 0 || Object.is(x, -0)) ? -0 : even;
}

function saturate(low: bigint, high: bigint, x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x === Infinity) return high;
  if (x === -Infinity) return low;
  const whole = BigInt(Math.trunc(x));
  return whole < low ? low : whole > high ? high : whole;
}

/** An integer below 2^64 as a number that rounds to binary32 as the integer does: bits below the 53rd are gathered. */
function sticky53(a: bigint): number {
  if (a < 0n) return -sticky53(-a);
  if (a < 1n << 53n) return Number(a);
  const lost = a & 0x7ffn;
  return Number(lost === 0n ? a : (a - lost) | 0x800n);
}

const i64i64 = ['i64', 'i64'] as const;
const i32i32 = ['i32', 'i32'] as const;
const f64f64 = ['f64', 'f64'] as const;
const f32f32 = ['f32', 'f32'] as const;
const minI64 = -(1n << 63n);
const maxI64 = (1n << 63n) - 1n;
const maxU64 = (1n << 64n) - 1n;

// oxfmt-ignore
export const pureOps = {
  // 64-bit integers
  add:    op(i64i64, 'i64', 'i64.add',   (a, b) => u64(a + b), commutes),
  sub:    op(i64i64, 'i64', 'i64.sub',   (a, b) => u64(a - b)),
  mul:    op(i64i64, 'i64', 'i64.mul',   (a, b) => u64(a * b), commutes),
  div_s:  op(i64i64, 'i64', 'i64.div_s', (a, b) => u64(s64(a) / s64(b))),
  div_u:  op(i64i64, 'i64', 'i64.div_u', (a, b) => a / b),
  rem_s:  op(i64i64, 'i64', 'i64.rem_s', (a, b) => u64(s64(a) % s64(b))),
  rem_u:  op(i64i64, 'i64', 'i64.rem_u', (a, b) => a % b),
  and:    op(i64i64, 'i64', 'i64.and',   (a, b) => a & b, commutes),
  or:     op(i64i64, 'i64', 'i64.or',    (a, b) => a | b, commutes),
  xor:    op(i64i64, 'i64', 'i64.xor',   (a, b) => a ^ b, commutes),
  shl:    op(i64i64, 'i64', 'i64.shl',   (a, b) => u64(a << (b & 63n))),
  shr_u:  op(i64i64, 'i64', 'i64.shr_u', (a, b) => a >> (b & 63n)),
  shr_s:  op(i64i64, 'i64', 'i64.shr_s', (a, b) => u64(s64(a) >> (b & 63n))),
  rotl:   op(i64i64, 'i64', 'i64.rotl',  (a, b) => u64((a << (b & 63n)) | (a >> (64n - (b & 63n))))),
  rotr:   op(i64i64, 'i64', 'i64.rotr',  (a, b) => u64((a >> (b & 63n)) | (a << (64n - (b & 63n))))),
  clz:    op(['i64'], 'i64', 'i64.clz',    (a) => countLeadingZeros(64, a)),
  ctz:    op(['i64'], 'i64', 'i64.ctz',    (a) => countTrailingZeros(64, a)),
  popcnt: op(['i64'], 'i64', 'i64.popcnt', (a) => populationCount(a)),
  ext8_s:  op(['i64'], 'i64', 'i64.extend8_s',  (a) => u64(signed(8, a))),
  ext16_s: op(['i64'], 'i64', 'i64.extend16_s', (a) => u64(signed(16, a))),
  ext32_s: op(['i64'], 'i64', 'i64.extend32_s', (a) => u64(s32(a))),
  eqz:  op(['i64'], 'i1', 'i64.eqz',  (a) => truth(a === 0n)),
  eq:   op(i64i64, 'i1', 'i64.eq',   (a, b) => truth(a === b), commutes),
  ne:   op(i64i64, 'i1', 'i64.ne',   (a, b) => truth(a !== b), commutes),
  lt_s: op(i64i64, 'i1', 'i64.lt_s', (a, b) => truth(s64(a) < s64(b))),
  lt_u: op(i64i64, 'i1', 'i64.lt_u', (a, b) => truth(a < b)),
  le_s: op(i64i64, 'i1', 'i64.le_s', (a, b) => truth(s64(a) <= s64(b))),
  le_u: op(i64i64, 'i1', 'i64.le_u', (a, b) => truth(a <= b)),
  gt_s: op(i64i64, 'i1', 'i64.gt_s', (a, b) => truth(s64(a) > s64(b))),
  gt_u: op(i64i64, 'i1', 'i64.gt_u', (a, b) => truth(a > b)),
  ge_s: op(i64i64, 'i1', 'i64.ge_s', (a, b) => truth(s64(a) >= s64(b))),
  ge_u: op(i64i64, 'i1', 'i64.ge_u', (a, b) => truth(a >= b)),

  // 32-bit integers
  add32:    op(i32i32, 'i32', 'i32.add',   (a, b) => u32(a + b), commutes),
  sub32:    op(i32i32, 'i32', 'i32.sub',   (a, b) => u32(a - b)),
  mul32:    op(i32i32, 'i32', 'i32.mul',   (a, b) => u32(a * b), commutes),
  div_s32:  op(i32i32, 'i32', 'i32.div_s', (a, b) => u32(s32(a) / s32(b))),
  div_u32:  op(i32i32, 'i32', 'i32.div_u', (a, b) => a / b),
  rem_s32:  op(i32i32, 'i32', 'i32.rem_s', (a, b) => u32(s32(a) % s32(b))),
  rem_u32:  op(i32i32, 'i32', 'i32.rem_u', (a, b) => a % b),
  and32:    op(i32i32, 'i32', 'i32.and',   (a, b) => a & b, commutes),
  or32:     op(i32i32, 'i32', 'i32.or',    (a, b) => a | b, commutes),
  xor32:    op(i32i32, 'i32', 'i32.xor',   (a, b) => a ^ b, commutes),
  shl32:    op(i32i32, 'i32', 'i32.shl',   (a, b) => u32(a << (b & 31n))),
  shr_u32:  op(i32i32, 'i32', 'i32.shr_u', (a, b) => a >> (b & 31n)),
  shr_s32:  op(i32i32, 'i32', 'i32.shr_s', (a, b) => u32(s32(a) >> (b & 31n))),
  rotl32:   op(i32i32, 'i32', 'i32.rotl',  (a, b) => u32((a << (b & 31n)) | (a >> (32n - (b & 31n))))),
  rotr32:   op(i32i32, 'i32', 'i32.rotr',  (a, b) => u32((a >> (b & 31n)) | (a << (32n - (b & 31n))))),
  clz32:    op(['i32'], 'i32', 'i32.clz',    (a) => countLeadingZeros(32, a)),
  ctz32:    op(['i32'], 'i32', 'i32.ctz',    (a) => countTrailingZeros(32, a)),
  popcnt32: op(['i32'], 'i32', 'i32.popcnt', (a) => populationCount(a)),
  eqz32:  op(['i32'], 'i1', 'i32.eqz',  (a) => truth(a === 0n)),
  eq32:   op(i32i32, 'i1', 'i32.eq',   (a, b) => truth(a === b), commutes),
  ne32:   op(i32i32, 'i1', 'i32.ne',   (a, b) => truth(a !== b), commutes),
  lt_s32: op(i32i32, 'i1', 'i32.lt_s', (a, b) => truth(s32(a) < s32(b))),
  lt_u32: op(i32i32, 'i1', 'i32.lt_u', (a, b) => truth(a < b)),
  ge_u32: op(i32i32, 'i1', 'i32.ge_u', (a, b) => truth(a >= b)),

  // truth values
  not: op(['i1'], 'i1', 'i32.eqz', (a) => a ^ 1n),
  both: op(['i1', 'i1'], 'i1', 'i32.and', (a, b) => a & b, commutes),
  either: op(['i1', 'i1'], 'i1', 'i32.or', (a, b) => a | b, commutes),
  differ: op(['i1', 'i1'], 'i1', 'i32.xor', (a, b) => a ^ b, commutes),

  // between integer types
  wrap:   op(['i64'], 'i32', 'i32.wrap_i64',     (a) => u32(a)),
  zext32: op(['i32'], 'i64', 'i64.extend_i32_u', (a) => a),
  sext32: op(['i32'], 'i64', 'i64.extend_i32_s', (a) => u64(s32(a))),
  zext1:  op(['i1'],  'i64', 'i64.extend_i32_u', (a) => a),
  int1:   op(['i1'],  'i32', null,               (a) => a),

  // choice
  select:   op(['i1', 'i64', 'i64'], 'i64', null, (c, a, b) => (c ? a : b)),
  select32: op(['i1', 'i32', 'i32'], 'i32', null, (c, a, b) => (c ? a : b)),

  // binary64
  f64_of_bits: op(['i64'], 'f64', 'f64.reinterpret_i64', (a) => a),
  bits_of_f64: op(['f64'], 'i64', 'i64.reinterpret_f64', (a) => a),
  fadd64:  op(f64f64, 'f64', 'f64.add',  (a, b) => bd(d(a) + d(b)), commutes),
  fsub64:  op(f64f64, 'f64', 'f64.sub',  (a, b) => bd(d(a) - d(b))),
  fmul64:  op(f64f64, 'f64', 'f64.mul',  (a, b) => bd(d(a) * d(b)), commutes),
  fdiv64:  op(f64f64, 'f64', 'f64.div',  (a, b) => bd(d(a) / d(b))),
  fsqrt64: op(['f64'], 'f64', 'f64.sqrt', (a) => bd(Math.sqrt(d(a)))),
  fabs64:  op(['f64'], 'f64', 'f64.abs', (a) => a & maxI64),
  fneg64:  op(['f64'], 'f64', 'f64.neg', (a) => a ^ (1n << 63n)),
  feq64:   op(f64f64, 'i1', 'f64.eq', (a, b) => truth(d(a) === d(b)), commutes),
  fne64:   op(f64f64, 'i1', 'f64.ne', (a, b) => truth(d(a) !== d(b)), commutes),
  flt64:   op(f64f64, 'i1', 'f64.lt', (a, b) => truth(d(a) < d(b))),
  fle64:   op(f64f64, 'i1', 'f64.le', (a, b) => truth(d(a) <= d(b))),
  fnearest64: op(['f64'], 'f64', 'f64.nearest', (a) => bd(roundEven(d(a)))),
  ftrunc64:   op(['f64'], 'f64', 'f64.trunc',   (a) => bd(Math.trunc(d(a)))),
  ffloor64:   op(['f64'], 'f64', 'f64.floor',   (a) => bd(Math.floor(d(a)))),
  fceil64:    op(['f64'], 'f64', 'f64.ceil',    (a) => bd(Math.ceil(d(a)))),
  f64_of_i64_s: op(['i64'], 'f64', 'f64.convert_i64_s', (a) => bd(Number(s64(a)))),
  f64_of_i64_u: op(['i64'], 'f64', 'f64.convert_i64_u', (a) => bd(Number(a))),
  i64_of_f64_s: op(['f64'], 'i64', 'i64.trunc_sat_f64_s', (a) => u64(saturate(minI64, maxI64, d(a)))),
  i64_of_f64_u: op(['f64'], 'i64', 'i64.trunc_sat_f64_u', (a) => u64(saturate(0n, maxU64, d(a)))),

  // binary32
  f32_of_bits: op(['i32'], 'f32', 'f32.reinterpret_i32', (a) => a),
  bits_of_f32: op(['f32'], 'i32', 'i32.reinterpret_f32', (a) => a),
  fadd32:  op(f32f32, 'f32', 'f32.add',  (a, b) => bs(s(a) + s(b)), commutes),
  fsub32:  op(f32f32, 'f32', 'f32.sub',  (a, b) => bs(s(a) - s(b))),
  fmul32:  op(f32f32, 'f32', 'f32.mul',  (a, b) => bs(s(a) * s(b)), commutes),
  fdiv32:  op(f32f32, 'f32', 'f32.div',  (a, b) => bs(s(a) / s(b))),
  fsqrt32: op(['f32'], 'f32', 'f32.sqrt', (a) => bs(Math.sqrt(s(a)))),
  feq32:   op(f32f32, 'i1', 'f32.eq', (a, b) => truth(s(a) === s(b)), commutes),
  flt32:   op(f32f32, 'i1', 'f32.lt', (a, b) => truth(s(a) < s(b))),
  fle32:   op(f32f32, 'i1', 'f32.le', (a, b) => truth(s(a) <= s(b))),
  f32_of_i64_s: op(['i64'], 'f32', 'f32.convert_i64_s', (a) => bs(sticky53(s64(a)))),
  f32_of_i64_u: op(['i64'], 'f32', 'f32.convert_i64_u', (a) => bs(sticky53(a))),
  promote: op(['f32'], 'f64', 'f64.promote_f32', (a) => bd(s(a))),
  demote:  op(['f64'], 'f32', 'f32.demote_f64',  (a) => bs(d(a))),

  // vectors
  select_v: op(['i1', 'v128', 'v128'], 'v128', null, (c, a, b) => (c ? a : b)),
  ...vectorOps,
} as const;

export type PureOps = typeof pureOps;
export type PureOpName = keyof PureOps;

/** Bits in a value of each type. */
export const widthOf: Record<Type, number> = {
  i1: 1,
  i32: 32,
  i64: 64,
  f32: 32,
  f64: 64,
  v128: 128,
};
