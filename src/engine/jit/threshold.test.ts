import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createThreshold } from './threshold.ts';

test('code must be hotter the more time translation takes, and no longer when it has ceased', () => {
  let time = 0n;
  const threshold = createThreshold(() => time);
  const least = threshold.samples;
  let spent = 0;
  for (let i = 0; i < 20; i++) {
    time += 100_000_000n;
    threshold.adapt((spent += 50_000));
  }
  const half = threshold.samples;
  ok(half > 3 * least);
  for (let i = 0; i < 20; i++) {
    time += 100_000_000n;
    threshold.adapt((spent += 100_000));
  }
  ok(threshold.samples > half);
  for (let i = 0; i < 50; i++) {
    time += 100_000_000n;
    threshold.adapt(spent);
  }
  equal(threshold.samples, least);
});

test('without a clock nothing adapts', () => {
  const threshold = createThreshold(undefined);
  const { samples } = threshold;
  threshold.adapt(1e6);
  equal(threshold.samples, samples);
});
