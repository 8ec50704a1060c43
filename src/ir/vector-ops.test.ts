// Every fold of an operation on vectors agrees with the WebAssembly instruction beside it. Arguments and results pass
// through memory, since JavaScript has no vectors.

import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../std/random.ts';
import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { type OpcodeName, opcodes } from '../wasm/opcodes.ts';
import { type PureRow, pureOps, type Type, widthOf } from './ops.ts';

const rows = Object.entries(pureOps as Record<string, PureRow>).filter(
  ([, { args, result, wasm }]) => wasm !== null && [...args, result].includes('v128'),
);

const load = {
  i1: opcodes['i32.load'],
  i32: opcodes['i32.load'],
  i64: opcodes['i64.load'],
  f32: opcodes['f32.load'],
  f64: opcodes['f64.load'],
  v128: opcodes['v128.load'],
};
const store = {
  i1: opcodes['i32.store'],
  i32: opcodes['i32.store'],
  i64: opcodes['i64.store'],
  f32: opcodes['f32.store'],
  f64: opcodes['f64.store'],
  v128: opcodes['v128.store'],
};
/** Where the result is stored; arguments lie at multiples of 16. */
const RESULT = 64;

const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

function compileAll(): Record<string, () => void> {
  const module = new ModuleWriter();
  module.importMemory('env', 'memory', { min: 1, max: 1, shared: true });
  for (const [name, row] of rows) {
    const code = new Code(0);
    code.i32Const(RESULT);
    for (const [i, type] of row.args.entries()) {
      code.i32Const(16 * i);
      code.memory(load[type], 0, 0);
    }
    code.immediate(opcodes[row.wasm as OpcodeName], row.immediate);
    code.memory(store[row.result], 0, 0);
    module.exportFunction(name, module.addFunction(module.type([], []), code));
  }
  const compiled = new WebAssembly.Module(module.bytes());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports as Record<
    string,
    () => void
  >;
}

/** NaNs of lanes as wide as the operation's are one. */
function comparable(name: string, result: Type, value: bigint): string {
  const shape = /^f(32|64)x/.exec(name);
  const width = result === 'v128' ? Number(shape?.[1] ?? 128) : widthOf[result];
  const lanes = Array.from({ length: Math.ceil(widthOf[result] / width) }, (_, i) =>
    BigInt.asUintN(width, value >> BigInt(width * i)),
  );
  const exponent = width === 32 ? 0x7f80_0000n : 0x7ff0_0000_0000_0000n;
  const sign = 1n << BigInt(width - 1);
  const isNan = (lane: bigint): boolean => shape !== null && (lane & (sign - 1n)) > exponent;
  return lanes.map((lane) => (isNan(lane) ? 'NaN' : lane.toString(16))).join('_');
}

test('every fold agrees with its WebAssembly instruction', () => {
  const exports = compileAll();
  const view = new DataView(memory.buffer);
  const random = createRandom(1n);
  const bits = (width: number): bigint => {
    let value = 0n;
    for (let i = 0; i < 4; i++) value = (value << 32n) | BigInt(random.next32());
    const kind = random.below(4);
    if (kind === 0) value &= 0xff80_00ff_7fff_ffff_8000_0000_0101_7f80n;
    if (kind === 1) value = 0n;
    if (kind === 2) value |= 0x7f80_0000_ffff_ff80_0000_0000_00ff_ff00n;
    return BigInt.asUintN(width, value);
  };
  for (const [name, row] of rows) {
    for (let round = 0; round < 300; round++) {
      const values = row.args.map((type) => bits(widthOf[type]));
      for (const [i, value] of values.entries()) {
        view.setBigUint64(16 * i, BigInt.asUintN(64, value), true);
        view.setBigUint64(16 * i + 8, value >> 64n, true);
      }
      exports[name]!();
      const low = view.getBigUint64(RESULT, true);
      const whole = low | (view.getBigUint64(RESULT + 8, true) << 64n);
      const actual = comparable(name, row.result, BigInt.asUintN(widthOf[row.result], whole));
      const shown = values.map((value) => `0x${value.toString(16)}`).join(', ');
      equal(comparable(name, row.result, row.fold(...values)), actual, `${name}(${shown})`);
    }
  }
});
