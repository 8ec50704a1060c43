import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { type BasicBlock, type Destination, successors } from './discover.ts';
import { reducible } from './dispatch.ts';

/** Blocks that only branch: the successors of each, at most two. */
const blocksOf = (graph: readonly (readonly number[])[]): BasicBlock[] =>
  graph.map(([taken, next], number) => {
    const common = { distance: number * 4, code: { nodes: [] }, instructions: 1 };
    if (taken === undefined) return { ...common, end: { kind: 'leave', guesses: [] } };
    if (next === undefined) return { ...common, end: { kind: 'jump', to: { block: taken } } };
    return { ...common, end: { kind: 'branch', taken: { block: taken }, next: { block: next } } };
  });

/** Where control gets to from a destination, through dispatch blocks, with the label that it then has. */
function arrive(blocks: readonly BasicBlock[], to: Destination, label: number): number {
  ok('block' in to);
  const { end } = blocks[to.block]!;
  const carried = to.label ?? label;
  if (end.kind !== 'dispatch') return to.block;
  const taken = end.cases.find((each) => each.label === carried)?.to ?? end.otherwise;
  ok('block' in taken);
  const leads = blocks[taken.block]!.end.kind === 'dispatch';
  return arrive(blocks, taken, leads ? carried : 0);
}

/** The graph of the blocks that are no dispatch blocks. */
const seenThrough = (blocks: readonly BasicBlock[]): number[][] =>
  blocks
    .filter(({ end }) => end.kind !== 'dispatch')
    .map(({ end }) => {
      if (end.kind === 'jump') return [arrive(blocks, end.to, 0)];
      if (end.kind !== 'branch') return [];
      return [arrive(blocks, end.taken, 0), arrive(blocks, end.next, 0)];
    });

test('what is reducible stays as it is', () => {
  const blocks = blocksOf([[1], [2, 3], [1], []]);
  equal(reducible(blocks).blocks, blocks);
});

const irreducible = {
  'a loop entered in the middle': [[1, 2], [2], [1, 3], []],
  'two loops, one in the other, entered at both heads': [[1, 2], [2, 4], [3], [2, 1], []],
  'a loop of three entered at each': [[1, 4], [2], [3], [1, 5], [2, 3], []],
  'loops in a row, both entered in the middle': [[1, 2], [2], [1, 3], [4, 5], [5], [4, 6], []],
};

for (const [name, graph] of Object.entries(irreducible)) {
  test(`${name} gets dispatch blocks, and control goes where it went`, () => {
    const { blocks, flow, graph: made } = reducible(blocksOf(graph));
    ok(flow.isReducible);
    ok(blocks.length > graph.length);
    deepEqual(
      made,
      blocks.map(({ end }) => successors(end)),
    );
    deepEqual(seenThrough(blocks), graph);
  });
}

test('random graphs: control goes where it went', () => {
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 500; round++) {
    const count = 3 + random(12);
    // The block after each is a successor, so that all can be reached.
    const graph = Array.from({ length: count }, (_, number) =>
      number === count - 1 ? [] : [number + 1, random(count - 1) + 1],
    );
    const { blocks, flow } = reducible(blocksOf(graph));
    ok(flow.isReducible);
    deepEqual(seenThrough(blocks), graph);
  }
});
