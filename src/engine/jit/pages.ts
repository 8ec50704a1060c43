// The pages that a region's loops go to: for each register through which loops load or store, locals that hold the page
// last accessed that way. As long as an address lies in it, the access needs no look into the TLB.
//
// Why by register: a loop's accesses through one register mostly stay in one page. Outside loops it would not pay.
// Invariants: what a local says of a page was in the TLB under the region's tag, and is forgotten where the TLB is
// flushed and where the region is entered; a page of stores gets no code while the region runs, since blocks are
// decoded only outside.

import type { Block, Node, Value } from '../../ir/node.ts';
import { access } from '../../isa/shared/isa.ts';
import type { Code } from '../../wasm/code.ts';
import { NO_PAGE, type PageLocals } from '../lower/lower.ts';
import type { Region } from './discover.ts';
import { blocksInLoops } from './loops.ts';
import { type LocalUse, offsetOf } from './registers.ts';

export class Pages {
  readonly #code: Code;
  readonly #inLoops: ReadonlySet<number>;
  readonly #locals = new Map<number, PageLocals>();

  constructor(code: Code, { blocks, graph, flow }: Region) {
    this.#code = code;
    this.#inLoops = blocksInLoops(graph, flow);
    for (const number of this.#inLoops) this.#take(blocks[number]!.code);
  }

  #take(block: Block): void {
    for (const node of block.nodes) {
      const key = keyOfAccess(node);
      if (key === undefined || this.#locals.has(key)) continue;
      const locals = { address: this.#code.local('i64'), addend: this.#code.local('i32') };
      this.#locals.set(key, locals);
    }
  }

  /** The locals for an access of a kind to an address, in a block. */
  find(block: number, address: Value, kind: number): PageLocals | undefined {
    if (!this.#inLoops.has(block)) return undefined;
    const key = keyOf(address, kind);
    return key === undefined ? undefined : this.#locals.get(key);
  }

  /** What the locals hold, for people. */
  *uses(): Generator<[local: number, use: LocalUse]> {
    for (const [key, { address, addend }] of this.#locals) {
      const register = key >>> 1;
      const kind = key % 2 === access.load ? 'load' : 'store';
      yield [address, { name: `${kind}Page`, register }];
      yield [addend, { name: `${kind}Addend`, register }];
    }
  }

  /** Emits code that makes all pages unknown. */
  forget(): void {
    for (const { address } of this.#locals.values()) {
      this.#code.i64Const(NO_PAGE);
      this.#code.localSet(address);
    }
  }
}

function keyOfAccess(node: Node): number | undefined {
  if (node.op === 'load') return keyOf(node.args[0]!, access.load);
  return node.op === 'store' ? keyOf(node.args[0]!, access.store) : undefined;
}

function keyOf(address: Value, kind: number): number | undefined {
  const base = address.op === 'add' ? address.args[0]! : address;
  return base.op === 'get' ? 2 * offsetOf(base.register) + kind : undefined;
}
