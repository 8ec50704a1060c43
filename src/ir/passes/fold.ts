// fold: constants, and operations that are known to give an operand, or the same by less work.
//
// What constants give is the builder's business (pureValue); this is a table of identities by operation. Each holds
// for all values of its operands. Constants come second in operations that commute, sums of constants are one.
// Which bits of a value can be set, and whether it is sign-extended, is read off the node that makes it.

import { signed, unsigned } from '../../std/bits.ts';
import { constant, pureValue } from '../builder.ts';
import type { Block, ConstNode, PureNode, Value } from '../node.ts';
import { type PureOpName, pureOps, type PureRow } from '../ops.ts';
import { type Make, type Rule, walk } from './walk.ts';

export const fold = (block: Block): Block => walk(block, [folding]);

/** The rule of the pass. */
export const folding: Rule = {
  pure(node, make) {
    return node.op === 'pc' ? undefined : simplify(node, make);
  },
};

type Identity = (a: Value, b: Value, make: Make, c: Value) => Value | undefined;

function simplify(node: PureNode, make: Make): Value | undefined {
  const [a, b, c] = node.args as [Value, Value, Value];
  if (a.op === 'const') {
    const row: PureRow = pureOps[node.op];
    if (b?.op !== 'const' && row.commutes) return make(node.op, b, a);
    if (node.op === 'select' || node.op === 'select32') return a.value === 1n ? b : c;
    if (b === undefined || b.op === 'const') return ofConstants(node);
  }
  return identities.get(node.op)?.(a, b, make, c);
}

/** Undefined where the operation is: such code is never reached. */
function ofConstants(node: PureNode): Value | undefined {
  const divisor = node.args[1] as ConstNode | undefined;
  if (divides.has(node.op) && (divisor!.value === 0n || isMinusOne(divisor!))) return undefined;
  return pureValue(node.op, node.args);
}

const divides: ReadonlySet<string> = new Set(
  Object.keys(pureOps).filter((name) => name.startsWith('div_') || name.startsWith('rem_')),
);

const ones = unsigned(64, -1n);
const low32 = 0xffff_ffffn;
const i64 = (value: bigint): Value => constant('i64', value);
const zero = i64(0n);
const isFalse = constant('i1', 0n);
const isTrue = constant('i1', 1n);
const isMinusOne = ({ type, value }: ConstNode): boolean =>
  value === (type === 'i64' ? ones : low32);

/** The value of a constant. */
const of = (node: Value): bigint | undefined => (node.op === 'const' ? node.value : undefined);

/** The constant operand of `op x, c`. */
const constantOf = (node: Value, op: PureOpName): bigint | undefined =>
  node.op === op ? of(node.args[1]!) : undefined;

/** `op(op(x, c), b)` as `op(x, c with b)`. */
const gather =
  (op: PureOpName, combine: (a: bigint, b: bigint) => bigint): Identity =>
  (a, b, make) => {
    const [inner, outer] = [constantOf(a, op), of(b)];
    if (inner === undefined || outer === undefined) return undefined;
    return make(op, a.args[0]!, i64(combine(inner, outer)));
  };

/** pc + constant. */
const fromPc: Identity = (a, b, make) => {
  if (a.op !== 'pc') return undefined;
  const value = pureValue('add', [a, b]);
  return value.op === 'pc' ? make(value) : undefined;
};

const either =
  (...ways: readonly Identity[]): Identity =>
  (a, b, make, c) => {
    for (const way of ways) {
      const value = way(a, b, make, c);
      if (value !== undefined) return value;
    }
    return undefined;
  };

/** `x op c = x` for one constant. */
const neutral =
  (value: bigint): Identity =>
  (a, b) =>
    of(b) === value ? a : undefined;

/** `x op c = c` for one constant. */
const absorbing =
  (value: bigint): Identity =>
  (_, b) =>
    of(b) === value ? b : undefined;

/** `x op x`. */
const same =
  (give: (a: Value) => Value): Identity =>
  (a, b) =>
    a === b ? give(a) : undefined;

/** `outer(inner x) = x`. */
const undoes =
  (inner: PureOpName): Identity =>
  (a) =>
    a.op === inner ? a.args[0] : undefined;

/** How many low bits of an i64 may be set: all above are zero. */
function unsignedBits(node: Value): number {
  switch (node.op) {
    case 'const':
      return bitLength(node.value);
    case 'load':
    case 'physical_load':
      return node.signed ? 64 : node.width;
    case 'zext32':
      return 32;
    case 'zext1':
      return 1;
    case 'and': {
      const mask = of(node.args[1]!);
      return mask === undefined ? 64 : bitLength(mask);
    }
    case 'shr_u': {
      const by = of(node.args[1]!);
      return by === undefined ? 64 : 64 - Number(by & 63n);
    }
    default:
      return 64;
  }
}

/** Bits of an unsigned number below 2^64 without the zeros in front. */
function bitLength(value: bigint): number {
  const high = Number(value >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(value)) : 64 - Math.clz32(high);
}

/** How many operations deep signedBits looks. */
const DEPTH = 4;

/** An i64 is the sign extension of that many low bits. */
function signedBits(node: Value, depth = DEPTH): number {
  if (depth === 0) return 64;
  const widest = (a: Value, b: Value): number =>
    Math.max(signedBits(a, depth - 1), signedBits(b, depth - 1));
  switch (node.op) {
    case 'const': {
      const value = signed(64, node.value);
      return bitLength(value < 0n ? ~value : value) + 1;
    }
    case 'load':
      return node.signed ? node.width : node.width + 1;
    case 'ext8_s':
      return 8;
    case 'ext16_s':
      return 16;
    case 'ext32_s':
    case 'sext32':
      return 32;
    case 'shr_s': {
      const by = of(node.args[1]!);
      return by === undefined ? 64 : 64 - Number(by & 63n);
    }
    case 'and':
    case 'or':
    case 'xor':
      return Math.min(unsignedBits(node) + 1, widest(node.args[0]!, node.args[1]!));
    case 'select':
      return widest(node.args[1]!, node.args[2]!);
    default:
      return unsignedBits(node) + 1;
  }
}

const extension =
  (bits: number): Identity =>
  (a) =>
    signedBits(a) <= bits ? a : undefined;

const shiftOf = (node: Value, op: PureOpName): bigint | undefined => {
  const by = constantOf(node, op);
  return by === undefined ? undefined : by & 63n;
};

const byNothing: Identity = (a, b) => {
  const by = of(b);
  return by !== undefined && (by & 63n) === 0n ? a : undefined;
};

/** Two shifts the same way are one; all bits may be gone. */
const shifts = (op: 'shl' | 'shr_u'): Identity =>
  either(byNothing, (a, b, make) => {
    const [inner, outer] = [shiftOf(a, op), of(b)];
    if (inner === undefined || outer === undefined) return undefined;
    const sum = inner + (outer & 63n);
    return sum > 63n ? zero : make(op, a.args[0]!, i64(sum));
  });

/** A shift to the left and back to the right by as much. */
const backAgain =
  (give: (make: Make, x: Value, by: bigint) => Value | undefined): Identity =>
  (a, b, make) => {
    const by = shiftOf(a, 'shl');
    return by === undefined || of(b) !== by ? undefined : give(make, a.args[0]!, by);
  };

const powerOfTwo =
  (give: (make: Make, a: Value, power: bigint) => Value): Identity =>
  (a, b, make) => {
    const value = of(b);
    if (value === undefined || value === 0n || (value & (value - 1n)) !== 0n) return undefined;
    return give(make, a, value);
  };
const log2 = (power: bigint): Value => i64(BigInt(bitLength(power) - 1));

/** What the low 32 bits of an i64 are made of: extensions and masks that do not touch them are gone. */
function lowPart(node: Value): Value {
  if (node.op === 'ext32_s') return node.args[0]!;
  const mask = constantOf(node, 'and');
  if (mask !== undefined && (mask & low32) === low32) return node.args[0]!;
  const set = constantOf(node, 'or');
  return set !== undefined && (set & low32) === 0n ? node.args[0]! : node;
}

/** Operations whose low 32 bits depend on those of their operands alone. */
const fromLow: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'and', 'or', 'xor']);

/** ext32_s of what has the same low bits. */
const extendLow: Identity = (a, _, make) => {
  const part = lowPart(a);
  if (part !== a) return make('ext32_s', part);
  if (!fromLow.has(a.op)) return undefined;
  const [x, y] = [lowPart(a.args[0]!), lowPart(a.args[1]!)];
  if (x === a.args[0] && y === a.args[1]) return undefined;
  return make('ext32_s', make(a.op as PureOpName, x, y));
};

const wrapLow: Identity = (a, _, make) => {
  if (a.op === 'zext1') return make('int1', a.args[0]!);
  const part = lowPart(a);
  return part === a ? undefined : make('wrap', part);
};

const maskOf: Identity = (a, b, make) => {
  const mask = of(b);
  if (mask === undefined) return undefined;
  const width = unsignedBits(a);
  if (width < 64 && ((mask + 1n) & ((1n << BigInt(width)) - 1n)) === 0n) return a;
  const set = constantOf(a, 'or');
  if (set === undefined) return undefined;
  if ((set & mask) === mask) return b;
  return (set & mask) === 0n ? make('and', a.args[0]!, b) : undefined;
};

const orOf: Identity = (a, b, make) => {
  const [inner, outer] = [constantOf(a, 'or'), of(b)];
  if (inner === undefined || outer === undefined) return undefined;
  return (inner | outer) === inner ? a : make('or', a.args[0]!, i64(inner | outer));
};

/** Whether a >= b, unsigned, is known: x | c is not below c. */
const isNotBelow = (a: Value, b: Value): boolean => {
  const bound = of(b);
  return bound !== undefined && (constantOf(a, 'or') ?? 0n) >= bound;
};

const opposites = new Map<string, PureOpName>(
  (
    [
      ['eq', 'ne'],
      ['lt_s', 'ge_s'],
      ['lt_u', 'ge_u'],
      ['le_s', 'gt_s'],
      ['le_u', 'gt_u'],
      ['eq32', 'ne32'],
      ['lt_u32', 'ge_u32'],
      ['feq64', 'fne64'],
    ] as const
  ).flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]),
);

const negated: Identity = (a, _, make) => {
  if (a.op === 'not') return a.args[0];
  if (a.op === 'eqz') return make('ne', a.args[0]!, zero);
  if (a.op === 'eqz32') return make('ne32', a.args[0]!, constant('i32', 0n));
  if (a.op === 'ne' && of(a.args[1]!) === 0n) return make('eqz', a.args[0]!);
  const opposite = opposites.get(a.op);
  return opposite === undefined ? undefined : make(opposite, ...a.args);
};

const isZero: Identity = (a, _, make) =>
  a.op === 'zext1' || a.op === 'int1' ? make('not', a.args[0]!) : undefined;

/** A comparison with zero of what was a truth value. */
const againstZero =
  (eqz: 'eqz' | 'eqz32', whether: boolean): Identity =>
  (a, b, make) => {
    if (of(b) !== 0n) return undefined;
    if (!whether) return make(eqz, a);
    return a.op === 'zext1' || a.op === 'int1' ? a.args[0] : undefined;
  };

const choice: Identity = (a, b, make, c) => {
  if (b === c || (b.op === 'const' && b.value === of(c))) return b;
  if (a.op === 'not') return make(b.type === 'i64' ? 'select' : 'select32', a.args[0]!, c, b);
  return b.type === 'i64' && of(b) === 1n && of(c) === 0n ? make('zext1', a) : undefined;
};

const equalTo = (value: Value): Identity => same(() => value);

// oxfmt-ignore
const identities = new Map<string, Identity>(Object.entries({
  add: either(neutral(0n), fromPc, gather('add', (a, b) => a + b)),
  sub: either(neutral(0n), same(() => zero), (a, b, make) =>
    b.op === 'const' ? make('add', a, i64(-b.value)) : undefined),
  mul: either(neutral(1n), absorbing(0n), powerOfTwo((make, a, power) => make('shl', a, log2(power)))),
  div_u: powerOfTwo((make, a, power) => make('shr_u', a, log2(power))),
  rem_u: powerOfTwo((make, a, power) => make('and', a, i64(power - 1n))),
  and: either(neutral(ones), absorbing(0n), same((a) => a), gather('and', (a, b) => a & b), maskOf),
  or: either(neutral(0n), absorbing(ones), same((a) => a), orOf),
  xor: either(neutral(0n), same(() => zero), gather('xor', (a, b) => a ^ b)),
  shl: shifts('shl'),
  shr_u: either(shifts('shr_u'), backAgain((make, x, by) => make('and', x, i64(ones >> by)))),
  shr_s: either(byNothing, backAgain((make, x, by) => by === 32n ? make('ext32_s', x) : undefined)),
  rotl: byNothing,
  rotr: byNothing,
  ext8_s: extension(8),
  ext16_s: extension(16),
  ext32_s: either(extension(32), extendLow),
  eqz: isZero,
  eq: either(equalTo(isTrue), againstZero('eqz', false)),
  ne: either(equalTo(isFalse), againstZero('eqz', true)),
  lt_s: equalTo(isFalse),
  gt_s: equalTo(isFalse),
  le_s: equalTo(isTrue),
  ge_s: equalTo(isTrue),
  lt_u: either(equalTo(isFalse), (a, b) => isNotBelow(a, b) ? isFalse : undefined),
  gt_u: equalTo(isFalse),
  le_u: equalTo(isTrue),
  ge_u: either(equalTo(isTrue), (a, b) => isNotBelow(a, b) ? isTrue : undefined),
  add32: neutral(0n),
  sub32: neutral(0n),
  eqz32: isZero,
  eq32: either(equalTo(isTrue), againstZero('eqz32', false)),
  ne32: either(equalTo(isFalse), againstZero('eqz32', true)),
  not: negated,
  both: either(neutral(1n), absorbing(0n), same((a) => a)),
  either: either(neutral(0n), absorbing(1n), same((a) => a)),
  differ: either(neutral(0n), same(() => isFalse), (a, b, make) => of(b) === 1n ? make('not', a) : undefined),
  wrap: either(undoes('zext32'), undoes('sext32'), wrapLow),
  zext32: (a) => a.op === 'wrap' && unsignedBits(a.args[0]!) <= 32 ? a.args[0] : undefined,
  sext32: (a, _, make) => a.op === 'wrap' ? make('ext32_s', a.args[0]!) : undefined,
  select: choice,
  select32: choice,
  f64_of_bits: undoes('bits_of_f64'),
  bits_of_f64: undoes('f64_of_bits'),
  f32_of_bits: undoes('bits_of_f32'),
  bits_of_f32: undoes('f32_of_bits'),
} satisfies Partial<Record<PureOpName, Identity>>));
