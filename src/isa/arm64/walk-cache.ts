// The page-walk cache: where the last-level tables lie that recent walks have come to, with the attributes that the
// tables above add, so that a walk in one of their 2 MiB is the load of one descriptor. DDI 0487, D8.17 (TLB
// maintenance: what is kept of a walk may be used until it is invalidated).
//
// Invariants: what is kept holds for the translation tables' registers and for the generation of translations that are
// kept with it; an empty entry has a region that no address has. An invalidation by address that is not of the last
// level only empties all entries.

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { vcpu } from '../shared/vcpu.ts';
import { core } from './state.ts';

type I64 = Value<'i64'>;

const NO_REGION = -1n;
/** What is translated by one table of the last level: 2 MiB of addresses. */
const REGION_SHIFT = 21n;

/** Chosen by the low bits of the region. */
const entries = [
  { region: core.walkRegion0, table: core.walkTable0 },
  { region: core.walkRegion1, table: core.walkTable1 },
  { region: core.walkRegion2, table: core.walkTable2 },
  { region: core.walkRegion3, table: core.walkTable3 },
] as const;

/** Empties the cache. */
export function forgetWalks(s: Builder): void {
  for (const { region } of entries) s.setState(region, NO_REGION);
}

/** Calls `found` with the last-level table for an address and the attributes that lead there, if they are known. */
export function findTable(s: Builder, address: I64, found: (table: I64) => void): void {
  const keys = [
    [core.walkTtbr0, s.state(core.ttbr0)],
    [core.walkTtbr1, s.state(core.ttbr1)],
  ] as const;
  const generation = s.state(vcpu.tlbGeneration);
  let isOther = s.ne32(s.state(core.walkGeneration), generation);
  for (const [cell, now] of keys) isOther = s.either(isOther, s.ne(s.state(cell), now));
  s.rarely(isOther, () => {
    forgetWalks(s);
    for (const [cell, now] of keys) s.setState(cell, now);
    s.setState(core.walkGeneration, generation);
  });
  const region = s.shr_u(address, REGION_SHIFT);
  for (const [index, entry] of entries.entries()) {
    s.when(s.eq(s.and(region, 3), index), () => {
      s.when(s.eq(s.state(entry.region), region), () => {
        s.setState(vcpu.walkCacheHits, s.add(s.state(vcpu.walkCacheHits), 1));
        found(s.state(entry.table));
      });
    });
  }
}

/** Keeps the last-level table for an address; findTable has been called for it. */
export function keepTable(s: Builder, address: I64, table: I64): void {
  const region = s.shr_u(address, REGION_SHIFT);
  for (const [index, entry] of entries.entries()) {
    s.when(s.eq(s.and(region, 3), index), () => {
      s.setState(entry.region, region);
      s.setState(entry.table, table);
    });
  }
}
