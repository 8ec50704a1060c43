import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK, Chunks } from './chunks.ts';

test('chunks are taken in order and given back', () => {
  const chunks = new Chunks(CHUNK, 3 * CHUNK + 100);
  assert.equal(chunks.bytes, 3 * CHUNK);
  const taken = [chunks.take(), chunks.take(), chunks.take()];
  assert.deepEqual(taken, [CHUNK, 2 * CHUNK, 3 * CHUNK]);
  assert.equal(chunks.take(), undefined);
  assert.equal(chunks.usedBytes, 3 * CHUNK);
});

test('what is buried cannot be taken before the next safe point', () => {
  const chunks = new Chunks(0, CHUNK);
  const only = chunks.take()!;
  chunks.bury([only]);
  assert.equal(chunks.free, 0);
  assert.equal(chunks.take(), undefined);
  chunks.exhume();
  assert.equal(chunks.usedBytes, 0);
  assert.equal(chunks.take(), only);
});
