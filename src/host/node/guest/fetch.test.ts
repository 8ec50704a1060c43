// fetch.ts: what it refuses, and one real fetch through apt into a cache of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fetchGuest, findGuest, type FetchProgress } from './fetch.ts';

const hasApt = spawnSync('apt-get', ['--version']).status === 0;
const needsApt = { skip: hasApt ? false : 'this machine has no apt', timeout: 300_000 };

async function makeCache(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'isola-fetch-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

test('an architecture without a default guest', async () => {
  for (const arch of ['mips', 'constructor', '']) {
    const expected = { name: 'GuestUnavailableError', reason: 'architecture' };
    await assert.rejects(fetchGuest({ arch }), expected);
    await assert.rejects(findGuest({ arch }), expected);
  }
});

test('a machine without apt: says to pass --kernel and --initrd', async (t) => {
  const directory = await makeCache(t);
  const path = process.env['PATH'];
  process.env['PATH'] = '/nonexistent';
  t.after(() => (process.env['PATH'] = path));
  await assert.rejects(fetchGuest({ arch: 'riscv64', directory }), (error: Error) => {
    assert.match(error.message, /no apt-config: pass .* --kernel and --initrd$/);
    return true;
  });
});

test('interrupted, then fetched by two at once, damaged, repaired', needsApt, async (t) => {
  const directory = await makeCache(t);
  const controller = new AbortController();
  const interrupted = fetchGuest({
    arch: 'riscv64',
    directory,
    signal: controller.signal,
    onProgress: ({ phase }) => phase === 'unpack' && controller.abort(new Error('enough')),
  });
  await assert.rejects(interrupted, { message: 'enough' });
  assert.equal(await findGuest({ arch: 'riscv64', directory }), undefined);
  assert.deepEqual(await readdir(join(directory, 'guest')), ['riscv64.work']);
  const left = await readdir(join(directory, 'guest', 'riscv64.work'));
  assert.deepEqual(left.toSorted(), ['apt', 'packages']);

  const seen: FetchProgress[] = [];
  const onProgress = (progress: FetchProgress) => seen.push(progress);
  const [guest, other] = await Promise.all([
    fetchGuest({ arch: 'riscv64', directory, onProgress }),
    fetchGuest({ arch: 'riscv64', directory, onProgress }),
  ]);
  assert.deepEqual(guest, other);
  const phases = new Set(seen.map(({ phase }) => phase));
  const expected = ['wait', 'index', 'download', 'unpack', 'build', 'done'] as const;
  assert.deepEqual(phases, new Set(expected));
  assert.ok(
    seen.every(({ fraction }) => fraction === undefined || (fraction >= 0 && fraction <= 1)),
  );

  assert.match(guest.release, /^6\.12\..*riscv64$/);
  const kernel = await readFile(guest.kernel);
  // The RISC-V boot image header: "RSC\x05" at offset 56 (kernel documentation, arch/riscv).
  assert.equal(kernel.toString('latin1', 56, 60), 'RSC\x05');
  const initrd = await readFile(guest.initrd);
  assert.equal(initrd.toString('latin1', 0, 6), '070701');
  for (const path of ['init', 'bin/busybox', 'virtio_mmio.ko', 'virtio-rng.ko', 'ext4.ko']) {
    assert.ok(initrd.includes(`${path}\0`), path);
  }
  assert.deepEqual(await findGuest({ arch: 'riscv64', directory }), guest);

  await truncate(guest.initrd, 1000);
  assert.equal(await findGuest({ arch: 'riscv64', directory }), undefined);
  assert.deepEqual(await fetchGuest({ arch: 'riscv64', directory }), guest);
  const names = await readdir(join(directory, 'guest'));
  assert.deepEqual(new Set(names), new Set(['riscv64.json', guest.manifest.directory]));
});
