import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { assert, bigInt, constantFrom, oneof, property } from 'fast-check';
import { compute, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { rows } from './m.ts';

const row = rowFinder(rows);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/** Quotient and remainder of the manual's table of division by zero. */
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);

const reference: Record<string, (a: bigint, b: bigint) => bigint> = {
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  div: (a, b) => quotient(s64(a), s64(b)),
  divu: (a, b) => quotient(a, b),
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: (a, b) => remainder(a, b),
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => s32(quotient(s32(a), s32(b))),
  divuw: (a, b) => s32(quotient(u32(a), u32(b))),
  remw: (a, b) => s32(remainder(s32(a), s32(b))),
  remuw: (a, b) => s32(remainder(u32(a), u32(b))),
};

const edges = [0n, 1n, 2n, 3n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n];
const values = [...edges, ...edges.map((edge) => u64(-edge - 1n)), ...edges.map((e) => u64(-e))];
const i64 = oneof(bigInt(0n, 2n ** 64n - 1n), constantFrom(...values));

for (const [name, expected] of Object.entries(reference)) {
  test(`${name} is exact`, () => {
    for (const a of values) {
      for (const b of values) equal(compute(row(name), a, b), u64(expected(a, b)), `${a} ${b}`);
    }
    assert(
      property(i64, i64, (a, b) => compute(row(name), a, b) === u64(expected(a, b))),
      { numRuns: 200 },
    );
  });
}

test('every instruction of the extension is there', () => {
  equal(rows.length, Object.keys(reference).length);
});
