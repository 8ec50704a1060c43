// IEEE 754 arithmetic on encodings held in bigint: exact results and flags in every rounding mode and for every
// operand. It is the slow path behind float.ts and the reference that its fast paths are tested against, so it is
// written to be obviously right: unpack to integers, compute exactly, round and pack once.
//
// IEEE 754-2019: clause 4.3 (rounding), 5.4 (operations), 6.3 (sign of zero), 7 (exceptions). What the standard leaves
// open is the guest's: which NaN results, when a result counts as tiny, what an impossible conversion to integer gives.
// Invariants: encodings are unsigned and of their format's width; an intermediate value is exact, or carries below its
// lowest needed bit a one that stands for everything further down.

import { signed } from '../../std/bits.ts';

/** An interchange format. `fractionBits` excludes the hidden bit. */
export interface FloatFormat {
  readonly name: 'f16' | 'f32' | 'f64';
  readonly width: 16 | 32 | 64;
  readonly fractionBits: number;
  readonly maxExponent: number;
}

export const binary16: FloatFormat = { name: 'f16', width: 16, fractionBits: 10, maxExponent: 15 };
export const binary32: FloatFormat = { name: 'f32', width: 32, fractionBits: 23, maxExponent: 127 };
export const binary64: FloatFormat = {
  name: 'f64',
  width: 64,
  fractionBits: 52,
  maxExponent: 1023,
};

/** Rounding modes by number: nearest even, toward zero, down, up, nearest with ties away from zero. */
export const rounding = { RNE: 0, RTZ: 1, RDN: 2, RUP: 3, RMM: 4 } as const;

/** Exception flags: inexact, underflow, overflow, division by zero, invalid. */
export const flag = { NX: 1n, UF: 2n, OF: 4n, DZ: 8n, NV: 16n } as const;

/** An integer format of a conversion. */
export interface IntegerFormat {
  readonly width: 32 | 64;
  readonly signed: boolean;
}

/** What a guest architecture chooses where the standard leaves a choice. */
export interface FloatRules {
  readonly tininess: 'before rounding' | 'after rounding';
  /** The NaN (in `format`) that an operation on these operands (in `source`) gives. */
  nan(format: FloatFormat, operands: readonly bigint[], source: FloatFormat): bigint;
  /** The integer, signed or not, that a NaN or a number outside [low, high] converts to. */
  invalidInteger(cause: 'nan' | 'low' | 'high', low: bigint, high: bigint): bigint;
  /** A tiny result becomes a zero and raises underflow alone. */
  readonly flushesToZero?: boolean;
  /** What a mode that is more than a rounding mode means; it has none of these in fast paths. */
  readonly decode?: (mode: number) => Partial<FloatContext>;
}

/** How to compute: a guest's rules and a rounding mode (see `rounding`). */
export interface FloatContext extends FloatRules {
  readonly mode: number;
}

/** An encoding, or an integer modulo 2^64, with the flags raised by computing it. */
export interface FloatResult {
  readonly bits: bigint;
  readonly flags: bigint;
}

export function add(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): FloatResult {
  const [x, y] = [unpack(format, a), unpack(format, b)];
  const operands = [a, b];
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, context, operands);
  return sum(format, context, x, y) ?? invalid(format, context, operands);
}

export function sub(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): FloatResult {
  const [x, y] = [unpack(format, a), unpack(format, b)];
  const operands = [a, b];
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, context, operands);
  return (
    sum(format, context, x, { ...y, negative: !y.negative }) ?? invalid(format, context, operands)
  );
}

export function mul(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): FloatResult {
  const [x, y] = [unpack(format, a), unpack(format, b)];
  const operands = [a, b];
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, context, operands);
  const exact = product(x, y);
  return exact ? roundAndPack(format, context, exact) : invalid(format, context, operands);
}

export function div(format: FloatFormat, context: FloatContext, a: bigint, b: bigint): FloatResult {
  const [x, y] = [unpack(format, a), unpack(format, b)];
  if (x.kind === 'nan' || y.kind === 'nan') return propagate(format, context, [a, b]);
  const negative = x.negative !== y.negative;
  if (x.kind === y.kind && x.kind !== 'finite') return invalid(format, context, [a, b]);
  if (x.kind === 'infinite' || y.kind === 'zero') {
    const flags = x.kind === 'infinite' ? 0n : flag.DZ;
    return { bits: encode(format, negative, infinity(format)), flags };
  }
  if (x.kind === 'zero' || y.kind === 'infinite') {
    return { bits: encode(format, negative, 0n), flags: 0n };
  }
  const scale = precision(format) + 2 + bitLength(y.significand);
  const dividend = x.significand << BigInt(scale);
  const quotient = dividend / y.significand;
  const sticky = dividend % y.significand === 0n ? 0n : 1n;
  const significand = (quotient << 1n) | sticky;
  const exponent = x.exponent - y.exponent - scale - 1;
  return roundAndPack(format, context, { kind: 'finite', negative, significand, exponent });
}

export function sqrt(format: FloatFormat, context: FloatContext, a: bigint): FloatResult {
  const x = unpack(format, a);
  if (x.kind === 'nan') return propagate(format, context, [a]);
  if (x.kind === 'zero') return { bits: a, flags: 0n };
  if (x.negative) return invalid(format, context, [a]);
  if (x.kind === 'infinite') return { bits: a, flags: 0n };
  const wanted = 2 * (precision(format) + 2);
  const scale = wanted + ((x.exponent - wanted) % 2 === 0 ? 0 : 1);
  const radicand = x.significand << BigInt(scale);
  const root = integerRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  const significand = (root << 1n) | sticky;
  const exponent = (x.exponent - scale) / 2 - 1;
  return roundAndPack(format, context, { kind: 'finite', negative: false, significand, exponent });
}

/** a × b + c, rounded once. Infinity times zero is invalid even where c is a quiet NaN. */
export function fma(
  format: FloatFormat,
  context: FloatContext,
  a: bigint,
  b: bigint,
  c: bigint,
): FloatResult {
  const [x, y, z] = [unpack(format, a), unpack(format, b), unpack(format, c)];
  const operands = [a, b, c];
  const exact = product(x, y);
  if (exact === undefined) return invalid(format, context, operands);
  if (exact.kind === 'nan' || z.kind === 'nan') return propagate(format, context, operands);
  return sum(format, context, exact, z) ?? invalid(format, context, operands);
}

/** Converts between formats. */
export function convert(
  from: FloatFormat,
  to: FloatFormat,
  context: FloatContext,
  a: bigint,
): FloatResult {
  const x = unpack(from, a);
  if (x.kind !== 'nan') return roundAndPack(to, context, x);
  return { bits: context.nan(to, [a], from), flags: isSignaling(from, a) ? flag.NV : 0n };
}

/** Converts a mathematical integer. */
export function fromInteger(
  format: FloatFormat,
  context: FloatContext,
  value: bigint,
): FloatResult {
  const negative = value < 0n;
  const significand = negative ? -value : value;
  const kind = value === 0n ? 'zero' : 'finite';
  return roundAndPack(format, context, { kind, negative, significand, exponent: 0 });
}

/** Converts to an integer, which is given modulo 2^64. */
export function toInteger(
  format: FloatFormat,
  context: FloatContext,
  target: IntegerFormat,
  a: bigint,
): FloatResult {
  const x = unpack(format, a);
  const { width } = target;
  const low = target.signed ? -(1n << BigInt(width - 1)) : 0n;
  const high = (1n << BigInt(target.signed ? width - 1 : width)) - 1n;
  if (x.kind === 'nan') return give(context.invalidInteger('nan', low, high), flag.NV);
  const outside = x.negative ? 'low' : 'high';
  if (x.kind === 'infinite') return give(context.invalidInteger(outside, low, high), flag.NV);
  const { quotient, inexact } = roundShift(context.mode, x, -x.exponent);
  const value = x.negative ? -quotient : quotient;
  if (value < low || value > high) {
    return give(context.invalidInteger(outside, low, high), flag.NV);
  }
  return give(value, inexact ? flag.NX : 0n);
}

const give = (value: bigint, flags: bigint): FloatResult => ({
  bits: BigInt.asUintN(64, value),
  flags,
});

/** The quiet NaN with a clear sign and no payload. */
export const defaultNaN = (format: FloatFormat): bigint =>
  infinity(format) | (1n << BigInt(format.fractionBits - 1));

const isSignaling = (format: FloatFormat, a: bigint): boolean =>
  unpack(format, a).kind === 'nan' && ((a >> BigInt(format.fractionBits - 1)) & 1n) === 0n;

/** (-1)^negative × significand × 2^exponent where finite. */
interface Unpacked {
  readonly kind: 'zero' | 'finite' | 'infinite' | 'nan';
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

const precision = (format: FloatFormat): number => format.fractionBits + 1;

const infinity = (format: FloatFormat): bigint =>
  BigInt(2 * format.maxExponent + 1) << BigInt(format.fractionBits);

const encode = (format: FloatFormat, negative: boolean, magnitude: bigint): bigint =>
  negative ? magnitude | (1n << BigInt(format.width - 1)) : magnitude;

/** Exponent of the lowest bit of subnormal numbers. */
const lowestExponent = (format: FloatFormat): number =>
  1 - format.maxExponent - format.fractionBits;

function unpack(format: FloatFormat, a: bigint): Unpacked {
  const { fractionBits, maxExponent, width } = format;
  const negative = signed(width, a) < 0n;
  const fraction = BigInt.asUintN(fractionBits, a);
  const biased = Number(BigInt.asUintN(width - 1 - fractionBits, a >> BigInt(fractionBits)));
  if (biased === 2 * maxExponent + 1) {
    const kind = fraction === 0n ? 'infinite' : 'nan';
    return { kind, negative, significand: fraction, exponent: 0 };
  }
  const hidden = biased === 0 ? 0n : 1n << BigInt(fractionBits);
  const significand = fraction | hidden;
  const exponent = lowestExponent(format) + Math.max(biased - 1, 0);
  return { kind: significand === 0n ? 'zero' : 'finite', negative, significand, exponent };
}

function propagate(
  format: FloatFormat,
  context: FloatContext,
  operands: readonly bigint[],
): FloatResult {
  const signals = operands.some((operand) => isSignaling(format, operand));
  return { bits: context.nan(format, operands, format), flags: signals ? flag.NV : 0n };
}

const invalid = (
  format: FloatFormat,
  context: FloatContext,
  operands: readonly bigint[],
): FloatResult => ({ bits: context.nan(format, operands, format), flags: flag.NV });

/** The exact product; of kind 'nan' with a NaN, undefined for zero times infinity. */
function product(x: Unpacked, y: Unpacked): Unpacked | undefined {
  const negative = x.negative !== y.negative;
  const significand = x.significand * y.significand;
  const exponent = x.exponent + y.exponent;
  const either = (kind: Unpacked['kind']): boolean => x.kind === kind || y.kind === kind;
  if (either('nan')) return { kind: 'nan', negative, significand, exponent };
  if (either('infinite')) {
    return either('zero') ? undefined : { kind: 'infinite', negative, significand, exponent };
  }
  return { kind: either('zero') ? 'zero' : 'finite', negative, significand, exponent };
}

/** The rounded sum of two values that are no NaN; undefined for infinities of different signs. */
function sum(
  format: FloatFormat,
  context: FloatContext,
  x: Unpacked,
  y: Unpacked,
): FloatResult | undefined {
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    if (x.kind === y.kind && x.negative !== y.negative) return undefined;
    const { negative } = x.kind === 'infinite' ? x : y;
    return { bits: encode(format, negative, infinity(format)), flags: 0n };
  }
  if (x.kind === 'zero' && y.kind !== 'zero') return roundAndPack(format, context, y);
  if (y.kind === 'zero' && x.kind !== 'zero') return roundAndPack(format, context, x);
  const exponent = Math.min(x.exponent, y.exponent);
  const integer = (v: Unpacked): bigint => {
    const magnitude = v.significand << BigInt(v.exponent - exponent);
    return v.negative ? -magnitude : magnitude;
  };
  const total = integer(x) + integer(y);
  if (total === 0n) {
    const negative = x.kind === 'zero' && x.negative === y.negative ? x.negative : undefined;
    const bits = encode(format, negative ?? context.mode === rounding.RDN, 0n);
    return { bits, flags: 0n };
  }
  const negative = total < 0n;
  const significand = negative ? -total : total;
  return roundAndPack(format, context, { kind: 'finite', negative, significand, exponent });
}

/** Bits in a positive number. */
function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
}

/** The integer part of a square root, by Newton's iteration from above. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const better = (root + value / root) >> 1n;
    if (better >= root) return root;
    root = better;
  }
}

/** significand / 2^shift rounded to an integer. */
function roundShift(
  mode: number,
  { negative, significand }: Unpacked,
  shift: number,
): { readonly quotient: bigint; readonly inexact: boolean } {
  if (shift <= 0) return { quotient: significand << BigInt(-shift), inexact: false };
  const truncated = significand >> BigInt(shift);
  const rest = significand - (truncated << BigInt(shift));
  if (rest === 0n) return { quotient: truncated, inexact: false };
  const half = 1n << BigInt(shift - 1);
  const odd = (truncated & 1n) === 1n;
  let up = false;
  if (mode === rounding.RNE) up = rest > half || (rest === half && odd);
  else if (mode === rounding.RMM) up = rest >= half;
  else if (mode === rounding.RDN) up = negative;
  else if (mode === rounding.RUP) up = !negative;
  return { quotient: up ? truncated + 1n : truncated, inexact: true };
}

/** The encoding of a value that is no NaN, with overflow, underflow and inexact. */
function roundAndPack(format: FloatFormat, context: FloatContext, x: Unpacked): FloatResult {
  const { mode } = context;
  const { negative } = x;
  if (x.kind === 'zero') return { bits: encode(format, negative, 0n), flags: 0n };
  if (x.kind === 'infinite') {
    return { bits: encode(format, negative, infinity(format)), flags: 0n };
  }
  const digits = precision(format);
  const length = bitLength(x.significand);
  const ideal = length - digits;
  const shift = Math.max(ideal, lowestExponent(format) - x.exponent);
  const { quotient, inexact } = roundShift(mode, x, shift);
  // Adding the quotient, hidden bit included, to the exponent field below carries into it where rounding did.
  const biased = shift + x.exponent - lowestExponent(format);
  const magnitude = (BigInt(biased) << BigInt(format.fractionBits)) + quotient;
  if (magnitude >= infinity(format)) return overflow(format, mode, negative);
  const bits = encode(format, negative, magnitude);
  let tiny = shift > ideal;
  if (tiny && context.flushesToZero === true) {
    return { bits: encode(format, negative, 0n), flags: flag.UF };
  }
  if (!inexact) return { bits, flags: 0n };
  const smallestNormal = 1n << BigInt(format.fractionBits);
  if (tiny && context.tininess === 'after rounding' && magnitude === smallestNormal) {
    const unbounded = roundShift(mode, x, ideal).quotient;
    tiny = bitLength(unbounded) <= digits;
  }
  return { bits, flags: tiny ? flag.UF | flag.NX : flag.NX };
}

function overflow(format: FloatFormat, mode: number, negative: boolean): FloatResult {
  const toInfinity =
    mode === rounding.RNE ||
    mode === rounding.RMM ||
    (mode === rounding.RDN && negative) ||
    (mode === rounding.RUP && !negative);
  const magnitude = toInfinity ? infinity(format) : infinity(format) - 1n;
  return { bits: encode(format, negative, magnitude), flags: flag.OF | flag.NX };
}
