// Which registers a region uses, and which it may have changed where: what its entry loads and its exits store.
//
// Sets are bits: bit n is the n-th register that the region names. The sets are those of a forward data-flow problem
// without kills: a register changed on some way to a place counts as changed there.

import type { Block, RegisterOperand } from '../../ir/node.ts';
import type { Region } from './discover.ts';

export interface RegisterSets {
  /** Offsets in the vCPU's record of all registers that the region names. */
  readonly used: readonly number[];
  /** Registers that the region changes anywhere. */
  readonly changed: bigint;
  /** Registers that may have changed when control leaves each block. */
  readonly after: readonly bigint[];
}

/** What a local of a region's function holds: a register, by its offset in the vCPU's record, or something else. */
export type LocalUse = { readonly name: string } | { readonly register: number };

/** The sets of a region. */
export function changedBefore(region: Region): RegisterSets {
  const bits = new Map<number, bigint>();
  const own = region.blocks.map(({ code }) => changes(code, bits));
  const after = [...own];
  for (let settled = false; !settled;) {
    settled = true;
    for (const [from, successors] of region.graph.entries()) {
      for (const to of successors) {
        const merged = after[to]! | after[from]!;
        settled &&= merged === after[to];
        after[to] = merged;
      }
    }
  }
  return { used: [...bits.keys()], changed: own.reduce((a, b) => a | b, 0n), after };
}

/** Registers that a block sets; all that it names get a bit. */
function changes(block: Block, bits: Map<number, bigint>): bigint {
  let changed = 0n;
  for (const node of block.nodes) {
    if (node.op === 'get' || node.op === 'set') {
      const { register } = node;
      if (!('index' in register)) continue;
      const offset = register.file.offset + 8 * register.index;
      const bit = bits.get(offset) ?? 1n << BigInt(bits.size);
      bits.set(offset, bit);
      if (node.op === 'set') changed |= bit;
    } else if (node.op === 'if') {
      changed |= changes(node.taken, bits) | changes(node.otherwise, bits);
    } else if (node.op === 'loop') changed |= changes(node.body, bits);
  }
  return changed;
}

/** Where a register lies in the vCPU's record; translated code names registers by number only. */
export function offsetOf(register: RegisterOperand): number {
  if ('index' in register) return register.file.offset + 8 * register.index;
  throw new TypeError('a translated instruction has no open operands');
}
