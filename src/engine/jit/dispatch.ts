// Makes the graph of a region reducible: WebAssembly has only loops that are entered at their head.
//
// Where control can come into a loop at more than one block, a dispatch block is put before the loop's head. Edges from
// outside to the other blocks go to it and carry a label, a number for each such block; it goes on by the label, which
// is 0 otherwise. Edges inside the loop stay as they are, so an iteration pays for one comparison with 0.
// Invariants: the graph made is reducible; the label is 0 whenever control is in a block that is no dispatch block; a
// back edge never carries a label.

import { assert } from '../../std/assert.ts';
import { type BasicBlock, type Destination, type End, redirect, successors } from './discover.ts';
import { analyse, type Flow, type Graph } from './structure.ts';

type Dispatch = End & { readonly kind: 'dispatch' };

/** Blocks, some of which may be dispatch blocks, and their graph. */
export interface Structured {
  readonly blocks: readonly BasicBlock[];
  readonly graph: Graph;
  readonly flow: Flow;
}

export const graphOf = (blocks: readonly BasicBlock[]): Graph =>
  blocks.map(({ end }) => successors(end));

/** The blocks in a reducible graph. Block 0 is the entry, and every block can be reached from it. */
export function reducible(blocks: readonly BasicBlock[]): Structured {
  const graph = graphOf(blocks);
  const flow = analyse(graph);
  if (flow.isReducible) return { blocks, graph, flow };
  const made = new Maker(blocks).blocks;
  const graphMade = graphOf(made);
  const flowMade = analyse(graphMade);
  assert(flowMade.isReducible, 'dispatch blocks make every graph reducible');
  return { blocks: made, graph: graphMade, flow: flowMade };
}

class Maker {
  readonly blocks: BasicBlock[];
  /** By the blocks to which they lead; never 0. */
  readonly #labels = new Map<number, number>();

  constructor(blocks: readonly BasicBlock[]) {
    this.blocks = [...blocks];
    this.#reduce(new Set(this.blocks.keys()), 0);
  }

  /** Sees to the loops among some blocks that are entered at one of them, apart from those through that one. */
  #reduce(members: ReadonlySet<number>, head: number): void {
    const within = (node: number): readonly number[] =>
      successors(this.blocks[node]!.end).filter((to) => to !== head && members.has(to));
    for (const loop of loops(members, within)) {
      const from = [...members].filter((node) => !loop.has(node));
      const heads = new Set(from.flatMap(within).filter((to) => loop.has(to)));
      const [first, ...others] = [...heads].toSorted(this.#byAddress);
      if (others.length === 0) this.#reduce(loop, first!);
      else
        this.#reduce(
          new Set([...loop, this.#dispatch(loop, from, first!, others)]),
          this.blocks.length - 1,
        );
    }
  }

  /** Compilers mostly place a loop's head first. */
  readonly #byAddress = (a: number, b: number): number =>
    this.blocks[a]!.distance - this.blocks[b]!.distance;

  /** Puts a dispatch block before a loop; gives its number. */
  #dispatch(
    loop: ReadonlySet<number>,
    from: readonly number[],
    first: number,
    others: readonly number[],
  ): number {
    const number = this.blocks.length;
    const pass = (to: Destination): Destination =>
      'block' in to && others.includes(to.block) ? { block: number } : to;
    const lead = (to: Destination): Destination => {
      if (!('block' in to) || !others.includes(to.block)) return to;
      return { block: number, label: this.#labelOf(to.block) };
    };
    const leadOn = (end: Dispatch): Dispatch => ({
      kind: 'dispatch',
      otherwise: lead(end.otherwise),
      cases: end.cases.map(({ label, to }) => ({ label, to: pass(to) })),
    });
    for (const node of from) {
      const block = this.blocks[node]!;
      const { end } = block;
      this.blocks[node] =
        end.kind === 'dispatch' ? { ...block, end: leadOn(end) } : redirected(block, lead);
    }
    const back = (to: Destination): Destination =>
      'block' in to && to.block === first ? { block: number } : to;
    for (const node of [...from, ...loop]) this.blocks[node] = redirected(this.blocks[node]!, back);
    const cases = others.map((block) => ({ label: this.#labelOf(block), to: { block } }));
    this.blocks.push(dispatch(this.blocks[first]!, { block: first }, cases));
    return number;
  }

  #labelOf(block: number): number {
    const label = this.#labels.get(block) ?? this.#labels.size + 1;
    this.#labels.set(block, label);
    return label;
  }
}

const redirected = (block: BasicBlock, change: (to: Destination) => Destination): BasicBlock => ({
  ...block,
  end: redirect(block.end, change),
});

/** A dispatch block in place of a block. */
function dispatch(
  { distance }: BasicBlock,
  otherwise: Destination,
  cases: Dispatch['cases'],
): BasicBlock {
  const end = { kind: 'dispatch', otherwise, cases } as const;
  return { distance, code: { nodes: [] }, instructions: 0, end };
}

/** The strongly connected components that are loops, by the algorithm of Tarjan (1972). */
function loops(
  members: ReadonlySet<number>,
  successorsOf: (node: number) => readonly number[],
): readonly ReadonlySet<number>[] {
  const found: Set<number>[] = [];
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const open = new Set<number>();
  const visit = (node: number): void => {
    const own = index.size;
    index.set(node, own);
    low.set(node, own);
    stack.push(node);
    open.add(node);
    const to = successorsOf(node);
    for (const next of to) {
      if (!index.has(next)) visit(next);
      if (open.has(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== own) return;
    const component = new Set(stack.splice(stack.indexOf(node)));
    for (const member of component) open.delete(member);
    if (component.size > 1 || to.includes(node)) found.push(component);
  };
  for (const node of members) if (!index.has(node)) visit(node);
  return found;
}
