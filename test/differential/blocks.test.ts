// Random blocks against QEMU's user mode. ISOLA_BLOCKS and ISOLA_SEED choose how many and which.

import { deepEqual, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { withoutJudges } from '../support/judges.ts';
import { type BlockExecutor, type RandomBlock, record } from './blocks/block.ts';
import { compareBlocks, minimise } from './blocks/compare.ts';
import { createBlocks, usable } from './blocks/generate.ts';
import { isola } from './blocks/isola.ts';
import { emulator } from './blocks/qemu.ts';
import { report } from './blocks/report.ts';
import { defaults, differences } from './blocks.ts';

/** On a developer's machine a part of what continuous integration runs. */
const blocks = Number(
  process.env['ISOLA_BLOCKS'] ??
    (process.env['ISOLA_REQUIRE_JUDGES'] === '1' ? defaults.blocks : 10_000),
);
/** For executors that are slow, or are like another for blocks that run once. */
const someBlocks = Math.ceil(blocks / 10);
const seed = Number(process.env['ISOLA_SEED'] ?? defaults.seed);
const skip = withoutJudges(emulator);

test(`${blocks} random blocks give what QEMU gives`, { skip }, async () => {
  deepEqual(await differences({ blocks, seed, engines: ['interpreter', 'jit'] }), []);
});

test(`${someBlocks} of them on the other executors`, { skip }, async () => {
  deepEqual(await differences({ blocks: someBlocks, seed, engines: ['hybrid', 'evaluator'] }), []);
});

test('a seed makes the same blocks, and in them are all usable instructions', () => {
  deepEqual(createBlocks(5, 20), createBlocks(5, 20));
  const drawn = new Set(createBlocks(6, 4096).flatMap(names));
  deepEqual(
    riscv64.rows.filter((row) => usable(row) && !drawn.has(row.name)),
    [],
  );
});

/** The evaluator with a mistake: `xor` gives 1 more than it should. */
function mistaken(): BlockExecutor {
  const right = isola('evaluator');
  return {
    name: 'mistaken',
    async run(given) {
      const records = await right.run(given);
      for (const [i, block] of given.entries()) {
        const xor = block.instructions.find(({ row }) => row.name === 'xor');
        if (xor !== undefined) records[i]![record.x + 8 * ((xor.word >>> 7) & 31)]! ^= 1;
      }
      return records;
    },
  };
}

const names = ({ instructions }: RandomBlock): string[] => instructions.map(({ row }) => row.name);

test('a mistake is found, made small and reported with a filetest', async () => {
  const judge = isola('evaluator');
  const all = createBlocks(7, 200);
  const [found] = await compareBlocks(all, judge, [mistaken()]);
  ok(found);
  const smallest = await minimise(found, judge);
  ok(names(found.block).includes('xor'));
  ok(smallest.block.instructions.length <= found.block.instructions.length);
  const text = report(smallest);
  match(text, /^mistaken and the judge differ:\n {2}0x80000000 {2}/);
  match(text, /# random block: .*xor/);
  match(text, /\ncode word 0x[\da-f]{8} {2}; xor /);
});
