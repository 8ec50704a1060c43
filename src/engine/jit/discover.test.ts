import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createAssembler } from '../../isa/shared/assembler.ts';
import { riscv64 } from '../../isa/riscv64/isa.ts';
import { blocksInLoops } from './loops.ts';
import { find, type Region, shape } from './discover.ts';

const { assembleProgram } = createAssembler(riscv64);

/** The region at the start of a page with this code; `arrivals` are labels. */
function regionOf(text: string, arrivals?: readonly string[]): Region {
  const { bytes, labels } = assembleProgram(text, 0n);
  const page = new Uint8Array(4096);
  page.set(bytes);
  const halfwords = new Uint16Array(page.buffer);
  const offsets = arrivals && new Set([0, ...arrivals.map((label) => Number(labels.get(label)!))]);
  const blocks = find(
    { isa: riscv64, halfword: (offset) => halfwords[offset / 2]!, arrivals: offsets },
    0,
  );
  ok(blocks);
  return shape(blocks);
}

const distances = ({ blocks }: Region): number[] =>
  blocks
    .filter(({ end }) => end.kind !== 'dispatch')
    .map(({ distance }) => distance)
    .toSorted((a, b) => a - b);

const dispatcher = (register: string): string => `
loop: lw a0, 0(a1)
  add a0, a0, a2
  jalr zero, 0(${register})
one: addi a3, a3, 1
  jal zero, loop
two: addi a3, a3, 2
  jal zero, loop
`;

test('a switch goes to the places nearby where control has arrived', () => {
  deepEqual(distances(regionOf(dispatcher('a0'), ['one', 'two'])), [0, 12, 20]);
  deepEqual(distances(regionOf(dispatcher('a0'), ['two'])), [0, 20]);
});

test('nothing is guessed of a switch where nothing is known, nor of a return', () => {
  deepEqual(distances(regionOf(dispatcher('a0'))), [0]);
  deepEqual(distances(regionOf(dispatcher('ra'), ['one', 'two'])), [0]);
});

test('a return goes to where the calls in the region came from', () => {
  const region = regionOf(`
  jal ra, callee
  jal ra, callee
  ecall
callee: addi a0, a0, 1
  jalr zero, 0(ra)
`);
  deepEqual(distances(region), [0, 4, 8, 12]);
  const callee = region.blocks.find(({ distance }) => distance === 12)!;
  equal(callee.end.kind === 'leave' && callee.end.guesses.length, 2);
});

test('blocks in loops are those that control can come back to', () => {
  const { blocks, graph, flow } = regionOf(`
  addi a0, zero, 0
outer: addi a1, zero, 0
inner: addi a1, a1, 1
  bne a1, a2, inner
  beq a1, a3, past
  addi a0, a0, 1
past: bne a0, a4, outer
  ecall
`);
  const inside = new Set([...blocksInLoops(graph, flow)].map((at) => blocks[at]!.distance));
  deepEqual(
    [...inside].toSorted((a, b) => a - b),
    [4, 8, 16, 20, 24],
  );
});
