// Two revisions compared: the merging of their runs, and the whole way on benchmarks that take milliseconds.

import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compare, type Missing, mergeRuns, parseResults } from './compare.ts';
import type { Result } from './harness.ts';

const result = (name: string, value: number, more: Partial<Result> = {}): Result => {
  return { name, unit: 'ms', value, better: 'lower', runs: 1, spread: 0, ...more };
};
const labels = ['old', 'new'] as const;

test('runs become medians, and a ratio above 1 when B is ahead', () => {
  const a = [40, 20, 30].map((value) => result('x', value));
  const b = [10, 20, 15].map((value) => result('x', value));
  deepEqual(mergeRuns(a, b, labels), [
    {
      ...result('x', 15, { runs: 3, spread: 0.3333 }),
      peer: 'old',
      peerValue: 30,
      ratio: 2,
      peerSpread: 0.3333,
    },
  ]);
  const faster = { unit: 'MIPS', better: 'higher' } as const;
  const [speed] = mergeRuns([result('y', 10, faster)], [result('y', 15, faster)], labels);
  equal((speed as Result).ratio, 1.5);
});

test('what one side lacks, or measures otherwise, is named', () => {
  const a = [result('gone', 1), result('both', 1, { unit: 's' })];
  const b = [result('both', 1), result('added', 1)];
  deepEqual(mergeRuns(a, b, labels), [
    { name: 'both', missing: 'old measures it in s, new in ms' },
    { name: 'added', missing: 'old has no such benchmark' },
    { name: 'gone', missing: 'new has no such benchmark' },
  ]);
});

test('only results are read from what a run prints', () => {
  const text = `note\n${JSON.stringify(result('x', 1))}\n{"name":"y","value":null}\n{broken\n`;
  deepEqual(parseResults(text), [result('x', 1)]);
});

// What others do in the directory for temporary files must not be seen.
let temporary: string;
before(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'isola-bench-test-'));
  process.env['TMPDIR'] = temporary;
});
after(() => rm(temporary, { recursive: true }));

const comparison = async (
  revisions: readonly [string, string],
  { signal = AbortSignal.any([]), runs = 1 } = {},
) => {
  const outcomes: (Result | Missing)[] = [];
  const warnings: string[] = [];
  await compare({
    revisions,
    suites: ['micro'],
    arch: 'riscv64',
    filter: 'micro/encode/',
    runs,
    print: (outcome) => outcomes.push(outcome),
    warn: (message) => warnings.push(message),
    signal,
  });
  return { outcomes, warnings };
};

test('an unknown revision is said, and nothing is left behind', async () => {
  await rejects(comparison(['.', 'no-such-revision']), {
    name: 'RevisionError',
    message: /^there is no revision 'no-such-revision': give a commit/,
  });
  deepEqual(await readdir(temporary), []);
});

const cwd = import.meta.dirname;
const skip =
  spawnSync('git', ['rev-parse', 'HEAD'], { cwd }).status !== 0 && 'this is no git repository';

test('a commit against the working tree', { skip, timeout: 120_000 }, async () => {
  const { outcomes, warnings } = await comparison(['HEAD', '.']);
  deepEqual(warnings, []);
  const [outcome] = outcomes as [Result];
  equal(outcome.name, 'micro/encode/block-of-10');
  match(outcome.peer ?? '', /^HEAD \([0-9a-f]{10}\)$/);
  equal(outcome.ratio! > 0, true);
  deepEqual(await readdir(temporary), []);
});

test('an interruption removes what was checked out', { skip }, async () => {
  const controller = new AbortController();
  const running = comparison(['HEAD', 'HEAD'], { signal: controller.signal, runs: 100 });
  setTimeout(() => controller.abort(new Error('interrupted')), 1000);
  await rejects(running, { message: 'interrupted' });
  deepEqual(await readdir(temporary), []);
});
