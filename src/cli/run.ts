// `isola run`: boots a guest with its console on this terminal, or on standard input and output.

import { Command } from 'commander';
import { Vm, type VmEnd } from '../host/node/index.ts';
import { type EscapeCommand, escapeHelp } from '../host/node/escapes.ts';
import { GUEST_READY } from '../host/node/guest/architectures.ts';
import { attachTerminal, terminalShape } from '../host/node/terminal.ts';
import { exitCodes, interruption, say } from './errors.ts';
import { addRunOptions, type RunFlags } from './options.ts';
import { progressLine } from './progress.ts';

/** The command; `done` gets its exit code. */
export function runCommand(done: (code: number) => void): Command {
  const command = new Command('run').description('run a guest').allowExcessArguments(false);
  return addRunOptions(command).action(async (flags: RunFlags) => done(await run(flags)));
}

/** Why this process ended a guest that would have gone on. */
type Stop = 'quit' | 'timeout' | 'interrupted' | 'closed' | 'unwritable';

async function run(flags: RunFlags): Promise<number> {
  const begun = performance.now();
  const { signal, dispose } = interruption();
  try {
    const vm = await createVm(flags, signal);
    const { end, stop } = await converse(vm, flags, signal);
    return report(flags, vm, end, stop, (performance.now() - begun) / 1000);
  } finally {
    dispose();
  }
}

async function createVm(flags: RunFlags, signal: AbortSignal): Promise<Vm> {
  const { arch, machine, memory, kernel, initrd, append, disk, engine, trace } = flags;
  const terminal = terminalShape();
  const progress = progressLine();
  try {
    return await Vm.create({
      arch,
      machine,
      memory,
      engine,
      signal,
      onProgress: progress.show,
      onWarning: (message) => say(message, 'warning'),
      ...(disk && { disks: disk }),
      ...(kernel !== undefined && { kernel }),
      ...(initrd !== undefined && { initrd }),
      ...(append !== undefined && { append }),
      ...(terminal && { terminal }),
      ...(trace && {
        trace: {
          kinds: trace,
          tell: ({ kind, text }) => process.stderr.write(`${kind}: ${text}\n`),
        },
      }),
    });
  } finally {
    progress.clear();
  }
}

/** Starts the VM and carries its console until it ends. */
async function converse(
  vm: Vm,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<{ end: VmEnd; stop: Stop | undefined }> {
  let stop: Stop | undefined;
  const stopFor = (reason: Stop): void => {
    stop ??= reason;
    void vm.stop();
  };
  const onInterrupt = (): void => stopFor('interrupted');
  signal.addEventListener('abort', onInterrupt);
  const timer =
    flags.timeout === undefined
      ? undefined
      : setTimeout(() => stopFor('timeout'), flags.timeout * 1000);
  const events = {
    onCommand(command: EscapeCommand) {
      if (command === 'quit') stopFor('quit');
      else process.stderr.write(`\n${escapeHelp}\n`);
    },
    onClosed(error: NodeJS.ErrnoException) {
      if (error.code === 'EPIPE') return stopFor('closed');
      say(`the output cannot be written: ${error.message}`, 'error');
      return stopFor('unwritable');
    },
  };
  const isDefaultGuest = flags.machine === 'virt' && flags.kernel === undefined;
  const ready = isDefaultGuest ? vm.waitFor(GUEST_READY).catch(() => undefined) : undefined;
  const terminal = attachTerminal(vm.console, events, ready);
  try {
    vm.start();
    return { end: await vm.ended, stop };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onInterrupt);
    await terminal.detach();
  }
}

function report(
  flags: RunFlags,
  vm: Vm,
  end: VmEnd,
  stop: Stop | undefined,
  seconds: number,
): number {
  const code = exitCodeOf(end, stop);
  if (end.error !== undefined) say(end.error.message, 'error');
  else if (stop === 'quit') process.stderr.write('\n');
  else if (stop === 'timeout') say(`stopped: not done after ${flags.timeout} s`, 'error');
  else if (end.code !== 0) say(guestFailure(flags, end.code), 'error');
  const counters = vm.stats();
  if (flags.stats === true) printStats(counters, seconds);
  if (flags.json === true) {
    const reason = stop === 'timeout' || stop === 'interrupted' ? stop : end.reason;
    const { instructions } = counters;
    const rounded = Math.round(seconds * 1000) / 1000;
    const line = {
      reason,
      code: end.code,
      instructions,
      seconds: rounded,
      error: end.error?.message,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  return code;
}

function exitCodeOf(end: VmEnd, stop: Stop | undefined): number {
  if (end.error !== undefined) return exitCodes.failed;
  if (stop === 'unwritable') return exitCodes.failed;
  if (stop !== undefined && stop !== 'quit') return exitCodes[stop];
  return end.code === 0 ? exitCodes.done : exitCodes.failed;
}

const guestFailure = ({ machine }: RunFlags, code: number): string =>
  machine === 'bare'
    ? `the program failed: test ${code}`
    : `the guest powered off with failure code ${code}`;

function printStats(counters: Readonly<Record<string, number>>, seconds: number): void {
  const mips = counters['instructions']! / seconds / 1e6;
  const rows = { seconds: seconds.toFixed(3), 'million instructions a second': mips.toFixed(1) };
  for (const [name, value] of [...Object.entries(rows), ...Object.entries(counters)]) {
    process.stderr.write(`${name.padEnd(30)} ${value}\n`);
  }
}
