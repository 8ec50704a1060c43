// The hit rate of the first-level TLB from counters.

import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { accesses, tlbHitRate } from './tlb-hit-rate.ts';

test('translated instructions are taken to access memory as often as interpreted ones', () => {
  const stats = { instructions: 1000, regionRetired: 900, interpretedAccesses: 40 };
  equal(accesses(stats), 400);
  equal(tlbHitRate({ ...stats, tlbMissLoad: 3, tlbMissStore: 1 }), 0.99);
});

test('without counts there is no rate', () => {
  ok(Number.isNaN(tlbHitRate({ instructions: 10, tlbMissLoad: 3 })));
  ok(Number.isNaN(tlbHitRate({ instructions: 10, regionRetired: 10 })));
});
