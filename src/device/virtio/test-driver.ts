// The guest's side of a virtio device behind MMIO, for unit tests: brings the device up and fills
// its queues.
//
// Every queue is laid out at a fixed place in RAM; data memory comes from a simple heap. Chains use
// descriptors in order without minding those still in flight: tests stay below the queue size.

import { assert } from '../../std/assert.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { RAM_BASE, testContext } from '../test-context.ts';
import { virtioMmio } from './mmio.ts';
import type { VirtioMmioInstance } from './mmio.ts';
import { feature } from './virtio.ts';
import type { VirtioDevice, VirtioInstance } from './virtio.ts';

/** Offsets of registers. */
export const REGISTER = {
  deviceFeatures: 0x10,
  deviceFeaturesSelect: 0x14,
  driverFeatures: 0x20,
  driverFeaturesSelect: 0x24,
  queueSelect: 0x30,
  queueSizeMax: 0x34,
  queueSize: 0x38,
  queueReady: 0x44,
  notify: 0x50,
  interruptStatus: 0x60,
  interruptAck: 0x64,
  status: 0x70,
  descriptors: 0x80,
  available: 0x90,
  used: 0xa0,
  queueReset: 0xc0,
  configGeneration: 0xfc,
} as const;

/** Size of every queue. */
export const SIZE = 16;
const QUEUE_BYTES = 0x1000;
const HEAP = RAM_BASE + 0x4000;

/** A buffer of a chain: bytes for the device to read, or a number of bytes for it to write. */
export type Part = Uint8Array | number;

const lengthOf = (part: Part): number => (typeof part === 'number' ? part : part.length);

/** Places of a queue's rings. */
export const rings = (queue: number) => {
  const at = RAM_BASE + queue * QUEUE_BYTES;
  return { descriptors: at, available: at + 0x400, used: at + 0x800 };
};

/** A device with a driver that is not yet up, and what a test observes. Its functions are bound. */
export class TestDriver<I extends VirtioInstance> {
  readonly device: VirtioDevice<I>;
  readonly mmio: VirtioMmioInstance<I>;
  readonly memory: GuestMemory;
  readonly line: { level: boolean; rises: number };
  /** Every write to RAM that was announced. */
  readonly writes: [address: number, length: number][];
  readonly #nextDescriptor = new Map<number, number>();
  #heap = HEAP;

  constructor(device: VirtioDevice<I>, ramBytes = 0x8_0000) {
    const bench = testContext({ ramBytes });
    this.device = device;
    this.mmio = virtioMmio(device).create(bench.context);
    this.memory = bench.context.memory;
    this.line = bench.line;
    this.writes = bench.writes;
  }

  readonly get = (at: number): number => {
    return this.mmio.read(at, 4);
  };

  readonly set = (at: number, value: number): void => {
    this.mmio.write(at, 4, value);
  };

  /** Resets the device, negotiates `features`, readies all queues, brings the driver up. */
  readonly start = (features = feature.version1): void => {
    for (const status of [0, 1, 3]) this.set(REGISTER.status, status);
    this.accept(features);
    this.set(REGISTER.status, 11);
    assert(this.get(REGISTER.status) === 11, 'the features are accepted');
    this.device.queueSizes.forEach((_, queue) => this.readyQueue(queue));
    this.set(REGISTER.status, 15);
  };

  /** Writes the driver's features. */
  readonly accept = (features: bigint): void => {
    for (const word of [0, 1]) {
      this.set(REGISTER.driverFeaturesSelect, word);
      this.set(REGISTER.driverFeatures, Number((features >> BigInt(32 * word)) & 0xffff_ffffn));
    }
  };

  readonly readyQueue = (queue: number, at = rings(queue)): void => {
    this.memory.bytes(RAM_BASE + queue * QUEUE_BYTES, QUEUE_BYTES)?.fill(0);
    this.#nextDescriptor.set(queue, 0);
    this.set(REGISTER.queueSelect, queue);
    this.set(REGISTER.queueSize, SIZE);
    for (const ring of ['descriptors', 'available', 'used'] as const) {
      this.set(REGISTER[ring], at[ring] >>> 0);
      this.set(REGISTER[ring] + 4, Math.floor(at[ring] / 2 ** 32));
    }
    this.set(REGISTER.queueReady, 1);
  };

  readonly writeDescriptor = (
    at: number,
    address: number,
    length: number,
    flags: number,
    next: number,
  ): void => {
    this.memory.write64(at, BigInt(address));
    this.memory.write32(at + 8, length);
    this.memory.write16(at + 12, flags);
    this.memory.write16(at + 14, next);
  };

  /** Makes descriptor `head` available and, unless told not to, notifies. */
  readonly offer = (queue: number, head: number, notify = true): void => {
    const { available } = rings(queue);
    const index = this.memory.read16(available + 2) ?? 0;
    this.memory.write16(available + 4 + 2 * (index % SIZE), head);
    this.memory.write16(available + 2, index + 1);
    if (notify) this.set(REGISTER.notify, queue);
  };

  /** Offers a chain of `parts`; gives back its head and the addresses of the parts. */
  readonly send = (queue: number, parts: readonly Part[], { indirect = false } = {}) => {
    const { descriptors } = rings(queue);
    const addresses = parts.map((part) => this.#allocate(lengthOf(part)));
    const table = indirect ? this.#allocate(16 * parts.length) : descriptors;
    const head = this.#nextDescriptor.get(queue) ?? 0;
    const slot = (i: number): number => (indirect ? i : (head + i) % SIZE);
    parts.forEach((part, i) => {
      const address = addresses[i] ?? 0;
      const flags = (i + 1 < parts.length ? 1 : 0) | (typeof part === 'number' ? 2 : 0);
      if (typeof part !== 'number') this.memory.write(address, part);
      this.writeDescriptor(table + 16 * slot(i), address, lengthOf(part), flags, slot(i + 1));
    });
    if (indirect) this.writeDescriptor(descriptors + 16 * head, table, 16 * parts.length, 4, 0);
    this.#nextDescriptor.set(queue, (head + (indirect ? 1 : parts.length)) % SIZE);
    this.offer(queue, head);
    return { head, addresses };
  };

  /** The completions so far, oldest first; 16 at most. */
  readonly used = (queue: number): { head: number; written: number }[] => {
    const ring = rings(queue).used;
    return Array.from({ length: this.memory.read16(ring + 2) ?? 0 }, (_, i) => ({
      head: this.memory.read32(ring + 4 + 8 * (i % SIZE)) ?? -1,
      written: this.memory.read32(ring + 8 + 8 * (i % SIZE)) ?? -1,
    }));
  };

  readonly bytes = (address: number | undefined, length: number): number[] => {
    return [...(this.memory.bytes(address ?? 0, length) ?? [])];
  };

  #allocate(bytes: number): number {
    const address = this.#heap;
    this.#heap += Math.ceil(bytes / 16) * 16;
    return address;
  }
}
