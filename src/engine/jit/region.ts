// Makes one WebAssembly function of a region: structured control flow, guest registers in locals, addresses of code
// relative to the entry.
//
// The function is `(cpu, ip) → exit code`, like the interpreter's handlers, so the two call each other freely. It
// loads the registers it uses when it is entered. Where it is left for other code it stores those that may have changed
// on the way; what is rare (exceptions, the end of the slice) shares one place that stores all that it ever changes.
// The budget lives in a local. What a block owes is carried along as a constant until paths meet, and the budget is
// looked at on back edges and where the region is left; vcpu.attention only there, so that a loop is left for it when
// its slice ends.
// Invariant: whenever the guest's state can be seen (an exception, an exit, other code), registers, pc and budget in
// the vCPU's record are exact.

import type { AnyRegister, Block, Callee, Node, StateField, Value } from '../../ir/node.ts';
import { vcpu } from '../../isa/shared/vcpu.ts';
import type { Code } from '../../wasm/code.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { leaveIfDue, probeJumpCache } from '../interpreter/joints.ts';
import { count } from '../lower/counters.ts';
import {
  CPU,
  getCell,
  Locals,
  Lowering,
  registerLoad,
  registerStore,
  type RuntimeFunctions,
  setCell,
  type Target,
} from '../lower/lower.ts';
import type { BasicBlock, Destination, End, Guess, Region } from './discover.ts';
import { lastPageOf } from './last-pages.ts';
import { changedBefore, type LocalUse, offsetOf, type RegisterSets } from './registers.ts';
import { emitStructured, type Flow } from './structure.ts';

/** Addresses with which an indirect jump's target is compared one by one; of more, a table is made. */
const COMPARED_MAX = 4;

/** Function indices that a region's code calls; all but the first kinds are the interpreter's. */
export interface RegionFunctions {
  readonly runtime: RuntimeFunctions;
  readonly functionOf: (callee: Callee) => number;
  readonly translate: number;
  /** `(cpu) → exit code`: goes to vcpu.pc. */
  readonly dispatch: number;
  /** `(cpu, target: i64, spent: i32) → exit code`: accounts for instructions and goes to an address. */
  readonly leave: number;
  /** `(cpu, pc: i64, spent: i32) → exit code`: the instruction there raised the pending exception. */
  readonly raiseAt: number;
  /** Type and table of the interpreter's handlers. */
  readonly handlerType: number;
  readonly table: number;
  /** Whether the code counts entries, exits and instructions in the vCPU's record. */
  readonly statistics: boolean;
}

/** Writes the function's code into a new or reset Code; gives what its locals hold, for people. */
export function lowerRegion(
  code: Code,
  region: Region,
  functions: RegionFunctions,
): () => ReadonlyMap<number, LocalUse> {
  const lowering = new RegionLowering(code, region, functions);
  lowering.emit();
  return () => lowering.localUses();
}

class RegionLowering {
  readonly #code: Code;
  readonly #region: Region;
  readonly #flow: Flow;
  readonly #functions: RegionFunctions;
  readonly #registers: RegisterSets;
  readonly #locals: Locals;
  readonly #lowering: Lowering;
  readonly #localOf = new Map<number, number>();
  readonly #budget: number;
  /** vcpu.dataTag: whatever changes it leaves the region. */
  readonly #dataTag: number;
  /** The address of the entry. */
  readonly #origin: number;
  /** Where to go on behind dispatch blocks, see dispatch.ts. */
  readonly #label: number;
  /** Where an exit goes, and what it still owes. */
  readonly #pc: number;
  readonly #owed: number;
  /** The budget on entry; for statistics. */
  readonly #entryBudget: number;
  /** Labels of the places that end the function. */
  #goLabel = 0;
  #raiseLabel = 0;
  #dueLabel = 0;
  /** The instruction being lowered: its block, its distance from the entry, its number in its block. */
  #block = 0;
  #at = 0;
  #index = -1;
  /** Instructions done on this path that the budget does not know of: those before this block. */
  #before = 0;

  constructor(code: Code, region: Region, functions: RegionFunctions) {
    this.#code = code;
    this.#region = region;
    this.#flow = region.flow;
    this.#functions = functions;
    this.#registers = changedBefore(region);
    this.#budget = code.local('i32');
    this.#owed = code.local('i32');
    this.#dataTag = code.local('i64');
    this.#entryBudget = functions.statistics ? code.local('i32') : 0;
    this.#origin = code.local('i64');
    this.#pc = code.local('i64');
    this.#label = code.local('i32');
    for (const [offset, type] of this.#registers.used) this.#localOf.set(offset, code.local(type));
    this.#locals = new Locals(code);
    this.#lowering = new Lowering(code, this.#target(), this.#locals);
  }

  emit(): void {
    const code = this.#code;
    this.#prologue();
    this.#dueLabel = code.depth;
    code.block();
    this.#raiseLabel = code.depth;
    code.block();
    this.#goLabel = code.depth;
    code.block();
    this.#body();
    code.unreachable();
    code.end();
    this.#go();
    code.end();
    this.#rare(this.#functions.raiseAt, vcpu.exitsRaised);
    code.end();
    this.#rare(this.#functions.leave, vcpu.exitsDue);
  }

  localUses(): ReadonlyMap<number, LocalUse> {
    const uses = new Map<number, LocalUse>([
      [CPU, { name: 'cpu' }],
      [CPU + 1, { name: 'ip' }],
      [this.#budget, { name: 'budget' }],
      [this.#owed, { name: 'owed' }],
      [this.#dataTag, { name: 'dataTag' }],
      [this.#origin, { name: 'origin' }],
      [this.#pc, { name: 'pc' }],
      [this.#label, { name: 'label' }],
    ]);
    for (const [register, local] of this.#localOf) uses.set(local, { register });
    return uses;
  }

  /** With statistics: adds one to a counter, or what `amount` pushes (i64). */
  #count(counter: StateField, amount?: () => void): void {
    if (this.#functions.statistics) count(this.#code, counter, amount);
  }

  #countRetired(): void {
    const code = this.#code;
    this.#count(vcpu.regionRetired, () => {
      code.localGet(this.#entryBudget);
      code.localGet(this.#budget);
      code.op(opcodes['i32.sub']);
      code.op(opcodes['i64.extend_i32_s']);
    });
  }

  #prologue(): void {
    const code = this.#code;
    getCell(code, vcpu.budget);
    code.localSet(this.#budget);
    this.#count(vcpu.regionEntries);
    if (this.#functions.statistics) {
      code.localGet(this.#budget);
      code.localSet(this.#entryBudget);
    }
    if (this.#region.blocks.some((block) => accessesMemory(block.code))) {
      getCell(code, vcpu.dataTag);
      code.localSet(this.#dataTag);
    }
    if (this.#region.inLoops.size > 0) this.#checkLastPages();
    getCell(code, vcpu.pc);
    code.localSet(this.#origin);
    for (const [offset, type] of this.#registers.used) {
      code.localGet(CPU);
      code.memory(registerLoad[type], offset, 3);
      code.localSet(this.#localOf.get(offset)!);
    }
  }

  #checkLastPages(): void {
    const code = this.#code;
    getCell(code, vcpu.dataTag);
    getCell(code, vcpu.lastPagesTag);
    code.op(opcodes['i64.ne']);
    code.unlikely();
    code.if();
    code.localGet(CPU);
    code.call(this.#functions.runtime.forgetPages);
    code.end();
  }

  #body(): void {
    const code = this.#code;
    const { blocks, graph } = this.#region;
    const { merges } = this.#flow;
    emitStructured(graph, this.#flow, {
      openBlock: () => code.block(),
      openLoop: (header) => {
        if (!merges.has(header)) this.#pay();
        code.loop();
      },
      close: () => code.end(),
      branch: (label, isBack, to) => {
        this.#pay();
        if (isBack) this.#leaveIfOver(blocks[to]!.distance);
        this.#br(label);
      },
      node: (node, go) => {
        if (merges.has(node)) this.#before = 0;
        this.#emitBlock(node, blocks[node]!, go);
      },
      get depth() {
        return code.depth;
      },
    });
  }

  #emitBlock(number: number, block: BasicBlock, go: (successor: number) => void): void {
    const { code: meaning, instructions, end } = block;
    this.#block = number;
    this.#index = -1;
    this.#locals.release();
    const lowering = this.#lowering;
    const closing = closingNode(meaning);
    lowering.instruction(meaning, closing);
    const owed = this.#before + instructions;
    const to = (destination: Destination): void => {
      this.#before = owed;
      if (!('block' in destination)) {
        this.#exit(owed, () => this.#address(destination.distance), number);
        return;
      }
      if (destination.label !== undefined) this.#setLabel(destination.label);
      go(destination.block);
    };
    if (end.kind === 'dispatch') return this.#dispatch(end, to);
    if (end.kind === 'jump') return to(end.to);
    if (end.kind === 'branch')
      return this.#branch(
        lowering,
        closing!.args[0]!,
        () => to(end.taken),
        () => to(end.next),
      );
    if (closing === undefined) return;
    lowering.push(closing.args[0]!);
    this.#code.localSet(this.#pc);
    if (end.guesses.length > COMPARED_MAX) this.#switch(end.guesses, to);
    else for (const guess of end.guesses) this.#guess(guess, () => to(guess.to));
    this.#exit(owed, () => this.#code.localGet(this.#pc), number);
  }

  #branch(lowering: Lowering, condition: Value, taken: () => void, next: () => void): void {
    const code = this.#code;
    lowering.push(condition);
    code.if();
    taken();
    code.else();
    next();
    code.end();
    code.unreachable();
  }

  #setLabel(label: number): void {
    this.#code.i32Const(label);
    this.#code.localSet(this.#label);
  }

  /** Goes on by the label, which is 0 again in a block that is no dispatch block. */
  #dispatch({ cases, otherwise }: End & { kind: 'dispatch' }, to: (to: Destination) => void): void {
    const code = this.#code;
    const goOn = (destination: Destination): void => {
      const next = 'block' in destination ? this.#region.blocks[destination.block] : undefined;
      if (next?.end.kind !== 'dispatch') this.#setLabel(0);
      to(destination);
    };
    code.localGet(this.#label);
    code.unlikely();
    code.if();
    for (const { label, to: destination } of cases) {
      code.localGet(this.#label);
      code.i32Const(label);
      code.op(opcodes['i32.eq']);
      code.if();
      goOn(destination);
      code.end();
    }
    code.end();
    goOn(otherwise);
  }

  /** Goes on in the region if the address in #pc is a block's. */
  #guess({ distance }: Guess, go: () => void): void {
    const code = this.#code;
    code.localGet(this.#pc);
    this.#address(distance);
    code.op(opcodes['i64.eq']);
    code.if();
    go();
    code.end();
  }

  /** Goes on in the region if the address in #pc is one of the blocks', by a table of their distances. */
  #switch(targets: readonly Guess[], go: (to: Destination) => void): void {
    const code = this.#code;
    const distances = targets.map(({ distance }) => distance);
    const low = Math.min(...distances);
    const span = Math.max(...distances) - low + 1;
    const unit = 2;
    const cases = Array<number>(Math.ceil(span / unit)).fill(targets.length);
    for (const [i, distance] of distances.entries()) cases[(distance - low) / unit] = i;
    const offset = this.#locals.take('i64');
    code.block();
    for (const _ of targets) code.block();
    code.localGet(this.#pc);
    this.#address(low);
    code.op(opcodes['i64.sub']);
    code.localTee(offset);
    code.i64Const(span);
    code.op(opcodes['i64.ge_u']);
    code.brIf(targets.length);
    code.localGet(offset);
    code.op(opcodes['i32.wrap_i64']);
    code.i32Const(1);
    code.op(opcodes['i32.rotr']);
    code.brTable(cases, targets.length);
    for (const target of targets) {
      code.end();
      go(target.to);
    }
    code.end();
  }

  /** Leaves for other code. */
  #exit(owed: number, push: () => void, block: number): void {
    const code = this.#code;
    push();
    code.localSet(this.#pc);
    this.#spend(owed);
    this.#store(this.#registers.after[block]!);
    this.#br(this.#goLabel);
  }

  /** Accounts for what this path owes. */
  #pay(): void {
    this.#spend(this.#before);
    this.#before = 0;
  }

  #spend(instructions: number): void {
    if (instructions === 0) return;
    const code = this.#code;
    code.localGet(this.#budget);
    code.i32Const(instructions);
    code.op(opcodes['i32.sub']);
    code.localSet(this.#budget);
  }

  /** Leaves for a place in the region if the slice is over. */
  #leaveIfOver(distance: number): void {
    const code = this.#code;
    code.localGet(this.#budget);
    code.i32Const(0);
    code.op(opcodes['i32.lt_s']);
    code.unlikely();
    code.if();
    this.#address(distance);
    code.localSet(this.#pc);
    this.#br(this.#dueLabel);
    code.end();
  }

  /** Stores registers, a bit each. */
  #store(registers: bigint): void {
    const code = this.#code;
    for (const [bit, [offset, type]] of this.#registers.used.entries()) {
      if (((registers >> BigInt(bit)) & 1n) === 0n) continue;
      code.localGet(CPU);
      code.localGet(this.#localOf.get(offset)!);
      code.memory(registerStore[type], offset, 3);
    }
  }

  #storeBudget(): void {
    setCell(this.#code, vcpu.budget, () => this.#code.localGet(this.#budget));
  }

  /** The place from which the region is left for #pc. */
  #go(): void {
    const code = this.#code;
    this.#storeBudget();
    this.#countRetired();
    code.localGet(this.#budget);
    leaveIfDue(code, this.#pc);
    setCell(code, vcpu.pc, () => code.localGet(this.#pc));
    const { handlerType, table, dispatch } = this.#functions;
    probeJumpCache(code, this.#pc, { handlerType, table }, () => this.#count(vcpu.exitsChained));
    this.#count(vcpu.exitsDispatched);
    code.localGet(CPU);
    code.returnCall(dispatch);
  }

  /** The place where something rare leaves the region. */
  #rare(joint: number, counter: StateField): void {
    const code = this.#code;
    this.#countRetired();
    this.#count(counter);
    this.#store(this.#registers.changed);
    this.#storeBudget();
    code.localGet(CPU);
    code.localGet(this.#pc);
    code.localGet(this.#owed);
    code.returnCall(joint);
  }

  /** Pushes the address that lies `distance` bytes from the entry. */
  #address(distance: number): void {
    const code = this.#code;
    code.localGet(this.#origin);
    if (distance === 0) return;
    code.i64Const(distance);
    code.op(opcodes['i64.add']);
  }

  #br(label: number): void {
    this.#code.br(this.#code.depth - label - 1);
  }

  #target(): Target {
    const { runtime, functionOf, translate } = this.#functions;
    const localOf = (operand: AnyRegister): number => this.#localOf.get(offsetOf(operand))!;
    return {
      runtime,
      functionOf,
      translate,
      operand: impossible,
      pc: (_code, offset) => this.#address(offset),
      next: () => {},
      instruction: (distance) => {
        this.#at = distance;
        this.#index++;
      },
      lastPage: (address, kind) =>
        this.#region.inLoops.has(this.#block) ? lastPageOf(address, kind) : undefined,
      dataTag: (code) => code.localGet(this.#dataTag),
      getRegister: (code, operand) => code.localGet(localOf(operand)),
      setRegister: (code, operand, push) => {
        push();
        code.localSet(localOf(operand));
      },
      retired: (code) => this.#retired(code),
      raise: (code) => {
        this.#address(this.#at);
        code.localSet(this.#pc);
        code.i32Const(this.#before + this.#index + 1);
        code.localSet(this.#owed);
        this.#br(this.#raiseLabel);
      },
      jump: (code, target) =>
        this.#exit(this.#before + this.#index + 1, () => code.localGet(target), this.#block),
      exit: (code, next, exitCode) => {
        this.#spend(this.#before + this.#index + 1);
        this.#store(this.#registers.changed);
        this.#storeBudget();
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
    code.i32Const(this.#before + this.#index);
    code.op(opcodes['i32.add']);
    code.op(opcodes['i64.extend_i32_u']);
    code.op(opcodes['i64.add']);
  }
}

/** The node with which control leaves a block for an address, if that is its last. */
function closingNode(meaning: Block): Node | undefined {
  const last = meaning.nodes.at(-1);
  return last?.op === 'branch' || last?.op === 'jump' ? last : undefined;
}

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

/** Whether a block translates addresses of data. */
function accessesMemory(block: Block): boolean {
  return block.nodes.some((node) => {
    if (node.op === 'if') return accessesMemory(node.taken) || accessesMemory(node.otherwise);
    return node.op === 'loop' ? accessesMemory(node.body) : accesses.has(node.op);
  });
}

function impossible(): never {
  throw new TypeError('a translated instruction has no open operands');
}
