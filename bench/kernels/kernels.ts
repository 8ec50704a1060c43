// Programs of one loop each, on a bare machine with paging on: what translated code is worth, without an operating
// system. QEMU runs the same files. The time is what the guest's own clock says, so that no process's start counts.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildKernel, guestCompilers, has, kernels, parseOutcome } from '../guest/build.ts';
import type { Architecture } from '../../src/host/node/index.ts';
import type { Benchmark, Suite, SuiteOptions } from '../harness.ts';

/** QEMU's command line for the machine that a program is made for. */
const qemuMachines = {
  riscv64: ['qemu-system-riscv64', '-M', 'virt', '-bios', 'none'],
  arm64: ['qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a57'],
} as const;
const TIMEOUT_MS = 300_000;
const runner = join(import.meta.dirname, '../guest/run.ts');
const run = promisify(execFile);

/** Counters of a VM that tell why a figure is what it is. */
type Counters = Readonly<Record<string, number>>;

/** Builds first, so that a run only runs. */
async function benchmark(kernel: string, options: SuiteOptions): Promise<Benchmark> {
  const { arch } = options;
  const file = await buildKernel(kernel, arch);
  let counters: Counters = {};
  const figure = {
    name: arch === 'riscv64' ? `kernels/${kernel}` : `kernels/${arch}/${kernel}`,
    unit: 'ms',
    better: 'lower',
    explain: () => counters,
    async run() {
      const engine = options.engine === undefined ? [] : [options.engine];
      const { stdout, stderr } = await run(process.execPath, [runner, arch, file, ...engine], {
        timeout: TIMEOUT_MS,
      });
      counters = JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}');
      return parseOutcome(stdout).ms;
    },
  } as const;
  return options.peers
    ? { ...figure, peer: { name: 'qemu-tcg', run: () => inQemu(arch, file) } }
    : figure;
}

async function inQemu(arch: Architecture, file: string): Promise<number> {
  const [qemu, ...machine] = qemuMachines[arch];
  const rest = ['-m', '128', '-nographic', '-kernel', file];
  const finished = run(qemu, [...machine, ...rest], { timeout: TIMEOUT_MS });
  // Its monitor shares standard input, and waits for the end of it.
  finished.child.stdin?.end();
  const { stdout } = await finished;
  return parseOutcome(stdout).ms;
}

export const kernelsSuite: Suite = {
  name: 'kernels',
  async load(options) {
    const needed = [guestCompilers[options.arch]];
    if (options.peers) needed.push(qemuMachines[options.arch][0] as never);
    const missing = needed.find((program) => !has(program));
    if (missing !== undefined) return { benchmarks: [], skipped: `${missing} is not installed` };
    const wanted = kernels.filter((name) => `kernels/${name}`.includes(options.filter));
    return { benchmarks: await Promise.all(wanted.map((name) => benchmark(name, options))) };
  },
};
