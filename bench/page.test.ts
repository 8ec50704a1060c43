// The page of figures from fixed results: a golden file, what stays and what is made anew. UPDATE=1 writes the golden.

import { deepEqual, equal, match } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { goals } from './goals.ts';
import type { Result } from './harness.ts';
import { type Circumstances, type Measured, writePart } from './page.ts';

const golden = join(import.meta.dirname, 'page.golden.md');

const how: Circumstances = {
  date: '2026-01-31',
  source: { commit: '0123456789abcdef', isChanged: false },
  command: 'npm run -s bench -- --write docs/performance.md --vs qemu',
  machine: ['Some processor, 2 cores, 8 GiB of memory, linux.', 'Node 26.1.0, V8 14.6.'],
};

const beside = (name: string, value: number, peerValue: number, more = {}): Result => ({
  name,
  unit: 'ms',
  value,
  better: 'lower',
  runs: 5,
  spread: 0.012,
  peer: 'qemu-tcg',
  peerValue,
  ratio: peerValue / value,
  peerSpread: 0.034,
  ...more,
});

const alone = (name: string, value: number, unit: string, explain?: Result['explain']): Result => {
  const result = { name, unit, value, better: 'lower', runs: 5, spread: 0.2 } as const;
  return explain ? { ...result, explain } : result;
};

const counters = {
  instructions: 2e9,
  regions: 10,
  regionBlocks: 40,
  encodeUs: 900,
  compileUs: 300,
};

const measured: readonly Measured[] = [
  {
    suite: 'kernels',
    results: [
      beside('kernels/chase', 1000, 700, { explain: { ...counters, decoded: 321, sleptMs: 0 } }),
      beside('kernels/crc32', 100, 400, { explain: { ...counters, regionRetired: 1e9 } }),
    ],
    failed: ['kernels/sieve'],
  },
  {
    suite: 'boot',
    results: [
      beside('boot/riscv64/prompt', 2500, 2000),
      alone('boot/riscv64/translation-per-block', 75.5, 'us'),
    ],
    failed: [],
  },
  { suite: 'micro', results: [alone('micro/tlb/hit', 1.7, 'ns')], failed: [] },
];

const write = (page: string): string =>
  measured.reduce((text, part) => writePart(text, part, how), page);

test('the page from fixed results', async () => {
  const page = write('');
  if (process.env['UPDATE'] === '1') await writeFile(golden, page);
  equal(page, await readFile(golden, 'utf8'));
});

test('the same figures give the same page', () => equal(write(write('')), write('')));

test('what people wrote stays, and only what was measured is made anew', () => {
  const parts = write('').split(/(?=^<!-- measured)/m);
  const page = parts.join('People wrote this.\n\n');
  const [, , boot] = measured;
  const again = writePart(page, { ...boot!, results: [alone('micro/tlb/hit', 2.5, 'ns')] }, how);
  equal(again.match(/People wrote this/g)?.length, 3);
  match(again, /a first-level TLB hit \| at most 2\.4 ns \| 2\.5 ns \| \*\*missed\*\*/);
  equal(
    again.slice(0, again.indexOf('measured: micro')),
    page.slice(0, page.indexOf('measured: micro')),
  );
});

test('goals name suites and benchmarks that exist, and say what was not measured', () => {
  deepEqual([...new Set(goals.map(({ suite }) => suite))].toSorted(), [
    'boot',
    'kernels',
    'micro',
    'programs',
  ]);
  match(writePart('', { suite: 'boot', results: [], failed: [] }, how), /not measured/);
});
