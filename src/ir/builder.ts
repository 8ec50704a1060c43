// The builder: the only way meanings make IR. One method per pure operation, derived from the table, plus methods
// for state, memory and control. Constants fold as they are built, and an `if` on a constant builds only the side
// taken, so that a meaning with constant operands is already partially evaluated.

import { assert } from '../std/assert.ts';
import { signed, unsigned } from '../std/bits.ts';
import {
  type Block,
  type Callee,
  type CasNode,
  type ConstNode,
  type Helper,
  type Hint,
  type AnyRegister,
  isTerminator,
  type JumpKind,
  type Node,
  type RegisterOperand,
  type RegisterType,
  type RmwKind,
  type Routine,
  type StateField,
  type Value,
  type Variable,
  type VectorWidth,
  type Width,
} from './node.ts';
import { type PureOpName, type PureOps, type PureRow, pureOps, type Type, widthOf } from './ops.ts';

/** What a builder method takes for an argument of type T: a value, or a literal. */
export type Arg<T extends Type> =
  | Value<T>
  | (T extends 'i1'
      ? boolean
      : T extends 'i32' | 'i64'
        ? bigint | number
        : T extends 'v128'
          ? bigint
          : never);

type Args<A extends readonly Type[]> = { [I in keyof A]: Arg<A[I]> };

type PureMethods = {
  readonly [K in PureOpName]: (...args: Args<PureOps[K]['args']>) => Value<PureOps[K]['result']>;
};

export type Builder = PureMethods & Effects;

type Thunk = () => void;
const none: readonly Value[] = [];

export const constant = <T extends Type>(type: T, value: bigint): Value<T> =>
  ({
    op: 'const',
    type,
    args: none,
    value: unsigned(widthOf[type], value),
  }) as ConstNode as Value<T>;

const isConst = (node: Node): node is ConstNode => node.op === 'const';

/** The node for an argument given as a value or literal. */
function toValue<T extends Type>(type: T, arg: Arg<T>): Value<T> {
  if (typeof arg === 'object') return arg;
  return constant(type, BigInt(arg));
}

/** What a pure operation gives: a constant or an argument where that is known from them, else a new node. */
export function pureValue(op: PureOpName, values: readonly Value[]): Value {
  const row: PureRow = pureOps[op];
  if (values.every(isConst)) {
    return constant(row.result, row.fold(...values.map((v) => v.value)));
  }
  const [first, second] = values;
  if (first && isConst(first) && (op === 'select' || op === 'select32' || op === 'select_v')) {
    return values[first.value === 1n ? 1 : 2] as Value;
  }
  if (op === 'add' && first?.op === 'pc' && second && isConst(second)) {
    const offset = first.offset + Number(signed(64, second.value));
    if (Number.isSafeInteger(offset)) return { ...first, offset };
  }
  return { op, type: row.result, args: values };
}

class Effects {
  readonly #pc: bigint | undefined;
  #distance = 0;
  #outermost: Block = { nodes: [] };
  #block: Block = this.#outermost;
  #variables = 0;

  /** `pc`: the instruction's address, where it is known. */
  constructor(pc?: bigint) {
    this.#pc = pc;
  }

  /** What has been built so far, at the outermost level. */
  get block(): Block {
    return this.#outermost;
  }

  /** What has been built, and a new start; variables stay distinct. */
  take(): Block {
    const built = this.#outermost;
    this.#outermost = { nodes: [] };
    this.#block = this.#outermost;
    return built;
  }

  #add<N extends Node>(node: N): N {
    this.#block.nodes.push(node);
    return node;
  }

  /** A pure operation by name; the named methods are derived from this one. */
  pure(op: PureOpName, args: readonly Arg<Type>[]): Value {
    const row: PureRow = pureOps[op];
    assert(args.length === row.args.length, `${op} takes ${row.args.length} arguments`);
    const values = row.args.map((type, i) => toValue(type, args[i] as Arg<Type>));
    const value = pureValue(op, values);
    return isConst(value) || values.includes(value) ? value : this.#add(value);
  }

  const64(value: bigint | number): Value<'i64'> {
    return constant('i64', BigInt(value));
  }

  /** The value of a guest register. */
  get(register: RegisterOperand<'v128'>): Value<'v128'>;
  get(register: RegisterOperand): Value<'i64'>;
  get(register: AnyRegister): Value<RegisterType> {
    if ('index' in register && register.index === register.file.zero) return this.const64(0);
    return this.#add({ op: 'get', type: register.file.type, args: none, register });
  }

  set(register: RegisterOperand<'v128'>, value: Arg<'v128'>): void;
  set(register: RegisterOperand, value: Arg<'i64'>): void;
  set(register: AnyRegister, value: Arg<RegisterType>): void {
    if ('index' in register && register.index === register.file.zero) return;
    const args = [toValue<RegisterType>(register.file.type, value)];
    this.#add({ op: 'set', type: null, args, register });
  }

  /** A cell of the vCPU's record that is not a register file. */
  state<F extends StateField>(field: F): Value<F['type']> {
    return this.#add({ op: 'get_state', type: field.type, args: none, field });
  }

  setState<F extends StateField>(field: F, value: Arg<F['type']>): void {
    const args = [toValue<Type>(field.type, value)];
    this.#add({ op: 'set_state', type: null, args, field });
  }

  /** Goes on with the next of several instructions, that many bytes from the first. */
  instruction(distance: number): void {
    this.#distance = distance;
    this.#add({ op: 'instruction', type: null, args: none, distance });
  }

  /** This instruction's address plus `offset` bytes. */
  pc(offset = 0): Value<'i64'> {
    if (this.#pc !== undefined) return constant('i64', this.#pc + BigInt(offset));
    return this.#add({ op: 'pc', type: 'i64', args: none, offset: this.#distance + offset });
  }

  /** Instructions that this vCPU has retired before this one. */
  retired(): Value<'i64'> {
    return this.#add({ op: 'retired', type: 'i64', args: none });
  }

  /** Reads `width` bits at a guest-virtual address; any alignment. */
  load(width: Width, address: Arg<'i64'>, sign: 'signed' | 'unsigned' = 'unsigned'): Value<'i64'> {
    const args = [toValue('i64', address)];
    return this.#add({ op: 'load', type: 'i64', args, width, signed: sign === 'signed' });
  }

  /** `load` and `store` as user mode would be allowed to. */
  loadAsUser(width: Width, address: Arg<'i64'>, sign: 'signed' | 'unsigned'): Value<'i64'> {
    const args = [toValue('i64', address)];
    const node = { width, signed: sign === 'signed', asUser: true } as const;
    return this.#add({ op: 'load', type: 'i64', args, ...node });
  }

  storeAsUser(width: Width, address: Arg<'i64'>, value: Arg<'i64'>): void {
    const args = [toValue('i64', address), toValue('i64', value)];
    this.#add({ op: 'store', type: null, args, width, asUser: true });
  }

  /** Reads the low bits of a vector at a guest-virtual address; the others are zero. */
  loadVector(width: VectorWidth, address: Arg<'i64'>): Value<'v128'> {
    return this.#add({ op: 'load_vector', type: 'v128', args: [toValue('i64', address)], width });
  }

  /** Writes the low bits of a vector. */
  storeVector(width: VectorWidth, address: Arg<'i64'>, value: Arg<'v128'>): void {
    const args = [toValue('i64', address), toValue('v128', value)];
    this.#add({ op: 'store_vector', type: null, args, width });
  }

  store(width: Width, address: Arg<'i64'>, value: Arg<'i64'>): void {
    const args = [toValue('i64', address), toValue('i64', value)];
    this.#add({ op: 'store', type: null, args, width });
  }

  /** Raises what a load (store) of one byte there would raise, and does nothing else. */
  probeLoad(address: Arg<'i64'>): void {
    this.#add({ op: 'probe_load', type: null, args: [toValue('i64', address)] });
  }

  probeStore(address: Arg<'i64'>): void {
    this.#add({ op: 'probe_store', type: null, args: [toValue('i64', address)] });
  }

  /** Atomic read-modify-write, sequentially consistent; gives the old value, zero-extended. Aligned only. */
  rmw(kind: RmwKind, width: Width, address: Arg<'i64'>, value: Arg<'i64'>): Value<'i64'> {
    const args = [toValue('i64', address), toValue('i64', value)];
    return this.#add({ op: 'rmw', type: 'i64', args, kind, width });
  }

  /** Atomic compare and exchange; gives the old value, zero-extended. Aligned only. */
  cas(
    width: Width,
    address: Arg<'i64'>,
    expected: Arg<'i64'>,
    replacement: Arg<'i64'>,
  ): Value<'i64'> {
    return this.#cas('cas', width, [address, expected, replacement]);
  }

  /** `cas` at a guest-physical address inside RAM. */
  physicalCas(
    width: Width,
    address: Arg<'i64'>,
    expected: Arg<'i64'>,
    replacement: Arg<'i64'>,
  ): Value<'i64'> {
    return this.#cas('physical_cas', width, [address, expected, replacement]);
  }

  #cas(op: CasNode['op'], width: Width, args: readonly Arg<'i64'>[]): Value<'i64'> {
    return this.#add({ op, type: 'i64', args: args.map((arg) => toValue('i64', arg)), width });
  }

  /** Reads guest-physical memory; the address must be in RAM (see inRam). */
  physicalLoad(width: Width, address: Arg<'i64'>): Value<'i64'> {
    const args = [toValue('i64', address)];
    return this.#add({ op: 'physical_load', type: 'i64', args, width, signed: false });
  }

  /** Whether the eight bytes at a guest-physical address are RAM. */
  inRam(address: Arg<'i64'>): Value<'i1'> {
    return this.#add({ op: 'in_ram', type: 'i1', args: [toValue('i64', address)] });
  }

  variable<T extends Type>(type: T, initial: Arg<T>): Variable & { readonly type: T } {
    const variable = { type, id: this.#variables++ };
    this.assign(variable, initial);
    return variable;
  }

  read<T extends Type>(variable: Variable & { readonly type: T }): Value<T> {
    const { type } = variable;
    return this.#add({ op: 'get_variable', type, args: none, variable }) as Node as Value<T>;
  }

  assign<T extends Type>(variable: Variable & { readonly type: T }, value: Arg<T>): void {
    const args = [toValue<Type>(variable.type, value)];
    this.#add({ op: 'set_variable', type: null, args, variable });
  }

  /** Builds `then` under the condition, and `otherwise` where it does not hold. */
  when(condition: Arg<'i1'>, then: Thunk, otherwise: Thunk = () => {}, hint: Hint = 'none'): void {
    const test = toValue('i1', condition);
    if (isConst(test)) {
      (test.value === 1n ? then : otherwise)();
      const last = this.#block.nodes.at(-1);
      // Control never comes past this arm, so that what is built next goes nowhere.
      if (last !== undefined && isTerminator(last)) this.#block = { nodes: [] };
      return;
    }
    const node = { taken: this.#nested(then), otherwise: this.#nested(otherwise), hint };
    this.#add({ op: 'if', type: null, args: [test], ...node });
  }

  /** `when` for what rarely happens. */
  rarely(condition: Arg<'i1'>, then: Thunk): void {
    this.when(condition, then, undefined, 'unlikely');
  }

  /** Repeats `body` until it breaks. */
  loop(body: Thunk): void {
    this.#add({ op: 'loop', type: null, args: none, body: this.#nested(body) });
  }

  break(): void {
    this.#add({ op: 'break', type: null, args: none });
  }

  #nested(build: Thunk): Block {
    const outer = this.#block;
    const inner: Block = { nodes: [] };
    this.#block = inner;
    build();
    this.#block = outer;
    return inner;
  }

  /** Calls a routine or helper that has a result of type T. */
  call<T extends Type>(callee: Callee, type: T, ...args: readonly Arg<Type>[]): Value<T> {
    assert(callee.result === type, `${callee.name} gives ${callee.result}, not ${type}`);
    return this.#call(callee, args) as Value<T>;
  }

  /** Calls a routine or helper for its effect. */
  perform(callee: Callee, ...args: readonly Arg<Type>[]): void {
    this.#call(callee, args);
  }

  #call(callee: Callee, args: readonly Arg<Type>[]): Node {
    assert(args.length === callee.params.length, `${callee.name} takes ${callee.params.length}`);
    const values = callee.params.map((type, i) => toValue<Type>(type, args[i] as Arg<Type>));
    return this.#add({ op: 'call', type: callee.result, args: values, callee });
  }

  /** Leaves the routine. */
  return(value?: Value): void {
    this.#add({ op: 'return', type: null, args: value ? [value] : none });
  }

  /** Goes to `target` if the condition holds, else on to the next instruction. Ends the meaning. */
  branch(condition: Arg<'i1'>, target: Arg<'i64'>): void {
    const args = [toValue('i1', condition), toValue('i64', target)];
    this.#add({ op: 'branch', type: null, args });
  }

  /** Goes to `target`. `sync`: the vCPU's context may have changed (mode, translation, interrupts). */
  jump(target: Arg<'i64'>, kind: JumpKind): void {
    this.#add({ op: 'jump', type: null, args: [toValue('i64', target)], kind });
  }

  /** Delivers the exception that the state describes; this instruction has no further effect. */
  raise(): void {
    this.#add({ op: 'raise', type: null, args: none });
  }

  /** Leaves the executor with an exit code, to go on at `next`. */
  exit(code: number, next: Arg<'i64'>): void {
    this.#add({ op: 'exit', type: null, args: [toValue('i64', next)], code });
  }

  /** Full memory barrier. */
  fence(): void {
    this.#add({ op: 'fence', type: null, args: none });
  }

  /** Forgets every cached translation of this vCPU. */
  flushTlb(): void {
    this.#add({ op: 'flush_tlb', type: null, args: none });
  }

  /** Forgets cached translations of the page at a guest-virtual address, in every address space. */
  flushTlbPage(address: Arg<'i64'>): void {
    this.#add({ op: 'flush_tlb_page', type: null, args: [toValue('i64', address)] });
  }

  /** Makes earlier stores visible to instruction fetch. */
  syncCode(): void {
    this.#add({ op: 'sync_code', type: null, args: none });
  }
}

for (const op of Object.keys(pureOps) as PureOpName[]) {
  Object.defineProperty(Effects.prototype, op, {
    value(this: Effects, ...args: readonly Arg<Type>[]): Value {
      return this.pure(op, args);
    },
  });
}

export const createBuilder = (pc?: bigint): Builder => new Effects(pc) as Builder;

/** Builds a block by a function of the builder; `pc` is the instruction's address, where it is known. */
export function buildBlock(build: (s: Builder) => void, pc?: bigint): Block {
  const builder = createBuilder(pc);
  build(builder);
  return builder.block;
}

type ParamValues<P extends readonly Type[]> = { [I in keyof P]: Value<P[I]> };

/** Declares a routine. The body must end in `return` when there is a result. */
export function routine<const P extends readonly Type[]>(
  name: string,
  params: P,
  result: Type | null,
  build: (s: Builder, ...params: ParamValues<P>) => void,
): Routine {
  let body: Block | undefined;
  const parameters = params.map((type, index) => ({ op: 'parameter', type, args: none, index }));
  return {
    kind: 'routine',
    name,
    params,
    result,
    body: () =>
      (body ??= buildBlock((s) => build(s, ...(parameters as unknown as ParamValues<P>)))),
  };
}

/** Declares a helper: see node.ts. */
export const helper = (
  name: string,
  params: readonly Type[],
  result: Type | null,
  run: Helper['run'],
  writes?: Helper['writes'],
): Helper => ({ kind: 'helper', name, params, result, run, writes });
