// programs.ts: how figures are read from what the programs print, that a wrong result has none, and that the suite says
// what is missing where its image cannot be made.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { figureOf, programs } from './programs.ts';

const program = (name: string) => {
  const found = programs.find((candidate) => candidate.name === name);
  assert.ok(found);
  return found;
};
const done = (output: string, status = 0) => ({ output, status, seconds: 1.5 });

const rating = 'Avr:       754   100    674    672  |       8948   99    725    724\nTot:  100';
const figures: readonly [name: string, output: string, figure: number][] = [
  ['openssl-sha256', 'type   16384 bytes\nsha256           27420.78k', 27.42078],
  ['openssl-aes-128-cbc', 'aes-128-cbc      38104.97k', 38.10497],
  ['7z-compress', rating, 672],
  ['7z-decompress', rating, 724],
  ['dd-zero-null', '50000+0 records out\n204800000 bytes (205 MB) copied, 0.5 s, 410 MB/s', 409.6],
  ['python-integers', '345801665 3500672', 1.5],
];

for (const [name, output, figure] of figures) {
  test(`the figure of ${name}`, () => {
    const value = figureOf(program(name), done(output));
    assert.ok(Math.abs(value - figure) < 1e-9, `${value}`);
  });
}

test('a wrong result, a failure and an output without a figure throw', () => {
  const integers = program('python-integers');
  assert.throws(() => figureOf(integers, done('345801665 3500671')), /wrong result/);
  assert.throws(() => figureOf(integers, done('345801665 3500672', 1)), /status 1/);
  assert.throws(() => figureOf(program('7z-compress'), done('Avr: ?')), /no figure/);
});

test('without apt the suite is skipped, with the reason', () => {
  const cache = mkdtempSync(join(tmpdir(), 'isola-programs-'));
  try {
    const main = resolve(import.meta.dirname, '../main.ts');
    const { stderr, status } = spawnSync(process.execPath, [main, '--suite', 'programs'], {
      env: { ...process.env, PATH: cache, ISOLA_CACHE: cache },
      encoding: 'utf8',
    });
    assert.match(stderr, /^programs: skipped, .+$/m);
    assert.equal(status, 0);
  } finally {
    rmSync(cache, { recursive: true });
  }
});
