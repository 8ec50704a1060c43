// A running guest that executes commands, here and in QEMU: the same kernel, initial RAM file system and disk image.
//
// The default guest boots to its prompt and mounts the disk; start.sh on the disk makes that its root, and serve.sh
// there answers each command with a line "@done STATUS NANOSECONDS". The disk is attached read-only, so that both
// machines share it and each boot finds it alike.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineName, Vm } from '../../src/host/node/index.ts';
import type { Guest } from '../../src/host/node/guest/cache.ts';

export const QEMU = 'qemu-system-riscv64';
const MEMORY_MIB = 1024;
const BOOT_MS = 180_000;
const COMMAND_MS = 600_000;
const PROMPT = 'isola:~# ';

/** A machine's console. */
interface Line {
  write(text: string): Promise<void>;
  /** Resolves with what was printed up to the match. */
  waitFor(pattern: string | RegExp, milliseconds: number): Promise<string>;
  counts?(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** What a command printed, how it ended, and how long it took by the guest's clock. */
export interface Executed {
  readonly output: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Machine {
  /** Runs a line of shell. Throws if it does not end in time, or if the guest's clock and ours do not agree. */
  execute(command: string): Promise<Executed>;
  /** Counters of the machine since it was started, where it has any. */
  counts(): Readonly<Record<string, number>>;
  close(): Promise<void>;
}

/** What both machines boot. */
export interface Software {
  readonly guest: Guest;
  /** Path of the disk image. */
  readonly image: string;
}

/** Boots Isola's machine, in this process. */
export async function bootIsola(software: Software, engine?: EngineName): Promise<Machine> {
  const vm = await Vm.create({
    kernel: software.guest.kernel,
    initrd: software.guest.initrd,
    memory: `${MEMORY_MIB}M`,
    disks: [{ path: software.image, readOnly: true }],
    ...(engine && { engine }),
  });
  vm.start();
  return serve({
    write: (text) => vm.write(text),
    waitFor: (pattern, timeout) => vm.waitFor(pattern, { timeout }),
    counts: () => vm.stats(),
    close: async () => void (await vm.stop()),
  });
}

/** Boots QEMU's machine without acceleration, in a process that ends with this one. */
export function bootQemu(software: Software): Promise<Machine> {
  const machine = qemuArguments(software, 'TERM=dumb', 'readonly');
  const consoles = ['-display', 'none', '-monitor', 'none', '-serial', 'stdio'];
  const child = spawn(QEMU, [...machine, ...consoles], { stdio: ['pipe', 'pipe', 'inherit'] });
  return serve(childLine(child));
}

/** QEMU's machine without a console; `append` goes to the kernel's command line. */
export function qemuArguments(
  { guest, image }: Software,
  append: string,
  disk: 'readonly' | 'snapshot',
): string[] {
  const machine = ['-M', 'virt', '-accel', 'tcg', '-smp', '1', '-m', String(MEMORY_MIB)];
  const commandLine = `console=ttyS0 quiet ${append}`;
  const boot = ['-kernel', guest.kernel, '-initrd', guest.initrd, '-append', commandLine];
  const drive = `file=${image.replaceAll(',', ',,')},format=raw,if=none,id=disk,${disk}=on`;
  const block = ['-drive', drive, '-device', 'virtio-blk-device,drive=disk'];
  return [...machine, ...boot, ...block, '-no-reboot'];
}

async function serve(line: Line): Promise<Machine> {
  try {
    await line.waitFor(PROMPT, BOOT_MS);
    await line.write('exec sh /mnt/bench/start.sh\n');
    await line.waitFor('@ready', BOOT_MS);
  } catch (error) {
    await line.close();
    throw error;
  }
  return {
    async execute(command) {
      const begun = performance.now();
      await line.write(`${command}\n`);
      const text = await line.waitFor(DONE, COMMAND_MS);
      const elapsed = (performance.now() - begun) / 1000;
      const [, before = '', status = '', nanoseconds = ''] = SPLIT.exec(text) ?? [];
      const seconds = Number(nanoseconds) / 1e9;
      if (seconds > elapsed + 0.05 || seconds < 0.9 * elapsed - 0.5) {
        throw new Error(`'${command}' took ${elapsed} s, and ${seconds} s by the guest's clock`);
      }
      return { output: before.replaceAll('\r\n', '\n').trim(), status: Number(status), seconds };
    },
    counts: () => line.counts?.() ?? {},
    close: () => line.close(),
  };
}

const DONE = /@done \d+ -?\d+\r?\n/;
const SPLIT = /^([^]*?)@done (\d+) (-?\d+)\r?\n/;

function childLine(child: ChildProcess): Line {
  let seen = '';
  let ended: string | undefined;
  child.stdout?.setEncoding('latin1').on('data', (text: string) => (seen += text));
  child.on('error', (error) => (ended = error.message));
  child.on('exit', () => (ended ??= 'it ended'));
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  return {
    write: (text) => new Promise((resolve) => void child.stdin?.write(text, () => resolve())),
    async waitFor(pattern, milliseconds) {
      const deadline = performance.now() + milliseconds;
      for (;;) {
        const match = typeof pattern === 'string' ? seen.indexOf(pattern) : seen.search(pattern);
        if (match >= 0) {
          const found = typeof pattern === 'string' ? pattern : (pattern.exec(seen)?.[0] ?? '');
          const text = seen.slice(0, match + found.length);
          seen = seen.slice(match + found.length);
          return text;
        }
        if (ended !== undefined || performance.now() > deadline) {
          const why = ended ?? `it took more than ${milliseconds} ms`;
          throw new Error(`no ${String(pattern)} from ${QEMU}: ${why}; ${seen.slice(-300)}`);
        }
        await sleep(2);
      }
    },
    async close() {
      process.off('exit', end);
      end();
      if (ended === undefined) await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}
