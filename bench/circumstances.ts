// Under what circumstances figures are measured: the day, the source, the machine, the software, the command.

import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import type { Circumstances } from './page.ts';
import { workingTree } from './revisions.ts';

/** As of now. `args` are the command line's, `peer` a program that is measured too. */
export async function circumstances(
  args: readonly string[],
  peer: string | undefined,
): Promise<Circumstances> {
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const machine = [
    `${model}, ${availableParallelism()} cores, ${gibibytes} GiB of memory, ${process.platform}.`,
    `Node ${process.versions.node}, V8 ${process.versions.v8}.`,
  ];
  const version = peer && spawnSync(peer, ['--version'], { encoding: 'utf8' }).stdout;
  if (version) machine.push(`${version.split('\n')[0]}.`);
  return {
    date: new Date().toISOString().slice(0, 10),
    source: await workingTree(),
    command: ['npm run -s bench --', ...args.map(quoted)].join(' '),
    machine,
  };
}

/** An argument as a shell wants it. */
const quoted = (text: string): string =>
  /^[\w./,:=@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
