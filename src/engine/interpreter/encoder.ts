// Turns instruction words into records. What a record says of its word alone is the same wherever the word stands, so
// it is remembered: guests use few words often.
//
// Invariant: a remembered record is what `#make` would make; it depends on the architecture only, so one encoder serves
// all VMs of a process.

import { registerOffset } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import {
  type Field,
  numberValue,
  type RegisterField,
  registerNumber,
  type Row,
} from '../../isa/shared/row.ts';
import type { Handlers } from './handlers.ts';
import { operandPlaces, record } from './record.ts';

/** Words that are remembered; a power of two. */
const REMEMBERED_LOG2 = 12;
const CELLS = record.bytes / 4;
/** What stands in place of distance and index while a record is only remembered. */
const state = { empty: 0, goesOn: 1, ends: 2 } as const;

interface Operand {
  readonly field: Field;
  /** Of the record's 16-bit cells; unused for a number. */
  readonly cell: number;
}

interface RowPlan {
  readonly handler: number;
  readonly operands: readonly Operand[];
  readonly ends: boolean;
}

export class Encoder {
  readonly #isa: Isa;
  readonly #handlers: Handlers;
  readonly #plans = new Map<Row, RowPlan>();
  readonly #i32 = new Int32Array(CELLS << REMEMBERED_LOG2);
  readonly #u16 = new Uint16Array(this.#i32.buffer);

  constructor(isa: Isa, handlers: Handlers) {
    this.#isa = isa;
    this.#handlers = handlers;
  }

  /** Bytes of the instruction that begins with a halfword. */
  lengthOf(halfword: number): 2 | 4 {
    return this.#isa.lengthOf(halfword);
  }

  /**
   * Writes the record of a word at index `at` of 32-bit cells, as number `index` of its block, `distance` bytes from
   * the block's start; true if its block ends with it.
   */
  encode(to: Int32Array, at: number, word: number, distance: number, index: number): boolean {
    const known = this.#i32;
    const from = (Math.imul(word, 0x9e37_79b1) >>> (32 - REMEMBERED_LOG2)) * CELLS;
    const isKnown = known[from + 7] === (word | 0) && known[from + 1] !== state.empty;
    if (!isKnown) this.#make(from, word);
    to[at] = known[from]!;
    to[at + 1] = distance | (index << 16);
    to[at + 2] = known[from + 2]!;
    to[at + 3] = known[from + 3]!;
    to[at + 4] = known[from + 4]!;
    to[at + 5] = known[from + 5]!;
    to[at + 6] = 0;
    to[at + 7] = known[from + 7]!;
    return known[from + 1] === state.ends;
  }

  /** Writes the record that goes on behind a block of `count` instructions and `bytes` bytes. */
  encodeFall(to: Int32Array, at: number, bytes: number, count: number): void {
    to[at] = this.#handlers.fall;
    to[at + 1] = bytes | (count << 16);
    to.fill(0, at + 2, at + CELLS);
  }

  #make(at: number, word: number): void {
    const row = this.#isa.decode(word);
    const plan = row === undefined ? undefined : this.#planOf(row);
    this.#i32.fill(0, at, at + CELLS);
    this.#i32[at] = plan?.handler ?? this.#handlers.illegal;
    this.#i32[at + 1] = plan?.ends === false ? state.goesOn : state.ends;
    this.#i32[at + record.word / 4] = word;
    if (plan === undefined) return this.#number(at, word);
    for (const { field, cell } of plan.operands) {
      if (field.kind === 'register')
        this.#u16[at * 2 + cell] = placeOf(field, registerNumber(field, word));
      else if (cell * 2 === record.number) this.#number(at, numberValue(field, word)!);
      else this.#u16[at * 2 + cell] = Number(numberValue(field, word)!);
    }
  }

  #number(at: number, value: number | bigint): void {
    const low = typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value;
    const high = typeof value === 'bigint' ? value >> 32n : Math.floor(value / 2 ** 32);
    this.#i32[at + record.number / 4] = low | 0;
    this.#i32[at + record.number / 4 + 1] = Number(high) | 0;
  }

  #planOf(row: Row): RowPlan {
    const known = this.#plans.get(row);
    if (known !== undefined) return known;
    const places = operandPlaces(row);
    const plan: RowPlan = {
      handler: this.#handlers.index.get(row)!,
      operands: Object.entries(row.fields).map(([name, field]) => ({
        field,
        cell: places.get(name)! / 2,
      })),
      ends: this.#handlers.ends.has(row),
    };
    this.#plans.set(row, plan);
    return plan;
  }
}

function placeOf({ file, role }: RegisterField, index: number): number {
  if (index !== file.zero) return registerOffset(file, index);
  return role === 'destination' ? file.sinkOffset : file.zeroOffset;
}
