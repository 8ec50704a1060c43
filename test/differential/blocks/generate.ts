// Random blocks of unprivileged instructions, from the rows.
//
// A block runs to its end or to an exception, whatever the operands are: branches and jumps lead forward to another
// instruction or to the end; loads and stores go through registers that still hold the pointers they began with. A few
// go elsewhere on purpose, where nothing is mapped. Left out are instructions whose result is not determined (cycle,
// time) or that the judge does not have; filetests cover those.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { generate } from '../../../src/isa/shared/generator.ts';
import {
  fieldValue,
  insertField,
  type RegisterField,
  type Row,
} from '../../../src/isa/shared/row.ts';
import { binary32, binary64 } from '../../../src/isa/shared/softfloat.ts';
import { createRandom, type Random } from '../../../src/std/random.ts';
import { operandStream } from '../../support/float-cases.ts';
import {
  type BlockInstruction,
  isRelative,
  placeOf,
  type RandomBlock,
  record,
  windowBytes,
  windowStart,
  withValue,
} from './block.ts';

/** QEMU 7.2 has none of these extensions, or they are not for user mode. */
const absent = ['Zicond', 'Zicbom', 'Zicboz', 'Zawrs', 'Privileged', 'Svinval'];
/** The CSRs that user mode has and whose values are determined. */
const csrs = /^csrr[wsc]i?_(fflags|frm|fcsr)(_read)?$/;

/** QEMU 7.2 counts on into the upper half where the lower is zero; the manual says 32 then. */
const wrongInJudge = ['ctzw'];

/** Rows that blocks are made of. */
export const usable = (row: Row): boolean =>
  !absent.includes(row.extension) &&
  (row.extension !== 'Zicsr' || csrs.test(row.name)) &&
  row.name !== 'ecall' &&
  !wrongInJudge.includes(row.name);

/** How often instructions of an extension are drawn; 2 if not listed. */
const weights: Readonly<Record<string, number>> = {
  I: 8,
  C: 8,
  F: 5,
  D: 5,
  M: 3,
  Zbb: 3,
  Zifencei: 0.1,
};

/** Instructions that end a block early with an exception, so they are rare. */
const isBreak = (row: Row): boolean => row.name === 'ebreak' || row.name === 'c.ebreak';

interface Class {
  readonly row: Row;
  readonly kind: 'plain' | 'access' | 'atomic' | 'branch' | 'indirect';
  /** Bytes accessed. */
  readonly size: number;
}

function classify(row: Row): Class {
  const size = sizeOf(row);
  if (/^(jalr|c\.jr|c\.jalr)$/.test(row.name)) return { row, kind: 'indirect', size };
  if (isRelative(row)) return { row, kind: 'branch', size };
  if (row.extension.startsWith('Za')) return { row, kind: 'atomic', size };
  return { row, kind: /\((\{rs1\}|sp)\)/.test(row.text) ? 'access' : 'plain', size };
}

/** Bytes that a load, store or atomic accesses, from the letter of its name. */
function sizeOf({ name, extension }: Row): number {
  if (extension.startsWith('Za')) return name.includes('.d') ? 8 : 4;
  const letter = /^(?:c\.)?f?[ls]([bhwd])u?(?:sp)?$/.exec(name)?.[1];
  return letter === undefined ? 0 : { b: 1, h: 2, w: 4, d: 8 }[letter]!;
}

const SP = 2;
/** Rounding modes: the five, and the one of frm. */
const modes = [0, 1, 2, 3, 4, 7];

const oneIn = (random: Random, times: number): boolean => random.below(times) === 0;

/** Makes blocks for the places from 0 on; the same seed makes the same blocks. */
export function createBlocks(seed: number, count: number): RandomBlock[] {
  const random = createRandom(BigInt(seed));
  const source = { random, ...classes(), ...pools(seed) };
  return Array.from({ length: count }, (_, index) => new Draft(source, index).make());
}

interface Source extends Pools {
  readonly random: Random;
  /** An extension stands in it as often as its weight says. */
  readonly wheel: readonly (readonly Class[])[];
}

function classes(): { wheel: Class[][] } {
  const groups = Map.groupBy(riscv64.rows.filter(usable).map(classify), ({ row }) => row.extension);
  const wheel = [...groups].flatMap(([extension, group]) => {
    const times = Math.ceil(10 * (weights[extension] ?? 2));
    return Array.from({ length: times }, () => group);
  });
  return { wheel };
}

interface Pools {
  readonly integers: BigUint64Array;
  readonly floats: BigUint64Array;
}

const poolSize = 8192;

const pool = (make: () => bigint): BigUint64Array =>
  BigUint64Array.from({ length: poolSize }, make);

/** Values to begin with: drawing each anew would take most of the time. */
function pools(seed: number): Pools {
  const random = createRandom(BigInt(~seed));
  const next = (): bigint => random.bigint64();
  const [doubles, singles] = [operandStream(binary64, next), operandStream(binary32, next)];
  const boxed = (): bigint =>
    singles() | (oneIn(random, 16) ? next() << 32n : 0xffff_ffff_0000_0000n);
  return {
    integers: pool(() => {
      const power = 1n << BigInt(random.below(64));
      const value = random.pick([
        0n,
        power,
        power - 1n,
        power + 1n,
        next(),
        next() >> BigInt(random.below(64)),
      ]);
      return BigInt.asUintN(64, oneIn(random, 3) ? -value : value);
    }),
    floats: pool(() => (oneIn(random, 2) ? doubles() : boxed())),
  };
}

/** A block being made. */
class Draft {
  readonly #source: Source;
  readonly #random: Random;
  readonly #index: number;
  readonly #before = new Uint8Array(record.bytes);
  readonly #values = new BigUint64Array(this.#before.buffer);
  readonly #keeper: number;
  /** Registers that hold what they began with. */
  readonly #unchanged: Set<number>;
  readonly #pointers = new Set<number>();
  /** Registers kept for indirect jumps: each serves one. */
  readonly #codePointers = new Set<number>();
  /** Registers that are drawn most of the time, so that instructions depend on each other. */
  readonly #hot: readonly number[];
  /** LR and SC of different sizes may or may not match; a block has one size. */
  readonly #reservedBytes: number;
  readonly #instructions: BlockInstruction[] = [];
  /** Instructions whose target is still open: index, and for indirect jumps the register and the kind. */
  readonly #jumps: { readonly index: number; readonly register?: number }[] = [];

  constructor(source: Source, index: number) {
    this.#source = source;
    this.#random = source.random;
    this.#index = index;
    this.#keeper = 3 + this.#random.below(28);
    this.#unchanged = new Set(Array.from({ length: 32 }, (_, i) => i));
    this.#reservedBytes = this.#random.pick([4, 8]);
    this.#hot = Array.from({ length: 5 }, () => this.#random.below(32));
    this.#fill();
    this.#choosePointers();
  }

  make(): RandomBlock {
    const count = 1 + this.#random.below(16);
    while (this.#instructions.length < count) this.#draw();
    this.#aim();
    return {
      index: this.#index,
      instructions: this.#instructions,
      keeper: this.#keeper,
      before: this.#before,
    };
  }

  #fill(): void {
    const { integers, floats } = this.#source;
    const random = this.#random;
    const values = this.#values;
    for (let i = 1; i < 32; i++) values[i] = integers[random.below(poolSize)]!;
    const mode = oneIn(random, 16) ? random.below(8) : random.below(5);
    values[0] = BigInt(random.below(32) | (mode << 5));
    for (let i = 32; i < 64; i++) values[i] = floats[random.below(poolSize)]!;
    const values64 = oneIn(random, 2) ? integers : floats;
    for (let i = record.window / 8; i < record.bytes / 8; i++)
      values[i] = values64[random.below(poolSize)]!;
  }

  #choosePointers(): void {
    const random = this.#random;
    const choices = [SP, 8 + random.below(8), 8 + random.below(8), 8 + random.below(8)];
    choices.push(1 + random.below(31), 1 + random.below(31));
    for (const register of choices) {
      if (register === this.#keeper) continue;
      const anywhere = windowBytes / 4 + random.below(windowBytes / 2);
      const offset = oneIn(random, 3) ? windowBytes / 2 - random.below(9) : anywhere;
      const aligned = oneIn(random, 3) ? offset : offset & ~7;
      this.#values[register] = BigInt(windowStart + aligned);
      this.#pointers.add(register);
    }
    while (this.#codePointers.size < 2) {
      const register = 1 + random.below(31);
      if (register !== this.#keeper && !this.#pointers.has(register))
        this.#codePointers.add(register);
    }
  }

  /** Adds an instruction, unless what was drawn cannot be had here. */
  #draw(): void {
    const drawn = this.#random.pick(this.#random.pick(this.#source.wheel));
    if (isBreak(drawn.row) && !oneIn(this.#random, 8)) return;
    const word = this.#wordOf(drawn);
    if (word === undefined) return;
    const index = this.#instructions.push({ row: drawn.row, word }) - 1;
    if (drawn.kind === 'branch') this.#jumps.push({ index });
    else if (drawn.kind === 'indirect') {
      const register = fieldValue(drawn.row.fields['rs1']!, word);
      this.#codePointers.delete(register);
      this.#unchanged.delete(register); // what it begins with is not known yet
      this.#jumps.push({ index, register });
    }
    for (const register of written(drawn.row, word)) {
      this.#unchanged.delete(register);
      this.#pointers.delete(register);
      this.#codePointers.delete(register);
    }
  }

  #wordOf(drawn: Class): number | undefined {
    const { row, kind } = drawn;
    for (let attempt = 0; attempt < 48; attempt++) {
      const fixed = this.#registers(row);
      if (kind === 'access' || kind === 'atomic' || kind === 'indirect') {
        const set = kind === 'indirect' ? this.#codePointers : this.#bases();
        const field = row.fields['rs1'];
        if (field !== undefined) fixed['rs1'] = pickFrom(field as RegisterField, set, this.#random);
        if (field !== undefined && fixed['rs1'] === undefined) return undefined;
      }
      const word = withFields(row, generate(row, this.#random, riscv64.decode), fixed);
      if (riscv64.decode(word) === row && this.#allowed(drawn, word)) return word;
    }
    return undefined;
  }

  /** Registers that accesses go through: usually pointers. */
  #bases(): ReadonlySet<number> {
    return oneIn(this.#random, 40) ? this.#unchanged : this.#pointers;
  }

  /** Raw register fields, mostly from the hot ones. */
  #registers(row: Row): Record<string, number | undefined> {
    const fixed: Record<string, number | undefined> = {};
    for (const [name, field] of Object.entries(row.fields)) {
      if (field.kind !== 'register' || oneIn(this.#random, 3)) continue;
      const raw = this.#random.pick(this.#hot) - field.add;
      if (raw >= 0 && raw < 2 ** field.width) fixed[name] = raw;
    }
    // Reserved rounding modes end a block, so they are rare.
    if (row.fields['rm'] && !oneIn(this.#random, 32)) fixed['rm'] = this.#random.pick(modes);
    return fixed;
  }

  #allowed({ row, kind, size }: Class, word: number): boolean {
    if (written(row, word).includes(this.#keeper)) return false;
    // The target of an indirect jump is read before the link is written, so they may be the same register.
    if (kind !== 'access' && kind !== 'atomic') return true;
    const rs1 = row.fields['rs1'];
    const register = rs1 === undefined ? SP : fieldValue(rs1, word);
    const offset = row.fields['imm'] === undefined ? 0 : fieldValue(row.fields['imm'], word);
    if (!this.#unchanged.has(register) || register === this.#keeper) return false;
    if (this.#codePointers.has(register)) return false;
    const address = BigInt.asUintN(64, this.#valueOf(register) + BigInt(offset));
    if (kind === 'atomic' && !this.#allowedAtomic(row, size, address)) return false;
    if (isUnmapped(address)) return true;
    return address >= windowStart && address + BigInt(size) <= windowStart + windowBytes;
  }

  #valueOf(register: number): bigint {
    return register === 0 ? 0n : this.#values[register]!;
  }

  /** A misaligned SC with no reservation is no exception for the judge, as it need not look at memory. */
  #allowedAtomic({ name }: Row, size: number, address: bigint): boolean {
    if (/^(lr|sc)/.test(name) && size !== this.#reservedBytes) return false;
    const aligned = address % BigInt(size) === 0n;
    if (name.startsWith('sc')) return aligned && !isUnmapped(address);
    return aligned || (!isUnmapped(address) && oneIn(this.#random, 16));
  }

  /** Gives jumps their targets, now that every instruction has its address. */
  #aim(): void {
    const addresses = [placeOf(this.#index)];
    for (const { row } of this.#instructions) addresses.push(addresses.at(-1)! + row.length);
    for (const { index, register } of this.#jumps) {
      const { row, word } = this.#instructions[index]!;
      const target = addresses[index + 1 + this.#random.below(addresses.length - index - 1)]!;
      if (register === undefined) {
        const aimed = withValue(row, word, 'imm', target - addresses[index]!);
        this.#instructions[index] = { row, word: aimed };
        continue;
      }
      const offset = row.fields['imm'] === undefined ? 0 : fieldValue(row.fields['imm'], word);
      const odd = this.#random.below(2);
      this.#values[register] = BigInt.asUintN(64, BigInt(target - offset) + BigInt(odd));
    }
  }
}

/** Lowest and highest addresses, where no process has anything mapped. */
const isUnmapped = (address: bigint): boolean =>
  address < 0xff00n || (address >= 1n << 48n && address < 2n ** 64n - 16n);

/** The integer registers that an instruction writes. */
function written(row: Row, word: number): number[] {
  if (row.name === 'c.jalr') return [1];
  if (row.name === 'c.addi16sp') return [SP];
  const { rd } = row.fields;
  return rd?.kind === 'register' && rd.file.zero !== undefined ? [fieldValue(rd, word)] : [];
}

/** The word with the raw bits of some fields replaced. */
const withFields = (row: Row, word: number, raws: Readonly<Record<string, number | undefined>>) =>
  Object.entries(raws).reduce(
    (made, [name, raw]) => (raw === undefined ? made : insertField(row.fields[name]!, made, raw)),
    word,
  );

/** Raw bits for one of these registers, as far as the field can name them. */
function pickFrom(
  field: RegisterField,
  registers: ReadonlySet<number>,
  random: Random,
): number | undefined {
  const raws = [...registers].map((register) => register - field.add);
  const possible = raws.filter((raw) => raw >= 0 && raw < 2 ** field.width);
  return possible.length === 0 ? undefined : random.pick(possible);
}
