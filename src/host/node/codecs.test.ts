import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress } from './codecs.ts';

const text = new TextEncoder().encode('the same bytes '.repeat(1000));

test('unpacks what the platform packed', async () => {
  assert.deepEqual(new Uint8Array(await decompress('gzip', gzipSync(text))), text);
  assert.deepEqual(new Uint8Array(await decompress('zstd', zstdCompressSync(text))), text);
});

test('rejects what is truncated or damaged', async () => {
  await assert.rejects(decompress('gzip', gzipSync(text).subarray(0, 30)));
  await assert.rejects(decompress('zstd', zstdCompressSync(text).subarray(0, 12)));
  await assert.rejects(decompress('zstd', text));
});
