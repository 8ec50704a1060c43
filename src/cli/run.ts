// `isola run`: boots a guest with its console on this terminal, or on standard input and output.

import { Command } from 'commander';
import { keptOpen, openDisks } from '../host/node/disks.ts';
import {
  type DiskOptions,
  type TraceEvent,
  Vm,
  type VmEnd,
  type VmFailedError,
} from '../host/node/index.ts';
import { type EscapeCommand, escapeHelp } from '../host/node/escapes.ts';
import { GUEST_READY } from '../host/node/guest/architectures.ts';
import { attachTerminal, terminalShape } from '../host/node/terminal.ts';
import { exitCodes, interruption, say } from './errors.ts';
import { addRunOptions, type RunFlags } from './options.ts';
import { progressLine } from './progress.ts';
import { statsTable } from './stats.ts';

/** The command; `done` gets its exit code. */
export function runCommand(done: (code: number) => void): Command {
  const command = new Command('run').description('run a guest').allowExcessArguments(false);
  return addRunOptions(command).action(async (flags: RunFlags) => done(await run(flags)));
}

/** Why this process ended a guest that would have gone on. */
type StopReason = 'quit' | 'timeout' | 'interrupted' | 'closed' | 'unwritable';

/** Remembers the first reason to stop, and stops the VM that runs. */
interface Stopper {
  reason?: StopReason;
  vm?: Vm;
  stop(reason: StopReason): void;
}

interface Result {
  readonly vm: Vm;
  readonly end: VmEnd;
  readonly reason: StopReason | undefined;
  readonly seconds: number;
}

async function run(flags: RunFlags): Promise<number> {
  const begun = performance.now();
  const told = new Set<string>();
  const warn = (message: string): void => {
    if (!told.has(message)) say(message, 'warning');
    told.add(message);
  };
  const { signal, dispose } = interruption();
  const stopper: Stopper = {
    stop(reason) {
      stopper.reason ??= reason;
      void stopper.vm?.stop();
    },
  };
  signal.addEventListener('abort', () => stopper.stop('interrupted'));
  const { timeout } = flags;
  const timer = timeout && setTimeout(() => stopper.stop('timeout'), timeout * 1000);
  try {
    const { vm, end } = await runWithDisks(flags, { stopper, signal, warn });
    const seconds = (performance.now() - begun) / 1000;
    report(flags, { vm, end, reason: stopper.reason, seconds }, told);
    return exitCodeOf(end, stopper.reason);
  } finally {
    clearTimeout(timer);
    dispose();
  }
}

interface RunContext {
  readonly stopper: Stopper;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** Runs VMs, one after another if the guest reboots, over the same disks. */
async function runWithDisks(flags: RunFlags, context: RunContext): Promise<{ vm: Vm; end: VmEnd }> {
  const disks = await openDisks(flags.disk ?? [], context.warn);
  // Only this function closes them.
  const stores = disks.stores.map((store) => ({ store: keptOpen(store) }));
  let result: { vm: Vm; end: VmEnd };
  try {
    do {
      const vm = await createVm(flags, stores, context);
      result = { vm, end: await converse(vm, flags, context.stopper) };
    } while (result.end.reason === 'reboot' && flags.reboot && !context.stopper.reason);
  } catch (error) {
    await disks.close().catch(() => undefined);
    throw error;
  }
  const { vm, end } = result;
  try {
    await disks.close();
    return result;
  } catch (error) {
    return { vm, end: { error: error as VmFailedError, ...end } };
  }
}

async function createVm(
  flags: RunFlags,
  disks: readonly DiskOptions[],
  { signal, warn }: RunContext,
): Promise<Vm> {
  const { arch, machine, memory, kernel, initrd, append, engine, trace, stats } = flags;
  const { codeCache } = flags;
  const terminal = terminalShape();
  const progress = progressLine();
  const tell = ({ kind, text }: TraceEvent): void =>
    void process.stderr.write(`${kind}: ${text}\n`);
  try {
    return await Vm.create({
      arch,
      machine,
      memory,
      disks,
      engine,
      signal,
      onProgress: progress.show,
      onWarning: warn,
      ...(kernel !== undefined && { kernel }),
      ...(initrd !== undefined && { initrd }),
      ...(append !== undefined && { append }),
      ...(codeCache !== undefined && { codeCache }),
      ...(terminal && { terminal }),
      ...(stats && { statistics: stats }),
      ...(trace && { trace: { kinds: trace, tell } }),
    });
  } finally {
    progress.clear();
  }
}

/** Starts the VM and carries its console until it ends and all its output is written. */
async function converse(vm: Vm, flags: RunFlags, stopper: Stopper): Promise<VmEnd> {
  const events = {
    onCommand(command: EscapeCommand) {
      if (command === 'quit') stopper.stop('quit');
      else process.stderr.write(`\n${escapeHelp}\n`);
    },
    onClosed(error: NodeJS.ErrnoException) {
      if (error.code === 'EPIPE') return stopper.stop('closed');
      say(`the output cannot be written: ${error.message}`, 'error');
      return stopper.stop('unwritable');
    },
  };
  const isDefaultGuest = flags.machine === 'virt' && flags.kernel === undefined;
  const ready = isDefaultGuest ? vm.waitFor(GUEST_READY).catch(() => undefined) : undefined;
  const terminal = attachTerminal(vm.console, events, ready);
  stopper.vm = vm;
  try {
    if (stopper.reason) await vm.stop();
    else vm.start();
    return await vm.ended;
  } finally {
    await terminal.detach();
  }
}

function report(flags: RunFlags, result: Result, told: ReadonlySet<string>): void {
  const { vm, end, reason, seconds } = result;
  const cause = end.error?.cause;
  // The guest's last line need not have ended.
  if ((reason === 'quit' || reason === 'interrupted') && process.stdout.isTTY) {
    process.stdout.write('\n');
  }
  if (end.error !== undefined) {
    if (!(cause instanceof Error && told.has(cause.message))) say(end.error.message, 'error');
  } else if (reason === 'timeout') say(`stopped: not done after ${flags.timeout} s`, 'error');
  else if (end.code !== 0) say(guestFailure(flags, end.code), 'error');
  const stats = vm.stats();
  if (flags.json !== true) {
    if (flags.stats === true) process.stderr.write(statsTable(stats, seconds));
    return;
  }
  const line = {
    reason: reason === 'timeout' || reason === 'interrupted' ? reason : end.reason,
    code: end.code,
    instructions: stats.instructions,
    seconds: Math.round(seconds * 1000) / 1000,
    error: end.error?.message,
    ...(flags.stats === true && { stats }),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function exitCodeOf(end: VmEnd, stop: StopReason | undefined): number {
  if (end.error !== undefined) return exitCodes.failed;
  if (stop === 'unwritable') return exitCodes.failed;
  if (stop !== undefined && stop !== 'quit') return exitCodes[stop];
  return end.code === 0 ? exitCodes.done : exitCodes.failed;
}

const guestFailure = ({ machine }: RunFlags, code: number): string =>
  machine === 'bare'
    ? `the program failed: test ${code}`
    : `the guest powered off with failure code ${code}`;
