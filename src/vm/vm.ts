// A virtual machine: memory, one vCPU, devices, a kernel in place. Created whole, started, and then it runs until the
// guest ends it or somebody stops it.
//
// Platform-free: time, randomness, codecs and the event loop come in as `HostServices`. The host's entry point
// (src/host/node/index.ts) gives the same class a `create` that takes paths.
// Invariants: options are checked before anything is allocated; after the end nothing of the VM runs or writes any
// more; an error of a device or of the engine ends the VM with `VmFailedError`, never as an unhandled rejection.

import { elfMachine, loadElf } from '../boot/elf.ts';
import { writeDeviceTree } from '../boot/fdt.ts';
import {
  checkCommandLine,
  type Decompress,
  planLinux,
  placeLinux,
  readLinuxImage,
} from '../boot/linux-image.ts';
import type { Clock, Device, InterruptLine } from '../device/device.ts';
import { type EngineName, engines } from '../engine/engines.ts';
import { CODE_CACHE_LEAST, type Executor } from '../engine/executor.ts';
import { mostRam, place, type Places } from '../engine/places.ts';
import { VcpuRecord } from '../isa/shared/record.ts';
import { exits, vcpu as cells, vcpuCounters } from '../isa/shared/vcpu.ts';
import { deviceTree } from '../machine/device-tree.ts';
import { type Board, createDevices } from '../machine/machine.ts';
import type { Ending, Start } from '../machine/processor.ts';
import { createBus } from '../memory/bus.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { type Delay, VmConsole, type WaitOptions } from './console.ts';
import { VmFailedError, VmOptionsError, VmStateError } from './errors.ts';
import { type Architecture, defaultArchitecture, machineOf, type MachineName } from './machines.ts';
import { RunLoop, ticksOf } from './run-loop.ts';
import type { TranslatorThread } from './translation.ts';
import {
  countDevices,
  type Trace,
  traceDevices,
  traceFirmware,
  traceTranslations,
} from './trace.ts';

export type { EngineName } from '../engine/engines.ts';
export const defaultEngine: EngineName = 'hybrid';
export const engineNames = Object.keys(engines) as readonly EngineName[];

/** What a VM needs of the platform. */
export interface HostServices {
  readonly clock: Clock;
  readonly delay: Delay;
  /** Gives the event loop a turn. */
  readonly turn: () => Promise<void>;
  readonly random: (bytes: Uint8Array) => void;
  readonly decompress: Decompress;
  /** Starts a thread that translates guest code of an architecture in a VM's memory. */
  readonly startTranslator?: (
    architecture: string,
    memory: WebAssembly.Memory,
    statistics: boolean,
  ) => TranslatorThread;
}

export interface VmOptions {
  readonly arch?: Architecture;
  readonly machine?: MachineName;
  readonly engine?: EngineName;
  /** Whether generated code and devices count what they do, for `stats`; they are slower then. */
  readonly statistics?: boolean;
  /** Bytes of RAM, a multiple of 4096; 512 MiB if absent. */
  readonly memoryBytes?: number;
  /** Most bytes that decoded and translated code may take, at least 1 MiB; 128 MiB if absent. */
  readonly codeCacheBytes?: number;
  /** Kernel Image (plain, gzip, zstd), or an ELF executable for the bare machine. */
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  /** Kernel command line. */
  readonly append?: string;
  /** virtio devices in the order of their slots. */
  readonly devices?: readonly Device[];
  /** Aborting it stops the VM. */
  readonly signal?: AbortSignal;
  /** Hears of events, for traces. */
  readonly trace?: Trace;
  /** Lets go of what the devices use, after the guest has ended. If it rejects, the VM's end has that error. */
  readonly release?: () => Promise<void>;
}

/** How a VM ended. */
export interface VmEnd {
  /** `failed`: the VM could not go on. */
  readonly reason: 'poweroff' | 'reboot' | 'stopped' | 'failed';
  /** The guest's own: its power-off code, or what a bare program wrote to tohost; 0 is success. */
  readonly code: number;
  /** What failed on the host: it ended the VM, or the guest went on without (a disk that could not be written). */
  readonly error?: VmFailedError;
}

/** Counters of a VM. */
export interface VmStats {
  readonly instructions: number;
  readonly slices: number;
  readonly sleeps: number;
  readonly sleptMs: number;
  readonly [counter: string]: number;
}

const DEFAULT_RAM = 512 * 1024 * 1024;
const PAGE = 4096;

interface Parts {
  readonly board: Board;
  readonly places: Places;
  readonly memory: GuestMemory;
  readonly executor: Executor;
  /** Accesses to devices, if they are counted. */
  readonly accesses: Readonly<Record<string, number>>;
  readonly vcpus: readonly VcpuRecord[];
  readonly translator: TranslatorThread | undefined;
  /** Ends what devices do; resolves when none of them touches its backend any more. */
  readonly quiesce: () => Promise<void>;
  readonly tohost: number | undefined;
  readonly ownInput: (vcpu: number, number: number) => InterruptLine | undefined;
}

export class Vm implements AsyncDisposable {
  readonly console: VmConsole;
  /** Resolves when the VM has ended, however it ended. */
  readonly ended: Promise<VmEnd>;
  readonly #parts: Parts;
  readonly #loop: RunLoop;
  readonly #resolve: (end: VmEnd) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #release: (() => Promise<void>) | undefined;
  readonly #stopOnAbort = (): void => void this.stop();
  #state: 'created' | 'running' | 'ended' = 'created';

  private constructor(parts: Parts, loop: RunLoop, console: VmConsole, options: VmOptions) {
    this.#parts = parts;
    this.#loop = loop;
    this.console = console;
    // Not the options themselves: they hold the kernel's bytes, which are in the guest's memory by now.
    this.#signal = options.signal;
    this.#release = options.release;
    const { promise, resolve } = Promise.withResolvers<VmEnd>();
    this.ended = promise;
    this.#resolve = resolve;
    options.signal?.addEventListener('abort', this.#stopOnAbort);
  }

  /** Builds a VM and loads its kernel. Throws VmOptionsError, KernelError, ElfError, MachineError. */
  static async create(options: VmOptions, services: HostServices): Promise<Vm> {
    options.signal?.throwIfAborted();
    const console = new VmConsole(services.delay);
    const late: { loop?: RunLoop } = {};
    const wake = (): void => late.loop?.wake();
    const end = (ending: Ending): void => late.loop?.end(ending);
    const parts = await build(options, services, console, { wake, end });
    const { board, executor, vcpus, places } = parts;
    const loop = new RunLoop({
      processor: traceFirmware(board.processor, options.trace),
      executor,
      vcpus,
      bases: places.vcpus,
      clock: services.clock,
      timebaseHz: board.timebaseHz,
      ownInput: parts.ownInput,
      turn: services.turn,
      firmware: {
        memory: parts.memory,
        vcpus,
        flushTlb: (number) => executor.flushTlb(places.vcpus[number]!),
        consoleWrite: (bytes) => console.backend.output(bytes),
      },
      poll: pollTohost(parts),
      congested: () => console.congested,
    });
    late.loop = loop;
    return new Vm(parts, loop, console, options);
  }

  /** Starts the guest; it runs until it ends. */
  start(): void {
    if (this.#state !== 'created') throw new VmStateError('this VM has been started already');
    this.#state = 'running';
    void this.#run();
  }

  async #run(): Promise<void> {
    let end: VmEnd;
    try {
      const ending = await this.#loop.run();
      end =
        ending === undefined
          ? { reason: 'stopped', code: 0 }
          : { reason: ending.kind, code: ending.kind === 'poweroff' ? ending.code : 0 };
    } catch (cause) {
      end = { reason: 'failed', code: 1, error: failure(cause) };
    }
    await this.#finish(end);
  }

  async #finish(end: VmEnd): Promise<void> {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#signal?.removeEventListener('abort', this.#stopOnAbort);
    this.console.end();
    try {
      await this.#parts.translator?.close();
      await this.#parts.quiesce();
      await this.#release?.();
      this.#resolve(end);
    } catch (cause) {
      this.#resolve({ error: failure(cause), ...end });
    }
  }

  /** Stops the guest where it is, as pulling the plug does. */
  async stop(): Promise<VmEnd> {
    if (this.#state === 'created') await this.#finish({ reason: 'stopped', code: 0 });
    this.#loop.end(undefined);
    return this.ended;
  }

  /** Resolves with the console's text up to the match; see VmConsole.waitFor. */
  waitFor(pattern: string | RegExp, options?: WaitOptions): Promise<string> {
    return this.console.waitFor(pattern, options);
  }

  /** Types text on the console. */
  async write(text: string): Promise<void> {
    const writer = this.console.writable.getWriter();
    try {
      await writer.write(new TextEncoder().encode(text));
    } finally {
      writer.releaseLock();
    }
  }

  stats(): VmStats {
    const { vcpus, executor, accesses } = this.#parts;
    const { slices, sleeps, sleptNs, ends } = this.#loop.counts;
    const ended = exits.map((exit) => [`slices${capitalised(exit)}`, ends.get(exit) ?? 0] as const);
    return {
      instructions: Number(vcpus[0]!.get(cells.retired)),
      slices,
      ...Object.fromEntries(ended),
      sleeps,
      sleptMs: Number(sleptNs) / 1e6,
      ...executor.counts,
      ...Object.fromEntries(vcpuCounters.map((name) => [name, Number(vcpus[0]!.get(cells[name]))])),
      ...accesses,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

const capitalised = (word: string): string => word[0]!.toUpperCase() + word.slice(1);

function failure(cause: unknown): VmFailedError {
  if (cause instanceof VmFailedError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new VmFailedError(`the VM failed: ${text}`, { cause });
}

interface Signals {
  readonly wake: () => void;
  readonly end: (ending: Ending) => void;
}

/** Makes everything that a VM consists of, and puts the kernel into its memory. */
async function build(
  options: VmOptions,
  services: HostServices,
  console: VmConsole,
  signals: Signals,
): Promise<Parts> {
  const board = buildBoard(options, console, signals);
  const places = place(board.ram.size, board.cpus);
  const memory = allocate(places);
  const vcpus = places.vcpus.map((base) => new VcpuRecord(memory.buffer, base));
  const late: { executor?: Executor } = {};
  const guest = new GuestMemory(
    memory.buffer,
    places.ram,
    board.ram.address,
    board.ram.size,
    (at, length) => late.executor?.wrote(places.ram + at - board.ram.address, length),
  );
  const devices = createDevices(board, {
    memory: guest,
    clock: services.clock,
    random: services.random,
    cpuInput: (cpu, input) => inputLine(board, vcpus[cpu]!, input, signals),
  });
  console.attach(devices.console);
  const engine = options.engine ?? defaultEngine;
  const { isa } = board.processor;
  const { statistics = false, codeCacheBytes } = options;
  if (codeCacheBytes !== undefined) checkCodeCache(codeCacheBytes);
  const explain = traceTranslations(options.trace, (host) => host - places.ram + board.ram.address);
  // Explanations are given on the thread that translates: it is this one while somebody listens.
  const isRemote = engine === 'hybrid' && explain === undefined;
  const translator = isRemote
    ? services.startTranslator?.(isa.name, memory, statistics)
    : undefined;
  const ranges = traceDevices(devices.ranges, options.trace);
  const accesses: Record<string, number> = {};
  const executor = engines[engine]({
    isa,
    memory,
    places,
    ramBase: board.ram.address,
    bus: createBus(statistics ? countDevices(ranges, accesses) : ranges),
    time: () => ticksOf(services.clock, board.timebaseHz),
    now: () => services.clock.monotonic(),
    controllerOf: (number) => devices.controller.systemInterface?.(number),
    translator,
    explain,
    statistics,
    codeCacheBytes,
  });
  late.executor = executor;
  const loaded = await load(options, services, board, guest).catch(async (error: unknown) => {
    await translator?.close();
    throw error;
  });
  for (const [number, vcpu] of vcpus.entries()) {
    board.processor.start(vcpu, number, loaded.start);
    vcpu.set(cells.number, BigInt(number));
  }
  const quiesce = async (): Promise<void> => {
    const instances = [...devices.instances.values()];
    for (const device of instances) device.reset();
    await Promise.all(instances.map(async (device) => device.idle?.()));
  };
  const { tohost } = loaded;
  const made = { board, places, memory: guest, executor, accesses, vcpus, translator };
  const ownInput: Parts['ownInput'] = (vcpu, number) => devices.controller.ownInput?.(vcpu, number);
  return { ...made, quiesce, tohost, ownInput };
}

/** The line that drives an interrupt input of a vCPU. */
const inputLine = (
  board: Board,
  vcpu: VcpuRecord,
  input: number,
  signals: Signals,
): InterruptLine => ({
  set(level) {
    board.processor.setInput(vcpu, input, level);
    if (level) signals.wake();
  },
});

function checkCodeCache(bytes: number): void {
  if (Number.isSafeInteger(bytes) && bytes >= CODE_CACHE_LEAST) return;
  const least = `${CODE_CACHE_LEAST / 1024 / 1024} MiB`;
  throw new VmOptionsError(`a code cache of ${bytes} bytes: give at least ${least}`);
}

function buildBoard(options: VmOptions, console: VmConsole, signals: Signals): Board {
  const name = options.machine ?? 'virt';
  const ramBytes = options.memoryBytes ?? DEFAULT_RAM;
  if (!Number.isSafeInteger(ramBytes) || ramBytes <= 0 || ramBytes % PAGE !== 0) {
    throw new VmOptionsError(`memory of ${ramBytes} bytes: give a positive multiple of 4096`);
  }
  const most = mostRam(1);
  if (ramBytes > most) {
    const mib = Math.floor(most / 1024 / 1024);
    throw new VmOptionsError(
      `memory of ${Math.ceil(ramBytes / 1024 / 1024)} MiB is more than a VM can have; give at most ${mib}M`,
    );
  }
  return machineOf(options.arch ?? defaultArchitecture, name).build({
    harts: 1,
    ramBytes,
    console: console.backend,
    virtio: options.devices ?? [],
    power: (wish) =>
      signals.end(
        wish.kind === 'reset' ? { kind: 'reboot' } : { kind: 'poweroff', code: wish.code },
      ),
  });
}

function allocate(places: Places): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: places.pages, maximum: places.pages, shared: true });
  } catch (cause) {
    const mib = Math.ceil(places.pages / 16);
    throw new VmOptionsError(`the host has no ${mib} MiB of memory for this VM; give it less`, {
      cause,
    });
  }
}

/** Loads the kernel as the board's boot protocol wants it. */
async function load(
  options: VmOptions,
  services: HostServices,
  board: Board,
  memory: GuestMemory,
): Promise<{ start: Start; tohost?: number }> {
  if (board.boot === 'bare-elf') {
    const elf = loadElf(memory, options.kernel, elfMachine.riscv64);
    const tohost = elf.symbols.get('tohost');
    const start = { protocol: 'bare-elf', entry: elf.entry } as const;
    return tohost === undefined ? { start } : { start, tohost };
  }
  const commandLine = options.append ?? '';
  const architecture = options.arch ?? defaultArchitecture;
  checkCommandLine(commandLine, architecture);
  const image = await readLinuxImage(options.kernel, architecture, services.decompress);
  const rngSeed = new Uint8Array(32);
  services.random(rngSeed);
  const initrd = options.initrd ?? new Uint8Array();
  const tree = (range?: { address: number; size: number }): Uint8Array =>
    writeDeviceTree(deviceTree(board, { commandLine, rngSeed, ...(range && { initrd: range }) }));
  // The tree's size does not depend on where the initramfs lies.
  const size = tree(initrd.length > 0 ? { address: 0, size: 0 } : undefined).length;
  const layout = planLinux(image, board.ram, size, initrd.length);
  placeLinux(memory, layout, image, tree(layout.initrd), initrd);
  const { kernel, deviceTree: dtb } = layout;
  return { start: { protocol: board.boot, entry: kernel.address, deviceTree: dtb.address } };
}

/** Looks whether a bare program has written its result to tohost: 1 is success, else code << 1 | 1. */
function pollTohost(parts: Parts): () => Ending | undefined {
  const { tohost, memory } = parts;
  if (tohost === undefined) return () => undefined;
  return () => {
    const value = memory.read64(tohost) ?? 0n;
    if ((value & 1n) === 0n) return undefined;
    return { kind: 'poweroff', code: Number((value >> 1n) & 0xffff_ffffn) };
  };
}
