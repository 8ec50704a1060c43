// Finds the filetests of every guest and runs them. With UPDATE=1 the golden IR is written instead of compared.

import { deepEqual, equal, throws } from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Filetest, parseFiletests, replaceIr } from './format.ts';
import { guests } from './guests.ts';
import { assemble, type Bench, createBench, printedIr, runFiletest } from './run.ts';

const update = process.env['UPDATE'] === '1';

function checkIr(each: Filetest, bench: Bench): string[] {
  if (each.ir === undefined || update) return [];
  const expected = each.ir.lines.join('\n');
  const actual = printedIr(each, bench.guest).join('\n');
  if (actual === expected) return [];
  const where = `${each.file}:${each.ir.line}`;
  return [`${where}: IR: expected\n${expected}\nactual (UPDATE=1 accepts it)\n${actual}`];
}

function updateFile(path: string, text: string, tests: readonly Filetest[], bench: Bench): void {
  const irs = tests
    .filter(({ ir }) => ir !== undefined)
    .map((each) => [each.line, printedIr(each, bench.guest)] as const);
  const updated = replaceIr(text, tests, new Map(irs));
  if (updated !== text) writeFileSync(path, updated);
}

/** The files of a guest. */
function testsOf(guest: string) {
  const folder = join(import.meta.dirname, guest);
  const files = readdirSync(folder).filter((each) => each.endsWith('.txt'));
  return files.map((file) => {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    return { file, path, text, tests: parseFiletests(`test/filetests/${guest}/${file}`, text) };
  });
}

for (const [name, guest] of Object.entries(guests)) {
  const bench = createBench(guest);
  for (const { file, path, text, tests } of testsOf(name)) {
    for (const each of tests) {
      test(`${name}/${file}: ${each.title}`, () => {
        const failures = [...runFiletest(each, bench), ...checkIr(each, bench)];
        equal(failures.length, 0, failures.join('\n'));
      });
    }
    if (update) updateFile(path, text, tests, bench);
  }
}

/** An instruction without the ordering that its name may end in. */
const mnemonic = (text: string): string => text.split(' ', 1)[0]!.replace(/\.(aq|rl|aqrl)$/, '');

for (const [name, guest] of Object.entries(guests)) {
  // The toy has no assembler; its filetests are about the runner and the executors.
  if (guest.assemble === undefined) continue;
  test(`every instruction of ${name} has a filetest`, () => {
    const texts = testsOf(name).flatMap(({ tests }) =>
      tests.flatMap((each) =>
        assemble(each, guest).map(({ bits }) => guest.isa.decode(bits)?.text),
      ),
    );
    const tried = new Set(texts.map((text) => mnemonic(text ?? '')));
    const untried = guest.isa.rows.map(({ text }) => mnemonic(text));
    deepEqual(
      [...new Set(untried)].filter((each) => !tried.has(each)),
      [],
    );
  });
}

const toyBench = createBench(guests['toy']!);
const failuresOf = (text: string): string[] =>
  parseFiletests('a.txt', text).flatMap((each) => runFiletest(each, toyBench));

test('a failed expectation names file, line, executor, expected and actual', () => {
  const text = '# t\nin x5 = 7\ncode word 0xfff28313\nout x6 = 7\n';
  deepEqual(
    failuresOf(text),
    ['evaluator', 'folded', 'interpreter', 'jit'].map(
      (name) => `a.txt:4: ${name}: x6: expected 7, actual 6`,
    ),
  );
});

test('a register that out does not name must be as it was', () => {
  const [first] = failuresOf('# t\nin x6 = 1\ncode word 0xfff28313\n');
  const all = '0xffffffffffffffff';
  equal(first, `a.txt:1: evaluator: x6 (not named in out): expected 1, actual ${all}`);
});

test('memory and exits are compared', () => {
  const code = '# t\ncode word 0x00000073\n';
  deepEqual(failuresOf(`${code}out mem 0x80000000 = 73 00, exit = firmware\n`), []);
  const failures = failuresOf(`${code}out mem 0x80000000 = 73 01`).slice(0, 2);
  deepEqual(failures, [
    'a.txt:3: evaluator: mem 0x80000000: expected 73 01, actual 73 00',
    'a.txt:1: evaluator: exit: expected debug, actual firmware',
  ]);
});

test('text that is no filetest is an error with file and line', () => {
  const errors: [text: string, message: RegExp][] = [
    ['in x5 = 7', /^a.txt:1: a test begins with its title/],
    ['# t\n x5 = 7', /^a.txt:2: nothing above/],
    ['# t\nin x5 7', /^a.txt:2: 'x5 7' is not of the form name = value/],
    ['# t\nin x5 = seven', /^a.txt:2: 'seven' is not a number/],
    ['# t\nin mem 0x80000000 = 1', /^a.txt:2: '1' is not a byte in two digits/],
    ['# t\nin mem 0 = 01', /^a.txt:2: memory is 0x80000000 to/],
    ['# t\nin x32 = 1', /^a.txt:2: toy has no register or cell 'x32'/],
    ['# t\n\nframe x5', /^a.txt:3: expected in, code, out or ir/],
    ['# t\ncode nop', /^a.txt:2: no assembler knows 'nop': write word or half/],
    ['# t\nin exit = wait', /^a.txt:2: exit is an outcome/],
  ];
  for (const [text, message] of errors) throws(() => failuresOf(text), { message });
});

test('replacing IR keeps the rest of the file', () => {
  const text = '# a\ncode word 0\nir   old\n     older\n\n# b\nir\nout x1 = 1\n';
  const irs = new Map([
    [1, ['v0 = pc']],
    [6, ['if v0', '  raise']],
  ]);
  const expected = '# a\ncode word 0\nir   v0 = pc\n\n# b\nir   if v0\n       raise\nout x1 = 1\n';
  equal(replaceIr(text, parseFiletests('a.txt', text), irs), expected);
});
