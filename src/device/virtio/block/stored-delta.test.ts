import assert from 'node:assert/strict';
import test from 'node:test';
import { seeded } from '../../test-context.ts';
import { memoryStore } from './memory-store.ts';
import { overlay } from './overlay.ts';
import { OverlayError, storedDelta, storedDeltaBytes } from './stored-delta.ts';
import type { BlockStore } from './store.ts';

const SIZE = 64 * 1024;
const SECTORS = SIZE / 512;

const base = (): BlockStore =>
  memoryStore(
    Uint8Array.from({ length: SIZE }, () => 0xba),
    { readOnly: true },
  );

const open = async (bytes: Uint8Array): Promise<BlockStore> =>
  overlay(base(), await storedDelta(memoryStore(bytes), SIZE));

/**
 * A store with a volatile cache: what was written since the last flush may be lost, sector by
 * sector.
 */
function volatileStore(durable: Uint8Array, next: () => number) {
  const current = durable.slice();
  const pending = new Map<number, Uint8Array[]>();
  const store: BlockStore = {
    size: durable.length,
    readOnly: false,
    async read(offset, target) {
      target.set(current.subarray(offset, offset + target.length));
    },
    async write(offset, source) {
      current.set(source, offset);
      for (let at = offset; at < offset + source.length; at += 512) {
        pending.set(at, [...(pending.get(at) ?? []), current.slice(at, at + 512)]);
      }
    },
    async flush() {
      for (const [at, versions] of pending) durable.set(versions.at(-1) ?? [], at);
      pending.clear();
    },
    async close() {},
  };
  /**
   * The contents after a crash: of each sector one of the versions since the flush, or the old one.
   */
  const crash = (): Uint8Array => {
    const after = durable.slice();
    for (const [at, versions] of pending) {
      const kept = next() % (versions.length + 1);
      const version = versions[kept - 1];
      if (version) after.set(version, at);
    }
    return after;
  };
  return { store, crash };
}

test('changes are there when the overlay is opened again', async () => {
  const bytes = new Uint8Array(storedDeltaBytes(SIZE));
  const first = await open(bytes);
  await first.write(5120, new Uint8Array(512).fill(7));
  await first.zero?.(8192, 4096);
  await first.close();
  const again = await open(bytes);
  const got = new Uint8Array(16_384);
  await again.read(0, got);
  const expected = new Uint8Array(16_384).fill(0xba).fill(7, 5120, 5632).fill(0, 8192, 12_288);
  assert.deepEqual(got, expected);
});

test('a crash loses at most what was written since the last flush', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = seeded(seed);
    const { store, crash } = volatileStore(new Uint8Array(storedDeltaBytes(SIZE)), next);
    const disk = overlay(base(), await storedDelta(store, SIZE));
    // For each sector, the fill values it may have after a crash; the first is the durable one.
    const may = Array.from({ length: SECTORS }, () => [0xba]);
    for (let step = 0; step < 30; step++) {
      if (next() % 5 === 0) {
        await disk.flush();
        for (const values of may) values.splice(0, values.length - 1);
        continue;
      }
      const sector = next() % SECTORS;
      const sectors = Math.min(1 + (next() % 20), SECTORS - sector);
      const value = next() % 3 === 0 ? 0 : next() % 256;
      if (value === 0) await disk.zero?.(sector * 512, sectors * 512);
      else await disk.write(sector * 512, new Uint8Array(sectors * 512).fill(value));
      for (let i = sector; i < sector + sectors; i++) may[i]?.push(value);
    }
    const after = await open(crash());
    const got = new Uint8Array(SIZE);
    await after.read(0, got);
    may.forEach((values, sector) => {
      const [value] = got.subarray(sector * 512);
      assert.ok(
        value !== undefined && values.includes(value),
        `seed ${seed}: ${sector} is ${value}`,
      );
    });
  }
});

test('a flush while writes go on speaks only of data that it flushed', async () => {
  const next = seeded(1);
  const { store, crash } = volatileStore(new Uint8Array(storedDeltaBytes(SIZE)), next);
  const gate = Promise.withResolvers<void>();
  const gatedFlush = { ...store, flush: () => store.flush().then(() => gate.promise) };
  await storedDelta(store, SIZE);
  const delta = await storedDelta(gatedFlush, SIZE);
  const disk = overlay(base(), delta);
  await disk.write(0, new Uint8Array(4096).fill(1));
  const flushing = disk.flush();
  // The flush has begun once its turn has come.
  await Promise.resolve();
  await disk.write(4096, new Uint8Array(4096).fill(2));
  gate.resolve();
  await flushing;
  assert.equal(delta.map[1], 1);
  const after = crash();
  assert.equal(after[4096], 1);
  assert.equal(after[4097], 0, 'the second block is not yet durable');
});

test('a flush that fails is made up for by the next', async () => {
  const bytes = new Uint8Array(storedDeltaBytes(SIZE));
  const store = memoryStore(bytes);
  const fault = { on: false };
  const delta = await storedDelta(
    {
      ...store,
      async flush() {
        if (fault.on) throw new Error('full');
      },
    },
    SIZE,
  );
  const disk = overlay(base(), delta);
  await disk.write(0, new Uint8Array(512));
  fault.on = true;
  await assert.rejects(disk.flush(), /full/);
  assert.equal(bytes[4096], 0);
  fault.on = false;
  await disk.flush();
  assert.equal(bytes[4096], 1);
});

test('what is not an overlay for this base is refused with its reason', async () => {
  const good = new Uint8Array(storedDeltaBytes(SIZE));
  await (await open(good)).close();
  const damaged = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = good.slice();
    change(bytes);
    return bytes;
  };
  const refusals: [bytes: Uint8Array, reason: RegExp][] = [
    [damaged((bytes) => void (bytes[0] = 1)), /this is no overlay/],
    [damaged((bytes) => void (bytes[8] = 2)), /version 2; this program knows version 1/],
    [damaged((bytes) => void (bytes[13] = 1)), /checksum of its header/],
    [damaged((bytes) => void (bytes[4096 + 3] = 3)), /block 3 has state 3/],
    [damaged((bytes) => void (bytes[100] = 1)), /layout/],
    [good.slice(0, -512), /needs/],
  ];
  for (const [bytes, reason] of refusals) {
    await assert.rejects(
      open(bytes),
      (error) => error instanceof OverlayError && reason.test(error.message),
    );
  }
  const readOnly = memoryStore(good, { readOnly: true });
  await assert.rejects(storedDelta(readOnly, SIZE), /read-only/);
  const large = memoryStore(new Uint8Array(2 * good.length));
  await large.write(0, good);
  await assert.rejects(
    storedDelta(large, SIZE + 512),
    /belongs to a base of 65536 bytes, not 66048/,
  );
});
