// disks.ts: the kinds of disks, and what the user hears when one fails.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { memoryStore } from '../../device/virtio/block/memory-store.ts';
import { keptOpen, openDisks } from './disks.ts';

async function makeImage(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'isola-disks-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'disk.img');
  await writeFile(path, new Uint8Array(64 * 1024).fill(1));
  return { directory, path };
}

const none = () => assert.fail('there is nothing to warn of');
const data = new Uint8Array(512).fill(9);

test('a plain disk is written, one with an overlay is not', async (t) => {
  const { directory, path } = await makeImage(t);
  const delta = join(directory, 'delta');
  for (const overlay of ['memory', { path: delta }, { path: delta }, undefined] as const) {
    const disks = await openDisks([{ path, ...(overlay && { overlay }) }], none);
    const [store] = disks.stores;
    assert.equal(store?.readOnly, false);
    await store.write(1024, data);
    const read = new Uint8Array(512);
    await store.read(1024, read);
    assert.deepEqual(read, data);
    await disks.close();
    assert.equal((await readFile(path))[1024], overlay === undefined ? 9 : 1);
  }
  const again = await openDisks([{ path: path, overlay: { path: delta } }], none);
  const kept = new Uint8Array(512);
  await again.stores[0]?.read(1024, kept);
  await again.close();
  assert.deepEqual(kept, data, 'changes in an overlay file are there again');
});

test('a read-only disk, and combinations that make no sense', async (t) => {
  const { path } = await makeImage(t);
  const disks = await openDisks([{ path, readOnly: true }], none);
  assert.equal(disks.stores[0]?.readOnly, true);
  await disks.close();
  const both = openDisks([{ path, readOnly: true, overlay: 'memory' }], none);
  await assert.rejects(both, { name: 'VmOptionsError' });
  const missing = openDisks([{ path }, { path: `${path}.no` }], none);
  await assert.rejects(missing, { name: 'BlockFileError', message: /there is no disk image/ });
});

test('an overlay of another disk is refused and left alone', async (t) => {
  const { directory, path } = await makeImage(t);
  const other = join(directory, 'other');
  await writeFile(other, 'precious'.repeat(100_000));
  const opening = openDisks([{ path, overlay: { path: other } }], none);
  await assert.rejects(opening, { name: 'VmOptionsError', message: /cannot be used as overlay/ });
  assert.equal((await readFile(other, 'utf8')).slice(0, 8), 'precious');
});

test('the first failure of a store is told once, and again at the end', async () => {
  const full = {
    ...memoryStore(new Uint8Array(4096)),
    write: () => Promise.reject(new Error('no space is left')),
  };
  const warnings: string[] = [];
  const disks = await openDisks([{ store: full }], (message) => warnings.push(message));
  const [store] = disks.stores;
  for (let i = 0; i < 3; i++) await assert.rejects(store!.write(0, data));
  assert.deepEqual(warnings, ['no space is left']);
  await assert.rejects(disks.close(), {
    name: 'VmFailedError',
    message: 'a disk is not complete: no space is left',
  });
});

test('a store that is kept open is flushed instead of closed', async () => {
  const calls: string[] = [];
  const store = keptOpen({
    ...memoryStore(new Uint8Array(4096)),
    flush: async () => void calls.push('flush'),
    close: async () => void calls.push('close'),
  });
  await store.close();
  assert.deepEqual(calls, ['flush']);
});
