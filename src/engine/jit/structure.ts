// Turns a control-flow graph into WebAssembly's nested blocks and loops, without a dispatch variable.
//
// The method is the one of N. Ramsey, "Beyond Relooper" (2022): walk the dominator tree; a loop header opens a `loop`,
// a node where forward edges merge ends a `block` around its dominator, and every edge is then a branch to an enclosing
// label or the node itself put in place. It works for reducible graphs; `isReducible` tells.
// Invariant: node 0 is the entry and every node is reachable from it.

import { assert } from '../../std/assert.ts';

/** Successors of each node, by number. */
export type Graph = readonly (readonly number[])[];

export interface Flow {
  /** Position of each node in reverse postorder. */
  readonly order: readonly number[];
  /** Immediate dominator of each node; the entry's is itself. */
  readonly dominator: readonly number[];
  /** Nodes that a back edge reaches. */
  readonly headers: ReadonlySet<number>;
  /** Nodes that more than one forward edge reaches. */
  readonly merges: ReadonlySet<number>;
  readonly isReducible: boolean;
  /** Whether every way to `node` passes `above`. */
  readonly dominates: (above: number, node: number) => boolean;
}

/** Analyses a graph. */
export function analyse(graph: Graph): Flow {
  const sequence = reversePostorder(graph);
  const order = graph.map(() => 0);
  for (const [position, node] of sequence.entries()) order[node] = position;
  const dominator = dominators(graph, sequence, order);
  const dominates = (above: number, node: number): boolean => {
    let at = node;
    while (order[at]! > order[above]!) at = dominator[at]!;
    return at === above;
  };
  const headers = new Set<number>();
  const forward = graph.map(() => 0);
  let isReducible = true;
  for (const [from, successors] of graph.entries()) {
    for (const to of successors) {
      if (order[to]! > order[from]!) forward[to]!++;
      else {
        headers.add(to);
        isReducible &&= dominates(to, from);
      }
    }
  }
  const merges = new Set(graph.keys().filter((node) => forward[node]! > 1));
  return { order, dominator, headers, merges, isReducible, dominates };
}

function reversePostorder(graph: Graph): number[] {
  const seen = new Set([0]);
  const finished: number[] = [];
  const stack = [{ node: 0, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const successor = graph[top.node]![top.next++];
    if (successor === undefined) {
      finished.push(top.node);
      stack.pop();
    } else if (!seen.has(successor)) {
      seen.add(successor);
      stack.push({ node: successor, next: 0 });
    }
  }
  assert(finished.length === graph.length, 'a node of the graph cannot be reached');
  return finished.toReversed();
}

/** The iterative algorithm of Cooper, Harvey and Kennedy (2001). */
function dominators(graph: Graph, sequence: readonly number[], order: readonly number[]): number[] {
  const predecessors: number[][] = graph.map(() => []);
  for (const [from, successors] of graph.entries()) {
    for (const to of successors) predecessors[to]!.push(from);
  }
  const dominator = graph.map(() => -1);
  dominator[0] = 0;
  const intersect = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (order[x]! > order[y]!) x = dominator[x]!;
      while (order[y]! > order[x]!) y = dominator[y]!;
    }
    return x;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of sequence.slice(1)) {
      const known = predecessors[node]!.filter((from) => dominator[from] !== -1);
      const found = known.reduce((a, b) => intersect(a, b));
      changed ||= dominator[node] !== found;
      dominator[node] = found;
    }
  }
  return dominator;
}

/** How an edge is taken at the place where it leaves its node. */
export interface Emitter {
  openBlock(): void;
  openLoop(header: number): void;
  close(): void;
  /** Emits the node; it calls `go` for each successor, at most one at a time open. */
  node(node: number, go: (successor: number) => void): void;
  /** Branches to the label that was open at `depth` labels from the outermost. */
  branch(depth: number, isBack: boolean, to: number): void;
  /** Labels open now, those that `node` opened itself included. */
  readonly depth: number;
}

/** Emits a reducible graph. */
export function emitStructured(graph: Graph, flow: Flow, emitter: Emitter): void {
  const { order, dominator, headers, merges } = flow;
  const children: number[][] = graph.map(() => []);
  for (const [node, parent] of dominator.entries()) if (node !== 0) children[parent]!.push(node);
  const loopLabels = new Map<number, number>();
  const blockLabels = new Map<number, number>();

  const tree = (node: number): void => {
    // The outermost block ends at the node that comes last.
    const followers = children[node]!.filter((child) => merges.has(child));
    followers.sort((a, b) => order[b]! - order[a]!);
    if (!headers.has(node)) return within(node, followers);
    loopLabels.set(node, emitter.depth);
    emitter.openLoop(node);
    within(node, followers);
    emitter.close();
    return undefined;
  };
  const within = (node: number, followers: readonly number[]): void => {
    const [last, ...rest] = followers;
    if (last === undefined) return emitter.node(node, (successor) => edge(node, successor));
    blockLabels.set(last, emitter.depth);
    emitter.openBlock();
    within(node, rest);
    emitter.close();
    return tree(last);
  };
  const edge = (from: number, to: number): void => {
    if (order[to]! <= order[from]!) emitter.branch(loopLabels.get(to)!, true, to);
    else if (merges.has(to)) emitter.branch(blockLabels.get(to)!, false, to);
    else tree(to);
  };
  tree(0);
}
