/**
 * The body of one WebAssembly function, encoded while it is emitted: one method per shape of
 * instruction (WebAssembly Core Specification 2.0, section 5.4). It checks the nesting of blocks
 * but not types; `WebAssembly.validate` does that.
 *
 * Invariants: emitting allocates nothing but room in growing buffers, and `reset` makes the
 * object as new while keeping that room, so that a translator uses one `Code` for all functions.
 * Locals may be allocated at any time; they are declared before the instructions only when the
 * function is written, which is also when the offsets of branch hints become known.
 */

import { assert } from '../std/assert.ts';
import { ByteWriter } from './byte-writer.ts';
import { opcodes } from './opcodes.ts';
import { EMPTY_BLOCK_TYPE, valueTypeBytes } from './types.ts';
import type { ValueType } from './types.ts';

const BLOCK = opcodes.block;
const LOOP = opcodes.loop;
const IF = opcodes.if;
const ELSE = opcodes.else;
const END = opcodes.end;
const BR = opcodes.br;
const BR_IF = opcodes.br_if;
const BR_TABLE = opcodes.br_table;
const RETURN = opcodes.return;
const CALL = opcodes.call;
const CALL_INDIRECT = opcodes.call_indirect;
const RETURN_CALL = opcodes.return_call;
const RETURN_CALL_INDIRECT = opcodes.return_call_indirect;
const UNREACHABLE = opcodes.unreachable;
const DROP = opcodes.drop;
const SELECT = opcodes.select;
const SELECT_RESULT = opcodes['select (result)'];
const LOCAL_GET = opcodes['local.get'];
const LOCAL_SET = opcodes['local.set'];
const LOCAL_TEE = opcodes['local.tee'];
const GLOBAL_GET = opcodes['global.get'];
const GLOBAL_SET = opcodes['global.set'];
const I32_CONST = opcodes['i32.const'];
const I64_CONST = opcodes['i64.const'];
const F32_CONST = opcodes['f32.const'];
const F64_CONST = opcodes['f64.const'];
const V128_CONST = opcodes['v128.const'];
const SHUFFLE = opcodes['i8x16.shuffle'];
const REF_NULL = opcodes['ref.null'];
const ATOMIC_FENCE = opcodes['atomic.fence'];

/** No branch hint waits for its instruction. */
const NO_HINT = -1;

export class Code {
  readonly #out = new ByteWriter(1024);
  /** Locals in runs of equal type: the type of each run, and its length. */
  readonly #runTypes: number[] = [];
  readonly #runLengths: number[] = [];
  /** Branch hints: offset of each instruction from the first instruction, and 0 or 1. */
  readonly #hintOffsets: number[] = [];
  readonly #hintValues: number[] = [];
  #hint = NO_HINT;
  #depth = 0;
  #parameters: number;
  #locals: number;

  /** `parameters` is the number of parameters of the function's type. */
  constructor(parameters = 0) {
    this.#parameters = parameters;
    this.#locals = parameters;
  }

  /** Makes the object as new, for a function with that many parameters. */
  reset(parameters = this.#parameters): void {
    this.#out.clear();
    this.#runTypes.length = 0;
    this.#runLengths.length = 0;
    this.#hintOffsets.length = 0;
    this.#hintValues.length = 0;
    this.#hint = NO_HINT;
    this.#depth = 0;
    this.#parameters = parameters;
    this.#locals = parameters;
  }

  get parameters(): number {
    return this.#parameters;
  }

  /** Bytes of instructions emitted so far. */
  get length(): number {
    return this.#out.length;
  }

  /**
   * The number of blocks, loops and ifs that are open. If `label` is the depth read just before
   * a block was opened, `br(code.depth - label - 1)` branches to that block. A branch to the
   * depth itself leaves the function.
   */
  get depth(): number {
    return this.#depth;
  }

  /** Allocates a local after the parameters and those allocated before; it starts as zero. */
  local(type: ValueType): number {
    const byte = valueTypeBytes[type];
    const last = this.#runTypes.length - 1;
    if (last >= 0 && this.#runTypes[last] === byte) {
      this.#runLengths[last] = (this.#runLengths[last] ?? 0) + 1;
    } else {
      this.#runTypes.push(byte);
      this.#runLengths.push(1);
    }
    return this.#locals++;
  }

  /** An instruction without immediates. */
  op(opcode: number): void {
    if (opcode < 0x100) {
      this.#out.u8(opcode);
    } else {
      this.#out.u8(opcode >>> 16);
      this.#out.u32(opcode & 0xffff);
    }
  }

  /**
   * A load, store or atomic access. `offset` is below 2^32; `alignLog2` at most the natural
   * alignment, and exactly that for atomics.
   */
  memory(opcode: number, offset: number, alignLog2: number): void {
    this.op(opcode);
    this.#out.u8(alignLog2);
    this.#out.u32(offset);
  }

  /** A load or store of one lane of a vector. */
  memoryLane(opcode: number, offset: number, alignLog2: number, lane: number): void {
    this.memory(opcode, offset, alignLog2);
    this.#out.u8(lane);
  }

  /** `extract_lane` and `replace_lane`. */
  lane(opcode: number, lane: number): void {
    this.op(opcode);
    this.#out.u8(lane);
  }

  /** An instruction whose opcode is followed by these bytes: numbers of lanes. */
  immediate(opcode: number, bytes: readonly number[]): void {
    this.op(opcode);
    for (const byte of bytes) this.#out.u8(byte);
  }

  /** `i8x16.shuffle`: 16 lane numbers, 0..15 of the first operand and 16..31 of the second. */
  shuffle(lanes: ArrayLike<number>): void {
    this.op(SHUFFLE);
    this.#sixteen(lanes);
  }

  /** An instruction whose only immediate is the index of a table, memory, element, … */
  index(opcode: number, index: number): void {
    this.op(opcode);
    this.#out.u32(index);
  }

  /** An instruction with two indices, in the order of the binary format. */
  indexPair(opcode: number, first: number, second: number): void {
    this.index(opcode, first);
    this.#out.u32(second);
  }

  /** `n` is taken modulo 2^32. */
  i32Const(n: number): void {
    this.#out.u8(I32_CONST);
    this.#out.s32(n);
  }

  /** `n` is taken modulo 2^64; as a number it must be an integer. */
  i64Const(n: bigint | number): void {
    this.#out.u8(I64_CONST);
    if (typeof n === 'bigint') this.#out.s64(n);
    else if ((n | 0) === n) this.#out.s32(n);
    else this.#out.s64(BigInt(n));
  }

  /** For a NaN with a certain payload reinterpret an integer instead. */
  f32Const(n: number): void {
    this.#out.u8(F32_CONST);
    this.#out.f32(n);
  }

  /** For a NaN with a certain payload reinterpret an integer instead. */
  f64Const(n: number): void {
    this.#out.u8(F64_CONST);
    this.#out.f64(n);
  }

  /** A vector of 16 bytes, the least significant first. */
  v128Const(bytes: ArrayLike<number>): void {
    this.op(V128_CONST);
    this.#sixteen(bytes);
  }

  /** The null function reference. */
  refNull(): void {
    this.#out.u8(REF_NULL);
    this.#out.u8(valueTypeBytes.funcref);
  }

  localGet(local: number): void {
    this.#out.u8(LOCAL_GET);
    this.#out.u32(local);
  }

  localSet(local: number): void {
    this.#out.u8(LOCAL_SET);
    this.#out.u32(local);
  }

  localTee(local: number): void {
    this.#out.u8(LOCAL_TEE);
    this.#out.u32(local);
  }

  globalGet(global: number): void {
    this.#out.u8(GLOBAL_GET);
    this.#out.u32(global);
  }

  globalSet(global: number): void {
    this.#out.u8(GLOBAL_SET);
    this.#out.u32(global);
  }

  /** Opens a block that leaves a value of `type`, or nothing. */
  block(type?: ValueType): void {
    this.#open(BLOCK, type);
  }

  loop(type?: ValueType): void {
    this.#open(LOOP, type);
  }

  if(type?: ValueType): void {
    this.#placeHint();
    this.#open(IF, type);
  }

  else(): void {
    assert(this.#depth > 0, 'else outside of an if');
    this.#out.u8(ELSE);
  }

  /** Ends a block, loop or if. The end of the function is not emitted: the module adds it. */
  end(): void {
    assert(this.#depth > 0, 'end without a block, loop or if');
    this.#depth--;
    this.#out.u8(END);
  }

  /** `depth` is relative: 0 is the innermost open block. The same for `brIf` and `brTable`. */
  br(depth: number): void {
    this.#out.u8(BR);
    this.#label(depth);
  }

  brIf(depth: number): void {
    this.#placeHint();
    this.#out.u8(BR_IF);
    this.#label(depth);
  }

  brTable(depths: readonly number[], defaultDepth: number): void {
    this.#out.u8(BR_TABLE);
    this.#out.u32(depths.length);
    for (let i = 0; i < depths.length; i++) this.#label(depths[i] ?? defaultDepth);
    this.#label(defaultDepth);
  }

  return(): void {
    this.#out.u8(RETURN);
  }

  call(functionIndex: number): void {
    this.#out.u8(CALL);
    this.#out.u32(functionIndex);
  }

  callIndirect(type: number, table: number): void {
    this.#out.u8(CALL_INDIRECT);
    this.#out.u32(type);
    this.#out.u32(table);
  }

  returnCall(functionIndex: number): void {
    this.#out.u8(RETURN_CALL);
    this.#out.u32(functionIndex);
  }

  returnCallIndirect(type: number, table: number): void {
    this.#out.u8(RETURN_CALL_INDIRECT);
    this.#out.u32(type);
    this.#out.u32(table);
  }

  unreachable(): void {
    this.#out.u8(UNREACHABLE);
  }

  drop(): void {
    this.#out.u8(DROP);
  }

  /** Numbers and vectors need no `type`; references do. */
  select(type?: ValueType): void {
    if (type === undefined) {
      this.#out.u8(SELECT);
    } else {
      this.#out.u8(SELECT_RESULT);
      this.#out.u32(1);
      this.#out.u8(valueTypeBytes[type]);
    }
  }

  atomicFence(): void {
    this.op(ATOMIC_FENCE);
    this.#out.u8(0);
  }

  /**
   * Hints that the condition of the next `if` or `brIf` is nearly always nonzero. (Branch hinting
   * proposal; other instructions may come between, such as those computing the condition.)
   */
  likely(): void {
    this.#hint = 1;
  }

  /** Hints that the condition of the next `if` or `brIf` is nearly always zero. */
  unlikely(): void {
    this.#hint = 0;
  }

  /**
   * Writes the entry of the code section: size, locals, instructions, `end`. Returns the bytes
   * that the declaration of the locals takes: the offset of the first instruction.
   */
  writeEntry(out: ByteWriter): number {
    assert(this.#depth === 0, 'a block, loop or if has no end');
    assert(this.#hint === NO_HINT, 'a branch hint has no branch');
    const start = out.beginSized();
    out.u32(this.#runTypes.length);
    for (let i = 0; i < this.#runTypes.length; i++) {
      out.u32(this.#runLengths[i] ?? 0);
      out.u8(this.#runTypes[i] ?? 0);
    }
    const localsLength = out.length - start;
    out.bytes(this.#out.view());
    out.u8(END);
    out.endSized(start);
    return localsLength;
  }

  /** The number of branch hints in this function. */
  get hints(): number {
    return this.#hintOffsets.length;
  }

  /**
   * Writes this function's branch hints: their number, then for each the offset of the branch
   * from the first byte of the locals, the length 1 and the hint. `localsLength` is what
   * `writeEntry` returned.
   */
  writeHints(out: ByteWriter, localsLength: number): void {
    out.u32(this.#hintOffsets.length);
    for (let i = 0; i < this.#hintOffsets.length; i++) {
      out.u32(localsLength + (this.#hintOffsets[i] ?? 0));
      out.u8(1);
      out.u8(this.#hintValues[i] ?? 0);
    }
  }

  #open(opcode: number, type: ValueType | undefined): void {
    this.#depth++;
    this.#out.u8(opcode);
    this.#out.u8(type === undefined ? EMPTY_BLOCK_TYPE : valueTypeBytes[type]);
  }

  #label(depth: number): void {
    assert(depth >= 0 && depth <= this.#depth, 'a branch to a block that is not open');
    this.#out.u32(depth);
  }

  #placeHint(): void {
    if (this.#hint === NO_HINT) return;
    this.#hintOffsets.push(this.#out.length);
    this.#hintValues.push(this.#hint);
    this.#hint = NO_HINT;
  }

  #sixteen(values: ArrayLike<number>): void {
    assert(values.length === 16, 'a vector has 16 bytes');
    for (let i = 0; i < 16; i++) this.#out.u8(values[i] ?? 0);
  }
}
