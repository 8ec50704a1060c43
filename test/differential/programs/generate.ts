// Random programs of many blocks, for executors to run against each other: loops, calls, returns, switches, jumps to
// another mapping of the same code, faults anywhere, code that rewrites code.
//
// A program runs in supervisor mode under Sv39 until its fuel is spent; each block and each exception takes some. What
// raises an exception is logged and skipped. Interrupts are counted, nothing else, so they may come anywhere.
// Invariants: only instructions of four bytes may raise; registers with a duty are changed by nobody else; the last
// word is the one that stops the run.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { X } from '../../../src/isa/riscv64/state.ts';
import { createAssembler } from '../../../src/isa/shared/assembler.ts';
import { generate } from '../../../src/isa/shared/generator.ts';
import { insertField, rawField, type Row } from '../../../src/isa/shared/row.ts';
import type { Random } from '../../../src/std/random.ts';

/** Virtual addresses: the code, twice; data: two pages to write, one to read, and then none. */
export const codeA = 0x40_0000;
export const codeB = 0x50_0000;
export const codePages = 4;
export const dataAt = 0x60_0000;

/** Registers with a duty. The handler has t3 and t4 for itself. */
export const duties = {
  fuel: 't6',
  log: 's11',
  codeA: 's9',
  codeB: 's8',
  data: ['t5', 's7', 's6'],
  address: 's4',
} as const;

/** Machine mode's handler, untranslated: an interrupt is acknowledged and counted, an exception logged and skipped. */
const handler = `
  csrrs t3, mcause, zero
  blt t3, zero, interrupt
  sd t3, 0(s11)
  csrrs t3, mepc, zero
  sd t3, 8(s11)
  addi t3, t3, 4
  csrrw zero, mepc, t3
  csrrs t3, mtval, zero
  sd t3, 16(s11)
  addi s11, s11, 24
  addi t6, t6, -1
  mret
interrupt:
  csrrci zero, mip, 2
  ld t3, -8(gp)
  addi t3, t3, 1
  sd t3, -8(gp)
  mret
`;
/** Instructions that the handler retires for an interrupt. */
export const interruptLength = 7;

const { assembleProgram } = createAssembler(riscv64);

/** The handler's bytes; it runs at any address. */
export const handlerBytes = (): Uint8Array => assembleProgram(handler, 0n).bytes;

const extensions = ['I', 'M', 'Zba', 'Zbb', 'Zbs', 'Zicond', 'F', 'D'];
const special = /^(b(eq|ne|lt|ge)u?|jalr?|ecall|ebreak|fence.*|auipc|f?[ls][bhwd]u?)$/;
const plain = riscv64.rows.filter(
  (row) => row.length === 4 && extensions.includes(row.extension) && !special.test(row.name),
);
const integers = plain.filter(({ extension }) => extension !== 'F' && extension !== 'D');

const loads = ['lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld'];
const stores = ['sb', 'sh', 'sw', 'sd'];
const atomics = ['amoadd.w', 'amoadd.d', 'amoswap.w', 'amoor.d', 'amomax.w', 'amominu.d'];
const conditions = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
/** t3, in which interrupts leave something. */
const HANDLER = 28;
/** Registers that programs compute with. */
const free = Array.from({ length: 14 }, (_, i) => `x${i + 6}`);

/** The bytes of a program at codeA; `counts`: it may read how many instructions have retired. */
export function makeProgram(random: Random, counts: boolean): Uint8Array {
  const text = makeText(random).replaceAll('{count}', counts ? 'instret' : 'fflags');
  // Distances of patches are known only when everything has its place.
  const { labels } = assembleProgram(text.replaceAll(/\{(high|low) \w+\}/g, '0'), BigInt(codeA));
  const placed = text.replaceAll(/\{(high|low) (\w+)\}/g, (_, half: string, label: string) => {
    const distance = Number(labels.get(label)!) - codeA;
    return String(half === 'high' ? high(distance) : low(distance));
  });
  return assembleProgram(placed, BigInt(codeA)).bytes;
}

function makeText(random: Random): string {
  const blocks = 6 + random.below(40);
  const lines = ['  jal zero, block0'];
  for (let block = 0; block < blocks; block++) {
    lines.push(...makeBlock(random, block, blocks));
    // Now and then a gap, so that blocks lie anywhere in pages and straddle their ends.
    if (random.below(5) === 0) lines.push(...Array<string>(random.below(80)).fill('  .half 1'));
    if (lines.length % 2 === 0) lines.push('  .half 1');
  }
  return `${lines.join('\n')}\n  .half 1\nstop: .word 0xffffffff\n`;
}

function makeBlock(random: Random, block: number, blocks: number): string[] {
  const lines = [`block${block}:`, '  addi t6, t6, -1', '  blt zero, t6, 8', '  jal zero, stop'];
  for (let left = random.below(8); left > 0; left--) lines.push(...makeItem(random, block));
  lines.push(`patch${block}: addi x6, x6, ${random.below(100)}`);
  return [...lines, ...makeEnd(random, block, blocks)];
}

function makeItem(random: Random, block: number): string[] {
  switch (random.below(14)) {
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
      return [`  csrrs ${random.pick(free)}, {count}, zero`];
    case 7:
      return random.below(4) === 0 ? rewrite(random, block) : [];
    case 8:
      return random.below(6) === 0 ? [random.pick(['  ecall', '  ebreak', '  .word 0'])] : [];
    case 9:
      return random.below(6) === 0 ? ['  sfence.vma zero, zero'] : [];
    default:
      return [`  .word ${instruction(random)}`];
  }
}

/** An instruction that computes, with a free register for its result; none reads the handler's. */
function instruction(random: Random): number {
  const row: Row = random.pick(random.below(3) === 0 ? plain : integers);
  let word = generate(row, random, riscv64.decode);
  for (const field of Object.values(row.fields)) {
    if (field.kind !== 'register' || field.file !== X) continue;
    if (field.role === 'destination') word = insertField(field, word, 6 + random.below(14));
    else if (rawField(field, word) === HANDLER) word = insertField(field, word, 0);
  }
  return word;
}

const base = (random: Random): string => random.pick(duties.data);
const offset = (random: Random): number =>
  random.below(3) === 0 ? random.below(4096) - 2048 : 8 * random.below(32);

/** Stores another instruction over a block's patch; in its own page or another, by either mapping. */
function rewrite(random: Random, block: number): string[] {
  const target = Math.max(0, block - random.below(6));
  // addi x6, x6, …
  const word = 0x0003_0313 + random.below(100) * 2 ** 20;
  return [
    ...loadNumber('x19', word),
    `  lui s4, {high patch${target}}`,
    `  addiw s4, s4, {low patch${target}}`,
    `  add s4, s4, ${random.pick([duties.codeA, duties.codeB])}`,
    '  sw x19, 0(s4)',
    '  fence.i',
  ];
}

const high = (value: number): number => (value + 0x800) >>> 12;
const low = (value: number): number => (value << 20) >> 20;
const loadNumber = (register: string, value: number): string[] => [
  `  lui ${register}, ${high(value)}`,
  `  addiw ${register}, ${register}, ${low(value)}`,
];

function makeEnd(random: Random, block: number, blocks: number): string[] {
  const near = (): string =>
    `block${Math.max(0, Math.min(blocks - 1, block + random.below(12) - 6))}`;
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const [a, b] = [random.pick(free), random.pick(free)];
      return [
        `  ${random.pick(conditions)} ${a}, ${b}, 8`,
        `  jal zero, ${near()}`,
        `  jal zero, ${near()}`,
      ];
    }
    case 4:
      return [`  jal ra, ${near()}`, `  jal zero, ${near()}`];
    case 5:
      return ['  jalr zero, 0(ra)'];
    case 6:
      return [
        `  andi s4, ${random.pick(free)}, 28`,
        '  auipc x19, 0',
        '  add x19, x19, s4',
        '  jalr zero, 12(x19)',
        ...Array.from({ length: 8 }, () => `  jal zero, ${near()}`),
      ];
    case 7:
      return [`  addi s4, ${random.pick(['s8', 's9'])}, 0`, '  jalr zero, 0(s4)'];
    default:
      return [`  jal zero, ${near()}`];
  }
}
