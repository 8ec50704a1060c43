// The MMIO side of guest physical memory: which device answers at an address, and what an access
// does.
//
// Ranges are sorted and never overlap, so a look-up is a binary search; accesses tend to repeat, so
// the last range found is tried first. An access belongs to a range only if all its bytes do.
// Devices are 32-bit: an 8-byte access is two of 4 bytes, the low one first. Where nothing is
// mapped, `find` answers undefined (from which a vCPU makes an access fault), `read` answers 0 and
// `write` does nothing. Nothing here throws for anything a guest does.

import { firstOverlap, formatRange } from '../std/range.ts';
import type { AddressRange } from '../std/range.ts';

/** What answers in a range. Offsets count from its start; values are unsigned. */
interface BusTarget {
  read(offset: number, size: 1 | 2 | 4): number;
  write(offset: number, size: 1 | 2 | 4, value: number): void;
}

/** Guest physical addresses [address, address + size) and who answers there. */
export interface BusRange extends AddressRange {
  readonly name: string;
  readonly target: BusTarget;
}

/** Widths of an access in bytes. */
export type BusAccessSize = 1 | 2 | 4 | 8;

export interface Bus {
  /** Sorted by address. */
  readonly ranges: readonly BusRange[];
  /** The range that holds all `size` bytes at `address`. */
  find(address: number, size?: number): BusRange | undefined;
  /** The value at `address`, unsigned. */
  read(address: number, size: BusAccessSize): bigint;
  /** Writes the low bytes of `value`. */
  write(address: number, size: BusAccessSize, value: bigint): void;
}

/** Two ranges that share an address: a mistake in the design of a machine. */
class BusOverlapError extends Error {
  override readonly name = 'BusOverlapError';
}

/**
 * A bus with these ranges, given in any order. Throws `BusOverlapError`, which names both, on
 * overlap.
 */
export function createBus(ranges: readonly BusRange[]): Bus {
  const overlap = firstOverlap(ranges);
  if (overlap !== undefined) {
    const [one, other] = overlap.map((range) => `'${range.name}' at ${formatRange(range)}`);
    throw new BusOverlapError(`${one} and ${other} overlap`);
  }
  const sorted = ranges.toSorted((a, b) => a.address - b.address);
  let last: BusRange | undefined;
  const find = (address: number, size = 1): BusRange | undefined => {
    if (last === undefined || !holds(last, address, size)) {
      const found = search(sorted, address);
      if (found === undefined || !holds(found, address, size)) return undefined;
      last = found;
    }
    return last;
  };
  return {
    ranges: sorted,
    find,
    read(address, size) {
      const range = find(address, size);
      if (range === undefined) return 0n;
      const offset = address - range.address;
      if (size !== 8) return BigInt(range.target.read(offset, size));
      const low = range.target.read(offset, 4);
      return (BigInt(range.target.read(offset + 4, 4)) << 32n) | BigInt(low);
    },
    write(address, size, value) {
      const range = find(address, size);
      if (range === undefined) return;
      const offset = address - range.address;
      if (size !== 8) {
        range.target.write(offset, size, Number(BigInt.asUintN(8 * size, value)));
        return;
      }
      range.target.write(offset, 4, Number(BigInt.asUintN(32, value)));
      range.target.write(offset + 4, 4, Number(BigInt.asUintN(32, value >> 32n)));
    },
  };
}

function holds(range: BusRange, address: number, size: number): boolean {
  return address >= range.address && address + size <= range.address + range.size;
}

/** The last range that starts at or below `address`. */
function search(sorted: readonly BusRange[], address: number): BusRange | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = sorted[middle];
    if (range !== undefined && range.address <= address) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
