// How often the first-level TLBs knew the page of a load or store, from the counters of a VM with statistics.
//
// Translated code does not count its accesses: that would cost much of what the TLB saves. The interpreter counts, and
// instructions that were translated are taken to access memory as often as those that were interpreted.

type Counters = Readonly<Record<string, number>>;

/** Loads, stores and atomics of all instructions, estimated; not a number if nothing was counted. */
export function accesses(stats: Counters): number {
  const { instructions = 0, regionRetired = 0, interpretedAccesses = 0 } = stats;
  return (instructions * interpretedAccesses) / (instructions - regionRetired || Number.NaN);
}

/** The share of these that the first-level TLBs knew, 0 to 1; not a number if nothing was counted. */
export function tlbHitRate(stats: Counters): number {
  const { tlbMissLoad = 0, tlbMissStore = 0 } = stats;
  const all = accesses(stats);
  return all > 0 ? Math.max(0, 1 - (tlbMissLoad + tlbMissStore) / all) : Number.NaN;
}
