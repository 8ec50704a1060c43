// The table of counters: sections, units and shares, and counters that nobody declared.

import { equal, match, doesNotMatch } from 'node:assert/strict';
import { test } from 'node:test';
import { statsTable } from './stats.ts';

const idle = { instructions: 0, slices: 0, sleeps: 0, sleptMs: 0 };

test('sections with units and shares', () => {
  const stats = {
    ...idle,
    instructions: 4_000_000,
    slices: 10,
    regionRetired: 3_000_000,
    regions: 4,
    regionBlocks: 8,
    regionBytes: 2_500_000,
    encodeUs: 300,
    compileUs: 100,
    'device.uart.reads': 5,
    'device.uart.writes': 0,
  };
  const table = `\
Guest instructions
  all                                            4,000,000
  interpreted                                    1,000,000        25.0 %
  in translated regions                          3,000,000        75.0 %
  million a second, from start to end                  2.0

Translation
  regions made                                           4
  guest blocks translated                                8
  WebAssembly code                                     2.5 MB
  IR, passes and encoding                            300.0 us
  the host's compilation                             100.0 us
  both, for each block                                50.0 us
  both, of the time from start to end                  0.0 %

Time slices
  slices                                                10
  time from start to end                             2.000 s

Devices
  uart reads                                             5
`;
  equal(statsTable(stats, 2), table);
});

test('misses and the hit rate of the TLB', () => {
  const counted = { instructions: 1000, interpretedAccesses: 400, walks: 4 };
  const misses = { tlbMissLoad: 3, tlbMissStore: 1, tlbMissFetch: 4 };
  const table = statsTable({ ...idle, ...counted, ...misses }, 1);
  match(table, /first-level TLB knew +99\.0 %/);
  match(table, /loads that missed the first-level TLB +3$/m);
  match(table, /walks through page tables +4 +50\.0 %$/m);
  doesNotMatch(table, /Other counters/);
});

test('long times are in milliseconds', () => {
  match(
    statsTable({ ...idle, regionBlocks: 1, encodeUs: 1_234_567 }, 2),
    /encoding +1,234\.6 ms$/m,
  );
});

test('a counter without a label appears under its name', () => {
  match(statsTable({ ...idle, somethingNew: 7 }, 1), /^Other counters\n {2}somethingNew +7$/m);
});

test('nothing counted, nothing said', () => {
  const table = statsTable({ ...idle, regions: 0, exitsDue: 0 }, 1);
  doesNotMatch(table, /regions|exits|NaN|Infinity/);
});
