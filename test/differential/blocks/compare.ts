// Compares what executors make of random blocks, and makes the smallest block of one that they disagree about.

import {
  type BlockExecutor,
  codeOf,
  isNop,
  isRelative,
  nopLike,
  placeOf,
  type RandomBlock,
} from './block.ts';

/** A block about which an executor and the judge disagree, with the records after. */
export interface Difference {
  readonly block: RandomBlock;
  readonly executor: BlockExecutor;
  readonly expected: Uint8Array;
  readonly actual: Uint8Array;
}

/** Runs blocks everywhere; the first difference of each executor. The judge works while the others do. */
export async function compareBlocks(
  blocks: readonly RandomBlock[],
  judge: BlockExecutor,
  executors: readonly BlockExecutor[],
): Promise<Difference[]> {
  const judging = judge.run(blocks);
  judging.catch(() => {}); // awaited below
  const results = [];
  for (const executor of executors) {
    results.push({ executor, records: await executor.run(blocks) });
  }
  const expected = await judging;
  return results.flatMap(({ executor, records }) => {
    const i = records.findIndex((actual, at) => !equal(actual, expected[at]!));
    if (i < 0) return [];
    return [{ block: blocks[i]!, executor, expected: expected[i]!, actual: records[i]! }];
  });
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The smallest block found that still shows a difference: instructions that do not matter become nops or go. */
export async function minimise(difference: Difference, judge: BlockExecutor): Promise<Difference> {
  let smallest = difference;
  const attempt = async (block: RandomBlock): Promise<boolean> => {
    const [found] = await compareBlocks([block], judge, [difference.executor]);
    if (found !== undefined) smallest = found;
    return found !== undefined;
  };
  await attempt(smallest.block);
  for (let i = 0; i < smallest.block.instructions.length; i++) {
    const { instructions } = smallest.block;
    const replaced = instructions.with(i, nopLike(instructions[i]!));
    if (!isNop(instructions[i]!)) await attempt({ ...smallest.block, instructions: replaced });
  }
  await attempt(atFirstPlace(smallest.block));
  const { instructions } = smallest.block;
  const isJump = instructions.some(({ row }) => isRelative(row) || /jalr|c\.jr/.test(row.name));
  const needed = instructions.filter((instruction) => !isNop(instruction));
  if (!isJump) await attempt({ ...smallest.block, instructions: needed });
  return smallest;
}

/** The block moved to where filetests have their code, with the pointers into it. */
function atFirstPlace(block: RandomBlock): RandomBlock {
  const before = block.before.slice();
  const registers = new BigUint64Array(before.buffer, 0, 32);
  const [from, to] = [placeOf(block.index), placeOf(0)];
  const end = from + codeOf(block).length + 2048;
  for (const [i, value] of registers.entries()) {
    if (i > 0 && value >= from - 2048 && value <= end) registers[i] = value - BigInt(from - to);
  }
  return { ...block, index: 0, before };
}
