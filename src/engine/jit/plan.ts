// What to make of requests for regions: one that is part of another of the batch is not made twice, and a region that
// exists and would now lead to the place asked for is made anew instead.

import type { Isa } from '../../isa/shared/isa.ts';
import { type BasicBlock, find } from './discover.ts';

/** A region to make. */
export interface RegionRequest {
  /** Host offset of its entry. */
  readonly host: number;
  /** Offsets in the page where control is known to have arrived; if absent, nothing is known. */
  readonly arrivals?: readonly number[] | undefined;
  /** Regions of the page. One that leads to this place now, as it did not before, is made anew in place of this. */
  readonly neighbours?: readonly Neighbour[] | undefined;
  /** The table's element for the region. */
  readonly slot: number;
  /** Virtual address of its entry, for explanations. */
  readonly pc?: bigint | undefined;
}

/** A region that exists, by offsets in its page. */
export interface Neighbour {
  readonly entry: number;
  readonly blocks: readonly number[];
}

/** The code of a region that is going to be made. */
export interface Plan {
  /** None if there is no code. */
  readonly blocks: readonly BasicBlock[];
  /** Offset in the page. */
  readonly entry: number;
  readonly replaced?: number | undefined;
  /** The region of another plan has this code. */
  isPart: boolean;
}

/** Where its blocks begin, as offsets in the page. */
export const offsetsOf = ({ blocks, entry }: Plan): readonly number[] =>
  blocks.map(({ distance }) => entry + distance);

/** What to make of each request of a batch. */
export function planBatch(
  isa: Isa,
  u16: Uint16Array,
  batch: readonly RegionRequest[],
): readonly Plan[] {
  const plans: Plan[] = [];
  const pageOf = ({ host }: RegionRequest): number => host - (host % 4096);
  for (const request of batch) {
    const isNear = ({ isPart }: Plan, i: number): boolean =>
      !isPart && pageOf(batch[i]!) === pageOf(request);
    plans.push(plan(isa, u16, request, plans.filter(isNear)));
  }
  return plans;
}

/** What to make of a request. `near`: regions of its page that are going to be made. */
function plan(isa: Isa, u16: Uint16Array, request: RegionRequest, near: readonly Plan[]): Plan {
  const { host, arrivals, neighbours = [] } = request;
  const entry = host % 4096;
  const part = { blocks: [], entry, isPart: true };
  if (near.some((other) => offsetsOf(other).includes(entry))) return part;
  const halfword = (at: number): number => u16[(host - entry + at) >>> 1]!;
  const page = { isa, halfword, arrivals: arrivals && new Set(arrivals) };
  const blocks = find(page, entry) ?? [];
  const own = new Set(blocks.map(({ distance }) => entry + distance));
  for (const [replaced, neighbour] of neighbours.entries()) {
    // Where control arrived in spite of a region, another one is of use.
    if (neighbour.blocks.includes(entry) || !neighbour.blocks.some((at) => own.has(at))) continue;
    if (near.some((other) => other.entry === neighbour.entry)) continue;
    const grown = { blocks: find(page, neighbour.entry) ?? [], entry: neighbour.entry };
    const isReached = grown.blocks.some(({ distance }) => grown.entry + distance === entry);
    if (isReached) return { ...grown, replaced, isPart: false };
  }
  return { blocks, entry, isPart: false };
}
