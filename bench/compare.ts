// `npm run bench -- compare A B`: two revisions, each with the benchmarks it has, in turn: A, B, A, B, …
//
// Every run is a process of its own, so that neither side inherits what the other has made warm. The medians are
// compared; a ratio above 1 means that B is ahead. What only one side has is said, not left out.

import type { Architecture } from '../src/host/node/index.ts';
import { type Comparable, compared, type Result, summary } from './harness.ts';
import { checkRevisions, execute, lastLine, openTree, type Tree } from './revisions.ts';

export interface CompareOptions {
  /** Revisions: A, and B that is judged against it. */
  readonly revisions: readonly [string, string];
  readonly suites: readonly string[];
  readonly arch: Architecture;
  readonly filter: string;
  readonly runs: number;
  readonly engine?: string | undefined;
  readonly print: (outcome: Result | Missing) => void;
  readonly warn: (message: string) => void;
  readonly signal: AbortSignal;
}

/** A benchmark that cannot be compared. */
export interface Missing {
  readonly name: string;
  readonly missing: string;
}

/** Compares two revisions, suite by suite. Throws RevisionError, or the signal's reason. */
export async function compare(options: CompareOptions): Promise<void> {
  const { revisions, suites, signal } = options;
  await checkRevisions(revisions);
  const trees: Tree[] = [];
  try {
    for (const revision of revisions) trees.push(await openTree(revision, signal));
    const [a, b] = trees as [Tree, Tree];
    for (const suite of suites) await compareSuite(suite, a, b, options);
  } finally {
    for (const tree of trees) await tree.close();
  }
}

async function compareSuite(
  suite: string,
  a: Tree,
  b: Tree,
  options: CompareOptions,
): Promise<void> {
  const sides = [a, b].map((tree) => ({ tree, results: [] as Result[] }));
  for (let run = 0; run < options.runs; run++) {
    for (const { tree, results } of sides) {
      // What had nothing to say once has it never.
      if (run > 0 && results.length === 0) continue;
      results.push(...(await runOnce(suite, tree, options)));
    }
  }
  const [before, after] = sides.map(({ results }) => results) as [Result[], Result[]];
  const outcomes = mergeRuns(before, after, [a.label, b.label]);
  for (const outcome of outcomes) options.print(outcome);
  const measured = outcomes.filter((outcome): outcome is Result => 'value' in outcome);
  const whole = summary(suite, measured);
  if (whole !== undefined) options.print(whole);
}

/** One run of a suite in one tree, each benchmark once. */
async function runOnce(
  suite: string,
  { label, directory }: Tree,
  { arch, filter, engine, signal, warn }: CompareOptions,
): Promise<Result[]> {
  const args = ['bench/main.ts', '--json', '--runs', '1', '--suite', suite, '--filter', filter];
  // Revisions that know one architecture only know no option for it.
  if (arch !== 'riscv64') args.push('--arch', arch);
  if (engine !== undefined) args.push('--engine', engine);
  const done = await execute(process.execPath, args, { cwd: directory, signal });
  if (done.status !== 0 || (done.stdout === '' && done.stderr !== '')) {
    warn(`${label}: suite ${suite}: ${lastLine(done.stderr)}`);
  }
  return parseResults(done.stdout);
}

/** The results among the lines that a benchmark run printed. */
export function parseResults(text: string): Result[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    try {
      const result = JSON.parse(line) as Result;
      return typeof result.name === 'string' && Number.isFinite(result.value) ? [result] : [];
    } catch {
      return [];
    }
  });
}

/**
 * One outcome for each benchmark that either side has, in B's order, then what only A has. The value is B's, the
 * peer's is A's.
 */
export function mergeRuns(
  a: readonly Result[],
  b: readonly Result[],
  [labelA, labelB]: readonly [string, string],
): (Result | Missing)[] {
  const before = Map.groupBy(a, ({ name }) => name);
  const after = Map.groupBy(b, ({ name }) => name);
  const names = new Set([...after.keys(), ...before.keys()]);
  return [...names].map((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === undefined) return { name, missing: `${labelA} has no such benchmark` };
    if (now === undefined) return { name, missing: `${labelB} has no such benchmark` };
    const { unit, better } = now[0]!;
    const was = old[0]!;
    if (was.unit !== unit || was.better !== better) {
      return { name, missing: `${labelA} measures it in ${was.unit}, ${labelB} in ${unit}` };
    }
    const values = (results: readonly Result[]): number[] => results.map(({ value }) => value);
    const benchmark: Comparable = { name, unit, better, peer: labelA };
    return compared(benchmark, values(now), values(old));
  });
}
