import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { Code } from './code.ts';
import { ModuleWriter } from './module.ts';
import { instructions, opcodes, signature } from './opcodes.ts';
import type { OpcodeName } from './opcodes.ts';

const names = Object.keys(instructions) as OpcodeName[];

/** Emits an instruction that is not control, parametric or variable, with some immediates. */
function emit(code: Code, name: OpcodeName): void {
  const { opcode, immediates, alignLog2 = 0 } = instructions[name];
  switch (immediates) {
    case 'none':
      return code.op(opcode);
    case 'zero':
      return code.atomicFence();
    case 'memarg':
      return code.memory(opcode, 0xfffffff0, alignLog2);
    case 'memarg lane':
      return code.memoryLane(opcode, 8, alignLog2, 1);
    case 'lane':
      return code.lane(opcode, 1);
    case 'lanes':
      return code.shuffle([31, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]);
    case 'i32':
      return code.i32Const(-100000);
    case 'i64':
      return code.i64Const(-1n << 63n);
    case 'f32':
      return code.f32Const(0.5);
    case 'f64':
      return code.f64Const(0.1);
    case 'v128':
      return code.v128Const(new Uint8Array(16).fill(255));
    case 'heap type':
      return code.refNull();
    case 'table':
    case 'element':
    case 'data':
    case 'memory':
    case 'function':
      return code.index(opcode, 0);
    case 'table table':
    case 'element table':
    case 'memory memory':
    case 'data memory':
      return code.indexPair(opcode, 0, 0);
    case 'block':
    case 'label':
    case 'labels':
    case 'type table':
    case 'types':
    case 'local':
    case 'global':
      throw new Error(`${name} has no fixed type`);
  }
}

/** Adds a function that applies one instruction to its parameters and returns the results. */
function addFunctionOf(module: ModuleWriter, name: OpcodeName): number {
  const { operands, results } = signature(name) ?? { operands: [], results: [] };
  const code = new Code(operands.length);
  for (const i of operands.keys()) code.localGet(i);
  emit(code, name);
  return module.addFunction(module.type(operands, results), code);
}

/** A module with one of everything that instructions refer to by index. */
function environment(): ModuleWriter {
  const module = new ModuleWriter();
  const fn = module.importFunction('env', 'function', module.type([], []));
  module.importMemory('env', 'memory', { min: 1, max: 65536, shared: true });
  module.table({ min: 1 });
  module.element(0, 0, [fn]);
  module.data(Uint8Array.of(1, 2, 3));
  return module;
}

const monomorphic = names.filter((name) => signature(name) !== undefined);

test('every instruction with a fixed type is valid with that type', () => {
  for (const name of monomorphic) {
    const module = environment();
    addFunctionOf(module, name);
    equal(WebAssembly.validate(module.bytes()), true, name);
  }
});

test('the engine disagrees when a result type is changed', () => {
  const module = environment();
  const code = new Code(0);
  code.i32Const(1);
  module.addFunction(module.type([], ['i64']), code);
  equal(WebAssembly.validate(module.bytes()), false);
});

test('an independent disassembler gives every instruction its name', () => {
  const module = environment();
  for (const name of monomorphic) module.exportFunction(name, addFunctionOf(module, name));
  const read = binaryen.readBinary(module.bytes());
  read.setFeatures(binaryen.Features.All);
  equal(read.validate(), 1);
  const functions = read.emitText().split('\n (func ').slice(1);
  equal(functions.length, monomorphic.length);
  for (const [i, name] of monomorphic.entries()) {
    match(functions[i] ?? '', new RegExp(`\\(${name.replaceAll('.', '\\.')}[ )\\n]`), name);
  }
  read.dispose();
});

test('numbers are distinct and natural alignments are those of the name', () => {
  equal(new Set(Object.values(opcodes)).size, names.length);
  for (const name of names) {
    const { alignLog2 } = instructions[name];
    const access = /^(?:v128|[if](\d+))\.(?:atomic\.)?(?:load|store|rmw)(\d*)(x\d)?/.exec(name);
    if (access === null) continue;
    const [, typeBits = '128', width = '', lanes] = access;
    const bits = lanes === undefined ? Number(width || typeBits) : 64;
    equal(2 ** (alignLog2 ?? NaN) * 8, bits, name);
  }
});

test('the instructions whose type depends on context are these', () => {
  const control = 'unreachable block loop if else end br br_if br_table return';
  const calls = 'call call_indirect return_call return_call_indirect';
  const variables = 'local.get local.set local.tee global.get global.set';
  deepEqual(
    names.filter((name) => signature(name) === undefined).join(' '),
    `${control} ${calls} drop select select (result) ${variables}`,
  );
});
