// Which registers a region uses, and which it may have changed where: what its entry loads and its exits store.
//
// Sets are bits: bit n is the n-th register that the region names. The sets are those of a forward data-flow problem
// without kills: a register changed on some way to a place counts as changed there.

import { type AnyRegister, type Block, registerOffset, type RegisterType } from '../../ir/node.ts';
import type { Region } from './discover.ts';

export interface RegisterSets {
  /** Offsets in the vCPU's record of all registers that the region names, and their types. */
  readonly used: readonly (readonly [offset: number, type: RegisterType])[];
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
  const types = new Map<number, RegisterType>();
  const own = region.blocks.map(({ code }) => changes(code, bits, types));
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
  return { used: [...types], changed: own.reduce((a, b) => a | b, 0n), after };
}

/** Registers that a block sets; all that it names get a bit. */
function changes(
  block: Block,
  bits: Map<number, bigint>,
  types: Map<number, RegisterType>,
): bigint {
  let changed = 0n;
  for (const node of block.nodes) {
    if (node.op === 'get' || node.op === 'set') {
      const { register } = node;
      if (!('index' in register)) continue;
      const offset = registerOffset(register.file, register.index);
      const bit = bits.get(offset) ?? 1n << BigInt(bits.size);
      bits.set(offset, bit);
      types.set(offset, register.file.type);
      if (node.op === 'set') changed |= bit;
    } else if (node.op === 'if') {
      changed |= changes(node.taken, bits, types) | changes(node.otherwise, bits, types);
    } else if (node.op === 'loop') changed |= changes(node.body, bits, types);
  }
  return changed;
}

/** Where a register lies in the vCPU's record; translated code names registers by number only. */
export function offsetOf(register: AnyRegister): number {
  if ('index' in register) return registerOffset(register.file, register.index);
  throw new TypeError('a translated instruction has no open operands');
}
