// Random blocks of arm64 instructions that EL0 has, from the rows.
//
// Loads and stores go through registers that hold pointers into the middle of the window and that nothing else in the
// block writes; branches lead forward to another instruction or to the end. Left out are system registers whose values
// are not determined, and what the architecture leaves open.

import { arm64 } from '../../../src/isa/arm64/isa.ts';
import { generate } from '../../../src/isa/shared/generator.ts';
import { fieldValue, insertField, type Row } from '../../../src/isa/shared/row.ts';
import { binary16, binary32, binary64 } from '../../../src/isa/shared/softfloat.ts';
import { createRandom, type Random } from '../../../src/std/random.ts';
import { operandStream } from '../../support/float-cases.ts';
import {
  type Arm64Block,
  at,
  codeAddress,
  type Instruction,
  recordBytes,
  windowAddress,
  windowBytes,
  WORDS,
} from './block.ts';

/** System rows whose outcome is determined at EL0; how much DC ZVA clears is the judge's own choice. */
const determined = /^(mrs_nzcv|msr_nzcv|mrs_fpsr|msr_fpsr|mrs_fpcr|clrex|dmb|dsb|isb)$/;

/** Rows that blocks are made of. */
export const usable = (row: Row): boolean =>
  (row.extension !== 'System' || determined.test(row.name)) && row.name !== 'udf';

/** Registers with pointers; another one holds a small index, and one the address of the block's end. */
const POINTERS = [28, 29, 31];
const INDEX = 27;
const END = 26;
const MIDDLE = windowAddress + windowBytes / 2;
const MOST = 12;

type Kind = 'plain' | 'memory' | 'branch' | 'indirect' | 'literal';

function kindOf(row: Row): Kind {
  if (row.text.includes('[{rn}')) return 'memory';
  if (/^(br|blr|ret)$/.test(row.name)) return 'indirect';
  const { imm } = row.fields;
  if (imm?.kind !== 'number' || !imm.relative) return 'plain';
  return /^(ldr|prfm)/.test(row.name) ? 'literal' : row.name === 'adr' ? 'plain' : 'branch';
}

const POOL = 8192;

/** Values to begin with: drawing each anew would take most of the time. */
function pools(): { readonly integers: BigUint64Array; readonly vectors: BigUint64Array } {
  const random = createRandom(1n);
  const next = (): bigint => random.bigint64();
  const [doubles, singles] = [operandStream(binary64, next), operandStream(binary32, next)];
  const halfs = operandStream(binary16, next);
  const integer = (): bigint => {
    const power = 1n << BigInt(random.below(64));
    const shifted = next() >> BigInt(random.below(64));
    const value = random.pick([0n, power, power - 1n, power + 1n, next(), shifted]);
    return BigInt.asUintN(64, random.below(3) === 0 ? -value : value);
  };
  const vector = (): bigint => {
    const kind = random.below(5);
    if (kind === 0) return doubles();
    if (kind <= 2) return singles() | (singles() << 32n);
    if (kind === 3) return halfs() | (halfs() << 16n) | (halfs() << 32n) | (halfs() << 48n);
    return integer();
  };
  return {
    integers: BigUint64Array.from({ length: POOL }, integer),
    vectors: BigUint64Array.from({ length: 2 * POOL }, vector),
  };
}

const { integers, vectors } = pools();

/** Control registers: mostly the default. */
function drawFpcr(random: Random): bigint {
  if (random.below(2) === 0) return 0n;
  return (
    (BigInt(random.below(4)) << 22n) | (BigInt(random.below(8) === 0 ? random.below(8) : 0) << 24n)
  );
}

function drawState(random: Random): Uint8Array {
  const bytes = new Uint8Array(recordBytes);
  const values = new BigUint64Array(bytes.buffer);
  const set = (offset: number, value: bigint): void => void (values[offset / 8] = value);
  for (let i = 0; i < 31; i++) values[i] = integers[random.below(POOL)]!;
  for (let i = 0; i < 64; i++) values[at.v / 8 + i] = vectors[random.below(POOL)]!;
  const from = random.below(POOL);
  values.set(vectors.subarray(from, from + windowBytes / 8), at.window / 8);
  set(at.nzcv, BigInt(random.below(16)) << 28n);
  set(at.fpcr, drawFpcr(random));
  set(at.fpsr, BigInt(random.below(2) ? random.below(32) : 0));
  for (const pointer of POINTERS) {
    set(at.x + 8 * pointer, BigInt(MIDDLE + 16 * random.below(32) - 256));
  }
  set(at.x + 8 * INDEX, BigInt(random.below(64)));
  return bytes;
}

/** Fields of a word as they must be for an access inside the window. */
function tameAccess(row: Row, word: number, random: Random): number | undefined {
  const { rn, rm, imm } = row.fields;
  let made = insertField(rn!, word, random.pick(POINTERS));
  if (rm !== undefined) made = insertField(rm, made, INDEX);
  if (imm?.kind === 'number' && imm.width === 12) made = insertField(imm, made, random.below(64));
  return arm64.decode(made) === row ? made : undefined;
}

/** Registers of the general-purpose file that a word writes, but for the base of an access. */
function written(row: Row, word: number, kind: Kind): number[] {
  if (row.name === 'bl' || row.name === 'blr') return [30];
  return Object.entries(row.fields).flatMap(([name, field]) => {
    if (field.kind !== 'register' || field.role !== 'destination') return [];
    if (field.file.type === 'v128' || (kind === 'memory' && name === 'rn')) return [];
    const number = fieldValue(field, word);
    return number === 31 && field.file.zero === 31 ? [] : [number];
  });
}

/** Accesses of sixteen bytes with checked alignment, and others that need it. */
const writesBack = (row: Row): boolean => /_(post|pre)/.test(row.name);

function tame(row: Row, kind: Kind, word: number, random: Random): number | undefined {
  if (kind === 'memory') return tameAccess(row, word, random);
  if (kind === 'indirect') return insertField(row.fields['rn']!, word, END);
  if (kind === 'literal') return insertField(row.fields['imm']!, word, 64 + random.below(256));
  return word;
}

interface Draft {
  readonly random: Random;
  readonly instructions: Instruction[];
  /** Instructions that go somewhere, by index. */
  readonly branches: number[];
  readonly moved: Set<number>;
  ends: boolean;
}

const reserved = new Set([...POINTERS, INDEX, END]);

function tryRow(draft: Draft, row: Row): boolean {
  const { random } = draft;
  const kind = kindOf(row);
  const word = tame(row, kind, generate(row, random, arm64.decode), random);
  if (word === undefined || arm64.decode(word) !== row || row.unpredictable?.(word) === true)
    return false;
  if (written(row, word, kind).some((register) => reserved.has(register))) return false;
  if (kind === 'memory') {
    const base = fieldValue(row.fields['rn']!, word);
    if (draft.moved.has(base)) return false;
    if (writesBack(row)) draft.moved.add(base);
  }
  // An indirect branch goes to the end, so nothing behind it would run.
  if (kind === 'indirect' && draft.ends) return false;
  draft.ends ||= kind === 'indirect';
  if (kind === 'branch') draft.branches.push(draft.instructions.length);
  draft.instructions.push({ row, word });
  return true;
}

/** Branches lead to a later instruction or the end. */
function aim({ instructions, branches, random }: Draft): void {
  for (const index of branches) {
    const { row, word } = instructions[index]!;
    const distance = 1 + random.below(instructions.length - index);
    instructions[index] = { row, word: insertField(row.fields['imm']!, word, distance) };
  }
}

/** Makes the block of a seed from some of the rows; every row comes up equally often. */
export function createBlock(seed: number, rows: readonly Row[]): Arm64Block {
  const random = createRandom(BigInt(seed));
  const before = drawState(random);
  const draft: Draft = { random, instructions: [], branches: [], moved: new Set(), ends: false };
  const count = 1 + random.below(MOST);
  for (let tries = 0; draft.instructions.length < count && tries < 20 * count; tries++) {
    tryRow(draft, rows[random.below(rows.length)]!);
  }
  aim(draft);
  const end = BigInt(codeAddress + 4 * draft.instructions.length);
  new DataView(before.buffer).setBigUint64(at.x + 8 * END, end, true);
  if (draft.instructions.length >= WORDS) throw new RangeError('a block has too many instructions');
  return { seed, instructions: draft.instructions, before };
}
