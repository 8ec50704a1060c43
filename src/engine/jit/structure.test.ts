import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { analyse, emitStructured, type Graph } from './structure.ts';

/** Code of the structured form: nodes that choose, branches to labels, nested blocks and loops. */
type Item =
  | { readonly kind: 'node'; readonly node: number; readonly edges: Item[][] }
  | { readonly kind: 'branch'; readonly depth: number }
  | { readonly kind: 'block' | 'loop'; readonly body: Item[] };

function structure(graph: Graph): Item[] {
  const root: Item[] = [];
  const open = [root];
  const enter = (kind: 'block' | 'loop'): void => {
    const body: Item[] = [];
    open.at(-1)!.push({ kind, body });
    open.push(body);
  };
  // Lists opened for edges are no labels.
  let depth = 0;
  emitStructured(graph, analyse(graph), {
    openBlock: () => (enter('block'), void depth++),
    openLoop: () => (enter('loop'), void depth++),
    close: () => (open.pop(), void depth--),
    branch: (label) => void open.at(-1)!.push({ kind: 'branch', depth: label }),
    node(node, go) {
      const edges: Item[][] = [];
      open.at(-1)!.push({ kind: 'node', node, edges });
      for (const successor of graph[node]!) {
        const edge: Item[] = [];
        edges.push(edge);
        open.push(edge);
        go(successor);
        open.pop();
      }
    },
    get depth() {
      return depth;
    },
  });
  return root;
}

/** Runs structured code; `choose` picks an edge of each node. Gives the nodes passed, at most `limit`. */
function run(code: readonly Item[], choose: (edges: number) => number, limit: number): number[] {
  const path: number[] = [];
  /** The label that a branch is on its way to, or undefined when control falls through. */
  const items = (list: readonly Item[], depth: number): number | undefined => {
    for (const item of list) {
      const target = one(item, depth);
      if (target !== undefined) return target;
    }
    return undefined;
  };
  const one = (item: Item, depth: number): number | undefined => {
    if (path.length >= limit) return -1;
    if (item.kind === 'branch') return item.depth;
    if (item.kind === 'node') {
      path.push(item.node);
      if (item.edges.length === 0) return -1;
      return items(item.edges[choose(item.edges.length)]!, depth);
    }
    for (;;) {
      const target = items(item.body, depth + 1);
      if (target !== depth) return target;
      if (item.kind === 'block') return undefined;
    }
  };
  items(code, 0);
  return path;
}

const diamondInLoop: Graph = [[1], [2, 3], [4], [4], [1, 5], []];

test('loops, merges and dominators of a diamond inside a loop', () => {
  const flow = analyse(diamondInLoop);
  deepEqual([...flow.headers], [1]);
  deepEqual([...flow.merges], [4]);
  deepEqual(flow.dominator, [0, 0, 1, 1, 1, 4]);
  equal(flow.isReducible, true);
});

test('a loop with two entries is not reducible', () => {
  equal(analyse([[1, 2], [2], [1]]).isReducible, false);
});

/** Graphs of up to 9 nodes with up to two successors each, cut to what is reachable from node 0. */
const graphs = fc
  .array(fc.array(fc.nat(8), { maxLength: 2 }), { minLength: 1, maxLength: 9 })
  .map((lists): Graph => {
    const raw = lists.map((list) => [...new Set(list.map((to) => to % lists.length))]);
    const numbers = new Map([[0, 0]]);
    for (const from of numbers.keys()) {
      for (const to of raw[from]!) if (!numbers.has(to)) numbers.set(to, numbers.size);
    }
    return [...numbers.keys()].map((from) => raw[from]!.map((to) => numbers.get(to)!));
  });

test('structured code passes the same nodes as the graph, whatever is chosen', () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat(1)), (graph, choices) => {
      fc.pre(analyse(graph).isReducible);
      const taken: number[] = [];
      const choose = (edges: number): number => {
        const choice = (choices.next().value as number) % edges;
        taken.push(choice);
        return choice;
      };
      const path = run(structure(graph), choose, 40);
      const expected = [0];
      for (const choice of taken) {
        const next = graph[expected.at(-1)!]![choice];
        if (next !== undefined && expected.length < 40) expected.push(next);
      }
      deepEqual(path, expected);
    }),
    { numRuns: 2000 },
  );
});
