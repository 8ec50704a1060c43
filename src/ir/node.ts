// The intermediate representation: what a guest instruction does, as a tree of typed nodes.
//
// A block is a list of nodes in execution order. A pure node is a value of its arguments alone and may be evaluated
// anywhere after them, or never. Every other node happens exactly where it stands. Control is structured: `if` and
// `loop` hold blocks, so a block lowers to WebAssembly without any graph algorithm.
// Invariants (the verifier checks them): an argument is defined earlier in the same block or in one that encloses it;
// argument types are those of the operation; nothing follows a terminator in its block; `break` stands inside a loop;
// `return` only in a routine; `jump`, `branch`, `raise` and `exit` only in an instruction.
// Addresses of the guest are i64. A load is zero-extended unless `signed`. Memory operations other than `physical_*`
// go through address translation and may raise a guest exception, which leaves the instruction at that point.

import type { PureOpName, Type } from './ops.ts';

/** A named cell of the vCPU's record in shared memory. `offset` in bytes from the record's start. */
export interface StateField {
  readonly name: string;
  readonly type: 'i32' | 'i64';
  readonly offset: number;
  /** It may change by itself: from outside, or by an access to memory. Unknown whenever it is read. */
  readonly volatile?: boolean;
}

export type RegisterType = 'i64' | 'v128';

/** An array of equally typed cells of the vCPU's record, named by number in instructions. */
export interface RegisterFile<T extends RegisterType = 'i64'> {
  readonly name: string;
  readonly type: T;
  readonly offset: number;
  readonly count: number;
  /** The register that reads as zero and ignores writes, if there is one. */
  readonly zero: number | undefined;
  /** Where reads and writes of it through an operand go. */
  readonly zeroOffset: number;
  readonly sinkOffset: number;
}

/** A register named by an instruction: known (translation) or an operand of the decoded record (interpreter). */
export type RegisterOperand<T extends RegisterType = 'i64'> =
  | { readonly file: RegisterFile<T>; readonly index: number }
  | { readonly file: RegisterFile<T>; readonly slot: string };

export type AnyRegisterFile = RegisterFile<RegisterType>;
export type AnyRegister = RegisterOperand<RegisterType>;

/** Bytes of a register. */
export const registerBytes = { i64: 8, v128: 16 } as const satisfies Record<RegisterType, number>;

/** Where a register lies in the vCPU's record. */
export const registerOffset = (file: AnyRegisterFile, index: number): number =>
  file.offset + registerBytes[file.type] * index;

export type Width = 8 | 16 | 32 | 64;
export type RmwKind = 'add' | 'and' | 'or' | 'xor' | 'xchg';
/** Where a jump's target comes from: a constant displacement, a register, a call or return, or a context change. */
export type JumpKind = 'direct' | 'indirect' | 'sync';
export type Hint = 'likely' | 'unlikely' | 'none';

/** A mutable local of a routine or instruction. */
export interface Variable {
  readonly type: Type;
  readonly id: number;
}

export interface Block {
  readonly nodes: Node[];
}

/** A function in the IR, shared by instructions: `(parameters) → result`. */
export interface Routine {
  readonly kind: 'routine';
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type | null;
  /** The body, built on first use; parameters are its `parameter` nodes. */
  readonly body: () => Block;
}

/** Registers that a vCPU accesses by instructions and an interrupt controller answers, by their manual's names. */
export interface ControllerRegisters {
  read(register: string): bigint;
  write(register: string, value: bigint): void;
}

/** What a helper may touch: the vCPU that called it, and guest-physical memory. */
export interface HelperContext {
  get(field: StateField): bigint;
  set(field: StateField, value: bigint): void;
  /** Host services by name, e.g. the guest's time; the embedder supplies them. */
  readonly time: () => bigint;
  /** The registers of the vCPU's interface to an interrupt controller outside, if it has one. */
  readonly controller?: ControllerRegisters | undefined;
}

/** A function written in TypeScript, for what is rare: called from generated code through an import. */
export interface Helper {
  readonly kind: 'helper';
  readonly name: string;
  readonly params: readonly Type[];
  readonly result: Type | null;
  readonly run: (context: HelperContext, ...args: bigint[]) => bigint;
  /** The cells that it may change, if that is known. */
  readonly writes?: readonly StateField[] | undefined;
}

export type Callee = Routine | Helper;

interface Base<Op extends string, T extends Type | null = null> {
  readonly op: Op;
  readonly type: T;
  readonly args: readonly Value[];
}

export interface PureNode extends Base<PureOpName, Type> {}
export interface ConstNode extends Base<'const', Type> {
  readonly value: bigint;
}
/** A number encoded in the instruction, read from the decoded record (interpreter only). */
export interface OperandNode extends Base<'operand', 'i64'> {
  readonly slot: string;
}
/** The address of this instruction, or of the origin in the code of several, plus `offset` bytes. */
export interface PcNode extends Base<'pc', 'i64'> {
  readonly offset: number;
}
export interface ParameterNode extends Base<'parameter', Type> {
  readonly index: number;
}
export interface GetNode extends Base<'get', RegisterType> {
  readonly register: AnyRegister;
}
export interface SetNode extends Base<'set'> {
  readonly register: AnyRegister;
}
export interface GetStateNode extends Base<'get_state', 'i32' | 'i64'> {
  readonly field: StateField;
}
export interface SetStateNode extends Base<'set_state'> {
  readonly field: StateField;
}
export interface GetVariableNode extends Base<'get_variable', Type> {
  readonly variable: Variable;
}
export interface SetVariableNode extends Base<'set_variable'> {
  readonly variable: Variable;
}
/** In the code of several instructions: from here on, the one that lies `distance` bytes from the code's origin. */
export interface InstructionNode extends Base<'instruction'> {
  readonly distance: number;
}
/**
 * `locate(base)`: what added to the low half of an address gives its host offset, for all addresses from base + low to
 * base + high (exclusive), or 0 if that is not known at once. Never raises.
 */
export interface LocateNode extends Base<'locate_load' | 'locate_store', 'i32'> {
  readonly low: number;
  readonly high: number;
}
/** `load(address)`, or `load(address, located)` for an address in the range of a `locate_load`. */
export interface LoadNode extends Base<'load' | 'physical_load', 'i64'> {
  readonly width: Width;
  readonly signed: boolean;
  /** As an access from user mode, whatever the mode is. */
  readonly asUser?: boolean;
}
/** `store(address, value)` or `store(address, value, located)`. */
export interface StoreNode extends Base<'store'> {
  readonly width: Width;
  readonly asUser?: boolean;
}
/** Bits of a vector that one access reads or writes: the low ones. */
export type VectorWidth = 32 | 64 | 128;
/** `load_vector(address)`: the bits above the width are zero. */
export interface LoadVectorNode extends Base<'load_vector', 'v128'> {
  readonly width: VectorWidth;
}
/** `store_vector(address, value)`. */
export interface StoreVectorNode extends Base<'store_vector'> {
  readonly width: VectorWidth;
}
export interface RmwNode extends Base<'rmw', 'i64'> {
  readonly kind: RmwKind;
  readonly width: Width;
}
export interface CasNode extends Base<'cas' | 'physical_cas', 'i64'> {
  readonly width: Width;
}
/** Instructions retired by this vCPU before this one. */
export interface RetiredNode extends Base<'retired', 'i64'> {}
/** Whether [address, address + 8) lies in RAM. */
export interface InRamNode extends Base<'in_ram', 'i1'> {}
export interface IfNode extends Base<'if'> {
  readonly taken: Block;
  readonly otherwise: Block;
  readonly hint: Hint;
}
export interface LoopNode extends Base<'loop'> {
  readonly body: Block;
}
export interface CallNode extends Base<'call', Type | null> {
  readonly callee: Callee;
}
export interface JumpNode extends Base<'jump'> {
  readonly kind: JumpKind;
}
export interface ExitNode extends Base<'exit'> {
  /** One of the exit codes of the vCPU's record (isa/shared/vcpu.ts). */
  readonly code: number;
}
/** `branch(condition, target)`: go there or on to the next instruction. `raise`: deliver the pending exception. */
export interface PlainNode extends Base<
  | 'branch'
  | 'raise'
  | 'break'
  | 'return'
  | 'fence'
  | 'flush_tlb'
  | 'flush_tlb_page'
  | 'sync_code'
  | 'probe_load'
  | 'probe_store'
> {}

export type Node =
  | PureNode
  | ConstNode
  | OperandNode
  | PcNode
  | ParameterNode
  | GetNode
  | SetNode
  | GetStateNode
  | SetStateNode
  | GetVariableNode
  | SetVariableNode
  | InstructionNode
  | LocateNode
  | LoadNode
  | StoreNode
  | LoadVectorNode
  | StoreVectorNode
  | RmwNode
  | CasNode
  | InRamNode
  | RetiredNode
  | IfNode
  | LoopNode
  | CallNode
  | JumpNode
  | ExitNode
  | PlainNode;

/** A node that has a value of type T. */
export type Value<T extends Type = Type> = Node & { readonly type: T };

/** Nodes after which control does not go on in their block. */
export const isTerminator = (node: Node): boolean =>
  node.op === 'jump' ||
  node.op === 'raise' ||
  node.op === 'exit' ||
  node.op === 'break' ||
  node.op === 'return';
