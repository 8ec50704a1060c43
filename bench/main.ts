// `npm run bench`: runs suites of benchmarks and prints a table, or one JSON object a line with --json.

import { parseArgs } from 'node:util';
import { engineNames } from '../src/vm/vm.ts';
import {
  type Benchmark,
  measure,
  type Result,
  type Suite,
  type SuiteOptions,
  summary,
  tableLine,
} from './harness.ts';

/** Each is loaded when it is wanted: one that a revision cannot load does not stop the others. */
const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  micro: async () => (await import('./micro/micro.ts')).microSuite,
  kernels: async () => (await import('./kernels/kernels.ts')).kernelsSuite,
  programs: async () => (await import('./programs/programs.ts')).programsSuite,
  boot: async () => (await import('./boot/boot.ts')).bootSuite,
};

const usage = `Usage: npm run bench -- [OPTION...]
  --suite NAME[,NAME]  of ${Object.keys(suites).join(', ')}; all if absent
  --filter TEXT        only benchmarks whose names contain it
  --runs N             runs of each benchmark, of which the median counts; 5 if absent
  --engine NAME        of ${engineNames.join(', ')}
  --vs qemu            QEMU's TCG too, its runs and ours in turn, and the ratios' geometric mean
  --json               a JSON object a line instead of a table`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      suite: { type: 'string', default: Object.keys(suites).join(',') },
      filter: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      engine: { type: 'string' },
      vs: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error(`--runs wants a number from 1\n${usage}`);
  if (values.vs !== undefined && values.vs !== 'qemu') throw new Error(`--vs wants qemu\n${usage}`);
  const engine = engineNames.find((name) => name === values.engine);
  if (engine === undefined && values.engine !== undefined)
    throw new Error(`there is no engine '${values.engine}'\n${usage}`);
  const { filter } = values;
  const options = { filter, peers: values.vs === 'qemu', ...(engine && { engine }) };
  const print = (result: Result): void =>
    console.log(values.json ? JSON.stringify(result) : tableLine(result));
  for (const name of values.suite.split(',')) await runSuite(name, options, runs, print);
}

/** Runs the benchmarks of a suite; each result is printed as soon as it is there. */
async function runSuite(
  name: string,
  options: SuiteOptions,
  runs: number,
  print: (result: Result) => void,
): Promise<void> {
  if (!Object.hasOwn(suites, name)) throw new Error(`there is no suite '${name}'\n${usage}`);
  const suite = await suites[name]!();
  const { benchmarks, skipped, close } = await suite.load(options);
  if (skipped !== undefined) console.error(`${suite.name}: skipped, ${skipped}`);
  const results: Result[] = [];
  for (const benchmark of benchmarks.filter((b) => b.name.includes(options.filter))) {
    const result = await attempt(benchmark, runs);
    if (result === undefined) continue;
    results.push(result);
    print(result);
  }
  await close?.();
  const whole = summary(suite.name, results);
  if (whole !== undefined && results.length > 1) print(whole);
}

/** Measures one. A failure is told, and the others are measured all the same. */
async function attempt(benchmark: Benchmark, runs: number): Promise<Result | undefined> {
  try {
    return await measure(benchmark, runs);
  } catch (error) {
    console.error(`${benchmark.name}: failed: ${messageOf(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

try {
  await main();
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
