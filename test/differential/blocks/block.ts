// What a random block is: a few instructions at a place of their own, and the state of the processor before and after.
//
// Guest addresses. The first place is where filetests have their code and the data lies where they have RAM, so a
// block that fails becomes a filetest as it stands. Pointers of a block lead into the window of data, whose middle
// is the boundary of two pages.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { insertField, type Row } from '../../../src/isa/shared/row.ts';

export interface BlockInstruction {
  readonly row: Row;
  readonly word: number;
}

export interface RandomBlock {
  /** Number of the place that it is made for: below `mostBlocks`. */
  readonly index: number;
  readonly instructions: readonly BlockInstruction[];
  /** An integer register that the block does not write: the judge finds the way back by it. From 3 to 30. */
  readonly keeper: number;
  /** The record before (see `record`); keeper excepted. */
  readonly before: Uint8Array;
}

export const base = 0x8000_0000;
export const windowBytes = 512;
/** Address of the window of data; a page begins in its middle. */
export const windowStart = base + 0x8000 - windowBytes / 2;

/** Places of blocks. */
/** No divisor of a page, so that some blocks lie across two, nor a multiple of 4. */
export const placeBytes = 126;
const places = base + 0x10_0000;
/** The most blocks that are run together. */
export const mostBlocks = 4096;
export const placesEnd = places + mostBlocks * placeBytes;
export const placeOf = (index: number): number =>
  index === 0 ? base : places + index * placeBytes;

/** Where a state's parts lie in a record, in bytes: registers, outcome, window. Values are 64 bits, little-endian. */
export const record = {
  /** x1 to x31 are where their number says; x0's place holds fcsr. */
  x: 0,
  f: 256,
  /** After: 0, or the signal that the block ended with. */
  signal: 512,
  /** After a signal: address of the instruction. */
  pc: 520,
  /** After SIGSEGV below `comparableAddress`: the address accessed, else 0. */
  address: 528,
  window: 576,
  bytes: 576 + windowBytes,
} as const;

/** Accesses from here on give no address: the host of the judge reports none for addresses that it cannot form. */
export const comparableAddress = 2n ** 47n;

export const signals = { SIGILL: 4, SIGTRAP: 5, SIGBUS: 7, SIGSEGV: 11 } as const;

/** Runs blocks. */
export interface BlockExecutor {
  readonly name: string;
  /** The records after. */
  run(blocks: readonly RandomBlock[]): Promise<Uint8Array[]>;
}

/** Bytes of code. */
export const lengthOf = ({ instructions }: RandomBlock): number =>
  instructions.reduce((sum, { row }) => sum + row.length, 0);

/** The code as bytes. */
export function codeOf(block: RandomBlock): Uint8Array {
  const code = new Uint8Array(lengthOf(block));
  const view = new DataView(code.buffer);
  let at = 0;
  for (const { row, word } of block.instructions) {
    if (row.length === 2) view.setUint16(at, word, true);
    else view.setUint32(at, word, true);
    at += row.length;
  }
  return code;
}

/** Whether an instruction goes to an address relative to its own. */
export const isRelative = (row: Row): boolean =>
  Object.values(row.fields).some((field) => field.kind === 'number' && field.relative);

const rowOf = (name: string): Row => riscv64.rows.find((row) => row.name === name)!;
const nops = { 2: rowOf('c.nop'), 4: rowOf('addi') } as const;

/** An instruction of the same length that does nothing. */
export const nopLike = ({ row }: BlockInstruction): BlockInstruction => ({
  row: nops[row.length],
  word: nops[row.length].value,
});

export const isNop = ({ word, row }: BlockInstruction): boolean => word === nops[row.length].value;

/** The word with a field set to a value that it can hold (a multiple of the field's unit, in its range). */
export function withValue(row: Row, word: number, name: string, value: number): number {
  const field = row.fields[name]!;
  const units = field.kind === 'number' ? value / 2 ** field.shift : value - field.add;
  return insertField(field, word, units < 0 ? units + 2 ** field.width : units);
}
