import { equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { Code } from './code.ts';
import { ModuleWriter } from './module.ts';
import { instructions, type OpcodeName, opcodes, signature } from './opcodes.ts';
import { functionText } from './text.ts';
import type { ValueType } from './types.ts';

interface Func {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly code: Code;
}

/** What a second implementation of WebAssembly makes of a module, but for branch hints. */
function canonical(bytes: Uint8Array): string {
  const module = binaryen.readBinary(bytes);
  try {
    return module.emitText().replaceAll(/^ *\(@metadata\.code\.branch_hint .*\n/gm, '');
  } finally {
    module.dispose();
  }
}

const features = [
  binaryen.Features.Atomics,
  binaryen.Features.NontrappingFPToInt,
  binaryen.Features.SIMD128,
  binaryen.Features.BulkMemory,
  binaryen.Features.BulkMemoryOpt,
  binaryen.Features.SignExt,
  binaryen.Features.MutableGlobals,
  binaryen.Features.TailCall,
  binaryen.Features.ReferenceTypes,
].reduce((a, b) => a | b);

/** The module of a text, by the same. */
function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(features);
    equal(module.validate(), 1);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Its forms differ after the first reading: what cannot be reached is written as text otherwise than as bytes. */
const settled = (bytes: Uint8Array): string => canonical(assemble(canonical(bytes)));

/** The text of a module with one of everything to refer to; type 0 is the imported function's. */
const moduleText = (functions: readonly string[]): string => `(module
  (type (func))
  (import "env" "function" (func $env.function (type 0)))
  (import "env" "memory" (memory 1 65536 shared))
  (table 2 funcref)
  (global (mut i64) (i64.const 5))
  (elem (i32.const 0) func 0)
  (data "\\01\\02\\03")
${functions.join('')})`;

/** The same with the functions' own bytes. */
function moduleBytes(functions: readonly Func[]): Uint8Array {
  const module = new ModuleWriter();
  const fn = module.importFunction('env', 'function', module.type([], []));
  module.importMemory('env', 'memory', { min: 1, max: 65536, shared: true });
  module.table({ min: 2 });
  module.global({ type: 'i64', mutable: true }, 5n);
  module.element(0, 0, [fn]);
  module.data(Uint8Array.of(1, 2, 3));
  for (const { params, results, code } of functions) {
    module.addFunction(module.type(params, results), code);
  }
  return module.bytes();
}

/** The text means what the bytes mean, to binaryen. */
function same(functions: readonly Func[]): void {
  const names = (index: number): string | undefined => (index === 0 ? 'env.function' : undefined);
  const texts = functions.map(({ code, ...rest }) =>
    functionText(code, { ...rest, function: names }),
  );
  equal(settled(assemble(moduleText(texts))), settled(moduleBytes(functions)));
}

/** Emits an instruction with immediates that are not zero where that is possible. */
function emit(code: Code, name: OpcodeName): void {
  const { opcode, immediates, alignLog2 = 0 } = instructions[name];
  switch (immediates) {
    case 'i32':
      return code.i32Const(-0x7654_3210);
    case 'i64':
      return code.i64Const(0x89ab_cdef_0123_4567n);
    case 'f32':
      return code.f32Const(-1.5e-42);
    case 'f64':
      return code.f64Const(1e300);
    case 'v128':
      return code.v128Const(Array.from({ length: 16 }, (_, i) => 17 * i));
    case 'lane':
      return code.lane(opcode, 1);
    case 'lanes':
      return code.shuffle(Array.from({ length: 16 }, (_, i) => 31 - i));
    case 'memarg': {
      const isAtomic = opcode >= 0xfe << 16;
      return code.memory(opcode, 12345, isAtomic ? alignLog2 : 0);
    }
    case 'memarg lane':
      return code.memoryLane(opcode, 3, alignLog2, 1);
    case 'heap type':
      return code.refNull();
    case 'zero':
      return code.atomicFence();
    case 'memory memory':
    case 'table table':
    case 'element table':
    case 'data memory':
      return code.indexPair(opcode, 0, 0);
    case 'none':
      return code.op(opcode);
    default:
      return code.index(opcode, 0);
  }
}

const names = Object.keys(instructions) as OpcodeName[];

test('every instruction with a fixed type is written so that binaryen reads the same', () => {
  const functions = names.flatMap((name): Func[] => {
    const type = signature(name);
    if (type === undefined) return [];
    const { operands: params, results } = type;
    const code = new Code(params.length);
    for (const i of params.keys()) code.localGet(i);
    emit(code, name);
    return [{ params, results, code }];
  });
  same(functions);
});

/** A function with everything whose type depends on context. */
function control(): Code {
  const code = new Code(2);
  const [i, reference] = [code.local('i32'), code.local('funcref')];
  code.block();
  code.block();
  code.loop();
  code.localGet(0);
  code.brTable([1, 0, 2, 3], 1);
  code.end();
  code.end();
  code.localGet(0);
  code.localTee(i);
  code.unlikely();
  code.if();
  code.globalGet(0);
  code.globalSet(0);
  code.br(0);
  code.else();
  code.localGet(i);
  code.likely();
  code.brIf(1);
  code.call(0);
  code.returnCall(0);
  code.end();
  code.end();
  code.localGet(0);
  code.if('i64');
  code.i64Const(-1);
  code.else();
  code.localGet(1);
  code.end();
  code.drop();
  code.refNull();
  code.localGet(reference);
  code.localGet(0);
  code.select('funcref');
  code.localSet(reference);
  code.i32Const(1);
  code.callIndirect(0, 0);
  code.i32Const(1);
  code.i32Const(2);
  code.localGet(0);
  code.select();
  code.returnCallIndirect(0, 0);
  return code;
}

test('control, calls and variables are written so that binaryen reads the same', () => {
  same([{ params: ['i32', 'i64'], results: [], code: control() }]);
});

test('the edges of constants are kept', () => {
  const code = new Code();
  for (const n of [0, -1, 65535, 65536, -65536, 0x7fff_ffff, -0x8000_0000]) {
    code.i32Const(n);
    code.drop();
    code.i64Const(n);
    code.drop();
  }
  for (const n of [0n, 1n << 63n, (1n << 63n) - 1n, 0xffff_ffffn, -0x1_0000_0000n]) {
    code.i64Const(n);
    code.drop();
  }
  for (const n of [0, -0, 1 / 3, Infinity, -Infinity, NaN, 2 ** -149, 5e-324, 1e21, -1e-7]) {
    code.f32Const(n);
    code.drop();
    code.f64Const(n);
    code.drop();
  }
  same([{ params: [], results: [], code }]);
});

test('a function is a text for people', () => {
  const code = new Code(1);
  const product = code.local('i64');
  code.local('i32');
  code.i64Const(1);
  code.localSet(product);
  code.block();
  code.loop();
  code.localGet(0);
  code.op(opcodes['i64.eqz']);
  code.unlikely();
  code.brIf(1);
  code.i32Const(8);
  code.localGet(product);
  code.memory(opcodes['i64.store'], 64, 2);
  code.call(3);
  code.br(0);
  code.end();
  code.end();
  code.localGet(product);
  const text = functionText(code, {
    name: 'fac torial',
    params: ['i64'],
    results: ['i64'],
    local: (index) => ['n', 'product'][index],
    function: (index) => (index === 3 ? 'step' : undefined),
  });
  equal(
    text,
    `(func $fac_torial (param $n i64) (result i64)
  (local $product i64) (local $2 i32)
  i64.const 1
  local.set $product
  block $block0
    loop $loop1
      local.get $n
      i64.eqz
      br_if $block0 ;; unlikely
      i32.const 8
      local.get $product
      i64.store offset=64 align=4
      call $step
      br $loop1
    end $loop1
  end $block0
  local.get $product
)
`,
  );
});

test('many locals are declared on several lines', () => {
  const code = new Code();
  for (let i = 0; i < 40; i++) code.local('i64');
  const lines = functionText(code, { params: [], results: [] }).split('\n');
  ok(Math.max(...lines.map((line) => line.length)) <= 100);
  match(lines[1]!, /^  \(local \$0 i64\) \(local \$1 i64\)/);
});
