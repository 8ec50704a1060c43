// Floating-point arithmetic as Arm has it: the shared exact operations with Arm's NaNs, tininess and conversions, and
// the operations that only Arm has. DDI 0487, A1.5 (floating-point support), shared/functions/float.
//
// Values are encodings in i64, as in float.ts. Where FPCR.FZ is on, subnormal operands are replaced by zeros before an
// operation sees them; that and everything else but the default mode is the slow way.

import { type Builder, helper, routine } from '../../ir/builder.ts';
import type { HelperContext, Routine, Value } from '../../ir/node.ts';
import { fastFloat } from '../shared/float-fast.ts';
import { floatRoutines, type FormatRoutines, type Host, host32, host64 } from '../shared/float.ts';
import {
  binary16,
  binary32,
  binary64,
  convert,
  defaultNaN,
  flag,
  type FloatContext,
  type FloatFormat,
  type FloatRules,
  fma,
  rounding,
} from '../shared/softfloat.ts';
import { IDC, MODE } from './fp-state.ts';
import { core } from './state.ts';

type I64 = Value<'i64'>;
type I1 = Value<'i1'>;

const magnitudeMask = (format: FloatFormat): bigint => (1n << BigInt(format.width - 1)) - 1n;
const signBit = (format: FloatFormat): bigint => 1n << BigInt(format.width - 1);
const infinityOf = (format: FloatFormat): bigint =>
  BigInt(2 * format.maxExponent + 1) << BigInt(format.fractionBits);
const quietBit = (format: FloatFormat): bigint => 1n << BigInt(format.fractionBits - 1);

const isNaNBits = (format: FloatFormat, a: bigint): boolean =>
  (a & magnitudeMask(format)) > infinityOf(format);
const isSignalingBits = (format: FloatFormat, a: bigint): boolean =>
  isNaNBits(format, a) && (a & quietBit(format)) === 0n;

/** A NaN made quiet, in another format: sign and the upper bits of the fraction stay. */
function quieted(a: bigint, from: FloatFormat, to: FloatFormat): bigint {
  const sign = (a & signBit(from)) !== 0n ? signBit(to) : 0n;
  const fraction = BigInt.asUintN(from.fractionBits, a);
  const shift = BigInt(to.fractionBits - from.fractionBits);
  const moved = shift >= 0n ? fraction << shift : fraction >> -shift;
  return sign | infinityOf(to) | quietBit(to) | moved;
}

/** Whether a product of two is zero times infinity. */
function isZeroTimesInfinity(format: FloatFormat, a: bigint, b: bigint): boolean {
  const [x, y] = [a & magnitudeMask(format), b & magnitudeMask(format)];
  const infinity = infinityOf(format);
  return (x === 0n && y === infinity) || (x === infinity && y === 0n);
}

/** FPProcessNaNs: the first signaling operand, else the first quiet one; an addend counts as the first of three. */
function chooseNaN(to: FloatFormat, operands: readonly bigint[], from: FloatFormat): bigint {
  const [a, b, addend] = operands;
  const ordered = addend === undefined ? operands : [addend, a!, b!];
  const signaling = ordered.find((operand) => isSignalingBits(from, operand));
  if (signaling !== undefined) return quieted(signaling, from, to);
  if (addend !== undefined && isZeroTimesInfinity(from, a!, b!)) return defaultNaN(to);
  const quiet = ordered.find((operand) => isNaNBits(from, operand));
  return quiet === undefined ? defaultNaN(to) : quieted(quiet, from, to);
}

function decode(mode: number): Partial<FloatContext> {
  return {
    mode: mode & MODE.rounding,
    flushesToZero: (mode & MODE.flush) !== 0,
    ...((mode & MODE.defaultNaN) !== 0 && { nan: defaultNaN }),
  };
}

const rules: FloatRules = {
  tininess: 'before rounding',
  nan: chooseNaN,
  invalidInteger: (cause, low, high) => (cause === 'nan' ? 0n : cause === 'low' ? low : high),
  decode,
};

const contextOf = (mode: bigint): FloatContext => ({
  ...rules,
  mode: Number(mode),
  ...decode(Number(mode)),
});

const base = floatRoutines(core.fpFlags, rules);

/** Raises flags numbered as in softfloat.ts. */
const raise = (s: Builder, flags: bigint): void =>
  s.setState(core.fpFlags, s.or(s.state(core.fpFlags), flags));

const magnitude = (s: Builder, format: FloatFormat, a: I64): I64 => s.and(a, magnitudeMask(format));
export const isNaN = (s: Builder, format: FloatFormat, a: I64): I1 =>
  s.gt_u(magnitude(s, format, a), infinityOf(format));
const isSignaling = (s: Builder, format: FloatFormat, a: I64): I1 =>
  s.both(isNaN(s, format, a), s.eqz(s.and(a, quietBit(format))));

/** The operand that an operation sees where the mode flushes: a subnormal number is a zero. */
function flushed(s: Builder, format: FloatFormat, a: I64, mode: I64): I64 {
  const result = s.variable('i64', a);
  s.rarely(s.ne(s.and(mode, MODE.flush), 0), () => {
    const size = magnitude(s, format, a);
    const isSubnormal = s.both(s.ne(size, 0), s.lt_u(size, 1n << BigInt(format.fractionBits)));
    s.when(isSubnormal, () => {
      s.setState(core.fpsr, s.or(s.state(core.fpsr), IDC));
      s.assign(result, s.and(a, signBit(format)));
    });
  });
  return s.read(result);
}

const i64s = (count: number): 'i64'[] => Array<'i64'>(count).fill('i64');

/** The same operation with its `count` operands flushed; the mode is the last parameter. */
const flushing = (format: FloatFormat, of: Routine, count: number): Routine =>
  routine(`flushing_${of.name}`, i64s(count + 1), 'i64', (s, ...args) => {
    const all = args as readonly I64[];
    const mode = all[count]!;
    const operands = all.slice(0, count).map((a) => flushed(s, format, a, mode));
    s.return(s.call(of, 'i64', ...operands, mode));
  });

/** The operations of one format, with the mode as last parameter of each. */
export interface ArmFormat {
  readonly format: FloatFormat;
  readonly host: Host;
  readonly routines: FormatRoutines;
  readonly fma: Routine;
  readonly max: Routine;
  readonly min: Routine;
  readonly maxNumber: Routine;
  readonly minNumber: Routine;
  readonly mulx: Routine;
  /** `(a, b, mode) → NZCV bits`; the second signals every NaN. */
  readonly compare: Routine;
  readonly compareSignaling: Routine;
  /** `(a, rounding, mode, isExact) → a rounded to an integer`; isExact: raise inexact. */
  readonly round: Routine;
  /** `(a, b, mode)`: 2 - a × b, and (3 - a × b) / 2. */
  readonly recipStep: Routine;
  readonly rsqrtStep: Routine;
  readonly recipEstimate: Routine;
  readonly rsqrtEstimate: Routine;
  readonly recipExponent: Routine;
}

/** What a helper computes with the mode, and with flags into the cell. */
function slowHelper(
  name: string,
  count: number,
  compute: (context: FloatContext, ...args: bigint[]) => { bits: bigint; flags: bigint },
) {
  return helper(
    name,
    i64s(count + 1),
    'i64',
    (cells: HelperContext, ...args) => {
      const { bits, flags } = compute(contextOf(args[count]!), ...args.slice(0, count));
      if (flags !== 0n) cells.set(core.fpFlags, cells.get(core.fpFlags) | flags);
      return bits;
    },
    [core.fpFlags],
  );
}

function armFormat(format: FloatFormat, host: Host, own: FormatRoutines): ArmFormat {
  const { name } = format;
  const two = (of: Routine): Routine => flushing(format, of, 2);
  const routines: FormatRoutines = {
    ...own,
    add: two(own.add),
    sub: two(own.sub),
    mul: two(own.mul),
    div: two(own.div),
    sqrt: flushing(format, own.sqrt, 1),
  };
  const flush = (s: Builder, a: I64, mode: I64): I64 => flushed(s, format, a, mode);
  const fused = flushing(format, own.fma, 3);
  return {
    format,
    host,
    routines,
    fma: fused,
    max: extremum(format, host, own, 'max', false),
    min: extremum(format, host, own, 'min', false),
    maxNumber: extremum(format, host, own, 'max', true),
    minNumber: extremum(format, host, own, 'min', true),
    mulx: routine(`mulx_${name}`, i64s(3), 'i64', (s, first, second, mode) => {
      const [a, b] = [flush(s, first, mode), flush(s, second, mode)];
      s.rarely(zeroTimesInfinity(s, format, a, b), () => {
        const sign = s.and(s.xor(a, b), signBit(format));
        s.return(s.or(sign, BigInt(format.maxExponent + 1) << BigInt(format.fractionBits)));
      });
      s.return(s.call(own.mul, 'i64', a, b, mode));
    }),
    compare: comparison(format, host, false),
    compareSignaling: comparison(format, host, true),
    round: roundRoutine(format, host, own),
    recipStep: stepRoutine(format, own, 'recps', 2n),
    rsqrtStep: stepRoutine(format, own, 'rsqrts', 3n),
    ...estimates(format, own),
  };
}

function zeroTimesInfinity(s: Builder, format: FloatFormat, a: I64, b: I64): I1 {
  const [x, y] = [magnitude(s, format, a), magnitude(s, format, b)];
  const infinity = infinityOf(format);
  return s.either(s.both(s.eqz(x), s.eq(y, infinity)), s.both(s.eq(x, infinity), s.eqz(y)));
}

/** FPMax, FPMin, and the forms that prefer a number to a quiet NaN. */
function extremum(
  format: FloatFormat,
  host: Host,
  own: FormatRoutines,
  op: 'min' | 'max',
  prefersNumber: boolean,
): Routine {
  const name = `arm_${op}${prefersNumber ? 'nm' : ''}_${format.name}`;
  return routine(name, i64s(3), 'i64', (s, first, second, mode) => {
    const [a, b] = [flushed(s, format, first, mode), flushed(s, format, second, mode)];
    const [nanA, nanB] = [isNaN(s, format, a), isNaN(s, format, b)];
    s.rarely(s.either(nanA, nanB), () => {
      if (prefersNumber) {
        const quietA = s.both(nanA, s.not(isSignaling(s, format, a)));
        const quietB = s.both(nanB, s.not(isSignaling(s, format, b)));
        s.when(s.both(quietA, s.not(nanB)), () => s.return(b));
        s.when(s.both(quietB, s.not(nanA)), () => s.return(a));
      }
      // A sum has the NaN that all operations choose.
      s.return(s.call(own.add, 'i64', a, b, mode));
    });
    const [left, right] = op === 'min' ? [a, b] : [b, a];
    const equal = op === 'min' ? s.or(a, b) : s.and(a, b);
    const rest = s.select(host.lt(s, right, left), b, equal);
    s.return(s.select(host.lt(s, left, right), a, rest));
  });
}

/** NZCV of a comparison: less 1000, equal 0110, greater 0010, unordered 0011. */
function comparison(format: FloatFormat, host: Host, signals: boolean): Routine {
  const name = `arm_cmp${signals ? 'e' : ''}_${format.name}`;
  return routine(name, i64s(3), 'i64', (s, first, second, mode) => {
    const [a, b] = [flushed(s, format, first, mode), flushed(s, format, second, mode)];
    s.rarely(s.either(isNaN(s, format, a), isNaN(s, format, b)), () => {
      const invalid = s.either(isSignaling(s, format, a), isSignaling(s, format, b));
      s.when(signals ? true : invalid, () => raise(s, flag.NV));
      s.return(s.const64(3));
    });
    const unequal = s.select(host.lt(s, a, b), 8, 2);
    s.return(s.select(host.eq(s, a, b), 6, unequal));
  });
}

/** `(a, rounding, mode, raisesInexact)` */
function roundRoutine(format: FloatFormat, host: Host, own: FormatRoutines): Routine {
  return routine(`arm_rint_${format.name}`, i64s(4), 'i64', (s, value, how, mode, exact) => {
    const a = flushed(s, format, value, mode);
    s.rarely(isNaN(s, format, a), () => s.return(s.call(own.add, 'i64', a, a, mode)));
    const x = host.widen(s, a);
    const whole = s.variable('f64', s.ftrunc64(x));
    s.when(s.eq(how, rounding.RNE), () => s.assign(whole, s.fnearest64(x)));
    s.when(s.eq(how, rounding.RDN), () => s.assign(whole, s.ffloor64(x)));
    s.when(s.eq(how, rounding.RUP), () => s.assign(whole, s.fceil64(x)));
    s.when(s.eq(how, rounding.RMM), () => {
      const half = s.f64_of_bits(s.const64(0x3fe0_0000_0000_0000n));
      const rest = s.fabs64(s.fsub64(x, s.read(whole)));
      s.when(s.fle64(half, rest), () => {
        const sign = s.and(s.bits_of_f64(x), 1n << 63n);
        const one = s.f64_of_bits(s.or(sign, 0x3ff0_0000_0000_0000n));
        s.assign(whole, s.fadd64(s.read(whole), one));
      });
    });
    // A zero keeps the sign of what it was.
    const result = s.read(whole);
    s.when(s.both(s.ne(exact, 0), s.fne64(result, x)), () => raise(s, flag.NX));
    const bits =
      format.width === 64 ? s.bits_of_f64(result) : s.zext32(s.bits_of_f32(s.demote(result)));
    s.return(s.or(s.and(bits, magnitudeMask(format)), s.and(a, signBit(format))));
  });
}

/** The encoding of a small positive number. */
const encoded = (format: FloatFormat, value: 'two' | 'three' | 'oneAndHalf'): bigint => {
  const half = quietBit(format);
  const one = BigInt(format.maxExponent) << BigInt(format.fractionBits);
  const two = BigInt(format.maxExponent + 1) << BigInt(format.fractionBits);
  return { two, three: two | half, oneAndHalf: one | half }[value];
};

/** FRECPS and FRSQRTS: fused, the product negated; of the second one half. */
function stepRoutine(
  format: FloatFormat,
  own: FormatRoutines,
  name: string,
  addend: 2n | 3n,
): Routine {
  const whole = encoded(format, addend === 2n ? 'two' : 'three');
  const special = addend === 2n ? whole : encoded(format, 'oneAndHalf');
  const halve = slowHelper(`slow_${name}_${format.name}`, 2, (context, a, b) =>
    halvedStep(format, context, a, b),
  );
  return routine(`arm_${name}_${format.name}`, i64s(3), 'i64', (s, first, second, mode) => {
    const negated = s.xor(first, signBit(format));
    const [a, b] = [flushed(s, format, negated, mode), flushed(s, format, second, mode)];
    s.rarely(zeroTimesInfinity(s, format, a, b), () => s.return(s.const64(special)));
    s.rarely(s.either(isNaN(s, format, a), isNaN(s, format, b)), () => {
      s.return(s.call(own.mul, 'i64', a, b, mode));
    });
    if (addend === 3n) s.return(s.call(halve, 'i64', a, b, mode));
    else s.return(s.call(own.fma, 'i64', a, b, s.const64(whole), mode));
  });
}

/** (3 + a × b) / 2 rounded once: with half the factor and half the addend, where that is exact. */
function halvedStep(format: FloatFormat, context: FloatContext, a: bigint, b: bigint) {
  const exponent = (x: bigint): bigint =>
    (x & magnitudeMask(format)) >> BigInt(format.fractionBits);
  const step = 1n << BigInt(format.fractionBits);
  const top = BigInt(2 * format.maxExponent + 1);
  const [larger, other] = exponent(a) >= exponent(b) ? [a, b] : [b, a];
  // Halving the factor of larger exponent is exact unless both are tiny: then the product does not matter.
  const canHalve = exponent(larger) > 1n && exponent(larger) < top;
  const half = canHalve ? larger - step : larger;
  return fma(format, context, half, other, encoded(format, 'oneAndHalf'));
}

/** UInt of an estimate of 1 / a, for a from 256 to 511 in units of 1/512. */
function reciprocal(a: number): number {
  return Math.floor((Math.floor((1 << 19) / (2 * a + 1)) + 1) / 2);
}

/** UInt of an estimate of 1 / sqrt(a), for a from 128 to 511. */
function reciprocalRoot(a: number): number {
  const scaled = a < 256 ? 2 * a + 1 : ((a >> 1) * 2 + 1) * 2;
  let b = 512;
  while (scaled * (b + 1) * (b + 1) < 2 ** 28) b++;
  return Math.floor((b + 1) / 2);
}

const parts = (format: FloatFormat, a: bigint) => ({
  negative: (a & signBit(format)) !== 0n,
  exponent: Number((a & magnitudeMask(format)) >> BigInt(format.fractionBits)),
  fraction: BigInt.asUintN(format.fractionBits, a),
});

const withSign = (format: FloatFormat, negative: boolean, bits: bigint): bigint =>
  negative ? bits | signBit(format) : bits;

/** FPRecipEstimate of a number that is no NaN. */
function recipEstimate(format: FloatFormat, context: FloatContext, a: bigint) {
  const { negative, exponent, fraction } = parts(format, a);
  const { fractionBits, maxExponent } = format;
  const make = (bits: bigint, flags = 0n) => ({ bits: withSign(format, negative, bits), flags });
  if (exponent === 2 * maxExponent + 1) return make(0n);
  if (exponent === 0 && fraction === 0n) return make(infinityOf(format), flag.DZ);
  // Less than 2^-(maxExponent + 1): the result is too large.
  if (exponent === 0 && fraction >> BigInt(fractionBits - 2) === 0n) {
    const { mode } = context;
    const toInfinity = mode === rounding.RNE || mode === (negative ? rounding.RDN : rounding.RUP);
    const most = infinityOf(format) - (toInfinity ? 0n : 1n);
    return make(most, flag.OF | flag.NX);
  }
  if (context.flushesToZero === true && exponent >= 2 * maxExponent - 1) return make(0n, flag.UF);
  let f = fraction << BigInt(52 - fractionBits);
  let e = exponent;
  if (e === 0) {
    if (f >> 51n === 0n) {
      e = -1;
      f = BigInt.asUintN(52, f << 2n);
    } else f = BigInt.asUintN(52, f << 1n);
  }
  const estimate = reciprocal(256 + Number(f >> 44n));
  let resultExponent = 2 * maxExponent - 1 - e;
  f = BigInt(estimate & 255) << 44n;
  if (resultExponent === 0) f = (1n << 51n) | (f >> 1n);
  else if (resultExponent === -1) {
    f = (1n << 50n) | (f >> 2n);
    resultExponent = 0;
  }
  return make((BigInt(resultExponent) << BigInt(fractionBits)) | (f >> BigInt(52 - fractionBits)));
}

/** FPRSqrtEstimate of a number that is no NaN. */
function rsqrtEstimate(format: FloatFormat, _context: FloatContext, a: bigint) {
  const { negative, exponent, fraction } = parts(format, a);
  const { fractionBits, maxExponent } = format;
  if (exponent === 0 && fraction === 0n) {
    return { bits: withSign(format, negative, infinityOf(format)), flags: flag.DZ };
  }
  if (negative) return { bits: defaultNaN(format), flags: flag.NV };
  if (exponent === 2 * maxExponent + 1) return { bits: 0n, flags: 0n };
  let f = fraction << BigInt(52 - fractionBits);
  let e = exponent;
  if (e === 0) {
    while (f >> 51n === 0n) {
      f = BigInt.asUintN(52, f << 1n);
      e -= 1;
    }
    f = BigInt.asUintN(52, f << 1n);
  }
  const scaled = e % 2 === 0 ? 256 + Number(f >> 44n) : 128 + Number(f >> 45n);
  const resultExponent = Math.floor((3 * maxExponent - 1 - e) / 2);
  const estimate = BigInt(reciprocalRoot(scaled) & 255) << 44n;
  return {
    bits:
      (BigInt(resultExponent) << BigInt(fractionBits)) | (estimate >> BigInt(52 - fractionBits)),
    flags: 0n,
  };
}

/** FPRecpX: the exponent inverted. */
function recipExponent(format: FloatFormat, a: bigint) {
  const { negative, exponent } = parts(format, a);
  const top = 2 * format.maxExponent + 1;
  const inverted = exponent === 0 ? top - 1 : top - exponent;
  return {
    bits: withSign(format, negative, BigInt(inverted) << BigInt(format.fractionBits)),
    flags: 0n,
  };
}

function estimates(format: FloatFormat, own: FormatRoutines) {
  const make = (
    name: string,
    compute: (context: FloatContext, a: bigint) => { bits: bigint; flags: bigint },
  ): Routine => {
    const slow = slowHelper(`slow_${name}_${format.name}`, 1, compute);
    return routine(`arm_${name}_${format.name}`, i64s(2), 'i64', (s, value, mode) => {
      const a = flushed(s, format, value, mode);
      s.rarely(isNaN(s, format, a), () => s.return(s.call(own.add, 'i64', a, a, mode)));
      s.return(s.call(slow, 'i64', a, mode));
    });
  };
  return {
    recipEstimate: make('recpe', (context, a) => recipEstimate(format, context, a)),
    rsqrtEstimate: make('rsqrte', (context, a) => rsqrtEstimate(format, context, a)),
    recipExponent: make('recpx', (_context, a) => recipExponent(format, a)),
  };
}

export const single: ArmFormat = armFormat(binary32, host32, base.f32);
export const double: ArmFormat = armFormat(binary64, host64, base.f64);

const fast = fastFloat(core.fpFlags, {
  ...base,
  f32: single.routines,
  f64: double.routines,
});
/** The operations that programs do most, in line. */
export const inline = { f32: fast.f32, f64: fast.f64 } as const;

/** `(a, mode)`: single from double, double from single. */
export const narrowed: Routine = flushing(binary64, base.narrow, 1);
const slowWiden = slowHelper('slow_arm_widen', 1, (context, a) =>
  convert(binary32, binary64, context, a),
);
export const widened: Routine = routine('arm_widen', i64s(2), 'i64', (s, value, mode) => {
  const a = flushed(s, binary32, value, mode);
  s.rarely(isNaN(s, binary32, a), () => s.return(s.call(slowWiden, 'i64', a, mode)));
  s.return(s.bits_of_f64(s.promote(s.f32_of_bits(s.wrap(a)))));
});

/** A half of the alternative format, which has neither infinities nor NaNs, as a number of another format. */
function widenAlternative(to: FloatFormat, a: bigint): bigint {
  const { negative, exponent, fraction } = parts(binary16, a);
  if (exponent !== 31) return convert(binary16, to, contextOf(0n), a).bits;
  const bits =
    (BigInt(16 + to.maxExponent) << BigInt(to.fractionBits)) |
    (fraction << BigInt(to.fractionBits - 10));
  return withSign(to, negative, bits);
}

/** To the alternative half: a NaN is zero, and what is too large the greatest number; both are invalid. */
function narrowAlternative(from: FloatFormat, context: FloatContext, a: bigint) {
  const { negative } = parts(from, a);
  const sign = negative ? 0x8000n : 0n;
  if (isNaNBits(from, a)) return { bits: sign, flags: flag.NV };
  // With half the value there is room below infinity, and what is subnormal twice as large stays so exactly.
  const size = a & magnitudeMask(from);
  const limit = BigInt(17 + from.maxExponent) << BigInt(from.fractionBits);
  const most = { bits: sign | 0x7fffn, flags: flag.NV };
  if (size >= limit) return most;
  const floor = BigInt(16 + from.maxExponent) << BigInt(from.fractionBits);
  if (size < floor) {
    const plain = convert(from, binary16, context, a);
    if ((plain.bits & 0x7fffn) < 0x7c00n && (plain.flags & flag.OF) === 0n) return plain;
    // Rounded up to 2^16, which this format has.
    return { bits: sign | 0x7c00n, flags: flag.NX };
  }
  const half = convert(from, binary16, context, a - (1n << BigInt(from.fractionBits)));
  const bits = half.bits + 0x400n;
  return (bits & 0x7fffn) < (half.bits & 0x7fffn) || (half.bits & 0x7c00n) === 0x7c00n
    ? most
    : { bits, flags: half.flags };
}

const isAlternative = (mode: bigint): boolean => (Number(mode) & MODE.alternativeHalf) !== 0;

/** `(a, mode)`: a half as a number of another format. Halves are never flushed. */
const fromHalf = (to: FloatFormat): Routine => {
  const slow = helper(
    `slow_${to.name}_of_f16`,
    i64s(2),
    'i64',
    (cells, a, mode) => {
      if (isAlternative(mode)) return widenAlternative(to, a);
      const { bits, flags } = convert(binary16, to, contextOf(mode), a);
      if (flags !== 0n) cells.set(core.fpFlags, cells.get(core.fpFlags) | flags);
      return bits;
    },
    [core.fpFlags],
  );
  return routine(`arm_${to.name}_of_f16`, i64s(2), 'i64', (s, a, mode) =>
    s.return(s.call(slow, 'i64', a, mode)),
  );
};

const toHalf = (from: FloatFormat): Routine => {
  const slow = helper(
    `slow_f16_of_${from.name}`,
    i64s(2),
    'i64',
    (cells, a, mode) => {
      const context = { ...contextOf(mode), flushesToZero: false };
      const { bits, flags } = isAlternative(mode)
        ? narrowAlternative(from, context, a)
        : convert(from, binary16, context, a);
      if (flags !== 0n) cells.set(core.fpFlags, cells.get(core.fpFlags) | flags);
      return bits;
    },
    [core.fpFlags],
  );
  return routine(`arm_f16_of_${from.name}`, i64s(2), 'i64', (s, value, mode) => {
    s.return(s.call(slow, 'i64', flushed(s, from, value, mode), mode));
  });
};

export const halfTo = { f32: fromHalf(binary32), f64: fromHalf(binary64) } as const;
export const halfFrom = { f32: toHalf(binary32), f64: toHalf(binary64) } as const;

/** FCVTXN: double to single, rounded to odd. */
export const narrowedToOdd: Routine = (() => {
  const slow = slowHelper('slow_fcvtxn', 1, (context, a) => {
    const down = convert(binary64, binary32, { ...context, mode: rounding.RTZ }, a);
    const isInexact = (down.flags & flag.NX) !== 0n && (down.bits & 0x7fff_ffffn) < 0x7f80_0000n;
    return { bits: isInexact ? down.bits | 1n : down.bits, flags: down.flags };
  });
  return routine('arm_fcvtxn', i64s(2), 'i64', (s, value, mode) =>
    s.return(s.call(slow, 'i64', flushed(s, binary64, value, mode), mode)),
  );
})();

/** URECPE and URSQRTE of a word. */
export const unsignedEstimates = {
  recip: helper('slow_urecpe', ['i64'], 'i64', (_, a) =>
    a < 0x8000_0000n ? 0xffff_ffffn : BigInt(reciprocal(Number(a >> 23n))) << 23n,
  ),
  rsqrt: helper('slow_ursqrte', ['i64'], 'i64', (_, a) =>
    a < 0x4000_0000n ? 0xffff_ffffn : BigInt(reciprocalRoot(Number(a >> 23n))) << 23n,
  ),
} as const;

/** `(a, mode)` for conversions to integers: the operand that they see. */
export const flushedOperand = (s: Builder, format: FloatFormat, a: I64, mode: I64): I64 =>
  flushed(s, format, a, mode);
