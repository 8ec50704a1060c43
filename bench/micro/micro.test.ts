// The programs of the micro benchmarks do what their figures are divided by.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { measure } from '../harness.ts';
import { directRing, execution, indirectRing, RING } from './execution.ts';
import { createMicroMachine, RAM } from './machine.ts';

const ROUNDS = 200;

for (const engine of ['interpreter', 'jit', 'hybrid'] as const) {
  test(`rings of jumps visit each block in each round (${engine})`, () => {
    const stride = 4160;
    const programs = { direct: directRing(stride), indirect: indirectRing(stride) };
    const counted = Object.entries(programs).map(([kind, program]) => {
      const machine = createMicroMachine({ engine, program, mapping: 'pages' });
      // a1: rounds; s0, t1 and t2: where the ring begins, where it goes next, and how far.
      const registers = { 11: ROUNDS, 8: RAM, 6: RAM, 7: stride };
      const first = machine.run(registers).instructions;
      equal(machine.run(registers).instructions, first, 'a second run is like the first');
      return [kind, first];
    });
    // Two instructions count a round, but the last, which counts and then waits; and two or three a block.
    const expected = (perBlock: number): number => ROUNDS * 2 + (ROUNDS - 1) * RING * perBlock + 1;
    deepEqual(counted, [
      ['direct', expected(2)],
      ['indirect', expected(3)],
    ]);
  });
}

test('a TLB miss costs something, and counters explain it', async () => {
  for (const benchmark of execution('interpreter')) {
    if (!benchmark.name.includes('miss')) continue;
    const { value, explain } = await measure(benchmark, 1);
    ok(value > 0 && explain?.['decoded'] === 7, benchmark.name);
  }
});
