// The pure operations on vectors of 128 bits, named as WebAssembly names the instruction that does them.
//
// A vector is held as one unsigned bigint; lane 0 lies in its least significant bits. A fold is written for one lane
// and applied to all. Operations with lane numbers in the instruction have them in their names: `…_0` takes or replaces
// lane 0, and the shuffles that interleave lanes are named zip1, zip2, uzp1, uzp2, trn1, trn2 and by the lanes' width.
// Laws: those of ops.ts, the NaN of a floating-point lane included.

import {
  bitsOfFloat32,
  bitsOfFloat64,
  float32FromBits,
  float64FromBits,
  populationCount,
  signed,
  unsigned,
} from '../std/bits.ts';
import type { PureRow, Type } from './ops.ts';

type Lane = 8 | 16 | 32 | 64;

/** The lanes of a vector, unsigned, lane 0 first. */
function lanesOf(width: number, vector: bigint): bigint[] {
  const mask = (1n << BigInt(width)) - 1n;
  return Array.from({ length: 128 / width }, (_, i) => (vector >> BigInt(width * i)) & mask);
}

/** The vector with these lanes, each cut to the width. */
const vectorOf = (width: number, lanes: readonly bigint[]): bigint =>
  lanes.reduce((all, lane, i) => all | (unsigned(width, lane) << BigInt(width * i)), 0n);

const row = <const A extends readonly Type[], R extends Type>(
  args: A,
  result: R,
  wasm: string,
  fold: (a: bigint, b: bigint, c: bigint) => bigint,
  traits: { commutes?: boolean; immediate?: readonly number[] } = {},
): PureRow<A, R> => ({
  args,
  result,
  wasm,
  fold: (...values) => fold(values[0]!, values[1]!, values[2]!),
  commutes: traits.commutes ?? false,
  immediate: traits.immediate ?? [],
});

const v = ['v128'] as const;
const vv = ['v128', 'v128'] as const;

type Unary = PureRow<readonly ['v128'], 'v128'>;
type Binary = PureRow<readonly ['v128', 'v128'], 'v128'>;

const unary = (width: Lane, wasm: string, f: (a: bigint) => bigint): Unary =>
  row(v, 'v128', wasm, (a) => vectorOf(width, lanesOf(width, a).map(f)));

const binary = (
  width: Lane,
  wasm: string,
  f: (a: bigint, b: bigint) => bigint,
  commutes = false,
): Binary =>
  row(
    vv,
    'v128',
    wasm,
    (a, b) => {
      const other = lanesOf(width, b);
      return vectorOf(
        width,
        lanesOf(width, a).map((lane, i) => f(lane, other[i]!)),
      );
    },
    { commutes },
  );

const shift = (width: Lane, wasm: string, f: (a: bigint, n: bigint) => bigint) =>
  row(['v128', 'i32'], 'v128', wasm, (a, n) =>
    vectorOf(
      width,
      lanesOf(width, a).map((lane) => f(lane, n % BigInt(width))),
    ),
  );

const truth = (value: boolean): bigint => (value ? -1n : 0n);
const clamp = (low: bigint, high: bigint, x: bigint): bigint =>
  x < low ? low : x > high ? high : x;
const least = (width: number): bigint => -(1n << BigInt(width - 1));
const most = (width: number): bigint => (1n << BigInt(width - 1)) - 1n;
const absolute = (x: bigint): bigint => (x < 0n ? -x : x);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What every width of lane has. */
function integers(width: Lane) {
  const shape = `i${width}x${128 / width}`;
  const s = (x: bigint): bigint => signed(width, x);
  return {
    add: binary(width, `${shape}.add`, (a, b) => a + b, true),
    sub: binary(width, `${shape}.sub`, (a, b) => a - b),
    neg: unary(width, `${shape}.neg`, (a) => -a),
    abs: unary(width, `${shape}.abs`, (a) => absolute(s(a))),
    shl: shift(width, `${shape}.shl`, (a, n) => a << n),
    shr_s: shift(width, `${shape}.shr_s`, (a, n) => s(a) >> n),
    shr_u: shift(width, `${shape}.shr_u`, (a, n) => a >> n),
    eq: binary(width, `${shape}.eq`, (a, b) => truth(a === b), true),
    ne: binary(width, `${shape}.ne`, (a, b) => truth(a !== b), true),
    lt_s: binary(width, `${shape}.lt_s`, (a, b) => truth(s(a) < s(b))),
    gt_s: binary(width, `${shape}.gt_s`, (a, b) => truth(s(a) > s(b))),
    le_s: binary(width, `${shape}.le_s`, (a, b) => truth(s(a) <= s(b))),
    ge_s: binary(width, `${shape}.ge_s`, (a, b) => truth(s(a) >= s(b))),
    all_true: row(v, 'i1', `${shape}.all_true`, (a) =>
      lanesOf(width, a).every((lane) => lane !== 0n) ? 1n : 0n,
    ),
    bitmask: row(v, 'i32', `${shape}.bitmask`, (a) =>
      lanesOf(width, a).reduce((all, lane, i) => all | ((s(lane) < 0n ? 1n : 0n) << BigInt(i)), 0n),
    ),
  };
}

/** What lanes of up to 32 bits have besides. */
function narrow(width: 8 | 16 | 32) {
  const shape = `i${width}x${128 / width}`;
  const s = (x: bigint): bigint => signed(width, x);
  return {
    lt_u: binary(width, `${shape}.lt_u`, (a, b) => truth(a < b)),
    gt_u: binary(width, `${shape}.gt_u`, (a, b) => truth(a > b)),
    le_u: binary(width, `${shape}.le_u`, (a, b) => truth(a <= b)),
    ge_u: binary(width, `${shape}.ge_u`, (a, b) => truth(a >= b)),
    min_s: binary(width, `${shape}.min_s`, (a, b) => smaller(s(a), s(b)), true),
    min_u: binary(width, `${shape}.min_u`, smaller, true),
    max_s: binary(width, `${shape}.max_s`, (a, b) => larger(s(a), s(b)), true),
    max_u: binary(width, `${shape}.max_u`, larger, true),
  };
}

/** Saturating addition and rounding average. */
function saturating(width: 8 | 16) {
  const shape = `i${width}x${128 / width}`;
  const s = (x: bigint): bigint => signed(width, x);
  const [low, high, top] = [least(width), most(width), (1n << BigInt(width)) - 1n];
  return {
    add_sat_s: binary(width, `${shape}.add_sat_s`, (a, b) => clamp(low, high, s(a) + s(b)), true),
    add_sat_u: binary(width, `${shape}.add_sat_u`, (a, b) => clamp(0n, top, a + b), true),
    sub_sat_s: binary(width, `${shape}.sub_sat_s`, (a, b) => clamp(low, high, s(a) - s(b))),
    sub_sat_u: binary(width, `${shape}.sub_sat_u`, (a, b) => clamp(0n, top, a - b)),
    avgr_u: binary(width, `${shape}.avgr_u`, (a, b) => (a + b + 1n) >> 1n, true),
  };
}

/** Lanes made twice as wide, products of them, and sums of neighbours; `width` is that of the results. */
function widening(width: 16 | 32 | 64) {
  const half = width / 2;
  const shape = `i${width}x${128 / width}`;
  const from = `i${half}x${128 / half}`;
  const count = 128 / width;
  const wide = (a: bigint, part: 'low' | 'high', sign: 's' | 'u'): bigint[] => {
    const lanes = lanesOf(half, a)
      .slice(part === 'low' ? 0 : count)
      .slice(0, count);
    return sign === 's' ? lanes.map((lane) => signed(half, lane)) : lanes;
  };
  const extend = (part: 'low' | 'high', sign: 's' | 'u'): Unary =>
    row(v, 'v128', `${shape}.extend_${part}_${from}_${sign}`, (a) =>
      vectorOf(width, wide(a, part, sign)),
    );
  const multiply = (part: 'low' | 'high', sign: 's' | 'u'): Binary =>
    row(
      vv,
      'v128',
      `${shape}.extmul_${part}_${from}_${sign}`,
      (a, b) => {
        const other = wide(b, part, sign);
        return vectorOf(
          width,
          wide(a, part, sign).map((lane, i) => lane * other[i]!),
        );
      },
      { commutes: true },
    );
  return {
    extend_low_s: extend('low', 's'),
    extend_low_u: extend('low', 'u'),
    extend_high_s: extend('high', 's'),
    extend_high_u: extend('high', 'u'),
    extmul_low_s: multiply('low', 's'),
    extmul_low_u: multiply('low', 'u'),
    extmul_high_s: multiply('high', 's'),
    extmul_high_u: multiply('high', 'u'),
  };
}

function pairwise(width: 16 | 32) {
  const half = width / 2;
  const name = `i${width}x${128 / width}.extadd_pairwise_i${half}x${128 / half}`;
  const sums = (a: bigint, extend: (lane: bigint) => bigint): bigint => {
    const lanes = lanesOf(half, a).map(extend);
    const pairs = Array.from({ length: 128 / width }, (_, i) => lanes[2 * i]! + lanes[2 * i + 1]!);
    return vectorOf(width, pairs);
  };
  return {
    extadd_pairwise_s: row(v, 'v128', `${name}_s`, (a) => sums(a, (lane) => signed(half, lane))),
    extadd_pairwise_u: row(v, 'v128', `${name}_u`, (a) => sums(a, (lane) => lane)),
  };
}

/** Lanes of two vectors, signed, made half as wide by saturation; `width` is that of the results. */
function narrowing(width: 8 | 16) {
  const name = `i${width}x${128 / width}.narrow_i${2 * width}x${64 / width}`;
  const saturate = (a: bigint, b: bigint, low: bigint, high: bigint): bigint => {
    const lanes = [...lanesOf(2 * width, a), ...lanesOf(2 * width, b)];
    const narrowed = lanes.map((lane) => clamp(low, high, signed(2 * width, lane)));
    return vectorOf(width, narrowed);
  };
  const top = (1n << BigInt(width)) - 1n;
  return {
    narrow_s: row(vv, 'v128', `${name}_s`, (a, b) => saturate(a, b, least(width), most(width))),
    narrow_u: row(vv, 'v128', `${name}_u`, (a, b) => saturate(a, b, 0n, top)),
  };
}

/** Takes and replaces lane 0 (and lane 1, where there are two). */
const lane = {
  i8x16_extract_u_0: row(v, 'i32', 'i8x16.extract_lane_u', (a) => a & 0xffn, { immediate: [0] }),
  i16x8_extract_u_0: row(v, 'i32', 'i16x8.extract_lane_u', (a) => a & 0xffffn, { immediate: [0] }),
  i32x4_extract_0: row(v, 'i32', 'i32x4.extract_lane', (a) => a & 0xffff_ffffn, { immediate: [0] }),
  i64x2_extract_0: row(v, 'i64', 'i64x2.extract_lane', (a) => unsigned(64, a), { immediate: [0] }),
  i64x2_extract_1: row(v, 'i64', 'i64x2.extract_lane', (a) => a >> 64n, { immediate: [1] }),
  f32x4_extract_0: row(v, 'f32', 'f32x4.extract_lane', (a) => a & 0xffff_ffffn, { immediate: [0] }),
  f64x2_extract_0: row(v, 'f64', 'f64x2.extract_lane', (a) => unsigned(64, a), { immediate: [0] }),
  f64x2_extract_1: row(v, 'f64', 'f64x2.extract_lane', (a) => a >> 64n, { immediate: [1] }),
  i32x4_replace_0: row(
    ['v128', 'i32'],
    'v128',
    'i32x4.replace_lane',
    (a, b) => ((a >> 32n) << 32n) | b,
    { immediate: [0] },
  ),
  i64x2_replace_0: row(
    ['v128', 'i64'],
    'v128',
    'i64x2.replace_lane',
    (a, b) => ((a >> 64n) << 64n) | b,
    { immediate: [0] },
  ),
  i64x2_replace_1: row(
    ['v128', 'i64'],
    'v128',
    'i64x2.replace_lane',
    (a, b) => unsigned(64, a) | (b << 64n),
    { immediate: [1] },
  ),
  f32x4_replace_0: row(
    ['v128', 'f32'],
    'v128',
    'f32x4.replace_lane',
    (a, b) => ((a >> 32n) << 32n) | b,
    { immediate: [0] },
  ),
  f64x2_replace_0: row(
    ['v128', 'f64'],
    'v128',
    'f64x2.replace_lane',
    (a, b) => ((a >> 64n) << 64n) | b,
    { immediate: [0] },
  ),
  f64x2_replace_1: row(
    ['v128', 'f64'],
    'v128',
    'f64x2.replace_lane',
    (a, b) => unsigned(64, a) | (b << 64n),
    { immediate: [1] },
  ),
};

/** A shuffle of bytes: those of the first vector are 0 to 15, those of the second 16 to 31. */
const shuffle = (bytes: readonly number[]): Binary =>
  row(
    vv,
    'v128',
    'i8x16.shuffle',
    (a, b) => {
      const all = a | (b << 128n);
      return vectorOf(
        8,
        bytes.map((byte) => (all >> BigInt(8 * byte)) & 0xffn),
      );
    },
    { immediate: bytes },
  );

/** A shuffle of lanes of `width` bits, by their numbers. */
const lanes = (width: number, of: (lane: number) => number): Binary => {
  const size = width / 8;
  return shuffle(
    Array.from({ length: 16 }, (_, i) => of(Math.floor(i / size)) * size + (i % size)),
  );
};

function interleaving(width: Lane) {
  const count = 128 / width;
  return {
    zip1: lanes(width, (i) => (i >> 1) + (i & 1) * count),
    zip2: lanes(width, (i) => count / 2 + (i >> 1) + (i & 1) * count),
    uzp1: lanes(width, (i) => 2 * i),
    uzp2: lanes(width, (i) => 2 * i + 1),
    trn1: lanes(width, (i) => (i & ~1) + (i & 1) * count),
    trn2: lanes(width, (i) => (i | 1) + (i & 1) * count),
  };
}

/** Lanes of `width` bits in reverse order in every `container` bits of the first vector; the second is not used. */
const reversed = (width: number, container: number): Binary => {
  const each = container / width;
  return lanes(width, (i) => i - (i % each) + (each - 1 - (i % each)));
};

const f32 = (f: (a: number, b: number) => number) => (a: bigint, b: bigint) =>
  bitsOfFloat32(f(float32FromBits(a), float32FromBits(b)));
const f64 = (f: (a: number, b: number) => number) => (a: bigint, b: bigint) =>
  bitsOfFloat64(f(float64FromBits(a), float64FromBits(b)));
const comparing32 = (f: (a: number, b: number) => boolean) => (a: bigint, b: bigint) =>
  truth(f(float32FromBits(a), float32FromBits(b)));
const comparing64 = (f: (a: number, b: number) => boolean) => (a: bigint, b: bigint) =>
  truth(f(float64FromBits(a), float64FromBits(b)));

function floats(width: 32 | 64) {
  const shape = `f${width}x${128 / width}`;
  const arithmetic = width === 32 ? f32 : f64;
  const comparing = width === 32 ? comparing32 : comparing64;
  const sign = 1n << BigInt(width - 1);
  return {
    add: binary(
      width,
      `${shape}.add`,
      arithmetic((a, b) => a + b),
      true,
    ),
    sub: binary(
      width,
      `${shape}.sub`,
      arithmetic((a, b) => a - b),
    ),
    mul: binary(
      width,
      `${shape}.mul`,
      arithmetic((a, b) => a * b),
      true,
    ),
    div: binary(
      width,
      `${shape}.div`,
      arithmetic((a, b) => a / b),
    ),
    sqrt: unary(width, `${shape}.sqrt`, (a) => arithmetic((x) => Math.sqrt(x))(a, a)),
    abs: unary(width, `${shape}.abs`, (a) => a & (sign - 1n)),
    neg: unary(width, `${shape}.neg`, (a) => a ^ sign),
    eq: binary(
      width,
      `${shape}.eq`,
      comparing((a, b) => a === b),
      true,
    ),
    ne: binary(
      width,
      `${shape}.ne`,
      comparing((a, b) => a !== b),
      true,
    ),
    lt: binary(
      width,
      `${shape}.lt`,
      comparing((a, b) => a < b),
    ),
    le: binary(
      width,
      `${shape}.le`,
      comparing((a, b) => a <= b),
    ),
  };
}

type Prefixed<P extends string, T> = { readonly [K in keyof T & string as `${P}_${K}`]: T[K] };

/** Names the operations of a shape. */
const named = <P extends string, T extends object>(prefix: P, rows: T): Prefixed<P, T> =>
  Object.fromEntries(
    Object.entries(rows).map(([name, value]) => [`${prefix}_${name}`, value]),
  ) as Prefixed<P, T>;

const ALL = (1n << 128n) - 1n;

const repeated = (width: number, value: bigint): bigint =>
  vectorOf(width, Array<bigint>(128 / width).fill(value));

export const vectorOps = {
  v128_and: row(vv, 'v128', 'v128.and', (a, b) => a & b, { commutes: true }),
  v128_or: row(vv, 'v128', 'v128.or', (a, b) => a | b, { commutes: true }),
  v128_xor: row(vv, 'v128', 'v128.xor', (a, b) => a ^ b, { commutes: true }),
  v128_andnot: row(vv, 'v128', 'v128.andnot', (a, b) => a & (b ^ ALL)),
  v128_not: row(v, 'v128', 'v128.not', (a) => a ^ ALL),
  /** Bits of the first where the third has ones, else of the second. */
  v128_bitselect: row(
    ['v128', 'v128', 'v128'],
    'v128',
    'v128.bitselect',
    (a, b, c) => (a & c) | (b & (c ^ ALL)),
  ),
  v128_any_true: row(v, 'i1', 'v128.any_true', (a) => (a === 0n ? 0n : 1n)),
  /** Bytes of the first by their numbers in the second; 0 for numbers past 15. */
  i8x16_swizzle: row(vv, 'v128', 'i8x16.swizzle', (a, b) =>
    vectorOf(
      8,
      lanesOf(8, b).map((i) => (i < 16n ? (a >> (8n * i)) & 0xffn : 0n)),
    ),
  ),
  i8x16_splat: row(['i32'], 'v128', 'i8x16.splat', (a) => repeated(8, a)),
  i16x8_splat: row(['i32'], 'v128', 'i16x8.splat', (a) => repeated(16, a)),
  i32x4_splat: row(['i32'], 'v128', 'i32x4.splat', (a) => repeated(32, a)),
  i64x2_splat: row(['i64'], 'v128', 'i64x2.splat', (a) => repeated(64, a)),
  i8x16_popcnt: unary(8, 'i8x16.popcnt', populationCount),
  i32x4_dot_s: row(vv, 'v128', 'i32x4.dot_i16x8_s', (a, b) => {
    const other = lanesOf(16, b);
    const products = lanesOf(16, a).map((x, i) => signed(16, x) * signed(16, other[i]!));
    return vectorOf(
      32,
      [0, 2, 4, 6].map((i) => products[i]! + products[i + 1]!),
    );
  }),
  i16x8_mul: binary(16, 'i16x8.mul', (a, b) => a * b, true),
  i32x4_mul: binary(32, 'i32x4.mul', (a, b) => a * b, true),
  i64x2_mul: binary(64, 'i64x2.mul', (a, b) => a * b, true),
  f64x2_promote_low: row(v, 'v128', 'f64x2.promote_low_f32x4', (a) =>
    vectorOf(
      64,
      lanesOf(32, a)
        .slice(0, 2)
        .map((x) => bitsOfFloat64(float32FromBits(x))),
    ),
  ),
  f32x4_demote_zero: row(v, 'v128', 'f32x4.demote_f64x2_zero', (a) =>
    vectorOf(
      32,
      lanesOf(64, a).map((x) => bitsOfFloat32(float64FromBits(x))),
    ),
  ),
  ...named('i8x16', {
    ...integers(8),
    ...narrow(8),
    ...saturating(8),
    ...narrowing(8),
    ...interleaving(8),
  }),
  ...named('i16x8', {
    ...integers(16),
    ...narrow(16),
    ...saturating(16),
    ...narrowing(16),
    ...widening(16),
    ...pairwise(16),
    ...interleaving(16),
  }),
  ...named('i32x4', {
    ...integers(32),
    ...narrow(32),
    ...widening(32),
    ...pairwise(32),
    ...interleaving(32),
  }),
  ...named('i64x2', { ...integers(64), ...widening(64), ...interleaving(64) }),
  ...named('f32x4', floats(32)),
  ...named('f64x2', floats(64)),
  ...lane,
  i8x16_rev16: reversed(8, 16),
  i8x16_rev32: reversed(8, 32),
  i8x16_rev64: reversed(8, 64),
  i16x8_rev32: reversed(16, 32),
  i16x8_rev64: reversed(16, 64),
  i32x4_rev64: reversed(32, 64),
};
