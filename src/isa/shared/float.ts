// Floating-point operations in IR with exact results and flags: host instructions where they can be proven right, the
// integer implementation (softfloat.ts) for the rest.
//
// A fast path serves rounding to nearest even. It leaves for the slow path unless its result is a normal number away
// from underflow and overflow (or a zero known to be exact), so that of all flags only inexact can arise. Inexact is
// sticky: while the guest's flag is set nobody needs to know. Otherwise
//   sums: the error of a rounded sum is a float and TwoSum computes it (Knuth; Boldo, Graillat, Muller 2017);
//   products, quotients, roots: p = x × y exactly iff the odd parts of x and y fit and the host's product is p;
//   fma (binary64): exact product by Dekker, then a sum of three rounded once by way of rounding to odd
//     (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008), inside a window of exponents.
// Values are i64: encodings, binary32 zero-extended. A mode is i64, numbered as in softfloat.ts.
// Invariant: no host NaN reaches the guest, since every NaN result takes the slow path.

import { bitsOfFloat64 } from '../../std/bits.ts';
import { type Builder, helper, routine } from '../../ir/builder.ts';
import type { Helper, Routine, StateField, Value } from '../../ir/node.ts';
import {
  add,
  binary32,
  binary64,
  convert,
  div,
  flag,
  type FloatContext,
  type FloatFormat,
  type FloatResult,
  type FloatRules,
  fma,
  fromInteger,
  type IntegerFormat,
  mul,
  rounding,
  sqrt,
  sub,
  toInteger,
} from './softfloat.ts';

type I64 = Value<'i64'>;
type I1 = Value<'i1'>;
type F64 = Value<'f64'>;

/** Operations of one format: parameters are encodings and, where rounding is possible, last the mode. */
export interface FormatRoutines {
  /** `(a, b, mode) → result` */
  readonly add: Routine;
  readonly sub: Routine;
  readonly mul: Routine;
  readonly div: Routine;
  /** `(a, mode) → result` */
  readonly sqrt: Routine;
  /** `(a, b, c, mode) → a × b + c` */
  readonly fma: Routine;
  /** `(a, b) → 1 or 0`. `eq` is quiet, the others signal on every NaN. */
  readonly eq: Routine;
  readonly lt: Routine;
  readonly le: Routine;
  /** `(a, b) → result`: IEEE 754-2019 minimumNumber and maximumNumber. */
  readonly min: Routine;
  readonly max: Routine;
  /** `(a, mode) → integer`, modulo 2^64. */
  readonly toInteger: IntegerRoutines;
  /** `(integer, mode) → result`; of the 32-bit ones the argument is extended to 64. */
  readonly fromInteger: IntegerRoutines;
}

interface IntegerRoutines {
  readonly i32: Routine;
  readonly u32: Routine;
  readonly i64: Routine;
  readonly u64: Routine;
}

export interface FloatRoutines {
  readonly f32: FormatRoutines;
  readonly f64: FormatRoutines;
  /** binary64 to binary32, `(a, mode) → result`. */
  readonly narrow: Routine;
  /** binary32 to binary64, `(a) → result`. */
  readonly widen: Routine;
}

/** The routines of a guest architecture that accrues flags (numbered as in softfloat.ts) in a cell. */
export function floatRoutines(
  flags: StateField & { readonly type: 'i64' },
  rules: FloatRules,
): FloatRoutines {
  const slow: SlowPaths = (name, arity, compute) =>
    helper(
      `slow_${name}`,
      i64s(arity + 1),
      'i64',
      (cells, ...args) => {
        const mode = Number(args[arity]);
        const context = { ...rules, mode, ...rules.decode?.(mode) };
        const { bits, flags: raised } = compute(context, ...args.slice(0, arity));
        if (raised !== 0n) cells.set(flags, cells.get(flags) | raised);
        return bits;
      },
      [flags],
    );
  const make: Maker = { flags, rules, slow };
  return {
    f32: formatRoutines(make, host32),
    f64: formatRoutines(make, host64),
    narrow: narrow(make),
    widen: widen(make),
  };
}

type Compute = (context: FloatContext, ...args: bigint[]) => FloatResult;
type SlowPaths = (name: string, arity: number, compute: Compute) => Helper;

/** What routines are made with. */
interface Maker {
  readonly flags: StateField & { readonly type: 'i64' };
  readonly rules: FloatRules;
  /** A helper `(...arity arguments, mode)` that accrues the flags of what it computes. */
  readonly slow: SlowPaths;
}

/** A format as host instructions on encodings. */
export interface Host {
  readonly format: FloatFormat;
  /** The result if it is fine, else what `slow` gives; a float in between. */
  choose(s: Builder, fine: I1, result: I64, slow: () => I64): I64;
  add(s: Builder, a: I64, b: I64): I64;
  sub(s: Builder, a: I64, b: I64): I64;
  mul(s: Builder, a: I64, b: I64): I64;
  div(s: Builder, a: I64, b: I64): I64;
  sqrt(s: Builder, a: I64): I64;
  lt(s: Builder, a: I64, b: I64): I1;
  le(s: Builder, a: I64, b: I64): I1;
  eq(s: Builder, a: I64, b: I64): I1;
  /** The value as binary64. */
  widen(s: Builder, a: I64): F64;
  /** A 64-bit integer rounded to nearest even. */
  of(s: Builder, integer: I64, sign: boolean): I64;
  /** Whether x × y is exactly p, all of them normal and away from underflow. */
  isProduct(s: Builder, x: I64, y: I64, p: I64): I1;
  fma(s: Builder, make: Maker, slow: () => void, operands: readonly [I64, I64, I64]): void;
}

const f64 = (s: Builder, a: I64): F64 => s.f64_of_bits(a);
const bits64 = (s: Builder, a: F64): I64 => s.bits_of_f64(a);
const f32 = (s: Builder, a: I64): Value<'f32'> => s.f32_of_bits(s.wrap(a));
const bits32 = (s: Builder, a: Value<'f32'>): I64 => s.zext32(s.bits_of_f32(a));

export const host64: Host = {
  format: binary64,
  choose(s, fine, result, slow) {
    const chosen = s.variable('f64', f64(s, result));
    s.rarely(s.not(fine), () => s.assign(chosen, f64(s, slow())));
    return bits64(s, s.read(chosen));
  },
  add: (s, a, b) => bits64(s, s.fadd64(f64(s, a), f64(s, b))),
  sub: (s, a, b) => bits64(s, s.fsub64(f64(s, a), f64(s, b))),
  mul: (s, a, b) => bits64(s, s.fmul64(f64(s, a), f64(s, b))),
  div: (s, a, b) => bits64(s, s.fdiv64(f64(s, a), f64(s, b))),
  sqrt: (s, a) => bits64(s, s.fsqrt64(f64(s, a))),
  lt: (s, a, b) => s.flt64(f64(s, a), f64(s, b)),
  le: (s, a, b) => s.fle64(f64(s, a), f64(s, b)),
  eq: (s, a, b) => s.feq64(f64(s, a), f64(s, b)),
  widen: f64,
  of: (s, integer, sign) => bits64(s, sign ? s.f64_of_i64_s(integer) : s.f64_of_i64_u(integer)),
  isProduct(s, x, y, p) {
    // Significands are odd parts of 53 - t bits times 2^t; where t adds up to 52, the odd parts' product has 53 or
    // 54 bits (fewer where it adds up to more), else it has more.
    const significand = (a: I64): I64 => s.or(s.and(a, (1n << 52n) - 1n), 1n << 52n);
    const [mx, my] = [significand(x), significand(y)];
    const [tx, ty] = [s.ctz(mx), s.ctz(my)];
    const odd = s.mul(s.shr_u(mx, tx), s.shr_u(my, ty));
    const fits = s.both(s.ge_u(s.add(tx, ty), 52n), s.eqz(s.shr_u(odd, 53n)));
    return s.both(fits, s.feq64(s.fmul64(f64(s, x), f64(s, y)), f64(s, p)));
  },
  fma: fma64,
};

export const host32: Host = {
  format: binary32,
  choose(s, fine, result, slow) {
    const chosen = s.variable('f32', f32(s, result));
    s.rarely(s.not(fine), () => s.assign(chosen, f32(s, slow())));
    return bits32(s, s.read(chosen));
  },
  add: (s, a, b) => bits32(s, s.fadd32(f32(s, a), f32(s, b))),
  sub: (s, a, b) => bits32(s, s.fsub32(f32(s, a), f32(s, b))),
  mul: (s, a, b) => bits32(s, s.fmul32(f32(s, a), f32(s, b))),
  div: (s, a, b) => bits32(s, s.fdiv32(f32(s, a), f32(s, b))),
  sqrt: (s, a) => bits32(s, s.fsqrt32(f32(s, a))),
  lt: (s, a, b) => s.flt32(f32(s, a), f32(s, b)),
  le: (s, a, b) => s.fle32(f32(s, a), f32(s, b)),
  eq: (s, a, b) => s.feq32(f32(s, a), f32(s, b)),
  widen: (s, a) => s.promote(f32(s, a)),
  of: (s, integer, sign) => bits32(s, sign ? s.f32_of_i64_s(integer) : s.f32_of_i64_u(integer)),
  isProduct(s, x, y, p) {
    const [wx, wy] = [s.promote(f32(s, x)), s.promote(f32(s, y))];
    return s.feq64(s.fmul64(wx, wy), s.promote(f32(s, p)));
  },
  fma: fma32,
};

const floatConstant = (s: Builder, value: number): F64 =>
  s.f64_of_bits(s.const64(bitsOfFloat64(value)));

const i64s = (count: number): 'i64'[] => Array.from({ length: count }, () => 'i64');

/** The encoding without its sign. */
const magnitude = (s: Builder, format: FloatFormat, a: I64): I64 =>
  s.and(a, (1n << BigInt(format.width - 1)) - 1n);

export const exponentField = (s: Builder, format: FloatFormat, a: I64): I64 =>
  s.shr_u(magnitude(s, format, a), format.fractionBits);

const isZero = (s: Builder, format: FloatFormat, a: I64): I1 => s.eqz(magnitude(s, format, a));

/** The encoding of infinity: also the mask of the exponent field. */
const infinity = (format: FloatFormat): bigint =>
  BigInt(2 * format.maxExponent + 1) << BigInt(format.fractionBits);

const isNaN = (s: Builder, format: FloatFormat, a: I64): I1 =>
  s.gt_u(magnitude(s, format, a), infinity(format));

const isSignaling = (s: Builder, format: FloatFormat, a: I64): I1 => {
  const quiet = 1n << BigInt(format.fractionBits - 1);
  return s.both(isNaN(s, format, a), s.eqz(s.and(a, quiet)));
};

/** Finite and at least twice the smallest normal number: as a result it is no underflow, in any reading. */
export const isOrdinary = (s: Builder, format: FloatFormat, a: I64): I1 =>
  s.lt_u(s.sub(exponentField(s, format, a), 2n), BigInt(2 * format.maxExponent - 1));

const raise = (s: Builder, make: Maker, flags: bigint): void =>
  s.setState(make.flags, s.or(s.state(make.flags), flags));

/** Whether inexact has not been raised yet, so that somebody must find out whether a result is. */
const isUnknown = (s: Builder, make: Maker): I1 => s.eqz(s.and(s.state(make.flags), flag.NX));

const modeIsNot = (s: Builder, mode: I64, name: keyof typeof rounding): I1 =>
  s.ne(mode, BigInt(rounding[name]));

/** Everything of one format. */
function formatRoutines(make: Maker, host: Host): FormatRoutines {
  return {
    add: additive(make, host, 'add'),
    sub: additive(make, host, 'sub'),
    mul: mulRoutine(make, host),
    div: divRoutine(make, host),
    sqrt: sqrtRoutine(make, host),
    fma: fmaRoutine(make, host),
    eq: compare(make, host, 'eq'),
    lt: compare(make, host, 'lt'),
    le: compare(make, host, 'le'),
    min: extremum(make, host, 'min'),
    max: extremum(make, host, 'max'),
    toInteger: integerRoutines((name, target) => toIntegerRoutine(make, host, name, target)),
    fromInteger: integerRoutines((name, source) => fromIntegerRoutine(make, host, name, source)),
  };
}

const integerRoutines = (
  build: (name: string, format: IntegerFormat) => Routine,
): IntegerRoutines => ({
  i32: build('i32', { width: 32, signed: true }),
  u32: build('u32', { width: 32, signed: false }),
  i64: build('i64', { width: 64, signed: true }),
  u64: build('u64', { width: 64, signed: false }),
});

/** The error of s = a + b (nearest even): Knuth's TwoSum. Exact unless a + b overflows or |a| is the largest float. */
function sumError(s: Builder, host: Host, a: I64, b: I64, sum: I64): I64 {
  const aPart = host.sub(s, sum, b);
  const bPart = host.sub(s, sum, aPart);
  return host.add(s, host.sub(s, a, aPart), host.sub(s, b, bPart));
}

function additive(make: Maker, host: Host, op: 'add' | 'sub'): Routine {
  const { format } = host;
  const name = `${op}_${format.name}`;
  const compute = op === 'add' ? add : sub;
  const slowPath = make.slow(name, 2, (context, a, b) => compute(format, context, a, b));
  return routine(name, i64s(3), 'i64', (s, a, b, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, b, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    const result = host[op](s, a, b);
    // A subnormal sum is exact. The topmost binade goes with infinity, for sumError.
    const topBinade = BigInt(2 * format.maxExponent);
    s.rarely(s.ge_u(exponentField(s, format, result), topBinade), slow);
    s.rarely(isUnknown(s, make), () => {
      const addend = op === 'add' ? b : s.xor(b, 1n << BigInt(format.width - 1));
      const error = sumError(s, host, a, addend, result);
      s.when(s.not(isZero(s, format, error)), () => raise(s, make, flag.NX));
    });
    s.return(result);
  });
}

/** Raises inexact unless x × y is p; goes the slow way where an operand among the three is not ordinary. */
function checkProduct(
  s: Builder,
  make: Maker,
  host: Host,
  slow: () => void,
  { x, y, p, operands }: { x: I64; y: I64; p: I64; operands: readonly I64[] },
): void {
  s.rarely(isUnknown(s, make), () => {
    for (const operand of operands) s.rarely(s.not(isOrdinary(s, host.format, operand)), slow);
    s.when(s.not(host.isProduct(s, x, y, p)), () => raise(s, make, flag.NX));
  });
}

/** Leaves with a zero result where it is exact, that is, where a factor (dividend, radicand) is zero; else slowly. */
function unlessOrdinary(
  s: Builder,
  format: FloatFormat,
  slow: () => void,
  { result, zeros }: { result: I64; zeros: readonly I64[] },
): void {
  s.rarely(s.not(isOrdinary(s, format, result)), () => {
    const zeroOperand = zeros.map((a) => isZero(s, format, a)).reduce((a, b) => s.either(a, b));
    const exact = s.both(isZero(s, format, result), zeroOperand);
    s.when(exact, () => s.return(result), slow);
  });
}

function mulRoutine(make: Maker, host: Host): Routine {
  const { format } = host;
  const name = `mul_${format.name}`;
  const slowPath = make.slow(name, 2, (context, a, b) => mul(format, context, a, b));
  return routine(name, i64s(3), 'i64', (s, a, b, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, b, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    const result = host.mul(s, a, b);
    unlessOrdinary(s, format, slow, { result, zeros: [a, b] });
    checkProduct(s, make, host, slow, { x: a, y: b, p: result, operands: [a, b] });
    s.return(result);
  });
}

function divRoutine(make: Maker, host: Host): Routine {
  const { format } = host;
  const name = `div_${format.name}`;
  const slowPath = make.slow(name, 2, (context, a, b) => div(format, context, a, b));
  return routine(name, i64s(3), 'i64', (s, a, b, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, b, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    const result = host.div(s, a, b);
    unlessOrdinary(s, format, slow, { result, zeros: [a] });
    checkProduct(s, make, host, slow, { x: result, y: b, p: a, operands: [a, b] });
    s.return(result);
  });
}

function sqrtRoutine(make: Maker, host: Host): Routine {
  const { format } = host;
  const name = `sqrt_${format.name}`;
  const slowPath = make.slow(name, 1, (context, a) => sqrt(format, context, a));
  return routine(name, i64s(2), 'i64', (s, a, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    const result = host.sqrt(s, a);
    unlessOrdinary(s, format, slow, { result, zeros: [a] });
    checkProduct(s, make, host, slow, { x: result, y: result, p: a, operands: [a] });
    s.return(result);
  });
}

function fmaRoutine(make: Maker, host: Host): Routine {
  const { format } = host;
  const name = `fma_${format.name}`;
  const slowPath = make.slow(name, 3, (context, a, b, c) => fma(format, context, a, b, c));
  return routine(name, i64s(4), 'i64', (s, a, b, c, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, b, c, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    host.fma(s, make, slow, [a, b, c]);
  });
}

/** a + b and its error, in binary64. */
function twoSum(s: Builder, a: F64, b: F64): { readonly sum: F64; readonly error: F64 } {
  const sum = s.fadd64(a, b);
  const aPart = s.fsub64(sum, b);
  const bPart = s.fsub64(sum, aPart);
  return { sum, error: s.fadd64(s.fsub64(a, aPart), s.fsub64(b, bPart)) };
}

/** a × b and its error: Veltkamp's split and Dekker's product. Exact inside the window of fma64. */
function twoProduct(s: Builder, a: F64, b: F64): { readonly product: F64; readonly error: F64 } {
  const splitter = floatConstant(s, 2 ** 27 + 1);
  const split = (x: F64): readonly [F64, F64] => {
    const scaled = s.fmul64(splitter, x);
    const high = s.fsub64(scaled, s.fsub64(scaled, x));
    return [high, s.fsub64(x, high)];
  };
  const product = s.fmul64(a, b);
  const [highA, lowA] = split(a);
  const [highB, lowB] = split(b);
  const first = s.fsub64(s.fmul64(highA, highB), product);
  const second = s.fadd64(first, s.fmul64(highA, lowB));
  const third = s.fadd64(second, s.fmul64(lowA, highB));
  return { product, error: s.fadd64(third, s.fmul64(lowA, lowB)) };
}

/** The sum rounded to odd: where it is inexact, the neighbour of the exact value whose last bit is one. */
function oddSum(s: Builder, a: F64, b: F64): F64 {
  const { sum, error } = twoSum(s, a, b);
  const [sumBits, errorBits] = [s.bits_of_f64(sum), s.bits_of_f64(error)];
  const even = s.eqz(s.and(sumBits, 1n));
  const inexact = s.not(isZero(s, binary64, errorBits));
  // The error points away from zero iff it has the sum's sign: then the next encoding up, else the one below.
  const step = s.or(s.shr_s(s.xor(sumBits, errorBits), 63n), 1n);
  return s.f64_of_bits(s.select(s.both(even, inexact), s.add(sumBits, step), sumBits));
}

/** Factors between 2^-400 and 2^400 and |c| < 2^900: no step but the last can underflow or overflow. */
function inFmaWindow(s: Builder, a: I64, b: I64, c: I64): I1 {
  const near = (x: I64): I1 => s.lt_u(s.sub(exponentField(s, binary64, x), 1023n - 400n), 800n);
  const fine = s.lt_u(exponentField(s, binary64, c), 1023n + 900n);
  return s.both(s.both(near(a), near(b)), fine);
}

function fma64(
  s: Builder,
  make: Maker,
  slow: () => void,
  [a, b, c]: readonly [I64, I64, I64],
): void {
  s.rarely(s.not(inFmaWindow(s, a, b, c)), () => {
    // A zero product of finite factors: the sum is c, or a zero with the sign that addition gives it.
    const zeroFactor = s.either(isZero(s, binary64, a), isZero(s, binary64, b));
    const sum = s.bits_of_f64(s.fadd64(s.fmul64(f64(s, a), f64(s, b)), f64(s, c)));
    const finite = s.lt_u(exponentField(s, binary64, sum), 2047n);
    s.when(s.both(zeroFactor, finite), () => s.return(sum), slow);
  });
  const { product, error: low } = twoProduct(s, f64(s, a), f64(s, b));
  const lower = twoSum(s, f64(s, c), low);
  const upper = twoSum(s, product, lower.sum);
  const rest = oddSum(s, lower.error, upper.error);
  const total = twoSum(s, upper.sum, rest);
  const result = s.bits_of_f64(total.sum);
  // Inside the window a zero is exact: the operands cancel, and the sum is +0.
  const fine = s.either(isOrdinary(s, binary64, result), isZero(s, binary64, result));
  s.rarely(s.not(fine), slow);
  s.rarely(isUnknown(s, make), () => {
    const inexact = s.not(isZero(s, binary64, s.bits_of_f64(total.error)));
    s.when(inexact, () => raise(s, make, flag.NX));
  });
  s.return(result);
}

/** In binary64 the product is exact; a sum rounded to odd has enough bits more for the second rounding to be right. */
function fma32(
  s: Builder,
  make: Maker,
  slow: () => void,
  [a, b, c]: readonly [I64, I64, I64],
): void {
  const product = s.fmul64(s.promote(f32(s, a)), s.promote(f32(s, b)));
  const sum = oddSum(s, product, s.promote(f32(s, c)));
  const result = bits32(s, s.demote(sum));
  const exactZero = isZero(s, binary64, s.bits_of_f64(sum));
  s.rarely(s.not(s.either(isOrdinary(s, binary32, result), exactZero)), slow);
  s.rarely(isUnknown(s, make), () => {
    s.when(s.fne64(s.promote(f32(s, result)), sum), () => raise(s, make, flag.NX));
  });
  s.return(result);
}

function compare(make: Maker, host: Host, op: 'eq' | 'lt' | 'le'): Routine {
  const { format } = host;
  return routine(`${op}_${format.name}`, ['i64', 'i64'], 'i64', (s, a, b) => {
    s.rarely(s.either(isNaN(s, format, a), isNaN(s, format, b)), () => {
      const signals =
        op === 'eq' ? s.either(isSignaling(s, format, a), isSignaling(s, format, b)) : true;
      s.when(signals, () => raise(s, make, flag.NV));
      s.return(s.const64(0n));
    });
    s.return(s.zext1(host[op](s, a, b)));
  });
}

function extremum(make: Maker, host: Host, op: 'min' | 'max'): Routine {
  const { format } = host;
  const name = `${op}_${format.name}`;
  const bothNaN = make.slow(name, 2, (context, a, b) => ({
    bits: context.nan(format, [a, b], format),
    flags: 0n,
  }));
  return routine(name, ['i64', 'i64'], 'i64', (s, a, b) => {
    const [nanA, nanB] = [isNaN(s, format, a), isNaN(s, format, b)];
    s.rarely(s.either(nanA, nanB), () => {
      const signals = s.either(isSignaling(s, format, a), isSignaling(s, format, b));
      s.when(signals, () => raise(s, make, flag.NV));
      s.when(s.both(nanA, nanB), () => {
        s.return(s.call(bothNaN, 'i64', a, b, s.const64(rounding.RNE)));
      });
      s.return(s.select(nanA, b, a));
    });
    const [first, second] = op === 'min' ? [a, b] : [b, a];
    // Neither less: equal, and zeros differ in sign only. The minimum is negative if one is, the maximum if both are.
    const equal = op === 'min' ? s.or(a, b) : s.and(a, b);
    const rest = s.select(host.lt(s, second, first), b, equal);
    s.return(s.select(host.lt(s, first, second), a, rest));
  });
}

/** The value rounded to an integer in the given mode. A NaN stays one. */
function roundToIntegral(s: Builder, x: F64, mode: I64): F64 {
  const whole = s.variable('f64', s.ftrunc64(x));
  const is = (name: keyof typeof rounding): I1 => s.eq(mode, BigInt(rounding[name]));
  s.when(s.not(is('RTZ')), () => {
    s.when(is('RNE'), () => s.assign(whole, s.fnearest64(x)));
    s.when(is('RDN'), () => s.assign(whole, s.ffloor64(x)));
    s.when(is('RUP'), () => s.assign(whole, s.fceil64(x)));
    s.when(is('RMM'), () => {
      const half = floatConstant(s, 0.5);
      const fraction = s.fabs64(s.fsub64(x, s.read(whole)));
      s.rarely(s.fle64(half, fraction), () => {
        // One with the sign of x: truncation keeps a zero's sign, so this is right below one too.
        const sign = s.and(s.bits_of_f64(x), 1n << 63n);
        const one = s.f64_of_bits(s.or(sign, 0x3ff0_0000_0000_0000n));
        s.assign(whole, s.fadd64(s.read(whole), one));
      });
    });
  });
  return s.read(whole);
}

function toIntegerRoutine(make: Maker, host: Host, name: string, target: IntegerFormat): Routine {
  const { format } = host;
  const full = `${name}_of_${format.name}`;
  const slowPath = make.slow(full, 1, (context, a) => toInteger(format, context, target, a));
  // Low bound inclusive, high bound exclusive: powers of two, so exact.
  const low = target.signed ? -(2 ** (target.width - 1)) : 0;
  const high = 2 ** (target.signed ? target.width - 1 : target.width);
  return routine(full, ['i64', 'i64'], 'i64', (s, a, mode) => {
    const x = host.widen(s, a);
    const whole = roundToIntegral(s, x, mode);
    const inside = s.both(
      s.fle64(floatConstant(s, low), whole),
      s.flt64(whole, floatConstant(s, high)),
    );
    s.rarely(s.not(inside), () => s.return(s.call(slowPath, 'i64', a, mode)));
    s.when(s.fne64(whole, x), () => raise(s, make, flag.NX));
    s.return(target.signed ? s.i64_of_f64_s(whole) : s.i64_of_f64_u(whole));
  });
}

function fromIntegerRoutine(make: Maker, host: Host, name: string, source: IntegerFormat): Routine {
  const { format } = host;
  const full = `${format.name}_of_${name}`;
  const value = (a: bigint): bigint => (source.signed ? BigInt.asIntN(64, a) : a);
  const slowPath = make.slow(full, 1, (context, a) => fromInteger(format, context, value(a)));
  return routine(full, ['i64', 'i64'], 'i64', (s, a, mode) => {
    const sign = s.shr_s(a, 63n);
    const positive = source.signed ? s.sub(s.xor(a, sign), sign) : a;
    const used = s.sub(s.sub(s.const64(64n), s.clz(positive)), s.ctz(positive));
    s.rarely(s.gt_s(used, BigInt(format.fractionBits + 1)), () => {
      s.rarely(modeIsNot(s, mode, 'RNE'), () => s.return(s.call(slowPath, 'i64', a, mode)));
      raise(s, make, flag.NX);
    });
    s.return(host.of(s, a, source.signed));
  });
}

function narrow(make: Maker): Routine {
  const slowPath = make.slow('f32_of_f64', 1, (context, a) =>
    convert(binary64, binary32, context, a),
  );
  return routine('f32_of_f64', ['i64', 'i64'], 'i64', (s, a, mode) => {
    const slow = (): void => s.return(s.call(slowPath, 'i64', a, mode));
    s.rarely(modeIsNot(s, mode, 'RNE'), slow);
    const result = bits32(s, s.demote(f64(s, a)));
    const fine = s.either(isOrdinary(s, binary32, result), isZero(s, binary64, a));
    s.rarely(s.not(fine), slow);
    s.rarely(isUnknown(s, make), () => {
      const inexact = s.fne64(s.promote(f32(s, result)), f64(s, a));
      s.when(inexact, () => raise(s, make, flag.NX));
    });
    s.return(result);
  });
}

/** Every binary32 number is a binary64 number; only a NaN needs care. */
function widen(make: Maker): Routine {
  const slowPath = make.slow('f64_of_f32', 1, (context, a) =>
    convert(binary32, binary64, context, a),
  );
  return routine('f64_of_f32', ['i64'], 'i64', (s, a) => {
    s.rarely(isNaN(s, binary32, a), () => {
      s.return(s.call(slowPath, 'i64', a, s.const64(rounding.RNE)));
    });
    s.return(bits64(s, s.promote(f32(s, a))));
  });
}
