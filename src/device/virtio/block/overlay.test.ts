import assert from 'node:assert/strict';
import test from 'node:test';
import { seeded } from '../../test-context.ts';
import { memoryDelta } from './memory-delta.ts';
import { memoryStore } from './memory-store.ts';
import { overlay, overlayBlockBytes } from './overlay.ts';
import { storedDelta, storedDeltaBytes } from './stored-delta.ts';
import type { BlockStore } from './store.ts';

const SIZE = 40 * 1024 + 512;

const baseBytes = (): Uint8Array => Uint8Array.from({ length: SIZE }, (_, i) => (i >>> 9) ^ i);

/** The same overlay over either delta. */
const kinds: Record<string, (base: BlockStore) => Promise<BlockStore>> = {
  memory: async (base) => overlay(base, memoryDelta(base.size)),
  stored: async (base) => {
    const store = memoryStore(new Uint8Array(storedDeltaBytes(base.size)));
    return overlay(base, await storedDelta(store, base.size));
  },
};

async function contents(store: BlockStore): Promise<Uint8Array> {
  const bytes = new Uint8Array(store.size);
  await store.read(0, bytes);
  return bytes;
}

for (const [kind, create] of Object.entries(kinds)) {
  test(`${kind}: reads and writes agree with an array, also at the same time`, async () => {
    const base = baseBytes();
    const disk = await create(memoryStore(base, { readOnly: true }));
    const model = base.slice();
    const next = seeded(5);
    for (let round = 0; round < 200; round++) {
      // Disjoint sectors at once: blocks are shared, bytes are not.
      const work: Promise<void>[] = [];
      let at = (next() % 8) * 512;
      while (at < SIZE) {
        const length = Math.min((1 + (next() % 24)) * 512, SIZE - at);
        const bytes = new Uint8Array(length).fill(next());
        if (next() % 4 === 0) {
          work.push(disk.zero?.(at, length) ?? Promise.resolve());
          model.fill(0, at, at + length);
        } else if (next() % 2 === 0) {
          work.push(disk.write(at, bytes));
          model.set(bytes, at);
        }
        at += length + (next() % 12) * 512;
      }
      await Promise.all(work);
      assert.deepEqual(await contents(disk), model, `round ${round}`);
    }
    assert.deepEqual(base, baseBytes(), 'the base is never written');
    await disk.close();
  });

  test(`${kind}: concurrent first writes to one block both survive`, async () => {
    const disk = await create(memoryStore(baseBytes()));
    const model = baseBytes();
    const writes = [0, 1, 2, 3, 4, 5, 6, 7].map((sector) => {
      const bytes = new Uint8Array(512).fill(sector + 1);
      model.set(bytes, sector * 512);
      return disk.write(sector * 512, bytes);
    });
    await Promise.all(writes);
    assert.deepEqual(await contents(disk), model);
  });
}

test('a failing base fails the write and nothing else', async () => {
  const base = memoryStore(baseBytes());
  const broken = { on: true };
  const disk = overlay(
    {
      ...base,
      async read(offset, target) {
        if (broken.on) throw new Error('unreadable');
        await base.read(offset, target);
      },
    },
    memoryDelta(SIZE),
  );
  await assert.rejects(disk.write(512, new Uint8Array(512)), /unreadable/);
  broken.on = false;
  await disk.write(512, new Uint8Array(512));
  assert.equal((await contents(disk))[0], baseBytes()[0]);
});

test('blocks grow only for huge disks', () => {
  assert.equal(overlayBlockBytes(2 ** 36), 4096);
  assert.equal(overlayBlockBytes(2 ** 40), 65_536);
});

test('zeroed blocks of a memory delta give their memory back and read as zeros', async () => {
  const delta = memoryDelta(SIZE);
  const disk = overlay(memoryStore(baseBytes()), delta);
  await disk.write(0, new Uint8Array(16_384).fill(9));
  await disk.zero?.(512, 12_288);
  const expected = baseBytes().fill(9, 0, 16_384).fill(0, 512, 12_800);
  assert.deepEqual(await contents(disk), expected);
  assert.deepEqual([...delta.map.subarray(0, 5)], [1, 2, 2, 1, 0]);
  const inner = new Uint8Array(4096).fill(1);
  await delta.read(4096, inner);
  assert.ok(inner.every((byte) => byte === 0));
});
