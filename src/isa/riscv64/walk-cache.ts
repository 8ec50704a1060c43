// The page-walk cache: where the last-level tables lie that recent walks have come to, so that a walk in one of their
// 2 MiB is the load of one entry. An implementation may so keep entries that are not leaves until a fence that names no
// address: one that does orders accesses to leaf entries only (Privileged ISA, section 12.2.1).
//
// Invariants: what is kept holds for the satp, and for the generation of translations, that are kept with it; an empty
// entry has a region that no address has.

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { vcpu } from '../shared/vcpu.ts';
import { hart } from './state.ts';

type I64 = Value<'i64'>;

const NO_REGION = -1n;

/** Chosen by the low bits of the region. */
const entries = [
  { region: hart.walkRegion0, table: hart.walkTable0 },
  { region: hart.walkRegion1, table: hart.walkTable1 },
  { region: hart.walkRegion2, table: hart.walkTable2 },
  { region: hart.walkRegion3, table: hart.walkTable3 },
] as const;

/** What is translated by one table of the last level: 2 MiB of addresses. */
const regionOf = (s: Builder, address: I64): I64 => s.shr_u(address, 21);

/** One of four values, by two bits. */
function choose(s: Builder, bits: I64, values: readonly I64[]): I64 {
  const odd = s.ne(s.and(bits, 1), 0);
  const low = s.select(odd, values[1]!, values[0]!);
  const high = s.select(odd, values[3]!, values[2]!);
  return s.select(s.ne(s.and(bits, 2), 0), high, low);
}

/** Calls `found` with the physical address of the last-level table for an address, if it is known. */
export function findTable(s: Builder, address: I64, found: (table: I64) => void): void {
  const satp = s.state(hart.satp);
  const generation = s.state(vcpu.tlbGeneration);
  const isOther = s.either(
    s.ne(s.state(hart.walkSatp), satp),
    s.ne32(s.state(hart.walkGeneration), generation),
  );
  s.rarely(isOther, () => {
    for (const { region } of entries) s.setState(region, NO_REGION);
    s.setState(hart.walkSatp, satp);
    s.setState(hart.walkGeneration, generation);
  });
  const region = regionOf(s, address);
  const regions = entries.map((entry) => s.state(entry.region));
  s.when(s.eq(choose(s, region, regions), region), () => {
    s.setState(vcpu.walkCacheHits, s.add(s.state(vcpu.walkCacheHits), 1));
    const tables = entries.map((entry) => s.state(entry.table));
    found(choose(s, region, tables));
  });
}

/** Keeps the physical address of the last-level table for an address; findTable has been called for it. */
export function keepTable(s: Builder, address: I64, table: I64): void {
  const region = regionOf(s, address);
  for (const [index, entry] of entries.entries()) {
    s.when(s.eq(s.and(region, 3), index), () => {
      s.setState(entry.region, region);
      s.setState(entry.table, table);
    });
  }
}
