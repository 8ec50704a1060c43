// Advanced SIMD: shifts by an immediate. DDI 0487, C4.1.96 (shift by immediate, vector and scalar).
//
// Seven bits, immh and immb, tell the width by their highest one, and the amount: to the left it is what is above that
// one, to the right twice the width less the seven bits.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand } from '../../ir/node.ts';
import { format, number, type NumberField, type Row } from '../shared/row.ts';
import {
  type Arrangement,
  clamp,
  eachLane,
  fit,
  guarded,
  type I64,
  type Lane,
  type LaneOperation,
  lanes,
  named,
  saturate,
  scalars,
  type V128,
  vectors,
  zero,
} from './simd.ts';
import { routineFor } from './simd-integer.ts';
import { extend } from './simd-wide.ts';
import { v } from './state.ts';

/** The fixed bits of immh and immb for a width, and the field of the amount. */
export function amountField(lane: Lane, isRight: boolean): { bits: string; field: NumberField } {
  const free = Math.log2(lane);
  const bits = `${'0'.repeat(6 - free)}1${'.'.repeat(free)}`;
  const decode = (raw: number): bigint => BigInt(isRight ? lane - raw : raw);
  return { bits, field: number(`16:${free}`, { code: { decode, print: String } }) };
}

const ALL = [8, 16, 32, 64] as const;
type Shift = (s: Builder, shape: Arrangement, a: V128, amount: I64, old: () => V128) => V128;

const by = (s: Builder, amount: I64) => s.wrap(amount);

/** A shift to the right by one to the width: by the width it is of one less, and one more. */
function right(s: Builder, lane: Lane, a: V128, amount: I64, isSigned: boolean): V128 {
  const name = isSigned ? 'shr_s' : 'shr_u';
  const less = lanes(s, lane, name, a, by(s, s.sub(amount, 1)));
  return lanes(s, lane, name, less, s.wrap(s.const64(1)));
}

/** The same, rounded: with the bit that is shifted out last. */
function rounded(s: Builder, lane: Lane, a: V128, amount: I64, isSigned: boolean): V128 {
  const name = isSigned ? 'shr_s' : 'shr_u';
  const less = lanes(s, lane, name, a, by(s, s.sub(amount, 1)));
  const one = s.wrap(s.const64(1));
  const lost = s.v128_and(less, spreadOne(lane));
  return lanes(s, lane, 'add', lanes(s, lane, name, less, one), lost);
}

const spreadOne = (lane: Lane): bigint => {
  let all = 0n;
  for (let at = 0; at < 128; at += lane) all |= 1n << BigInt(at);
  return all;
};

const ones = (s: Builder): V128 => s.v128_not(zero);

/** sli and sri: the bits that the shift brings in are the destination's own. */
function insertLeft(s: Builder, lane: Lane, a: V128, amount: I64, old: V128): V128 {
  const mask = lanes(s, lane, 'shl', ones(s), by(s, amount));
  return s.v128_bitselect(lanes(s, lane, 'shl', a, by(s, amount)), old, mask);
}

function insertRight(s: Builder, lane: Lane, a: V128, amount: I64, old: V128): V128 {
  const mask = right(s, lane, ones(s), amount, false);
  return s.v128_bitselect(right(s, lane, a, amount, false), old, mask);
}

/** A shift to the left that saturates: from signed lanes to signed or unsigned ones, or unsigned. */
function saturating(name: string, isSigned: boolean, toSigned: boolean): Shift {
  return (s, shape, a, amount) => {
    const { lane } = shape;
    const op: LaneOperation = (t, value, count) => {
      const most = (1n << BigInt(toSigned ? lane - 1 : lane)) - 1n;
      const least = toSigned ? -(1n << BigInt(lane - 1)) : 0n;
      const highest = t.shr_u(most, count);
      const lowest = t.shr_s(least, count);
      const above = isSigned ? t.gt_s(value, highest) : t.gt_u(value, highest);
      const below = isSigned ? t.lt_s(value, lowest) : t.ne(0, 0);
      // Of a full width unsigned numbers the greatest looks negative.
      const tooMuch =
        isSigned && !toSigned && lane === 64
          ? t.both(t.ge_s(value, 0), t.gt_u(value, highest))
          : above;
      saturate(t, t.either(tooMuch, below));
      return t.select(below, least, t.select(tooMuch, most, t.shl(value, count)));
    };
    const made = routineFor(name, lane, 2, isSigned, op);
    return eachLane(s, shape, made, a, spreadAmount(s, lane, amount));
  };
}

const spreadAmount = (s: Builder, lane: Lane, amount: I64): V128 => {
  if (lane === 64) return s.i64x2_splat(amount);
  const word = s.wrap(amount);
  if (lane === 32) return s.i32x4_splat(word);
  return lane === 16 ? s.i16x8_splat(word) : s.i8x16_splat(word);
};

interface Operation {
  readonly name: string;
  readonly u: '0' | '1';
  readonly opcode: string;
  readonly isRight: boolean;
  readonly shapes: readonly Arrangement[];
  readonly accumulates?: boolean;
  readonly op: Shift;
}

const plain = [...vectors(...ALL), ...scalars(64)];
const everything = [...vectors(...ALL), ...scalars(...ALL)];
const add = (s: Builder, lane: Lane, a: V128, b: V128): V128 => lanes(s, lane, 'add', a, b);

const operations: readonly Operation[] = [
  {
    name: 'sshr',
    u: '0',
    opcode: '00000',
    isRight: true,
    shapes: plain,
    op: (s, { lane }, a, n) => right(s, lane, a, n, true),
  },
  {
    name: 'ushr',
    u: '1',
    opcode: '00000',
    isRight: true,
    shapes: plain,
    op: (s, { lane }, a, n) => right(s, lane, a, n, false),
  },
  {
    name: 'ssra',
    u: '0',
    opcode: '00010',
    isRight: true,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => add(s, lane, old(), right(s, lane, a, n, true)),
  },
  {
    name: 'usra',
    u: '1',
    opcode: '00010',
    isRight: true,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => add(s, lane, old(), right(s, lane, a, n, false)),
  },
  {
    name: 'srshr',
    u: '0',
    opcode: '00100',
    isRight: true,
    shapes: plain,
    op: (s, { lane }, a, n) => rounded(s, lane, a, n, true),
  },
  {
    name: 'urshr',
    u: '1',
    opcode: '00100',
    isRight: true,
    shapes: plain,
    op: (s, { lane }, a, n) => rounded(s, lane, a, n, false),
  },
  {
    name: 'srsra',
    u: '0',
    opcode: '00110',
    isRight: true,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => add(s, lane, old(), rounded(s, lane, a, n, true)),
  },
  {
    name: 'ursra',
    u: '1',
    opcode: '00110',
    isRight: true,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => add(s, lane, old(), rounded(s, lane, a, n, false)),
  },
  {
    name: 'sri',
    u: '1',
    opcode: '01000',
    isRight: true,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => insertRight(s, lane, a, n, old()),
  },
  {
    name: 'shl',
    u: '0',
    opcode: '01010',
    isRight: false,
    shapes: plain,
    op: (s, { lane }, a, n) => lanes(s, lane, 'shl', a, by(s, n)),
  },
  {
    name: 'sli',
    u: '1',
    opcode: '01010',
    isRight: false,
    shapes: plain,
    accumulates: true,
    op: (s, { lane }, a, n, old) => insertLeft(s, lane, a, n, old()),
  },
  {
    name: 'sqshlu',
    u: '1',
    opcode: '01100',
    isRight: false,
    shapes: everything,
    op: saturating('sqshlu_imm', true, false),
  },
  {
    name: 'sqshl',
    u: '0',
    opcode: '01110',
    isRight: false,
    shapes: everything,
    op: saturating('sqshl_imm', true, true),
  },
  {
    name: 'uqshl',
    u: '1',
    opcode: '01110',
    isRight: false,
    shapes: everything,
    op: saturating('uqshl_imm', false, false),
  },
];

/** The class's bits, from bit 31 to 24. */
const headOf = ({ q }: Arrangement, u: string): string =>
  q === 'scalar' ? `01 ${u} 111110` : `0 ${q} ${u} 011110`;

const sameWidth = operations.flatMap(({ name, u, opcode, isRight, shapes, accumulates, op }) =>
  shapes.map((shape) => {
    const { r, suffix, lane } = shape;
    const { bits, field } = amountField(lane, isRight);
    const base = { rd: r.destination('0:5'), rn: r.source('5:5'), amount: field };
    const pattern = `${headOf(shape, u)} ${bits} ${opcode} 1 ..... .....`;
    const text = `${name} {rd}${suffix}, {rn}${suffix}, #{amount}`;
    type F = {
      rd: RegisterOperand<'v128'>;
      rn: RegisterOperand<'v128'>;
      old?: RegisterOperand<'v128'>;
      amount: I64;
    };
    const meaning = guarded<F>((s, f) => {
      const made = op(s, shape, s.get(f.rn), f.amount, () => s.get(f.old ?? f.rd));
      s.set(f.rd, fit(s, shape, made));
    });
    const draft =
      accumulates === true
        ? format({ ...base, old: r.source('0:5') })(pattern, text, meaning)
        : format(base)(pattern, text, meaning);
    return [`${name}_imm_${shape.name}`, draft] as const;
  }),
);

/** Shifts to the right into lanes half as wide. */
const narrowing = [
  {
    name: 'shrn',
    u: '0',
    opcode: '10000',
    rounds: false,
    from: false,
    to: false,
    saturates: false,
  },
  {
    name: 'rshrn',
    u: '0',
    opcode: '10001',
    rounds: true,
    from: false,
    to: false,
    saturates: false,
  },
  {
    name: 'sqshrun',
    u: '1',
    opcode: '10000',
    rounds: false,
    from: true,
    to: false,
    saturates: true,
  },
  {
    name: 'sqrshrun',
    u: '1',
    opcode: '10001',
    rounds: true,
    from: true,
    to: false,
    saturates: true,
  },
  { name: 'sqshrn', u: '0', opcode: '10010', rounds: false, from: true, to: true, saturates: true },
  { name: 'sqrshrn', u: '0', opcode: '10011', rounds: true, from: true, to: true, saturates: true },
  {
    name: 'uqshrn',
    u: '1',
    opcode: '10010',
    rounds: false,
    from: false,
    to: false,
    saturates: true,
  },
  {
    name: 'uqrshrn',
    u: '1',
    opcode: '10011',
    rounds: true,
    from: false,
    to: false,
    saturates: true,
  },
] as const;

type Narrowing = (typeof narrowing)[number];

/** The shifted lanes in the lower half. */
function narrowed(
  s: Builder,
  { name, rounds, from, to, saturates }: Narrowing,
  shape: Arrangement,
  a: V128,
  amount: I64,
) {
  const { lane } = shape;
  const wide = (2 * lane) as Lane;
  const shifted = rounds ? rounded(s, wide, a, amount, from) : right(s, wide, a, amount, from);
  if (!saturates) return lanes(s, lane, 'uzp1', shifted, zero);
  const op: LaneOperation = (t, value) => {
    if (from) return clamp(t, value, lane, to);
    const most = (1n << BigInt(lane)) - 1n;
    const above = t.gt_u(value, most);
    saturate(t, above);
    return t.select(above, most, value);
  };
  const bits = shape.q === 'scalar' ? wide : 128;
  const made = routineFor(`${name}_imm`, wide, 1, from, op);
  const cut = eachLane(s, { ...shape, bits, lane: wide }, made, shifted);
  return lanes(s, lane, 'uzp1', cut, zero);
}

const bigNames: Readonly<Record<number, string>> = { 16: '8h', 32: '4s', 64: '2d' };

const narrowRows = narrowing.flatMap((operation) => {
  const { name, u, opcode, saturates } = operation;
  const vector = vectors(8, 16, 32).map((shape) => {
    const isUpper = shape.q === '1';
    const mnemonic = isUpper ? `${name}2` : name;
    const { bits, field } = amountField(shape.lane, true);
    const draft = format({
      rd: v.destination('0:5'),
      rn: v.source('5:5'),
      old: v.source('0:5'),
      amount: field,
    })(
      `${headOf(shape, u)} ${bits} ${opcode} 1 ..... .....`,
      `${mnemonic} {rd}${shape.suffix}, {rn}.${bigNames[2 * shape.lane]}, #{amount}`,
      guarded((s, f) => {
        const half = narrowed(s, operation, shape, s.get(f.rn), f.amount);
        s.set(f.rd, isUpper ? s.i64x2_zip1(s.get(f.old), half) : fit(s, { bits: 64 }, half));
      }),
    );
    return [`${mnemonic}_${shape.name}`, draft] as const;
  });
  const scalar = (saturates ? scalars(8, 16, 32) : []).map((shape) => {
    const wide = scalars((2 * shape.lane) as Lane)[0]!;
    const { bits, field } = amountField(shape.lane, true);
    const draft = format({
      rd: shape.r.destination('0:5'),
      rn: wide.r.source('5:5'),
      amount: field,
    })(
      `${headOf(shape, u)} ${bits} ${opcode} 1 ..... .....`,
      `${name} {rd}, {rn}, #{amount}`,
      guarded((s, f) => {
        const value = fit(s, wide, s.get(f.rn));
        s.set(f.rd, fit(s, shape, narrowed(s, operation, shape, value, f.amount)));
      }),
    );
    return [`${name}_${shape.name}`, draft] as const;
  });
  return [...vector, ...scalar];
});

/** sshll and ushll: wider, then shifted left. */
const longRows = (['s', 'u'] as const).flatMap((sign) =>
  vectors(8, 16, 32).map((shape) => {
    const isHigh = shape.q === '1';
    const wide = (2 * shape.lane) as Lane;
    const mnemonic = `${sign}shll${isHigh ? '2' : ''}`;
    const { bits, field } = amountField(shape.lane, false);
    const draft = format({ rd: v.destination('0:5'), rn: v.source('5:5'), amount: field })(
      `${headOf(shape, sign === 's' ? '0' : '1')} ${bits} 10100 1 ..... .....`,
      `${mnemonic} {rd}.${bigNames[wide]}, {rn}${shape.suffix}, #{amount}`,
      guarded((s, f) => {
        const value = extend(s, wide, isHigh, sign, s.get(f.rn));
        s.set(f.rd, lanes(s, wide, 'shl', value, by(s, f.amount)));
      }),
    );
    return [`${mnemonic}_${shape.name}`, draft] as const;
  }),
);

export const rows: readonly Row[] = named('AdvSIMD', [...sameWidth, ...narrowRows, ...longRows]);
