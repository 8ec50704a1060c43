// The walk that the passes forward, fold and cse share: once through a block, each node seen after its arguments have
// been replaced, so that what one rule finds helps the others at once.
//
// A node that a rule answers with a value is left out, and that value used in its place. An `if` whose condition is
// known goes; behind one whose arm leaves, its condition is known.
// Invariants: nodes are never changed, only replaced; effects keep their order; a `get` stays where it stands (dce
// drops it), since accesses to memory keep addresses of the form register or register + constant: the register that an
// address is made from tells the engine in which page to look first.

import { constant } from '../builder.ts';
import { type PureOpName, pureOps } from '../ops.ts';
import {
  type Block,
  type ConstNode,
  type IfNode,
  isTerminator,
  type LoopNode,
  type Node,
  type PcNode,
  type PureNode,
  type Value,
} from '../node.ts';

/** The value of an operation (or of a `pc`) on values that are known here; it is placed here if it is new. */
export type Make = (op: PureOpName | PcNode, ...args: readonly Value[]) => Value;

/** A rule sees nodes in the order in which they happen. */
export interface Rule {
  /** A value that equals a pure node's (or a `pc`'s). */
  pure?(node: PureNode | PcNode, make: Make): Value | undefined;
  /** For any other node but `if` and `loop`: a value that equals its value, or 'nothing' if it changes nothing. */
  effect?(node: Node): Value | 'nothing' | undefined;
  /** An arm of an `if`, or a loop's body, begins. */
  enter?(kind: 'arm' | 'body'): void;
  /** It ends; `goesOn`: control may come from its end to what follows. */
  leave?(goesOn: boolean): void;
}

/** Applies rules, each to what those before it leave. */
export const walk = (block: Block, rules: readonly Rule[]): Block => new Walk(rules).run(block);

const pureNames: ReadonlySet<string> = new Set(Object.keys(pureOps));
const truths = [constant('i1', 0n), constant('i1', 1n)] as const;
const nothing: Block = { nodes: [] };

class Walk {
  readonly #rules: readonly Rule[];
  readonly #pureRules: readonly Rule[];
  readonly #effectRules: readonly Rule[];
  readonly #values = new Map<Node, Value>();
  /** Conditions that are known here, and in the order in which they became known. */
  readonly #facts = new Map<Node, Value>();
  readonly #learnt: Node[] = [];
  readonly #make: Make = (op, ...args) =>
    this.#pure(typeof op === 'string' ? { op, type: pureOps[op].result, args } : op);
  #out: Node[] = [];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#pureRules = rules.filter((rule) => 'pure' in rule);
    this.#effectRules = rules.filter((rule) => 'effect' in rule);
  }

  run(block: Block): Block {
    for (const node of block.nodes) this.#node(node);
    return { nodes: this.#out };
  }

  #node(node: Node): void {
    if (node.op === 'if') return this.#if(node);
    if (node.op === 'loop') return this.#loop(node);
    const args = this.#arguments(node);
    const isSame = args === node.args;
    if (isPure(node)) {
      const now = isSame ? node : ({ op: node.op, type: node.type, args } as PureNode);
      const value = this.#pure(now);
      if (value !== node) this.#values.set(node, value);
      return;
    }
    const value = this.#effect(isSame ? node : { ...node, args });
    if (value !== node && node.type !== null) this.#values.set(node, value as Value);
  }

  #pure(node: PureNode | PcNode): Value {
    for (const rule of this.#pureRules) {
      const value = rule.pure!(node, this.#make);
      if (value !== undefined) return this.#known(value);
    }
    this.#out.push(node);
    return node;
  }

  #effect(node: Node): Node | 'nothing' {
    for (const rule of this.#effectRules) {
      const value = rule.effect!(node);
      if (value === undefined) continue;
      if (node.op === 'get') this.#out.push(node);
      return value === 'nothing' ? value : this.#known(value);
    }
    this.#out.push(node);
    return node;
  }

  #known(value: Value): Value {
    return value.type === 'i1' ? (this.#facts.get(value) ?? value) : value;
  }

  #value(arg: Value): Value {
    if (arg.op === 'const') return arg;
    return this.#known(this.#values.get(arg) ?? arg);
  }

  /** The arguments' values, in a new list if any is another than the argument. */
  #arguments(node: Node): readonly Value[] {
    const { args } = node;
    let values: Value[] | undefined;
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      let value = this.#value(arg);
      if (value === arg) continue;
      if (i === 0 && accesses.has(node.op) && !isPlain(value)) value = this.#address(arg, value);
      values ??= args.slice();
      values[i] = value;
    }
    return values ?? args;
  }

  /** The address as it was written, if it was plain. */
  #address(arg: Value, value: Value): Value {
    if (!isPlain(arg)) return value;
    if (arg.op === 'get') return arg;
    const [register, offset] = arg.args as [Value, ConstNode];
    if (offset.value === 0n) return register;
    const again = { ...arg };
    this.#out.push(again);
    return again;
  }

  #if(node: IfNode): void {
    const condition = this.#value(node.args[0]!);
    if (condition.op === 'const') return this.#decided(node, condition.value === 1n);
    const taken = this.#arm(node.taken, condition, 1);
    const otherwise = this.#arm(node.otherwise, condition, 0);
    if (taken.nodes.length + otherwise.nodes.length > 0) {
      this.#out.push({ ...node, args: [condition], taken, otherwise });
    }
    if (leaves(taken)) this.#learn(condition, 0);
    else if (leaves(otherwise)) this.#learn(condition, 1);
  }

  /** An arm that control comes through goes into the block itself; one that ends it must stay what it is. */
  #decided(node: IfNode, isTaken: boolean): void {
    const arm = isTaken ? node.taken : node.otherwise;
    const last = arm.nodes.at(-1);
    if (last === undefined) return;
    if (last.op !== 'branch' && !isTerminator(last)) {
      for (const each of arm.nodes) this.#node(each);
      return;
    }
    const condition = truths[isTaken ? 1 : 0];
    const kept = this.#arm(arm, condition, isTaken ? 1 : 0);
    const arms = isTaken
      ? { taken: kept, otherwise: nothing }
      : { taken: nothing, otherwise: kept };
    this.#out.push({ ...node, args: [condition], ...arms });
  }

  #arm(block: Block, condition: Value, truth: 0 | 1): Block {
    if (block.nodes.length === 0) return block;
    const known = this.#learnt.length;
    this.#learn(condition, truth);
    const arm = this.#nested(block, 'arm');
    this.#forget(known);
    return arm;
  }

  #loop(node: LoopNode): void {
    const known = this.#learnt.length;
    const body = this.#nested(node.body, 'body');
    this.#forget(known);
    this.#out.push({ ...node, body });
  }

  #nested(block: Block, kind: 'arm' | 'body'): Block {
    const outer = this.#out;
    this.#out = [];
    for (const rule of this.#rules) rule.enter?.(kind);
    for (const node of block.nodes) this.#node(node);
    const inner = { nodes: this.#out };
    for (const rule of this.#rules) rule.leave?.(kind === 'body' || !leaves(inner));
    this.#out = outer;
    return inner;
  }

  #learn(condition: Value, truth: 0 | 1): void {
    if (condition.op === 'const') return;
    this.#facts.set(condition, truths[truth]);
    this.#learnt.push(condition);
  }

  #forget(known: number): void {
    while (this.#learnt.length > known) this.#facts.delete(this.#learnt.pop()!);
  }
}

const isPure = (node: Node): node is PureNode | PcNode =>
  node.op === 'pc' || pureNames.has(node.op);

const accesses = new Set<Node['op']>([
  'load',
  'store',
  'load_vector',
  'store_vector',
  'rmw',
  'cas',
  'probe_load',
  'probe_store',
]);

/** Whether an address is a register, or a register plus a constant. */
function isPlain(address: Value): boolean {
  if (address.op === 'get') return true;
  return address.op === 'add' && address.args[0]!.op === 'get' && address.args[1]!.op === 'const';
}

/** Whether control never comes to the end of a block. */
export function leaves(block: Block): boolean {
  const last = block.nodes.at(-1);
  if (last === undefined) return false;
  return last.op === 'if' ? leaves(last.taken) && leaves(last.otherwise) : isTerminator(last);
}
