// What a virtio device and its transport are to each other: VIRTIO 1.2, chapters 2 and 3.
//
// The transport owns status, features, queues and interrupts; the device type owns its
// configuration space and what its queues mean. Neither knows the other's kind, so a device works
// behind any transport. Invariants: a queue gives chains only while the driver is up; a device does
// not throw, whatever a chain contains, but calls `fail`.

import type { AccessSize, Clock, SavedValue } from '../device.ts';
import type { Virtqueue } from './queue.ts';

/** Feature bits of the transport and the queues (chapter 6). */
export const feature = {
  indirectDescriptors: 1n << 28n,
  eventIndex: 1n << 29n,
  version1: 1n << 32n,
  ringReset: 1n << 40n,
} as const;

/** What a virtio device sees of its transport and the machine. */
export interface VirtioTransport {
  readonly queues: readonly Virtqueue[];
  readonly clock: Clock;
  /** Fills `bytes`, which is never shared memory, with unpredictable values. */
  random(bytes: Uint8Array): void;
  /** The features both sides agreed on; 0 before they did. */
  features(): bigint;
  /** Tells the driver that the configuration space changed. */
  configChanged(): void;
  /**
   * Declares the device broken until the driver resets it, because the driver broke the protocol.
   */
  fail(): void;
}

/** A virtio device at work. */
export interface VirtioInstance {
  /** Value in the configuration space; 0 outside of it. */
  readConfig(offset: number, size: AccessSize): number;
  writeConfig?(offset: number, size: AccessSize, value: number): void;
  /** The driver made buffers available in queue `index`, or may have. */
  notify(index: number): void;
  /** Back to the state after power-on; the queues are reset already. */
  reset(): void;
  save?(): SavedValue;
  /** After the queues are restored; may throw `SavedStateError`. */
  restore?(saved: SavedValue | undefined): void;
  /** Carries on with work that a restored device had begun. */
  resume?(): void;
  idle?(): Promise<void>;
}

/** A kind of virtio device with its backend. */
export interface VirtioDevice<Instance extends VirtioInstance = VirtioInstance> {
  readonly kind: string;
  /** Device ID (chapter 5). */
  readonly deviceId: number;
  /** Features of the device type; those of queues and transport are added. */
  readonly features: bigint;
  /** Largest size of each queue: powers of 2, 32768 at most. */
  readonly queueSizes: readonly number[];
  create(transport: VirtioTransport): Instance;
}

/**
 * `size` bytes at `offset` of a configuration space, little-endian; 0 where they run over its end.
 */
export function readConfigBytes(config: Uint8Array, offset: number, size: AccessSize): number {
  if (offset + size > config.length) return 0;
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (config[offset + i] ?? 0);
  return value;
}
