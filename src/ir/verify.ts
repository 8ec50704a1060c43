// The verifier: finds IR that breaks the rules which every consumer relies on.
//
// A node stands in one place. Its arguments are defined before it, in its block or in one around it; constants,
// parameters and operands are defined everywhere and stand in no block. Arguments and results have the types that the
// operation, cell, variable or callee says; constants fit their type. Nothing follows a terminator in its block.
// `break` stands in a loop. A variable has been assigned, in its block or in one around it, before it is read.
// In an instruction there are no parameters and no `return`, and a `branch` is the last thing that happens: what
// stands after it, or after a block that ends in it, would run on one path only.
// In a routine there are no operands, no pc, no guest-virtual memory, no `jump`, `branch`, `raise` or `exit`: those
// belong to the instruction that calls it. A routine with a result returns it on every path.

import { AssertionError } from '../std/assert.ts';
import { signed, unsigned } from '../std/bits.ts';
import { type Block, isTerminator, type Node, type Routine, type Value } from './node.ts';
import { pureOps, type PureRow, type Type, widthOf } from './ops.ts';
import { argumentTypes, printLines } from './print.ts';

/** What a block is the body of. */
export type Owner = 'instruction' | Pick<Routine, 'params' | 'result'>;

/** What is wrong with a block, one line each, in order; empty if nothing is. */
export function findProblems(block: Block, owner: Owner): readonly string[] {
  const verifier = new Verifier(block, owner);
  verifier.block(block, { loops: 0, tail: true });
  if (owner !== 'instruction' && owner.result !== null && fallsThrough(block)) {
    verifier.problem(undefined, `the routine can end without its ${owner.result} result`);
  }
  return verifier.problems;
}

/** The block itself; throws an assertion that lists all problems if it has any. */
export function verify(block: Block, owner: Owner): Block {
  const problems = findProblems(block, owner);
  if (problems.length === 0) return block;
  const lines = printLines(block).map(({ text }) => `  ${text}`);
  throw new AssertionError(['broken IR:', ...problems, 'in:', ...lines].join('\n'));
}

/** Whether control can reach the end of a block. */
function fallsThrough(block: Block): boolean {
  return block.nodes.every((node) => {
    if (isTerminator(node)) return false;
    if (node.op === 'if') return fallsThrough(node.taken) || fallsThrough(node.otherwise);
    return node.op !== 'loop' || breaks(node.body);
  });
}

/** Whether a block can break out of the loop around it. */
const breaks = (block: Block): boolean =>
  block.nodes.some(
    (node) =>
      node.op === 'break' || (node.op === 'if' && (breaks(node.taken) || breaks(node.otherwise))),
  );

const isAtom = ({ op }: Node): boolean => op === 'const' || op === 'parameter' || op === 'operand';

const onlyInInstructions = new Set<string>(
  ['jump', 'branch', 'raise', 'exit', 'pc', 'operand', 'load', 'store', 'rmw', 'cas'].concat([
    'load_vector',
    'store_vector',
    'probe_load',
    'probe_store',
    'instruction',
    'locate_load',
    'locate_store',
  ]),
);
const onlyInRoutines = new Set<string>(['return', 'parameter']);

const effectResults: Readonly<Record<string, Type | null>> = {
  pc: 'i64',
  retired: 'i64',
  load: 'i64',
  load_vector: 'v128',
  physical_load: 'i64',
  rmw: 'i64',
  cas: 'i64',
  physical_cas: 'i64',
  in_ram: 'i1',
  locate_load: 'i32',
  locate_store: 'i32',
};

/** Argument counts of the operations that are not pure; a call and a return have their own. */
const effectArguments: Readonly<Record<string, number>> = {
  set: 1,
  set_state: 1,
  set_variable: 1,
  load: 1,
  physical_load: 1,
  store: 2,
  load_vector: 1,
  store_vector: 2,
  rmw: 2,
  cas: 3,
  physical_cas: 3,
  in_ram: 1,
  locate_load: 1,
  locate_store: 1,
  if: 1,
  branch: 2,
  jump: 1,
  exit: 1,
  probe_load: 1,
  probe_store: 1,
  flush_tlb_page: 1,
};

interface Place {
  /** How many loops are around. */
  readonly loops: number;
  /** Whether nothing follows the block. */
  readonly tail: boolean;
}

class Verifier {
  readonly problems: string[] = [];
  readonly #owner: Owner;
  readonly #texts: ReadonlyMap<Node | undefined, string>;
  readonly #placed = new Set<Node>();
  /** What is defined here: the enclosing blocks' values and this block's so far. */
  #values = new Set<Node>();
  #variables = new Map<number, Type>();

  constructor(block: Block, owner: Owner) {
    this.#owner = owner;
    this.#texts = new Map(printLines(block).map(({ node, text }) => [node, text.trim()]));
  }

  problem(node: Node | undefined, message: string): void {
    this.problems.push(node === undefined ? message : `${this.#texts.get(node)}: ${message}`);
  }

  block(block: Block, place: Place): void {
    const outerValues = this.#values;
    const outerVariables = this.#variables;
    this.#values = new Set(outerValues);
    this.#variables = new Map(outerVariables);
    for (const [i, node] of block.nodes.entries()) {
      const before = block.nodes[i - 1];
      if (before !== undefined && isTerminator(before)) {
        this.problem(node, `follows the terminator ${before.op}`);
      }
      const last = i === block.nodes.length - 1;
      this.#node(node, { ...place, tail: place.tail && last });
    }
    this.#values = outerValues;
    this.#variables = outerVariables;
  }

  #node(node: Node, place: Place): void {
    if (this.#placed.has(node)) this.problem(node, 'stands in two places');
    this.#placed.add(node);
    if (isAtom(node)) this.problem(node, `a ${node.op} stands in no block`);
    for (const [i, arg] of node.args.entries()) this.#argument(node, arg, i);
    this.#owned(node, node);
    this.#types(node);
    this.#variable(node);
    if (node.op === 'break' && place.loops === 0) this.problem(node, 'is outside any loop');
    if (node.op === 'branch' && !place.tail) this.problem(node, 'is not the last thing to happen');
    if (node.op === 'if') {
      this.block(node.taken, place);
      this.block(node.otherwise, place);
    }
    if (node.op === 'loop') this.block(node.body, { loops: place.loops + 1, tail: false });
    this.#values.add(node);
  }

  /** What may stand in an instruction or in a routine only. */
  #owned(node: Node, of: Node): void {
    const routine = this.#owner !== 'instruction';
    const slot = (of.op === 'get' || of.op === 'set') && 'slot' in of.register;
    if (routine && (onlyInInstructions.has(of.op) || slot)) {
      this.problem(node, `${slot ? 'an operand' : of.op} cannot stand in a routine`);
    }
    if (!routine && onlyInRoutines.has(of.op)) {
      this.problem(node, `${of.op} cannot stand in an instruction`);
    }
  }

  #argument(node: Node, arg: Value, index: number): void {
    const expected = argumentTypes(node)[index];
    if (expected !== undefined && arg.type !== expected) {
      this.problem(node, `argument ${index + 1} is ${arg.type}, not ${expected}`);
    }
    if (arg.op === 'operand' || arg.op === 'parameter') this.#owned(node, arg);
    if (arg.op === 'parameter' && this.#owner !== 'instruction') {
      const type = this.#owner.params[arg.index];
      if (type !== arg.type) this.problem(node, `p${arg.index} is ${type ?? 'no parameter'}`);
    } else if (arg.op === 'const') {
      const { value, type } = arg;
      if (value !== unsigned(widthOf[type], value)) {
        this.problem(node, `the constant ${signed(64, value)} does not fit ${type}`);
      }
    } else if (!isAtom(arg) && !this.#values.has(arg)) {
      this.problem(node, `argument ${index + 1}, a ${arg.op}, is not defined here`);
    }
  }

  #types(node: Node): void {
    const row = (pureOps as Record<string, PureRow>)[node.op];
    const count = row ? row.args.length : this.#argumentCount(node);
    const located = (node.op === 'load' || node.op === 'store') && node.args.length === count + 1;
    if (node.args.length !== count && !located) {
      this.problem(node, `has ${node.args.length} arguments, not ${count}`);
    }
    const result = row ? row.result : resultOf(node);
    if (node.type !== result) {
      this.problem(node, `has type ${node.type ?? 'none'}, not ${result ?? 'none'}`);
    }
    if (node.op === 'return' && this.#owner !== 'instruction') {
      const returned = node.args[0]?.type ?? null;
      const { result: wanted } = this.#owner;
      if (returned !== wanted) {
        this.problem(node, `gives ${returned ?? 'nothing'}, not ${wanted ?? 'nothing'}`);
      }
    }
  }

  #argumentCount(node: Node): number {
    if (node.op === 'call') return node.callee.params.length;
    if (node.op === 'return') return node.args.length;
    return effectArguments[node.op] ?? 0;
  }

  #variable(node: Node): void {
    if (node.op !== 'get_variable' && node.op !== 'set_variable') return;
    const { id, type } = node.variable;
    const known = this.#variables.get(id);
    if (node.op === 'get_variable' && known === undefined) {
      this.problem(node, 'the variable is not assigned here');
    }
    if (known !== undefined && known !== type) {
      this.problem(node, `the variable is ${known}, not ${type}`);
    }
    this.#variables.set(id, known ?? type);
  }
}

function resultOf(node: Node): Type | null {
  switch (node.op) {
    case 'const':
    case 'parameter':
    case 'operand':
      return node.type;
    case 'get':
      return node.register.file.type;
    case 'get_state':
      return node.field.type;
    case 'get_variable':
      return node.variable.type;
    case 'call':
      return node.callee.result;
    default:
      return effectResults[node.op] ?? null;
  }
}
