// From assembly text to words, by the rows' own templates: for tests and small programs made at run time.
//
// A line is exactly what the disassembler prints, spaces aside: no pseudo-instructions, every operand written. Also
// understood are registers as file and number (`x5`), numbers in hexadecimal, and labels where a number stands for a
// distance. In a program `name:` is a label; `.byte .half .word .dword` and a list of numbers are data.
// Invariant: a word that the assembler makes from a row decodes to that row.

import { assert } from '../../std/assert.ts';
import type { Isa } from './isa.ts';
import {
  type Field,
  insertField,
  type NumberCode,
  type NumberField,
  numberValue,
  registerNumber,
  type Row,
} from './row.ts';

/** Text that is no program of this architecture; the message begins with the line's number, from 1. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
}

export interface Instruction {
  /** Unsigned. */
  readonly bits: number;
  /** Bytes. */
  readonly length: 2 | 4;
}

export interface Program {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Addresses of the labels. */
  readonly labels: ReadonlyMap<string, bigint>;
}

type Labels = ReadonlyMap<string, bigint>;

export interface Assembler {
  /** One instruction at an address; undefined if no row has this text. */
  readonly assemble: (text: string, address: bigint, labels?: Labels) => Instruction | undefined;
  /** Lines with labels, data and comments (`#` or `;` to the end of the line). Throws {@link AssemblyError}. */
  readonly assembleProgram: (text: string, address: bigint) => Program;
}

export function createAssembler({ rows, decode }: Pick<Isa, 'rows' | 'decode'>): Assembler {
  const templates = Map.groupBy(rows.map(templateOf), ({ mnemonic }) => mnemonic);
  const candidates = (text: string) => templates.get(mnemonicOf(text)) ?? [];
  const assemble: Assembler['assemble'] = (text, address, labels = new Map()) => {
    const plain = normalise(text);
    for (const { row, pattern, names } of candidates(plain)) {
      const operands = pattern.exec(plain)?.slice(1);
      const bits = operands && encode(row, names, operands, { address, labels });
      if (bits !== undefined && decode(bits) === row) return { bits, length: row.length };
    }
    return undefined;
  };
  const sizeOf = (text: string) => dataSize(text) ?? candidates(normalise(text))[0]?.row.length;
  return {
    assemble,
    assembleProgram(text, address) {
      const { items, labels, end } = layOut(text, address, sizeOf);
      const bytes = new Uint8Array(Number(end - address));
      for (const item of items) {
        const offset = Number(item.address - address);
        const data = dataBytes(item.text);
        const word = data ?? instructionBytes(assemble(item.text, item.address, labels));
        if (word === undefined)
          throw new AssemblyError(`${item.line}: cannot assemble: ${item.text}`);
        bytes.set(word, offset);
      }
      return { bytes, labels };
    },
  };
}

interface Template {
  readonly row: Row;
  readonly mnemonic: string;
  readonly pattern: RegExp;
  /** Fields in the order of the pattern's groups. */
  readonly names: readonly string[];
}

const mnemonicOf = (text: string): string => text.split(' ', 1)[0]!;

/** One space after the mnemonic, no others. */
function normalise(text: string): string {
  const [, mnemonic, rest] = /^\s*(\S*)\s*(.*)$/s.exec(text)!;
  return `${mnemonic} ${rest!.replaceAll(/\s+/g, '')}`.trim();
}

function templateOf(row: Row): Template {
  const text = normalise(row.text);
  const names = [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  for (const name of names)
    assert(row.fields[name], `${row.name}: the text names no field ${name}`);
  const literals = text.split(/\{\w+\}/).map((literal) => RegExp.escape(literal));
  const pattern = new RegExp(`^${literals.join('([\\w.+-]+)')}$`);
  return { row, mnemonic: mnemonicOf(text), pattern, names };
}

interface Place {
  readonly address: bigint;
  readonly labels: Labels;
}

/** The word, or undefined if an operand is not one of its field's. */
function encode(
  row: Row,
  names: readonly string[],
  operands: readonly string[],
  place: Place,
): number | undefined {
  let word: number | undefined = row.value;
  for (const [i, name] of names.entries()) {
    if (word === undefined) return undefined;
    const field = row.fields[name]!;
    const value = operandValue(field, operands[i]!, place);
    word = value === undefined ? undefined : withValue(field, word, value);
  }
  return word;
}

/** The word with a field set; undefined if the field cannot hold the value. */
function withValue(field: Field, word: number, value: bigint): number | undefined {
  if (field.kind === 'number' && field.code !== undefined) {
    const raw = rawOf(field.code, field.width, value);
    return raw === undefined ? undefined : insertField(field, word, raw);
  }
  const raw =
    field.kind === 'register'
      ? BigInt.asUintN(64, value - BigInt(field.add)) % BigInt(field.file.count)
      : BigInt.asUintN(field.width, value >> BigInt(field.shift));
  if (raw < 0n || raw >= 1n << BigInt(field.width)) return undefined;
  const result = insertField(field, word, Number(raw));
  const found =
    field.kind === 'register' ? registerNumber(field, result) : numberValue(field, result)!;
  return BigInt(found) === value ? result : undefined;
}

const inverses = new WeakMap<NumberCode, ReadonlyMap<bigint, number>>();

/** The least bits that a code decodes to a value. */
function rawOf(code: NumberCode, width: number, value: bigint): number | undefined {
  let inverse = inverses.get(code);
  if (inverse === undefined) {
    const all = Array.from({ length: 2 ** width }, (_, i) => 2 ** width - 1 - i);
    const valid = all.filter((raw) => code.decode(raw) !== undefined);
    inverse = new Map(valid.map((raw) => [BigInt.asUintN(64, code.decode(raw)!), raw]));
    inverses.set(code, inverse);
  }
  return inverse.get(BigInt.asUintN(64, value));
}

const operandValue = (field: Field, text: string, place: Place): bigint | undefined =>
  field.kind === 'register' ? registerNamed(field, text) : numberWritten(field, text, place);

function registerNamed(field: Field & { kind: 'register' }, text: string): bigint | undefined {
  const named = field.names.indexOf(text);
  if (named !== -1) return BigInt(named);
  const digits = text.startsWith(field.file.name) ? text.slice(field.file.name.length) : '';
  return /^(?:0|[1-9]\d?)$/.test(digits) ? BigInt(digits) : undefined;
}

function numberWritten(field: NumberField, text: string, place: Place): bigint | undefined {
  const named = field.names?.indexOf(text) ?? -1;
  if (named !== -1) return BigInt(named);
  const label = field.relative ? place.labels.get(text) : undefined;
  return label === undefined ? parseInteger(text) : label - place.address;
}

function parseInteger(text: string): bigint | undefined {
  const match = /^(-?)(0x[\da-f_]+|\d[\d_]*)$/i.exec(text);
  if (match === null) return undefined;
  const value = BigInt(match[2]!.replaceAll('_', ''));
  return match[1] === '-' ? -value : value;
}

interface Item {
  readonly line: number;
  readonly text: string;
  readonly address: bigint;
}

/** Gives every line of a program its address. */
function layOut(text: string, start: bigint, sizeOf: (text: string) => number | undefined) {
  const items: Item[] = [];
  const labels = new Map<string, bigint>();
  let address = start;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = i + 1;
    const [, label, rest] = /^\s*(?:([A-Za-z_]\w*):)?(.*)$/.exec(raw.replace(/[#;].*/, ''))!;
    if (label !== undefined) {
      if (labels.has(label)) throw new AssemblyError(`${line}: there are two labels ${label}`);
      labels.set(label, address);
    }
    const content = rest!.trim();
    if (content === '') continue;
    const size = sizeOf(content);
    if (size === undefined)
      throw new AssemblyError(`${line}: no instruction is called: ${content}`);
    items.push({ line, text: content, address });
    address += BigInt(size);
  }
  return { items, labels, end: address };
}

const dataBytesEach: Readonly<Record<string, number>> = { byte: 1, half: 2, word: 4, dword: 8 };
const dataLine = /^\.(byte|half|word|dword)\s+(.*)$/;

function dataSize(text: string): number | undefined {
  const match = dataLine.exec(text);
  return match === null ? undefined : dataBytesEach[match[1]!]! * match[2]!.split(',').length;
}

/** The bytes of a line of data; undefined if it is not one. */
function dataBytes(text: string): Uint8Array | undefined {
  const match = dataLine.exec(text);
  if (match === null) return undefined;
  const size = dataBytesEach[match[1]!]!;
  const numbers = match[2]!.split(',').map((each) => parseInteger(each.trim()));
  const bytes = new Uint8Array(size * numbers.length);
  for (const [i, value] of numbers.entries()) {
    if (value === undefined) return undefined;
    bytes.set(littleEndian(value, size), i * size);
  }
  return bytes;
}

const instructionBytes = (word: Instruction | undefined): Uint8Array | undefined =>
  word && littleEndian(BigInt(word.bits), word.length);

function littleEndian(value: bigint, size: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt.asUintN(64, value), true);
  return new Uint8Array(bytes.buffer, 0, size);
}
