// What F and D have in common: the hart's floating-point routines, formats of instructions, and rows for one format.
// Unprivileged ISA, chapters 21 and 22: canonical NaNs, tininess after rounding, conversions that saturate.
//
// Every row first requires the unit to be on; those with an rm field then resolve the mode, so a reserved one raises
// before anything happens.

import { type Builder, routine } from '../../ir/builder.ts';
import type { RegisterOperand, Routine, Value } from '../../ir/node.ts';
import { type FastFormat, fastFloat } from '../shared/float-fast.ts';
import { floatRoutines, type FormatRoutines } from '../shared/float.ts';
import { format, number } from '../shared/row.ts';
import { binary32, binary64, defaultNaN, type FloatFormat } from '../shared/softfloat.ts';
import { getF32, getF64, requireFp, setF32, setF64, roundingMode } from './fp-state.ts';
import { f, hart, x } from './state.ts';

type I64 = Value<'i64'>;

export const floating = floatRoutines(hart.fflags, {
  tininess: 'after rounding',
  nan: defaultNaN,
  invalidInteger: (cause, low, high) => (cause === 'low' ? low : high),
});

const inline = fastFloat(hart.fflags, floating);

const fd = f.destination('7:5');
const fs1 = f.source('15:5');
const fs2 = f.source('20:5');
const fs3 = f.source('27:5');
const xd = x.destination('7:5');
const xs1 = x.source('15:5');
const rm = number('12:3', { names: ['rne', 'rtz', 'rdn', 'rup', 'rmm', '5', '6', 'dyn'] });

export const rounded1 = format({ rd: fd, rs1: fs1, rm });
export const rounded2 = format({ rd: fd, rs1: fs1, rs2: fs2, rm });
export const rounded3 = format({ rd: fd, rs1: fs1, rs2: fs2, rs3: fs3, rm });
export const exact2 = format({ rd: fd, rs1: fs1, rs2: fs2 });
export const comparison = format({ rd: xd, rs1: fs1, rs2: fs2 });
export const floatToX = format({ rd: xd, rs1: fs1 });
export const roundedFloatToX = format({ rd: xd, rs1: fs1, rm });
export const xToFloat = format({ rd: fd, rs1: xs1 });
export const roundedXToFloat = format({ rd: fd, rs1: xs1, rm });
export const floatLoad = format({ rd: fd, rs1: xs1, imm: number('20:s12') });
export const floatStore = format({ rs1: xs1, rs2: fs2, imm: number('25:s7 7:5') });

type Sources<K extends string> = { readonly [P in K]: RegisterOperand };
type One = Sources<'rd' | 'rs1'>;
type Two = Sources<'rd' | 'rs1' | 'rs2'>;
type Three = Sources<'rd' | 'rs1' | 'rs2' | 'rs3'>;
interface Rounded {
  readonly rm: I64;
}

/** Integer formats by the letters that mnemonics use. */
export type IntegerName = 'w' | 'wu' | 'l' | 'lu';
const routineOf = { w: 'i32', wu: 'u32', l: 'i64', lu: 'u64' } as const;

/** How F or D reads and writes its registers. */
export interface Precision {
  readonly format: FloatFormat;
  readonly routines: FormatRoutines;
  /** The operations that programs do most, in line. */
  readonly fast: FastFormat;
  readonly classify: Routine;
  readonly get: (s: Builder, register: RegisterOperand) => I64;
  readonly set: (s: Builder, register: RegisterOperand, value: I64) => void;
}

/**
 * fclass: one bit for the class, from bit 0 negative infinity, normal, subnormal, zero, then positive zero up to
 * infinity, signaling NaN, quiet NaN.
 */
const classifyRoutine = (form: FloatFormat): Routine =>
  routine(`fclass_${form.name}`, ['i64'], 'i64', (s, a) => {
    const sign = 1n << BigInt(form.width - 1);
    const infinity = BigInt(2 * form.maxExponent + 1) << BigInt(form.fractionBits);
    const quietNaN = defaultNaN(form);
    const smallestNormal = 1n << BigInt(form.fractionBits);
    const magnitude = s.and(a, sign - 1n);
    // Classes of a magnitude by distance from zero: 0 zero, 1 subnormal, 2 normal, 3 infinite.
    const nonzero = s.zext1(s.ne(magnitude, 0n));
    const normal = s.zext1(s.ge_u(magnitude, smallestNormal));
    const infinite = s.zext1(s.ge_u(magnitude, infinity));
    const distance = s.add(s.add(nonzero, normal), infinite);
    const negative = s.ne(s.and(a, sign), 0n);
    const bit = s.select(negative, s.sub(3n, distance), s.add(4n, distance));
    const nan = s.select(s.ge_u(magnitude, quietNaN), 9n, 8n);
    s.return(s.shl(1n, s.select(s.gt_u(magnitude, infinity), nan, bit)));
  });

export const single: Precision = {
  format: binary32,
  routines: floating.f32,
  fast: inline.f32,
  classify: classifyRoutine(binary32),
  get: getF32,
  set: setF32,
};

export const double: Precision = {
  format: binary64,
  routines: floating.f64,
  fast: inline.f64,
  classify: classifyRoutine(binary64),
  get: getF64,
  set: setF64,
};

/** rd = √rs1 */
export const squareRoot =
  ({ get, set, fast }: Precision) =>
  (s: Builder, o: One & Rounded): void => {
    requireFp(s);
    const mode = roundingMode(s, o.rm);
    set(s, o.rd, fast.sqrt(s, get(s, o.rs1), mode));
  };

/** rd = rs1 operation rs2 */
export const roundedBinary =
  ({ get, set, fast }: Precision, operation: 'add' | 'sub' | 'mul' | 'div') =>
  (s: Builder, o: Two & Rounded): void => {
    requireFp(s);
    const mode = roundingMode(s, o.rm);
    set(s, o.rd, fast[operation](s, get(s, o.rs1), get(s, o.rs2), mode));
  };

/** rd = ±(rs1 × rs2) ± rs3, by the signs of rs1 and rs3 that go into the routine. */
export const fused =
  (precision: Precision, signs: { readonly product: '+' | '-'; readonly addend: '+' | '-' }) =>
  (s: Builder, o: Three & Rounded): void => {
    const { get, set, routines } = precision;
    const signed = (value: I64, sign: '+' | '-'): I64 =>
      sign === '-' ? s.xor(value, signBit(precision)) : value;
    requireFp(s);
    const mode = roundingMode(s, o.rm);
    const a = signed(get(s, o.rs1), signs.product);
    const c = signed(get(s, o.rs3), signs.addend);
    set(s, o.rd, s.call(routines.fma, 'i64', a, get(s, o.rs2), c, mode));
  };

/** rd = routine(rs1, rs2) in an f register. */
export const plainBinary =
  ({ get, set }: Precision, callee: Routine) =>
  (s: Builder, o: Two): void => {
    requireFp(s);
    set(s, o.rd, s.call(callee, 'i64', get(s, o.rs1), get(s, o.rs2)));
  };

/** rd = rs1 with a sign made from both operands' encodings; only its sign bit counts. */
export const signInjection =
  (precision: Precision, sign: (s: Builder, a: I64, b: I64) => I64) =>
  (s: Builder, o: Two): void => {
    const { get, set } = precision;
    requireFp(s);
    const a = get(s, o.rs1);
    const magnitude = s.and(a, signBit(precision) - 1n);
    const bit = s.and(sign(s, a, get(s, o.rs2)), signBit(precision));
    set(s, o.rd, s.or(magnitude, bit));
  };

/** x[rd] = whether rs1 relation rs2 */
export const compareWith =
  ({ get, fast }: Precision, relation: 'eq' | 'lt' | 'le') =>
  (s: Builder, o: Two): void => {
    requireFp(s);
    s.set(o.rd, fast[relation](s, get(s, o.rs1), get(s, o.rs2)));
  };

/** x[rd] = class of rs1 */
export const classOf =
  ({ get, classify }: Precision) =>
  (s: Builder, o: One): void => {
    requireFp(s);
    s.set(o.rd, s.call(classify, 'i64', get(s, o.rs1)));
  };

/** x[rd] = rs1 as an integer; 32-bit results are sign-extended, unsigned ones too. */
export const toX =
  ({ get, routines }: Precision, name: IntegerName) =>
  (s: Builder, o: One & Rounded): void => {
    requireFp(s);
    const mode = roundingMode(s, o.rm);
    const integer = s.call(routines.toInteger[routineOf[name]], 'i64', get(s, o.rs1), mode);
    s.set(o.rd, name.startsWith('w') ? s.ext32_s(integer) : integer);
  };

/** rd = the integer x[rs1] */
export const fromX =
  ({ set, routines }: Precision, name: IntegerName) =>
  (s: Builder, o: One & Rounded): void => {
    requireFp(s);
    const mode = roundingMode(s, o.rm);
    const source = s.get(o.rs1);
    const word = name === 'w' ? s.ext32_s(source) : s.and(source, 0xffff_ffffn);
    const integer = name.startsWith('w') ? word : source;
    set(s, o.rd, s.call(routines.fromInteger[routineOf[name]], 'i64', integer, mode));
  };

const signBit = ({ format: form }: Precision): bigint => 1n << BigInt(form.width - 1);

export const sameSign = (_: Builder, __: I64, b: I64): I64 => b;
export const oppositeSign = (s: Builder, _: I64, b: I64): I64 => s.xor(b, -1n);
export const signProduct = (s: Builder, a: I64, b: I64): I64 => s.xor(a, b);

/** x[rd] = the encoding in rs1, read without regard to boxing. */
export const moveToX =
  (read: (s: Builder, bits: I64) => I64) =>
  (s: Builder, o: One): void => {
    requireFp(s);
    s.set(o.rd, read(s, s.get(o.rs1)));
  };

/** rd = the encoding in x[rs1] */
export const moveFromX =
  (set: Precision['set']) =>
  (s: Builder, o: One): void => {
    requireFp(s);
    set(s, o.rd, s.get(o.rs1));
  };

export const load =
  (width: 32 | 64, set: Precision['set']) =>
  (s: Builder, o: One & { readonly imm: I64 }): void => {
    requireFp(s);
    set(s, o.rd, s.load(width, s.add(s.get(o.rs1), o.imm)));
  };

export const store =
  (width: 32 | 64) =>
  (s: Builder, o: Sources<'rs1' | 'rs2'> & { readonly imm: I64 }): void => {
    requireFp(s);
    s.store(width, s.add(s.get(o.rs1), o.imm), s.get(o.rs2));
  };
