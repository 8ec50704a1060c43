// `npm run bench`: runs suites of benchmarks and prints a table, or one JSON object a line with --json.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { architectures } from '../src/vm/machines.ts';
import { engineNames } from '../src/vm/vm.ts';
import { circumstances } from './circumstances.ts';
import { compare } from './compare.ts';
import {
  type Benchmark,
  measure,
  type Result,
  type Suite,
  type SuiteOptions,
  summary,
  tableLine,
} from './harness.ts';
import { type Circumstances, type Measured, writePart } from './page.ts';

/** Each is loaded when it is wanted: one that a revision cannot load does not stop the others. */
const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  micro: async () => (await import('./micro/micro.ts')).microSuite,
  kernels: async () => (await import('./kernels/kernels.ts')).kernelsSuite,
  programs: async () => (await import('./programs/programs.ts')).programsSuite,
  boot: async () => (await import('./boot/boot.ts')).bootSuite,
};

const peers = { riscv64: 'qemu-system-riscv64', arm64: 'qemu-system-aarch64' } as const;

const usage = `Usage: npm run bench -- [OPTION...]
       npm run bench -- compare A B [OPTION...]   two revisions in turn; . is the working tree
  --suite NAME[,NAME]  of ${Object.keys(suites).join(', ')}; all if absent
  --filter TEXT        only benchmarks whose names contain it
  --runs N             runs of each benchmark, of which the median counts; 5 if absent
  --arch NAME          of ${architectures.join(', ')}; riscv64 if absent
  --engine NAME        of ${engineNames.join(', ')}
  --vs qemu            QEMU's TCG too, its runs and ours in turn, and the ratios' geometric mean
  --write FILE         writes the figures into a page, each suite's into its own part
  --json               a JSON object a line instead of a table`;

/** What the command line says. Throws, with the usage, if it makes no sense. */
function readCommandLine() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      suite: { type: 'string', default: Object.keys(suites).join(',') },
      filter: { type: 'string', default: '' },
      runs: { type: 'string', default: '5' },
      arch: { type: 'string', default: 'riscv64' },
      engine: { type: 'string' },
      vs: { type: 'string' },
      write: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const engine = engineNames.find((name) => name === values.engine);
  const arch = architectures.find((name) => name === values.arch);
  const names = values.suite.split(',');
  const unknown = names.find((name) => !Object.hasOwn(suites, name));
  const wrong = (message: string): never => {
    throw new Error(`${message}\n${usage}`);
  };
  if (!Number.isInteger(runs) || runs < 1) wrong('--runs wants a number from 1');
  if (values.vs !== undefined && values.vs !== 'qemu') wrong('--vs wants qemu');
  if (arch === undefined) return wrong(`there is no architecture '${values.arch}'`);
  if (engine !== values.engine) wrong(`there is no engine '${values.engine}'`);
  if (values.write !== undefined && values.filter !== '') {
    wrong('--write wants whole suites: leave out --filter');
  }
  if (unknown !== undefined) wrong(`there is no suite '${unknown}'`);
  const [command, a, b] = positionals;
  if (command !== undefined && command !== 'compare') wrong(`there is no command '${command}'`);
  if (command === 'compare' && (a === undefined || b === undefined || positionals.length > 3)) {
    wrong('compare wants two revisions');
  }
  if (command === 'compare' && (values.vs !== undefined || values.write !== undefined)) {
    wrong('compare takes no --vs and no --write');
  }
  const revisions = a !== undefined && b !== undefined ? ([a, b] as const) : undefined;
  return { ...values, arch, runs, engine, suites: names, revisions };
}

type Command = ReturnType<typeof readCommandLine>;

async function main(): Promise<void> {
  const command = readCommandLine();
  if (command.help) return console.log(usage);
  if (command.revisions !== undefined) return compareRevisions(command, command.revisions);
  const { filter, vs, engine, runs, json, write } = command;
  const options = { arch: command.arch, filter, peers: vs === 'qemu', ...(engine && { engine }) };
  const print = (result: Result): void =>
    console.log(json ? JSON.stringify(result) : tableLine(result));
  const peer = options.peers ? peers[command.arch] : undefined;
  const how = write === undefined ? undefined : await circumstances(process.argv.slice(2), peer);
  for (const name of command.suites) {
    const measured = await runSuite(name, options, runs, print);
    if (write === undefined || how === undefined) continue;
    // At once, so that what a later suite does cannot lose it.
    if (measured.results.length > 0) await updatePage(write, measured, how);
    else process.exitCode = 1;
  }
}

async function updatePage(file: string, measured: Measured, how: Circumstances): Promise<void> {
  const page = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  await writeFile(file, writePart(page, measured, how));
}

/** Compares; a signal ends what runs and removes what was checked out. */
async function compareRevisions(
  command: Command,
  revisions: readonly [string, string],
): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
  }
  await compare({
    ...command,
    revisions,
    signal: interrupted.signal,
    warn: (message) => console.error(message),
    print(outcome) {
      if (command.json) console.log(JSON.stringify(outcome));
      else if ('missing' in outcome) console.log(`${outcome.name.padEnd(36)}   ${outcome.missing}`);
      else console.log(tableLine(outcome));
    },
  });
}

/** Runs the benchmarks of a suite; each result is printed as soon as it is there. */
async function runSuite(
  name: string,
  options: SuiteOptions,
  runs: number,
  print: (result: Result) => void,
): Promise<Measured> {
  const suite = await suites[name]!();
  const { benchmarks, skipped, close } = await suite.load(options);
  if (skipped !== undefined) console.error(`${suite.name}: skipped, ${skipped}`);
  const results: Result[] = [];
  const failed: string[] = [];
  for (const benchmark of benchmarks.filter((b) => b.name.includes(options.filter))) {
    const result = await attempt(benchmark, runs);
    if (result === undefined) failed.push(benchmark.name);
    else {
      results.push(result);
      print(result);
    }
  }
  await close?.();
  const whole = summary(suite.name, results);
  if (whole !== undefined) print(whole);
  return { suite: name, results, failed };
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
