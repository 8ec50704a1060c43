// `npm run bench`: runs suites of benchmarks and prints a table, or one JSON object a line with --json.

import { parseArgs } from 'node:util';
import { engineNames } from '../src/vm/vm.ts';
import { type Benchmark, measure, type Suite, tableLine } from './harness.ts';
import { bootSuite } from './boot/boot.ts';
import { microSuite } from './micro/micro.ts';
import { programsSuite } from './programs/programs.ts';

const suites: readonly Suite[] = [microSuite, bootSuite, programsSuite];

const usage = `Usage: npm run bench -- [--json] [--suite NAME[,NAME]] [--filter TEXT] [--runs N] [--engine NAME]
Suites: ${suites.map((suite) => suite.name).join(', ')}
Engines, where the suite measures whole machines: ${engineNames.join(', ')}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      suite: { type: 'string', default: suites.map((suite) => suite.name).join(',') },
      filter: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      engine: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error(`--runs wants a number from 1: ${usage}`);
  const engine = engineNames.find((name) => name === values.engine);
  if (engine === undefined && values.engine !== undefined) {
    throw new Error(`there is no engine '${values.engine}'\n${usage}`);
  }
  for (const name of values.suite.split(',')) {
    const suite = suites.find((candidate) => candidate.name === name);
    if (suite === undefined) throw new Error(`there is no suite '${name}'\n${usage}`);
    const { benchmarks, skipped, close } = await suite.load(engine && { engine });
    if (skipped !== undefined) console.error(`${suite.name}: skipped, ${skipped}`);
    for (const benchmark of benchmarks.filter((b) => b.name.includes(values.filter))) {
      await show(benchmark, runs, values.json);
    }
    await close?.();
  }
}

/** Measures one and prints it. A failure is told, and the others are measured all the same. */
async function show(benchmark: Benchmark, runs: number, json: boolean): Promise<void> {
  try {
    const result = await measure(benchmark, runs);
    console.log(json ? JSON.stringify(result) : tableLine(result));
  } catch (error) {
    console.error(`${benchmark.name}: failed: ${messageOf(error)}`);
    process.exitCode = 1;
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
