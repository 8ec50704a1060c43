// The guest's side of a virtio device behind MMIO, for unit tests: brings the device up and fills its queues.
//
// It lays every queue out in RAM at fixed places and hands out data memory from a simple heap. Chains use descriptors
// in order without reusing those still in flight; tests stay below the queue size.

import assert from 'node:assert/strict';
import type { Device, DeviceContext } from '../device.ts';
import { RAM_BASE, testContext } from '../test-context.ts';
import { virtioMmio } from './mmio.ts';
import type { VirtioMmioInstance } from './mmio.ts';
import { feature } from './virtio.ts';
import type { VirtioDevice, VirtioInstance } from './virtio.ts';

export const REGISTER = {
  magic: 0x00,
  deviceId: 0x08,
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
  config: 0x100,
} as const;

export const SIZE = 16;
const QUEUE_BYTES = 0x1000;

/** A buffer of a chain: bytes for the device to read, or a number of bytes for it to write. */
export type Part = Uint8Array | number;

/** Places of a queue's rings. */
export const rings = (queue: number) => {
  const at = RAM_BASE + queue * QUEUE_BYTES;
  return { descriptors: at, available: at + 0x400, used: at + 0x800 };
};

/** A device of kind `device` with a driver that is not yet up, and the observables of its test context. */
export function drive<I extends VirtioInstance>(device: VirtioDevice<I>, ramBytes = 0x8_0000) {
  const bench = testContext({ ramBytes });
  const kind: Device<DeviceContext, VirtioMmioInstance<I>> = virtioMmio(device);
  const mmio = kind.create(bench.context);
  const { memory } = bench.context;
  const get = (at: number) => mmio.read(at, 4);
  const set = (at: number, value: number) => mmio.write(at, 4, value);
  const heads = new Map<number, number>();
  let heap = RAM_BASE + 0x4000;

  /** Negotiates `features` and readies all queues. */
  const start = (features = feature.version1): void => {
    set(REGISTER.status, 0);
    set(REGISTER.status, 1);
    set(REGISTER.status, 3);
    for (const word of [0, 1]) {
      set(REGISTER.driverFeaturesSelect, word);
      set(REGISTER.driverFeatures, Number((features >> BigInt(32 * word)) & 0xffff_ffffn));
    }
    set(REGISTER.status, 11);
    assert.equal(get(REGISTER.status), 11, 'features accepted');
    device.queueSizes.forEach((_, queue) => readyQueue(queue));
    set(REGISTER.status, 15);
  };
  const readyQueue = (queue: number, at = rings(queue)): void => {
    memory.bytes(RAM_BASE + queue * QUEUE_BYTES, QUEUE_BYTES)?.fill(0);
    heads.set(queue, 0);
    set(REGISTER.queueSelect, queue);
    set(REGISTER.queueSize, SIZE);
    for (const ring of ['descriptors', 'available', 'used'] as const) {
      set(REGISTER[ring], at[ring] >>> 0);
      set(REGISTER[ring] + 4, Math.floor(at[ring] / 2 ** 32));
    }
    set(REGISTER.queueReady, 1);
  };
  const allocate = (bytes: number): number => {
    const address = heap;
    heap += Math.ceil(bytes / 16) * 16;
    return address;
  };
  const writeDescriptor = (
    at: number,
    address: number,
    length: number,
    flags: number,
    next: number,
  ) => {
    memory.write64(at, BigInt(address));
    memory.write32(at + 8, length);
    memory.write16(at + 12, flags);
    memory.write16(at + 14, next);
  };
  /** Makes descriptor `head` available and, unless told not to, notifies. */
  const offer = (queue: number, head: number, notify = true): void => {
    const { available } = rings(queue);
    const index = memory.read16(available + 2) ?? 0;
    memory.write16(available + 4 + 2 * (index % SIZE), head);
    memory.write16(available + 2, index + 1);
    if (notify) set(REGISTER.notify, queue);
  };
  /** Offers a chain of `parts`; gives back its head and the addresses of the parts. */
  const send = (
    queue: number,
    parts: readonly Part[],
    { indirect = false, notify = true } = {},
  ) => {
    const { descriptors } = rings(queue);
    const addresses = parts.map((part) => allocate(typeof part === 'number' ? part : part.length));
    const table = indirect ? allocate(16 * parts.length) : descriptors;
    const head = heads.get(queue) ?? 0;
    const slot = (i: number) => (indirect ? i : (head + i) % SIZE);
    parts.forEach((part, i) => {
      const flags = (i + 1 < parts.length ? 1 : 0) | (typeof part === 'number' ? 2 : 0);
      const length = typeof part === 'number' ? part : part.length;
      if (typeof part !== 'number') memory.write(addresses[i] ?? 0, part);
      writeDescriptor(table + 16 * slot(i), addresses[i] ?? 0, length, flags, slot(i + 1));
    });
    if (indirect) writeDescriptor(descriptors + 16 * head, table, 16 * parts.length, 4, 0);
    heads.set(queue, (head + (indirect ? 1 : parts.length)) % SIZE);
    offer(queue, head, notify);
    return { head, addresses };
  };
  /** All completions so far, oldest first. */
  const used = (queue: number): { head: number; written: number }[] => {
    const ring = rings(queue).used;
    const count = memory.read16(ring + 2) ?? 0;
    return Array.from({ length: count }, (_, i) => ({
      head: memory.read32(ring + 4 + 8 * (i % SIZE)) ?? -1,
      written: memory.read32(ring + 8 + 8 * (i % SIZE)) ?? -1,
    }));
  };
  const bytes = (address: number | undefined, length: number): number[] => [
    ...(memory.bytes(address ?? 0, length) ?? []),
  ];
  return {
    ...bench,
    mmio,
    memory,
    get,
    set,
    start,
    readyQueue,
    send,
    offer,
    used,
    bytes,
    allocate,
    writeDescriptor,
  };
}
