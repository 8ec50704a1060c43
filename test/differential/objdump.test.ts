// Decoder and disassembler against binutils: length, mnemonic and operands of every instruction in large Debian
// binaries, and of random words.

import { deepEqual, ok } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { disassemblerOf } from '../../src/isa/shared/disassembler.ts';
import { createGenerator } from '../../src/isa/shared/generator.ts';
import { createRandom } from '../../src/std/random.ts';
import { missing, run, withFolder } from '../support/judge.ts';

const objdump = 'riscv64-linux-gnu-objdump';
const assembler = 'riscv64-linux-gnu-as';
const objcopy = 'riscv64-linux-gnu-objcopy';
const libraries = ['libc.so.6', 'libm.so.6'].map((name) => `/usr/riscv64-linux-gnu/lib/${name}`);

/** What binutils is told that the processor has; it knows neither Zicond nor the names of some CSRs. */
const architecture =
  'rv64gc_zicsr2p0_zifencei2p0_zba1p0_zbb1p0_zbc1p0_zbs1p0_zicbom1p0_zicboz1p0_zawrs1p0_svinval1p0';

const seed = 20_261_123;
const randomWords = 100_000;

/** One line of objdump. */
interface Listed {
  readonly address: bigint;
  readonly word: number;
  readonly length: number;
  readonly text: string;
}

const linePattern = /^ *([\da-f]+):\t([\da-f ]+?) *\t(.*)$/;

function* parse(listing: string): Generator<Listed> {
  for (const line of listing.split('\n')) {
    const match = linePattern.exec(line);
    if (match === null) continue;
    const digits = match[2]!.replaceAll(' ', '');
    const word = Number.parseInt(digits, 16);
    yield { address: BigInt(`0x${match[1]}`), word, length: digits.length / 2, text: match[3]! };
  }
}

const list = (...args: string[]): Generator<Listed> =>
  parse(String(run(objdump, ['-d', '-M', 'no-aliases', ...args])));

const disassemble = disassemblerOf(riscv64);

const isData = (text: string): boolean => /^\.(word|half|[248]?byte)/.test(text);

/** Mnemonic and operands; binutils adds comments, and symbols to addresses. */
const tokens = (text: string): string[] =>
  text
    .replace(/ #.*| <.*/, '')
    .split(/[\s,()]+/)
    .filter((token) => token !== '');

/**
 * Whether two operands are the same. Binutils writes targets in hexadecimal without 0x, the numbers of c.lui without
 * sign, and `unknown` for reserved rounding modes and for the empty set of a fence.
 */
function sameOperand(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  if (theirs === 'unknown') return ['0', '5', '6'].includes(ours);
  const [a, b] = [Number(ours), Number(theirs)];
  if (a === b || (a < 0 && a + 2 ** 20 === b)) return true;
  return ours.startsWith('0x') && a === Number.parseInt(theirs, 16);
}

/** Differences that are none: why, our text and theirs (binutils 2.40), single spaces between tokens. */
const explained: readonly (readonly [why: string, ours: RegExp, theirs: RegExp])[] = [
  ['no-aliases shows it as the instruction it is a case of', /^c\.nop$/, /^c\.addi zero 0$/],
  ['the same', /^pause$/, /^fence w unknown$/],
  ['a name for the illegal halfword 0', /^\.half 0x0$/, /^c\.unimp$/],
  [
    'shifts by 0 are named as for RV128, where they shift by 64',
    /^c\.(slli|srli|srai) \w+ 0$/,
    /^c\.(slli|srli|srai)64 \w+$/,
  ],
  ['Zicond is unknown to it', /^czero\.(eqz|nez) /, /^\.4byte/],
  ['a CSR that this hart does not have', /^\.word/, /^csrr[wsc]i? /],
  ['bits that the manual wants ignored', /^fence /, /^\.4byte/],
  ['the same', /^fence\.i$/, /^\.4byte/],
  ['exact, so it knows no rounding mode but 0', /^fcvt\.d\.(s|w|wu) .* (?!rne)\w+$/, /^\.4byte/],
];

/** The operands that it leaves out: a dynamic rounding mode, and any where the result is exact. */
const withoutMode = (text: string): string =>
  text.replace(/^(f\w+\.\S+ .*) dyn$|^(fcvt\.d\.(?:s|w|wu) .*) rne$/, '$1$2');

function same(ours: string, theirs: string): boolean {
  if (isData(ours) && isData(theirs)) return true;
  const [a, b] = [tokens(ours).join(' '), tokens(theirs).join(' ')];
  if (sameTokens(a, b) || sameTokens(withoutMode(a), b)) return true;
  return explained.some(([, left, right]) => left.test(a) && right.test(b));
}

function sameTokens(ours: string, theirs: string): boolean {
  const [a, b] = [ours.split(' '), theirs.split(' ')];
  return a.length === b.length && a.every((token, i) => sameOperand(token, b[i]!));
}

/** Differences, each kind of instruction once. */
function compare(listing: Iterable<Listed>): { differences: string[]; count: number } {
  const differences = new Map<string, string>();
  let count = 0;
  for (const { address, word, length, text } of listing) {
    count++;
    const ours = disassemble(word, address);
    const ourLength = riscv64.lengthOf(word & 0xffff);
    if (ourLength === length && same(ours, text)) continue;
    const line = `${word.toString(16).padStart(2 * length, '0')}: ours ${ours}; theirs ${text}`;
    differences.set(`${ours.split(' ')[0]} ${text.split('\t')[0]}`, line);
  }
  return { differences: [...differences.values()], count };
}

test('every instruction of large binaries', { skip: missing(objdump, ...libraries) }, () => {
  for (const library of libraries) {
    const { differences, count } = compare(list('-j', '.text', library));
    deepEqual(differences, [], library);
    ok(count > 50_000, `${count} instructions in ${library}`);
  }
});

/** Half of the words are instructions of ours with random fields, half are any bits. */
function draw(): Uint32Array {
  const random = createRandom(seed);
  const generator = createGenerator({ ...riscv64, random });
  return Uint32Array.from({ length: randomWords }, () => {
    const word = random.oneIn(2) ? generator.any().word : random.next32();
    // A short instruction is followed by another; longer than 32 bits are encodings that nothing uses yet.
    if ((word & 3) !== 3) return ((word & 0xffff) | 0x0001_0000) >>> 0;
    return (word & 0x1f) === 0x1f ? (word ^ 0x10) >>> 0 : word;
  });
}

test('random words', { skip: missing(objdump, assembler, objcopy) }, () => {
  withFolder((folder) => {
    const [source, object, words] = ['a.s', 'a.o', 'words'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, `.attribute arch, "${architecture}"\n.text\n`);
    writeFileSync(words, new Uint8Array(draw().buffer));
    run(assembler, [source, '-o', object]);
    run(objcopy, ['--update-section', `.text=${words}`, object]);
    const { differences, count } = compare(list(object));
    deepEqual(differences, []);
    ok(count >= randomWords);
  });
});
