// Which blocks of a region lie in a loop: what stands there may run often for each entry.

import type { Flow, Graph } from './structure.ts';

/** The blocks from which control can come back to them; the graph is reducible. */
export function blocksInLoops(graph: Graph, flow: Flow): ReadonlySet<number> {
  const predecessors = graph.map((): number[] => []);
  for (const [from, successors] of graph.entries()) {
    for (const to of successors) predecessors[to]!.push(from);
  }
  const inside = new Set<number>();
  for (const [from, successors] of graph.entries()) {
    for (const header of successors) {
      if (flow.order[header]! > flow.order[from]!) continue;
      const body = new Set([header, from]);
      for (const node of body) {
        inside.add(node);
        if (node !== header) for (const before of predecessors[node]!) body.add(before);
      }
    }
  }
  return inside;
}
