// Vector floating point, and the scalar forms that belong to it. DDI 0487, C4.1.96.
//
// What can be done on all lanes at once with host instructions is, where the outcome surely raises nothing new (see
// float-fast.ts); else a routine goes through the lanes.

import { type Builder, routine } from '../../ir/builder.ts';
import type { Routine, Value } from '../../ir/node.ts';
import type { PureOpName } from '../../ir/ops.ts';
import { format, number, type Row } from '../shared/row.ts';
import { flag, rounding } from '../shared/softfloat.ts';
import {
  halfFrom,
  halfTo,
  narrowed,
  narrowedToOdd,
  unsignedEstimates,
  widened,
} from './fp-rules.ts';
import {
  encodingOf,
  fromFixed,
  type Precision,
  precisions,
  roundTo,
  toFixed,
  vectorOf,
} from './fp-scalar.ts';
import { mode, MODE } from './fp-state.ts';
import {
  type Arrangement,
  arrangement,
  type Draft,
  fit,
  guarded,
  halves,
  head,
  type I64,
  join,
  lanes,
  lower,
  named,
  repeated,
  scalars,
  type V128,
  vectorConstant,
  zero,
} from './simd.ts';
import { moveDown } from './simd-integer.ts';
import { spreadElement } from './simd-move.ts';
import { amountField } from './simd-shift.ts';
import { core, d, s as word, v } from './state.ts';

type I1 = Value<'i1'>;

/** The arrangements of a precision: 2s, 4s or 2d, and one lane. */
const vectorShapes = ({ width }: Precision): Arrangement[] =>
  width === 32 ? [arrangement(32, '0'), arrangement(32, '1')] : [arrangement(64, '1')];
const scalarShape = ({ width }: Precision): Arrangement => scalars(width)[0]!;
const laneCount = (shape: Arrangement): number => shape.bits / shape.lane;

/** What is done with encodings of one lane. */
export type LaneFloat = (s: Builder, p: Precision, ...args: readonly I64[]) => I64;

/** The encodings in the lanes of an arrangement. */
function encodings(s: Builder, shape: Arrangement, value: V128): I64[] {
  const count = laneCount(shape);
  const both = count * shape.lane > 64 ? halves(s, value) : [s.i64x2_extract_0(value)];
  if (shape.lane === 64) return both.slice(0, count);
  const low = (a: I64): I64 => s.and(a, 0xffff_ffffn);
  return both.flatMap((half) => [low(half), s.shr_u(half, 32)]).slice(0, count);
}

function fromEncodings(s: Builder, shape: Arrangement, values: readonly I64[]): V128 {
  if (shape.lane === 64)
    return values.length === 1 ? lower(s, values[0]!) : join(s, values[0]!, values[1]!);
  const pair = (i: number): I64 =>
    values[i + 1] === undefined ? values[i]! : s.or(values[i]!, s.shl(values[i + 1]!, 32));
  return values.length > 2 ? join(s, pair(0), pair(2)) : lower(s, pair(0));
}

const remembered = new Map<string, Routine>();

/** A routine that does something in each lane of an arrangement: `(vectors…) → vector`. */
function laneByLane(
  name: string,
  p: Precision,
  shape: Arrangement,
  count: number,
  op: LaneFloat,
): Routine {
  const key = `${name}_${shape.name}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const params = Array<'v128'>(count).fill('v128');
  const made = routine(`vector_${key}`, params, 'v128', (s, ...args) => {
    const operands = args.map((arg) => encodings(s, shape, arg as V128));
    const results = operands[0]!.map((_, i) => op(s, p, ...operands.map((each) => each[i]!)));
    s.return(fromEncodings(s, shape, results));
  });
  remembered.set(key, made);
  return made;
}

/** An operation on vectors by lanes; a single lane is done in line. */
function byLanes(
  s: Builder,
  name: string,
  p: Precision,
  shape: Arrangement,
  op: LaneFloat,
  args: readonly V128[],
): V128 {
  if (shape.q === 'scalar') {
    const operands = args.map((arg) => encodingOf(s, p, arg));
    return vectorOf(s, p, op(s, p, ...operands));
  }
  return s.call(laneByLane(name, p, shape, args.length, op), 'v128', ...args);
}

/** The default mode, and inexact raised before: then a result that is ordinary raises nothing new. */
const isQuiet = (s: Builder): I1 =>
  s.both(s.eqz(mode(s)), s.ne(s.and(s.state(core.fpFlags), flag.NX), 0));

const infinity = (p: Precision): bigint => (p.width === 64 ? 0x7ffn << 52n : 0xffn << 23n);
const shapeName = (p: Precision): string => (p.width === 64 ? 'f64x2' : 'f32x4');
const onFloats = (s: Builder, p: Precision, name: string, ...args: readonly V128[]): V128 =>
  s.pure(`${shapeName(p)}_${name}` as PureOpName, args) as V128;

/** Whether all lanes that an arrangement has are finite, and for products at least twice the smallest normal number. */
function areFine(
  s: Builder,
  p: Precision,
  shape: Arrangement,
  result: V128,
  isProduct: boolean,
): I1 {
  const size = onFloats(s, p, 'abs', result);
  const low = isProduct ? (p.width === 64 ? 2n << 52n : 2n << 23n) : 0n;
  // Compared as signed integers: sizes are positive.
  const finite = lanes(s, p.width, 'lt_s', size, repeated(p.width, infinity(p)));
  const ordinary = isProduct
    ? s.v128_and(finite, lanes(s, p.width, 'ge_s', size, repeated(p.width, low)))
    : finite;
  const relevant =
    shape.bits === 128
      ? ordinary
      : s.v128_or(ordinary, s.v128_not(vectorConstant((1n << BigInt(shape.bits)) - 1n)));
  return p.width === 64 ? s.i64x2_all_true(relevant) : s.i32x4_all_true(relevant);
}

type Binary = (s: Builder, p: Precision, shape: Arrangement, a: V128, b: V128) => V128;

/** Arithmetic with the host's vectors where that is exact in all that can be seen. */
function arithmetic(name: 'add' | 'sub' | 'mul' | 'div'): Binary {
  const isProduct = name === 'mul' || name === 'div';
  return (s, p, shape, a, b) => {
    const slow: LaneFloat = (t, q, x, y) => t.call(q.arm.routines[name], 'i64', x, y, mode(t));
    if (shape.q === 'scalar') return byLanes(s, name, p, shape, slow, [a, b]);
    const result = s.variable('v128', onFloats(s, p, name, a, b));
    const fine = s.both(isQuiet(s), areFine(s, p, shape, s.read(result), isProduct));
    s.rarely(s.not(fine), () => s.assign(result, byLanes(s, name, p, shape, slow, [a, b])));
    return s.read(result);
  };
}

type Named = 'max' | 'min' | 'maxNumber' | 'minNumber' | 'mulx' | 'recipStep' | 'rsqrtStep';

const withRoutine = (name: Named): Binary => {
  const op: LaneFloat = (s, p, a, b) => s.call(p.arm[name], 'i64', a, b, mode(s));
  return (s, p, shape, a, b) => byLanes(s, name, p, shape, op, [a, b]);
};

/** Comparisons: all ones where they hold. Those for equality are quiet. */
function comparison(
  name: string,
  host: 'eq' | 'le' | 'lt',
  swaps: boolean,
  absolute = false,
): Binary {
  const holdsFor = (s: Builder, nzcv: I64): I1 => {
    if (host === 'eq') return s.eq(nzcv, 6);
    const greater = s.eq(nzcv, 2);
    return host === 'le' ? s.either(greater, s.eq(nzcv, 6)) : greater;
  };
  const op: LaneFloat = (s, p, a, b) => {
    const size = (x: I64): I64 => (absolute ? s.and(x, (1n << BigInt(p.width - 1)) - 1n) : x);
    const { compare, compareSignaling } = p.arm;
    const nzcv = s.call(
      host === 'eq' ? compare : compareSignaling,
      'i64',
      size(a),
      size(b),
      mode(s),
    );
    const ones = (1n << BigInt(p.width)) - 1n;
    return s.select(holdsFor(s, nzcv), ones, 0);
  };
  return (s, p, shape, a, b) => {
    const slow = (): V128 => byLanesAsBits(s, name, p, shape, op, [a, b]);
    if (shape.q === 'scalar') return slow();
    const [x, y] = absolute ? [onFloats(s, p, 'abs', a), onFloats(s, p, 'abs', b)] : [a, b];
    const result = s.variable('v128', onFloats(s, p, host, ...(swaps ? [y, x] : [x, y])));
    const ordered = s.v128_and(onFloats(s, p, 'eq', a, a), onFloats(s, p, 'eq', b, b));
    const all = p.width === 64 ? s.i64x2_all_true(ordered) : s.i32x4_all_true(ordered);
    const flushes = s.ne(s.and(mode(s), MODE.flush), 0);
    s.rarely(s.either(s.not(all), flushes), () => s.assign(result, slow()));
    return s.read(result);
  };
}

/** Like byLanes for results that are masks: they must not pass through the host's floats. */
function byLanesAsBits(
  s: Builder,
  name: string,
  p: Precision,
  shape: Arrangement,
  op: LaneFloat,
  args: readonly V128[],
): V128 {
  return s.call(laneByLane(name, p, shape, args.length, op), 'v128', ...args);
}

const difference: Binary = (s, p, shape, a, b) =>
  onFloats(s, p, 'abs', arithmetic('sub')(s, p, shape, a, b));

const bitOf = (p: Precision): string => (p.width === 64 ? '1' : '0');

interface Operation {
  readonly name: string;
  readonly u: '0' | '1';
  /** Bit 23. */
  readonly b: '0' | '1';
  readonly opcode: string;
  readonly op: Binary;
  readonly hasScalar?: boolean;
}

const threeSame: readonly Operation[] = [
  { name: 'fmaxnm', u: '0', b: '0', opcode: '11000', op: withRoutine('maxNumber') },
  { name: 'fminnm', u: '0', b: '1', opcode: '11000', op: withRoutine('minNumber') },
  { name: 'fadd', u: '0', b: '0', opcode: '11010', op: arithmetic('add') },
  { name: 'fsub', u: '0', b: '1', opcode: '11010', op: arithmetic('sub') },
  { name: 'fmulx', u: '0', b: '0', opcode: '11011', op: withRoutine('mulx'), hasScalar: true },
  {
    name: 'fcmeq',
    u: '0',
    b: '0',
    opcode: '11100',
    op: comparison('fcmeq', 'eq', false),
    hasScalar: true,
  },
  { name: 'fmax', u: '0', b: '0', opcode: '11110', op: withRoutine('max') },
  { name: 'fmin', u: '0', b: '1', opcode: '11110', op: withRoutine('min') },
  {
    name: 'frecps',
    u: '0',
    b: '0',
    opcode: '11111',
    op: withRoutine('recipStep'),
    hasScalar: true,
  },
  {
    name: 'frsqrts',
    u: '0',
    b: '1',
    opcode: '11111',
    op: withRoutine('rsqrtStep'),
    hasScalar: true,
  },
  { name: 'fabd', u: '1', b: '1', opcode: '11010', op: difference, hasScalar: true },
  { name: 'fmul', u: '1', b: '0', opcode: '11011', op: arithmetic('mul') },
  {
    name: 'fcmge',
    u: '1',
    b: '0',
    opcode: '11100',
    op: comparison('fcmge', 'le', true),
    hasScalar: true,
  },
  {
    name: 'fcmgt',
    u: '1',
    b: '1',
    opcode: '11100',
    op: comparison('fcmgt', 'lt', true),
    hasScalar: true,
  },
  {
    name: 'facge',
    u: '1',
    b: '0',
    opcode: '11101',
    op: comparison('facge', 'le', true, true),
    hasScalar: true,
  },
  {
    name: 'facgt',
    u: '1',
    b: '1',
    opcode: '11101',
    op: comparison('facgt', 'lt', true, true),
    hasScalar: true,
  },
  { name: 'fdiv', u: '1', b: '0', opcode: '11111', op: arithmetic('div') },
];

const shapesOf = (p: Precision, hasScalar = false): Arrangement[] =>
  hasScalar ? [...vectorShapes(p), scalarShape(p)] : vectorShapes(p);

const threeSameRows = threeSame.flatMap(({ name, u, b, opcode, op, hasScalar }) =>
  precisions.flatMap((p) =>
    shapesOf(p, hasScalar).map((shape): readonly [string, Draft] => {
      const { r, suffix } = shape;
      const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') };
      return [
        `${name}_${shape.name}`,
        format(fields)(
          `${head(shape, u, '01110')} ${b}${bitOf(p)} 1 ..... ${opcode} 1 ..... .....`,
          `${name} {rd}${suffix}, {rn}${suffix}, {rm}${suffix}`,
          guarded((s, f) => {
            const made = op(s, p, shape, s.get(f.rn), s.get(f.rm));
            s.set(f.rd, fit(s, shape, made));
          }),
        ),
      ];
    }),
  ),
);

/** fmla and fmls: fused. */
const fused =
  (negates: boolean): LaneFloat =>
  (s, p, a, b, c) => {
    const first = negates ? s.xor(a, 1n << BigInt(p.width - 1)) : a;
    return s.call(p.arm.fma, 'i64', first, b, c, mode(s));
  };

const fusedKinds = [
  { name: 'fmla', b: '0', opcode: '0001', negates: false },
  { name: 'fmls', b: '1', opcode: '0101', negates: true },
] as const;

const fusedRows = fusedKinds.flatMap(({ name, b, negates }) =>
  precisions.flatMap((p) =>
    vectorShapes(p).map((shape): readonly [string, Draft] => {
      const { r, suffix } = shape;
      const fields = {
        rd: r.destination('0:5'),
        rn: r.source('5:5'),
        rm: r.source('16:5'),
        old: r.source('0:5'),
      };
      return [
        `${name}_${shape.name}`,
        format(fields)(
          `${head(shape, '0', '01110')} ${b}${bitOf(p)} 1 ..... 11001 1 ..... .....`,
          `${name} {rd}${suffix}, {rn}${suffix}, {rm}${suffix}`,
          guarded((s, f) => {
            const args = [s.get(f.rn), s.get(f.rm), s.get(f.old)];
            s.set(f.rd, fit(s, shape, byLanes(s, name, p, shape, fused(negates), args)));
          }),
        ),
      ];
    }),
  ),
);

/** Operations on neighbours. */
const pairwiseKinds = [
  { name: 'fmaxnmp', b: '0', opcode: '11000', scalar: '01100', op: withRoutine('maxNumber') },
  { name: 'fminnmp', b: '1', opcode: '11000', scalar: '01100', op: withRoutine('minNumber') },
  { name: 'faddp', b: '0', opcode: '11010', scalar: '01101', op: arithmetic('add') },
  { name: 'fmaxp', b: '0', opcode: '11110', scalar: '01111', op: withRoutine('max') },
  { name: 'fminp', b: '1', opcode: '11110', scalar: '01111', op: withRoutine('min') },
] as const;

const pairwiseRows = pairwiseKinds.flatMap(({ name, b, opcode, scalar, op }) =>
  precisions.flatMap((p) => [
    ...vectorShapes(p).map((shape): readonly [string, Draft] => {
      const { r, suffix, bits } = shape;
      const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') };
      return [
        `${name}_${shape.name}`,
        format(fields)(
          `${head(shape, '1', '01110')} ${b}${bitOf(p)} 1 ..... ${opcode} 1 ..... .....`,
          `${name} {rd}${suffix}, {rn}${suffix}, {rm}${suffix}`,
          guarded((s, f) => {
            const [x, y] = [s.get(f.rn), s.get(f.rm)];
            const [left, right] = bits === 128 ? [x, y] : [s.i64x2_zip1(x, y), zero];
            const even = lanes(s, p.width, 'uzp1', left, right);
            const odd = lanes(s, p.width, 'uzp2', left, right);
            s.set(f.rd, fit(s, shape, op(s, p, shape, even, odd)));
          }),
        ),
      ];
    }),
    [
      `${name}_${p.letter}`,
      format({ rd: p.r.destination('0:5'), rn: v.source('5:5') })(
        `01 1 11110 ${b}${bitOf(p)} 11000 ${scalar} 10 ..... .....`,
        `${name} {rd}, {rn}.2${p.letter}`,
        guarded((s, f) => {
          const value = s.get(f.rn);
          const shape = scalarShape(p);
          const other = moveDown(s, value, p.width);
          s.set(f.rd, fit(s, shape, op(s, p, shape, value, other)));
        }),
      ),
    ] as const,
  ]),
);

/** The extremum of four words. */
const acrossRows = (
  [
    ['fmaxnmv', '0', '01100', withRoutine('maxNumber')],
    ['fminnmv', '1', '01100', withRoutine('minNumber')],
    ['fmaxv', '0', '01111', withRoutine('max')],
    ['fminv', '1', '01111', withRoutine('min')],
  ] as const
).map(([name, b, opcode, op]): readonly [string, Draft] => {
  const p = precisions[0]!;
  return [
    `${name}_4s`,
    format({ rd: word.destination('0:5'), rn: v.source('5:5') })(
      `0 1 1 01110 ${b}0 11000 ${opcode} 10 ..... .....`,
      `${name} {rd}, {rn}.4s`,
      guarded((s, f) => {
        const value = s.get(f.rn);
        // Neighbours first, as the architecture's Reduce does: (0, 1) with (2, 3).
        const half = arrangement(32, '0');
        const even = lanes(s, 32, 'uzp1', value, zero);
        const odd = lanes(s, 32, 'uzp2', value, zero);
        const pairs = op(s, p, half, even, odd);
        const shape = scalarShape(p);
        s.set(f.rd, fit(s, shape, op(s, p, shape, pairs, moveDown(s, pairs, 32))));
      }),
    ),
  ];
});

/** By an element. */
const elementFields = {
  32: { rm: v.source('16:5'), index: number('11:1 21:1'), pattern: '. .....' },
  64: { rm: v.source('16:5'), index: number('11:1'), pattern: '0 .....' },
} as const;

const elementKinds: readonly {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly op: (
    s: Builder,
    p: Precision,
    shape: Arrangement,
    a: V128,
    b: V128,
    old: () => V128,
  ) => V128;
}[] = [
  ...fusedKinds.map(({ name, opcode, negates }) => ({
    name,
    u: '0' as const,
    opcode,
    op: (s: Builder, p: Precision, shape: Arrangement, a: V128, b: V128, old: () => V128) =>
      byLanes(s, name, p, shape, fused(negates), [a, b, old()]),
  })),
  {
    name: 'fmul',
    u: '0',
    opcode: '1001',
    op: (s, p, shape, a, b) => arithmetic('mul')(s, p, shape, a, b),
  },
  {
    name: 'fmulx',
    u: '1',
    opcode: '1001',
    op: (s, p, shape, a, b) => withRoutine('mulx')(s, p, shape, a, b),
  },
];

const elementRows = elementKinds.flatMap(({ name, u, opcode, op }) =>
  precisions.flatMap((p) =>
    shapesOf(p, true).map((shape): readonly [string, Draft] => {
      const { r, suffix } = shape;
      const { rm, index, pattern } = elementFields[p.width];
      const fields = {
        rd: r.destination('0:5'),
        rn: r.source('5:5'),
        rm,
        old: r.source('0:5'),
        index,
      };
      return [
        `${name}_element_${shape.name}`,
        format(fields)(
          `${head(shape, u, '01111')} 1${bitOf(p)} ${pattern} ${opcode} . 0 ..... .....`,
          `${name} {rd}${suffix}, {rn}${suffix}, {rm}.${p.letter}[{index}]`,
          guarded((s, f) => {
            const element = spreadElement(s, p.width, s.get(f.rm), f.index);
            const made = op(s, p, shape, s.get(f.rn), element, () => s.get(f.old));
            s.set(f.rd, fit(s, shape, made));
          }),
        ),
      ];
    }),
  ),
);

interface Single {
  readonly name: string;
  readonly u: '0' | '1';
  readonly b: '0' | '1';
  readonly opcode: string;
  readonly op: (s: Builder, p: Precision, shape: Arrangement, a: V128) => V128;
  readonly hasVector?: boolean;
  readonly hasScalar?: boolean;
  readonly zeroOperand?: boolean;
}

const lane1 =
  (name: string, op: LaneFloat): Single['op'] =>
  (s, p, shape, a) =>
    byLanes(s, name, p, shape, op, [a]);

/** Results that are integers: their bits must not pass through the host's floats. */
const lane1AsBits =
  (name: string, op: LaneFloat): Single['op'] =>
  (s, p, shape, a) =>
    byLanesAsBits(s, name, p, shape, op, [a]);

const rounds = (name: string, how: number | 'mode', isExact: boolean): Single['op'] =>
  lane1(name, (s, p, a) => roundTo(p.arm, how, isExact)(s, a));

const toInteger = (name: string, how: number, isSigned: boolean): Single['op'] =>
  lane1AsBits(name, (s, p, a) => {
    const made = toFixed(s, p, a, { how, size: p.width, isSigned });
    return p.width === 64 ? made : s.and(made, 0xffff_ffffn);
  });

const extended = (s: Builder, p: Precision, a: I64, isSigned: boolean): I64 =>
  p.width === 32 && isSigned ? s.ext32_s(a) : a;

const fromInteger = (name: string, isSigned: boolean): Single['op'] =>
  lane1AsBits(name, (s, p, a) => fromFixed(s, p, extended(s, p, a, isSigned), { isSigned }));

const square: LaneFloat = (s, p, a) => s.call(p.arm.routines.sqrt, 'i64', a, mode(s));
const estimate =
  (which: 'recipEstimate' | 'rsqrtEstimate' | 'recipExponent'): LaneFloat =>
  (s, p, a) =>
    s.call(p.arm[which], 'i64', a, mode(s));

const zeroCompare = (
  name: string,
  host: 'eq' | 'le' | 'lt',
  swaps: boolean,
  turned: boolean,
): Single['op'] => {
  const compare = comparison(name, host, swaps);
  return (s, p, shape, a) =>
    turned ? compare(s, p, shape, zero, a) : compare(s, p, shape, a, zero);
};

const twoRegisters: readonly Single[] = [
  { name: 'frintn', u: '0', b: '0', opcode: '11000', op: rounds('frintn', rounding.RNE, false) },
  { name: 'frinta', u: '1', b: '0', opcode: '11000', op: rounds('frinta', rounding.RMM, false) },
  { name: 'frintp', u: '0', b: '1', opcode: '11000', op: rounds('frintp', rounding.RUP, false) },
  { name: 'frintm', u: '0', b: '0', opcode: '11001', op: rounds('frintm', rounding.RDN, false) },
  { name: 'frintx', u: '1', b: '0', opcode: '11001', op: rounds('frintx', 'mode', true) },
  { name: 'frintz', u: '0', b: '1', opcode: '11001', op: rounds('frintz', rounding.RTZ, false) },
  { name: 'frinti', u: '1', b: '1', opcode: '11001', op: rounds('frinti', 'mode', false) },
  ...(
    [
      ['s', '0', true],
      ['u', '1', false],
    ] as const
  ).flatMap(([sign, u, isSigned]) => [
    {
      name: `fcvtn${sign}`,
      u,
      b: '0' as const,
      opcode: '11010',
      hasScalar: true,
      op: toInteger(`fcvtn${sign}`, rounding.RNE, isSigned),
    },
    {
      name: `fcvtp${sign}`,
      u,
      b: '1' as const,
      opcode: '11010',
      hasScalar: true,
      op: toInteger(`fcvtp${sign}`, rounding.RUP, isSigned),
    },
    {
      name: `fcvtm${sign}`,
      u,
      b: '0' as const,
      opcode: '11011',
      hasScalar: true,
      op: toInteger(`fcvtm${sign}`, rounding.RDN, isSigned),
    },
    {
      name: `fcvtz${sign}`,
      u,
      b: '1' as const,
      opcode: '11011',
      hasScalar: true,
      op: toInteger(`fcvtz${sign}`, rounding.RTZ, isSigned),
    },
    {
      name: `fcvta${sign}`,
      u,
      b: '0' as const,
      opcode: '11100',
      hasScalar: true,
      op: toInteger(`fcvta${sign}`, rounding.RMM, isSigned),
    },
    {
      name: `${sign}cvtf`,
      u,
      b: '0' as const,
      opcode: '11101',
      hasScalar: true,
      op: fromInteger(`${sign}cvtf`, isSigned),
    },
  ]),
  {
    name: 'frecpe',
    u: '0',
    b: '1',
    opcode: '11101',
    hasScalar: true,
    op: lane1('frecpe', estimate('recipEstimate')),
  },
  {
    name: 'frsqrte',
    u: '1',
    b: '1',
    opcode: '11101',
    hasScalar: true,
    op: lane1('frsqrte', estimate('rsqrtEstimate')),
  },
  {
    name: 'frecpx',
    u: '0',
    b: '1',
    opcode: '11111',
    hasScalar: true,
    hasVector: false,
    op: lane1('frecpx', estimate('recipExponent')),
  },
  {
    name: 'fcmgt',
    u: '0',
    b: '1',
    opcode: '01100',
    hasScalar: true,
    zeroOperand: true,
    op: zeroCompare('fcmgt', 'lt', true, false),
  },
  {
    name: 'fcmge',
    u: '1',
    b: '1',
    opcode: '01100',
    hasScalar: true,
    zeroOperand: true,
    op: zeroCompare('fcmge', 'le', true, false),
  },
  {
    name: 'fcmeq',
    u: '0',
    b: '1',
    opcode: '01101',
    hasScalar: true,
    zeroOperand: true,
    op: zeroCompare('fcmeq', 'eq', false, false),
  },
  {
    name: 'fcmle',
    u: '1',
    b: '1',
    opcode: '01101',
    hasScalar: true,
    zeroOperand: true,
    op: zeroCompare('fcmge', 'le', true, true),
  },
  {
    name: 'fcmlt',
    u: '0',
    b: '1',
    opcode: '01110',
    hasScalar: true,
    zeroOperand: true,
    op: zeroCompare('fcmgt', 'lt', true, true),
  },
  { name: 'fabs', u: '0', b: '1', opcode: '01111', op: (s, p, _, a) => onFloats(s, p, 'abs', a) },
  { name: 'fneg', u: '1', b: '1', opcode: '01111', op: (s, p, _, a) => onFloats(s, p, 'neg', a) },
  { name: 'fsqrt', u: '1', b: '1', opcode: '11111', op: lane1('fsqrt', square) },
];

const twoRegisterRows = twoRegisters.flatMap(
  ({ name, u, b, opcode, op, hasScalar = false, hasVector = true, zeroOperand = false }) =>
    precisions.flatMap((p) => {
      const shapes = [
        ...(hasVector ? vectorShapes(p) : []),
        ...(hasScalar ? [scalarShape(p)] : []),
      ];
      return shapes.map((shape): readonly [string, Draft] => {
        const { r, suffix } = shape;
        return [
          `${name}${zeroOperand ? '_zero' : ''}_vector_${shape.name}`,
          format({ rd: r.destination('0:5'), rn: r.source('5:5') })(
            `${head(shape, u, '01110')} ${b}${bitOf(p)} 10000 ${opcode} 10 ..... .....`,
            `${name} {rd}${suffix}, {rn}${suffix}${zeroOperand ? ', #0.0' : ''}`,
            guarded((s, f) => s.set(f.rd, fit(s, shape, op(s, p, shape, s.get(f.rn))))),
          ),
        ];
      });
    }),
);

/** urecpe and ursqrte: estimates of unsigned words. */
const unsignedRows = (
  [
    ['urecpe', '0', 'recip'],
    ['ursqrte', '1', 'rsqrt'],
  ] as const
).flatMap(([name, u, which]) => {
  const p = precisions[0]!;
  return vectorShapes(p).map((shape): readonly [string, Draft] => [
    `${name}_${shape.name}`,
    format({ rd: v.destination('0:5'), rn: v.source('5:5') })(
      `${head(shape, u, '01110')} 10 10000 11100 10 ..... .....`,
      `${name} {rd}${shape.suffix}, {rn}${shape.suffix}`,
      guarded((s, f) => {
        const op: LaneFloat = (t, _p, a) => t.call(unsignedEstimates[which], 'i64', a);
        s.set(f.rd, fit(s, shape, byLanesAsBits(s, name, p, shape, op, [s.get(f.rn)])));
      }),
    ),
  ]);
});

/** Conversions with fraction bits. */
const fixedRows = precisions.flatMap((p) =>
  shapesOf(p, true).flatMap((shape) =>
    (
      [
        ['s', '0', true],
        ['u', '1', false],
      ] as const
    ).flatMap(([sign, u, isSigned]) => {
      const { r, suffix } = shape;
      const { bits, field } = amountField(p.width, true);
      const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), amount: field };
      const row = (
        name: string,
        opcode: string,
        op: (s: Builder, a: I64, fraction: I64) => I64,
      ): readonly [string, Draft] => [
        `${name}_fixed_${shape.name}`,
        format(fields)(
          `${shape.q === 'scalar' ? `01 ${u} 111110` : `0 ${shape.q} ${u} 011110`} ${bits} ${opcode} 1 ..... .....`,
          `${name} {rd}${suffix}, {rn}${suffix}, #{amount}`,
          guarded((s, f) => {
            const results = encodings(s, shape, s.get(f.rn)).map((a) => op(s, a, f.amount));
            s.set(f.rd, fromEncodings(s, shape, results));
          }),
        ),
      ];
      return [
        row(`${sign}cvtf`, '11100', (s, a, fraction) =>
          fromFixed(s, p, extended(s, p, a, isSigned), { isSigned, fraction }),
        ),
        row(`fcvtz${sign}`, '11111', (s, a, fraction) => {
          const options = { how: rounding.RTZ, size: p.width, isSigned, fraction };
          const made = toFixed(s, p, a, options);
          return p.width === 64 ? made : s.and(made, 0xffff_ffffn);
        }),
      ];
    }),
  ),
);

/** fcvtl and fcvtn: precisions of vectors, by their lower or upper half. */
function lengthRows(): (readonly [string, Draft])[] {
  const kinds = [
    { size: '00', narrow: 16, wide: 32 },
    { size: '01', narrow: 32, wide: 64 },
  ] as const;
  const letters = { 16: 'h', 32: 's', 64: 'd' } as const;
  return kinds.flatMap(({ size, narrow, wide }) =>
    (['0', '1'] as const).flatMap((q) => {
      const two = q === '1' ? '2' : '';
      const count = 64 / narrow;
      const small = `${q === '1' ? 2 * count : count}${letters[narrow]}`;
      const big = `${128 / wide}${letters[wide]}`;
      const wideLanes = arrangement(wide, '1');
      const narrowParts = (s: Builder, half: I64): I64[] =>
        Array.from({ length: count }, (_, i) =>
          s.and(s.shr_u(half, i * narrow), (1n << BigInt(narrow)) - 1n),
        );
      const joinParts = (s: Builder, parts: readonly I64[]): I64 =>
        parts.map((part, i) => s.shl(part, i * narrow)).reduce((a, b) => s.or(a, b));
      const widenOne = (s: Builder, a: I64): I64 =>
        s.call(narrow === 16 ? halfTo.f32 : widened, 'i64', a, mode(s));
      const narrowRow = (
        name: string,
        u: '0' | '1',
        convert: Routine,
      ): readonly [string, Draft] => [
        `${name}${two}_${small}`,
        format({ rd: v.destination('0:5'), rn: v.source('5:5'), old: v.source('0:5') })(
          `0 ${q} ${u} 01110 ${size} 10000 10110 10 ..... .....`,
          `${name}${two} {rd}.${small}, {rn}.${big}`,
          guarded((s, f) => {
            const parts = encodings(s, wideLanes, s.get(f.rn)).map((a) =>
              s.call(convert, 'i64', a, mode(s)),
            );
            const made = joinParts(s, parts);
            s.set(f.rd, q === '1' ? s.i64x2_replace_1(s.get(f.old), made) : lower(s, made));
          }),
        ),
      ];
      return [
        [
          `fcvtl${two}_${big}`,
          format({ rd: v.destination('0:5'), rn: v.source('5:5') })(
            `0 ${q} 0 01110 ${size} 10000 10111 10 ..... .....`,
            `fcvtl${two} {rd}.${big}, {rn}.${small}`,
            guarded((s, f) => {
              const [low, high] = halves(s, s.get(f.rn));
              const parts = narrowParts(s, q === '1' ? high : low).map((a) => widenOne(s, a));
              s.set(f.rd, fromEncodings(s, wideLanes, parts));
            }),
          ),
        ] as const,
        narrowRow('fcvtn', '0', narrow === 16 ? halfFrom.f32 : narrowed),
        ...(narrow === 32 ? [narrowRow('fcvtxn', '1', narrowedToOdd)] : []),
      ];
    }),
  );
}

const scalarOdd: readonly [string, Draft] = [
  'fcvtxn_s',
  format({ rd: word.destination('0:5'), rn: d.source('5:5') })(
    '01 1 11110 01 10000 10110 10 ..... .....',
    'fcvtxn {rd}, {rn}',
    guarded((s, f) => {
      const a = encodingOf(s, { width: 64 }, s.get(f.rn));
      s.set(f.rd, lower(s, s.call(narrowedToOdd, 'i64', a, mode(s))));
    }),
  ),
];

export const rows: readonly Row[] = named('AdvSIMD', [
  ...threeSameRows,
  ...fusedRows,
  ...pairwiseRows,
  ...acrossRows,
  ...elementRows,
  ...twoRegisterRows,
  ...unsignedRows,
  ...fixedRows,
  ...lengthRows(),
  scalarOdd,
]);
