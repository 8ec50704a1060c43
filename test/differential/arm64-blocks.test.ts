// Random arm64 blocks against QEMU's user mode. ISOLA_ARM64_BLOCKS and ISOLA_SEED choose how many and which.

import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { arm64 } from '../../src/isa/arm64/isa.ts';
import { withoutJudges } from '../support/judges.ts';
import { at, differencesOf } from './arm64/block.ts';
import { createBlock, usable } from './arm64/generate.ts';
import { isola } from './arm64/isola.ts';
import { compiler, emulator } from './arm64/judge.ts';
import { differences } from './arm64-blocks.ts';

/** On a developer's machine a part of what continuous integration runs. */
const blocks = Number(
  process.env['ISOLA_ARM64_BLOCKS'] ??
    (process.env['ISOLA_REQUIRE_JUDGES'] === '1' ? 60_000 : 6_000),
);
const seed = Number(process.env['ISOLA_SEED'] ?? 20_261_123);
const skip = withoutJudges(compiler, emulator);
const rows = arm64.rows.filter(usable);

test(`${blocks} random arm64 blocks give what QEMU gives`, { skip }, () => {
  deepEqual(differences({ blocks, seed, engines: ['interpreter'] }), []);
});

test('some of them on the other executors', { skip }, () => {
  const engines = ['jit', 'hybrid', 'evaluator'] as const;
  deepEqual(differences({ blocks: Math.ceil(blocks / 10), seed, engines }), []);
});

test('a seed makes the same block, and in blocks are all usable rows', () => {
  deepEqual(createBlock(5, rows), createBlock(5, rows));
  const drawn = new Set<string>();
  for (let i = 0; i < 12_000; i++) {
    for (const { row } of createBlock(i, rows).instructions) drawn.add(row.name);
  }
  deepEqual(
    rows.filter(({ name }) => !drawn.has(name)).map(({ name }) => name),
    [],
  );
});

test('a difference is noticed', () => {
  const block = createBlock(7, rows);
  const [after] = isola('interpreter')([block]);
  const wrong = Uint8Array.from(after!);
  wrong[at.x + 8 * 5]! ^= 1;
  ok(differencesOf(after!, after!).length === 0);
  deepEqual(
    differencesOf(wrong, after!).map((line) => line.split(':')[0]),
    ['x5'],
  );
});
