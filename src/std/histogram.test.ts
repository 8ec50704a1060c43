import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('without measurements everything is 0', () => {
  const histogram = new Histogram();
  equal(histogram.count, 0);
  equal(histogram.max, 0);
  equal(histogram.percentile(0.99), 0);
});

test('the largest measurement is exact', () => {
  const histogram = new Histogram();
  for (const value of [3, 1234.5, 17]) histogram.record(value);
  equal(histogram.max, 1234.5);
  equal(histogram.percentile(1), 1234.5);
  equal(histogram.count, 3);
});

test('percentiles are at most a sixteenth above the true ones', () => {
  const values = fc.array(fc.double({ min: 0, max: 2 ** 41, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (measured, share) => {
      const histogram = new Histogram();
      for (const value of measured) histogram.record(value);
      const sorted = measured.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1]!;
      const found = histogram.percentile(share);
      ok(found >= exact, `${found} is below ${exact}`);
      ok(exact >= 2 ** 39 || found <= exact * (1 + 1 / 16) + 1, `${found} is far above ${exact}`);
    }),
  );
});
