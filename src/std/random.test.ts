import { deepEqual, equal, notDeepEqual, ok, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from './random.ts';

const draw = (seed: bigint): number[] => {
  const random = createRandom(seed);
  return Array.from({ length: 8 }, () => random.next32());
};

test('the seed decides the numbers', () => {
  deepEqual(draw(1n), draw(1n));
  notDeepEqual(draw(1n), draw(2n));
  notDeepEqual(draw(0n), draw(1n << 63n));
});

test('below gives every number below its bound, about equally often', () => {
  const random = createRandom(7n);
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 5000; i++) counts[random.below(5)]!++;
  for (const count of counts) ok(count > 850 && count < 1150, counts.join(' '));
  equal(random.below(1), 0);
  ok(random.below(2 ** 32) < 2 ** 32);
  throws(() => random.below(0), /no random number is below 0/);
});

test('every bit is about as often one as zero', () => {
  const random = createRandom(3n);
  const ones = Array.from({ length: 64 }, () => 0);
  for (let i = 0; i < 2000; i++) {
    const value = random.bigint64();
    for (const bit of ones.keys()) ones[bit]! += Number((value >> BigInt(bit)) & 1n);
  }
  for (const count of ones) ok(count > 850 && count < 1150, ones.join(' '));
});

test('pick chooses among the items', () => {
  const random = createRandom(9n);
  const seen = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])));
  deepEqual([...seen].toSorted(), ['a', 'b', 'c']);
});
