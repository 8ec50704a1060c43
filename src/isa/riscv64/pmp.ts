// Physical memory protection. Privileged ISA, section 3.7.
// Rare (only boards that start in machine mode have entries), so written as helpers in TypeScript.
//
// Invariant: an answer that does not hold for the whole page sets vcpu.uncached, so that no TLB entry outlives it.

import { helper } from '../../ir/builder.ts';
import type { HelperContext, RegisterFile, StateField } from '../../ir/node.ts';
import { access } from '../shared/isa.ts';
import { vcpu } from '../shared/vcpu.ts';
import { hart, pmpaddr, pmpcfg } from './state.ts';

const R = 1n;
const W = 2n;
const X = 4n;
const L = 0x80n;
const PAGE = 4096n;
const PHYSICAL_BITS = 56n;
const ADDRESS_BITS = (1n << 54n) - 1n;

const cellOf = (file: RegisterFile, index: number): StateField => ({
  name: `${file.name}${index}`,
  type: 'i64',
  offset: file.offset + 8 * index,
});

/** The bytes [low, high) that an entry matches, and its configuration; undefined if it is off. */
function rangeOf(context: HelperContext, index: number) {
  const config = context.get(cellOf(pmpcfg, index));
  const address = context.get(cellOf(pmpaddr, index));
  switch ((config >> 3n) & 3n) {
    case 1n: {
      const low = index === 0 ? 0n : context.get(cellOf(pmpaddr, index - 1)) << 2n;
      return { low, high: address << 2n, config };
    }
    case 2n:
      return { low: address << 2n, high: (address << 2n) + 4n, config };
    case 3n: {
      const ones = address ^ (address + 1n);
      const low = (address & ~ones) << 2n;
      return { low, high: low + ((ones + 1n) << 2n), config };
    }
    default:
      return undefined;
  }
}

/** Sets hart.pmpChecked: nothing need be checked where the first entry that is on permits everything everywhere. */
function updateChecked(context: HelperContext): void {
  const count = Number(context.get(hart.pmpEntries));
  let first: ReturnType<typeof rangeOf>;
  for (let i = 0; i < count && first === undefined; i++) first = rangeOf(context, i);
  const isOpen = first?.low === 0n && first.high >> PHYSICAL_BITS !== 0n;
  const all = R | W | X;
  context.set(hart.pmpChecked, isOpen && (first!.config & all) === all ? 0n : 1n);
}

/** `(physical, access, mode) → 1` if permitted, else 0. */
export const pmpCheck = helper(
  'pmp_check',
  ['i64', 'i32', 'i32'],
  'i32',
  (context, address, kind, mode) => {
    const needed = kind === BigInt(access.load) ? R : kind === BigInt(access.store) ? W : X;
    const page = address & ~(PAGE - 1n);
    const count = Number(context.get(hart.pmpEntries));
    for (let i = 0; i < count; i++) {
      const range = rangeOf(context, i);
      if (range === undefined || range.low >= range.high) continue;
      const touches = range.low < page + PAGE && range.high > page;
      const covers = range.low <= page && range.high >= page + PAGE;
      if (touches && !covers) context.set(vcpu.uncached, 1n);
      if (address < range.low || address >= range.high) continue;
      if (mode === 3n && (range.config & L) === 0n) return 1n;
      return (range.config & needed) === 0n ? 0n : 1n;
    }
    return mode === 3n ? 1n : 0n;
  },
);

/** `(first entry) → ` the eight configuration bytes of a pmpcfg register. */
export const readPmpcfg = helper('read_pmpcfg', ['i64'], 'i64', (context, first) => {
  let value = 0n;
  for (let i = 0n; i < 8n; i++) {
    value |= context.get(cellOf(pmpcfg, Number(first + i))) << (8n * i);
  }
  return value;
});

/** `(first entry, value)`: writes the unlocked configuration bytes; R=0 W=1 is reserved and keeps the old byte. */
export const writePmpcfg = helper('write_pmpcfg', ['i64', 'i64'], null, (context, first, value) => {
  if (context.get(hart.pmpEntries) === 0n) return 0n;
  for (let i = 0n; i < 8n; i++) {
    const cell = cellOf(pmpcfg, Number(first + i));
    const byte = (value >> (8n * i)) & 0x9fn;
    const reserved = (byte & (R | W)) === W;
    if ((context.get(cell) & L) === 0n && !reserved) context.set(cell, byte);
  }
  updateChecked(context);
  return 0n;
});

/** `(entry) → ` pmpaddr. */
export const readPmpaddr = helper('read_pmpaddr', ['i64'], 'i64', (context, index) =>
  context.get(cellOf(pmpaddr, Number(index))),
);

/** `(entry, value)`: writes pmpaddr unless the entry, or a locked TOR entry above it, locks it. */
export const writePmpaddr = helper(
  'write_pmpaddr',
  ['i64', 'i64'],
  null,
  (context, index, value) => {
    if (context.get(hart.pmpEntries) === 0n) return 0n;
    const own = context.get(cellOf(pmpcfg, Number(index)));
    const next = index < 15n ? context.get(cellOf(pmpcfg, Number(index) + 1)) : 0n;
    const lockedAbove = (next & L) !== 0n && ((next >> 3n) & 3n) === 1n;
    if ((own & L) === 0n && !lockedAbove) {
      context.set(cellOf(pmpaddr, Number(index)), value & ADDRESS_BITS);
      updateChecked(context);
    }
    return 0n;
  },
);
