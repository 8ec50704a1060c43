// Programs of one loop each, on a bare machine with paging on: what translated code is worth, without an operating
// system. QEMU runs the same files. The time is what the guest's own clock says, so that no process's start counts.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildKernel, guestCompiler, has, kernels, parseOutcome } from '../guest/build.ts';
import type { Benchmark, Suite, SuiteOptions } from '../harness.ts';

const QEMU = 'qemu-system-riscv64';
const TIMEOUT_MS = 300_000;
const runner = join(import.meta.dirname, '../guest/run.ts');
const run = promisify(execFile);

/** Counters of a VM that tell why a figure is what it is. */
type Counters = Readonly<Record<string, number>>;

/** Builds first, so that a run only runs. */
async function benchmark(kernel: string, options: SuiteOptions): Promise<Benchmark> {
  const file = await buildKernel(kernel, 'riscv64');
  let counters: Counters = {};
  const figure = {
    name: `kernels/${kernel}`,
    unit: 'ms',
    better: 'lower',
    explain: () => counters,
    async run() {
      const engine = options.engine === undefined ? [] : [options.engine];
      const { stdout, stderr } = await run(process.execPath, [runner, file, ...engine], {
        timeout: TIMEOUT_MS,
      });
      counters = JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}');
      return parseOutcome(stdout).ms;
    },
  } as const;
  return options.peers
    ? { ...figure, peer: { name: 'qemu-tcg', run: () => inQemu(file) } }
    : figure;
}

async function inQemu(file: string): Promise<number> {
  const machine = ['-M', 'virt', '-m', '128', '-bios', 'none', '-nographic'];
  const finished = run(QEMU, [...machine, '-kernel', file], { timeout: TIMEOUT_MS });
  // Its monitor shares standard input, and waits for the end of it.
  finished.child.stdin?.end();
  const { stdout } = await finished;
  return parseOutcome(stdout).ms;
}

export const kernelsSuite: Suite = {
  name: 'kernels',
  async load(options) {
    if (!has(guestCompiler)) {
      return { benchmarks: [], skipped: `${guestCompiler} is not installed` };
    }
    if (options.peers && !has(QEMU)) return { benchmarks: [], skipped: `${QEMU} is not installed` };
    const wanted = kernels.filter((name) => `kernels/${name}`.includes(options.filter));
    return { benchmarks: await Promise.all(wanted.map((name) => benchmark(name, options))) };
  },
};
