// The page that was accessed last through the same register, at which accesses in the loops of regions look first.
//
// Why by register: a loop's accesses through one register mostly stay in one page, and the place to look at does not
// depend on the address, so that the access waits for nothing. The pages lie in the vCPU's record, not in locals:
// locals that a loop changes make V8 move values about wherever control meets.
// Invariant: a last page goes when such an entry of the TLB goes, and when vcpu.dataTag is found changed on entry.

import type { Value } from '../../ir/node.ts';
import { access } from '../../isa/shared/isa.ts';
import { lastPages } from '../../isa/shared/vcpu.ts';

/** Where the vCPU's record has the page for an access of a kind (isa/shared/isa.ts) to an address, if it keeps one. */
export function lastPageOf(address: Value, kind: number): number | undefined {
  const base = address.op === 'add' ? address.args[0]! : address;
  if (base.op !== 'get' || !('index' in base.register)) return undefined;
  const { index } = base.register;
  if (index >= lastPages.registers) return undefined;
  const table = kind === access.load ? lastPages.load : lastPages.store;
  return table + index * lastPages.entryBytes;
}
