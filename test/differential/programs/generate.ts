// Random programs of many blocks, for executors to run against each other: loops, calls, returns, switches, jumps to
// another mapping of the same code or mode, faults anywhere, code that rewrites code, and mappings that change.
//
// A program starts in supervisor mode under Sv39 and ends when its fuel is spent; each block and each exception takes
// some. See layout.ts for its addresses and handlers.ts for what becomes of traps.
// Invariants: what may raise has four bytes, or two and a word of two that does nothing behind it; registers with a
// duty are changed by nobody else; the last word is the one that stops the run; what changes a mapping fences it at
// once.

import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { createAssembler } from '../../../src/isa/shared/assembler.ts';
import type { Random } from '../../../src/std/random.ts';
import {
  codePointers,
  entries,
  free,
  high,
  items,
  loadNumber,
  low,
  simpleItem,
  type Source,
  straddler,
  straddlerEnd,
} from './items.ts';
import { cellsAt, codeA, codeAt, codePages, flags, tables, variants } from './layout.ts';

/** A program and its surroundings. */
export interface Program {
  readonly code: Uint8Array;
  /** Pages of code that go by the same addresses. */
  readonly variants: readonly Uint8Array[];
  /** Page-table entries: offsets in RAM, values. */
  readonly tables: readonly (readonly [number, number])[];
  /** Exceptions that supervisor mode handles. */
  readonly medeleg: bigint;
  /** SUM and MXR of mstatus at the start. */
  readonly status: bigint;
}

const { assembleProgram } = createAssembler(riscv64);
const conditions = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
const SUM = 1n << 18n;
const MXR = 1n << 19n;
/** Illegal instruction, breakpoint, access faults of loads and stores, calls from both modes, page faults. */
const delegable = [2, 3, 5, 7, 8, 9, 12, 13, 15];

/** A program; `isAlone`: there will be no interrupts. */
export function makeProgram(random: Random, isAlone: boolean): Program {
  const text = makeText(random, isAlone);
  // Distances are known only when everything has its place.
  const { labels } = assembleProgram(text.replaceAll(/\{(high|low) \w+\}/g, '0'), BigInt(codeA));
  const placed = text.replaceAll(/\{(high|low) (\w+)\}/g, (_, half: string, label: string) => {
    const distance = Number(labels.get(label)!) - codeA;
    return String(half === 'high' ? high(distance) : low(distance));
  });
  const code = assembleProgram(placed, BigInt(codeA)).bytes;
  if (code.length > 4096 * codePages) throw new Error(`a program of ${code.length} bytes`);
  return {
    code,
    variants: Array.from({ length: variants }, () => makeVariant(random)),
    tables: tables(random.below(2) * flags.G, (count) => random.below(count)),
    medeleg: delegable.reduce(
      (bits, cause) => bits | (BigInt(random.below(2)) << BigInt(cause)),
      0n,
    ),
    status: (random.below(4) === 0 ? 0n : SUM) | (random.below(2) === 0 ? 0n : MXR),
  };
}

/** Where a variant has a branch that goes on in the last words of its page. */
const branch = 4094 - 12;

/** A page that is entered near its start, near its end, and from the end of the page before; it goes back to t0. */
function makeVariant(random: Random): Uint8Array {
  const page = new Uint8Array(4096);
  const put = (at: number, lines: readonly string[], end: number): void => {
    const { bytes } = assembleProgram(lines.join('\n'), BigInt(at));
    if (at + bytes.length > end) throw new Error(`${bytes.length} bytes at ${at} of a variant`);
    page.set(bytes, at);
  };
  const some = (count: number): string[] =>
    Array.from({ length: random.below(count) }, () => simpleItem(random)).flat();
  put(0, [`.half ${straddlerEnd(random)}`, ...some(3), 'jalr zero, 0(t0)'], entries.start);
  const patch = `addi x6, x6, ${random.below(100)}`;
  const loop = ['again:', ...some(6), 'addi t6, t6, -1', 'addi s3, s3, -1', 'blt zero, s3, again'];
  const start = [patch, `addi s3, zero, ${1 + random.below(6)}`, ...loop, 'jalr zero, 0(t0)'];
  put(entries.start, start, entries.end);
  // From there nothing is done up to what lies across the end, in words of two bytes; a branch leads to the last ones.
  for (let at = entries.end; at < branch + 4; at += 2) put(at, ['.half 1'], 4096);
  put(entries.end, some(4), branch);
  const [a, b] = [random.pick(free), random.pick(free)];
  put(
    branch,
    [`${random.pick(conditions)} ${a}, ${b}, 8`, ...Array<string>(4).fill('.half 1')],
    4094,
  );
  put(4094, [`.half ${straddler(random)}`], 4096);
  return page;
}

function makeText(random: Random, isAlone: boolean): string {
  const blocks = 6 + random.below(40);
  let labels = 0;
  const label = (): string => `label${labels++}`;
  // Wherever the start is gone back to, the fuel says where to go on.
  const lines = jumpTable('t6', 32, () => `block${random.below(blocks)}`);
  for (let block = 0; block < blocks; block++) {
    lines.push(...makeBlock({ random, block, label, isAlone }, blocks));
    // Now and then a gap, so that blocks lie anywhere in pages and straddle their ends.
    if (random.below(5) === 0) lines.push(...Array<string>(random.below(80)).fill('  .half 1'));
    if (lines.length % 2 === 0) lines.push('  .half 1');
  }
  return `${lines.join('\n')}\n  .half 1\nstop: .word 0xffffffff\n`;
}

function makeBlock(source: Source, blocks: number): string[] {
  const { random, block } = source;
  const lines = [`block${block}:`, '  addi t6, t6, -1', '  blt zero, t6, 8', '  jal zero, stop'];
  for (let left = random.below(8); left > 0; left--) lines.push(...items(source));
  lines.push(`patch${block}: addi x6, x6, ${random.below(100)}`);
  return [...lines, ...makeEnd(random, block, blocks)];
}

function makeEnd(random: Random, block: number, blocks: number): string[] {
  const near = (): string =>
    `block${Math.max(0, Math.min(blocks - 1, block + random.below(12) - 6))}`;
  switch (random.below(12)) {
    case 0:
    case 1: {
      const [a, b] = [random.pick(free), random.pick(free)];
      return [
        `  ${random.pick(conditions)} ${a}, ${b}, 8`,
        `  jal zero, ${near()}`,
        ...byFuel(random, near),
      ];
    }
    case 2:
    case 3:
      return byFuel(random, near);
    case 4:
      return [`  jal ra, ${near()}`, ...byFuel(random, near)];
    case 5:
      return ['  jalr zero, 0(ra)'];
    case 6:
      return jumpTable(random.pick(free), 8, near);
    case 7:
      return [`  addi s4, ${random.pick(codePointers)}, 0`, '  jalr zero, 0(s4)'];
    case 8:
      return leave(random, near);
    case 9:
      // By the large page that maps RAM to itself.
      return [...loadNumber('s4', codeAt - cellsAt), '  add s4, s4, gp', '  jalr zero, 0(s4)'];
    default:
      return byFuel(random, near);
  }
}

/** One way or another by the fuel, so that no small circle is for ever. */
const byFuel = (random: Random, near: () => string): string[] => [
  `  andi s4, t6, ${2 ** random.below(6)}`,
  '  beq s4, zero, 8',
  `  jal zero, ${near()}`,
  `  jal zero, ${near()}`,
];

/** Goes on at one of some places, by low bits of a register. */
const jumpTable = (register: string, count: number, near: () => string): string[] => [
  `  andi s4, ${register}, ${4 * (count - 1)}`,
  '  auipc s3, 0',
  '  add s3, s3, s4',
  '  jalr zero, 12(s3)',
  ...Array.from({ length: count }, () => `  jal zero, ${near()}`),
];

/** To user mode, or again to supervisor mode, at a block. */
function leave(random: Random, near: () => string): string[] {
  const block = near();
  const [change, pointer] = random.pick([
    ['csrrc', 'tp'],
    ['csrrc', 'tp'],
    ['csrrs', 's8'],
  ]);
  return [
    `  lui s4, {high ${block}}`,
    `  addiw s4, s4, {low ${block}}`,
    `  add s4, s4, ${pointer}`,
    '  csrrw zero, sepc, s4',
    '  addi s4, zero, 0x100',
    `  ${change} zero, sstatus, s4`,
    '  sret',
    ...byFuel(random, near),
  ];
}
