// The parts that the blocks of random programs are made of.
//
// Invariants: free registers are the only ones that get results, beside s3, s4, t0 and sp, which have a duty inside one
// part; no instruction reads what an interrupt changes.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { X } from '../../../src/isa/riscv64/state.ts';
import { generate } from '../../../src/isa/shared/generator.ts';
import { insertField, rawField, type Row } from '../../../src/isa/shared/row.ts';
import type { Random } from '../../../src/std/random.ts';
import { mappingChange } from './mappings.ts';
import {
  cells,
  cellsAt,
  codeAt,
  dataRam,
  mixedAt,
  ramBase,
  variantAt,
  variants,
  variantsAt,
} from './layout.ts';

/** What parts are made from. */
export interface Source {
  readonly random: Random;
  /** The block that a part is for. */
  readonly block: number;
  /** A label that no other part has. */
  readonly label: () => string;
  /** Whether there are no interrupts, which show in counts and reservations. */
  readonly isAlone: boolean;
}

/** Registers that programs compute with. */
export const free: readonly string[] = Array.from({ length: 13 }, (_, i) => `x${i + 6}`);
/** Those that compressed loads and stores may name. */
const low8 = free.slice(2, 10);
/** Pointers to data, and to the code by its addresses. */
const pointers = ['t5', 't5', 't5', 's7', 's7', 's6'];
export const codePointers = ['s9', 's8', 'tp'] as const;
/** t3, in which interrupts leave something. */
const HANDLER = 28;

const extensions = ['I', 'M', 'Zba', 'Zbb', 'Zbs', 'Zicond', 'F', 'D'];
const special = /^(b(eq|ne|lt|ge)u?|jalr?|ecall|ebreak|fence.*|auipc|f?[ls][bhwd]u?)$/;
const plain = riscv64.rows.filter(
  (row) => row.length === 4 && extensions.includes(row.extension) && !special.test(row.name),
);
const integers = plain.filter(({ extension }) => extension !== 'F' && extension !== 'D');
const specialShort = /^c\.(j|beqz|bnez|jr|jalr|ebreak|addi4spn|addi16sp|f?[ls][wd](sp)?)$/;
const short = riscv64.rows.filter((row) => row.length === 2 && !specialShort.test(row.name));

const loads = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld'];
const stores = ['sb', 'sh', 'sw', 'sd'];
const shortAccesses = ['c.lw', 'c.ld', 'c.sw', 'c.sd'];
// oxfmt-ignore
const atomics = [
  'amoadd.w', 'amoadd.d', 'amoswap.w', 'amoor.d', 'amomax.w', 'amominu.d', 'amoxor.w', 'amoand.d', 'amomaxu.d',
];

export const high = (value: number): number => (value + 0x800) >>> 12;
export const low = (value: number): number => (value << 20) >> 20;
export const loadNumber = (register: string, value: number): string[] => [
  `  lui ${register}, ${high(value) & 0xfffff}`,
  `  addiw ${register}, ${register}, ${low(value)}`,
];

const base = (random: Random): string => random.pick(pointers);
const offset = (random: Random): number =>
  random.below(3) === 0 ? random.below(4096) - 2048 : 8 * random.below(32);

/** Words, accesses and atomics, in up to a few lines. */
export function simpleItem(random: Random): string[] {
  switch (random.below(16)) {
    case 0:
    case 1:
      return [`  ${random.pick(loads)} ${random.pick(free)}, ${offset(random)}(${base(random)})`];
    case 2:
    case 3:
      return [`  ${random.pick(stores)} ${random.pick(free)}, ${offset(random)}(${base(random)})`];
    case 4:
      return [
        `  andi s4, ${random.pick(free)}, 0x7f8`,
        `  add s4, s4, ${base(random)}`,
        `  ld ${random.pick(free)}, 0(s4)`,
        `  sd ${random.pick(free)}, ${8 * random.below(4)}(s4)`,
      ];
    case 5:
      return [
        `  addi s4, ${base(random)}, ${8 * random.below(200) + (random.below(8) === 0 ? 4 : 0)}`,
        `  ${random.pick(atomics)} ${random.pick(free)}, ${random.pick(free)}, (s4)`,
      ];
    case 6:
    case 7:
      return shortAccess(random);
    case 8:
      return [`  fld f${random.below(32)}, ${offset(random)}(${base(random)})`];
    case 9:
      return [`  fsd f${random.below(32)}, ${offset(random)}(${base(random)})`];
    case 10:
    case 11:
      return Array.from({ length: 1 + random.below(4) }, () => `  .half ${shortWord(random)}`);
    default:
      return [`  .word ${instruction(random)}`];
  }
}

/** A compressed access; a fault in it is skipped together with the word behind it. */
function shortAccess(random: Random): string[] {
  const pointer = random.pick(low8);
  const [name, number] = [random.pick(shortAccesses), 8 * random.below(16)];
  return [
    `  c.mv ${pointer}, ${base(random)}`,
    `  ${name} ${random.pick(low8)}, ${number}(${pointer})`,
    '  c.nop',
  ];
}

/** Other parts, which blocks have beside the simple ones. */
export function items(source: Source): string[] {
  const { random } = source;
  switch (random.below(36)) {
    case 0:
    case 1:
      return rewrite(source);
    case 2:
      return [random.pick(['  ecall', '  ebreak', '  .word 0'])];
    case 3:
      return ['  sfence.vma zero, zero'];
    case 4:
    case 5:
      return [`  csrrs ${random.pick(free)}, ${source.isAlone ? 'instret' : 'fflags'}, zero`];
    case 6:
    case 7:
      return source.isAlone ? reserved(source) : simpleItem(random);
    case 8:
      return permissions(random);
    case 9:
      return switchSpace(random);
    case 10:
    case 11:
      return mappingChange(source);
    case 12:
    case 13:
      return callVariant(random);
    case 14:
      return loop(source);
    case 15:
      return rewriteVariant(random);
    case 16:
    case 17:
      return farAccess(random);
    default:
      return simpleItem(random);
  }
}

/** An instruction that computes, with a free register for its result; none reads the handler's. */
function instruction(random: Random): number {
  const row: Row = random.pick(random.below(3) === 0 ? plain : integers);
  return withFreeResult(row, generate(row, random, riscv64.decode), random);
}

function shortWord(random: Random): number {
  for (;;) {
    const row = random.pick(short);
    const word = withFreeResult(row, generate(row, random, riscv64.decode), random);
    if (riscv64.decode(word) === row) return word;
  }
}

function withFreeResult(row: Row, instructionWord: number, random: Random): number {
  let word = instructionWord;
  for (const field of Object.values(row.fields)) {
    // Three bits name registers that are all free.
    if (field.kind !== 'register' || field.file !== X || field.width === 3) continue;
    if (field.role === 'destination') word = insertField(field, word, 6 + random.below(13));
    else if (rawField(field, word) === HANDLER) word = insertField(field, word, 6);
  }
  return word;
}

/** Stores another instruction over a block's patch; in its own page or another, by any of its addresses. */
function rewrite({ random, block }: Source): string[] {
  const target = Math.max(0, block - random.below(6));
  // addi x6, x6, …
  const word = 0x0003_0313 + random.below(100) * 2 ** 20;
  const bases = [
    ...codePointers.map((pointer) => [`  add s4, s4, ${pointer}`]),
    [`  lui s2, ${(mixedAt + codeAt) / 4096}`, '  add s4, s4, s2'],
    [...loadNumber('s2', codeAt - cellsAt), '  add s4, s4, s2', '  add s4, s4, gp'],
  ];
  return [
    ...loadNumber('s3', word),
    `  lui s4, {high patch${target}}`,
    `  addiw s4, s4, {low patch${target}}`,
    ...random.pick(bases),
    '  sw s3, 0(s4)',
    '  fence.i',
  ];
}

/** A reservation, kept or not, tried a few times. */
function reserved({ random, label }: Source): string[] {
  const [again, width] = [label(), random.pick(['w', 'd'])];
  const [value, result] = [random.pick(free.slice(0, 6)), random.pick(free.slice(6))];
  return [
    `  addi s4, ${base(random)}, ${8 * random.below(200)}`,
    '  addi s3, zero, 3',
    `${again}:`,
    '  addi s3, s3, -1',
    `  lr.${width} ${value}, (s4)`,
    `  addi ${value}, ${value}, ${random.below(100)}`,
    ...(random.below(3) === 0 ? [`  ${random.pick(stores)} ${value}, ${offset(random)}(s4)`] : []),
    `  sc.${width} ${result}, ${value}, (s4)`,
    `  beq s3, zero, 8`,
    `  bne ${result}, zero, ${again}`,
  ];
}

/** SUM, MXR or both. */
function permissions(random: Random): string[] {
  const change = random.pick(['csrrs', 'csrrc']);
  return [
    `  lui s3, ${random.pick([0x40, 0x80, 0xc0])}`,
    `  ${change} ${random.pick(free)}, sstatus, s3`,
  ];
}

/** Another address space, under its own ASID or, with a fence, the shared one. */
function switchSpace(random: Random): string[] {
  const isShared = random.below(3) === 0;
  const number = 8 * (2 * random.below(3) + (isShared ? 1 : 0));
  return [
    `  ld s3, ${cells.satp + number}(gp)`,
    '  csrrw zero, satp, s3',
    ...(isShared ? ['  addi s3, zero, 7', '  sfence.vma zero, s3'] : []),
  ];
}

/** Calls a variant at its start or near its end. */
export function callVariant(random: Random): string[] {
  const page = variantsAt / 4096 + random.below(variants);
  return random.below(2) === 0
    ? [`  lui s4, ${page}`, `  jalr t0, ${entries.start}(s4)`]
    : [`  lui s4, ${page + 1}`, `  jalr t0, ${entries.end - 4096}(s4)`];
}

/** Offsets in a variant. */
export const entries = { start: 0x40, end: 0xf80 } as const;

/** A loop whose body changes what it uses; each turn takes fuel. */
function loop(source: Source): string[] {
  const { random, label } = source;
  const again = label();
  const body = Array.from({ length: 1 + random.below(4) }, () => {
    const kind = random.below(8);
    if (kind === 0) return mappingChange(source);
    if (kind <= 2) return callVariant(random);
    if (kind === 3) return rewriteVariant(random);
    if (kind === 4) return farAccess(random);
    return simpleItem(random);
  });
  return [
    `  addi sp, zero, ${2 + random.below(16)}`,
    `${again}:`,
    ...body.flat(),
    '  addi t6, t6, -1',
    '  addi sp, sp, -1',
    `  blt zero, sp, ${again}`,
  ];
}

/** Lower halves of what straddles the end of a variant: rs1 is t5, rd free where there is one. */
const straddlers = ['addi', 'lw', 'ld', 'sb', 'sd', 'andi', 'lbu'] as const;
const opcodes = {
  addi: 0x13,
  andi: 0x7013,
  lw: 0x2003,
  ld: 0x3003,
  lbu: 0x4003,
  sb: 0x23,
  sd: 0x3023,
} as const;

/** The half at the end of a page. Bits 11:7 are rd, or the low bits of a store's offset. */
export function straddler(random: Random): number {
  return opcodes[random.pick(straddlers)] | ((6 + random.below(13)) << 7);
}

/** The half at the start of the next: bits 19:16 make rs1 t5; the others are an offset, or part of one and rs2. */
export const straddlerEnd = (random: Random): number =>
  15 | ((6 + random.below(13)) << 4) | (random.below(128) << 9);

/** Stores another half over the start or the end of a variant, or another instruction over its patch. */
function rewriteVariant(random: Random): string[] {
  const page = 4096 * random.below(variants);
  const [at, value] = random.pick([
    [0, straddlerEnd(random)],
    [4094, straddler(random)],
    [entries.start, 0x0313 | (random.below(128) << 20) | (6 << 15)],
  ] as const);
  const bases = [variantsAt, mixedAt + variantAt, ramBase + variantAt];
  const from = random.pick(bases) + page + at;
  const pointer =
    from >= ramBase
      ? [...loadNumber('s4', from - ramBase - cellsAt), '  add s4, s4, gp']
      : loadNumber('s4', from);
  const store = at === entries.start ? 'sw' : 'sh';
  return [...loadNumber('s3', value), ...pointer, `  ${store} s3, 0(s4)`, '  fence.i'];
}

/** Data by its other address. */
export function farAccess(random: Random): string[] {
  const address = mixedAt + dataRam + 8 * random.below((3 * 4096) / 8);
  const access = random.below(2) === 0 ? random.pick(loads) : random.pick(stores);
  return [...loadNumber('s4', address), `  ${access} ${random.pick(free)}, 0(s4)`];
}
