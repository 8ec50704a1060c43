/**
 * The text of a function, for people: what {@link Code} has encoded, in the flat form of the
 * WebAssembly text format (WebAssembly Core Specification 2.0, section 6), an instruction a line,
 * indented by block, loop and if. Whatever branches name has a name; branch hints are comments.
 *
 * Invariants: the text is one field of a module and, among the imports and types of the module
 * that the code was made for, means the same bytes; names are for the eye and may be absent. The
 * instructions are read by their table, so that one is known here as soon as it has a row.
 */

import { assert } from '../std/assert.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Code } from './code.ts';
import { instructions, type OpcodeName, opcodes } from './opcodes.ts';
import { EMPTY_BLOCK_TYPE, type ValueType, valueTypeBytes } from './types.ts';

/** What the function is and what its code's indices stand for; without a name an index is shown. */
export interface FunctionNames {
  readonly name?: string;
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly local?: (index: number) => string | undefined;
  readonly function?: (index: number) => string | undefined;
}

const WIDTH = 100;

/** The text of a function, each line ended. Its names are made identifiers; they must differ. */
export function functionText(code: Code, names: FunctionNames): string {
  const out = new ByteWriter(code.length + 64);
  const localsLength = code.writeEntry(out);
  const reader = new Reader(out.view());
  reader.u32();
  const start = reader.at;
  const locals = readLocals(reader);
  const hints = readHints(code, localsLength);
  const body = readBody(reader, (offset) => hints.get(offset - start));
  const localName = (index: number): string => identifier(names.local?.(index) ?? `${index}`);
  const declare = (kind: string, types: readonly ValueType[], first: number): string[] =>
    types.map((type, i) => `(${kind} ${localName(first + i)} ${type})`);
  const { params, results } = names;
  const head = [
    ...(names.name === undefined ? [] : [identifier(names.name)]),
    ...declare('param', params, 0),
    ...results.map((type) => `(result ${type})`),
  ];
  return [
    ['(func', ...head].join(' '),
    ...wrap(declare('local', locals, params.length)),
    ...bodyLines(body, { ...names, localName }),
    ')',
    '',
  ].join('\n');
}

/** An instruction; immediates are kept in the order of the text format. */
interface Instruction {
  readonly name: OpcodeName;
  readonly immediates: readonly string[];
  /** Indices that names may stand for, to go before the other immediates. */
  readonly function?: number;
  readonly local?: number;
  readonly targets?: readonly Target[];
  /** For an else or end: the place of the instruction that opened the block. */
  readonly opener?: number;
  readonly hint: number | undefined;
}

interface Target {
  /** The place in the body of what opened the block; -1 for the function itself. */
  readonly block: number;
  readonly depth: number;
}

type Immediates = Partial<Omit<Instruction, 'name' | 'hint'>>;

const nameOf: ReadonlyMap<number, OpcodeName> = new Map(
  Object.entries(opcodes).map(([name, opcode]) => [opcode, name as OpcodeName]),
);
const typeOf: ReadonlyMap<number, ValueType> = new Map(
  Object.entries(valueTypeBytes).map(([type, byte]) => [byte, type as ValueType]),
);
/** Opcodes from here to 0xfe are prefixes. */
const PREFIXES = 0xfc;

function readLocals(reader: Reader): ValueType[] {
  return reader
    .vector(() => {
      const count = reader.u32();
      return Array<ValueType>(count).fill(reader.type());
    })
    .flat();
}

/** Hints by the offset of their instructions from the first byte of the locals. */
function readHints(code: Code, localsLength: number): ReadonlyMap<number, number> {
  const out = new ByteWriter();
  code.writeHints(out, localsLength);
  const reader = new Reader(out.view());
  return new Map(
    reader.vector(() => {
      const offset = reader.u32();
      reader.u32();
      return [offset, reader.u8()] as const;
    }),
  );
}

/** The instructions up to the function's own end, without it. */
function readBody(reader: Reader, hintAt: (offset: number) => number | undefined): Instruction[] {
  const body: Instruction[] = [];
  const open: number[] = [];
  for (;;) {
    const hint = hintAt(reader.at);
    const name = reader.opcode();
    if (name === 'end' && open.length === 0) return body;
    const opener = name === 'end' ? open.pop() : name === 'else' ? open.at(-1) : undefined;
    const target = (): Target => {
      const depth = reader.u32();
      return { depth, block: open[open.length - 1 - depth] ?? -1 };
    };
    const { immediates: kind, alignLog2 } = instructions[name];
    const read = readers[kind](reader, { alignLog2, target });
    body.push({ name, hint, immediates: [], ...read, ...(opener !== undefined && { opener }) });
    if (kind === 'block') open.push(body.length - 1);
  }
}

interface ReaderContext {
  readonly alignLog2: number | undefined;
  /** Reads a label. */
  readonly target: () => Target;
}

type Kind = (typeof instructions)[OpcodeName]['immediates'];

/** How each kind of immediates is read. */
const readers: Readonly<Record<Kind, (reader: Reader, context: ReaderContext) => Immediates>> = {
  none: () => ({}),
  zero: (reader) => words(...skip(reader, 1)),
  block: (reader) => words(...readBlockType(reader)),
  label: (_, { target }) => ({ targets: [target()] }),
  labels: (reader, { target }) => ({ targets: [...reader.vector(target), target()] }),
  function: (reader) => ({ function: reader.u32() }),
  'type table': (reader) => words(...[`(type ${reader.u32()})`, reader.u32()].toReversed()),
  local: (reader) => ({ local: reader.u32() }),
  global: (reader) => words(reader.u32()),
  table: (reader) => words(reader.u32()),
  'table table': (reader) => words(reader.u32(), reader.u32()),
  'element table': (reader) => words(...[reader.u32(), reader.u32()].toReversed()),
  element: (reader) => words(reader.u32()),
  memory: (reader) => words(...skip(reader, 1)),
  'memory memory': (reader) => words(...skip(reader, 2)),
  'data memory': (reader) => words(reader.u32(), ...skip(reader, 1)),
  data: (reader) => words(reader.u32()),
  'heap type': (reader) => words(reader.type().replace('funcref', 'func')),
  types: (reader) => words(...reader.vector(() => `(result ${reader.type()})`)),
  i32: (reader) => words(integer(32, reader.signed())),
  i64: (reader) => words(integer(64, reader.signed())),
  f32: (reader) => words(float32(reader.fixed(4))),
  f64: (reader) => words(float64(reader.fixed(8))),
  v128: (reader) => words('i32x4', ...times(4, () => `0x${reader.fixed(4).toString(16)}`)),
  lane: (reader) => words(reader.u8()),
  lanes: (reader) => words(...times(16, () => reader.u8())),
  memarg: (reader, { alignLog2 }) => words(...readMemarg(reader, alignLog2)),
  'memarg lane': (reader, { alignLog2 }) => words(...readMemarg(reader, alignLog2), reader.u8()),
};

const words = (...list: readonly (string | number)[]): Immediates => ({
  immediates: list.map(String),
});

const times = <T>(length: number, read: () => T): T[] => Array.from({ length }, read);

/** Bytes that have no text: they are always zero. */
const skip = (reader: Reader, bytes: number): never[] => {
  for (let i = 0; i < bytes; i++) reader.u8();
  return [];
};

function readMemarg(reader: Reader, natural: number | undefined): string[] {
  const alignLog2 = reader.u32();
  const offset = reader.u32();
  return [
    ...(offset === 0 ? [] : [`offset=${offset}`]),
    ...(alignLog2 === natural ? [] : [`align=${2 ** alignLog2}`]),
  ];
}

function readBlockType(reader: Reader): string[] {
  if (reader.next !== EMPTY_BLOCK_TYPE) {
    return typeOf.has(reader.next) ? [`(result ${reader.type()})`] : [`(type ${reader.signed()})`];
  }
  reader.u8();
  return [];
}

interface BodyNames extends FunctionNames {
  readonly localName: (index: number) => string;
}

function bodyLines(body: readonly Instruction[], names: BodyNames): string[] {
  const labels = labelsOf(body);
  const labelled = (at: number): readonly string[] => {
    const label = labels.get(at);
    return label === undefined ? [] : [label];
  };
  let depth = 1;
  return body.map((instruction, at) => {
    const { name, immediates, targets = [], opener, hint, local } = instruction;
    const callee = instruction.function;
    const parts = [
      // The only instruction whose row is not named by its first word.
      name === 'select (result)' ? 'select' : name,
      ...labelled(opener ?? at),
      ...targets.map((to) => labels.get(to.block) ?? `${to.depth}`),
      ...(local === undefined ? [] : [names.localName(local)]),
      ...(callee === undefined ? [] : [functionName(callee, names)]),
      ...immediates,
      ...(hint === undefined ? [] : [`;; ${hint === 1 ? 'likely' : 'unlikely'}`]),
    ];
    if (opener !== undefined) depth--;
    const line = '  '.repeat(depth) + parts.join(' ');
    if (name === 'else' || instructions[name].immediates === 'block') depth++;
    return line;
  });
}

/** Names of the blocks that something branches to, by their place in the body. */
function labelsOf(body: readonly Instruction[]): ReadonlyMap<number, string> {
  const used = new Set(body.flatMap(({ targets = [] }) => targets.map(({ block }) => block)));
  const labels = new Map<number, string>();
  for (const [at, { name }] of body.entries()) {
    if (used.has(at)) labels.set(at, `$${name}${labels.size}`);
  }
  return labels;
}

function functionName(index: number, names: FunctionNames): string {
  const name = names.function?.(index);
  return name === undefined ? `${index}` : identifier(name);
}

/** An identifier of the text format (section 6.3.5): what may not stand in one becomes `_`. */
const identifier = (name: string): string =>
  `$${name.replaceAll(/[^\w!#$%&'*+\-./:<=>?@\\^`|~]/g, '_')}`;

/** Declarations, several on a line. */
function wrap(declarations: readonly string[]): string[] {
  const lines: string[] = [];
  for (const text of declarations) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + text.length > WIDTH) lines.push(`  ${text}`);
    else lines[lines.length - 1] = `${last} ${text}`;
  }
  return lines;
}

/** As the IR's text has it: signed decimal near zero, else hexadecimal bits. */
function integer(width: number, value: bigint): string {
  if (value > -65536n && value < 65536n) return `${value}`;
  return `0x${BigInt.asUintN(width, value).toString(16)}`;
}

function float32(bits: bigint): string {
  scratch.setUint32(0, Number(bits));
  return float(scratch.getFloat32(0), bits >> 31n, bits & 0x7f_ffffn);
}

function float64(bits: bigint): string {
  scratch.setBigUint64(0, bits);
  return float(scratch.getFloat64(0), bits >> 63n, bits & 0xf_ffff_ffff_ffffn);
}

const scratch = new DataView(new ArrayBuffer(8));

function float(value: number, sign: bigint, payload: bigint): string {
  const magnitude = Number.isNaN(value)
    ? `nan:0x${payload.toString(16)}`
    : String(Math.abs(value)).replace('Infinity', 'inf');
  return sign === 1n ? `-${magnitude}` : magnitude;
}

/** Reads what ByteWriter writes (section 5.2). It is only for bytes that Code has made. */
class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The byte that will be read next. */
  get next(): number {
    const byte = this.#bytes[this.at];
    assert(byte !== undefined, 'code ends in the middle of an instruction');
    return byte;
  }

  u8(): number {
    const byte = this.next;
    this.at++;
    return byte;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** A signed integer of up to 64 bits. */
  signed(): bigint {
    let value = 0n;
    for (let shift = 7; ; shift += 7) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(shift - 7);
      if (byte < 0x80) return BigInt.asIntN(shift, value);
    }
  }

  /** An integer of so many bytes, the least significant first. */
  fixed(bytes: number): bigint {
    let value = 0n;
    for (let i = 0; i < bytes; i++) value |= BigInt(this.u8()) << BigInt(8 * i);
    return value;
  }

  type(): ValueType {
    const type = typeOf.get(this.u8());
    assert(type !== undefined, 'a byte is no value type');
    return type;
  }

  opcode(): OpcodeName {
    const byte = this.u8();
    const name = nameOf.get(byte < PREFIXES ? byte : (byte << 16) | this.u32());
    assert(name !== undefined, 'an instruction has no row in the table');
    return name;
  }

  vector<T>(read: () => T): T[] {
    return times(this.u32(), read);
  }
}
