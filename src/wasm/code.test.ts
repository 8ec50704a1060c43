import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError } from '../std/assert.ts';
import { ByteWriter } from './byte-writer.ts';
import { Code } from './code.ts';
import { ModuleWriter } from './module.ts';
import { opcodes } from './opcodes.ts';
import type { ValueType } from './types.ts';

type Wasm = (...values: (number | bigint)[]) => unknown;

/** Compiles one function and returns it. */
function run(
  params: ValueType[],
  results: ValueType[],
  emit: (code: Code) => void,
  memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
): Wasm {
  const module = new ModuleWriter();
  module.importMemory('env', 'memory', { min: 1, max: 1, shared: true });
  const code = new Code(params.length);
  emit(code);
  module.exportFunction('run', module.addFunction(module.type(params, results), code));
  const compiled = new WebAssembly.Module(module.bytes());
  return new WebAssembly.Instance(compiled, { env: { memory } }).exports['run'] as Wasm;
}

/** The code entry: size, locals, instructions, end. */
function entry(code: Code): number[] {
  const out = new ByteWriter();
  code.writeEntry(out);
  return [...out.copy()];
}

test('factorial, with a loop', () => {
  const factorial = run(['i64'], ['i64'], (code) => {
    const product = code.local('i64');
    code.i64Const(1n);
    code.localSet(product);
    code.block();
    code.loop();
    code.localGet(0);
    code.op(opcodes['i64.eqz']);
    code.unlikely();
    code.brIf(1);
    code.localGet(product);
    code.localGet(0);
    code.op(opcodes['i64.mul']);
    code.localSet(product);
    code.localGet(0);
    code.i64Const(-1);
    code.op(opcodes['i64.add']);
    code.localSet(0);
    code.br(0);
    code.end();
    code.end();
    code.localGet(product);
  });
  equal(factorial(20n), 2432902008176640000n);
});

test('br_table picks the case, or the default', () => {
  const pick = run(['i32'], ['i32'], (code) => {
    for (let i = 0; i < 3; i++) code.block();
    code.localGet(0);
    code.brTable([0, 1], 2);
    for (const value of [10, 11, 12]) {
      code.end();
      code.i32Const(value);
      code.return();
    }
    code.unreachable();
  });
  deepEqual([pick(0), pick(1), pick(2), pick(-1)], [10, 11, 12, 12]);
});

test('if and else, select, drop, tee, blocks with a value', () => {
  const larger = run(['i32', 'i32'], ['i32'], (code) => {
    code.localGet(0);
    code.localGet(1);
    code.op(opcodes['i32.gt_s']);
    code.if('i32');
    code.localGet(0);
    code.else();
    code.block('i32');
    code.localGet(1);
    code.localTee(0);
    code.br(code.depth - 1);
    code.end();
    code.drop();
    code.localGet(0);
    code.end();
    code.i32Const(-7);
    code.i32Const(1);
    code.select();
  });
  deepEqual([larger(3, -5), larger(-5, 3)], [3, 3]);
});

test('a select of references names their type', () => {
  const isNull = run([], ['i32'], (code) => {
    code.refNull();
    code.refNull();
    code.i32Const(0);
    code.select('funcref');
    code.op(opcodes['ref.is_null']);
  });
  equal(isNull(), 1);
});

test('atomics work on shared memory', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  words[300] = 40;
  const addTwo = run(
    ['i32'],
    ['i32'],
    (code) => {
      code.localGet(0);
      code.i32Const(2);
      code.memory(opcodes['i32.atomic.rmw.add'], 1196, 2);
      code.atomicFence();
    },
    memory,
  );
  equal(addTwo(4), 40);
  equal(words[300], 42);
});

test('vectors: constants, lanes, shuffle, addition', () => {
  const sum = run(['i32'], ['i32'], (code) => {
    code.v128Const([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
    code.localGet(0);
    code.op(opcodes['i32x4.splat']);
    code.op(opcodes['i32x4.add']);
    code.v128Const(new Uint8Array(16));
    code.shuffle([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]);
    code.lane(opcodes['i32x4.extract_lane'], 0);
  });
  equal(sum(100), 104);
});

test('constants keep their value in every form', () => {
  const same = (n: bigint | number) => run([], ['i64'], (code) => code.i64Const(n))();
  equal(same(-1), -1n);
  equal(same(2 ** 40), 1n << 40n);
  equal(same(0xffff_ffff_ffff_fff0n), -16n);
  equal(run([], ['i32'], (code) => code.i32Const(0xffffffff))(), -1);
  equal(run([], ['f32'], (code) => code.f32Const(-0.5))(), -0.5);
  equal(run([], ['f64'], (code) => code.f64Const(Math.PI))(), Math.PI);
});

test('locals are declared in runs of equal type', () => {
  const code = new Code(2);
  const types: ValueType[] = ['i64', 'i64', 'i32', 'f64', 'f64', 'i64'];
  deepEqual(
    types.map((type) => code.local(type)),
    [2, 3, 4, 5, 6, 7],
  );
  deepEqual(entry(code), [10, 4, 2, 0x7e, 1, 0x7f, 2, 0x7c, 1, 0x7e, 0x0b]);
});

test('reset forgets everything', () => {
  const code = new Code(1);
  code.local('i32');
  code.block();
  code.i32Const(1);
  code.likely();
  code.brIf(0);
  code.unlikely();
  code.reset();
  deepEqual([code.length, code.depth, code.hints, code.parameters], [0, 0, 0, 1]);
  equal(code.local('i64'), 1);
  deepEqual(entry(code), [4, 1, 1, 0x7e, 0x0b]);
  code.reset(3);
  equal(code.local('i64'), 3);
});

test('misuse of blocks and hints is noticed', () => {
  throws(() => new Code().end(), AssertionError);
  throws(() => new Code().else(), AssertionError);
  throws(() => new Code().br(1), AssertionError);
  const open = new Code();
  open.block();
  throws(() => entry(open), AssertionError);
  const hinted = new Code();
  hinted.likely();
  throws(() => entry(hinted), AssertionError);
  throws(() => new Code().shuffle([1, 2, 3]), AssertionError);
});
