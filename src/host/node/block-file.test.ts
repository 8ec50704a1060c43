import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { overlay } from '../../device/virtio/block/overlay.ts';
import { storedDelta, storedDeltaBytes } from '../../device/virtio/block/stored-delta.ts';
import { BlockFileError, openBlockFile, openOverlayFile } from './block-file.ts';

/** Runs `body` in a directory of its own. */
async function inDirectory(body: (path: (name: string) => string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'isola-block-'));
  try {
    await body((name) => join(directory, name));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('reads, writes and flushes a raw image', () =>
  inDirectory(async (path) => {
    await writeFile(
      path('disk'),
      Uint8Array.from({ length: 4096 }, (_, i) => i >>> 4),
    );
    const store = await openBlockFile(path('disk'));
    assert.deepEqual([store.size, store.readOnly], [4096, false]);
    const target = new Uint8Array(1024);
    await store.read(512, target);
    assert.deepEqual([target[0], target[1023]], [32, 95]);
    await store.write(1024, new Uint8Array(512).fill(0xee));
    await store.flush();
    await store.close();
    const bytes = await readFile(path('disk'));
    assert.deepEqual([bytes[1023], bytes[1024], bytes[1535], bytes[1536]], [63, 0xee, 0xee, 96]);
  }));

test('a read-only store cannot write, whatever the file allows', () =>
  inDirectory(async (path) => {
    await writeFile(path('disk'), new Uint8Array(512));
    const store = await openBlockFile(path('disk'), { readOnly: true });
    assert.equal(store.readOnly, true);
    await assert.rejects(store.write(0, new Uint8Array(512).fill(1)), BlockFileError);
    await store.close();
    assert.equal((await readFile(path('disk')))[0], 0);
  }));

test('what cannot be a disk is refused with what to do', () =>
  inDirectory(async (path) => {
    await writeFile(path('empty'), '');
    await writeFile(path('tiny'), 'x');
    const refusals: [file: string, reason: RegExp][] = [
      [path('missing'), /there is no disk image .*missing: check the path/],
      [path(''), /is a directory: give a raw disk image/],
      [path('empty'), /has 0 bytes: a disk has at least 512/],
      [path('tiny'), /has 1 bytes/],
      ['/dev/null', /not a regular file/],
    ];
    for (const [file, reason] of refusals) {
      for (const readOnly of [false, true]) {
        await assert.rejects(openBlockFile(file, { readOnly }), (error) => {
          return error instanceof BlockFileError && reason.test(error.message);
        });
      }
    }
  }));

test('an incomplete last sector is left out, with a warning, and never changed', () =>
  inDirectory(async (path) => {
    await writeFile(path('disk'), new Uint8Array(1000).fill(3));
    const warnings: string[] = [];
    const store = await openBlockFile(path('disk'), {
      onWarning: (text) => void warnings.push(text),
    });
    assert.equal(store.size, 512);
    assert.match(warnings.join(), /does not see its last 488 bytes/);
    await store.write(0, new Uint8Array(512));
    await store.close();
    assert.equal((await readFile(path('disk')))[512], 3);
    assert.equal((await stat(path('disk'))).size, 1000);
  }));

test('errors reject every operation and are told once', () =>
  inDirectory(async (path) => {
    await writeFile(path('disk'), new Uint8Array(4096));
    const errors: BlockFileError[] = [];
    const store = await openBlockFile(path('disk'), {
      onError: (error) => void errors.push(error),
    });
    await truncate(path('disk'), 1024);
    await assert.rejects(
      store.read(512, new Uint8Array(1024)),
      /ends at byte 1024; it was truncated/,
    );
    await assert.rejects(store.read(2048, new Uint8Array(512)), BlockFileError);
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message ?? '', /disk cannot be read/);
    await store.read(0, new Uint8Array(1024));
    await store.close();
  }));

test('an overlay file is created sparse and keeps its changes', () =>
  inDirectory(async (path) => {
    const size = 1 << 20;
    await writeFile(path('base'), new Uint8Array(size).fill(5));
    const open = async () => {
      const base = await openBlockFile(path('base'), { readOnly: true });
      const file = await openOverlayFile(path('overlay'), storedDeltaBytes(size));
      return overlay(base, await storedDelta(file, size));
    };
    const first = await open();
    await first.write(512, new Uint8Array(512).fill(6));
    await first.close();
    const again = await open();
    const target = new Uint8Array(2048);
    await again.read(0, target);
    assert.deepEqual([target[0], target[512], target[1024]], [5, 6, 5]);
    await again.close();
    assert.equal((await readFile(path('base')))[512], 5);
    const { size: length, blocks } = await stat(path('overlay'));
    assert.ok(length > size && blocks * 512 < length / 4);
    await assert.rejects(openOverlayFile(path(''), 512), /is a directory|cannot be opened/);
  }));
