// The riscv64 decoder and disassembler against binutils: length, name and operands of every instruction in shared
// libraries of the cross toolchain, of every 16-bit word, and of many 32-bit words, random and nearly valid.
// Differences that are meant are listed in `explained`, each with its reason.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { disassemble } from '../../src/isa/shared/disassembler.ts';
import { generate } from '../../src/isa/shared/generator.ts';
import { fieldValue, type Row } from '../../src/isa/shared/row.ts';
import { createRandom } from '../../src/std/random.ts';
import { withoutFile, withoutJudges } from '../support/judges.ts';

const objdump = 'riscv64-linux-gnu-objdump';
const assembler = 'riscv64-linux-gnu-as';
const strip = 'riscv64-linux-gnu-strip';
const skip = withoutJudges(objdump, assembler, strip);
const libraries = ['libc.so.6', 'libm.so.6', 'libstdc++.so.6'];
const libraryFolder = '/usr/riscv64-linux-gnu/lib';
const seed = 20_261_123n;
const randomWords = 100_000;

/** All extensions of ours that binutils 2.40 knows. */
const march = 'rv64gc_zba_zbb_zbc_zbs_zicbom_zicboz_zawrs_svinval_zihintpause_zicsr_zifencei_sstc';

/** An instruction as objdump sees it. */
interface Line {
  readonly address: bigint;
  readonly length: number;
  readonly word: number;
  /** Undefined: objdump knows no such instruction. */
  readonly text: string | undefined;
}

function run(command: string, args: readonly string[], cwd?: string): string {
  const options = {
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
    ...(cwd === undefined ? {} : { cwd }),
  } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

function dump(file: string): Line[] {
  const lines = run(objdump, ['-d', '-z', '-M', 'no-aliases', file]).split('\n');
  return lines.flatMap((line) => {
    const match = /^ *([\da-f]+):\t([\da-f]+) *\t(\S+)(?:\t(.*))?$/.exec(line);
    if (match === null) return [];
    const [, address, bits, mnemonic, operands = ''] = match;
    const plain = operands
      .replace(/ #.*$/, '')
      .replace(/ <.*>$/, '')
      .trim();
    return {
      address: BigInt(`0x${address}`),
      length: bits!.length / 2,
      word: Number.parseInt(bits!, 16),
      text: mnemonic!.startsWith('.') ? undefined : `${mnemonic} ${plain}`.trim(),
    };
  });
}

/** What objdump makes of instructions that follow each other from address 0. */
function judge(words: readonly { readonly word: number; readonly length: number }[]): Line[] {
  const folder = mkdtempSync(join(tmpdir(), 'isola-objdump-'));
  try {
    const bytes = Buffer.concat(
      words.map(({ word, length }) => {
        const each = Buffer.alloc(length);
        each.writeUIntLE(word, 0, length);
        return each;
      }),
    );
    writeFileSync(join(folder, 'words.bin'), bytes);
    writeFileSync(join(folder, 'words.s'), '.text\n.incbin "words.bin"\n');
    run(assembler, [`-march=${march}`, 'words.s', '-o', 'words.o'], folder);
    // Without its symbols the file does not say that these bytes are data.
    run(strip, ['words.o'], folder);
    const lines = dump(join(folder, 'words.o'));
    deepEqual(
      lines.map(({ word, length }) => ({ word, length })),
      words,
    );
    return lines;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const decimal = (text: string): string =>
  text.replaceAll(/(?<![\w.])0x[\da-f]+\b/g, (number) => `${BigInt(number)}`);

/** objdump's text with decimal numbers; it writes targets of branches in hexadecimal without 0x. */
function theirs(text: string, row: Row): string {
  const relative = Object.values(row.fields).some(
    (each) => each.kind === 'number' && each.relative,
  );
  return decimal(relative ? text.replace(/([ ,])(?:0x)?([\da-f]+)$/, '$10x$2') : text);
}

const fenceSet = (bits: number): string =>
  ['i', 'o', 'r', 'w'].filter((_, i) => ((bits >> (3 - i)) & 1) === 1).join('') || 'unknown';

/** Our text in objdump's manner. */
function ours(row: Row, word: number, address: bigint): string {
  const text = disassemble(row, word, address).replaceAll(', ', ',');
  const { imm, rm } = row.fields;
  if (row.name === 'fence') {
    const sets = fieldValue(imm!, word);
    return `fence ${fenceSet(sets >> 4)},${fenceSet(sets & 15)}`;
  }
  if (/^(c\.lui|lui|auipc)$/.test(row.name)) {
    return text.replace(/-?\d+$/, (number) => `${BigInt.asUintN(20, BigInt(number))}`);
  }
  // Exact conversions and the usual mode are written without mode.
  if (/^fcvt\.d\.(w|wu|s)$/.test(row.name)) return text.replace(/,\w+$/, '');
  if (rm) return text.replace(/,dyn$/, '').replace(/,[56]$/, ',unknown');
  return decimal(text);
}

const csrNumber = (word: number): number => word >>> 20;
const csrs = new Set(
  riscv64.rows.filter((row) => row.extension === 'Zicsr').map((row) => csrNumber(row.value)),
);

/** Why we differ from objdump, and where: `row` and `text` are what we and objdump make of the word. */
const explained: readonly {
  readonly reason: string;
  readonly holds: (word: number, row: Row | undefined, text: string | undefined) => boolean;
}[] = [
  {
    reason: 'binutils 2.40 is older than Zicond',
    holds: (_, row, text) => row?.extension === 'Zicond' && text === undefined,
  },
  {
    reason: 'reserved fields of fences are ignored, as the manual demands (sections 2.7 and 6)',
    holds: (word, row, text) =>
      (row?.name === 'fence' && (word & 0xf00f_8f80) !== 0 && text === undefined) ||
      (row?.name === 'fence.i' && (word & 0xffff_8f80) !== 0 && text === undefined),
  },
  {
    reason: 'exact conversions have a mode too, which binutils 2.40 wants to be 0',
    holds: (word, row, text) =>
      /^fcvt\.d\.(w|wu|s)$/.test(row?.name ?? '') && ((word >> 12) & 7) !== 0 && text === undefined,
  },
  {
    reason: 'we have no row for CSRs that we lack, nor for writes to read-only ones',
    holds: (word, row, text) =>
      row === undefined &&
      text?.startsWith('csrr') === true &&
      (!csrs.has(csrNumber(word)) || csrNumber(word) >> 10 === 3),
  },
  {
    reason: 'instructions that the manual no longer has',
    holds: (_, row, text) => row === undefined && /^(uret|hret|sfence\.vm)( |$)/.test(text ?? ''),
  },
  {
    reason: 'defined to be illegal, or reserved',
    holds: (_, row, text) => row === undefined && /^c\.(unimp|addi16sp sp,0)$/.test(text ?? ''),
  },
  {
    reason: 'shifts by zero are hints with names of their own in RV128',
    holds: (_, row, text) => text?.split(' ', 1)[0] === `${row?.name}64`,
  },
  {
    reason: 'the same instruction',
    holds: (_, row, text) => row?.name === 'c.nop' && text === 'c.addi zero,0',
  },
];

/** Differences without an explanation, one line each. */
function differences(lines: readonly Line[]): string[] {
  return lines.flatMap(({ address, length, word, text }) => {
    const row = riscv64.decode(word);
    const mine = row && ours(row, word, address);
    const other = text !== undefined && row ? theirs(text, row) : text;
    const sameLength = riscv64.lengthOf(word & 0xffff) === length;
    if (sameLength && mine === other) return [];
    if (sameLength && explained.some(({ holds }) => holds(word, row, text))) return [];
    const bits = word.toString(16).padStart(2 * length, '0');
    return [`${bits} at 0x${address.toString(16)}: ours '${mine}', objdump's '${other}'`];
  });
}

function expectSame(lines: readonly Line[]): void {
  const found = differences(lines);
  const shown = found.slice(0, 20).join('\n');
  equal(found.length, 0, `${found.length} of ${lines.length} differ:\n${shown}`);
}

for (const library of libraries) {
  const path = join(libraryFolder, library);
  const reason = skip === false ? withoutFile(path) : skip;
  test(`every instruction of ${library} reads as objdump reads it`, { skip: reason }, () => {
    const lines = dump(path);
    ok(lines.length > 10_000);
    expectSame(lines);
  });
}

test('every short instruction reads as objdump reads it', { skip }, () => {
  const all = Array.from({ length: 0x1_0000 }, (_, word) => ({ word, length: 2 }));
  expectSame(judge(all.filter(({ word }) => (word & 3) !== 3)));
});

test(`random words read as objdump reads them, seed ${seed}`, { skip }, () => {
  const random = createRandom(seed);
  const long = riscv64.rows.filter((row) => row.length === 4);
  const extensions = [...Map.groupBy(long, (row) => row.extension).values()];
  const words = Array.from({ length: randomWords }, () => {
    const anything = (random.next32() | 3) >>> 0;
    const valid = generate(random.pick(random.pick(extensions)), random, riscv64.decode);
    const flipped = (valid ^ (4 << random.below(30))) >>> 0;
    const word = random.pick([anything, valid, flipped]);
    // Five low ones would begin an instruction of more than 32 bits.
    return { word: (word & 31) === 31 ? (word & ~16) >>> 0 : word, length: 4 };
  });
  expectSame(judge(words));
});
