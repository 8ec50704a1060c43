// cache.ts: where the cache is, that only whole guests are found, and the lock.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cacheDirectory, commitGuest, guestPlaces, loadGuest, withLock } from './cache.ts';

async function makeCache(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'isola-cache-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function commit(cache: string, kernel: string, recipe = 'r1') {
  const directory = join(guestPlaces(cache, 'riscv64').work, 'result');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'kernel'), kernel);
  await writeFile(join(directory, 'initrd'), 'initrd');
  const packages = [{ name: 'linux', version: '1', sha256: 'ab' }];
  return commitGuest(cache, directory, { arch: 'riscv64', release: '6.1', recipe, packages });
}

test('the cache is where the environment says', () => {
  assert.equal(cacheDirectory({ ISOLA_CACHE: '/a', XDG_CACHE_HOME: '/b' }), '/a');
  assert.equal(cacheDirectory({ ISOLA_CACHE: '', XDG_CACHE_HOME: '/b' }), '/b/isola');
  const fallback = join(homedir(), '.cache', 'isola');
  assert.equal(cacheDirectory({ XDG_CACHE_HOME: 'relative' }), fallback);
  assert.equal(cacheDirectory({}), fallback);
});

test('a committed guest is found again, and replaces the one before', async (t) => {
  const cache = await makeCache(t);
  assert.equal(await loadGuest(cache, 'riscv64', 'r1'), undefined);
  const first = await commit(cache, 'kernel 1');
  assert.deepEqual(await loadGuest(cache, 'riscv64', 'r1'), first);
  const second = await commit(cache, 'kernel 2');
  assert.deepEqual(await loadGuest(cache, 'riscv64', 'r1'), second);
  const names = await readdir(join(cache, 'guest'));
  const expected = ['riscv64.json', 'riscv64.work', second.manifest.directory];
  assert.deepEqual(new Set(names), new Set(expected));
  assert.deepEqual(await commit(cache, 'kernel 2'), second);
});

test('a guest of another recipe, a damaged or a missing file, or manifest: no guest', async (t) => {
  const cache = await makeCache(t);
  const { manifest } = guestPlaces(cache, 'riscv64');
  const guest = await commit(cache, 'kernel');
  assert.equal(await loadGuest(cache, 'riscv64', 'r2'), undefined);
  await writeFile(guest.kernel, 'kernal');
  assert.equal(await loadGuest(cache, 'riscv64', 'r1'), undefined);
  await rm(guest.kernel);
  assert.equal(await loadGuest(cache, 'riscv64', 'r1'), undefined);
  for (const text of ['{"format":1', '{"format":1}', '[]', 'null', '']) {
    await writeFile(manifest, text);
    assert.equal(await loadGuest(cache, 'riscv64', 'r1'), undefined, text);
  }
});

test('one holder at a time; the second waits and is told so', async (t) => {
  const cache = await makeCache(t);
  const events: string[] = [];
  const hold = (name: string) =>
    withLock(cache, 'riscv64', { onWait: () => events.push(`${name} waits`) }, async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      events.push(`${name} ends`);
    });
  await Promise.all([
    hold('a'),
    new Promise((resolve) => setTimeout(resolve, 20)).then(() => hold('b')),
  ]);
  assert.deepEqual(events, ['a begins', 'b waits', 'a ends', 'b begins', 'b ends']);
  assert.deepEqual(await readdir(join(cache, 'guest')), []);
});

test('the lock of a process that died is taken over; waiting for a live one can be aborted', async (t) => {
  const cache = await makeCache(t);
  const { root, lock } = guestPlaces(cache, 'riscv64');
  await mkdir(root, { recursive: true });
  await writeFile(lock, '1\n');
  const signal = AbortSignal.timeout(30);
  const waiting = withLock(cache, 'riscv64', { signal, onWait() {} }, () => Promise.resolve(1));
  await assert.rejects(waiting, { name: 'TimeoutError' });
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  const result = await withLock(cache, 'riscv64', { onWait() {} }, () => Promise.resolve(2));
  assert.equal(result, 2);
});

test('a cache that cannot be written: one line with what to do', async (t) => {
  const cache = join(await makeCache(t), 'file');
  await writeFile(cache, '');
  const attempt = withLock(cache, 'riscv64', { onWait() {} }, () => Promise.resolve());
  await assert.rejects(attempt, { name: 'GuestUnavailableError', reason: 'cache' });
});
