// The arm64 decoder against binutils: the name of every instruction in shared libraries of the cross toolchain and of
// many words, random and nearly valid. A word that objdump knows and we do not must be of a feature that we lack: the
// assembler, told our features, refuses its text.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { arm64 } from '../../src/isa/arm64/isa.ts';
import { generate } from '../../src/isa/shared/generator.ts';
import { createRandom } from '../../src/std/random.ts';
import { withoutFile, withoutJudges } from '../support/judges.ts';

const objdump = 'aarch64-linux-gnu-objdump';
const assembler = 'aarch64-linux-gnu-as';
const skip = withoutJudges(objdump, assembler);
const libraries = ['libc.so.6', 'libm.so.6', 'libstdc++.so.6'];
const libraryFolder = '/usr/aarch64-linux-gnu/lib';
const seed = 20_261_123n;
/** ISOLA_WORDS chooses how many. */
const randomWords = Number(process.env['ISOLA_WORDS'] ?? 200_000);
const features = 'armv8-a+crypto+lse+rdma+crc+dotprod+pan';

interface Line {
  readonly word: number;
  /** Undefined: objdump knows no such instruction. */
  readonly text: string | undefined;
}

function run(command: string, args: readonly string[]) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 30 });
}

function dump(args: readonly string[]): Line[] {
  const { status, stdout, stderr } = run(objdump, ['-z', '-M', 'no-aliases', ...args]);
  equal(status, 0, stderr);
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*[\da-f]+:\t([\da-f]{8}) \t(.*)$/.exec(line);
    if (match === null) return [];
    const [, bits, rest] = match;
    const text = rest!.replace(/(\/\/|;|<).*/, '').trim();
    const isUnknown = text.startsWith('.') || rest!.includes('undefined');
    return { word: Number.parseInt(bits!, 16), text: isUnknown ? undefined : text };
  });
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'isola-objdump-'));

function judge(words: Uint32Array): Line[] {
  const place = folder();
  try {
    const file = join(place, 'words');
    writeFileSync(file, new Uint8Array(words.buffer));
    const lines = dump(['-D', '-b', 'binary', '-m', 'aarch64', file]);
    deepEqual(
      Uint32Array.from(lines, ({ word }) => word),
      words,
    );
    return lines;
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Those lines whose instructions the assembler takes for ones of our features. */
function ofOurFeatures(lines: readonly Line[]): readonly Line[] {
  const place = folder();
  try {
    const file = join(place, 'lines.s');
    const body = lines.map(({ text }) => text).join('\n');
    writeFileSync(file, `.arch ${features}\n${body}\n`);
    const { stderr } = run(assembler, [file, '-o', join(place, 'lines.o')]);
    const refused = new Set(
      [...stderr.matchAll(/:(\d+): Error/g)].map(([, line]) => Number(line) - 2),
    );
    return lines.filter((_, i) => !refused.has(i));
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** Why we have no row for what is one of our features. */
const absent: readonly { readonly reason: string; readonly text: RegExp }[] = [
  {
    reason: 'system registers and operations that we lack are undefined',
    text: /^(mrs|msr|sysl?)\b/,
  },
  { reason: 'debug state is entered by an external debugger only', text: /^(dcps[123]|drps)\b/ },
  { reason: 'the assembler takes SHA-512 for a part of its crypto', text: /^sha512/ },
];

/** What objdump writes without a name of its own. */
const generic: Readonly<Record<string, RegExp>> = {
  sys: /^(tlbi|dc|ic|at)$/,
  hint: /^(nop|wfe|wfi|sev|sevl)$/,
};

/** Differences without an explanation, one line each. */
function differences(lines: readonly Line[]): string[] {
  const unknown: Line[] = [];
  const found: string[] = [];
  for (const line of lines) {
    const { word, text } = line;
    const row = arm64.decode(word);
    if (row === undefined) {
      if (text !== undefined && !absent.some((each) => each.text.test(text))) unknown.push(line);
      continue;
    }
    // objdump calls undefined what the architecture leaves open, and some words with zeros where ones should be.
    const isOpen =
      row.unpredictable?.(word) === true || /^(ldar|stlr|ldx|ldax|stx|stlx)/.test(row.name);
    if (text === undefined && isOpen) continue;
    const [mine] = row.text.split(' ', 1);
    const theirs = text?.split(/\s/, 1)[0];
    if (mine === theirs || generic[theirs ?? '']?.test(mine!) === true) continue;
    found.push(`${word.toString(16).padStart(8, '0')}: ours '${row.name}', objdump's '${text}'`);
  }
  const ours = ofOurFeatures(unknown);
  return [...found, ...ours.map(({ word, text }) => `${word.toString(16)}: no row for '${text}'`)];
}

function expectSame(lines: readonly Line[]): void {
  const found = differences(lines);
  equal(
    found.length,
    0,
    `${found.length} of ${lines.length} differ:\n${found.slice(0, 20).join('\n')}`,
  );
}

for (const library of libraries) {
  const path = join(libraryFolder, library);
  const reason = skip === false ? withoutFile(path) : skip;
  test(`every instruction of arm64's ${library} has objdump's name`, { skip: reason }, () => {
    const lines = dump(['-d', path]);
    ok(lines.length > 10_000);
    expectSame(lines);
  });
}

test(`${randomWords} arm64 words have objdump's names, seed ${seed}`, { skip }, () => {
  const random = createRandom(seed);
  for (let done = 0; done < randomWords; done += 200_000) {
    const words = Uint32Array.from({ length: Math.min(200_000, randomWords - done) }, () => {
      const valid = generate(random.pick(arm64.rows), random, arm64.decode);
      return random.pick([random.next32(), valid, (valid ^ (1 << random.below(32))) >>> 0]);
    });
    expectSame(judge(words));
  }
});
