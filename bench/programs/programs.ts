// Real programs in a Debian guest, on Isola and on QEMU's TCG.
//
// Both machines boot once, when first needed, and then stay up; a program runs on one while the other waits for its
// next command. Times are the guest's own, which machine.ts compares with the host's. A program whose output is not
// what it must be fails: a wrong result has no speed. `explain` gives the seconds of the first run, in which code is
// still being translated, beside those of the last, and the machine's counters of the last.

import { spawnSync } from 'node:child_process';
import { fetchGuest, findGuest } from '../../src/host/node/guest/fetch.ts';
import type { Benchmark, Suite, SuiteOptions } from '../harness.ts';
import { programsImage } from './image.ts';
import {
  bootIsola,
  bootQemu,
  type Executed,
  type Machine,
  QEMU,
  type Software,
} from './machine.ts';

interface Program {
  readonly name: string;
  /** A line of shell; the working directory is empty, in memory. */
  readonly command: string;
  readonly unit: 'MB/s' | 'MIPS' | 's';
  /** What the output must contain. */
  readonly expect: string;
  /** The figure, where it is not the time of the whole command: the output's first group, times `scale`. */
  readonly figure?: { readonly pattern: RegExp; readonly scale?: number; readonly per?: true };
}

const speed = (algorithm: string): Program => ({
  name: `openssl-${algorithm}`,
  command: `openssl speed -elapsed -seconds 2 -bytes 16384 ${algorithm}`,
  unit: 'MB/s',
  expect: `${algorithm} `,
  figure: { pattern: new RegExp(`^${algorithm} +([\\d.]+)k`, 'm'), scale: 1e-3 },
});

const rating = (name: string, pattern: RegExp): Program => ({
  name,
  command: '7z b -mmt1 -md18 -mtime=1 1',
  unit: 'MIPS',
  expect: 'Avr:',
  figure: { pattern },
});

const DD_BLOCKS = 50_000;

export const programs: readonly Program[] = [
  speed('sha256'),
  speed('aes-128-cbc'),
  // Of each half: KiB/s, usage in percent, rating over usage, rating.
  rating('7z-compress', /^Avr: +\d+ +\d+ +\d+ +(\d+) +\|/m),
  rating('7z-decompress', /^Avr:.*\| +\d+ +\d+ +\d+ +(\d+)/m),
  {
    name: 'python-integers',
    command: 'python3 /bench/integers.py',
    unit: 's',
    expect: '345801665 3500672',
  },
  {
    name: 'python-floats',
    command: 'python3 /bench/floats.py',
    unit: 's',
    expect: '-10.935706 0.800867 22.371832',
  },
  {
    name: 'python-strings',
    command: 'python3 /bench/strings.py',
    unit: 's',
    expect: '122122 DAMOKI 515160217',
  },
  {
    name: 'sqlite',
    command: 'sqlite3 :memory: </bench/rows.sql',
    unit: 's',
    expect: '20065|1252748.5\n4883\n682|12885.75\n1997\nok',
  },
  {
    name: 'gcc',
    command: 'gcc -O2 -o program /bench/compiled.c && ./program',
    unit: 's',
    expect: '0 79678 04d3d8ffc58ddcbd',
  },
  { name: 'fork-exec-100', command: 'sh /bench/processes.sh', unit: 's', expect: '100' },
  {
    name: 'dd-zero-null',
    command: `dd if=/dev/zero of=/dev/null bs=4k count=${DD_BLOCKS}`,
    unit: 'MB/s',
    expect: `${DD_BLOCKS}+0 records out`,
    // Seconds to MB/s.
    figure: { pattern: /copied, ([\d.e-]+) s/, scale: (DD_BLOCKS * 4096) / 1e6, per: true },
  },
];

/** The figure of a run. Throws if the program failed, or gave a wrong result. */
export function figureOf({ name, command, expect, figure }: Program, done: Executed): number {
  const { output, status, seconds } = done;
  if (status !== 0 || !output.includes(expect)) {
    throw new Error(`${name}: '${command}' gave a wrong result, status ${status}: ${output}`);
  }
  if (figure === undefined) return seconds;
  const value = Number(figure.pattern.exec(output)?.[1]);
  if (!(value > 0)) throw new Error(`${name}: no figure in the output: ${output}`);
  const { scale = 1, per } = figure;
  return per ? scale / value : scale * value;
}

/**
 * A machine that boots when it is first asked for, and anew after it failed to answer. It counts the last command.
 */
function lazyMachine(boot: () => Promise<Machine>): Machine {
  let booted: Promise<Machine> | undefined;
  let counts: Readonly<Record<string, number>> = {};
  const close = async (): Promise<void> => {
    const machine = await booted?.catch(() => undefined);
    booted = undefined;
    await machine?.close();
  };
  return {
    async execute(command) {
      try {
        const machine = await (booted ??= boot());
        const before = machine.counts();
        const done = await machine.execute(command);
        counts = difference(machine.counts(), before);
        return done;
      } catch (error) {
        await close();
        throw error;
      }
    },
    counts: () => counts,
    close,
  };
}

function difference(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Record<string, number> {
  const changed = Object.entries(after).map(
    ([name, n]) => [name, n - (before[name] ?? 0)] as const,
  );
  return Object.fromEntries(changed.filter(([, n]) => n !== 0));
}

function benchmarkOf(program: Program, ours: Machine, theirs: Machine | undefined): Benchmark {
  const times: number[] = [];
  let counts: Readonly<Record<string, number>> = {};
  const { name, unit, command } = program;
  const run = async (): Promise<number> => {
    const done = await ours.execute(command);
    times.push(done.seconds);
    counts = ours.counts();
    return figureOf(program, done);
  };
  const own: Benchmark = {
    name: `programs/${name}`,
    unit,
    better: unit === 's' ? 'lower' : 'higher',
    run,
    explain: () => ({ firstSeconds: times[0] ?? 0, lastSeconds: times.at(-1) ?? 0, ...counts }),
  };
  if (theirs === undefined) return own;
  const runPeer = async (): Promise<number> => figureOf(program, await theirs.execute(command));
  return { ...own, peer: { name: 'qemu-tcg', run: runPeer } };
}

/** The kernel, the initial RAM file system and the disk; fetched and made if need be. */
export async function programsSoftware(): Promise<Software> {
  const image = await programsImage((message) => console.error(`programs: ${message}`));
  const arch = 'riscv64';
  const guest = (await findGuest({ arch })) ?? (await fetchGuest({ arch }));
  return { guest, image: image.path };
}

export const programsSuite: Suite = {
  name: 'programs',
  async load({ arch, engine, peers }: SuiteOptions) {
    if (arch !== 'riscv64') return { benchmarks: [], skipped: `there is no disk for ${arch} yet` };
    try {
      const software = await programsSoftware();
      const ours = lazyMachine(() => bootIsola(software, engine));
      const hasPeer = peers && !spawnSync(QEMU, ['--version']).error;
      const theirs = hasPeer ? lazyMachine(() => bootQemu(software)) : undefined;
      return {
        benchmarks: programs.map((program) => benchmarkOf(program, ours, theirs)),
        close: async () => void (await Promise.all([ours.close(), theirs?.close()])),
      };
    } catch (error) {
      return { benchmarks: [], skipped: error instanceof Error ? error.message : String(error) };
    }
  },
};
