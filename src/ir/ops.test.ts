// Every pure operation's fold agrees with the WebAssembly instruction beside it: one tiny function for each, run on
// edge values in all combinations and on random ones. Floating-point values pass as bits, so that NaNs survive.

import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { type OpcodeName, opcodes } from '../wasm/opcodes.ts';
import type { ValueType } from '../wasm/types.ts';
import { type PureRow, pureOps, type Type, widthOf } from './ops.ts';

const isVector = ({ args, result }: PureRow): boolean => [...args, result].includes('v128');
/** Those on vectors are vector-ops.test.ts's. */
const rows = Object.entries(pureOps as Record<string, PureRow>).filter(([, row]) => !isVector(row));
const lowered = rows.filter(([, row]) => row.wasm !== null);

/** How a value crosses into WebAssembly, and the instruction that makes it from its bits or gives its bits. */
type Scalar = Exclude<Type, 'v128'>;
const passed: Record<Scalar, ValueType> = {
  i1: 'i32',
  i32: 'i32',
  i64: 'i64',
  f32: 'i32',
  f64: 'i64',
};
const fromBits = { f32: opcodes['f32.reinterpret_i32'], f64: opcodes['f64.reinterpret_i64'] };
const toBits = { f32: opcodes['i32.reinterpret_f32'], f64: opcodes['i64.reinterpret_f64'] };
const isFloat = (type: Type): type is 'f32' | 'f64' => type === 'f32' || type === 'f64';

type Run = (...args: (bigint | number)[]) => bigint | number;

function compileAll(): Record<string, Run> {
  const module = new ModuleWriter();
  for (const [name, row] of lowered) {
    const code = new Code(row.args.length);
    for (const [i, type] of row.args.entries()) {
      code.localGet(i);
      if (isFloat(type)) code.op(fromBits[type]);
    }
    code.op(opcodes[row.wasm as OpcodeName]);
    if (isFloat(row.result)) code.op(toBits[row.result]);
    const type = module.type(
      row.args.map((arg) => passed[arg as Scalar]),
      [passed[row.result as Scalar]],
    );
    module.exportFunction(name, module.addFunction(type, code));
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()));
  return instance.exports as unknown as Record<string, Run>;
}

const run = compileAll();

const integers = (width: number): bigint[] =>
  [0n, 1n, 2n, 3n, 31n, 32n, 63n, 64n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fff_ffffn]
    .concat([0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 1n << 62n, (1n << 63n) - 1n, 1n << 63n])
    .flatMap((value) => [value, -value, ~value])
    .map((value) => BigInt.asUintN(width, value));

// Zeros, ones, halves, subnormals, limits of the integer types, infinities, quiet and signalling NaNs.
const doubles = [
  0,
  1,
  0.5,
  1.5,
  2.5,
  0.49999999999999994,
  2 ** 31,
  2 ** 32,
  2 ** 52 + 1,
  2 ** 52 - 0.5,
]
  .concat([2 ** 53, 2 ** 63, 2 ** 64, 2 ** 64 - 2048, 5e-324, 2.2250738585072014e-308, 1e-45])
  .concat([1.1754943508222875e-38, 3.4028234663852886e38, 3.4028235677973366e38, Number.MAX_VALUE])
  .concat([Infinity, 0.1, 1 / 3, 2147483647.5, 16777217])
  .flatMap((value) => [value, -value]);
const floats = new DataView(new ArrayBuffer(8));
const bits64 = (value: number): bigint => (floats.setFloat64(0, value), floats.getBigUint64(0));
const bits32 = (value: number): bigint => (
  floats.setFloat32(0, value),
  BigInt(floats.getUint32(0))
);

const edges: Record<Scalar, readonly bigint[]> = {
  i1: [0n, 1n],
  i32: [...new Set(integers(32))],
  i64: [...new Set(integers(64))],
  f32: [...new Set(doubles.map(bits32)), 0x7fc0_0000n, 0xffc0_0001n, 0x7f80_0001n, 0xffbf_ffffn],
  f64: [
    ...new Set(doubles.map(bits64)),
    0x7ff8_0000_0000_0000n,
    0xfff8_0000_0000_0001n,
    0x7ff0_0000_0000_0001n,
  ],
};

/** A repeatable source of random 64-bit values (splitmix64). */
function randomBits(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  };
}

function* inputs({ args }: PureRow): Generator<bigint[]> {
  const [first, second] = args.map((type) => edges[type as Scalar]);
  for (const a of first!) {
    if (second === undefined) yield [a];
    else for (const b of second) yield [a, b];
  }
  const random = randomBits(1n);
  for (let i = 0; i < 500; i++) {
    // A shift makes small magnitudes as likely as large ones.
    yield args.map((type) => {
      const width = BigInt(widthOf[type]);
      const value = BigInt.asUintN(widthOf[type], random());
      return isFloat(type) ? value : value >> (random() % width);
    });
  }
}

/** Division is undefined where WebAssembly traps. */
function isUndefined(name: string, { args }: PureRow, [a, b]: readonly bigint[]): boolean {
  if (!/^(div|rem)_/.test(name)) return false;
  const width = widthOf[args[0]!];
  const overflows = a === 1n << BigInt(width - 1) && b === (1n << BigInt(width)) - 1n;
  return b === 0n || (name.startsWith('div_s') && overflows);
}

const exponents = { f32: 0x7f80_0000n, f64: 0x7ff0_0000_0000_0000n };
const magnitudes = { f32: 0x7fff_ffffn, f64: 0x7fff_ffff_ffff_ffffn };

/** A value to compare: all NaNs of a type are one. */
const comparable = (type: Type, bits: bigint): bigint | string =>
  isFloat(type) && (bits & magnitudes[type]) > exponents[type] ? 'NaN' : bits;

const enter = (type: Type, bits: bigint): bigint | number =>
  passed[type as Scalar] === 'i64' ? bits : Number(bits);

test('every fold agrees with its WebAssembly instruction', () => {
  for (const [name, row] of lowered) {
    for (const values of inputs(row)) {
      if (isUndefined(name, row, values)) continue;
      const raw = run[name]!(...values.map((value, i) => enter(row.args[i]!, value)));
      const actual = BigInt.asUintN(passed[row.result as Scalar] === 'i64' ? 64 : 32, BigInt(raw));
      const folded = row.fold(...values);
      if (comparable(row.result, folded) !== comparable(row.result, actual)) {
        const shown = values.map((value) => `0x${value.toString(16)}`).join(', ');
        equal(`0x${folded.toString(16)}`, `0x${actual.toString(16)}`, `${name}(${shown})`);
      }
    }
  }
});

test('operations said to commute do', () => {
  for (const [name, row] of rows.filter(([, { commutes }]) => commutes)) {
    for (const [a, b] of inputs(row)) {
      const one = comparable(row.result, row.fold(a!, b!));
      equal(one, comparable(row.result, row.fold(b!, a!)), name);
    }
  }
});

test('operations lowered by name choose and pass on', () => {
  const names = rows.filter(([, row]) => row.wasm === null).map(([name]) => name);
  equal(names.join(), 'int1,select,select32');
  for (const op of [pureOps.select, pureOps.select32]) {
    equal(op.fold(1n, 2n, 3n), 2n);
    equal(op.fold(0n, 2n, 3n), 3n);
  }
  equal(pureOps.int1.fold(1n), 1n);
});
