// A driver that means no good: seeded random register writes and random queue contents against any
// virtio device.
//
// What must hold, whatever it does: nothing throws, every call returns, memory outside RAM is not
// asked for, and a reset brings back a device that works like a new one.

import { assert } from '../../std/assert.ts';
import { RAM_BASE, seeded } from '../test-context.ts';
import { TestDriver, REGISTER, rings, SIZE } from './test-driver.ts';
import { feature } from './virtio.ts';
import type { VirtioDevice, VirtioInstance } from './virtio.ts';

type Driver = TestDriver<VirtioInstance>;

/**
 * Runs `rounds` of misuse with `seed` and gives back the driver, with nothing in flight in a
 * backend.
 */
export async function misuse(device: VirtioDevice, seed: number, rounds: number): Promise<Driver> {
  const driver = new TestDriver(device, 0x2_0000);
  const next = seeded(seed);
  const features =
    feature.version1 | feature.indirectDescriptors | feature.eventIndex | feature.ringReset;
  for (let round = 0; round < rounds; round++) {
    driver.start(next() % 2 === 0 ? features : feature.version1);
    for (let step = 0; step < 4; step++) {
      if (next() % 2 === 0) scribble(driver, next, device.queueSizes.length);
      if (next() % 3 === 0) offerRandomChains(driver, next, device.queueSizes.length);
      if (next() % 3 === 0) pokeRegisters(driver, next);
      driver.set(REGISTER.notify, next() % 3);
    }
    if (next() % 4 === 0) await driver.mmio.idle?.();
  }
  driver.set(REGISTER.status, 0);
  await driver.mmio.idle?.();
  return driver;
}

/** Random bytes over the rings, as they stand. */
function scribble({ memory }: Driver, next: () => number, queues: number): void {
  const { descriptors, available, used } = rings(next() % queues);
  for (let i = next() % 20; i > 0; i--) {
    const base = [descriptors, available, used][next() % 3] ?? descriptors;
    memory.write32(base + (next() % 64) * 4, next());
  }
}

/** Descriptors whose fields are plausible or nearly so, made available a few at a time. */
function offerRandomChains(driver: Driver, next: () => number, queues: number): void {
  const queue = next() % queues;
  const { descriptors } = rings(queue);
  for (let i = 0; i < SIZE; i++) {
    const address = next() % 8 === 0 ? next() * 2 ** (next() % 24) : RAM_BASE + (next() % 0x2_1000);
    const length = next() % 8 === 0 ? next() : next() % 2048;
    const flags = next() % 8 === 0 ? next() % 0x1_0000 : next() % 4;
    driver.writeDescriptor(
      descriptors + 16 * i,
      Math.min(address, 2 ** 53),
      length,
      flags,
      next() % (SIZE + 1),
    );
    if (next() % 2 === 0) driver.memory.write64(RAM_BASE + 0x4000 + 16 * i, BigInt(next() % 20));
  }
  for (let i = next() % 4; i > 0; i--) driver.offer(queue, next() % (SIZE + 1), next() % 2 === 0);
}

function pokeRegisters({ mmio }: Driver, next: () => number): void {
  const sizes = [1, 2, 4] as const;
  for (let i = next() % 10; i > 0; i--) {
    const offset = next() % 2 === 0 ? (next() % 0x48) * 4 : next() % 0x200;
    const size = sizes[next() % 3] ?? 4;
    const value = next() % 2 === 0 ? next() % 256 : next();
    if (next() % 3 === 0) mmio.read(offset, size);
    else mmio.write(offset, size, value);
  }
}

/**
 * Misuses the device with several seeds; checks that a reset device equals a new one and still
 * restores.
 */
export async function checkMisuse(device: () => VirtioDevice, seeds = 40): Promise<void> {
  for (let seed = 1; seed <= seeds; seed++) {
    const driver = await misuse(device(), seed, 12);
    driver.mmio.reset();
    const [after, fresh] = [driver.mmio, new TestDriver(device()).mmio].map((mmio) => mmio.save());
    assert(JSON.stringify(after) === JSON.stringify(fresh), `seed ${seed}: reset is not complete`);
    assert(!driver.line.level, `seed ${seed}: the line stays high after a reset`);
    driver.start();
    assert(driver.get(REGISTER.status) === 15, `seed ${seed}: does not come up again`);
  }
}
