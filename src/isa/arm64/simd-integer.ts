// Advanced SIMD: integer operations on lanes of the same width. DDI 0487, C4.1.96 (three same, two-register
// miscellaneous, across lanes).

import type { Builder } from '../../ir/builder.ts';
import type { Routine } from '../../ir/node.ts';
import { format, type Row } from '../shared/row.ts';
import {
  type Arrangement,
  type Binary,
  clamp,
  type Draft,
  eachLane,
  fit,
  guarded,
  halves,
  head,
  type I64,
  type Lane,
  type LaneOperation,
  laneRoutine,
  lanes,
  lower,
  named,
  noteSaturation,
  repeated,
  saturate,
  scalars,
  three,
  two,
  type Unary,
  type V128,
  vectors,
  zero,
} from './simd.ts';
import { v } from './state.ts';

const ALL = [8, 16, 32, 64] as const;
const NARROW = [8, 16, 32] as const;

const minimum = (lane: Lane): V128 => repeated(lane, 1n << BigInt(lane - 1));
const maximum = (lane: Lane): V128 => repeated(lane, (1n << BigInt(lane - 1)) - 1n);

/** Comparison as unsigned numbers, which lanes of 64 bits lack: as signed ones with the sign turned. */
function above(s: Builder, lane: Lane, a: V128, b: V128, orEqual = false): V128 {
  if (lane !== 64) return lanes(s, lane, orEqual ? 'ge_u' : 'gt_u', a, b);
  const [left, right] = [s.v128_xor(a, minimum(64)), s.v128_xor(b, minimum(64))];
  return orEqual ? s.i64x2_ge_s(left, right) : s.i64x2_gt_s(left, right);
}

/** Differences as absolute values, of signed or unsigned numbers. */
function distance(s: Builder, lane: Lane, a: V128, b: V128, isSigned: boolean): V128 {
  const sign = isSigned ? 's' : 'u';
  const [high, low] = [lanes(s, lane, `max_${sign}`, a, b), lanes(s, lane, `min_${sign}`, a, b)];
  return lanes(s, lane, 'sub', high, low);
}

/** Halves of sums: the carry is what both have, and half of what one has. */
function halved(s: Builder, lane: Lane, a: V128, b: V128, isSigned: boolean, rounds: boolean) {
  const shift = isSigned ? 'shr_s' : 'shr_u';
  const one = s.wrap(s.const64(1));
  const different = lanes(s, lane, shift, s.v128_xor(a, b), one);
  return rounds
    ? lanes(s, lane, 'sub', s.v128_or(a, b), different)
    : lanes(s, lane, 'add', s.v128_and(a, b), different);
}

/** Halves of differences. */
function halfDifference(s: Builder, lane: Lane, a: V128, b: V128, isSigned: boolean): V128 {
  // a - b = a + ~b + 1, so half of it is that of a and ~b rounded up, and the sign comes right by itself in signed
  // lanes.
  if (isSigned) return halved(s, lane, a, s.v128_not(b), true, true);
  const turned = halved(s, lane, a, s.v128_not(b), false, true);
  return s.v128_xor(turned, minimum(lane));
}

/** Sums and differences that saturate. */
function saturatingSum(s: Builder, shape: Arrangement, a: V128, b: V128, isSigned: boolean): V128 {
  const { lane } = shape;
  const sum = lanes(s, lane, 'add', a, b);
  if (isSigned) {
    const wrong = s.v128_and(s.v128_xor(a, sum), s.v128_xor(b, sum));
    return replaceOverflow(s, shape, a, sum, wrong);
  }
  const carried = above(s, lane, a, sum);
  noteSaturation(s, shape, carried);
  return s.v128_or(sum, carried);
}

function saturatingDifference(s: Builder, shape: Arrangement, a: V128, b: V128, isSigned: boolean) {
  const { lane } = shape;
  const difference = lanes(s, lane, 'sub', a, b);
  if (isSigned) {
    const wrong = s.v128_and(s.v128_xor(a, b), s.v128_xor(a, difference));
    return replaceOverflow(s, shape, a, difference, wrong);
  }
  const borrowed = above(s, lane, b, a);
  noteSaturation(s, shape, borrowed);
  return s.v128_andnot(difference, borrowed);
}

/** Where `wrong` is negative, the limit on the side of `a` instead of a result. */
function replaceOverflow(s: Builder, shape: Arrangement, a: V128, result: V128, wrong: V128): V128 {
  const { lane } = shape;
  const last = s.wrap(s.const64(lane - 1));
  const mask = lanes(s, lane, 'shr_s', wrong, last);
  noteSaturation(s, shape, mask);
  const limit = s.v128_xor(lanes(s, lane, 'shr_s', a, last), maximum(lane));
  return s.v128_bitselect(limit, result, mask);
}

/** A shift to the left by a signed number of which the low byte counts; to the right if that is negative. */
function shiftBy(
  isSigned: boolean,
  rounds: boolean,
  saturates: boolean,
  lane: Lane,
): LaneOperation {
  return (s, value, amount) => {
    const by = s.ext8_s(amount);
    const left = s.gt_s(by, 0);
    const right = s.sub(0, by);
    const shr = (a: I64, n: I64): I64 => (isSigned ? s.shr_s(a, n) : s.shr_u(a, n));
    // A shift by 64 or more is none for WebAssembly.
    const far = s.gt_s(right, 63);
    const kept = shr(value, s.select(far, 63, right));
    const all = isSigned ? kept : s.select(far, 0, kept);
    const tooFar = s.gt_s(right, 64);
    const lost = s.and(shr(value, s.sub(s.select(tooFar, 64, right), 1)), 1);
    const rounded = rounds
      ? s.select(far, roundFar(s, value, tooFar, isSigned), s.add(all, lost))
      : all;
    const isFarLeft = s.gt_s(by, lane - 1);
    const shifted = s.select(isFarLeft, 0, s.shl(value, by));
    const moved = s.select(
      left,
      saturates ? saturatedShift(s, lane, isSigned, value, by, shifted, isFarLeft, left) : shifted,
      s.select(s.eqz(by), value, rounded),
    );
    return moved;
  };
}

/** A rounded shift to the right by 64 or more: by 64 the top bit is rounded in, beyond nothing is left. */
function roundFar(
  s: Builder,
  value: I64,
  tooFar: ReturnType<Builder['eq']>,
  isSigned: boolean,
): I64 {
  if (isSigned) return s.const64(0);
  return s.select(tooFar, 0, s.shr_u(value, 63));
}

/** A shift to the left that saturates where bits are lost. */
function saturatedShift(
  s: Builder,
  lane: Lane,
  isSigned: boolean,
  value: I64,
  by: I64,
  shifted: I64,
  isFar: ReturnType<Builder['eq']>,
  applies: ReturnType<Builder['eq']>,
): I64 {
  const unused = 64 - lane;
  const inLane = isSigned
    ? s.shr_s(s.shl(shifted, unused), unused)
    : s.and(shifted, (1n << BigInt(lane)) - 1n);
  const back = isSigned ? s.shr_s(inLane, by) : s.shr_u(inLane, by);
  const loses = s.both(s.ne(value, 0), s.either(isFar, s.ne(back, value)));
  saturate(s, s.both(applies, loses));
  const most = (1n << BigInt(isSigned ? lane - 1 : lane)) - 1n;
  const limit = isSigned
    ? s.select(s.lt_s(value, 0), -(1n << BigInt(lane - 1)), most)
    : s.const64(most);
  return s.select(loses, limit, inLane);
}

const remembered = new Map<string, Routine>();

/** A lane routine, made once for a name and width. */
export function routineFor(
  name: string,
  lane: Lane,
  count: number,
  isSigned: boolean,
  op: LaneOperation,
): Routine {
  const key = `${name}_${lane}`;
  const made = remembered.get(key) ?? laneRoutine(name, lane, count, isSigned, op);
  remembered.set(key, made);
  return made;
}

const shifts =
  (name: string, isSigned: boolean, rounds: boolean, saturates: boolean): Binary =>
  (s, shape, a, b) => {
    const op = shiftBy(isSigned, rounds, saturates, shape.lane);
    return eachLane(s, shape, routineFor(name, shape.lane, 2, isSigned, op), a, b);
  };

/** Twice the product's upper half, with rounding or without, and added to or subtracted from `old`. */
function doublingHigh(
  s: Builder,
  lane: Lane,
  a: I64,
  b: I64,
  rounds: boolean,
  old?: I64,
  sign = 1,
): I64 {
  const product = s.mul(a, b);
  const rounding = rounds ? 1n << BigInt(lane - 2) : 0n;
  if (old === undefined) {
    // Only the least number by itself is too much, and only after doubling.
    return clamp(s, s.shr_s(s.add(product, rounding), lane - 1), lane, true);
  }
  const accumulated = s.shl(old, lane - 1);
  const sum = sign > 0 ? s.add(accumulated, product) : s.sub(accumulated, product);
  return clamp(s, s.shr_s(s.add(sum, rounding), lane - 1), lane, true);
}

const doubling =
  (name: string, rounds: boolean): Binary =>
  (s, shape, a, b) => {
    const op: LaneOperation = (t, x, y) => doublingHigh(t, shape.lane, x, y, rounds);
    return eachLane(s, shape, routineFor(name, shape.lane, 2, true, op), a, b);
  };

const doublingAccumulate =
  (name: string, sign: number): Binary =>
  (s, shape, a, b, old) => {
    const op: LaneOperation = (t, x, y, z) => doublingHigh(t, shape.lane, x, y, true, z, sign);
    return eachLane(s, shape, routineFor(name, shape.lane, 3, true, op), a, b, old());
  };

/** Products of lanes; of bytes by way of halfwords. */
export function multiplyLanes(s: Builder, lane: Lane, a: V128, b: V128): V128 {
  if (lane !== 8) return lanes(s, lane, 'mul', a, b);
  const low = s.i16x8_extmul_low_u(a, b);
  const high = s.i16x8_extmul_high_u(a, b);
  return s.i8x16_uzp1(low, high);
}

/** Products of polynomials of eight bits over {0, 1}, in bytes. */
export function polynomialProduct(s: Builder, a: V128, b: V128): V128 {
  let product: V128 = zero;
  for (let bit = 0; bit < 8; bit++) {
    const chosen = s.i8x16_eq(
      s.v128_and(b, repeated(8, 1n << BigInt(bit))),
      repeated(8, 1n << BigInt(bit)),
    );
    const shifted = s.i8x16_shl(a, s.wrap(s.const64(bit)));
    product = s.v128_xor(product, s.v128_and(shifted, chosen));
  }
  return product;
}

/** Neighbours in two vectors, joined: of half registers both lie in one. */
function neighbours(s: Builder, shape: Arrangement, a: V128, b: V128): [V128, V128] {
  const { lane, bits } = shape;
  const [left, right] = bits === 128 ? [a, b] : [s.i64x2_zip1(a, b), zero];
  return [lanes(s, lane, 'uzp1', left, right), lanes(s, lane, 'uzp2', left, right)];
}

const pairwise =
  (op: Binary): Binary =>
  (s, shape, a, b, old) => {
    const [even, odd] = neighbours(s, shape, a, b);
    return op(s, shape, even, odd, old);
  };

const plain =
  (name: string): Binary =>
  (s, { lane }, a, b) =>
    lanes(s, lane, name, a, b);

interface Operation {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly op: Binary;
  readonly shapes: readonly Arrangement[];
  readonly accumulates?: boolean;
}

const all = [...vectors(...ALL), ...scalars(64)];
const everything = [...vectors(...ALL), ...scalars(...ALL)];
const narrow = vectors(...NARROW);
const halfAndWord = [...vectors(16, 32), ...scalars(16, 32)];

const threeSame: readonly Operation[] = [
  {
    name: 'shadd',
    u: '0',
    opcode: '00000',
    shapes: narrow,
    op: (s, { lane }, a, b) => halved(s, lane, a, b, true, false),
  },
  {
    name: 'uhadd',
    u: '1',
    opcode: '00000',
    shapes: narrow,
    op: (s, { lane }, a, b) => halved(s, lane, a, b, false, false),
  },
  {
    name: 'sqadd',
    u: '0',
    opcode: '00001',
    shapes: everything,
    op: (s, shape, a, b) => saturatingSum(s, shape, a, b, true),
  },
  {
    name: 'uqadd',
    u: '1',
    opcode: '00001',
    shapes: everything,
    op: (s, shape, a, b) => saturatingSum(s, shape, a, b, false),
  },
  {
    name: 'srhadd',
    u: '0',
    opcode: '00010',
    shapes: narrow,
    op: (s, { lane }, a, b) => halved(s, lane, a, b, true, true),
  },
  {
    name: 'urhadd',
    u: '1',
    opcode: '00010',
    shapes: narrow,
    op: (s, { lane }, a, b) => halved(s, lane, a, b, false, true),
  },
  {
    name: 'shsub',
    u: '0',
    opcode: '00100',
    shapes: narrow,
    op: (s, { lane }, a, b) => halfDifference(s, lane, a, b, true),
  },
  {
    name: 'uhsub',
    u: '1',
    opcode: '00100',
    shapes: narrow,
    op: (s, { lane }, a, b) => halfDifference(s, lane, a, b, false),
  },
  {
    name: 'sqsub',
    u: '0',
    opcode: '00101',
    shapes: everything,
    op: (s, shape, a, b) => saturatingDifference(s, shape, a, b, true),
  },
  {
    name: 'uqsub',
    u: '1',
    opcode: '00101',
    shapes: everything,
    op: (s, shape, a, b) => saturatingDifference(s, shape, a, b, false),
  },
  { name: 'cmgt', u: '0', opcode: '00110', shapes: all, op: plain('gt_s') },
  {
    name: 'cmhi',
    u: '1',
    opcode: '00110',
    shapes: all,
    op: (s, { lane }, a, b) => above(s, lane, a, b),
  },
  { name: 'cmge', u: '0', opcode: '00111', shapes: all, op: plain('ge_s') },
  {
    name: 'cmhs',
    u: '1',
    opcode: '00111',
    shapes: all,
    op: (s, { lane }, a, b) => above(s, lane, a, b, true),
  },
  { name: 'sshl', u: '0', opcode: '01000', shapes: all, op: shifts('sshl', true, false, false) },
  { name: 'ushl', u: '1', opcode: '01000', shapes: all, op: shifts('ushl', false, false, false) },
  {
    name: 'sqshl',
    u: '0',
    opcode: '01001',
    shapes: everything,
    op: shifts('sqshl', true, false, true),
  },
  {
    name: 'uqshl',
    u: '1',
    opcode: '01001',
    shapes: everything,
    op: shifts('uqshl', false, false, true),
  },
  { name: 'srshl', u: '0', opcode: '01010', shapes: all, op: shifts('srshl', true, true, false) },
  { name: 'urshl', u: '1', opcode: '01010', shapes: all, op: shifts('urshl', false, true, false) },
  {
    name: 'sqrshl',
    u: '0',
    opcode: '01011',
    shapes: everything,
    op: shifts('sqrshl', true, true, true),
  },
  {
    name: 'uqrshl',
    u: '1',
    opcode: '01011',
    shapes: everything,
    op: shifts('uqrshl', false, true, true),
  },
  { name: 'smax', u: '0', opcode: '01100', shapes: narrow, op: plain('max_s') },
  { name: 'umax', u: '1', opcode: '01100', shapes: narrow, op: plain('max_u') },
  { name: 'smin', u: '0', opcode: '01101', shapes: narrow, op: plain('min_s') },
  { name: 'umin', u: '1', opcode: '01101', shapes: narrow, op: plain('min_u') },
  {
    name: 'sabd',
    u: '0',
    opcode: '01110',
    shapes: narrow,
    op: (s, { lane }, a, b) => distance(s, lane, a, b, true),
  },
  {
    name: 'uabd',
    u: '1',
    opcode: '01110',
    shapes: narrow,
    op: (s, { lane }, a, b) => distance(s, lane, a, b, false),
  },
  {
    name: 'saba',
    u: '0',
    opcode: '01111',
    shapes: narrow,
    accumulates: true,
    op: (s, { lane }, a, b, old) => lanes(s, lane, 'add', old(), distance(s, lane, a, b, true)),
  },
  {
    name: 'uaba',
    u: '1',
    opcode: '01111',
    shapes: narrow,
    accumulates: true,
    op: (s, { lane }, a, b, old) => lanes(s, lane, 'add', old(), distance(s, lane, a, b, false)),
  },
  { name: 'add', u: '0', opcode: '10000', shapes: all, op: plain('add') },
  { name: 'sub', u: '1', opcode: '10000', shapes: all, op: plain('sub') },
  {
    name: 'cmtst',
    u: '0',
    opcode: '10001',
    shapes: all,
    op: (s, { lane }, a, b) => lanes(s, lane, 'ne', s.v128_and(a, b), zero),
  },
  { name: 'cmeq', u: '1', opcode: '10001', shapes: all, op: plain('eq') },
  {
    name: 'mla',
    u: '0',
    opcode: '10010',
    shapes: narrow,
    accumulates: true,
    op: (s, { lane }, a, b, old) => lanes(s, lane, 'add', old(), multiplyLanes(s, lane, a, b)),
  },
  {
    name: 'mls',
    u: '1',
    opcode: '10010',
    shapes: narrow,
    accumulates: true,
    op: (s, { lane }, a, b, old) => lanes(s, lane, 'sub', old(), multiplyLanes(s, lane, a, b)),
  },
  {
    name: 'mul',
    u: '0',
    opcode: '10011',
    shapes: narrow,
    op: (s, { lane }, a, b) => multiplyLanes(s, lane, a, b),
  },
  {
    name: 'pmul',
    u: '1',
    opcode: '10011',
    shapes: vectors(8),
    op: (s, _, a, b) => polynomialProduct(s, a, b),
  },
  { name: 'smaxp', u: '0', opcode: '10100', shapes: narrow, op: pairwise(plain('max_s')) },
  { name: 'umaxp', u: '1', opcode: '10100', shapes: narrow, op: pairwise(plain('max_u')) },
  { name: 'sminp', u: '0', opcode: '10101', shapes: narrow, op: pairwise(plain('min_s')) },
  { name: 'uminp', u: '1', opcode: '10101', shapes: narrow, op: pairwise(plain('min_u')) },
  { name: 'sqdmulh', u: '0', opcode: '10110', shapes: halfAndWord, op: doubling('sqdmulh', false) },
  {
    name: 'sqrdmulh',
    u: '1',
    opcode: '10110',
    shapes: halfAndWord,
    op: doubling('sqrdmulh', true),
  },
  { name: 'addp', u: '0', opcode: '10111', shapes: vectors(...ALL), op: pairwise(plain('add')) },
];

const threeSameRows = threeSame.flatMap(({ name, u, opcode, op, shapes, accumulates }) =>
  shapes.map((shape) => {
    const pattern = `${head(shape, u, '01110')} ${shape.size} 1 ..... ${opcode} 1 ..... .....`;
    return three(name, pattern, shape, op, accumulates);
  }),
);

/** FEAT_RDM, whose rows lie elsewhere. */
const roundingDoubles = (
  [
    ['sqrdmlah', '0000', 1],
    ['sqrdmlsh', '0001', -1],
  ] as const
).flatMap(([name, opcode, sign]) =>
  halfAndWord.map((shape) => {
    const pattern = `${head(shape, '1', '01110')} ${shape.size} 0 ..... 1 ${opcode} 1 ..... .....`;
    return three(name, pattern, shape, doublingAccumulate(name, sign), true);
  }),
);

const bitwise: readonly (readonly [string, '0' | '1', string, Binary, boolean])[] = [
  ['and', '0', '00', (s, _, a, b) => s.v128_and(a, b), false],
  ['bic', '0', '01', (s, _, a, b) => s.v128_andnot(a, b), false],
  ['orr', '0', '10', (s, _, a, b) => s.v128_or(a, b), false],
  ['orn', '0', '11', (s, _, a, b) => s.v128_or(a, s.v128_not(b)), false],
  ['eor', '1', '00', (s, _, a, b) => s.v128_xor(a, b), false],
  ['bsl', '1', '01', (s, _, a, b, old) => s.v128_bitselect(a, b, old()), true],
  ['bit', '1', '10', (s, _, a, b, old) => s.v128_bitselect(a, old(), b), true],
  ['bif', '1', '11', (s, _, a, b, old) => s.v128_bitselect(old(), a, b), true],
];

const bitwiseRows = bitwise.flatMap(([name, u, size, op, accumulates]) =>
  vectors(8).map((shape) => {
    const pattern = `${head(shape, u, '01110')} ${size} 1 ..... 00011 1 ..... .....`;
    return three(name, pattern, shape, op, accumulates);
  }),
);

/** Leading zeros of each lane, by lane routines: WebAssembly has none on lanes. */
const leading =
  (name: string, isSigned: boolean): Unary =>
  (s, shape, a) => {
    const { lane } = shape;
    const op: LaneOperation = (t, x) => {
      if (!isSigned) return t.sub(t.clz(x), 64 - lane);
      return t.sub(t.clz(t.xor(x, t.shr_s(x, 63))), 64 - lane + 1);
    };
    return eachLane(s, shape, routineFor(name, lane, 1, isSigned, op), a);
  };

/** Bits of bytes in reverse order, by tables of four bits. */
function reverseBits(s: Builder, a: V128): V128 {
  const table = 0x0f07_0b03_0d05_0901_0e06_0a02_0c04_0800n;
  const four = s.wrap(s.const64(4));
  const tables = s.v128_or(zero, table);
  const low = s.i8x16_swizzle(tables, s.v128_and(a, repeated(8, 15n)));
  const high = s.i8x16_swizzle(tables, s.i8x16_shr_u(a, four));
  return s.v128_or(s.i8x16_shl(low, four), high);
}

/** sqabs and sqneg: the least number has no opposite. */
const saturatingOpposite =
  (name: 'abs' | 'neg'): Unary =>
  (s, shape, a) => {
    const { lane } = shape;
    const wrong = lanes(s, lane, 'eq', a, minimum(lane));
    noteSaturation(s, shape, wrong);
    return s.v128_bitselect(maximum(lane), lanes(s, lane, name, a), wrong);
  };

/** suqadd: an unsigned number to a signed one. */
const addUnsigned: Unary = (s, shape, a, old) => {
  const { lane } = shape;
  const before = old();
  const sum = lanes(s, lane, 'add', before, a);
  const wrong = lanes(s, lane, 'lt_s', sum, before);
  noteSaturation(s, shape, wrong);
  return s.v128_bitselect(maximum(lane), sum, wrong);
};

/** usqadd: a signed number to an unsigned one. */
const addSigned: Unary = (s, shape, a, old) => {
  const { lane } = shape;
  const before = old();
  const sum = lanes(s, lane, 'add', before, a);
  const isNegative = lanes(s, lane, 'lt_s', a, zero);
  const tooMuch = s.v128_andnot(above(s, lane, before, sum), isNegative);
  const tooLittle = s.v128_and(above(s, lane, sum, before), isNegative);
  noteSaturation(s, shape, s.v128_or(tooMuch, tooLittle));
  return s.v128_andnot(s.v128_or(sum, tooMuch), tooLittle);
};

interface Single {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly op: Unary;
  readonly shapes: readonly Arrangement[];
  readonly accumulates?: boolean;
  readonly tail?: string;
  /** Bits 23 and 22 where they are not the lane's. */
  readonly size?: string;
}

const againstZero =
  (name: string): Unary =>
  (s, { lane }, a) =>
    lanes(s, lane, name, a, zero);

const twoRegisters: readonly Single[] = [
  {
    name: 'rev64',
    u: '0',
    opcode: '00000',
    shapes: vectors(8),
    op: (s, _, a) => s.i8x16_rev64(a, a),
  },
  {
    name: 'rev64',
    u: '0',
    opcode: '00000',
    shapes: vectors(16),
    op: (s, _, a) => s.i16x8_rev64(a, a),
  },
  {
    name: 'rev64',
    u: '0',
    opcode: '00000',
    shapes: vectors(32),
    op: (s, _, a) => s.i32x4_rev64(a, a),
  },
  {
    name: 'rev32',
    u: '1',
    opcode: '00000',
    shapes: vectors(8),
    op: (s, _, a) => s.i8x16_rev32(a, a),
  },
  {
    name: 'rev32',
    u: '1',
    opcode: '00000',
    shapes: vectors(16),
    op: (s, _, a) => s.i16x8_rev32(a, a),
  },
  {
    name: 'rev16',
    u: '0',
    opcode: '00001',
    shapes: vectors(8),
    op: (s, _, a) => s.i8x16_rev16(a, a),
  },
  {
    name: 'suqadd',
    u: '0',
    opcode: '00011',
    shapes: everything,
    accumulates: true,
    op: addUnsigned,
  },
  { name: 'usqadd', u: '1', opcode: '00011', shapes: everything, accumulates: true, op: addSigned },
  { name: 'cls', u: '0', opcode: '00100', shapes: narrow, op: leading('cls', true) },
  { name: 'clz', u: '1', opcode: '00100', shapes: narrow, op: leading('clz', false) },
  { name: 'cnt', u: '0', opcode: '00101', shapes: vectors(8), op: (s, _, a) => s.i8x16_popcnt(a) },
  { name: 'not', u: '1', opcode: '00101', shapes: vectors(8), op: (s, _, a) => s.v128_not(a) },
  {
    name: 'rbit',
    u: '1',
    opcode: '00101',
    size: '01',
    shapes: vectors(8),
    op: (s, _, a) => reverseBits(s, a),
  },
  { name: 'sqabs', u: '0', opcode: '00111', shapes: everything, op: saturatingOpposite('abs') },
  { name: 'sqneg', u: '1', opcode: '00111', shapes: everything, op: saturatingOpposite('neg') },
  { name: 'cmgt', u: '0', opcode: '01000', shapes: all, tail: ', #0', op: againstZero('gt_s') },
  { name: 'cmge', u: '1', opcode: '01000', shapes: all, tail: ', #0', op: againstZero('ge_s') },
  { name: 'cmeq', u: '0', opcode: '01001', shapes: all, tail: ', #0', op: againstZero('eq') },
  { name: 'cmle', u: '1', opcode: '01001', shapes: all, tail: ', #0', op: againstZero('le_s') },
  { name: 'cmlt', u: '0', opcode: '01010', shapes: all, tail: ', #0', op: againstZero('lt_s') },
  {
    name: 'abs',
    u: '0',
    opcode: '01011',
    shapes: all,
    op: (s, { lane }, a) => lanes(s, lane, 'abs', a),
  },
  {
    name: 'neg',
    u: '1',
    opcode: '01011',
    shapes: all,
    op: (s, { lane }, a) => lanes(s, lane, 'neg', a),
  },
];

const twoRegisterRows = twoRegisters.flatMap(
  ({ name, u, opcode, op, shapes, accumulates = false, tail = '', size }) =>
    shapes.map((shape) => {
      const pattern = `${head(shape, u, '01110')} ${size ?? shape.size} 10000 ${opcode} 10 ..... .....`;
      const rowName = tail === '' ? name : `${name}_zero`;
      return two(name, pattern, shape, op, { accumulates, tail, rowName });
    }),
);

/** Sums of neighbours in lanes twice as wide. */
function sumPairs(s: Builder, lane: Lane, a: V128, isSigned: boolean): V128 {
  const sign = isSigned ? 's' : 'u';
  if (lane !== 32) return lanes(s, lane === 8 ? 16 : 32, `extadd_pairwise_${sign}`, a);
  const shift = isSigned ? 'shr_s' : 'shr_u';
  const by = s.wrap(s.const64(32));
  const odd = lanes(s, 64, shift, a, by);
  const even = lanes(s, 64, shift, s.i64x2_shl(a, by), by);
  return s.i64x2_add(odd, even);
}

const wideNames: Readonly<Record<string, string>> = {
  '8b': '4h',
  '16b': '8h',
  '4h': '2s',
  '8h': '4s',
  '2s': '1d',
  '4s': '2d',
};

/** saddlp, uaddlp, sadalp, uadalp. */
const pairSums: readonly (readonly [string, Draft])[] = [true, false].flatMap((isSigned) =>
  [false, true].flatMap((accumulates) =>
    vectors(...NARROW).map((shape) => {
      const name = `${isSigned ? 's' : 'u'}ad${accumulates ? 'a' : 'd'}lp`;
      const { lane, q, suffix } = shape;
      const opcode = accumulates ? '00110' : '00010';
      const pattern = `0 ${q} ${isSigned ? 0 : 1} 01110 ${shape.size} 10000 ${opcode} 10 ..... .....`;
      const text = `${name} {rd}.${wideNames[shape.name]}, {rn}${suffix}`;
      const fields = { rd: v.destination('0:5'), rn: v.source('5:5'), old: v.source('0:5') };
      const draft = format(fields)(
        pattern,
        text,
        guarded((s, f) => {
          const sums = sumPairs(s, lane, s.get(f.rn), isSigned);
          const wide = (2 * lane) as Lane;
          const result = accumulates ? lanes(s, wide, 'add', s.get(f.old), sums) : sums;
          s.set(f.rd, fit(s, shape, result));
        }),
      );
      return [`${name}_${shape.name}`, draft] as const;
    }),
  ),
);

/** Reduces all lanes to one, which is then lane 0: halves with halves. */
function reduce(
  s: Builder,
  shape: Arrangement,
  value: V128,
  op: (lane: Lane, a: V128, b: V128) => V128,
): V128 {
  const { lane } = shape;
  let result = value;
  for (let apart = shape.bits / 2; apart >= lane; apart /= 2) {
    result = op(lane, result, moveDown(s, result, apart));
  }
  return result;
}

/** A vector moved down by a number of bits of a power of two. */
export function moveDown(s: Builder, value: V128, bits: number): V128 {
  if (bits === 64) return s.i64x2_uzp2(value, zero);
  return s.i64x2_shr_u(value, s.wrap(s.const64(bits)));
}

const acrossKinds = [
  { name: 'smaxv', u: '0', opcode: '01010', op: 'max_s' },
  { name: 'umaxv', u: '1', opcode: '01010', op: 'max_u' },
  { name: 'sminv', u: '0', opcode: '11010', op: 'min_s' },
  { name: 'uminv', u: '1', opcode: '11010', op: 'min_u' },
  { name: 'addv', u: '0', opcode: '11011', op: 'add' },
] as const;

/** Arrangements that are reduced: not two words. */
const reducible = [...vectors(8, 16), ...vectors(32).slice(1)];

const across: readonly (readonly [string, Draft])[] = reducible.flatMap((shape) => {
  const target = scalars(shape.lane)[0]!;
  const fields = format({ rd: target.r.destination('0:5'), rn: v.source('5:5') });
  const pattern = (u: string, opcode: string): string =>
    `0 ${shape.q} ${u} 01110 ${shape.size} 11000 ${opcode} 10 ..... .....`;
  const reductions = acrossKinds.map(({ name, u, opcode, op }) => {
    const draft = fields(
      pattern(u, opcode),
      `${name} {rd}, {rn}${shape.suffix}`,
      guarded((s, f) => {
        const reduced = reduce(s, shape, s.get(f.rn), (lane, a, b) => lanes(s, lane, op, a, b));
        s.set(f.rd, fit(s, target, reduced));
      }),
    );
    return [`${name}_${shape.name}`, draft] as const;
  });
  const wide = scalars((2 * shape.lane) as Lane)[0]!;
  const long = [true, false].map((isSigned) => {
    const name = isSigned ? 'saddlv' : 'uaddlv';
    const draft = format({ rd: wide.r.destination('0:5'), rn: v.source('5:5') })(
      pattern(isSigned ? '0' : '1', '00011'),
      `${name} {rd}, {rn}${shape.suffix}`,
      guarded((s, f) => {
        const pairs = sumPairs(s, shape.lane, s.get(f.rn), isSigned);
        const summed = reduce(s, { ...shape, lane: wide.lane }, pairs, (lane, a, b) =>
          lanes(s, lane, 'add', a, b),
        );
        s.set(f.rd, fit(s, wide, summed));
      }),
    );
    return [`${name}_${shape.name}`, draft] as const;
  });
  return [...reductions, ...long];
});

/** addp of two doublewords in one register. */
const scalarPair: readonly (readonly [string, Draft])[] = [
  [
    'addp_d',
    format({ rd: scalars(64)[0]!.r.destination('0:5'), rn: v.source('5:5') })(
      '01 0 11110 11 11000 11011 10 ..... .....',
      'addp {rd}, {rn}.2d',
      guarded((s, f) => {
        const [low, high] = halves(s, s.get(f.rn));
        s.set(f.rd, lower(s, s.add(low, high)));
      }),
    ),
  ],
];

/** FEAT_DotProd: sums of four products of bytes in each word. */
export function dotProduct(s: Builder, a: V128, b: V128, isSigned: boolean): V128 {
  if (isSigned) {
    const low = s.i16x8_extmul_low_s(a, b);
    const high = s.i16x8_extmul_high_s(a, b);
    return quadSums(s, s.i32x4_extadd_pairwise_s(low), s.i32x4_extadd_pairwise_s(high));
  }
  const low = s.i16x8_extmul_low_u(a, b);
  const high = s.i16x8_extmul_high_u(a, b);
  return quadSums(s, s.i32x4_extadd_pairwise_u(low), s.i32x4_extadd_pairwise_u(high));
}

const quadSums = (s: Builder, low: V128, high: V128): V128 =>
  s.i32x4_add(s.i32x4_uzp1(low, high), s.i32x4_uzp2(low, high));

const dots: readonly (readonly [string, Draft])[] = [true, false].flatMap((isSigned) =>
  vectors(32).map((shape) => {
    const name = isSigned ? 'sdot' : 'udot';
    const bytes = shape.q === '1' ? '16b' : '8b';
    const fields = {
      rd: v.destination('0:5'),
      rn: v.source('5:5'),
      rm: v.source('16:5'),
      old: v.source('0:5'),
    };
    const draft = format(fields)(
      `0 ${shape.q} ${isSigned ? 0 : 1} 01110 10 0 ..... 1 0010 1 ..... .....`,
      `${name} {rd}${shape.suffix}, {rn}.${bytes}, {rm}.${bytes}`,
      guarded((s, f) => {
        const products = dotProduct(s, s.get(f.rn), s.get(f.rm), isSigned);
        s.set(f.rd, fit(s, shape, s.i32x4_add(s.get(f.old), products)));
      }),
    );
    return [`${name}_${shape.name}`, draft] as const;
  }),
);

export const rows: readonly Row[] = [
  ...named('AdvSIMD', [
    ...threeSameRows,
    ...bitwiseRows,
    ...twoRegisterRows,
    ...pairSums,
    ...across,
    ...scalarPair,
  ]),
  ...named('RDM', roundingDoubles),
  ...named('DotProd', dots),
];
