// The evaluator: runs IR as it stands, node after node, on bigint values. It is the reference that every other executor
// is tested against, so it is written to be obviously right and is never fast.
//
// What lies outside the IR (registers, memory, time) is the Environment's. A guest fault is a value: the environment
// answers `undefined` (or false) after recording the pending exception, and the instruction's outcome is `raise`.
// Invariants: no exception of this program crosses the interface except a failed assertion, that is, IR that breaks
// its own rules; every value is unsigned and of its type's width.

import { assert } from '../std/assert.ts';
import { signed, unsigned } from '../std/bits.ts';
import type {
  Block,
  CallNode,
  HelperContext,
  JumpKind,
  LoadNode,
  LoopNode,
  Node,
  AnyRegister,
  RmwKind,
  Routine,
  StateField,
  Value,
  Width,
} from './node.ts';
import { type PureOpName, type PureRow, pureOps, widthOf } from './ops.ts';

/** The world of one instruction or routine. All values are unsigned; addresses are 64 bits wide. */
export interface Environment {
  /** Address of the instruction. */
  pc(): bigint;
  /** Goes on with the next of several instructions. */
  instruction?(distance: number): void;
  /** Instructions retired before this one. */
  retired(): bigint;
  /** A number operand of the instruction, sign-extended as its field says. */
  operand(slot: string): bigint;
  getRegister(register: AnyRegister): bigint;
  setRegister(register: AnyRegister, value: bigint): void;
  getState(field: StateField): bigint;
  setState(field: StateField, value: bigint): void;

  /** Guest-virtual memory. `undefined` or false: a pending exception has been recorded. */
  load(width: Width | 128, address: bigint, asUser?: boolean): bigint | undefined;
  /** Stores the low `width` bits of `value`. */
  store(width: Width | 128, address: bigint, value: bigint, asUser?: boolean): boolean;
  probe(kind: 'load' | 'store', address: bigint): boolean;
  /** The old value. The address is a multiple of the width; `value` may have bits above the width. */
  rmw(kind: RmwKind, width: Width, address: bigint, value: bigint): bigint | undefined;
  /** The old value; `replacement` is stored where that equals the low `width` bits of `expected`. */
  cas(width: Width, address: bigint, expected: bigint, replacement: bigint): bigint | undefined;

  /** Guest-physical memory; the address is in RAM. */
  physicalLoad(width: Width, address: bigint): bigint;
  physicalCas(width: Width, address: bigint, expected: bigint, replacement: bigint): bigint;
  /** Whether the eight bytes from a guest-physical address are RAM. */
  inRam(address: bigint): boolean;

  fence(): void;
  flushTlb(): void;
  flushTlbPage(address: bigint): void;
  syncCode(): void;
  /** What helpers get. */
  readonly helpers: HelperContext;
}

/** How an instruction ended. A branch is a direct jump or `next`. */
export type Outcome =
  | { readonly kind: 'next' }
  | { readonly kind: 'jump'; readonly target: bigint; readonly via: JumpKind }
  | { readonly kind: 'raise' }
  | { readonly kind: 'exit'; readonly code: number; readonly target: bigint };

/** Why a block stopped before its end. */
type Flow =
  | Outcome
  | { readonly kind: 'break' }
  | { readonly kind: 'return'; readonly value: bigint | undefined };

/** Iterations after which a loop is taken for endless: no meaning comes near it. */
const loopLimit = 1 << 20;

const raise: Flow = { kind: 'raise' };
const next: Flow = { kind: 'next' };

/** Runs an instruction's meaning. */
export function evaluate(block: Block, environment: Environment): Outcome {
  const flow = new Activation(environment, []).run(block) ?? next;
  assert(flow.kind !== 'break' && flow.kind !== 'return', `${flow.kind} leaves an instruction`);
  return flow;
}

/** Runs a routine and gives its result, `undefined` if it has none. */
export function evaluateRoutine(
  routine: Routine,
  args: readonly bigint[],
  environment: Environment,
): bigint | undefined {
  const { name, params, result } = routine;
  assert(args.length === params.length, `${name} takes ${params.length} arguments`);
  const values = params.map((type, i) => unsigned(widthOf[type], args[i]!));
  const flow = new Activation(environment, values).run(routine.body());
  if (flow !== undefined) assert(flow.kind === 'return', `${flow.kind} leaves routine ${name}`);
  const value = flow?.value;
  assert((value === undefined) === (result === null), `${name} ends without its result`);
  return value;
}

/** One run of one instruction or routine: the values of its nodes and variables. */
class Activation {
  readonly #environment: Environment;
  readonly #parameters: readonly bigint[];
  readonly #values = new Map<Node, bigint>();
  readonly #variables = new Map<number, bigint>();

  constructor(environment: Environment, parameters: readonly bigint[]) {
    this.#environment = environment;
    this.#parameters = parameters;
  }

  /** Runs a block; `undefined` if control reached its end. */
  run(block: Block): Flow | undefined {
    for (const node of block.nodes) {
      const flow = this.#node(node);
      if (flow !== undefined) return flow;
    }
    return undefined;
  }

  #value(node: Value): bigint {
    switch (node.op) {
      case 'const':
        return node.value;
      case 'operand':
        return unsigned(64, this.#environment.operand(node.slot));
      case 'parameter': {
        const value = this.#parameters[node.index];
        assert(value !== undefined, `there is no parameter ${node.index}`);
        return value;
      }
      default: {
        const value = this.#values.get(node);
        assert(value !== undefined, `${node.op} is used where it has no value`);
        return value;
      }
    }
  }

  #arg(node: Node, index: number): bigint {
    const arg = node.args[index];
    assert(arg !== undefined, `${node.op} lacks argument ${index}`);
    return this.#value(arg);
  }

  /** Gives a node its value; a fault if there is none. */
  #define(node: Node, value: bigint | undefined): Flow | undefined {
    if (value === undefined) return raise;
    assert(node.type !== null, `${node.op} has no type`);
    this.#values.set(node, unsigned(widthOf[node.type], value));
    return undefined;
  }

  #node(node: Node): Flow | undefined {
    const environment = this.#environment;
    switch (node.op) {
      case 'const':
      case 'operand':
      case 'parameter':
        return undefined;
      case 'pc':
        return this.#define(node, environment.pc() + BigInt(node.offset));
      case 'retired':
        return this.#define(node, environment.retired());
      case 'instruction':
        environment.instruction?.(node.distance);
        return undefined;
      case 'locate_load':
      case 'locate_store':
        return this.#define(node, 0n);
      case 'get':
        return this.#define(node, environment.getRegister(node.register));
      case 'set':
        environment.setRegister(node.register, this.#arg(node, 0));
        return undefined;
      case 'get_state':
        return this.#define(node, environment.getState(node.field));
      case 'set_state':
        environment.setState(node.field, this.#arg(node, 0));
        return undefined;
      case 'get_variable': {
        const value = this.#variables.get(node.variable.id);
        assert(value !== undefined, `variable ${node.variable.id} is read before it is assigned`);
        return this.#define(node, value);
      }
      case 'set_variable':
        this.#variables.set(node.variable.id, this.#arg(node, 0));
        return undefined;
      case 'if':
        return this.run(this.#arg(node, 0) === 1n ? node.taken : node.otherwise);
      case 'loop':
        return this.#loop(node);
      case 'call':
        return this.#call(node);
      default:
        return this.#memory(node);
    }
  }

  #memory(node: Node): Flow | undefined {
    const environment = this.#environment;
    const arg = (index: number): bigint => this.#arg(node, index);
    switch (node.op) {
      case 'load':
        return this.#define(node, extend(node, environment.load(node.width, arg(0), node.asUser)));
      case 'load_vector':
        return this.#define(node, environment.load(node.width, arg(0)));
      case 'store_vector': {
        const bits = unsigned(node.width, arg(1));
        return environment.store(node.width, arg(0), bits) ? undefined : raise;
      }
      case 'physical_load':
        return this.#define(node, extend(node, environment.physicalLoad(node.width, arg(0))));
      case 'store':
        return environment.store(node.width, arg(0), arg(1), node.asUser) ? undefined : raise;
      case 'probe_load':
        return environment.probe('load', arg(0)) ? undefined : raise;
      case 'probe_store':
        return environment.probe('store', arg(0)) ? undefined : raise;
      case 'rmw':
        return this.#define(node, environment.rmw(node.kind, node.width, arg(0), arg(1)));
      case 'cas':
        return this.#define(node, environment.cas(node.width, arg(0), arg(1), arg(2)));
      case 'physical_cas':
        return this.#define(node, environment.physicalCas(node.width, arg(0), arg(1), arg(2)));
      case 'in_ram':
        return this.#define(node, environment.inRam(arg(0)) ? 1n : 0n);
      case 'fence':
        environment.fence();
        return undefined;
      case 'flush_tlb':
        environment.flushTlb();
        return undefined;
      case 'flush_tlb_page':
        environment.flushTlbPage(arg(0));
        return undefined;
      case 'sync_code':
        environment.syncCode();
        return undefined;
      default:
        return this.#leave(node);
    }
  }

  #leave(node: Node): Flow | undefined {
    switch (node.op) {
      case 'raise':
        return raise;
      case 'break':
        return { kind: 'break' };
      case 'return':
        return { kind: 'return', value: node.args.length > 0 ? this.#arg(node, 0) : undefined };
      case 'jump':
        return { kind: 'jump', target: this.#arg(node, 0), via: node.kind };
      case 'branch':
        if (this.#arg(node, 0) === 0n) return next;
        return { kind: 'jump', target: this.#arg(node, 1), via: 'direct' };
      case 'exit':
        return { kind: 'exit', code: node.code, target: this.#arg(node, 0) };
      default:
        return this.#define(node, this.#pure(node));
    }
  }

  #pure(node: Node): bigint {
    assert(Object.hasOwn(pureOps, node.op), `${node.op} is not an operation`);
    const row: PureRow = pureOps[node.op as PureOpName];
    const values = node.args.map((arg) => this.#value(arg));
    checkDivisor(node.op as PureOpName, values);
    return row.fold(...values);
  }

  #loop(node: LoopNode): Flow | undefined {
    for (let iterations = 0; ; iterations++) {
      assert(iterations < loopLimit, `a loop did not end after ${loopLimit} iterations`);
      const flow = this.run(node.body);
      if (flow !== undefined) return flow.kind === 'break' ? undefined : flow;
    }
  }

  #call(node: CallNode): Flow | undefined {
    const { callee } = node;
    const args = node.args.map((arg) => this.#value(arg));
    if (callee.kind === 'helper') {
      const result = callee.run(this.#environment.helpers, ...args);
      return callee.result === null ? undefined : this.#define(node, result);
    }
    const result = evaluateRoutine(callee, args, this.#environment);
    return callee.result === null ? undefined : this.#define(node, result);
  }
}

/** Division is undefined where WebAssembly traps: a meaning that gets there lacks a guard. */
function checkDivisor(op: PureOpName, [dividend, divisor]: readonly bigint[]): void {
  if (!/^(div|rem)_/.test(op)) return;
  assert(divisor !== 0n, `${op} by zero: the meaning must guard the divisor`);
  const width = pureOps[op].result === 'i64' ? 64 : 32;
  const minusOne = unsigned(width, -1n);
  const overflows = divisor === minusOne && dividend === 1n << BigInt(width - 1);
  assert(!op.startsWith('div_s') || !overflows, `${op} overflows: the meaning must guard it`);
}

const extend = (node: LoadNode, value: bigint | undefined): bigint | undefined =>
  value !== undefined && node.signed ? signed(node.width, value) : value;
