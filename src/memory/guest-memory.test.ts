import assert from 'node:assert/strict';
import test from 'node:test';
import { GuestMemory } from './guest-memory.ts';

const BASE = 0x8000_0000;

function ram() {
  const changes: [number, number][] = [];
  const buffer = new SharedArrayBuffer(8192);
  const memory = new GuestMemory(buffer, 4096, BASE, 4096, (a, n) => changes.push([a, n]));
  return { memory, changes, whole: new Uint8Array(buffer) };
}

test('values are little-endian, land at the host offset and are announced', () => {
  const { memory, changes, whole } = ram();
  assert.ok(memory.write8(BASE, 0x11));
  assert.ok(memory.write16(BASE + 1, 0x2233));
  assert.ok(memory.write32(BASE + 5, 0xfedc_ba98));
  assert.ok(memory.write64(BASE + 4088, 0xffee_ddcc_bbaa_9988n));
  assert.deepEqual(
    [...whole.subarray(4096, 4105)],
    [0x11, 0x33, 0x22, 0, 0, 0x98, 0xba, 0xdc, 0xfe],
  );
  assert.equal(memory.read8(BASE), 0x11);
  assert.equal(memory.read16(BASE + 1), 0x2233);
  assert.equal(memory.read32(BASE + 5), 0xfedc_ba98);
  assert.equal(memory.read64(BASE + 4088), 0xffee_ddcc_bbaa_9988n);
  assert.deepEqual(changes, [
    [BASE, 1],
    [BASE + 1, 2],
    [BASE + 5, 4],
    [BASE + 4088, 8],
  ]);
});

test('an access outside RAM, however small the part outside, does nothing', () => {
  const { memory, changes } = ram();
  for (const address of [BASE - 1, BASE + 4090, BASE + 4096, 0, 2 ** 52, Number.NaN]) {
    assert.equal(memory.read64(address), undefined);
    assert.equal(memory.write64(address, 1n), false);
    assert.equal(memory.bytes(address, 8), undefined);
    assert.equal(memory.write(address, new Uint8Array(8)), false);
    assert.equal(memory.contains(address, 8), false);
  }
  for (const address of [BASE - 1, BASE + 4096, Number.NaN]) {
    assert.equal(memory.read8(address), undefined);
    assert.equal(memory.read16(address), undefined);
    assert.equal(memory.read32(address), undefined);
    assert.equal(memory.write8(address, 1), false);
    assert.equal(memory.write16(address, 1), false);
    assert.equal(memory.write32(address, 1), false);
  }
  assert.equal(memory.bytes(BASE, -1), undefined);
  assert.equal(memory.bytes(BASE, 2 ** 40), undefined);
  assert.deepEqual(changes, []);
});

test('a view is live and covers up to the last byte', () => {
  const { memory, changes } = ram();
  const view = memory.bytes(BASE + 4094, 2);
  view?.set([0xcd, 0xab]);
  memory.wrote(BASE + 4094, 2);
  assert.equal(memory.read16(BASE + 4094), 0xabcd);
  assert.equal(memory.bytes(BASE + 4096, 0)?.length, 0);
  assert.deepEqual(changes, [[BASE + 4094, 2]]);
});

test('atomic halfwords must be aligned', () => {
  const { memory } = ram();
  assert.ok(memory.atomicWrite16(BASE + 2, 0x1234));
  assert.equal(memory.atomicRead16(BASE + 2), 0x1234);
  assert.equal(memory.atomicWrite16(BASE + 3, 1), false);
  assert.equal(memory.atomicRead16(BASE + 3), undefined);
  assert.equal(memory.atomicRead16(BASE + 4096), undefined);
});
