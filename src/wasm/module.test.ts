import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { test } from 'node:test';
import binaryen from 'binaryen';
import { AssertionError } from '../std/assert.ts';
import { Code } from './code.ts';
import { ModuleWriter } from './module.ts';
import { opcodes } from './opcodes.ts';

type Wasm = (...values: (number | bigint)[]) => unknown;

function exported(instance: WebAssembly.Instance, name: string): Wasm {
  return instance.exports[name] as Wasm;
}

/** A module whose functions even and odd call each other through a table until n is zero. */
function evenAndOdd(): ModuleWriter {
  const module = new ModuleWriter();
  const type = module.type(['i32'], ['i32']);
  const table = module.importTable('env', 'table', { min: 2 });
  const even = module.declareFunction(type);
  const odd = module.declareFunction(type);
  const code = new Code(1);
  for (const [fn, atZero, other] of [
    [odd, 0, 0],
    [even, 1, 1],
  ] as const) {
    code.reset();
    code.localGet(0);
    code.op(opcodes['i32.eqz']);
    code.unlikely();
    code.if();
    code.i32Const(atZero);
    code.return();
    code.end();
    code.localGet(0);
    code.i32Const(1);
    code.op(opcodes['i32.sub']);
    code.i32Const(other);
    code.returnCallIndirect(type, table);
    module.defineFunction(fn, code);
  }
  module.element(table, 0, [even, odd]);
  module.exportFunction('even', even);
  module.nameFunction(odd, 'odd ungerade gerüst');
  module.nameFunction(even, 'even');
  return module;
}

test('functions tail-call each other through an imported table', () => {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 2 });
  const compiled = new WebAssembly.Module(evenAndOdd().bytes());
  const even = exported(new WebAssembly.Instance(compiled, { env: { table } }), 'even');
  deepEqual([even(0), even(7), even(1_000_000)], [1, 0, 1]);
});

test('a disassembler reads the module back', () => {
  const read = binaryen.readBinary(evenAndOdd().bytes());
  const text = read.emitText();
  read.dispose();
  match(text, /\(import "env" "table" \(table \$\S+ 2 funcref\)\)/);
  match(text, /\(elem \$0 \(i32\.const 0\) \$even \$/);
  match(text, /\(export "even" \(func \$even\)\)/);
  equal(text.match(/return_call_indirect/g)?.length, 2);
  equal(text.match(/\(@metadata\.code\.branch_hint "\\00"\)\s+\(if/g)?.length, 2);
});

test('direct calls and tail calls reach functions defined later', () => {
  const module = new ModuleWriter();
  const type = module.type(['i64'], ['i64']);
  const host = module.importFunction('env', 'host', type);
  const first = module.declareFunction(type);
  const second = module.declareFunction(type);
  const code = new Code(1);
  code.localGet(0);
  code.call(host);
  code.returnCall(second);
  module.defineFunction(first, code);
  code.reset();
  code.localGet(0);
  code.i64Const(1n);
  code.op(opcodes['i64.add']);
  module.defineFunction(second, code);
  module.exportFunction('first', first);
  const compiled = new WebAssembly.Module(module.bytes());
  const imports = { env: { host: (n: bigint) => n * 10n } };
  equal(exported(new WebAssembly.Instance(compiled, imports), 'first')(4n), 41n);
});

test('tables, globals and elements of the module itself', () => {
  const module = new ModuleWriter();
  const type = module.type([], ['i32']);
  const step = module.importGlobal('env', 'step', { type: 'i32', mutable: false });
  const count = module.global({ type: 'i32', mutable: true }, -3);
  module.global({ type: 'i64', mutable: false }, 1n << 40n);
  module.global({ type: 'f32', mutable: false }, 0.5);
  module.global({ type: 'f64', mutable: false }, 0.1);
  module.global({ type: 'funcref', mutable: false }, null);
  const code = new Code();
  code.globalGet(count);
  code.globalGet(step);
  code.op(opcodes['i32.add']);
  code.globalSet(count);
  code.globalGet(count);
  const fn = module.addFunction(type, code);
  module.table({ min: 1, max: 1 });
  const second = module.table({ min: 10 });
  module.element(second, 7, [fn]);
  module.exportTable('table', second);
  module.exportGlobal('count', count);
  code.reset();
  code.i32Const(7);
  code.callIndirect(type, second);
  module.exportFunction('call', module.addFunction(type, code));
  const compiled = new WebAssembly.Module(module.bytes());
  const instance = new WebAssembly.Instance(compiled, { env: { step: 5 } });
  equal(exported(instance, 'call')(), 2);
  equal((instance.exports['count'] as WebAssembly.Global).value, 2);
  equal(typeof (instance.exports['table'] as WebAssembly.Table).get(7), 'function');
});

test('equal types have one index, different ones another', () => {
  const module = new ModuleWriter();
  const index = module.type(['i32', 'i64'], ['f64']);
  equal(module.type(['i32', 'i64'], ['f64']), index);
  const others = [
    module.type(['i32'], ['i64', 'f64']),
    module.type(['i32', 'i64', 'f64'], []),
    module.type([], []),
    module.type(['v128', 'funcref'], []),
  ];
  equal(new Set([index, ...others]).size, 5);
  equal(WebAssembly.validate(module.bytes()), true);
});

test('branch hints: offsets count from the first byte of the locals', () => {
  const module = new ModuleWriter();
  const type = module.type(['i32'], []);
  module.importFunction('e', 'f', module.type([], []));
  const code = new Code(1);
  module.addFunction(type, code);
  code.local('i64'); // locals: 01 01 7e, so instructions start at 3
  code.block(); // 3: 02 40
  code.likely();
  code.localGet(0); // 5: 20 00
  code.brIf(0); // 7: 0d 00
  code.localGet(0); // 9: 20 00
  code.unlikely();
  code.if(); // 11: 04 40
  code.end(); // 13
  code.end(); // 14
  module.addFunction(type, code);
  const compiled = new WebAssembly.Module(module.bytes());
  const name = 'metadata.code.branch_hint';
  const sections = WebAssembly.Module.customSections(compiled, name);
  deepEqual(
    sections.map((bytes) => [...new Uint8Array(bytes)]),
    // One function, of index 2, with two hints: at 7 likely, at 11 unlikely.
    [[1, 2, 2, 7, 1, 1, 11, 1, 0]],
  );
  deepEqual(sectionIds(module.bytes()), [1, 2, 3, 0, 10]);
});

test('function names are listed by index', () => {
  const compiled = new WebAssembly.Module(evenAndOdd().bytes());
  const [section = new ArrayBuffer(0)] = WebAssembly.Module.customSections(compiled, 'name');
  const bytes = new Uint8Array(section);
  const [kind, size, count, index, length] = bytes;
  deepEqual([kind, size, count, index, length], [1, bytes.length - 2, 2, 0, 4]);
  equal(new TextDecoder().decode(bytes.subarray(5, 9)), 'even');
  equal(new TextDecoder().decode(bytes.subarray(11)), 'odd ungerade gerüst');
});

test('a module of many large functions is valid, in whatever order they are defined', () => {
  const module = new ModuleWriter();
  const type = module.type([], ['i32']);
  const indices = Array.from({ length: 200 }, () => module.declareFunction(type));
  const code = new Code();
  for (const index of indices.toReversed()) {
    code.reset();
    code.i32Const(0);
    for (let i = 0; i <= index; i++) {
      code.i32Const(1000);
      code.op(opcodes['i32.add']);
    }
    module.defineFunction(index, code);
    module.exportFunction(`f${index}`, index);
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()));
  equal(exported(instance, 'f0')(), 1000);
  equal(exported(instance, 'f199')(), 200_000);
});

test('an empty module is only a header', () => {
  const bytes = new ModuleWriter().bytes();
  equal(bytes.length, 8);
  equal(WebAssembly.validate(bytes), true);
});

test('misuse is noticed', () => {
  const module = new ModuleWriter();
  const type = module.type(['i32'], []);
  const fn = module.declareFunction(type);
  throws(() => module.bytes(), { message: 'a declared function was never defined' });
  throws(() => module.defineFunction(fn, new Code(2)), AssertionError);
  throws(() => module.defineFunction(fn + 1, new Code(1)), AssertionError);
  module.defineFunction(fn, new Code(1));
  throws(() => module.defineFunction(fn, new Code(1)), AssertionError);
  throws(() => module.importFunction('env', 'late', type), AssertionError);
  throws(() => module.declareFunction(9), AssertionError);
  throws(() => module.importMemory('env', 'm', { min: 1, shared: true }), AssertionError);
  throws(() => module.global({ type: 'i32', mutable: false }, null), AssertionError);
});

/** The numbers of a module's sections in their order. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length;) {
    ids.push(bytes[at++] ?? 0);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  return ids;
}
