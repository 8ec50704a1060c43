// Finds the code of a region: instructions reachable from an entry by direct branches inside one page, as basic blocks.
//
// Everything outside (another page, a straddling instruction, an indirect jump, too much code) is left by an exit.
// Invariants: block 0 is the entry; every instruction of a block but the last goes on to the next one; the graph of
// the blocks is reducible (an edge that would make it otherwise is an exit).

import { buildBlock } from '../../ir/builder.ts';
import type { Block, ConstNode, Node } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import { constantOperands } from '../../isa/shared/operands.ts';
import { fallsThrough } from '../lower/lower.ts';
import { analyse, type Graph } from './structure.ts';

const PAGE = 4096;
const INSTRUCTIONS_MAX = 400;

/** The page that holds the entry. */
export interface Page {
  readonly isa: Isa;
  /** Virtual address of its first byte. */
  readonly address: bigint;
  /** The 16 bits at an even offset. */
  readonly halfword: (offset: number) => number;
}

export interface Instruction {
  readonly pc: bigint;
  readonly meaning: Block;
}

/** Where control goes: a block of the region, or an address outside it. */
export type Destination = { readonly block: number } | { readonly pc: bigint };

/** How a block ends. `leave`: its last instruction leaves by itself. */
export type End =
  | { readonly kind: 'branch'; readonly taken: Destination; readonly next: Destination }
  | { readonly kind: 'jump'; readonly to: Destination }
  | { readonly kind: 'leave' };

export interface BasicBlock {
  readonly pc: bigint;
  readonly instructions: readonly Instruction[];
  readonly end: End;
}

export interface Region {
  readonly blocks: readonly BasicBlock[];
  readonly graph: Graph;
}

interface Decoded extends Instruction {
  readonly next: number;
  readonly flow:
    | { readonly kind: 'next' | 'leave' }
    | { readonly kind: 'branch' | 'jump'; readonly target: bigint };
}

/** The region that begins at an offset in a page. */
export function discover(page: Page, entry: number): Region | undefined {
  const code = new Map<number, Decoded>();
  const leaders = reach(page, entry, code);
  if (!code.has(entry)) return undefined;
  const starts = [entry, ...[...leaders].filter((at) => at !== entry && code.has(at))];
  const numbers = new Map(starts.map((at, number) => [at, number]));
  const place = (pc: bigint): Destination => {
    const number = numbers.get(Number(pc - page.address));
    return number === undefined ? { pc } : { block: number };
  };
  const blocks = starts.map((start) => blockAt(page, start, code, leaders, place));
  return reducible(blocks);
}

/** Decodes all that can be reached; gives the offsets where control arrives other than from the one before. */
function reach(page: Page, entry: number, code: Map<number, Decoded>): Set<number> {
  const leaders = new Set([entry]);
  const pending = [entry];
  const arrive = (pc: bigint): void => {
    const offset = Number(pc - page.address);
    if (offset < 0 || offset >= PAGE) return;
    leaders.add(offset);
    pending.push(offset);
  };
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    while (at < PAGE && code.size < INSTRUCTIONS_MAX) {
      if (code.has(at)) {
        leaders.add(at);
        break;
      }
      const decoded = decode(page, at);
      if (decoded === undefined) break;
      code.set(at, decoded);
      const { flow } = decoded;
      at = decoded.next;
      if (flow.kind === 'next') continue;
      if (flow.kind === 'branch') arrive(page.address + BigInt(at));
      if ('target' in flow) arrive(flow.target);
      break;
    }
  }
  return leaders;
}

/** The instruction at an offset; undefined if it does not lie in the page. */
function decode(page: Page, offset: number): Decoded | undefined {
  const { isa } = page;
  const low = page.halfword(offset);
  const length = isa.lengthOf(low);
  if (offset + length > PAGE) return undefined;
  const word = length === 2 ? low : (low | (page.halfword(offset + 2) << 16)) >>> 0;
  const row = isa.decode(word);
  const pc = page.address + BigInt(offset);
  const meaning = buildBlock((s) => {
    if (row === undefined) isa.illegal(s, BigInt(word));
    else row.meaning(s, constantOperands(row, word));
  }, pc);
  return { pc, meaning, next: offset + length, flow: flowOf(meaning) };
}

const isConst = (node: Node | undefined): node is ConstNode => node?.op === 'const';

function flowOf(meaning: Block): Decoded['flow'] {
  const last = meaning.nodes.at(-1);
  if (last?.op === 'branch' && isConst(last.args[1])) {
    return { kind: 'branch', target: last.args[1].value };
  }
  if (last?.op === 'jump' && last.kind === 'direct' && isConst(last.args[0])) {
    return { kind: 'jump', target: last.args[0].value };
  }
  return { kind: fallsThrough(meaning) ? 'next' : 'leave' };
}

function blockAt(
  page: Page,
  start: number,
  code: ReadonlyMap<number, Decoded>,
  leaders: ReadonlySet<number>,
  place: (pc: bigint) => Destination,
): BasicBlock {
  const instructions: Instruction[] = [];
  const pc = page.address + BigInt(start);
  let at = start;
  for (;;) {
    const decoded = code.get(at);
    if (decoded === undefined || (at !== start && leaders.has(at))) {
      return { pc, instructions, end: { kind: 'jump', to: place(page.address + BigInt(at)) } };
    }
    instructions.push(decoded);
    at = decoded.next;
    const next = page.address + BigInt(at);
    const { flow } = decoded;
    if (flow.kind === 'leave') return { pc, instructions, end: { kind: 'leave' } };
    if (flow.kind === 'jump') {
      return { pc, instructions, end: { kind: 'jump', to: place(flow.target) } };
    }
    if (flow.kind === 'branch') {
      const end = { kind: 'branch', taken: place(flow.target), next: place(next) } as const;
      return { pc, instructions, end };
    }
  }
}

const destinations = (end: End): readonly Destination[] => {
  if (end.kind === 'branch') return [end.taken, end.next];
  return end.kind === 'jump' ? [end.to] : [];
};

const graphOf = (blocks: readonly BasicBlock[]): Graph =>
  blocks.map(({ end }) => [
    ...new Set(destinations(end).flatMap((to) => ('block' in to ? [to.block] : []))),
  ]);

/** Makes exits of edges that lead back to a block which does not dominate their origin. */
function reducible(blocks: readonly BasicBlock[]): Region {
  const graph = graphOf(blocks);
  const flow = analyse(graph);
  if (flow.isReducible) return { blocks, graph };
  const exit = (from: number, to: Destination): Destination => {
    if (!('block' in to) || flow.order[to.block]! > flow.order[from]!) return to;
    return flow.dominates(to.block, from) ? to : { pc: blocks[to.block]!.pc };
  };
  const cut = blocks.map((block, from): BasicBlock => {
    const { end } = block;
    if (end.kind === 'jump') return { ...block, end: { kind: 'jump', to: exit(from, end.to) } };
    if (end.kind === 'leave') return block;
    const { taken, next } = end;
    return { ...block, end: { kind: 'branch', taken: exit(from, taken), next: exit(from, next) } };
  });
  return { blocks: cut, graph: graphOf(cut) };
}
