// The routines, compiled, against the integer implementation: results and flags, with the inexact flag set and clear
// beforehand, in every mode. The operand stream is seeded; a failure names all that is needed to repeat it.

import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { operandStream, random64 } from '../../../test/support/float-cases.ts';
import { compileRoutines } from '../../../test/support/routines.ts';
import type { Routine } from '../../ir/node.ts';
import { floatRoutines } from './float.ts';
import * as soft from './softfloat.ts';
import { isaCells, layout } from './vcpu.ts';

const { binary32, binary64, flag } = soft;
const { flags } = layout(isaCells.start, isaCells.end).cells({ flags: 'i64' });
const rules: soft.FloatRules = {
  tininess: 'after rounding',
  nan: soft.defaultNaN,
  invalidInteger: (cause, low, high) => (cause === 'low' ? low : high),
};
const floating = floatRoutines(flags, rules);
const casesEach = 10_000;
const seed = 42n;

type Reference = (context: soft.FloatContext, ...operands: bigint[]) => soft.FloatResult;
type Operands = () => bigint[];

const modes = [0, 0, 0, 1, 2, 3, 4];

/** Compares a routine `(...operands, mode)` with its reference. */
function compare(routine: Routine, reference: Reference, operands: Operands): void {
  const compiled = compileRoutines([routine]);
  const takesMode = routine.params.length > operands().length;
  for (let i = 0; i < casesEach; i++) {
    const args = operands();
    const mode = takesMode ? modes[i % modes.length]! : 0;
    const before = i % 3 === 0 ? flag.NX : 0n;
    compiled.set(flags, before);
    const bits = compiled.call(routine, ...args, ...(takesMode ? [BigInt(mode)] : []));
    const wanted = reference({ ...rules, mode }, ...args);
    const hex = args.map((arg) => arg.toString(16)).join(' ');
    const message = `${routine.name} ${hex} mode ${mode} flags ${before} seed ${seed} case ${i}`;
    const actual = { bits, flags: compiled.get(flags) };
    deepEqual(actual, { bits: wanted.bits, flags: wanted.flags | before }, message);
  }
}

const integers = {
  i32: { width: 32, signed: true },
  u32: { width: 32, signed: false },
  i64: { width: 64, signed: true },
  u64: { width: 64, signed: false },
} as const;

const arithmetic = { add: soft.add, sub: soft.sub, mul: soft.mul, div: soft.div } as const;

/** A number of the integer format, as 64 bits of two's complement. */
function integerStream({ width, signed }: soft.IntegerFormat): Operands {
  const random = random64(seed);
  return () => {
    const kept = random() % 64n;
    const positive = ((random() >> (random() % 64n)) >> kept) << kept;
    const value = random() % 2n === 0n ? positive : -positive;
    const cut = signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
    return [BigInt.asUintN(64, cut)];
  };
}

const toIntegerReference =
  (format: soft.FloatFormat, target: soft.IntegerFormat): Reference =>
  (context, a) =>
    soft.toInteger(format, context, target, a);

const fromIntegerReference =
  (format: soft.FloatFormat, source: soft.IntegerFormat): Reference =>
  (context, a) =>
    soft.fromInteger(format, context, source.signed ? BigInt.asIntN(64, a) : a);

for (const format of [binary32, binary64]) {
  const routines = floating[format.name as 'f32' | 'f64'];
  const stream = (arity: number): Operands => {
    const next = operandStream(format, random64(seed));
    return () => Array.from({ length: arity }, next);
  };

  for (const name of ['add', 'sub', 'mul', 'div'] as const) {
    test(`${name} of ${format.name}`, () => {
      compare(
        routines[name],
        (context, a, b) => arithmetic[name](format, context, a, b),
        stream(2),
      );
    });
  }

  test(`sqrt of ${format.name}`, () => {
    compare(routines.sqrt, (context, a) => soft.sqrt(format, context, a), stream(1));
  });

  test(`fma of ${format.name}, with addends that nearly cancel the product`, () => {
    const random = random64(seed);
    const next = operandStream(format, random);
    const operands = (): bigint[] => {
      const [a, b, c] = [next(), next(), next()];
      if (random() % 2n === 0n) return [a, b, c];
      const product = soft.mul(format, { ...rules, mode: 0 }, a, b).bits;
      const opposite = product ^ (1n << BigInt(format.width - 1));
      const scale = random() % 2n === 0n ? 0n : random() % 60n;
      const near = opposite + (random() % 7n) - 3n - (scale << BigInt(format.fractionBits));
      return [a, b, BigInt.asUintN(format.width, near)];
    };
    compare(routines.fma, (context, a, b, c) => soft.fma(format, context, a, b, c), operands);
  });

  for (const [name, integer] of Object.entries(integers)) {
    const key = name as keyof typeof integers;

    test(`${format.name} to ${name}`, () => {
      compare(routines.toInteger[key], toIntegerReference(format, integer), stream(1));
    });

    test(`${name} to ${format.name}`, () => {
      const reference = fromIntegerReference(format, integer);
      compare(routines.fromInteger[key], reference, integerStream(integer));
    });
  }
}

test('conversions between formats', () => {
  const [next64, next32] = [binary64, binary32].map((f) => operandStream(f, random64(seed)));
  const narrow: Reference = (context, a) => soft.convert(binary64, binary32, context, a);
  const widen: Reference = (context, a) => soft.convert(binary32, binary64, context, a);
  compare(floating.narrow, narrow, () => [next64!()]);
  compare(floating.widen, widen, () => [next32!()]);
});

test('comparisons, minimum and maximum of special values', () => {
  const { eq, lt, le, min, max } = floating.f64;
  const compiled = compileRoutines([eq, lt, le, min, max]);
  const [one, zero, minusZero] = [0x3ff0n << 48n, 0n, 1n << 63n];
  const [quiet, signaling] = [soft.defaultNaN(binary64), 0x7ff0_0000_0000_0001n];
  const cases = [
    [eq, one, one, 1n, 0n],
    [eq, zero, minusZero, 1n, 0n],
    [eq, one, quiet, 0n, 0n],
    [eq, signaling, one, 0n, flag.NV],
    [lt, zero, one, 1n, 0n],
    [lt, minusZero, zero, 0n, 0n],
    [lt, one, quiet, 0n, flag.NV],
    [le, minusZero, zero, 1n, 0n],
    [le, quiet, quiet, 0n, flag.NV],
    [min, zero, minusZero, minusZero, 0n],
    [min, one, zero, zero, 0n],
    [max, minusZero, zero, zero, 0n],
    [max, one, quiet, one, 0n],
    [min, signaling, one, one, flag.NV],
    [max, quiet, signaling, quiet, flag.NV],
  ] as const;
  for (const [routine, a, b, bits, raised] of cases) {
    compiled.set(flags, 0n);
    const actual = [compiled.call(routine, a, b), compiled.get(flags)];
    deepEqual(actual, [bits, raised], `${routine.name} ${a.toString(16)} ${b.toString(16)}`);
  }
});
