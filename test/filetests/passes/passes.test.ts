// Filetests of passes: IR before and after, in text. With UPDATE=1 the IR after is written instead of compared.
//
//   # a title                   begins a test
//   pass   dce                  the name of a pass
//   before v0 = get x[5]        IR; the names are riscv64's. More lines stand below, as far to the right
//   after  ...                  what the pass makes of it

import { equal, throws } from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { helper, routine } from '../../../src/ir/builder.ts';
import type { Block } from '../../../src/ir/node.ts';
import { parse, type ParseContext } from '../../../src/ir/parse.ts';
import { cse } from '../../../src/ir/passes/cse.ts';
import { dce } from '../../../src/ir/passes/dce.ts';
import { fold } from '../../../src/ir/passes/fold.ts';
import { forward } from '../../../src/ir/passes/forward.ts';
import { optimise, simplify } from '../../../src/ir/passes/optimise.ts';
import { print } from '../../../src/ir/print.ts';
import { verify } from '../../../src/ir/verify.ts';
import { floating } from '../../../src/isa/riscv64/fp.ts';
import { F, hart, X } from '../../../src/isa/riscv64/state.ts';

const context: ParseContext = {
  files: [X, F],
  cells: Object.values(hart),
  callees: [
    floating.f64.add,
    floating.f64.mul,
    routine('accrue', ['i64'], 'i64', (s, value) => {
      s.setState(hart.fflags, s.or(s.state(hart.fflags), 1n));
      s.return(value);
    }),
    helper('host', [], null, () => 0n),
  ],
};

const passes = { forward, fold, cse, dce, simplify, optimise };
const isPass = (name: string): name is keyof typeof passes => Object.hasOwn(passes, name);
const indent = 7;

interface PassTest {
  readonly title: string;
  readonly pass: (block: Block) => Block;
  /** The text from the title up to `after`. */
  readonly head: string;
  readonly before: string;
  readonly after: string;
}

/** The tests of a file; throws an error with file and line if the text is none. */
function parseTests(file: string, text: string): PassTest[] {
  let line = 1;
  return text.split(/^(?=# )/m).map((part) => {
    const match = /^# (.*)\npass {3}(\w+)\nbefore ([^]*?)^after *([^]*)$/m.exec(part);
    const [, title, name, before, after] = match ?? [];
    if (title === undefined || name === undefined || !isPass(name)) {
      throw new Error(`${file}:${line}: a test is a title, a pass, IR before and after`);
    }
    line += part.split('\n').length - 1;
    const head = part.slice(0, part.search(/^after/m));
    return { title, pass: passes[name], head, before: before!, after: unindent(after!) };
  });
}

/** Lines without the columns in which keywords stand. */
const unindent = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line, i) => (i === 0 ? line : line.slice(indent)))
    .join('\n');

/** What the pass makes of the IR before. */
function made({ pass, before }: PassTest): string {
  const block = verify(parse(before, context), 'instruction');
  return print(verify(pass(block), 'instruction')).trimEnd();
}

const folder = import.meta.dirname;
for (const file of readdirSync(folder).filter((each) => each.endsWith('.txt'))) {
  const path = join(folder, file);
  const tests = parseTests(file, readFileSync(path, 'utf8'));
  if (process.env['UPDATE'] === '1') {
    const updated = tests.map((each) => {
      const lines = made(each).split('\n');
      const after = lines.map((line, i) => `${i === 0 ? 'after  ' : '       '}${line}`.trimEnd());
      return `${each.head}${after.join('\n')}\n`;
    });
    writeFileSync(path, updated.join('\n'));
  }
  for (const each of tests) {
    test(`passes/${file}: ${each.title}`, () => {
      if (process.env['UPDATE'] !== '1') equal(made(each), each.after);
    });
  }
}

test('text that is no test of a pass is an error with file and line', () => {
  const message = /^a.txt:5: a test is/;
  const good = '# a\npass   dce\nbefore raise\nafter  raise\n';
  throws(() => parseTests('a.txt', `${good}# b\npass   none\nbefore raise\nafter  raise\n`), {
    message,
  });
});
