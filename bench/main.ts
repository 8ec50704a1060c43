// `npm run bench`: runs suites of benchmarks and prints a table, or one JSON object a line with --json.

import { parseArgs } from 'node:util';
import { measure, type Suite, tableLine } from './harness.ts';
import { bootSuite } from './boot/boot.ts';
import { microSuite } from './micro/micro.ts';

const suites: readonly Suite[] = [microSuite, bootSuite];

const usage = `Usage: npm run bench -- [--json] [--suite NAME[,NAME]] [--filter TEXT] [--runs N]
Suites: ${suites.map((suite) => suite.name).join(', ')}`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      suite: { type: 'string', default: suites.map((suite) => suite.name).join(',') },
      filter: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(usage);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new Error(`--runs wants a number from 1: ${usage}`);
  for (const name of values.suite.split(',')) {
    const suite = suites.find((candidate) => candidate.name === name);
    if (suite === undefined) throw new Error(`there is no suite '${name}'\n${usage}`);
    const { benchmarks, skipped } = await suite.load();
    if (skipped !== undefined) console.error(`${suite.name}: skipped, ${skipped}`);
    for (const benchmark of benchmarks.filter((b) => b.name.includes(values.filter))) {
      const result = await measure(benchmark, runs);
      console.log(values.json ? JSON.stringify(result) : tableLine(result));
    }
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
