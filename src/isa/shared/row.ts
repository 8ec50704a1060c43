// An instruction is one row: encoding bits, assembly text, meaning. Decoder, disassembler, assembler, generator,
// coverage page and every executor are derived from rows.
//
// A pattern is written from bit 31 (or 15) down to 0: '0' and '1' are fixed, '.' is free, spaces are for the eye.
// A format names the fields in the free bits. A field is a register of a file or a number:
//   '7:5'                 bits 11..7
//   '20:s12'              bits 31..20, two's complement
//   '31:s1 7:1 25:6 8:4'  pieces, most significant first; `shift` zero bits are appended below
// Where several rows match a word, the one with more fixed bits wins; two with equally many is an error.

import { assert } from '../../std/assert.ts';
import type { Builder } from '../../ir/builder.ts';
import type { RegisterFile, RegisterOperand, RegisterType, Value } from '../../ir/node.ts';

interface Piece {
  readonly lsb: number;
  readonly width: number;
}

/** What the bits of a field stand for where that is not the number that they spell. */
export interface NumberCode {
  /** The number, or undefined if no instruction has these bits. */
  readonly decode: (raw: number) => bigint | undefined;
  /** As assembly text writes it; decimal if absent. */
  readonly print?: (value: bigint) => string;
}

export interface NumberField {
  readonly kind: 'number';
  readonly pieces: readonly Piece[];
  readonly signed: boolean;
  /** Zero bits appended below the pieces. */
  readonly shift: number;
  /** A distance from the instruction's address. */
  readonly relative: boolean;
  /** What assembly text has instead of some of the numbers. */
  readonly names: readonly string[] | undefined;
  readonly code: NumberCode | undefined;
  readonly width: number;
}

export interface RegisterField<T extends RegisterType = RegisterType> {
  readonly kind: 'register';
  readonly file: RegisterFile<T>;
  readonly names: readonly string[];
  readonly pieces: readonly Piece[];
  /**
   * Added to the encoded number (8 for the three-bit fields of compressed instructions, 1 for the second of two
   * registers in a row); behind the file's last register comes its first.
   */
  readonly add: number;
  /** A destination's writes to a zero register are swallowed. */
  readonly role: 'source' | 'destination';
  readonly width: number;
}

export type Field = NumberField | RegisterField;
export type Fields = Readonly<Record<string, Field>>;

/** What a meaning gets for each field. */
export type Operands<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends RegisterField<infer T> ? RegisterOperand<T> : Value<'i64'>;
};

export type Meaning<F extends Fields> = (s: Builder, operands: Operands<F>) => void;

export interface Row {
  readonly name: string;
  readonly extension: string;
  readonly text: string;
  /** Bytes. */
  readonly length: 2 | 4;
  /** Fixed bits and their values, as unsigned 32-bit numbers. */
  readonly mask: number;
  readonly value: number;
  readonly fields: Fields;
  /** Fields that must not encode zero. */
  readonly nonzero: readonly string[];
  /** Whether a word of the row is no instruction, where fixed bits cannot tell. */
  readonly reserved: ((word: number) => boolean) | undefined;
  /** Whether the architecture leaves open what a word of the row does; generators make none. */
  readonly unpredictable: ((word: number) => boolean) | undefined;
  readonly meaning: Meaning<any>;
}

type RowDraft = Omit<Row, 'name' | 'extension'>;

function parsePieces(bits: string): { pieces: Piece[]; signed: boolean; width: number } {
  let signed = false;
  const pieces = bits.split(' ').map((text, i) => {
    const match = /^(\d+):(s?)(\d+)$/.exec(text);
    assert(match, `field bits '${text}' are not of the form lsb:width`);
    assert(match[2] === '' || i === 0, `only the first piece of '${bits}' can hold the sign`);
    signed ||= match[2] === 's';
    return { lsb: Number(match[1]), width: Number(match[3]) };
  });
  return { pieces, signed, width: pieces.reduce((sum, piece) => sum + piece.width, 0) };
}

interface NumberOptions {
  readonly shift?: number;
  readonly relative?: boolean;
  readonly names?: readonly string[];
  readonly code?: NumberCode;
}

/** A number in the instruction. */
export function number(bits: string, options: NumberOptions = {}): NumberField {
  const { shift = 0, relative = false, names, code } = options;
  return { kind: 'number', shift, relative, names, code, ...parsePieces(bits) };
}

/** Declares the two kinds of register field of a file: `source(bits)` and `destination(bits)`. */
export function registerFields<T extends RegisterType>(
  file: RegisterFile<T>,
  names: readonly string[],
) {
  const make =
    (role: RegisterField['role']) =>
    (bits: string, options: { add?: number } = {}) => {
      const { pieces, width } = parsePieces(bits);
      const field: RegisterField<T> = {
        kind: 'register',
        file,
        names,
        pieces,
        role,
        width,
        add: options.add ?? 0,
      };
      return field;
    };
  return { source: make('source'), destination: make('destination') };
}

function parsePattern(pattern: string): { length: 2 | 4; mask: number; value: number } {
  const bits = pattern.replaceAll(' ', '');
  assert(bits.length === 32 || bits.length === 16, `pattern '${pattern}' has ${bits.length} bits`);
  assert(/^[01.]+$/.test(bits), `pattern '${pattern}' has a character other than 0, 1 and .`);
  const mask = Number.parseInt(bits.replaceAll(/[01]/g, '1').replaceAll('.', '0'), 2);
  const value = Number.parseInt(bits.replaceAll('.', '0'), 2);
  return { length: bits.length === 32 ? 4 : 2, mask, value };
}

function checkFields(pattern: string, mask: number, fields: Fields): void {
  for (const [name, field] of Object.entries(fields)) {
    for (const { lsb, width } of field.pieces) {
      const bits = ((2 ** width - 1) * 2 ** lsb) >>> 0;
      assert((bits & mask) === 0, `field ${name} of '${pattern}' covers fixed bits`);
    }
  }
}

/**
 * Names the fields of a class of instructions. The result makes a row from a pattern, the assembly text (fields in
 * braces) and the meaning; `nonzero` lists fields that must not encode zero, `reserved` tells words that are no
 * instruction all the same, `unpredictable` those whose effect the architecture leaves open.
 */
export function format<const F extends Fields>(fields: F) {
  return (
    pattern: string,
    text: string,
    meaning: Meaning<F>,
    options: {
      nonzero?: readonly (keyof F & string)[];
      reserved?: (word: number) => boolean;
      unpredictable?: (word: number) => boolean;
    } = {},
  ): RowDraft => {
    const { length, mask, value } = parsePattern(pattern);
    checkFields(pattern, mask, fields);
    const { nonzero = [], reserved, unpredictable } = options;
    return { text, length, mask, value, fields, nonzero, reserved, unpredictable, meaning };
  };
}

/** Makes rows from drafts; the key is the name. */
export const instructions = (extension: string, drafts: Record<string, RowDraft>): Row[] =>
  Object.entries(drafts).map(([name, draft]) => ({ name, extension, ...draft }));

/** The bits of a field in an instruction word, assembled but neither sign-extended nor shifted. */
export function rawField(field: Field, word: number): number {
  let raw = 0;
  for (const { lsb, width } of field.pieces) {
    raw = (raw << width) | ((word >>> lsb) & (0xffff_ffff >>> (32 - width)));
  }
  return raw >>> 0;
}

/** The number of the register that a field names. */
export const registerNumber = (field: RegisterField, word: number): number =>
  (rawField(field, word) + field.add) % field.file.count;

/** The number as the instruction means it; undefined if no instruction has the field's bits. */
export function numberValue(field: NumberField, word: number): number | bigint | undefined {
  const raw = rawField(field, word);
  if (field.code !== undefined) return field.code.decode(raw);
  const unused = 32 - field.width;
  const value = field.signed ? (raw << unused) >> unused : raw;
  return value * (1 << field.shift);
}

/** A field's value as a JavaScript number: of a register, or as the instruction means it (exact up to 2^53). */
export const fieldValue = (field: Field, word: number): number =>
  field.kind === 'register' ? registerNumber(field, word) : Number(numberValue(field, word));

/** The word with a field's raw bits replaced. */
export function insertField(field: Field, word: number, raw: number): number {
  let result = word;
  let rest = raw;
  for (const { lsb, width } of field.pieces.toReversed()) {
    const mask = ((2 ** width - 1) * 2 ** lsb) >>> 0;
    result = ((result & ~mask) | (((rest % 2 ** width) * 2 ** lsb) & mask)) >>> 0;
    rest = Math.floor(rest / 2 ** width);
  }
  return result;
}
