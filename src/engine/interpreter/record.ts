// A decoded instruction: 32 bytes in shared memory, followed by the next one of its block.
//
//   0   i32   index of the handler in the table
//   4   u16   distance of the instruction from the block's first, in bytes
//   6   u16   instructions of the block before this one
//   8   i64   number operand; of instructions without one, four more operands like those behind it
//   16  u16   four operands: registers' offsets in the vCPU's record, or numbers
//   24  i32   link: host offset of the record that a direct jump from here continues at, 0 if not known
//   28  u32   the instruction word
//
// A block is a header record and its instructions' records. The header holds
//
//   0   i32   host offset of the page of the block's instructions; 0 if they lie in two pages
//   4   i32   whether links from and to the block are allowed (1) or not (0)
//   8   i32   number of instructions
//   12  i32   host offset of its first instruction
//   16  i32   header of the next block in the list that it hangs in, 0 at the end (cache/code-pages.ts)
//
// Invariant: a link joins two blocks of one page of one mapping, so they are invalidated together.

import type { Field, Row } from '../../isa/shared/row.ts';

export const record = {
  bytes: 32,
  handler: 0,
  distance: 4,
  index: 6,
  number: 8,
  registers: 16,
  link: 24,
  word: 28,
} as const;

export const header = { page: 0, linkable: 4, count: 8, host: 12, next: 16 } as const;

/** Instructions in a block, at most; bounds the time between two looks at the budget. */
export const BLOCK_LIMIT = 64;

/**
 * Where the operands of a row lie in a record: a number at `record.number`, and in the four 16-bit cells one after
 * another the registers and further numbers. Where these are more, there is no such number, and its place is four more
 * cells. In cells are unsigned numbers of at most 16 bits.
 */
export function operandPlaces(row: Row): ReadonlyMap<string, number> {
  const fields = Object.entries(row.fields);
  const numbers = fields.filter(([, field]) => field.kind === 'number');
  const wide = numbers.find(([, field]) => !fitsCell(field)) ?? numbers[0];
  const inCells =
    fields.length - 1 > 4
      ? [...numbers, ...fields.filter((field) => !numbers.includes(field))]
      : fields.filter((field) => field !== wide);
  const cells = [record.registers, record.number].flatMap((at) => [at, at + 2, at + 4, at + 6]);
  if (inCells.length > cells.length || inCells.some(([, field]) => !fitsCell(field)))
    throw new RangeError(`${row.name} has too many operands for a record`);
  const places = inCells.map(([name], i) => [name, cells[i]!] as const);
  const all =
    wide === undefined || inCells.includes(wide)
      ? places
      : [[wide[0], record.number] as const, ...places];
  return new Map(all);
}

const fitsCell = (field: Field): boolean =>
  field.kind === 'register' ||
  (!field.signed && field.code === undefined && field.width + field.shift <= 16);
