import { deepEqual, equal, match } from 'node:assert/strict';
import { test } from 'node:test';
import { measure, median, quantile, tableLine } from './harness.ts';

const series = (values: readonly number[]): (() => number) => {
  let i = 0;
  return () => values[i++]!;
};

test('median and quantiles of odd and even samples', () => {
  equal(median([3, 1, 2]), 2);
  equal(median([4, 1, 2, 3]), 2.5);
  equal(quantile([1, 2, 3, 4, 5], 0.25), 2);
});

test('a result has the median of each side, and a ratio above 1 when ours is ahead', async () => {
  const peer = { name: 'peer', run: series([20, 40, 30]) };
  const lower = {
    name: 'a',
    unit: 'ms',
    better: 'lower',
    run: series([10, 30, 20]),
    peer,
  } as const;
  const result = await measure(lower, 3);
  deepEqual([result.value, result.peerValue, result.ratio], [20, 30, 1.5]);
  match(tableLine(result), /^a +20 ms +±25 % {3}peer: 30 ms, ratio 1.5$/);
  const higher = { name: 'a', unit: 'MIPS', better: 'higher', run: () => 10 } as const;
  const second = await measure({ ...higher, peer: { name: 'peer', run: () => 20 } }, 1);
  equal(second.ratio, 0.5);
  equal('ratio' in (await measure(higher, 1)), false);
});
