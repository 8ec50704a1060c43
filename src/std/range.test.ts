import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { firstOverlap, formatRange } from './range.ts';

test('neighbours do not overlap, a shared byte does', () => {
  const low = { address: 0, size: 4 };
  const high = { address: 4, size: 4 };
  const across = { address: 3, size: 2 };
  assert.equal(firstOverlap([high, low]), undefined);
  assert.deepEqual(firstOverlap([across, low]), [low, across]);
});

test('an overlap is found exactly when some pair shares an address', () => {
  const range = fc.record({ address: fc.nat(40), size: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), (ranges) => {
      const owners = ranges.flatMap((r) => Array.from({ length: r.size }, (_, i) => r.address + i));
      const shared = new Set(owners).size < owners.length;
      assert.equal(firstOverlap(ranges) !== undefined, shared);
    }),
  );
});

test('a range prints as its first and last address', () => {
  assert.equal(formatRange({ address: 0x1000_0000, size: 0x100 }), '0x10000000-0x100000ff');
});
