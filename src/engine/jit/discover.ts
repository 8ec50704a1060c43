// Finds the code of a region: instructions reachable from an entry by direct branches inside one page, as basic blocks.
// All addresses are distances from the entry, so that the region runs wherever its page is mapped.
//
// Everything outside (another page, a straddling instruction, too much code) is left by an exit. A call whose target is
// in the region brings along the address it returns to, and an indirect jump through the register that the call set is
// taken to be the return: it compares with those addresses before it leaves. An indirect jump through a register that
// no call sets is taken to be a switch: its targets are the places nearby where control has arrived and to which
// nothing else leads.
// Invariants: block 0 is the entry and every block can be reached from it; the graph of the blocks is reducible.

import { type Builder, createBuilder } from '../../ir/builder.ts';
import { type AnyRegister, type Block, type Node, registerOffset } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import { constantOperands } from '../../isa/shared/operands.ts';
import { fallsThrough } from '../lower/lower.ts';
import { graphOf, reducible } from './dispatch.ts';
import { blocksInLoops } from './loops.ts';
import type { Flow as GraphFlow, Graph } from './structure.ts';

const PAGE = 4096;
const INSTRUCTIONS_MAX = 400;
/** Addresses that a return is compared with, at most. */
const RETURNS_MAX = 4;
/** Targets of a switch, at most, and how far they lie from it, in bytes. */
const CASES_MAX = 64;
const CASES_WITHIN = 1024;

/** The page that holds the entry. */
export interface Page {
  readonly isa: Isa;
  /** The 16 bits at an even offset. */
  readonly halfword: (offset: number) => number;
  /** Offsets where control has arrived; if given, the region leaves for others, which are rarely gone to. */
  readonly arrivals: ReadonlySet<number> | undefined;
}

/**
 * Where control goes: a block of the region, with a label if it is a dispatch block (dispatch.ts), or an address
 * outside it, in bytes from the region's entry.
 */
export type Destination =
  | { readonly block: number; readonly label?: number }
  | { readonly distance: number };

/** A block to which control goes if an address is that many bytes from the entry. */
export interface Guess {
  readonly distance: number;
  readonly to: Destination & { readonly block: number };
}

/**
 * How a block ends. `leave`: its last instruction leaves by itself, or goes to a block with which it is compared.
 * `dispatch`: by the label.
 */
export type End =
  | { readonly kind: 'branch'; readonly taken: Destination; readonly next: Destination }
  | { readonly kind: 'jump'; readonly to: Destination }
  | { readonly kind: 'leave'; readonly guesses: readonly Guess[] }
  | {
      readonly kind: 'dispatch';
      readonly otherwise: Destination;
      readonly cases: readonly { readonly label: number; readonly to: Destination }[];
    };

export interface BasicBlock {
  /** Of its first instruction from the region's entry, in bytes. */
  readonly distance: number;
  /** The meanings of its instructions, one after the other; each begins with an `instruction` node. */
  readonly code: Block;
  readonly instructions: number;
  readonly end: End;
}

export interface Region {
  readonly blocks: readonly BasicBlock[];
  readonly graph: Graph;
  readonly flow: GraphFlow;
  /** Blocks that may run often for each entry. */
  readonly inLoops: ReadonlySet<number>;
}

type Flow =
  | { readonly kind: 'next' | 'leave' }
  /** The target lies that many bytes from the entry. */
  | { readonly kind: 'branch' | 'jump'; readonly target: number }
  /** An indirect jump through a register. */
  | { readonly kind: 'indirect'; readonly through: number };

interface Decoded {
  readonly meaning: Block;
  readonly next: number;
  readonly flow: Flow;
  /** The register that the instruction sets to the address after it, as a call does: its offset. */
  readonly link: number | undefined;
}

interface Reached {
  readonly code: ReadonlyMap<number, Decoded>;
  /** Offsets where control arrives other than from the one before. */
  readonly leaders: ReadonlySet<number>;
  /** Where calls return to, by the register that says so. */
  readonly returns: ReadonlyMap<number, readonly number[]>;
  /** Where switches lead to, by their offset. */
  readonly cases: ReadonlyMap<number, readonly number[]>;
}

/** The blocks that can be reached from an offset in a page, the one there first; undefined if there is no code. */
export function find(page: Page, entry: number): readonly BasicBlock[] | undefined {
  const reached = reach(page, entry);
  const { code, leaders } = reached;
  if (!code.has(entry)) return undefined;
  const starts = [entry, ...[...leaders].filter((at) => at !== entry && code.has(at))];
  const numbers = new Map(starts.map((at, number) => [at, number]));
  return reachable(starts.map((start) => blockAt(start, entry, reached, numbers)));
}

/** The region of such blocks. */
export function shape(blocks: readonly BasicBlock[]): Region {
  const { graph, flow, ...structured } = reducible(blocks);
  return { ...structured, graph, flow, inLoops: blocksInLoops(graph, flow) };
}

/** Decodes all that can be reached. */
function reach(page: Page, entry: number): Reached {
  const walk = new Walk(page, entry);
  walk.from(entry);
  for (const at of walk.switches) {
    const cases = walk.casesOf(at);
    walk.cases.set(at, cases);
    for (const to of cases) walk.from(to);
  }
  return walk;
}

class Walk implements Reached {
  readonly code = new Map<number, Decoded>();
  readonly leaders = new Set<number>();
  readonly returns = new Map<number, number[]>();
  readonly cases = new Map<number, readonly number[]>();
  /** Offsets of switches. */
  readonly switches = new Set<number>();
  readonly #page: Page;
  readonly #entry: number;
  readonly #builder = createBuilder();
  /** Offsets behind calls. */
  readonly #behindCalls = new Set<number>();
  #pending: number[] = [];

  constructor(page: Page, entry: number) {
    this.#page = page;
    this.#entry = entry;
  }

  /** Decodes what can be reached from an offset by direct branches. */
  from(offset: number): void {
    this.#follow(offset);
    for (let at = this.#pending.pop(); at !== undefined; at = this.#pending.pop()) this.#run(at);
  }

  /** Decodes up to where control does not simply go on. */
  #run(start: number): void {
    for (let at = start; at < PAGE && this.code.size < INSTRUCTIONS_MAX;) {
      if (this.code.has(at)) {
        this.leaders.add(at);
        return;
      }
      const decoded = decode(this.#page, at, this.#entry, this.#builder);
      if (decoded === undefined) return;
      this.code.set(at, decoded);
      if (decoded.flow.kind !== 'next') return this.#end(at, decoded);
      at = decoded.next;
    }
  }

  #end(at: number, { flow, link, next }: Decoded): void {
    if (link !== undefined) this.#behindCalls.add(next);
    if (flow.kind === 'branch') this.#follow(next);
    if (flow.kind === 'indirect' && this.#isSwitch(flow.through)) this.switches.add(at);
    if (!('target' in flow)) return;
    const isInside = this.#arrive(this.#entry + flow.target);
    if (!isInside || link === undefined || !this.#arrive(next)) return;
    const known = this.returns.get(link);
    if (known === undefined) this.returns.set(link, [next]);
    else if (!known.includes(next)) known.push(next);
  }

  #arrive(offset: number): boolean {
    if (offset < 0 || offset >= PAGE || this.#page.arrivals?.has(offset) === false) return false;
    return this.#follow(offset);
  }

  #follow(offset: number): true {
    this.leaders.add(offset);
    this.#pending.push(offset);
    return true;
  }

  #isSwitch(through: number): boolean {
    const { linkRegisters } = this.#page.isa;
    return !linkRegisters.some((register) => offsetOf(register) === through);
  }

  /** Where the switch at an offset may lead to: what is nearest comes first. */
  casesOf(at: number): readonly number[] {
    const distance = (to: number): number => Math.abs(to - at);
    return [...(this.#page.arrivals ?? [])]
      .filter((to) => distance(to) <= CASES_WITHIN && !this.#behindCalls.has(to))
      .filter((to) => !this.leaders.has(to) && !this.code.has(to))
      .toSorted((a, b) => distance(a) - distance(b))
      .slice(0, CASES_MAX);
  }
}

/** The instruction at an offset; undefined if it does not lie in the page. */
function decode(page: Page, offset: number, entry: number, builder: Builder): Decoded | undefined {
  const { isa } = page;
  const low = page.halfword(offset);
  const length = isa.lengthOf(low);
  if (offset + length > PAGE) return undefined;
  const word = length === 2 ? low : (low | (page.halfword(offset + 2) << 16)) >>> 0;
  const row = isa.decode(word);
  builder.instruction(offset - entry);
  if (row === undefined) isa.illegal(builder, BigInt(word));
  else row.meaning(builder, constantOperands(row, word));
  const meaning = builder.take();
  const link = linkOf(meaning, offset - entry + length);
  return { meaning, next: offset + length, flow: flowOf(meaning, link), link };
}

const offsetOf = (register: AnyRegister): number | undefined =>
  'index' in register ? registerOffset(register.file, register.index) : undefined;

function linkOf(meaning: Block, next: number): number | undefined {
  for (const node of meaning.nodes) {
    if (node.op !== 'set') continue;
    const value = node.args[0];
    if (value?.op === 'pc' && value.offset === next) return offsetOf(node.register);
  }
  return undefined;
}

function flowOf(meaning: Block, link: number | undefined): Flow {
  const last = meaning.nodes.at(-1);
  const target = last?.op === 'branch' ? last.args[1] : last?.args[0];
  if (last?.op === 'branch' && target?.op === 'pc') {
    return { kind: 'branch', target: target.offset };
  }
  if (last?.op === 'jump' && last.kind === 'direct' && target?.op === 'pc') {
    return { kind: 'jump', target: target.offset };
  }
  if (last?.op === 'jump' && last.kind === 'indirect' && link === undefined) {
    const from = meaning.nodes.find((node) => node.op === 'get');
    const through = from?.op === 'get' ? offsetOf(from.register) : undefined;
    if (through !== undefined) return { kind: 'indirect', through };
  }
  return { kind: fallsThrough(meaning) ? 'next' : 'leave' };
}

function blockAt(
  start: number,
  entry: number,
  { code, leaders, returns, cases }: Reached,
  numbers: ReadonlyMap<number, number>,
): BasicBlock {
  const nodes: Node[] = [];
  const distance = start - entry;
  let at = start;
  let instructions = 0;
  const place = (to: number): Destination => {
    const block = numbers.get(entry + to);
    return block === undefined ? { distance: to } : { block };
  };
  const ending = (end: End): BasicBlock => ({ distance, code: { nodes }, instructions, end });
  for (;;) {
    const decoded = code.get(at);
    if (decoded === undefined || (at !== start && leaders.has(at))) {
      return ending({ kind: 'jump', to: place(at - entry) });
    }
    for (const node of decoded.meaning.nodes) nodes.push(node);
    instructions++;
    const { flow } = decoded;
    if (flow.kind === 'leave') return ending({ kind: 'leave', guesses: [] });
    if (flow.kind === 'indirect') {
      const targets = cases.get(at) ?? returns.get(flow.through)?.slice(0, RETURNS_MAX) ?? [];
      const guess = (to: number): Guess[] => {
        const block = numbers.get(to);
        return block === undefined ? [] : [{ distance: to - entry, to: { block } }];
      };
      return ending({ kind: 'leave', guesses: targets.flatMap(guess) });
    }
    at = decoded.next;
    if (flow.kind === 'jump') return ending({ kind: 'jump', to: place(flow.target) });
    if (flow.kind === 'branch') {
      return ending({ kind: 'branch', taken: place(flow.target), next: place(at - entry) });
    }
  }
}

const blockOf = (to: Destination): readonly number[] => ('block' in to ? [to.block] : []);

/** The blocks that a block can go on to, as often as it has ways to do so. */
export function successors(end: End): readonly number[] {
  switch (end.kind) {
    case 'leave':
      return end.guesses.map(({ to }) => to.block);
    case 'jump':
      return blockOf(end.to);
    case 'branch':
      return [...blockOf(end.taken), ...blockOf(end.next)];
    case 'dispatch':
      return [...end.cases.flatMap(({ to }) => blockOf(to)), ...blockOf(end.otherwise)];
  }
}

/** The end with other destinations; a guess whose destination lies outside is dropped. */
export function redirect(end: End, change: (to: Destination) => Destination): End {
  switch (end.kind) {
    case 'jump':
      return { kind: 'jump', to: change(end.to) };
    case 'branch':
      return { kind: 'branch', taken: change(end.taken), next: change(end.next) };
    case 'dispatch': {
      const cases = end.cases.map(({ label, to }) => ({ label, to: change(to) }));
      return { kind: 'dispatch', otherwise: change(end.otherwise), cases };
    }
    case 'leave': {
      const guesses = end.guesses.flatMap((guess) => {
        const to = change(guess.to);
        return 'block' in to ? [{ ...guess, to }] : [];
      });
      return { kind: 'leave', guesses };
    }
  }
}

/** Without the blocks that nothing leads to. */
function reachable(blocks: readonly BasicBlock[]): readonly BasicBlock[] {
  const graph = graphOf(blocks);
  const kept = new Set([0]);
  for (const node of kept) for (const to of graph[node]!) kept.add(to);
  if (kept.size === blocks.length) return blocks;
  const order = [...kept];
  const numbers = new Map(order.map((old, number) => [old, number]));
  const renumber = (to: Destination): Destination =>
    'block' in to ? { block: numbers.get(to.block)! } : to;
  return order.map((old) => {
    const block = blocks[old]!;
    return { ...block, end: redirect(block.end, renumber) };
  });
}
