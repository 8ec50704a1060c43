import assert from 'node:assert/strict';
import test from 'node:test';
import { TestDriver } from '../test-driver.ts';
import { checkMisuse } from '../test-fuzz.ts';
import { virtioRng } from './device.ts';

test('buffers are filled, long ones in part', () => {
  const { start, send, used, bytes } = new TestDriver(virtioRng());
  start();
  const { head, addresses } = send(0, [4, 8]);
  const long = send(0, [9000]);
  assert.deepEqual(used(0), [
    { head, written: 12 },
    { head: long.head, written: 4096 },
  ]);
  assert.ok(new Set(bytes(addresses[1], 8)).size > 4);
  assert.notDeepEqual(bytes(long.addresses[0], 4096).slice(-8), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(bytes((long.addresses[0] ?? 0) + 4096, 4), [0, 0, 0, 0]);
});

test('a request without room is given back empty', () => {
  const { start, send, used } = new TestDriver(virtioRng());
  start();
  send(0, [Uint8Array.of(1)]);
  assert.equal(used(0)[0]?.written, 0);
});

test('misuse does no harm', async () => {
  await checkMisuse(virtioRng);
});
