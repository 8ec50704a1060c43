// How a region was translated, as text for people: a headline, then its basic blocks in the order of their addresses,
// then its WebAssembly. docs/reading-a-translation.md explains it with an example.
//
// Distances from the entry stand beside addresses, since the IR knows nothing else.

import type {
  BlockExplanation,
  InstructionExplanation,
  RegionExplanation,
} from '../engine/jit/explain.ts';
import type { Destination } from '../engine/jit/discover.ts';

/** The text; it ends with an empty line. `physical`: the guest-physical address of the entry. */
export function explanationText(explanation: RegionExplanation, physical: number): string {
  const { blocks, bytes, wasm } = explanation;
  const place = placeOf(explanation.pc ?? BigInt(physical));
  const inOrder = [...blocks.entries()].toSorted(([, a], [, b]) => a.distance - b.distance);
  return [
    headline(explanation, physical),
    ...inOrder.flatMap(([number, block]) => blockLines(number, block, place)),
    '',
    `  WebAssembly, ${bytes} bytes`,
    ...indented(wasm, '    '),
    '',
  ].join('\n');
}

function headline({ pc, blocks, bytes }: RegionExplanation, physical: number): string {
  const at = pc === undefined ? '' : `${hex64(pc)}, `;
  const instructions = blocks.reduce((sum, block) => sum + block.instructions.length, 0);
  const sizes = [
    counted(instructions, 'instruction'),
    counted(blocks.length, 'block'),
    `${bytes} bytes of WebAssembly`,
  ];
  return `region at ${at}physical 0x${physical.toString(16)}: ${sizes.join(', ')}`;
}

type Place = (distance: number) => string;

/** Addresses, all of the width that the entry's needs. */
function placeOf(entry: bigint): Place {
  const width = entry < 1n << 32n ? 8 : 16;
  return (distance) =>
    BigInt.asUintN(64, entry + BigInt(distance))
      .toString(16)
      .padStart(width, '0');
}

function blockLines(number: number, block: BlockExplanation, place: Place): string[] {
  const { instructions, stages } = block;
  const entry = number === 0 ? ', the entry' : '';
  return [
    '',
    `  Block ${number}${entry}: ${endText(block, place)}`,
    ...instructions.map((instruction) => instructionLine(instruction, place)),
    ...stages.flatMap(({ name, ir }) => [
      name === 'decoded' ? '    IR' : `    IR after ${name}`,
      ...indented(ir, '      '),
    ]),
  ];
}

function instructionLine(instruction: InstructionExplanation, place: Place): string {
  const { distance, word, length, text = 'no instruction' } = instruction;
  const sign = distance < 0 ? '-' : '+';
  const from = `${sign}${Math.abs(distance)}`.padStart(5);
  const bits = word
    .toString(16)
    .padStart(2 * length, '0')
    .padStart(8);
  return `    ${from}  ${place(distance)}  ${bits}  ${text}`;
}

/** Where control goes at the end of a block. */
function endText({ end }: BlockExplanation, place: Place): string {
  const to = (destination: Destination): string => {
    if (!('block' in destination)) return `leaves for 0x${place(destination.distance)}`;
    const { block, label } = destination;
    return `goes to block ${block}${label === undefined ? '' : ` with label ${label}`}`;
  };
  if (end.kind === 'jump') return to(end.to);
  if (end.kind === 'branch') return `if it branches, ${to(end.taken)}; else ${to(end.next)}`;
  if (end.kind === 'dispatch') {
    const cases = end.cases.map((each) => `with label ${each.label} ${to(each.to)}`);
    return ['dispatch', ...cases, `else ${to(end.otherwise)}`].join(', ');
  }
  const guesses = end.guesses.map((each) => `for 0x${place(each.distance)} ${to(each.to)}`);
  return [...guesses, 'leaves'].join('; else ');
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

const hex64 = (value: bigint): string => `0x${value.toString(16)}`;

const indented = (text: string, by: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => by + line);
