// What a device is: a thing that answers reads and writes of its registers, drives an interrupt
// line, may reach the guest's memory, and describes itself to the guest's operating system.
//
// A device never names a machine, an instruction set or another device, and does not know its own
// address: the board places it (`Place`). Everything it needs from outside (time, randomness,
// memory, its line) comes in its context. Invariants: a register value is an integer in [0, 2^32);
// no register access ever throws, whatever the guest does; `save` gives plain JSON data and
// `restore(save())` leaves the device as it was.

import { IsolaError } from '../std/error.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DeviceTreeNode } from './device-tree-node.ts';

/**
 * Width of a register access in bytes. The bus splits an 8-byte access into two of 4, the low one
 * first.
 */
export type AccessSize = 1 | 2 | 4;

/**
 * A level-triggered interrupt line. Setting the level it already has is allowed and has no effect.
 */
export interface InterruptLine {
  set(level: boolean): void;
}

/** Time as a device sees it, in nanoseconds. */
export interface Clock {
  /** Wall time since 1970-01-01 UTC. */
  now(): bigint;
  /** Time since some fixed point; never goes back. */
  monotonic(): bigint;
  /** Calls `callback` once, when `monotonic()` has reached `atNs` (soon, if it already has). */
  schedule(atNs: bigint, callback: () => void): { cancel(): void };
}

/** What a device gets from the machine that holds it. */
export interface DeviceContext {
  readonly irq: InterruptLine;
  readonly memory: GuestMemory;
  readonly clock: Clock;
  /** Fills `bytes`, which is never shared memory, with unpredictable values. */
  random(bytes: Uint8Array): void;
}

/** JSON data: what the state of a device is saved as. */
export type SavedValue =
  | null
  | boolean
  | number
  | string
  | readonly SavedValue[]
  | { readonly [key: string]: SavedValue };

/** Saved state of a device. */
export type SavedState = { readonly [key: string]: SavedValue };

/**
 * Saved state that does not fit the device it is restored into: another kind, version or a damaged
 * file.
 */
export class SavedStateError extends IsolaError {
  override readonly name = 'SavedStateError';

  constructor(message: string) {
    super(`cannot restore this snapshot: ${message}`);
  }
}

/** Names of registers for traces and debuggers. */
interface RegisterNames {
  /** Name of the register that a read or write at `offset` reaches now, or undefined. */
  nameAt(offset: number, direction: 'read' | 'write'): string | undefined;
}

/** A device at work. */
export interface DeviceInstance {
  /** Value at `offset`, unsigned; 0 where no register is or the width is not allowed. */
  read(offset: number, size: AccessSize): number;
  /** Ignored where no register is or the width is not allowed. */
  write(offset: number, size: AccessSize, value: number): void;
  /**
   * Back to the state after power-on. Work in flight is abandoned and never touches guest memory
   * again.
   */
  reset(): void;
  save(): SavedState;
  /** The guest's memory must have been restored before. Throws {@link SavedStateError}. */
  restore(saved: SavedState): void;
  readonly registers: RegisterNames;
  /**
   * Resolves when no request is in flight in a backend. Devices without such requests have no such
   * method.
   */
  idle?(): Promise<void>;
}

/** Where a board put a device, and how it is wired. */
export interface Place {
  /** First guest physical address and length in bytes of its registers. */
  readonly address: number;
  readonly size: number;
  /** Label of its node, unique on the board. */
  readonly label: string;
  /**
   * Interrupt input it drives: label of the controller's node and the cells that controller wants.
   */
  readonly interrupt?: InterruptTarget;
  /** For an interrupt controller: what its outputs drive, in their order. */
  readonly outputs?: readonly InterruptTarget[];
}

/** An input of an interrupt controller, in that controller's own cells. */
export interface InterruptTarget {
  readonly controller: string;
  readonly cells: readonly number[];
}

/** A kind of device with its parameters and backends; `create` makes one that works. */
export interface Device<Context = DeviceContext, Instance extends DeviceInstance = DeviceInstance> {
  readonly kind: string;
  create(context: Context): Instance;
  /** The nodes that describe the device, its own first. */
  describe(place: Place): readonly DeviceTreeNode[];
}

/** Context of an interrupt controller: one line per output. */
export interface InterruptControllerContext {
  readonly outputs: readonly InterruptLine[];
}

/** An interrupt controller at work. */
export interface InterruptControllerInstance extends DeviceInstance {
  /** The input numbered `source`; the same object each time. */
  input(source: number): InterruptLine;
  /** An input that belongs to one CPU, where there are such; the same object each time. */
  ownInput?(cpu: number, number: number): InterruptLine;
  /** What a CPU reaches by instructions instead of addresses, where there is such. */
  systemInterface?(cpu: number): SystemInterface;
}

/** Registers that a CPU reaches by instructions, named as in the controller's manual. */
export interface SystemInterface {
  /** 0 for a register that is not there. */
  read(register: string): bigint;
  /** Ignored for a register that is not there. */
  write(register: string, value: bigint): void;
}

/** An interrupt controller. */
export interface InterruptController extends Device<
  InterruptControllerContext,
  InterruptControllerInstance
> {
  /** Number of the last input; inputs begin with 1. */
  readonly sources: number;
  /** The cells with which a device's node names input `source`. */
  cells(source: number): readonly number[];
}
