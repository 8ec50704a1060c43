/**
 * A WebAssembly module put together from imports, functions, tables, globals and elements, and
 * written as bytes (WebAssembly Core Specification 2.0, section 5.5; branch hints: the branch
 * hinting proposal; function names: appendix "Custom Sections", name section).
 *
 * Invariants: an index space starts with its imports, so imports of a kind come before the
 * definitions of that kind. A function's code is copied when it is defined, so its `Code` can be
 * reused at once. Every declared function must be defined before `bytes`.
 */

import { assert } from '../std/assert.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Code } from './code.ts';
import { opcodes } from './opcodes.ts';
import { valueTypeBytes } from './types.ts';
import type { ValueType } from './types.ts';

/** Pages of 64 KiB. A shared memory needs the same limits, and `shared`, as the one imported. */
type MemoryLimits = {
  readonly min: number;
  readonly max?: number | undefined;
  readonly shared?: boolean | undefined;
};

/** Numbers of elements. */
type TableLimits = { readonly min: number; readonly max?: number | undefined };

type GlobalType = { readonly type: ValueType; readonly mutable: boolean };

/** A constant: an integer or float as the global's type wants, `null` for `funcref`. */
type Constant = number | bigint | null;

type FunctionRecord = {
  readonly type: number;
  /** Where its code entry lies in the bodies; undefined until it is defined. */
  start: number | undefined;
  end: number;
  /** Where its branch hints lie; empty if it has none. */
  hintsStart: number;
  hintsEnd: number;
};

// Section numbers, in the order of the sections in a module.
const CUSTOM_SECTION = 0;
const TYPE_SECTION = 1;
const IMPORT_SECTION = 2;
const FUNCTION_SECTION = 3;
const TABLE_SECTION = 4;
const GLOBAL_SECTION = 6;
const EXPORT_SECTION = 7;
const ELEMENT_SECTION = 9;
const CODE_SECTION = 10;
const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;

// Kinds of imports and exports.
const FUNCTION = 0;
const TABLE = 1;
const MEMORY = 2;
const GLOBAL = 3;

const FUNCTION_TYPE = 0x60;
const FUNCTION_NAMES = 1;

const HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

export class ModuleWriter {
  readonly #types = new Vector();
  readonly #typeIndices = new Map<string, number>();
  readonly #typeParameters: number[] = [];
  readonly #imports = new Vector();
  readonly #importsOfKind = [0, 0, 0, 0];
  readonly #functions: FunctionRecord[] = [];
  readonly #bodies = new ByteWriter(1024);
  readonly #hints = new ByteWriter(64);
  readonly #tables = new Vector();
  readonly #globals = new Vector();
  readonly #exports = new Vector();
  readonly #elements = new Vector();
  readonly #data = new Vector();
  readonly #names = new Map<number, string>();

  /** The index of a function type; equal types have one index. */
  type(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#types.count;
    this.#typeIndices.set(key, index);
    this.#typeParameters.push(params.length);
    const out = this.#types.next();
    out.u8(FUNCTION_TYPE);
    for (const types of [params, results]) {
      out.u32(types.length);
      for (const type of types) out.u8(valueTypeBytes[type]);
    }
    return index;
  }

  /** Imports the module's only memory. */
  importMemory(module: string, name: string, limits: MemoryLimits): void {
    assert(this.#importsOfKind[MEMORY] === 0, 'a module has at most one memory');
    assert(!limits.shared || limits.max !== undefined, 'a shared memory needs a maximum');
    this.#import(module, name, MEMORY);
    writeLimits(this.#imports.out, limits, limits.shared ?? false);
  }

  /** Imports a table of function references; returns its index. */
  importTable(module: string, name: string, limits: TableLimits): number {
    assert(this.#tables.count === 0, 'imported tables come before defined ones');
    const index = this.#import(module, name, TABLE);
    writeTableType(this.#imports.out, limits);
    return index;
  }

  /** Returns the function's index. */
  importFunction(module: string, name: string, type: number): number {
    assert(this.#functions.length === 0, 'imported functions come before declared ones');
    assert(type < this.#types.count, 'an imported function has a type that does not exist');
    const index = this.#import(module, name, FUNCTION);
    this.#imports.out.u32(type);
    return index;
  }

  /** Returns the global's index. */
  importGlobal(module: string, name: string, global: GlobalType): number {
    assert(this.#globals.count === 0, 'imported globals come before defined ones');
    const index = this.#import(module, name, GLOBAL);
    writeGlobalType(this.#imports.out, global);
    return index;
  }

  /** Reserves the index of a function whose code comes later, with {@link defineFunction}. */
  declareFunction(type: number): number {
    assert(type < this.#types.count, 'a function has a type that does not exist');
    this.#functions.push({ type, start: undefined, end: 0, hintsStart: 0, hintsEnd: 0 });
    return this.#count(FUNCTION) + this.#functions.length - 1;
  }

  /** Gives a declared function its code, copying it: `code` may be reset at once. */
  defineFunction(index: number, code: Code): void {
    const fn = this.#functions[index - this.#count(FUNCTION)];
    assert(fn !== undefined, 'only a declared function can be defined');
    assert(fn.start === undefined, 'a function is defined once');
    assert(
      code.parameters === this.#typeParameters[fn.type],
      'the code was made for another number of parameters than its type has',
    );
    fn.start = this.#bodies.length;
    const localsLength = code.writeEntry(this.#bodies);
    fn.end = this.#bodies.length;
    if (code.hints === 0) return;
    fn.hintsStart = this.#hints.length;
    code.writeHints(this.#hints, localsLength);
    fn.hintsEnd = this.#hints.length;
  }

  /** Declares and defines a function; returns its index. */
  addFunction(type: number, code: Code): number {
    const index = this.declareFunction(type);
    this.defineFunction(index, code);
    return index;
  }

  /** Defines a table of function references, all null; returns its index. */
  table(limits: TableLimits): number {
    writeTableType(this.#tables.next(), limits);
    return this.#count(TABLE) + this.#tables.count - 1;
  }

  /** Defines a global; returns its index. `funcref` globals start as null. */
  global(global: GlobalType, initial: Constant): number {
    const out = this.#globals.next();
    writeGlobalType(out, global);
    writeConstant(out, global.type, initial);
    return this.#count(GLOBAL) + this.#globals.count - 1;
  }

  exportFunction(name: string, index: number): void {
    this.#export(name, FUNCTION, index);
  }

  exportTable(name: string, index: number): void {
    this.#export(name, TABLE, index);
  }

  exportGlobal(name: string, index: number): void {
    this.#export(name, GLOBAL, index);
  }

  /**
   * On instantiation puts `functions` into `table` from `offset` on. Returns the index of the
   * segment.
   */
  element(table: number, offset: number, functions: readonly number[]): number {
    const out = this.#elements.next();
    // Form 0 is for table 0; form 2 names the table and the kind of element, 0 for functions.
    out.u32(table === 0 ? 0 : 2);
    if (table !== 0) out.u32(table);
    writeConstant(out, 'i32', offset);
    if (table !== 0) out.u8(0);
    out.u32(functions.length);
    for (const index of functions) out.u32(index);
    return this.#elements.count - 1;
  }

  /** A passive data segment, for `memory.init`. Returns its index. */
  data(bytes: Uint8Array): number {
    const out = this.#data.next();
    out.u32(1);
    out.byteVector(bytes);
    return this.#data.count - 1;
  }

  /** A name for profilers and stack traces; it has no other effect. */
  nameFunction(index: number, name: string): void {
    this.#names.set(index, name);
  }

  /** The module in binary format. More may be added afterwards and `bytes` called again. */
  bytes(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(this.#bodies.length + 512);
    out.bytes(HEADER);
    writeSection(out, TYPE_SECTION, this.#types);
    writeSection(out, IMPORT_SECTION, this.#imports);
    this.#writeFunctions(out);
    writeSection(out, TABLE_SECTION, this.#tables);
    writeSection(out, GLOBAL_SECTION, this.#globals);
    writeSection(out, EXPORT_SECTION, this.#exports);
    writeSection(out, ELEMENT_SECTION, this.#elements);
    this.#writeDataCount(out);
    this.#writeBranchHints(out);
    this.#writeCode(out);
    writeSection(out, DATA_SECTION, this.#data);
    this.#writeNames(out);
    return out.copy();
  }

  #import(module: string, name: string, kind: number): number {
    const out = this.#imports.next();
    out.name(module);
    out.name(name);
    out.u8(kind);
    const index = this.#count(kind);
    this.#importsOfKind[kind] = index + 1;
    return index;
  }

  /** The number of imports of a kind. */
  #count(kind: number): number {
    return this.#importsOfKind[kind] ?? 0;
  }

  #export(name: string, kind: number, index: number): void {
    const out = this.#exports.next();
    out.name(name);
    out.u8(kind);
    out.u32(index);
  }

  #writeFunctions(out: ByteWriter): void {
    if (this.#functions.length === 0) return;
    out.u8(FUNCTION_SECTION);
    const start = out.beginSized();
    out.u32(this.#functions.length);
    for (const { type } of this.#functions) out.u32(type);
    out.endSized(start);
  }

  /** Code that uses data segments can only be validated if their number is known before it. */
  #writeDataCount(out: ByteWriter): void {
    if (this.#data.count === 0) return;
    out.u8(DATA_COUNT_SECTION);
    const start = out.beginSized();
    out.u32(this.#data.count);
    out.endSized(start);
  }

  /** Engines read the hints while they decode the code, so this section comes before it. */
  #writeBranchHints(out: ByteWriter): void {
    if (this.#hints.length === 0) return;
    out.u8(CUSTOM_SECTION);
    const start = out.beginSized();
    out.name('metadata.code.branch_hint');
    out.u32(this.#functions.filter((fn) => fn.hintsEnd > fn.hintsStart).length);
    for (const [i, fn] of this.#functions.entries()) {
      if (fn.hintsEnd === fn.hintsStart) continue;
      out.u32(this.#count(FUNCTION) + i);
      out.bytes(this.#hints.view(fn.hintsStart, fn.hintsEnd));
    }
    out.endSized(start);
  }

  #writeCode(out: ByteWriter): void {
    if (this.#functions.length === 0) return;
    out.u8(CODE_SECTION);
    const start = out.beginSized();
    out.u32(this.#functions.length);
    for (const fn of this.#functions) {
      assert(fn.start !== undefined, 'a declared function was never defined');
      out.bytes(this.#bodies.view(fn.start, fn.end));
    }
    out.endSized(start);
  }

  #writeNames(out: ByteWriter): void {
    if (this.#names.size === 0) return;
    out.u8(CUSTOM_SECTION);
    const start = out.beginSized();
    out.name('name');
    out.u8(FUNCTION_NAMES);
    const names = out.beginSized();
    out.u32(this.#names.size);
    const inOrder = [...this.#names].toSorted(([a], [b]) => a - b);
    for (const [index, name] of inOrder) {
      out.u32(index);
      out.name(name);
    }
    out.endSized(names);
    out.endSized(start);
  }
}

/** The contents of a section: a number of entries and their bytes, allocated when first used. */
class Vector {
  count = 0;
  #out: ByteWriter | undefined;

  get out(): ByteWriter {
    this.#out ??= new ByteWriter(64);
    return this.#out;
  }

  /** Where to write one more entry. */
  next(): ByteWriter {
    this.count++;
    return this.out;
  }
}

function writeSection(out: ByteWriter, section: number, vector: Vector): void {
  if (vector.count === 0) return;
  out.u8(section);
  const start = out.beginSized();
  out.u32(vector.count);
  out.bytes(vector.out.view());
  out.endSized(start);
}

function writeLimits(out: ByteWriter, limits: TableLimits, shared: boolean): void {
  out.u8((limits.max === undefined ? 0 : 1) | (shared ? 2 : 0));
  out.u32(limits.min);
  if (limits.max !== undefined) out.u32(limits.max);
}

function writeTableType(out: ByteWriter, limits: TableLimits): void {
  out.u8(valueTypeBytes.funcref);
  writeLimits(out, limits, false);
}

function writeGlobalType(out: ByteWriter, { type, mutable }: GlobalType): void {
  out.u8(valueTypeBytes[type]);
  out.u8(mutable ? 1 : 0);
}

/** A constant expression. */
function writeConstant(out: ByteWriter, type: ValueType, value: Constant): void {
  if (type === 'funcref' || value === null) {
    assert(type === 'funcref' && value === null, 'null is the constant of funcref and no other');
    out.u8(opcodes['ref.null']);
    out.u8(valueTypeBytes.funcref);
  } else if (type === 'v128') {
    assert(false, 'a global of type v128 can only be imported');
  } else {
    out.u8(opcodes[`${type}.const`]);
    if (type === 'i32') out.s32(Number(value));
    else if (type === 'i64') out.s64(BigInt(value));
    else if (type === 'f32') out.f32(Number(value));
    else out.f64(Number(value));
  }
  out.u8(opcodes.end);
}
