// Which accesses of a region look first at the page that was accessed last through the same register: those in loops.
//
// Why by register: a loop's accesses through one register mostly stay in one page, and the place to look at does not
// depend on the address, so that the access waits for nothing. The pages lie in the vCPU's record, not in locals:
// locals that a loop changes make V8 move values about wherever control meets.
// Invariant: a last page goes when such an entry of the TLB goes, and when vcpu.dataTag is found changed on entry.

import type { Value } from '../../ir/node.ts';
import { access } from '../../isa/shared/isa.ts';
import { lastPages } from '../../isa/shared/vcpu.ts';
import type { Region } from './discover.ts';
import { blocksInLoops } from './loops.ts';

export class LastPages {
  readonly #inLoops: ReadonlySet<number>;

  constructor({ graph, flow }: Region) {
    this.#inLoops = blocksInLoops(graph, flow);
  }

  /** Whether there are any. */
  get areUsed(): boolean {
    return this.#inLoops.size > 0;
  }

  /** Where the vCPU's record has the page for an access of a kind to an address, in a block. */
  find(block: number, address: Value, kind: number): number | undefined {
    if (!this.#inLoops.has(block)) return undefined;
    const base = address.op === 'add' ? address.args[0]! : address;
    if (base.op !== 'get' || !('index' in base.register)) return undefined;
    const { index } = base.register;
    if (index >= lastPages.registers) return undefined;
    const table = kind === access.load ? lastPages.load : lastPages.store;
    return table + index * lastPages.entryBytes;
  }
}
