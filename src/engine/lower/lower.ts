// Lowers IR to WebAssembly: one pass over a block, no graph, fast enough for a JIT.
//
// A pure node used once is computed where it is used; every other node that has a value is computed where it stands
// and kept in a local. What differs between executors (where operands lie, how control leaves) is the Target's.
// Invariants: local 0 is the vCPU's base address; the block is verified; a block's pure nodes have no effect, so
// dropping one that nobody uses is always right.

import { assert } from '../../std/assert.ts';
import type {
  Block,
  Callee,
  CallNode,
  CasNode,
  IfNode,
  LoadNode,
  LoopNode,
  Node,
  AnyRegister,
  LoadVectorNode,
  RmwNode,
  StateField,
  StoreNode,
  StoreVectorNode,
  Value,
} from '../../ir/node.ts';
import { type PureRow, pureOps, type Type } from '../../ir/ops.ts';
import { access } from '../../isa/shared/isa.ts';
import { tlb, vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import { type OpcodeName, opcodes } from '../../wasm/opcodes.ts';
import type { ValueType } from '../../wasm/types.ts';

/** The function's parameter that holds the vCPU's base address. */
export const CPU = 0;

/** Function indices of the engine's own routines (engine/lower/runtime.ts). */
export interface RuntimeFunctions {
  /** `(cpu, address: i64, size: i32) → i32`: host offset to load from, or 0 for a pending exception. */
  readonly slowLoad: number;
  /**
   * `(cpu, address: i64, size: i32, value: i64) → i32`: host offset to store to, or 0 for a pending exception. Of
   * sixteen bytes the upper half is in vcpu.scratchHigh.
   */
  readonly slowStore: number;
  /** `slowLoad` and `slowStore` as user mode. */
  readonly slowLoadAsUser: number;
  readonly slowStoreAsUser: number;
  /** `(cpu, address: i64) → i32`: host offset to read and write, or 0 for a pending exception. */
  readonly slowAtomic: number;
  /** `(cpu)`: vcpu.dataTag is another one than vcpu.lastPagesTag. */
  readonly forgetPages: number;
  /** `(cpu)` and `(cpu, address: i64)`. */
  readonly flushTlb: number;
  readonly flushTlbPage: number;
}

/** What an executor decides about the code made for it. */
export interface Target {
  readonly runtime: RuntimeFunctions;
  /** Function index of a routine or helper; its parameters begin with the vCPU. */
  functionOf(callee: Callee): number;
  /** Function index of the guest's `translate` routine. */
  readonly translate: number;
  /** Pushes a number operand (i64). */
  operand(code: Code, slot: string): void;
  /** Pushes a register's value (i64). */
  getRegister(code: Code, operand: AnyRegister): void;
  /** Sets a register to what `push` pushes. */
  setRegister(code: Code, operand: AnyRegister, push: () => void): void;
  /** What follows is the meaning of the instruction at a distance from the origin. */
  instruction?(distance: number): void;
  /** Offset in the vCPU's record of the page last accessed that way, if it is to be looked at first. */
  lastPage?(address: Value, kind: number): number | undefined;
  /** Pushes vcpu.dataTag (i64). */
  dataTag(code: Code): void;
  /** Pushes the address of the instruction, or of the origin, plus `offset` (i64). */
  pc(code: Code, offset: number): void;
  /** Pushes the number of instructions retired before this one (i64). */
  retired(code: Code): void;
  /** Control leaves; each of these ends the current path of the function. */
  raise(code: Code): void;
  jump(code: Code, target: number, kind: 'direct' | 'indirect' | 'sync'): void;
  exit(code: Code, next: number, exitCode: number): void;
  /** What happens where the meaning ends without a terminator. */
  next(code: Code): void;
}

const wasmType = (type: Type): ValueType => (type === 'i1' ? 'i32' : type);

/** The opcode of each pure operation, or undefined for those lowered by name. */
const pureOpcodes = new Map<string, number | undefined>(
  Object.entries(pureOps).map(([name, row]: [string, PureRow]) => [
    name,
    row.wasm === null ? undefined : opcodes[row.wasm as OpcodeName],
  ]),
);

const immediates = new Map<string, readonly number[]>(
  Object.entries(pureOps).map(([name, row]: [string, PureRow]) => [name, row.immediate]),
);

const log2 = { 8: 0, 16: 1, 32: 2, 64: 3 } as const;
const loads = {
  unsigned: {
    8: opcodes['i64.load8_u'],
    16: opcodes['i64.load16_u'],
    32: opcodes['i64.load32_u'],
    64: opcodes['i64.load'],
  },
  signed: {
    8: opcodes['i64.load8_s'],
    16: opcodes['i64.load16_s'],
    32: opcodes['i64.load32_s'],
    64: opcodes['i64.load'],
  },
} as const;
const stores = {
  8: opcodes['i64.store8'],
  16: opcodes['i64.store16'],
  32: opcodes['i64.store32'],
  64: opcodes['i64.store'],
} as const;
const rmws = {
  8: {
    add: opcodes['i64.atomic.rmw8.add_u'],
    and: opcodes['i64.atomic.rmw8.and_u'],
    or: opcodes['i64.atomic.rmw8.or_u'],
    xor: opcodes['i64.atomic.rmw8.xor_u'],
    xchg: opcodes['i64.atomic.rmw8.xchg_u'],
  },
  16: {
    add: opcodes['i64.atomic.rmw16.add_u'],
    and: opcodes['i64.atomic.rmw16.and_u'],
    or: opcodes['i64.atomic.rmw16.or_u'],
    xor: opcodes['i64.atomic.rmw16.xor_u'],
    xchg: opcodes['i64.atomic.rmw16.xchg_u'],
  },
  32: {
    add: opcodes['i64.atomic.rmw32.add_u'],
    and: opcodes['i64.atomic.rmw32.and_u'],
    or: opcodes['i64.atomic.rmw32.or_u'],
    xor: opcodes['i64.atomic.rmw32.xor_u'],
    xchg: opcodes['i64.atomic.rmw32.xchg_u'],
  },
  64: {
    add: opcodes['i64.atomic.rmw.add'],
    and: opcodes['i64.atomic.rmw.and'],
    or: opcodes['i64.atomic.rmw.or'],
    xor: opcodes['i64.atomic.rmw.xor'],
    xchg: opcodes['i64.atomic.rmw.xchg'],
  },
} as const;
const cmpxchg = {
  8: opcodes['i64.atomic.rmw8.cmpxchg_u'],
  16: opcodes['i64.atomic.rmw16.cmpxchg_u'],
  32: opcodes['i64.atomic.rmw32.cmpxchg_u'],
  64: opcodes['i64.atomic.rmw.cmpxchg'],
} as const;
/** How a register of each type is read from and written to the vCPU's record. */
export const registerLoad = { i64: opcodes['i64.load'], v128: opcodes['v128.load'] } as const;
export const registerStore = { i64: opcodes['i64.store'], v128: opcodes['v128.store'] } as const;
const vectorLoads = {
  32: opcodes['v128.load32_zero'],
  64: opcodes['v128.load64_zero'],
  128: opcodes['v128.load'],
} as const;
const stateLoad = { i32: opcodes['i32.load'], i64: opcodes['i64.load'] } as const;
const stateStore = { i32: opcodes['i32.store'], i64: opcodes['i64.store'] } as const;

/** The bytes of vectors that have been constants; there are few of them. */
const vectorBytes = new Map<bigint, Uint8Array>();

function bytesOfVector(value: bigint): Uint8Array {
  let bytes = vectorBytes.get(value);
  if (bytes === undefined) {
    bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, value, true);
    view.setBigUint64(8, value >> 64n, true);
    if (vectorBytes.size > 4096) vectorBytes.clear();
    vectorBytes.set(value, bytes);
  }
  return bytes;
}

/** Pushes a cell of the vCPU's record. */
export function getCell(code: Code, field: StateField): void {
  code.localGet(CPU);
  code.memory(stateLoad[field.type], field.offset, field.type === 'i32' ? 2 : 3);
}

/** Stores into a cell what `push` pushes. */
export function setCell(code: Code, field: StateField, push: () => void): void {
  code.localGet(CPU);
  push();
  code.memory(stateStore[field.type], field.offset, field.type === 'i32' ? 2 : 3);
}

/** Fills `bytes` bytes of the vCPU's record with ones, from an offset. */
export function fillBytes(code: Code, offset: number, bytes: number): void {
  code.localGet(CPU);
  code.i32Const(offset);
  code.op(opcodes['i32.add']);
  code.i32Const(0xff);
  code.i32Const(bytes);
  code.index(opcodes['memory.fill'], 0);
}

/** Pushes the host offset of a guest-physical address (i64) that is in RAM. */
function hostOffset(code: Code, pushAddress: () => void): void {
  pushAddress();
  getCell(code, vcpu.ramBase);
  code.op(opcodes['i64.sub']);
  code.op(opcodes['i32.wrap_i64']);
  getCell(code, vcpu.ramHost);
  code.op(opcodes['i32.add']);
}

/**
 * Sets `entry` to the host offset of the TLB entry of the address in a local (i64), relative to the table's start. The
 * tables of a `level` have as many entries, a power of two.
 */
export function tlbEntry(
  code: Code,
  address: number,
  entry: number,
  level: { readonly entries: number; readonly entryBytes: number } = tlb,
): void {
  code.localGet(address);
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(12 - Math.log2(level.entryBytes));
  code.op(opcodes['i32.shr_u']);
  code.i32Const((level.entries - 1) * level.entryBytes);
  code.op(opcodes['i32.and']);
  code.localGet(CPU);
  code.op(opcodes['i32.add']);
  code.localSet(entry);
}

/** Pushes the tag that a valid entry for an access of `size` bytes has; `pushTag` its low bits. */
export function tlbTag(code: Code, address: number, size: number, pushTag: () => void): void {
  code.localGet(address);
  if (size > 1) {
    code.i64Const(size - 1);
    code.op(opcodes['i64.add']);
  }
  code.i64Const(-4096);
  code.op(opcodes['i64.and']);
  pushTag();
  code.op(opcodes['i64.or']);
}

function countUses(block: Block, uses: Map<Node, number>): void {
  for (const node of block.nodes) {
    for (const arg of node.args) uses.set(arg, (uses.get(arg) ?? 0) + 1);
    if (node.op === 'if') {
      countUses(node.taken, uses);
      countUses(node.otherwise, uses);
    } else if (node.op === 'loop') {
      countUses(node.body, uses);
    }
  }
}

/** An access to be looked up: in a table of the TLB, at the address in a local (i64), of `size` bytes. */
interface Lookup {
  readonly table: number;
  readonly address: number;
  readonly size: number;
  /** See Target.lastPage. */
  readonly lastPage?: number | undefined;
  /** Pushes the low bits of the tag, if that is not vcpu.dataTag. */
  readonly tag?: (() => void) | undefined;
  /** Pushes the host offset found by a slow path; 0 for a pending exception. */
  readonly slow: () => void;
}

/** Locals of a function, used again by one instruction after another. */
export class Locals {
  readonly #code: Code;
  readonly #made = new Map<ValueType, number[]>();
  readonly #used = new Map<ValueType, number>();

  constructor(code: Code) {
    this.#code = code;
  }

  /** A local that nobody else uses until `release`; its value is unknown. */
  take(type: ValueType): number {
    const made = this.#made.get(type) ?? [];
    const used = this.#used.get(type) ?? 0;
    this.#made.set(type, made);
    this.#used.set(type, used + 1);
    return (made[used] ??= this.#code.local(type));
  }

  /** Gives all locals back. */
  release(): void {
    this.#used.clear();
  }
}

/** Lowers one function's body, or an instruction's part of it. */
export class Lowering {
  readonly #code: Code;
  readonly #target: Target;
  readonly #pool: Locals;
  readonly #uses = new Map<Node, number>();
  readonly #locals = new Map<Node, number>();
  readonly #variables = new Map<number, number>();
  readonly #loops: number[] = [];

  constructor(code: Code, target: Target, locals: Locals = new Locals(code)) {
    this.#code = code;
    this.#target = target;
    this.#pool = locals;
  }

  /** Lowers an instruction's meaning, or several; of `closing`, its last node, only the arguments. */
  instruction(block: Block, closing?: Node): void {
    this.#uses.clear();
    this.#locals.clear();
    this.#variables.clear();
    countUses(block, this.#uses);
    for (const node of block.nodes) if (node !== closing) this.#node(node);
    if (closing !== undefined) return;
    if (fallsThrough(block)) this.#target.next(this.#code);
  }

  /** Lowers a routine's body. */
  routine(block: Block, result: Type | null): void {
    countUses(block, this.#uses);
    this.#block(block);
    if (result !== null) this.#code.unreachable();
  }

  #block(block: Block): void {
    for (const node of block.nodes) this.#node(node);
  }

  /** Pushes the value of a node of the meaning that was lowered last. */
  push(node: Value): void {
    this.#push(node);
  }

  #push(node: Value): void {
    const code = this.#code;
    const local = this.#locals.get(node);
    if (local !== undefined) code.localGet(local);
    else if (node.op === 'const') this.#constant(node.type, node.value);
    else if (node.op === 'parameter') code.localGet(node.index + 1);
    else if (node.op === 'operand') this.#target.operand(code, node.slot);
    else if (node.op === 'pc') this.#target.pc(code, node.offset);
    else this.#pure(node);
  }

  #constant(type: Type, value: bigint): void {
    const code = this.#code;
    if (type === 'v128') return code.v128Const(bytesOfVector(value));
    if (type === 'i64' || type === 'f64') code.i64Const(BigInt.asIntN(64, value));
    else code.i32Const(Number(BigInt.asIntN(32, value)));
    if (type === 'f64') code.op(opcodes['f64.reinterpret_i64']);
    if (type === 'f32') code.op(opcodes['f32.reinterpret_i32']);
  }

  #pure(node: Value): void {
    const code = this.#code;
    if (node.op === 'select' || node.op === 'select32' || node.op === 'select_v') {
      this.#push(node.args[1] as Value);
      this.#push(node.args[2] as Value);
      this.#push(node.args[0] as Value);
      code.select();
      return;
    }
    for (const arg of node.args) this.#push(arg);
    if (node.op === 'int1') return;
    const opcode = pureOpcodes.get(node.op);
    assert(opcode !== undefined, `${node.op} is not a pure operation`);
    code.immediate(opcode, immediates.get(node.op)!);
  }

  /** Keeps the value on the stack in a local, or drops it. */
  #keep(node: Value): void {
    if (this.#uses.has(node)) this.#code.localSet(this.#localFor(node));
    else this.#code.drop();
  }

  #localFor(node: Value): number {
    const local = this.#pool.take(wasmType(node.type));
    this.#locals.set(node, local);
    return local;
  }

  /** A local that holds the node's value; good only here, since this path may not be taken. */
  #asLocal(node: Value): number {
    const known = this.#locals.get(node);
    if (known !== undefined) return known;
    if (node.op === 'parameter') return node.index + 1;
    this.#push(node);
    const local = this.#pool.take(wasmType(node.type));
    this.#code.localSet(local);
    return local;
  }

  #node(node: Node): void {
    const code = this.#code;
    switch (node.op) {
      case 'const':
      case 'operand':
      case 'parameter':
        return;
      case 'instruction':
        return this.#target.instruction?.(node.distance);
      case 'pc':
        if ((this.#uses.get(node) ?? 0) <= 1) return;
        this.#target.pc(code, node.offset);
        return this.#keep(node);
      case 'retired':
        this.#target.retired(code);
        return this.#keep(node);
      case 'get': {
        if (!this.#uses.has(node)) return;
        this.#target.getRegister(code, node.register);
        return this.#keep(node);
      }
      case 'set': {
        const value = node.args[0]!;
        return this.#target.setRegister(code, node.register, () => this.#push(value));
      }
      case 'get_state':
        if (!this.#uses.has(node)) return;
        getCell(code, node.field);
        return this.#keep(node);
      case 'set_state':
        return setCell(code, node.field, () => this.#push(node.args[0]!));
      case 'get_variable':
        if (!this.#uses.has(node)) return;
        code.localGet(this.#variables.get(node.variable.id)!);
        return this.#keep(node);
      case 'set_variable':
        return this.#setVariable(node.variable.id, node.variable.type, node.args[0]!);
      default:
        return this.#effect(node);
    }
  }

  #setVariable(id: number, type: Type, value: Value): void {
    let local = this.#variables.get(id);
    if (local === undefined) {
      local = this.#pool.take(wasmType(type));
      this.#variables.set(id, local);
    }
    this.#push(value);
    this.#code.localSet(local);
  }

  #effect(node: Exclude<Node, { op: 'const' }>): void {
    const code = this.#code;
    switch (node.op) {
      case 'load':
        return this.#load(node);
      case 'store':
        return this.#store(node);
      case 'load_vector':
        return this.#loadVector(node);
      case 'store_vector':
        return this.#storeVector(node);
      case 'rmw':
      case 'cas':
        return this.#atomic(node);
      case 'probe_load':
        return this.#probe(node.args[0]!, access.load);
      case 'probe_store':
        return this.#probe(node.args[0]!, access.store);
      case 'physical_load':
      case 'physical_cas':
      case 'in_ram':
        return this.#physical(node);
      case 'if':
        return this.#if(node);
      case 'loop':
        return this.#loop(node);
      case 'call':
        return this.#call(node);
      case 'fence':
        return code.atomicFence();
      case 'flush_tlb':
        code.localGet(CPU);
        return code.call(this.#target.runtime.flushTlb);
      case 'flush_tlb_page':
        code.localGet(CPU);
        this.#push(node.args[0]!);
        return code.call(this.#target.runtime.flushTlbPage);
      case 'sync_code':
        // Stores to pages with translated code are noticed as they happen.
        return;
      default:
        return this.#leave(node);
    }
  }

  #leave(node: Node): void {
    const code = this.#code;
    switch (node.op) {
      case 'break':
        return code.br(code.depth - this.#loops.at(-1)! - 1);
      case 'return':
        if (node.args[0]) this.#push(node.args[0]);
        return code.return();
      case 'raise':
        return this.#target.raise(code);
      case 'exit':
        return this.#target.exit(code, this.#asLocal(node.args[0]!), node.code);
      case 'jump':
        return this.#target.jump(code, this.#asLocal(node.args[0]!), node.kind);
      case 'branch':
        this.#push(node.args[0]!);
        code.if();
        this.#target.jump(code, this.#asLocal(node.args[1]!), 'direct');
        return code.end();
      default:
        // A pure operation: computed here if more than one node uses it, else where it is used.
        if ((this.#uses.get(node) ?? 0) > 1) {
          this.#push(node as Value);
          this.#code.localSet(this.#localFor(node as Value));
        }
    }
  }

  /** Gives a local with the host offset of an access; raises if it is not permitted. */
  #lookup(wanted: Lookup): number {
    const { address, size, lastPage } = wanted;
    const host = this.#pool.take('i32');
    if (lastPage === undefined) {
      this.#probeTlb(wanted, host);
      return host;
    }
    const code = this.#code;
    code.localGet(CPU);
    code.memory(opcodes['i64.load'], lastPage, 3);
    code.localGet(address);
    code.i64Const(-4096 | (size - 1));
    code.op(opcodes['i64.and']);
    code.op(opcodes['i64.eq']);
    code.likely();
    code.if();
    this.#hostOf(address, CPU, lastPage, host);
    code.else();
    this.#probeTlb(wanted, host);
    code.end();
    return host;
  }

  /** Sets `host` to what the address in a local is by the TLB entry at `entry` (a local) plus `offset`. */
  #hostOf(address: number, entry: number, offset: number, host: number): void {
    const code = this.#code;
    code.localGet(entry);
    code.memory(opcodes['i32.load'], offset + 8, 2);
    code.localGet(address);
    code.op(opcodes['i32.wrap_i64']);
    code.op(opcodes['i32.add']);
    code.localSet(host);
  }

  #probeTlb({ table, address, size, lastPage, tag, slow }: Lookup, host: number): void {
    const code = this.#code;
    const entry = this.#pool.take('i32');
    tlbEntry(code, address, entry);
    code.localGet(entry);
    code.memory(opcodes['i64.load'], table, 3);
    tlbTag(code, address, size, tag ?? (() => this.#target.dataTag(code)));
    code.op(opcodes['i64.eq']);
    code.likely();
    code.if();
    if (lastPage !== undefined) this.#keepLast(lastPage, address, entry, table);
    this.#hostOf(address, entry, table, host);
    code.else();
    slow();
    code.localTee(host);
    this.#raiseIfZero();
    code.end();
  }

  /** The page of an address is the one accessed last, and in a TLB entry. */
  #keepLast(lastPage: number, address: number, entry: number, table: number): void {
    const code = this.#code;
    code.localGet(CPU);
    code.localGet(address);
    code.i64Const(-4096);
    code.op(opcodes['i64.and']);
    code.memory(opcodes['i64.store'], lastPage, 3);
    code.localGet(CPU);
    code.localGet(entry);
    code.memory(opcodes['i32.load'], table + 8, 2);
    code.memory(opcodes['i32.store'], lastPage + 8, 2);
  }

  /** Raises if the value on the stack is 0. */
  #raiseIfZero(): void {
    const code = this.#code;
    code.op(opcodes['i32.eqz']);
    code.unlikely();
    code.if();
    this.#target.raise(code);
    code.end();
  }

  #load(node: LoadNode): void {
    const code = this.#code;
    const address = this.#asLocal(node.args[0]!);
    const size = node.width / 8;
    const host = this.#loadedFrom(node, address, size);
    code.localGet(host);
    code.memory(loads[node.signed ? 'signed' : 'unsigned'][node.width], 0, 0);
    this.#keep(node);
  }

  #loadVector(node: LoadVectorNode): void {
    const code = this.#code;
    const host = this.#loadedFrom(node, this.#asLocal(node.args[0]!), node.width / 8);
    code.localGet(host);
    code.memory(vectorLoads[node.width], 0, 0);
    this.#keep(node);
  }

  /** A local with the host offset that a load reads. */
  #loadedFrom(node: LoadNode | LoadVectorNode, address: number, size: number): number {
    const code = this.#code;
    const { runtime } = this.#target;
    const isUser = node.op === 'load' && node.asUser === true;
    const slow = (): void => {
      code.localGet(CPU);
      code.localGet(address);
      code.i32Const(size);
      code.call(isUser ? runtime.slowLoadAsUser : runtime.slowLoad);
    };
    const wanted = { table: tlb.load, address, size, slow };
    if (isUser) return this.#lookup({ ...wanted, tag: () => getCell(code, vcpu.userTag) });
    const lastPage = this.#target.lastPage?.(node.args[0]!, access.load);
    return this.#lookup({ ...wanted, lastPage });
  }

  #store(node: StoreNode): void {
    const code = this.#code;
    const address = this.#asLocal(node.args[0]!);
    const value = this.#asLocal(node.args[1]!);
    const size = node.width / 8;
    const host = this.#storedTo(node, address, size, () => code.localGet(value));
    code.localGet(host);
    code.localGet(value);
    code.memory(stores[node.width], 0, 0);
  }

  #storeVector(node: StoreVectorNode): void {
    const code = this.#code;
    const address = this.#asLocal(node.args[0]!);
    const value = this.#asLocal(node.args[1]!);
    const half = (lane: number): void => {
      code.localGet(value);
      code.lane(opcodes['i64x2.extract_lane'], lane);
    };
    const host = this.#storedTo(node, address, node.width / 8, () => {
      if (node.width === 128) setCell(code, vcpu.scratchHigh, () => half(1));
      half(0);
    });
    code.localGet(host);
    code.localGet(value);
    if (node.width === 128) code.memory(opcodes['v128.store'], 0, 0);
    else code.memoryLane(opcodes[`v128.store${node.width}_lane`], 0, 0, 0);
  }

  /** A local with the host offset that a store writes; `push` pushes its low 64 bits for a slow path. */
  #storedTo(
    node: StoreNode | StoreVectorNode,
    address: number,
    size: number,
    push: () => void,
  ): number {
    const code = this.#code;
    const { runtime } = this.#target;
    const isUser = node.op === 'store' && node.asUser === true;
    const slow = (): void => {
      code.localGet(CPU);
      code.localGet(address);
      code.i32Const(size);
      push();
      code.call(isUser ? runtime.slowStoreAsUser : runtime.slowStore);
    };
    const wanted = { table: tlb.store, address, size, slow };
    if (isUser) return this.#lookup({ ...wanted, tag: () => getCell(code, vcpu.userTag) });
    const lastPage = this.#target.lastPage?.(node.args[0]!, access.store);
    return this.#lookup({ ...wanted, lastPage });
  }

  #atomic(node: RmwNode | CasNode): void {
    const code = this.#code;
    const address = this.#asLocal(node.args[0]!);
    const values = node.args.slice(1).map((arg) => this.#asLocal(arg));
    const slow = (): void => {
      code.localGet(CPU);
      code.localGet(address);
      code.call(this.#target.runtime.slowAtomic);
    };
    const host = this.#lookup({ table: tlb.store, address, size: 1, slow });
    code.localGet(host);
    for (const value of values) code.localGet(value);
    const opcode = node.op === 'rmw' ? rmws[node.width][node.kind] : cmpxchg[node.width];
    code.memory(opcode, 0, log2[node.width]);
    this.#keep(node);
  }

  #probe(address: Value, kind: number): void {
    const code = this.#code;
    code.localGet(CPU);
    this.#push(address);
    code.i32Const(kind);
    code.call(this.#target.translate);
    code.i64Const(-1);
    code.op(opcodes['i64.ne']);
    this.#raiseIfZero();
  }

  #physical(node: Node): void {
    const code = this.#code;
    const address = node.args[0]!;
    if (node.op === 'in_ram') {
      this.#push(address);
      getCell(code, vcpu.ramBase);
      code.op(opcodes['i64.sub']);
      getCell(code, vcpu.ramSize);
      code.i64Const(7);
      code.op(opcodes['i64.sub']);
      code.op(opcodes['i64.lt_u']);
      return this.#keep(node);
    }
    hostOffset(code, () => this.#push(address));
    if (node.op === 'physical_load') {
      code.memory(loads.unsigned[node.width], 0, 0);
      return this.#keep(node);
    }
    assert(node.op === 'physical_cas', `${node.op} is not a physical access`);
    this.#push(node.args[1]!);
    this.#push(node.args[2]!);
    code.memory(cmpxchg[node.width], 0, log2[node.width]);
    return this.#keep(node);
  }

  #if(node: IfNode): void {
    const code = this.#code;
    this.#push(node.args[0]!);
    if (node.hint === 'likely') code.likely();
    if (node.hint === 'unlikely') code.unlikely();
    code.if();
    this.#block(node.taken);
    if (node.otherwise.nodes.length > 0) {
      code.else();
      this.#block(node.otherwise);
    }
    code.end();
  }

  #loop(node: LoopNode): void {
    const code = this.#code;
    this.#loops.push(code.depth);
    code.block();
    code.loop();
    this.#block(node.body);
    code.br(0);
    code.end();
    code.end();
    this.#loops.pop();
  }

  #call(node: CallNode): void {
    const code = this.#code;
    code.localGet(CPU);
    for (const arg of node.args) this.#push(arg);
    code.call(this.#target.functionOf(node.callee));
    if (node.type !== null) this.#keep(node as Value);
  }
}

/** Whether control can reach the end of a block. */
export function fallsThrough(block: Block): boolean {
  const last = block.nodes.at(-1);
  if (last === undefined) return true;
  switch (last.op) {
    case 'jump':
    case 'raise':
    case 'exit':
    case 'return':
    case 'break':
      return false;
    case 'if':
      return fallsThrough(last.taken) || fallsThrough(last.otherwise);
    default:
      return true;
  }
}

/** Lowers a routine to the code of a function `(cpu, ...params) → result`. */
export function lowerRoutine(
  target: Target,
  block: Block,
  params: number,
  result: Type | null,
): Code {
  const code = new Code(params + 1);
  new Lowering(code, target).routine(block, result);
  return code;
}

/** The WebAssembly type of a callee. */
export const signatureOf = (callee: Callee): { params: ValueType[]; results: ValueType[] } => ({
  params: ['i32', ...callee.params.map(wasmType)],
  results: callee.result === null ? [] : [wasmType(callee.result)],
});
