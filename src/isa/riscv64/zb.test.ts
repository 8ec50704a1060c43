// Bit manipulation and Zicond: every instruction against its definition in the manual, written on bigint.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { assert, bigInt, constantFrom, oneof, property } from 'fast-check';
import { compute, execute, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import type { Row } from '../shared/row.ts';
import { rows as zba } from './zba.ts';
import { rows as zbb } from './zbb.ts';
import { rows as zbc } from './zbc.ts';
import { rows as zbs } from './zbs.ts';
import { rows as zicond } from './zicond.ts';

const rows: readonly Row[] = [...zba, ...zbb, ...zbc, ...zbs, ...zicond];
const row = rowFinder(rows);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

const digits = (value: bigint, width: number): string => value.toString(2).padStart(width, '0');
const ones = (value: bigint): bigint => BigInt(digits(value, 1).replaceAll('0', '').length);
const leading = (value: bigint, width: number): bigint => {
  const first = digits(value, width).indexOf('1');
  return BigInt(first < 0 ? width : first);
};
const trailing = (value: bigint, width: number): bigint => {
  const last = digits(value, width).lastIndexOf('1');
  return BigInt(last < 0 ? width : width - 1 - last);
};
const rotateLeft = (value: bigint, by: bigint, width: bigint): bigint => {
  const n = by % width;
  return (value << n) | (value >> (width - n));
};
const bytes = (value: bigint): bigint[] =>
  Array.from({ length: 8 }, (_, i) => (value >> BigInt(8 * i)) & 0xffn);
const join = (parts: readonly bigint[]): bigint =>
  parts.reduce((sum, part, i) => sum | (part << BigInt(8 * i)), 0n);
const carryless = (a: bigint, b: bigint): bigint => {
  let product = 0n;
  for (let i = 0n; i < 64n; i++) if ((b >> i) & 1n) product ^= a << i;
  return product;
};
const bit = (index: bigint): bigint => 1n << (index & 63n);

const reference: Record<string, (a: bigint, b: bigint) => bigint> = {
  'add.uw': (a, b) => u32(a) + b,
  sh1add: (a, b) => a * 2n + b,
  sh2add: (a, b) => a * 4n + b,
  sh3add: (a, b) => a * 8n + b,
  'sh1add.uw': (a, b) => u32(a) * 2n + b,
  'sh2add.uw': (a, b) => u32(a) * 4n + b,
  'sh3add.uw': (a, b) => u32(a) * 8n + b,
  andn: (a, b) => a & ~b,
  orn: (a, b) => a | ~b,
  xnor: (a, b) => ~(a ^ b),
  clz: (a) => leading(a, 64),
  clzw: (a) => leading(u32(a), 32),
  ctz: (a) => trailing(a, 64),
  ctzw: (a) => trailing(u32(a), 32),
  cpop: (a) => ones(a),
  cpopw: (a) => ones(u32(a)),
  max: (a, b) => (s64(a) > s64(b) ? a : b),
  maxu: (a, b) => (a > b ? a : b),
  min: (a, b) => (s64(a) < s64(b) ? a : b),
  minu: (a, b) => (a < b ? a : b),
  'sext.b': (a) => BigInt.asIntN(8, a),
  'sext.h': (a) => BigInt.asIntN(16, a),
  'zext.h': (a) => BigInt.asUintN(16, a),
  rol: (a, b) => rotateLeft(a, b & 63n, 64n),
  rolw: (a, b) => s32(rotateLeft(u32(a), b & 31n, 32n)),
  ror: (a, b) => rotateLeft(a, 64n - (b & 63n), 64n),
  rorw: (a, b) => s32(rotateLeft(u32(a), 32n - (b & 31n), 32n)),
  'orc.b': (a) => join(bytes(a).map((byte) => (byte ? 0xffn : 0n))),
  rev8: (a) => join(bytes(a).toReversed()),
  clmul: (a, b) => carryless(a, b),
  clmulh: (a, b) => carryless(a, b) >> 64n,
  clmulr: (a, b) => carryless(a, b) >> 63n,
  bclr: (a, b) => a & ~bit(b),
  bext: (a, b) => (a >> (b & 63n)) & 1n,
  binv: (a, b) => a ^ bit(b),
  bset: (a, b) => a | bit(b),
  'czero.eqz': (a, b) => (b === 0n ? 0n : a),
  'czero.nez': (a, b) => (b === 0n ? a : 0n),
};

/** Instructions with a constant, and the one that takes it from a register instead. */
const constants: Record<string, string> = {
  rori: 'ror',
  roriw: 'rorw',
  bclri: 'bclr',
  bexti: 'bext',
  binvi: 'binv',
  bseti: 'bset',
};

const edges = [0n, 1n, 63n, 64n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n];
const i64 = oneof(bigInt(0n, 2n ** 64n - 1n), constantFrom(...edges));

for (const [name, expected] of Object.entries(reference)) {
  test(`${name} does what the manual says`, () => {
    for (const a of edges) {
      for (const b of edges) equal(compute(row(name), a, b), u64(expected(a, b)), `${a} ${b}`);
    }
    assert(
      property(i64, i64, (a, b) => compute(row(name), a, b) === u64(expected(a, b))),
      { numRuns: 50 },
    );
  });
}

test('constants mean what the same number in a register means', () => {
  for (const [name, other] of Object.entries(constants)) {
    const { width } = row(name).fields['imm']!;
    for (let imm = 0; imm < 2 ** width; imm++) {
      const a = 0x8123_4567_89ab_cdefn;
      const { state } = execute(row(name), { rd: 7, rs1: 5, imm }, { state: { x5: a } });
      equal(state.get('x7'), compute(row(other), a, BigInt(imm)), `${name} ${imm}`);
    }
  }
  const before = { state: { x5: 0xffff_ffff_8000_0001n } };
  const { state } = execute(row('slli.uw'), { rd: 7, rs1: 5, imm: 33 }, before);
  equal(state.get('x7'), 0x2_0000_0000n);
});

test('nothing is left out', () => {
  const known = [...Object.keys(reference), ...Object.keys(constants), 'slli.uw'];
  deepEqual(rows.map(({ name }) => name).toSorted(), known.toSorted());
});
