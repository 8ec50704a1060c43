// Ranges of addresses: [address, address + size), sizes in bytes and at least 1.

export interface AddressRange {
  readonly address: number;
  readonly size: number;
}

/** Two ranges that share an address, the lower one first; undefined if all are apart. */
export function firstOverlap<Range extends AddressRange>(
  ranges: readonly Range[],
): readonly [Range, Range] | undefined {
  const sorted = ranges.toSorted((a, b) => a.address - b.address);
  let before: Range | undefined;
  for (const range of sorted) {
    if (before !== undefined && range.address < before.address + before.size) {
      return [before, range];
    }
    before = range;
  }
  return undefined;
}

/** `0x10000000-0x100000ff`: the first and the last address. */
export function formatRange({ address, size }: AddressRange): string {
  return `${hex(address)}-${hex(address + size - 1)}`;
}

/** `0x` and hexadecimal digits. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
