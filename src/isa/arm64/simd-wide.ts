// Advanced SIMD: lanes that become wider or narrower, and operations by an element. DDI 0487, C4.1.96 (three different,
// vector x indexed element, narrowing of two-register miscellaneous).
//
// The second forms ("2") read, or write, the upper half of the narrower register.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand } from '../../ir/node.ts';
import { format, number, type Row } from '../shared/row.ts';
import {
  type Arrangement,
  clamp,
  type Draft,
  eachLane,
  fit,
  guarded,
  head,
  type I64,
  type Lane,
  type LaneOperation,
  lanes,
  named,
  noteSaturation,
  repeated,
  saturate,
  scalars,
  type V128,
  vectors,
  zero,
} from './simd.ts';
import { dotProduct, multiplyLanes, routineFor } from './simd-integer.ts';
import { spreadElement } from './simd-move.ts';
import { polynomialProduct64 } from './polynomial.ts';
import { v } from './state.ts';

type Sign = 's' | 'u';

const wideNames: Readonly<Record<number, string>> = { 16: '8h', 32: '4s', 64: '2d' };

/** The low or the high half of lanes, made twice as wide; `wide` is the width after. */
export const extend = (s: Builder, wide: Lane, isHigh: boolean, sign: Sign, a: V128): V128 =>
  lanes(s, wide, `extend_${isHigh ? 'high' : 'low'}_${sign}`, a);

/** Products of lanes in lanes twice as wide. */
const product = (s: Builder, wide: Lane, isHigh: boolean, sign: Sign, a: V128, b: V128): V128 =>
  lanes(s, wide, `extmul_${isHigh ? 'high' : 'low'}_${sign}`, a, b);

/** Doubled products that saturate: of the least number by itself. */
function doubledProduct(
  s: Builder,
  wide: Lane,
  isHigh: boolean,
  a: V128,
  b: V128,
  shape: Arrangement,
) {
  const products = product(s, wide, isHigh, 's', a, b);
  const narrow = wide / 2;
  const limit = repeated(wide, 1n << BigInt(2 * narrow - 2));
  const wrong = lanes(s, wide, 'eq', products, limit);
  noteSaturation(s, shape, wrong);
  const doubled = lanes(s, wide, 'add', products, products);
  return s.v128_bitselect(repeated(wide, (1n << BigInt(wide - 1)) - 1n), doubled, wrong);
}

/** The sum or difference of wide lanes, saturating. */
function saturatingWide(
  s: Builder,
  wide: Lane,
  a: V128,
  b: V128,
  subtracts: boolean,
  shape: Arrangement,
) {
  const result = lanes(s, wide, subtracts ? 'sub' : 'add', a, b);
  const signs = subtracts ? s.v128_xor(a, b) : s.v128_xor(b, result);
  const last = s.wrap(s.const64(wide - 1));
  const wrong = lanes(s, wide, 'shr_s', s.v128_and(s.v128_xor(a, result), signs), last);
  noteSaturation(s, shape, wrong);
  const most = repeated(wide, (1n << BigInt(wide - 1)) - 1n);
  return s.v128_bitselect(s.v128_xor(lanes(s, wide, 'shr_s', a, last), most), result, wrong);
}

/** An operation that gives wide lanes; `old` is the destination before. */
type Widening = (
  s: Builder,
  at: { readonly wide: Lane; readonly isHigh: boolean; readonly shape: Arrangement },
  a: V128,
  b: V128,
  old: () => V128,
) => V128;

const sum = (s: Builder, wide: Lane, a: V128, b: V128): V128 => lanes(s, wide, 'add', a, b);
const difference = (s: Builder, wide: Lane, a: V128, b: V128): V128 => lanes(s, wide, 'sub', a, b);

const both =
  (sign: Sign, op: typeof sum): Widening =>
  (s, { wide, isHigh }, a, b) =>
    op(s, wide, extend(s, wide, isHigh, sign, a), extend(s, wide, isHigh, sign, b));
const secondOnly =
  (sign: Sign, op: typeof sum): Widening =>
  (s, { wide, isHigh }, a, b) =>
    op(s, wide, a, extend(s, wide, isHigh, sign, b));

function wideDistance(s: Builder, wide: Lane, isHigh: boolean, sign: Sign, a: V128, b: V128): V128 {
  const [left, right] = [extend(s, wide, isHigh, sign, a), extend(s, wide, isHigh, sign, b)];
  return lanes(s, wide, 'abs', difference(s, wide, left, right));
}

const multiply =
  (sign: Sign, op?: typeof sum): Widening =>
  (s, { wide, isHigh }, a, b, old) => {
    const products = product(s, wide, isHigh, sign, a, b);
    return op === undefined ? products : op(s, wide, old(), products);
  };

const doubling =
  (accumulates: 'no' | 'add' | 'subtract'): Widening =>
  (s, { wide, isHigh, shape }, a, b, old) => {
    const products = doubledProduct(s, wide, isHigh, a, b, shape);
    if (accumulates === 'no') return products;
    return saturatingWide(s, wide, old(), products, accumulates === 'subtract', shape);
  };

interface WideOperation {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly op: Widening;
  readonly accumulates?: boolean;
  /** The first operand is wide already. */
  readonly isWide?: boolean;
}

const signs = [
  ['s', '0'],
  ['u', '1'],
] as const;

const threeDifferent: readonly WideOperation[] = signs.flatMap(([sign, u]) => [
  { name: `${sign}addl`, u, opcode: '0000', op: both(sign, sum) },
  { name: `${sign}addw`, u, opcode: '0001', op: secondOnly(sign, sum), isWide: true },
  { name: `${sign}subl`, u, opcode: '0010', op: both(sign, difference) },
  { name: `${sign}subw`, u, opcode: '0011', op: secondOnly(sign, difference), isWide: true },
  {
    name: `${sign}abal`,
    u,
    opcode: '0101',
    accumulates: true,
    op: (s, { wide, isHigh }, a, b, old) =>
      sum(s, wide, old(), wideDistance(s, wide, isHigh, sign, a, b)),
  },
  {
    name: `${sign}abdl`,
    u,
    opcode: '0111',
    op: (s, { wide, isHigh }, a, b) => wideDistance(s, wide, isHigh, sign, a, b),
  },
  { name: `${sign}mlal`, u, opcode: '1000', accumulates: true, op: multiply(sign, sum) },
  { name: `${sign}mlsl`, u, opcode: '1010', accumulates: true, op: multiply(sign, difference) },
  { name: `${sign}mull`, u, opcode: '1100', op: multiply(sign) },
]);

const doublings: readonly WideOperation[] = [
  { name: 'sqdmlal', u: '0', opcode: '1001', accumulates: true, op: doubling('add') },
  { name: 'sqdmlsl', u: '0', opcode: '1011', accumulates: true, op: doubling('subtract') },
  { name: 'sqdmull', u: '0', opcode: '1101', op: doubling('no') },
];

const fields = {
  rd: v.destination('0:5'),
  rn: v.source('5:5'),
  rm: v.source('16:5'),
};

/** A row of wide lanes from narrow ones. */
function wideRow(operation: WideOperation, shape: Arrangement): readonly [string, Draft] {
  const { name, u, opcode, op, accumulates, isWide } = operation;
  const isHigh = shape.q === '1';
  const wide = (2 * shape.lane) as Lane;
  const full = { ...shape, bits: 128, lane: wide };
  const mnemonic = isHigh ? `${name}2` : name;
  const { suffix } = shape;
  const big = `.${wideNames[wide]}`;
  const pattern = `0 ${shape.q} ${u} 01110 ${shape.size} 1 ..... ${opcode} 00 ..... .....`;
  const text = `${mnemonic} {rd}${big}, {rn}${isWide ? big : suffix}, {rm}${suffix}`;
  type F = typeof fields extends infer X ? { [K in keyof X]: RegisterOperand<'v128'> } : never;
  const meaning = guarded<F & { old?: RegisterOperand<'v128'> }>((s, f) => {
    const old = (): V128 => s.get(f.old ?? f.rd);
    s.set(f.rd, op(s, { wide, isHigh, shape: full }, s.get(f.rn), s.get(f.rm), old));
  });
  const draft =
    accumulates === true
      ? format({ ...fields, old: v.source('0:5') })(pattern, text, meaning)
      : format(fields)(pattern, text, meaning);
  return [`${mnemonic}_${shape.name}`, draft];
}

const wideRows = [
  ...threeDifferent.flatMap((operation) =>
    vectors(8, 16, 32).map((shape) => wideRow(operation, shape)),
  ),
  ...doublings.flatMap((operation) => vectors(16, 32).map((shape) => wideRow(operation, shape))),
];

/** The scalar forms of the doubled products. */
const scalarDoublings = doublings.flatMap(({ name, opcode, op }) =>
  scalars(16, 32).map((shape) => {
    const wide = (2 * shape.lane) as Lane;
    const target = scalars(wide)[0]!;
    const draft = format({
      rd: target.r.destination('0:5'),
      rn: shape.r.source('5:5'),
      rm: shape.r.source('16:5'),
      old: target.r.source('0:5'),
    })(
      `01 0 11110 ${shape.size} 1 ..... ${opcode} 00 ..... .....`,
      `${name} {rd}, {rn}, {rm}`,
      guarded((s, f) => {
        const at = { wide, isHigh: false, shape: target };
        const made = op(s, at, s.get(f.rn), s.get(f.rm), () => s.get(f.old));
        s.set(f.rd, fit(s, target, made));
      }),
    );
    return [`${name}_${target.name}`, draft] as const;
  }),
);

/** Products of polynomials over {0, 1}: of bytes, and of doublewords (FEAT_PMULL). */
const polynomials: readonly (readonly [string, Draft])[] = vectors(8).map((shape) => {
  const isHigh = shape.q === '1';
  const mnemonic = isHigh ? 'pmull2' : 'pmull';
  const draft = format(fields)(
    `0 ${shape.q} 0 01110 00 1 ..... 1110 00 ..... .....`,
    `${mnemonic} {rd}.8h, {rn}${shape.suffix}, {rm}${shape.suffix}`,
    guarded((s, f) => s.set(f.rd, byteProducts(s, isHigh, s.get(f.rn), s.get(f.rm)))),
  );
  return [`${mnemonic}_8h`, draft] as const;
});

/** The upper half of such a product of bytes is what is shifted out of the lower one. */
function byteProducts(s: Builder, isHigh: boolean, a: V128, b: V128): V128 {
  const left = extend(s, 16, isHigh, 'u', a);
  const right = extend(s, 16, isHigh, 'u', b);
  let all: V128 = zero;
  for (let bit = 0; bit < 8; bit++) {
    const mask = repeated(16, 1n << BigInt(bit));
    const chosen = s.i16x8_eq(s.v128_and(right, mask), mask);
    all = s.v128_xor(all, s.v128_and(s.i16x8_shl(left, s.wrap(s.const64(bit))), chosen));
  }
  return all;
}

const longPolynomials: readonly (readonly [string, Draft])[] = (['0', '1'] as const).map((q) => {
  const mnemonic = q === '1' ? 'pmull2' : 'pmull';
  const suffix = q === '1' ? '.2d' : '.1d';
  const draft = format(fields)(
    `0 ${q} 0 01110 11 1 ..... 1110 00 ..... .....`,
    `${mnemonic} {rd}.1q, {rn}${suffix}, {rm}${suffix}`,
    guarded((s, f) => {
      const half = (value: V128): I64 =>
        q === '1' ? s.i64x2_extract_1(value) : s.i64x2_extract_0(value);
      s.set(f.rd, s.call(polynomialProduct64, 'v128', half(s.get(f.rn)), half(s.get(f.rm))));
    }),
  );
  return [`${mnemonic}_1q`, draft] as const;
});

/** The narrower result in the half of the destination that the form writes: the other is cleared or kept. */
function placeHalf(s: Builder, isUpper: boolean, narrowed: V128, old: () => V128): V128 {
  return isUpper ? s.i64x2_zip1(old(), narrowed) : fit(s, { bits: 64 }, narrowed);
}

/** The low halves of lanes; `lane` is the narrower width. */
const truncate = (s: Builder, lane: Lane, a: V128): V128 => lanes(s, lane, 'uzp1', a, zero);

/** addhn, subhn, raddhn, rsubhn: the upper halves of sums. */
const highHalves = (
  [
    ['addhn', '0', '0100', sum, false],
    ['raddhn', '1', '0100', sum, true],
    ['subhn', '0', '0110', difference, false],
    ['rsubhn', '1', '0110', difference, true],
  ] as const
).flatMap(([name, u, opcode, op, rounds]) =>
  vectors(8, 16, 32).map((shape) => {
    const isUpper = shape.q === '1';
    const wide = (2 * shape.lane) as Lane;
    const mnemonic = isUpper ? `${name}2` : name;
    const big = wideNames[wide]!;
    const draft = format({ ...fields, old: v.source('0:5') })(
      `0 ${shape.q} ${u} 01110 ${shape.size} 1 ..... ${opcode} 00 ..... .....`,
      `${mnemonic} {rd}${shape.suffix}, {rn}.${big}, {rm}.${big}`,
      guarded((s, f) => {
        const exact = op(s, wide, s.get(f.rn), s.get(f.rm));
        const half = repeated(wide, 1n << BigInt(shape.lane - 1));
        const rounded = rounds ? lanes(s, wide, 'add', exact, half) : exact;
        const upper = lanes(s, shape.lane, 'uzp2', rounded, zero);
        s.set(
          f.rd,
          placeHalf(s, isUpper, upper, () => s.get(f.old)),
        );
      }),
    );
    return [`${mnemonic}_${shape.name}`, draft] as const;
  }),
);

/** Narrowing with saturation: from signed or unsigned lanes to signed or unsigned ones. */
export function saturatingNarrow(
  s: Builder,
  name: string,
  shape: Arrangement,
  from: Sign,
  to: Sign,
  a: V128,
): V128 {
  const { lane } = shape;
  const wide = (2 * lane) as Lane;
  const op: LaneOperation = (t, value) => {
    if (from === 'u') {
      // As unsigned numbers, of which the upper half may look negative.
      const most = (1n << BigInt(lane)) - 1n;
      const above = t.gt_u(value, most);
      saturate(t, above);
      return t.select(above, most, value);
    }
    return clamp(t, value, lane, to === 's');
  };
  const made = routineFor(`narrow_${name}`, wide, 1, from === 's', op);
  const bits = shape.q === 'scalar' ? wide : 128;
  return truncate(s, lane, eachLane(s, { ...shape, bits, lane: wide }, made, a));
}

const narrowings = [
  { name: 'xtn', u: '0', opcode: '10010', from: 'u', to: 'u', saturates: false },
  { name: 'sqxtun', u: '1', opcode: '10010', from: 's', to: 'u', saturates: true },
  { name: 'sqxtn', u: '0', opcode: '10100', from: 's', to: 's', saturates: true },
  { name: 'uqxtn', u: '1', opcode: '10100', from: 'u', to: 'u', saturates: true },
] as const;

const narrowRows = narrowings.flatMap(({ name, u, opcode, from, to, saturates }) => [
  ...vectors(8, 16, 32).map((shape) => {
    const isUpper = shape.q === '1';
    const mnemonic = isUpper ? `${name}2` : name;
    const big = wideNames[2 * shape.lane]!;
    const draft = format({ rd: fields.rd, rn: fields.rn, old: v.source('0:5') })(
      `0 ${shape.q} ${u} 01110 ${shape.size} 10000 ${opcode} 10 ..... .....`,
      `${mnemonic} {rd}${shape.suffix}, {rn}.${big}`,
      guarded((s, f) => {
        const value = s.get(f.rn);
        const narrowed = saturates
          ? saturatingNarrow(s, name, shape, from, to, value)
          : truncate(s, shape.lane, value);
        s.set(
          f.rd,
          placeHalf(s, isUpper, narrowed, () => s.get(f.old)),
        );
      }),
    );
    return [`${mnemonic}_${shape.name}`, draft] as const;
  }),
  ...(saturates ? scalars(8, 16, 32) : []).map((shape) => {
    const wide = scalars((2 * shape.lane) as Lane)[0]!;
    const draft = format({ rd: shape.r.destination('0:5'), rn: wide.r.source('5:5') })(
      `01 ${u} 11110 ${shape.size} 10000 ${opcode} 10 ..... .....`,
      `${name} {rd}, {rn}`,
      guarded((s, f) =>
        s.set(f.rd, fit(s, shape, saturatingNarrow(s, name, shape, from, to, s.get(f.rn)))),
      ),
    );
    return [`${name}_${shape.name}`, draft] as const;
  }),
]);

/** shll: wider, and shifted left by the narrower width. */
const shiftedLong = vectors(8, 16, 32).map((shape) => {
  const wide = (2 * shape.lane) as Lane;
  const isHigh = shape.q === '1';
  const mnemonic = isHigh ? 'shll2' : 'shll';
  const draft = format({ rd: fields.rd, rn: fields.rn })(
    `0 ${shape.q} 1 01110 ${shape.size} 10000 10011 10 ..... .....`,
    `${mnemonic} {rd}.${wideNames[wide]}, {rn}${shape.suffix}, #${shape.lane}`,
    guarded((s, f) => {
      const value = extend(s, wide, isHigh, 'u', s.get(f.rn));
      s.set(f.rd, lanes(s, wide, 'shl', value, s.wrap(s.const64(shape.lane))));
    }),
  );
  return [`${mnemonic}_${shape.name}`, draft] as const;
});

/** The register and index of an element of a width: halfwords are only in the lower sixteen registers. */
const elementFields = {
  16: { rm: v.source('16:4'), index: number('11:1 21:1 20:1'), letter: 'h', bits: '. . ....' },
  32: { rm: v.source('16:5'), index: number('11:1 21:1'), letter: 's', bits: '. . ....' },
} as const;

interface ElementOperation {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly hasScalar: boolean;
  readonly op: (s: Builder, shape: Arrangement, a: V128, b: V128, old: () => V128) => V128;
}

const doublingHigh =
  (name: string, rounds: boolean): ElementOperation['op'] =>
  (s, shape, a, b) => {
    const { lane } = shape;
    const op: LaneOperation = (t, x, y) => {
      const rounding = rounds ? 1n << BigInt(lane - 2) : 0n;
      return clamp(t, t.shr_s(t.add(t.mul(x, y), rounding), lane - 1), lane, true);
    };
    return eachLane(s, shape, routineFor(name, lane, 2, true, op), a, b);
  };

const doublingAccumulate =
  (name: string, sign: number): ElementOperation['op'] =>
  (s, shape, a, b, old) => {
    const { lane } = shape;
    const op: LaneOperation = (t, x, y, z) => {
      const before = t.shl(z, lane - 1);
      const exact = t.mul(x, y);
      const total = sign > 0 ? t.add(before, exact) : t.sub(before, exact);
      return clamp(t, t.shr_s(t.add(total, 1n << BigInt(lane - 2)), lane - 1), lane, true);
    };
    return eachLane(s, shape, routineFor(name, lane, 3, true, op), a, b, old());
  };

const byElement: readonly ElementOperation[] = [
  {
    name: 'mla',
    u: '1',
    opcode: '0000',
    hasScalar: false,
    op: (s, { lane }, a, b, old) => sum(s, lane, old(), multiplyLanes(s, lane, a, b)),
  },
  {
    name: 'mls',
    u: '1',
    opcode: '0100',
    hasScalar: false,
    op: (s, { lane }, a, b, old) => difference(s, lane, old(), multiplyLanes(s, lane, a, b)),
  },
  {
    name: 'mul',
    u: '0',
    opcode: '1000',
    hasScalar: false,
    op: (s, { lane }, a, b) => multiplyLanes(s, lane, a, b),
  },
  { name: 'sqdmulh', u: '0', opcode: '1100', hasScalar: true, op: doublingHigh('sqdmulh', false) },
  { name: 'sqrdmulh', u: '0', opcode: '1101', hasScalar: true, op: doublingHigh('sqrdmulh', true) },
  {
    name: 'sqrdmlah',
    u: '1',
    opcode: '1101',
    hasScalar: true,
    op: doublingAccumulate('sqrdmlah', 1),
  },
  {
    name: 'sqrdmlsh',
    u: '1',
    opcode: '1111',
    hasScalar: true,
    op: doublingAccumulate('sqrdmlsh', -1),
  },
];

/** Bits 21 to 16 and 11 of a row by element are L, M, Rm and H: all free. */
const elementPattern = (shape: Arrangement, u: string, opcode: string): string =>
  `${head(shape, u, '01111')} ${shape.size} . . .... ${opcode} . 0 ..... .....`;

const elementRows = byElement.flatMap(({ name, u, opcode, hasScalar, op }) =>
  [...vectors(16, 32), ...(hasScalar ? scalars(16, 32) : [])].map((shape) => {
    const lane = shape.lane as 16 | 32;
    const { rm, index, letter } = elementFields[lane];
    const { r, suffix } = shape;
    const base = { rd: r.destination('0:5'), rn: r.source('5:5'), rm, old: r.source('0:5'), index };
    const draft = format(base)(
      elementPattern(shape, u, opcode),
      `${name} {rd}${suffix}, {rn}${suffix}, {rm}.${letter}[{index}]`,
      guarded((s, f) => {
        const element = spreadElement(s, lane, s.get(f.rm), f.index);
        const made = op(s, shape, s.get(f.rn), element, () => s.get(f.old));
        s.set(f.rd, fit(s, shape, made));
      }),
    );
    return [`${name}_element_${shape.name}`, draft] as const;
  }),
);

/** Wide operations by element, by their opcodes there. */
const wideByElement: readonly (WideOperation & { readonly hasScalar: boolean })[] = [
  ...threeDifferent
    .filter(({ name }) => /ml[as]l|mull/.test(name))
    .map((operation) => ({
      ...operation,
      hasScalar: false,
      opcode: operation.name.endsWith('mlal')
        ? '0010'
        : operation.name.endsWith('mlsl')
          ? '0110'
          : '1010',
    })),
  ...doublings.map((operation, i) => ({
    ...operation,
    hasScalar: true,
    opcode: ['0011', '0111', '1011'][i]!,
  })),
];

const wideElementRows = wideByElement.flatMap(({ name, u, opcode, op, hasScalar }) =>
  [...vectors(16, 32), ...(hasScalar ? scalars(16, 32) : [])].map((shape) => {
    const lane = shape.lane as 16 | 32;
    const { rm, index, letter } = elementFields[lane];
    const isScalar = shape.q === 'scalar';
    const isHigh = shape.q === '1';
    const wide = (2 * lane) as Lane;
    const target = isScalar ? scalars(wide)[0]! : { ...shape, bits: 128, lane: wide, r: v };
    const mnemonic = isHigh ? `${name}2` : name;
    const big = isScalar ? '' : `.${wideNames[wide]}`;
    const draft = format({
      rd: target.r.destination('0:5'),
      rn: shape.r.source('5:5'),
      rm,
      old: target.r.source('0:5'),
      index,
    })(
      elementPattern(shape, u, opcode),
      `${mnemonic} {rd}${big}, {rn}${shape.suffix}, {rm}.${letter}[{index}]`,
      guarded((s, f) => {
        const element = spreadElement(s, lane, s.get(f.rm), f.index);
        const at = { wide, isHigh, shape: target };
        const made = op(s, at, s.get(f.rn), element, () => s.get(f.old));
        s.set(f.rd, fit(s, target, made));
      }),
    );
    return [`${mnemonic}_element_${shape.name}`, draft] as const;
  }),
);

const dotElements = ([true, false] as const).flatMap((isSigned) =>
  vectors(32).map((shape) => {
    const name = isSigned ? 'sdot' : 'udot';
    const { rm, index } = elementFields[32];
    const bytes = shape.q === '1' ? '16b' : '8b';
    const draft = format({ rd: fields.rd, rn: fields.rn, rm, old: v.source('0:5'), index })(
      `0 ${shape.q} ${isSigned ? 0 : 1} 01111 10 . . .... 1110 . 0 ..... .....`,
      `${name} {rd}${shape.suffix}, {rn}.${bytes}, {rm}.4b[{index}]`,
      guarded((s, f) => {
        const element = spreadElement(s, 32, s.get(f.rm), f.index);
        const products = dotProduct(s, s.get(f.rn), element, isSigned);
        s.set(f.rd, fit(s, shape, s.i32x4_add(s.get(f.old), products)));
      }),
    );
    return [`${name}_element_${shape.name}`, draft] as const;
  }),
);

export const rows: readonly Row[] = [
  ...named('AdvSIMD', [
    ...wideRows,
    ...scalarDoublings,
    ...polynomials,
    ...highHalves,
    ...narrowRows,
    ...shiftedLong,
    ...elementRows.filter(([name]) => !name.startsWith('sqrdml')),
    ...wideElementRows,
  ]),
  ...named(
    'RDM',
    elementRows.filter(([name]) => name.startsWith('sqrdml')),
  ),
  ...named('PMULL', longPolynomials),
  ...named('DotProd', dotElements),
];
