// What it means to be able to run vCPUs: the one interface behind which interpreter, evaluator and translators stand.

import type { ControllerRegisters } from '../ir/node.ts';
import type { Isa } from '../isa/shared/isa.ts';
import type { Exit } from '../isa/shared/vcpu.ts';
import type { Bus } from '../memory/bus.ts';
import type { RegionExplanation } from './jit/explain.ts';
import type { RemoteTranslator } from './jit/translator.ts';
import type { Places } from './places.ts';

/** Bytes of decoded and translated code that an executor keeps: by default, and the least with which it works. */
export const CODE_CACHE: number = 128 * 1024 * 1024;
export const CODE_CACHE_LEAST: number = 1024 * 1024;

/** Everything an executor needs of its VM. */
export interface ExecutorOptions {
  readonly isa: Isa;
  readonly memory: WebAssembly.Memory;
  readonly places: Places;
  /** Guest-physical address of the first byte of RAM. */
  readonly ramBase: number;
  readonly bus: Bus;
  /** The guest's time, in ticks of its timebase. */
  readonly time: () => bigint;
  /** The registers of a vCPU's interface to an interrupt controller outside, by the vCPU's number. */
  readonly controllerOf?: ((vcpu: number) => ControllerRegisters | undefined) | undefined;
  /** The host's monotonic time in nanoseconds, for statistics. */
  readonly now?: () => bigint;
  /** Whether generated code counts what it does; it does so only then, for it costs time. */
  readonly statistics?: boolean | undefined;
  /** Most bytes of decoded and translated code to keep, at least CODE_CACHE_LEAST; CODE_CACHE if absent. */
  readonly codeCacheBytes?: number | undefined;
  /** Translates on another thread; without one, vCPUs wait for their translations. */
  readonly translator?: RemoteTranslator | undefined;
  /** Hears how each region was made, where it is made on this thread. */
  readonly explain?: ((explanation: RegionExplanation) => void) | undefined;
}

/** Runs vCPUs. `cpu` is a vCPU's host offset. */
export interface Executor {
  /** Runs until `budget` instructions are done or something needs attention. Takes pending interrupts first. */
  run(cpu: number, budget: number): Exit;
  /** Guest-physical memory was changed from outside; host offsets. */
  wrote(host: number, length: number): void;
  /** Forgets the cached address translations of a vCPU. */
  flushTlb(cpu: number): void;
  readonly counts: Readonly<Record<string, number>>;
}
