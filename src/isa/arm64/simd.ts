// What the tables of Advanced SIMD instructions share: arrangements of lanes, rows made of them, and lanes one by one.
// DDI 0487, C4.1.96.
//
// A vector operation is written for the width of a lane and works on all 128 bits; what an arrangement does not have is
// cleared from its result. So the scalar forms are arrangements of one lane.

import { constant, type Builder, routine } from '../../ir/builder.ts';
import type { RegisterOperand, Routine, Value } from '../../ir/node.ts';
import type { PureOpName } from '../../ir/ops.ts';
import { format, instructions, type Row } from '../shared/row.ts';
import { requireFp } from './exceptions.ts';
import { b, core, d, h, s as single, v } from './state.ts';

export type V128 = Value<'v128'>;
export type I64 = Value<'i64'>;
export type Lane = 8 | 16 | 32 | 64;
export type Draft = Omit<Row, 'name' | 'extension'>;

/** How lanes lie in a register. */
export interface Arrangement {
  /** As row names have it: 8b, 16b, …, or the letter of a scalar. */
  readonly name: string;
  /** As assembly has it behind a register: `.8b`, or nothing for a scalar. */
  readonly suffix: string;
  readonly lane: Lane;
  /** Bits 30 and 28 of a vector instruction and a scalar one: 0Q and 01 with their other fixed bits left out. */
  readonly q: '0' | '1' | 'scalar';
  /** Bits 23 and 22. */
  readonly size: string;
  readonly r: typeof v;
  /** Bits that the arrangement has. */
  readonly bits: number;
}

const sizes = { 8: '00', 16: '01', 32: '10', 64: '11' } as const;
const letters = { 8: 'b', 16: 'h', 32: 's', 64: 'd' } as const;
const scalarFields = { 8: b, 16: h, 32: single, 64: d } as const;

function vector(lane: Lane, q: '0' | '1'): Arrangement {
  const bits = q === '1' ? 128 : 64;
  const name = `${bits / lane}${letters[lane]}`;
  return { name, suffix: `.${name}`, lane, q, size: sizes[lane], r: v, bits };
}

const scalar = (lane: Lane): Arrangement => ({
  name: letters[lane],
  suffix: '',
  lane,
  q: 'scalar',
  size: sizes[lane],
  r: scalarFields[lane],
  bits: lane,
});

/** Arrangements of lanes of the widths; those of 64 bits have no form of one lane. */
export const vectors = (...lanes: readonly Lane[]): Arrangement[] =>
  lanes.flatMap((lane) =>
    lane === 64 ? [vector(64, '1')] : [vector(lane, '0'), vector(lane, '1')],
  );
export const scalars = (...lanes: readonly Lane[]): Arrangement[] => lanes.map(scalar);
/** The arrangement of a whole register (q 1) or its lower half. */
export const arrangement = vector;

/** The first bits of a pattern: bit 31 to bit 24, of which `u` is bit 29 and the rest the class's. */
export const head = ({ q }: Arrangement, u: string, kind: '01110' | '01111' | '011110'): string => {
  if (q !== 'scalar') return `0 ${q} ${u} ${kind}`;
  return `01 ${u} ${kind === '01110' ? '11110' : kind === '01111' ? '11111' : '111110'}`;
};

const shapeNames = { 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const;

/** An operation of WebAssembly on lanes of a width, by its name. */
export const lanes = (
  s: Builder,
  lane: Lane,
  name: string,
  ...args: readonly (V128 | Value<'i32'>)[]
): V128 => s.pure(`${shapeNames[lane]}_${name}` as PureOpName, args) as V128;

export const vectorConstant = (value: bigint): V128 => constant('v128', value);
export const zero = vectorConstant(0n);
const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** The same value in all lanes. */
export function repeated(lane: Lane, value: bigint): V128 {
  let all = 0n;
  for (let at = 0; at < 128; at += lane) all |= BigInt.asUintN(lane, value) << BigInt(at);
  return vectorConstant(all);
}

/** Clears what an arrangement does not have. */
export const fit = (s: Builder, { bits }: Pick<Arrangement, 'bits'>, value: V128): V128 =>
  bits === 128 ? value : s.v128_and(value, ones(bits));

/** The lower and the upper doubleword. */
export const halves = (s: Builder, value: V128): [I64, I64] => [
  s.i64x2_extract_0(value),
  s.i64x2_extract_1(value),
];

export const join = (s: Builder, low: I64, high: I64): V128 =>
  s.i64x2_replace_1(s.i64x2_replace_0(zero, low), high);
/** A doubleword in the lower half, zero above. */
export const lower = (s: Builder, low: I64): V128 => s.i64x2_replace_0(zero, low);

const QC = 1n << 27n;

/** Notes saturation where a mask has ones, in the lanes of the arrangement. */
export function noteSaturation(s: Builder, shape: Arrangement, mask: V128): void {
  const saturated = s.v128_any_true(fit(s, shape, mask));
  s.rarely(saturated, () => s.setState(core.fpsr, s.or(s.state(core.fpsr), QC)));
}

type SimdMeaning<F> = (s: Builder, f: F) => void;

/** A meaning that traps where SIMD may not be used. */
export const guarded =
  <F>(meaning: SimdMeaning<F>): SimdMeaning<F> =>
  (s, f) => {
    requireFp(s);
    meaning(s, f);
  };

export interface Three {
  readonly rd: RegisterOperand<'v128'>;
  readonly rn: RegisterOperand<'v128'>;
  readonly rm: RegisterOperand<'v128'>;
}

/** Rows of drafts by name. */
export const named = (extension: string, drafts: readonly (readonly [string, Draft])[]): Row[] =>
  instructions(extension, Object.fromEntries(drafts));

/** An operation on two vectors; `old` is the destination before. */
export type Binary = (s: Builder, shape: Arrangement, a: V128, b: V128, old: () => V128) => V128;

/** A row of three registers of one arrangement; `accumulates`: the destination is a source too. */
export function three(
  name: string,
  pattern: string,
  shape: Arrangement,
  op: Binary,
  accumulates = false,
): readonly [string, Draft] {
  const { r, suffix } = shape;
  const fields = {
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
    old: r.source('0:5'),
  };
  const text = `${name} {rd}${suffix}, {rn}${suffix}, {rm}${suffix}`;
  const meaning = guarded<Three & { old?: RegisterOperand<'v128'> }>((s, f) => {
    const old = (): V128 => s.get(f.old ?? f.rd);
    s.set(f.rd, fit(s, shape, op(s, shape, s.get(f.rn), s.get(f.rm), old)));
  });
  const { old, ...plain } = fields;
  const draft = accumulates
    ? format({ ...plain, old })(pattern, text, meaning)
    : format(plain)(pattern, text, meaning);
  return [`${name}_${shape.name}`, draft];
}

/** An operation on one vector. */
export type Unary = (s: Builder, shape: Arrangement, a: V128, old: () => V128) => V128;

/** A row of two registers of one arrangement, whose text ends with `tail`. */
export function two(
  name: string,
  pattern: string,
  shape: Arrangement,
  op: Unary,
  { accumulates = false, tail = '', rowName = name } = {},
): readonly [string, Draft] {
  const { r, suffix } = shape;
  const plain = { rd: r.destination('0:5'), rn: r.source('5:5') };
  const text = `${name} {rd}${suffix}, {rn}${suffix}${tail}`;
  type Two = Omit<Three, 'rm'> & { old?: RegisterOperand<'v128'> };
  const meaning = guarded<Two>((s, f) => {
    const old = (): V128 => s.get(f.old ?? f.rd);
    s.set(f.rd, fit(s, shape, op(s, shape, s.get(f.rn), old)));
  });
  const draft = accumulates
    ? format({ ...plain, old: r.source('0:5') })(pattern, text, meaning)
    : format(plain)(pattern, text, meaning);
  return [`${rowName}_${shape.name}`, draft];
}

/** What is done with one lane of each argument, as numbers of 64 bits; the result is cut to the lane. */
export type LaneOperation = (s: Builder, ...lanes: readonly I64[]) => I64;

/**
 * An operation that WebAssembly does not have, on the lanes of doublewords one by one: `(doublewords…) → doubleword`.
 * For lanes of 64 bits the routine's body is the operation itself.
 */
export function laneRoutine(
  name: string,
  lane: Lane,
  count: number,
  isSigned: boolean,
  op: LaneOperation,
): Routine {
  const params = Array<'i64'>(count).fill('i64');
  return routine(`${name}_${lane}`, params, 'i64', (s, ...args) => {
    if (lane === 64) return s.return(op(s, ...(args as readonly I64[])));
    const mask = ones(lane);
    const left = (args as readonly I64[]).map((arg) => s.variable('i64', arg));
    const result = s.variable('i64', 0);
    const at = s.variable('i64', 0);
    s.loop(() => {
      const values = left.map((variable) => {
        const unused = 64 - lane;
        const value = s.read(variable);
        return isSigned ? s.shr_s(s.shl(value, unused), unused) : s.and(value, mask);
      });
      const made = s.and(op(s, ...values), mask);
      s.assign(result, s.or(s.read(result), s.shl(made, s.read(at))));
      for (const variable of left) s.assign(variable, s.shr_u(s.read(variable), lane));
      s.assign(at, s.add(s.read(at), lane));
      s.when(s.eq(s.read(at), 64), () => s.break());
    });
    s.return(s.read(result));
  });
}

/** Calls a lane routine for the doublewords that an arrangement has; of scalars other lanes are passed as zero. */
export function eachLane(
  s: Builder,
  shape: Arrangement,
  made: Routine,
  ...args: readonly V128[]
): V128 {
  const fitted = shape.bits < 64 ? args.map((arg) => fit(s, shape, arg)) : args;
  const low = s.call(made, 'i64', ...fitted.map((arg) => s.i64x2_extract_0(arg)));
  if (shape.bits <= 64) return lower(s, low);
  const high = s.call(made, 'i64', ...fitted.map((arg) => s.i64x2_extract_1(arg)));
  return join(s, low, high);
}

/** Notes saturation in a routine on lanes. */
export function saturate(s: Builder, condition: Value<'i1'>): void {
  s.rarely(condition, () => s.setState(core.fpsr, s.or(s.state(core.fpsr), QC)));
}

/** A signed or unsigned value cut to what `bits` bits hold, with QC if that changes it. */
export function clamp(s: Builder, value: I64, bits: number, isSigned: boolean): I64 {
  const [low, high] = isSigned ? [-(1n << BigInt(bits - 1)), ones(bits - 1)] : [0n, ones(bits)];
  const below = s.lt_s(value, low);
  const above = s.gt_s(value, high);
  saturate(s, s.either(below, above));
  return s.select(below, low, s.select(above, high, value));
}
