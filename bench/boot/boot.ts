// Start of the process to the shell's prompt, for the same kernel and initramfs, here and in QEMU's TCG; and what a
// boot and ten busy seconds after it are made of.

import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { Guest } from '../../src/host/node/guest/cache.ts';
import { fetchGuest, findGuest } from '../../src/host/node/guest/fetch.ts';
import { defaultEngine } from '../../src/vm/vm.ts';
import { has } from '../guest/build.ts';
import type { Benchmark, Suite, SuiteOptions } from '../harness.ts';
import { observedBenchmarks } from './observed.ts';

const root = resolve(import.meta.dirname, '../..');
const PROMPT = 'isola:~#';
const TIMEOUT_MS = 120_000;

/** Milliseconds from starting a program to the prompt on its standard output; the program is killed then. */
function untilPrompt(command: string, args: readonly string[]): Promise<number> {
  return new Promise((fulfil, reject) => {
    const begun = performance.now();
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let seen = '';
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      act();
    };
    const timer = setTimeout(() => {
      finish(() => reject(new Error(`${command} gave no prompt in ${TIMEOUT_MS} ms`)));
    }, TIMEOUT_MS);
    child.stdout.on('data', (bytes: Buffer) => {
      seen = (seen + bytes.toString('latin1')).slice(-4096);
      if (seen.includes(PROMPT)) finish(() => fulfil(performance.now() - begun));
    });
    child.on('error', (error) => finish(() => reject(error)));
    child.on('exit', () => {
      finish(() => reject(new Error(`${command} ended before its prompt: ${seen.slice(-300)}`)));
    });
  });
}

/** QEMU's program, its board's console, and the board. */
const qemuMachines = {
  riscv64: ['qemu-system-riscv64', 'ttyS0', '-M', 'virt'],
  arm64: ['qemu-system-aarch64', 'ttyAMA0', '-M', 'virt', '-cpu', 'cortex-a57'],
} as const;

function benchmarks(guest: Guest, options: SuiteOptions): Benchmark[] {
  const { arch } = options;
  const image = ['--kernel', guest.kernel, '--initrd', guest.initrd, '--memory', '512M'];
  const cli = join(root, 'src/cli/main.ts');
  const [qemu, console_, ...board] = qemuMachines[arch];
  const append = `console=${console_} quiet TERM=dumb`;
  const engine = ['--engine', options.engine ?? defaultEngine];
  const ours = (): Promise<number> =>
    untilPrompt(process.execPath, [cli, 'run', '--arch', arch, ...engine, ...image]);
  const machine = [...board, '-m', '512', '-nographic', '-no-reboot', '-append', append];
  const theirs = (): Promise<number> =>
    untilPrompt(qemu, [...machine, '-kernel', guest.kernel, '-initrd', guest.initrd]);
  const figure = { name: `boot/${arch}/prompt`, unit: 'ms', better: 'lower', run: ours } as const;
  return options.peers && has(qemu)
    ? [{ ...figure, peer: { name: 'qemu-tcg', run: theirs } }]
    : [figure];
}

export const bootSuite: Suite = {
  name: 'boot',
  async load(options) {
    try {
      const { arch, engine = defaultEngine } = options;
      const guest = (await findGuest({ arch })) ?? (await fetchGuest({ arch }));
      return { benchmarks: [...benchmarks(guest, options), ...observedBenchmarks(arch, engine)] };
    } catch (error) {
      return { benchmarks: [], skipped: error instanceof Error ? error.message : String(error) };
    }
  },
};
