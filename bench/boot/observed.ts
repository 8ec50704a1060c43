// What a boot is made of: figures from the counters of a VM that boots in a process of its own, with statistics.
//
// Each run is one process, from which all figures of that run are read. Figures about time are those of a VM that
// counts, which is somewhat slower than one that does not.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tlbHitRate } from '../../src/vm/tlb-hit-rate.ts';
import type { Architecture } from '../../src/vm/machines.ts';
import type { EngineName } from '../../src/vm/vm.ts';
import type { Benchmark } from '../harness.ts';

const run = promisify(execFile);
const runner = join(import.meta.dirname, 'run.ts');

type Counters = Readonly<Record<string, number>>;

/** What bench/boot/run.ts prints. */
interface Observation {
  readonly boot: { readonly stats: Counters; readonly rss: number; readonly guest: number };
  readonly busy: { readonly stats: Counters; readonly ms: number };
}

/** Programs of many kinds, each of which starts anew, for ten seconds. */
const BUSY =
  "timeout 10 sh -c 'while :; do seq 1 3000 | sed s/1/x/ | sort -r | gzip | sha256sum; done' " +
  '>/dev/null';

async function observe(arch: Architecture, engine: EngineName): Promise<Observation> {
  const { stdout } = await run(process.execPath, [runner, arch, engine, BUSY]);
  return JSON.parse(stdout) as Observation;
}

const translationUs = (stats: Counters): number =>
  (stats['encodeUs'] ?? 0) + (stats['compileUs'] ?? 0);

interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: Benchmark['better'];
  readonly of: (observation: Observation) => number;
  readonly explain: (observation: Observation) => Counters;
}

const figures: readonly Figure[] = [
  {
    name: 'translation-per-block',
    unit: 'us',
    better: 'lower',
    of: ({ boot }) => translationUs(boot.stats) / (boot.stats['regionBlocks'] ?? 0),
    explain: ({ boot }) => boot.stats,
  },
  {
    name: 'memory-beyond-guest',
    unit: 'MB',
    better: 'lower',
    of: ({ boot }) => (boot.rss - boot.guest) / 1e6,
    explain: ({ boot }) => ({ rssMb: boot.rss / 1e6, guestMb: boot.guest / 1e6 }),
  },
  {
    name: 'translation-share-when-busy',
    unit: '%',
    better: 'lower',
    of: ({ boot, busy }) =>
      (translationUs(busy.stats) - translationUs(boot.stats)) / (10 * busy.ms),
    explain: ({ busy }) => ({ ms: busy.ms, ...busy.stats }),
  },
  {
    name: 'tlb-hit-rate',
    unit: '%',
    better: 'higher',
    of: ({ boot }) => 100 * tlbHitRate(boot.stats),
    explain: ({ boot }) => boot.stats,
  },
];

/** Benchmarks of what can be read from counters; without translated code there is nothing to read. */
export function observedBenchmarks(arch: Architecture, engine: EngineName): Benchmark[] {
  if (engine === 'interpreter' || engine === 'evaluator') return [];
  const observations: Promise<Observation>[] = [];
  return figures.map(({ name, unit, better, of, explain }): Benchmark => {
    let runs = 0;
    let last: Observation | undefined;
    return {
      name: `boot/${arch}/${name}`,
      unit,
      better,
      explain: () => (last === undefined ? {} : explain(last)),
      async run() {
        last = await (observations[runs++] ??= observe(arch, engine));
        return of(last);
      },
    };
  });
}
