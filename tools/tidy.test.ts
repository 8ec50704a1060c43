import { deepEqual, match } from 'node:assert/strict';
import { test } from 'node:test';
import { sources, tidy } from './tidy.ts';

const head = '// What it is for.\n';
const unfinished = ['TO', 'DO'].join('');
const messages = (file: string, text: string): string =>
  tidy({ file, text })
    .map((finding) => finding.message)
    .join('; ');

test('the project keeps its own rules', () => {
  deepEqual(sources().flatMap(tidy), []);
});

test('an import against the layers is found', () => {
  const text = `${head}import { x } from '../device/plic.ts';\n`;
  match(messages('src/engine/a.ts', text), /engine must not import from device/);
  match(messages('src/engine/a.ts', `${head}} from '../isa/riscv64/isa.ts';`), /must not import/);
  match(messages('src/isa/arm64/a.ts', `${head}} from '../riscv64/isa.ts';`), /another guest/);
  match(messages('src/vm/a.ts', `${head}import fs from 'node:fs';`), /only host may/);
  match(messages('src/new/a.ts', `${head}} from '../std/bits.ts';`), /not in the layer table/);
});

test('the platform is out of reach outside host and cli', () => {
  match(messages('src/vm/a.ts', `${head}const t = Date.now();`), /platform/);
  match(messages('src/engine/a.ts', `${head}const riscv = 1;`), /names no guest/);
});

test('a file without a purpose, long lines and functions, unfinished work are found', () => {
  match(messages('src/std/a.ts', 'export const a = 1;'), /what the file is for/);
  match(messages('src/std/a.ts', `${head}// ${'x'.repeat(130)}`), /at most 120/);
  match(messages('src/std/a.ts', `${head}// ${unfinished} later`), /finish it/);
  const long = `${head}function f() {\n${'  a();\n'.repeat(80)}}\n`;
  match(messages('src/std/a.ts', long), /a function of 81 lines/);
});
