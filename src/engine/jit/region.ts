// Makes one WebAssembly function of a region: structured control flow, guest registers in locals.
//
// The function is `(cpu, ip) → exit code`, like the interpreter's handlers, so the two call each other freely. It
// loads the registers it uses when it is entered and stores those it changes wherever it is left. The budget lives in a
// local; each block takes off its instructions when it ends, and the budget is looked at on back edges and when the
// region is left.
// Invariant: whenever the guest's state can be seen (an exception, an exit, another block), registers, pc and budget in
// the vCPU's record are exact.

import type { Block, Callee, Node, RegisterOperand, Value } from '../../ir/node.ts';
import { vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import {
  CPU,
  getCell,
  Locals,
  Lowering,
  type RuntimeFunctions,
  setCell,
  type Target,
} from '../lower/lower.ts';
import type { BasicBlock, Destination, Region } from './discover.ts';
import { analyse, emitStructured } from './structure.ts';

const IP = 1;

/** Function indices that a region's code calls; all but the first kinds are the interpreter's. */
export interface RegionFunctions {
  readonly runtime: RuntimeFunctions;
  readonly functionOf: (callee: Callee) => number;
  readonly translate: number;
  /** `(cpu, target: i64, spent: i32) → exit code`: accounts for instructions and goes to an address. */
  readonly leave: number;
  /** `(cpu, pc: i64, spent: i32) → exit code`: the instruction there raised the pending exception. */
  readonly raiseAt: number;
  /** Type and table of the interpreter's handlers. */
  readonly handlerType: number;
  readonly table: number;
}

interface RegisterLocal {
  readonly offset: number;
  readonly local: number;
  isWritten: boolean;
}

/** The function's code. `fallback` is the handler that runs where the region was made for another address. */
export function lowerRegion(region: Region, functions: RegionFunctions, fallback: number): Code {
  const code = new Code(2);
  enterOnlyAt(code, region.blocks[0]!.pc, functions, fallback);
  const lowering = new RegionLowering(code, region, functions);
  lowering.prologue();
  lowering.emit();
  code.unreachable();
  return code;
}

/** Blocks are found by physical address, but code knows its virtual one: under another mapping it must not run. */
function enterOnlyAt(code: Code, pc: bigint, functions: RegionFunctions, fallback: number): void {
  getCell(code, vcpu.pc);
  code.i64Const(BigInt.asIntN(64, pc));
  code.op(opcodes['i64.ne']);
  code.unlikely();
  code.if();
  code.localGet(CPU);
  code.localGet(IP);
  code.i32Const(fallback);
  code.returnCallIndirect(functions.handlerType, functions.table);
  code.end();
}

class RegionLowering {
  readonly #code: Code;
  readonly #region: Region;
  readonly #functions: RegionFunctions;
  readonly #locals: Locals;
  readonly #registers = new Map<number, RegisterLocal>();
  readonly #budget: number;
  /** vcpu.dataTag: whatever changes it leaves the region. */
  readonly #dataTag: number;
  /** The instruction being lowered: its address, and the instructions of its block before it. */
  #pc = 0n;
  #index = 0;

  constructor(code: Code, region: Region, functions: RegionFunctions) {
    this.#code = code;
    this.#region = region;
    this.#functions = functions;
    this.#budget = code.local('i32');
    this.#dataTag = code.local('i64');
    for (const block of region.blocks) {
      for (const { meaning } of block.instructions) this.#collect(meaning);
    }
    this.#locals = new Locals(code);
  }

  /** Gives every register that a meaning names a local. */
  #collect(block: Block): void {
    for (const node of block.nodes) {
      if (node.op === 'get' || node.op === 'set') {
        const offset = offsetOf(node.register);
        const known = this.#registers.get(offset);
        const entry = known ?? { offset, local: this.#code.local('i64'), isWritten: false };
        entry.isWritten ||= node.op === 'set';
        this.#registers.set(offset, entry);
      } else if (node.op === 'if') {
        this.#collect(node.taken);
        this.#collect(node.otherwise);
      } else if (node.op === 'loop') this.#collect(node.body);
    }
  }

  prologue(): void {
    const code = this.#code;
    getCell(code, vcpu.budget);
    code.localSet(this.#budget);
    getCell(code, vcpu.dataTag);
    code.localSet(this.#dataTag);
    for (const { offset, local } of this.#registers.values()) {
      code.localGet(CPU);
      code.memory(opcodes['i64.load'], offset, 3);
      code.localSet(local);
    }
  }

  emit(): void {
    const code = this.#code;
    const { blocks, graph } = this.#region;
    emitStructured(graph, analyse(graph), {
      openBlock: () => code.block(),
      openLoop: () => code.loop(),
      close: () => code.end(),
      branch: (label, isBack, to) => {
        if (isBack) this.#checkBudget(blocks[to]!.pc);
        code.br(code.depth - label - 1);
      },
      node: (node, go) => this.#block(blocks[node]!, go),
      get depth() {
        return code.depth;
      },
    });
  }

  #block(block: BasicBlock, go: (successor: number) => void): void {
    const { instructions, end } = block;
    const last = instructions.length - 1;
    let condition: Value | undefined;
    let lowering: Lowering | undefined;
    for (const [index, { pc, meaning }] of instructions.entries()) {
      this.#pc = pc;
      this.#index = index;
      this.#locals.release();
      lowering = new Lowering(this.#code, this.#target(), this.#locals);
      const closing = index === last && end.kind !== 'leave' ? closingNode(meaning) : undefined;
      lowering.instruction(meaning, closing);
      if (closing?.op === 'branch') condition = closing.args[0]!;
    }
    if (end.kind === 'leave') return;
    this.#spend(instructions.length);
    if (end.kind === 'jump') return this.#go(end.to, go);
    this.#branch(lowering!, condition!, end, go);
  }

  #branch(
    lowering: Lowering,
    condition: Value,
    end: BasicBlock['end'] & { kind: 'branch' },
    go: (successor: number) => void,
  ): void {
    const code = this.#code;
    lowering.push(condition);
    code.if();
    this.#go(end.taken, go);
    code.else();
    this.#go(end.next, go);
    code.end();
    code.unreachable();
  }

  #go(to: Destination, go: (successor: number) => void): void {
    if ('block' in to) return go(to.block);
    this.#store();
    this.#code.localGet(CPU);
    this.#pushPc(to.pc);
    this.#code.i32Const(0);
    this.#code.returnCall(this.#functions.leave);
  }

  #spend(instructions: number): void {
    const code = this.#code;
    code.localGet(this.#budget);
    code.i32Const(instructions);
    code.op(opcodes['i32.sub']);
    code.localSet(this.#budget);
  }

  /** Leaves for `pc` if the slice is over or attention is wanted. */
  #checkBudget(pc: bigint): void {
    const code = this.#code;
    code.localGet(this.#budget);
    code.i32Const(0);
    code.op(opcodes['i32.lt_s']);
    getCell(code, vcpu.attention);
    code.op(opcodes['i32.or']);
    code.unlikely();
    code.if();
    this.#go({ pc }, () => {});
    code.end();
  }

  /** Brings the vCPU's record up to date, except for the pc. */
  #store(): void {
    const code = this.#code;
    for (const { offset, local, isWritten } of this.#registers.values()) {
      if (!isWritten) continue;
      code.localGet(CPU);
      code.localGet(local);
      code.memory(opcodes['i64.store'], offset, 3);
    }
    setCell(code, vcpu.budget, () => code.localGet(this.#budget));
  }

  #pushPc(pc: bigint): void {
    this.#code.i64Const(BigInt.asIntN(64, pc));
  }

  #target(): Target {
    const { runtime, functionOf, translate, leave, raiseAt } = this.#functions;
    const localOf = (operand: RegisterOperand): number =>
      this.#registers.get(offsetOf(operand))!.local;
    return {
      runtime,
      functionOf,
      translate,
      operand: impossible,
      pc: impossible,
      next: () => {},
      dataTag: (code) => code.localGet(this.#dataTag),
      getRegister: (code, operand) => code.localGet(localOf(operand)),
      setRegister: (code, operand, push) => {
        push();
        code.localSet(localOf(operand));
      },
      retired: (code) => this.#retired(code),
      raise: (code) => {
        this.#store();
        code.localGet(CPU);
        this.#pushPc(this.#pc);
        code.i32Const(this.#index + 1);
        code.returnCall(raiseAt);
      },
      jump: (code, target) => {
        this.#store();
        code.localGet(CPU);
        code.localGet(target);
        code.i32Const(this.#index + 1);
        code.returnCall(leave);
      },
      exit: (code, next, exitCode) => {
        this.#spend(this.#index + 1);
        this.#store();
        setCell(code, vcpu.pc, () => code.localGet(next));
        code.i32Const(exitCode);
        code.return();
      },
    };
  }

  #retired(code: Code): void {
    getCell(code, vcpu.retired);
    getCell(code, vcpu.slice);
    code.localGet(this.#budget);
    code.op(opcodes['i32.sub']);
    code.i32Const(this.#index);
    code.op(opcodes['i32.add']);
    code.op(opcodes['i64.extend_i32_u']);
    code.op(opcodes['i64.add']);
  }
}

/** The node with which control leaves an instruction for a known address, if that is its last. */
function closingNode(meaning: Block): Node | undefined {
  const last = meaning.nodes.at(-1);
  return last?.op === 'branch' || last?.op === 'jump' ? last : undefined;
}

const offsetOf = ({ file, ...operand }: RegisterOperand): number =>
  'index' in operand ? file.offset + 8 * operand.index : impossible();

function impossible(): never {
  throw new TypeError('a translated instruction has no open operands');
}
