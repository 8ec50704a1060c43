// What is said about a block that an executor and the judge disagree about: the block, what differs, and a filetest.

import { disassemble } from '../../../src/isa/shared/disassembler.ts';
import { fieldValue } from '../../../src/isa/shared/row.ts';
import { hex } from '../../../src/std/range.ts';
import { base, placeOf, type RandomBlock, record, windowStart } from './block.ts';
import type { Difference } from './compare.ts';

const words = (bytes: Uint8Array): BigUint64Array => new BigUint64Array(bytes.slice().buffer);

/** What the 64-bit value at a position of a record is. */
function nameOf(position: number): string {
  const offset = 8 * position;
  if (offset === 0) return 'fcsr';
  if (offset < record.f) return `x${position}`;
  if (offset < record.signal) return `f${(offset - record.f) / 8}`;
  if (offset === record.signal) return 'signal';
  if (offset === record.pc) return 'pc at the signal';
  if (offset === record.address) return 'address accessed';
  return `mem ${hex(windowStart + offset - record.window)}`;
}

const line = (row: RandomBlock['instructions'][number], address: number): string =>
  `${hex(address)}  ${disassemble(row.row, row.word, BigInt(address))}`;

/** The block, what differs, and a filetest with the judge's results. */
export function report(difference: Difference): string {
  const { block, executor, expected, actual } = difference;
  const lines = [`${executor.name} and the judge differ:`];
  let address = placeOf(block.index);
  for (const instruction of block.instructions) {
    lines.push(`  ${line(instruction, address)}`);
    address += instruction.row.length;
  }
  const [before, wanted, got] = [words(block.before), words(expected), words(actual)];
  for (const [i, value] of wanted.entries()) {
    if (value === got[i]) continue;
    const was = `before ${hex(before[i]!)}`;
    lines.push(`  ${nameOf(i)}: ${executor.name} ${hex(got[i]!)}, judge ${hex(value)}, ${was}`);
  }
  const movable = block.index === 0;
  return [
    ...lines,
    '',
    ...(movable ? filetest(difference) : ['no filetest: it depends on its place']),
  ].join('\n');
}

const show = (values: BigUint64Array) => (i: number) => `${nameOf(i)} = ${hex(values[i]!)}`;
const fcsr = (value: bigint): string => `fflags = ${value & 31n}, frm = ${value >> 5n}`;

const trapVector = base + 0xf000;

/** The filetest (test/filetests/format.ts): all registers that the code names, the window if it is accessed. */
function filetest({ block, expected }: Difference): string[] {
  const [before, after] = [words(block.before), words(expected)];
  const named = namedRegisters(block);
  const registers = [...before.keys()].slice(1, 64).filter((i) => named.has(nameOf(i)));
  const accesses = block.instructions.some(({ row }) => row.text.includes('('));
  const changed = [...before.keys()]
    .slice(1, 64)
    .filter((i) => before[i] !== after[i] && i !== block.keeper);
  const ended = after[record.signal / 8] !== 0n;
  const end = block.instructions.reduce((at, { row }) => at + row.length, base);
  const outcome = ended
    ? `pc = ${hex(trapVector)}, mepc = ${hex(after[record.pc / 8]!)}`
    : `pc = ${hex(end)}`;
  return [
    `# random block: ${block.instructions.map(({ row }) => row.name).join(', ')}`,
    `in   mstatus = 0x6000, mtvec = ${hex(trapVector)}, ${fcsr(before[0]!)}`,
    ...registers.map((i) => `     ${show(before)(i)}`),
    ...(accesses ? memory(block.before) : []),
    ...block.instructions.map(({ row, word }, i) => {
      const bits = hex(word)
        .slice(2)
        .padStart(2 * row.length, '0');
      const text = disassemble(row, word, BigInt(base));
      return `${i === 0 ? 'code' : '    '} ${row.length === 2 ? 'half' : 'word'} 0x${bits}  ; ${text}`;
    }),
    `out  ${outcome}, ${fcsr(after[0]!)}`,
    ...changed.map((i) => `     ${show(after)(i)}`),
    ...(accesses ? memory(expected) : []),
  ];
}

/** Registers in the operands, and sp, which some instructions imply. */
function namedRegisters({ instructions }: RandomBlock): Set<string> {
  const names = instructions.flatMap(({ row, word }) =>
    Object.values(row.fields).flatMap((field) => {
      if (field.kind !== 'register') return [];
      return [`${field.file.name}${fieldValue(field, word)}`];
    }),
  );
  return new Set([...names, 'x2']);
}

/** The window in lines of 16 bytes. */
const memory = (bytes: Uint8Array): string[] =>
  Array.from({ length: (record.bytes - record.window) / 16 }, (_, i) => {
    const start = record.window + 16 * i;
    const shown = [...bytes.subarray(start, start + 16)].map((byte) =>
      byte.toString(16).padStart(2, '0'),
    );
    return `     mem ${hex(windowStart + 16 * i)} = ${shown.join(' ')}`;
  });
