// Makes the interpreter: one WebAssembly function for each row, lowered from the row's meaning with operands read
// from the decoded record, plus the functions that join blocks. Handlers end by tail-calling the next record's
// handler, so running guest code never returns to JavaScript until there is a reason to.
//
// Every handler is `(cpu, ip) → exit code`: `ip` is the host offset of its record. The module names no VM: the
// memory is imported and the vCPU a parameter.

import { buildBlock } from '../../ir/builder.ts';
import type { Block, Callee, Helper, OperandNode, RegisterOperand } from '../../ir/node.ts';
import { access, type Isa } from '../../isa/shared/isa.ts';
import type { Row } from '../../isa/shared/row.ts';
import { exitCode, jumpCache, tlb, vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import {
  CPU,
  fallsThrough,
  getCell,
  Lowering,
  lowerRoutine,
  setCell,
  type RuntimeFunctions,
  signatureOf,
  type Target,
  tlbEntry,
  tlbTag,
} from '../lower/lower.ts';
import {
  declareRuntime,
  defineRuntime,
  type HostFunctions,
  fill,
  jumpCachePage,
  setHost,
} from '../lower/runtime.ts';
import { BLOCK_INDEX_ENTRIES } from '../places.ts';
import { header, operandPlaces, record } from './record.ts';

const IP = 1;
const TARGET = 2;

/** The compiled interpreter of a guest architecture, and what decoding must know of its handlers. */
export interface Handlers {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Handler of each row, and of the two records that are no row's. */
  readonly index: ReadonlyMap<Row, number>;
  readonly illegal: number;
  readonly fall: number;
  /** Rows after which a block does not go on. */
  readonly ends: ReadonlySet<Row>;
  /** What the module imports from 'helpers', by name. */
  readonly helpers: readonly Helper[];
}

/** The row's meaning with operands left open. */
function symbolicMeaning(row: Row): Block {
  const operands = Object.fromEntries(
    Object.entries(row.fields).map(([slot, field]): [string, OperandNode | RegisterOperand] => [
      slot,
      field.kind === 'register'
        ? { file: field.file, slot }
        : { op: 'operand', type: 'i64', args: [], slot },
    ]),
  );
  return buildBlock((s) => row.meaning(s, operands));
}

export interface MemoryLimits {
  readonly min: number;
  readonly max: number;
}

/** Builds the interpreter's module. It imports the memory and host functions from 'env', helpers from 'helpers'. */
export function buildHandlers(isa: Isa, memory: MemoryLimits): Handlers {
  const module = new ModuleWriter();
  const meanings = new Map(isa.rows.map((row) => [row, symbolicMeaning(row)]));
  const illegal = buildBlock((s) =>
    isa.illegal(s, { op: 'operand', type: 'i64', args: [], slot: 'word' }),
  );
  const callees = collectCallees(isa, [...meanings.values(), illegal]);
  const declared = declare(module, isa, memory, callees);
  defineShared(module, isa, declared);

  const functions: number[] = [];
  const add = (name: string, code: Code): number => {
    const index = module.addFunction(declared.joints.handlerType, code);
    module.nameFunction(index, name);
    return functions.push(index) - 1;
  };
  const index = new Map(
    [...meanings].map(([row, block]) => {
      return [row, add(row.name, handler(declared, block, operandPlaces(row)))];
    }),
  );
  const illegalPlaces = new Map([['word', record.number]]);
  const illegalHandler = add('illegal', handler(declared, illegal, illegalPlaces));
  const fall = add('fall', fallHandler(declared.joints));
  module.element(declared.joints.table, 0, functions);
  const ends = [...meanings].filter(([, block]) => !fallsThrough(block)).map(([row]) => row);
  const helpers = callees.filter((callee) => callee.kind === 'helper');
  return {
    bytes: module.bytes(),
    index,
    illegal: illegalHandler,
    fall,
    ends: new Set(ends),
    helpers,
  };
}

/** Everything that functions of the module refer to by index. */
interface Declared {
  readonly functions: ReadonlyMap<Callee, number>;
  readonly runtime: RuntimeFunctions;
  readonly host: HostFunctions;
  readonly find: number;
  readonly joints: Joints;
  readonly translate: number;
}

/** Imports first, then indices for all functions whose bodies call each other. */
function declare(
  module: ModuleWriter,
  isa: Isa,
  memory: MemoryLimits,
  callees: readonly Callee[],
): Declared {
  const handlerType = module.type(['i32', 'i32'], ['i32']);
  const jumpType = module.type(['i32', 'i32', 'i64'], ['i32']);
  const runType = module.type(['i32'], ['i32']);
  const functions = new Map<Callee, number>();
  const typeOf = (callee: Callee): number => {
    const { params, results } = signatureOf(callee);
    return module.type(params, results);
  };
  module.importMemory('env', 'memory', { ...memory, shared: true });
  const host = importHost(module);
  const find = module.importFunction('env', 'find', runType);
  for (const callee of callees.filter((c) => c.kind === 'helper')) {
    functions.set(callee, module.importFunction('helpers', callee.name, typeOf(callee)));
  }
  const table = module.table({ min: isa.rows.length + 2 });
  const runtime = declareRuntime(module);
  for (const callee of callees.filter((c) => c.kind === 'routine')) {
    functions.set(callee, module.declareFunction(typeOf(callee)));
    module.nameFunction(functions.get(callee)!, callee.name);
  }
  const joints: Joints = {
    table,
    handlerType,
    raise: module.declareFunction(handlerType),
    jump: module.declareFunction(jumpType),
    link: module.declareFunction(jumpType),
    dispatch: module.declareFunction(runType),
    leave: module.declareFunction(module.type(['i32', 'i64', 'i32'], ['i32'])),
    raiseAt: module.declareFunction(module.type(['i32', 'i64', 'i32'], ['i32'])),
  };
  return { functions, runtime, host, find, joints, translate: functions.get(isa.translate)! };
}

/** Defines and exports what is not a handler: runtime, routines, joints. */
function defineShared(module: ModuleWriter, isa: Isa, declared: Declared): void {
  const { functions, runtime, joints, translate } = declared;
  const accessFault = functions.get(isa.accessFault)!;
  defineRuntime(module, runtime, { translate, accessFault, host: declared.host });
  const target: Target = { ...targetBase(declared), ...routineTarget };
  for (const [callee, index] of functions) {
    if (callee.kind === 'helper') continue;
    const { params, result } = callee;
    module.defineFunction(index, lowerRoutine(target, callee.body(), params.length, result));
  }
  const runType = module.type(['i32'], ['i32']);
  const fetch = module.addFunction(runType, fetchFunction(translate));
  const raise = functions.get(isa.raise)!;
  defineJoints(module, joints, { find: declared.find, fetch, raise });
  module.exportFunction('run', joints.dispatch);
  module.exportFunction('fetch', fetch);
  module.exportFunction('interrupt', functions.get(isa.interrupt)!);
  module.exportFunction('accessFault', accessFault);
  module.exportFunction('translate', translate);
  module.exportFunction('flushTlb', runtime.flushTlb);
  module.exportTable('table', joints.table);
  for (const [name, index] of Object.entries(runtime))
    module.exportFunction(`runtime.${name}`, index);
  module.exportFunction('joint.leave', joints.leave);
  module.exportFunction('joint.raiseAt', joints.raiseAt);
  for (const [callee, index] of functions) {
    if (callee.kind === 'routine') module.exportFunction(`routine.${callee.name}`, index);
  }
}

const targetBase = ({ runtime, functions, translate }: Declared) => ({
  runtime,
  translate,
  functionOf: (callee: Callee): number => functions.get(callee)!,
});

function handler(declared: Declared, block: Block, places: ReadonlyMap<string, number>): Code {
  const code = new Code(2);
  const target = { ...targetBase(declared), ...handlerTarget(declared.joints, places) };
  new Lowering(code, target).instruction(block);
  if (!fallsThrough(block)) code.unreachable();
  return code;
}

function importHost(module: ModuleWriter): HostFunctions {
  const host = (
    name: string,
    params: readonly ('i32' | 'i64' | 'f64')[],
    results: readonly 'i32'[],
  ) => module.importFunction('env', name, module.type(params, results));
  return {
    crossLoad: host('crossLoad', ['i32', 'i64', 'i32'], ['i32']),
    crossStore: host('crossStore', ['i32', 'i64', 'i32', 'i64'], ['i32']),
    deviceLoad: host('deviceLoad', ['i32', 'i64', 'f64', 'i32'], ['i32']),
    deviceStore: host('deviceStore', ['i32', 'i64', 'f64', 'i32', 'i64'], ['i32']),
    codeWrite: host('codeWrite', ['i32', 'i32'], []),
  };
}

/** All routines and helpers that some block reaches, each once. */
function collectCallees(isa: Isa, blocks: readonly Block[]): Callee[] {
  const found = new Set<Callee>();
  const visitCallee = (callee: Callee): void => {
    if (found.has(callee)) return;
    found.add(callee);
    if (callee.kind === 'routine') visitBlock(callee.body());
  };
  const visitBlock = (block: Block): void => {
    for (const node of block.nodes) {
      if (node.op === 'call') visitCallee(node.callee);
      if (node.op === 'if') {
        visitBlock(node.taken);
        visitBlock(node.otherwise);
      }
      if (node.op === 'loop') visitBlock(node.body);
    }
  };
  for (const callee of [isa.translate, isa.accessFault, isa.raise, isa.interrupt]) {
    visitCallee(callee);
  }
  for (const block of blocks) visitBlock(block);
  return [...found];
}

interface Joints {
  readonly table: number;
  readonly handlerType: number;
  /** `(cpu, ip)`: the instruction of the record raised an exception. */
  readonly raise: number;
  /** `(cpu, ip, target)`: goes there through the jump cache. */
  readonly jump: number;
  /** `(cpu, ip, target)`: goes there and remembers the way in the record. */
  readonly link: number;
  /** `(cpu)`: goes to vcpu.pc. */
  readonly dispatch: number;
  /** For translated code, see jit/region.ts: `(cpu, target, spent)` and `(cpu, pc, spent)`. */
  readonly leave: number;
  readonly raiseAt: number;
}

const notInRoutine = (): never => {
  throw new TypeError('a routine has no operands and cannot leave its instruction');
};

const routineTarget = {
  operand: notInRoutine,
  getRegister: notInRoutine,
  setRegister: notInRoutine,
  dataTag: notInRoutine,
  pc: notInRoutine,
  retired: (code: Code): void => pushRetired(code),
  raise: notInRoutine,
  jump: notInRoutine,
  exit: notInRoutine,
  next: notInRoutine,
};

/** Pushes a 16-bit field of the record. */
function field16(code: Code, offset: number): void {
  code.localGet(IP);
  code.memory(opcodes['i32.load16_u'], offset, 1);
}

/** Pushes retired instructions up to the last account of the budget. */
function pushRetired(code: Code): void {
  getCell(code, vcpu.retired);
  getCell(code, vcpu.slice);
  getCell(code, vcpu.budget);
  code.op(opcodes['i32.sub']);
  code.op(opcodes['i64.extend_i32_u']);
  code.op(opcodes['i64.add']);
}

function handlerTarget(joints: Joints, places: ReadonlyMap<string, number>) {
  const place = (slot: string): number => places.get(slot)!;
  /** Pushes an i32 base; the register lies at base + the returned offset. */
  const address = (code: Code, operand: RegisterOperand): number => {
    code.localGet(CPU);
    if ('index' in operand) return operand.file.offset + 8 * operand.index;
    field16(code, place(operand.slot));
    code.op(opcodes['i32.add']);
    return 0;
  };
  return {
    operand(code: Code, slot: string): void {
      code.localGet(IP);
      code.memory(opcodes['i64.load'], place(slot), 3);
    },
    getRegister(code: Code, operand: RegisterOperand): void {
      code.memory(opcodes['i64.load'], address(code, operand), 3);
    },
    setRegister(code: Code, operand: RegisterOperand, push: () => void): void {
      const offset = address(code, operand);
      push();
      code.memory(opcodes['i64.store'], offset, 3);
    },
    pc: pushPc,
    dataTag: (code: Code): void => getCell(code, vcpu.dataTag),
    retired(code: Code): void {
      pushRetired(code);
      field16(code, record.index);
      code.op(opcodes['i64.extend_i32_u']);
      code.op(opcodes['i64.add']);
    },
    raise(code: Code): void {
      code.localGet(CPU);
      code.localGet(IP);
      code.returnCall(joints.raise);
    },
    jump(code: Code, target: number, kind: 'direct' | 'indirect' | 'sync'): void {
      if (kind === 'direct') return jumpDirect(code, joints, target);
      code.localGet(CPU);
      code.localGet(IP);
      code.localGet(target);
      code.returnCall(joints.jump);
    },
    exit(code: Code, next: number, exit: number): void {
      setCell(code, vcpu.pc, () => code.localGet(next));
      spend(code, () => spentHere(code, 1));
      code.drop();
      code.i32Const(exit);
      code.return();
    },
    next(code: Code): void {
      code.localGet(CPU);
      code.localGet(IP);
      code.i32Const(record.bytes);
      code.op(opcodes['i32.add']);
      code.localGet(IP);
      code.memory(opcodes['i32.load'], record.bytes + record.handler, 2);
      code.returnCallIndirect(joints.handlerType, joints.table);
    },
  };
}

/** Pushes the address of the record's instruction plus `offset`. */
function pushPc(code: Code, offset: number): void {
  getCell(code, vcpu.pc);
  code.localGet(IP);
  code.memory(opcodes['i64.load16_u'], record.distance, 1);
  code.op(opcodes['i64.add']);
  if (offset !== 0) {
    code.i64Const(offset);
    code.op(opcodes['i64.add']);
  }
}

/** Pushes the instructions that this execution of the block has done: those before the record, plus `more`. */
function spentHere(code: Code, more: number): void {
  field16(code, record.index);
  if (more === 0) return;
  code.i32Const(more);
  code.op(opcodes['i32.add']);
}

/** Takes what `push` pushes off the budget, and leaves the new budget on the stack. */
function spend(code: Code, push: () => void): void {
  const budget = code.local('i32');
  getCell(code, vcpu.budget);
  push();
  code.op(opcodes['i32.sub']);
  code.localSet(budget);
  setCell(code, vcpu.budget, () => code.localGet(budget));
  code.localGet(budget);
}

/** With the budget on the stack: leaves for the exit that is due, if one is, to go on at `target`. */
function leaveIfDue(code: Code, target: number): void {
  code.i32Const(0);
  code.op(opcodes['i32.lt_s']);
  getCell(code, vcpu.attention);
  code.op(opcodes['i32.or']);
  code.unlikely();
  code.if();
  setCell(code, vcpu.pc, () => code.localGet(target));
  pushDueExit(code);
  code.return();
  code.end();
}

function pushDueExit(code: Code): void {
  code.i32Const(exitCode('attention'));
  code.i32Const(exitCode('budget'));
  getCell(code, vcpu.attention);
  code.select();
}

/** Tail-calls the handler of the record at the host offset in a local. */
function enter(code: Code, joints: Joints, ip: number): void {
  code.localGet(CPU);
  code.localGet(ip);
  code.localGet(ip);
  code.memory(opcodes['i32.load'], record.handler, 2);
  code.returnCallIndirect(joints.handlerType, joints.table);
}

function jumpDirect(code: Code, joints: Joints, target: number): void {
  const link = code.local('i32');
  spend(code, () => spentHere(code, 1));
  leaveIfDue(code, target);
  code.localGet(IP);
  code.memory(opcodes['i32.load'], record.link, 2);
  code.localTee(link);
  code.if();
  setCell(code, vcpu.pc, () => code.localGet(target));
  enter(code, joints, link);
  code.end();
  code.localGet(CPU);
  code.localGet(IP);
  code.localGet(target);
  code.returnCall(joints.link);
}

/** The record after a block that ends for its length or its page: goes on at the next instruction. */
function fallHandler(joints: Joints): Code {
  const code = new Code(2);
  const target = code.local('i64');
  const link = code.local('i32');
  pushPc(code, 0);
  code.localSet(target);
  spend(code, () => spentHere(code, 0));
  leaveIfDue(code, target);
  code.localGet(IP);
  code.memory(opcodes['i32.load'], record.link, 2);
  code.localTee(link);
  code.if();
  setCell(code, vcpu.pc, () => code.localGet(target));
  enter(code, joints, link);
  code.end();
  code.localGet(CPU);
  code.localGet(IP);
  code.localGet(target);
  code.returnCall(joints.link);
  return code;
}

interface JointNeeds {
  readonly find: number;
  readonly fetch: number;
  readonly raise: number;
}

function defineJoints(module: ModuleWriter, joints: Joints, needs: JointNeeds): void {
  module.defineFunction(joints.raise, raiseJoint(joints, needs));
  module.defineFunction(joints.jump, jumpJoint(joints));
  module.defineFunction(joints.link, linkJoint(joints, needs));
  module.defineFunction(joints.dispatch, dispatchJoint(joints, needs));
  module.defineFunction(joints.leave, leaveJoint(joints));
  module.defineFunction(joints.raiseAt, raiseAtJoint(joints, needs));
}

function leaveJoint(joints: Joints): Code {
  const [target, spent] = [1, 2];
  const code = new Code(3);
  spend(code, () => code.localGet(spent));
  leaveIfDue(code, target);
  setCell(code, vcpu.pc, () => code.localGet(target));
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

function raiseAtJoint(joints: Joints, needs: JointNeeds): Code {
  const [pc, spent] = [1, 2];
  const code = new Code(3);
  setCell(code, vcpu.pc, () => code.localGet(pc));
  notRetired(code);
  code.localGet(CPU);
  code.call(needs.raise);
  spend(code, () => code.localGet(spent));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  leaveIfDue(code, pc);
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** An instruction that raises takes one off the budget, so that no loop of exceptions is endless. */
function raiseJoint(joints: Joints, needs: JointNeeds): Code {
  const code = new Code(2);
  const pc = code.local('i64');
  pushPc(code, 0);
  code.localSet(pc);
  setCell(code, vcpu.pc, () => code.localGet(pc));
  notRetired(code);
  code.localGet(CPU);
  code.call(needs.raise);
  spend(code, () => spentHere(code, 1));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  leaveIfDue(code, pc);
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** Corrects the count of retired instructions for one that is charged to the budget but does not retire. */
function notRetired(code: Code): void {
  setCell(code, vcpu.retired, () => {
    getCell(code, vcpu.retired);
    code.i64Const(1);
    code.op(opcodes['i64.sub']);
  });
}

function jumpJoint(joints: Joints): Code {
  const code = new Code(3);
  spend(code, () => spentHere(code, 1));
  leaveIfDue(code, TARGET);
  setCell(code, vcpu.pc, () => code.localGet(TARGET));
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** Sets `entry` to the jump cache entry of the pc in a local: 64 entries a page, chosen by the halfword in it. */
function jumpCacheEntry(code: Code, pc: number, entry: number): void {
  jumpCachePage(code, () => code.localGet(pc));
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  // Folds the page's 2048 halfwords to 64 entries so that neighbours do not collide.
  code.i32Const(1);
  code.op(opcodes['i32.shr_u']);
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(7);
  code.op(opcodes['i32.shr_u']);
  code.op(opcodes['i32.xor']);
  code.i32Const(63);
  code.op(opcodes['i32.and']);
  code.i32Const(Math.log2(jumpCache.entryBytes));
  code.op(opcodes['i32.shl']);
  code.op(opcodes['i32.add']);
  code.localSet(entry);
}

/** Pushes whether the entry is for the pc and the tag in force. */
function entryIsFor(code: Code, entry: number, pc: number): void {
  code.localGet(entry);
  code.memory(opcodes['i64.load'], jumpCache.offset, 3);
  code.localGet(pc);
  code.op(opcodes['i64.eq']);
  code.localGet(entry);
  code.memory(opcodes['i64.load32_u'], jumpCache.offset + 8, 2);
  getCell(code, vcpu.fetchTag);
  code.op(opcodes['i64.eq']);
  code.op(opcodes['i32.and']);
}

/** Leaves in `ip` the record of vcpu.pc, from the jump cache or the host; 0 for a pending exception of the fetch. */
function findBlock(code: Code, needs: JointNeeds, ip: number): void {
  const pc = code.local('i64');
  const entry = code.local('i32');
  getCell(code, vcpu.pc);
  code.localSet(pc);
  jumpCacheEntry(code, pc, entry);
  entryIsFor(code, entry, pc);
  code.likely();
  code.if();
  code.localGet(entry);
  code.memory(opcodes['i32.load'], jumpCache.offset + 12, 2);
  code.localSet(ip);
  code.else();
  findByHost(code, needs, ip);
  code.localGet(ip);
  code.if();
  code.localGet(entry);
  code.localGet(pc);
  code.memory(opcodes['i64.store'], jumpCache.offset, 3);
  code.localGet(entry);
  getCell(code, vcpu.fetchTag);
  code.memory(opcodes['i64.store32'], jumpCache.offset + 8, 2);
  code.localGet(entry);
  code.localGet(ip);
  code.memory(opcodes['i32.store'], jumpCache.offset + 12, 2);
  code.end();
  code.end();
}

/** Leaves in `ip` the record of vcpu.pc, from the index of blocks or the host. */
function findByHost(code: Code, needs: JointNeeds, ip: number): void {
  const host = code.local('i32');
  const slot = code.local('i32');
  code.localGet(CPU);
  code.call(needs.fetch);
  code.localSet(host);
  code.localGet(host);
  code.i32Const(1);
  code.op(opcodes['i32.shr_u']);
  code.i32Const(BLOCK_INDEX_ENTRIES - 1);
  code.op(opcodes['i32.and']);
  code.i32Const(3);
  code.op(opcodes['i32.shl']);
  getCell(code, vcpu.blockIndex);
  code.op(opcodes['i32.add']);
  code.localSet(slot);
  // An empty entry and a fetch that failed are both 0; there, the entry's second half is 0 too.
  code.localGet(slot);
  code.memory(opcodes['i32.load'], 0, 2);
  code.localGet(host);
  code.op(opcodes['i32.eq']);
  getCell(code, vcpu.uncached);
  code.op(opcodes['i32.eqz']);
  code.op(opcodes['i32.and']);
  code.if();
  code.localGet(slot);
  code.memory(opcodes['i32.load'], 4, 2);
  code.localSet(ip);
  code.else();
  code.localGet(CPU);
  code.call(needs.find);
  code.localSet(ip);
  code.end();
}

function dispatchJoint(joints: Joints, needs: JointNeeds): Code {
  const code = new Code(1);
  const ip = code.local('i32');
  const pc = code.local('i64');
  findBlock(code, needs, ip);
  code.localGet(ip);
  code.likely();
  code.if();
  enter(code, joints, ip);
  code.end();
  // The fetch faulted: vcpu.pc is the address of the instruction that could not be fetched.
  code.localGet(CPU);
  code.call(needs.raise);
  notRetired(code);
  spend(code, () => code.i32Const(1));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  leaveIfDue(code, pc);
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** A block's header lies before its first record; a record knows how many records lie before it. */
function pushHeader(code: Code, ip: number): void {
  code.localGet(ip);
  code.localGet(ip);
  code.memory(opcodes['i32.load16_u'], record.index, 1);
  code.i32Const(1);
  code.op(opcodes['i32.add']);
  code.i32Const(Math.log2(record.bytes));
  code.op(opcodes['i32.shl']);
  code.op(opcodes['i32.sub']);
}

/** Links only within a page of one mapping: same virtual page, same page in memory, both blocks linkable. */
function linkJoint(joints: Joints, needs: JointNeeds): Code {
  const code = new Code(3);
  const samePage = code.local('i32');
  const ip = code.local('i32');
  const from = code.local('i32');
  const to = code.local('i32');
  getCell(code, vcpu.pc);
  code.localGet(TARGET);
  code.op(opcodes['i64.xor']);
  code.i64Const(12);
  code.op(opcodes['i64.shr_u']);
  code.op(opcodes['i64.eqz']);
  code.localSet(samePage);
  setCell(code, vcpu.pc, () => code.localGet(TARGET));
  code.localGet(samePage);
  code.if();
  findBlock(code, needs, ip);
  code.localGet(ip);
  code.if();
  pushHeader(code, IP);
  code.localSet(from);
  pushHeader(code, ip);
  code.localSet(to);
  code.localGet(from);
  code.memory(opcodes['i64.load'], header.page, 3);
  code.localGet(to);
  code.memory(opcodes['i64.load'], header.page, 3);
  code.op(opcodes['i64.eq']);
  code.localGet(to);
  code.memory(opcodes['i32.load'], header.linkable, 2);
  code.op(opcodes['i32.and']);
  code.if();
  code.localGet(IP);
  code.localGet(ip);
  code.memory(opcodes['i32.store'], record.link, 2);
  code.end();
  enter(code, joints, ip);
  code.end();
  code.end();
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** `(cpu) → host offset` of the instruction at vcpu.pc; 0 for a pending exception, 1 where there is no RAM. */
function fetchFunction(translate: number): Code {
  const code = new Code(1);
  const pc = code.local('i64');
  const entry = code.local('i32');
  const host = code.local('i32');
  const physical = code.local('i64');
  setCell(code, vcpu.uncached, () => code.i32Const(0));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  tlbEntry(code, pc, entry);
  code.localGet(entry);
  code.memory(opcodes['i64.load'], tlb.fetch, 3);
  tlbTag(code, pc, 1, () => getCell(code, vcpu.fetchTag));
  code.op(opcodes['i64.eq']);
  code.likely();
  code.if();
  code.localGet(entry);
  code.memory(opcodes['i32.load'], tlb.fetch + 8, 2);
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  code.op(opcodes['i32.add']);
  code.return();
  code.end();
  code.localGet(CPU);
  code.localGet(pc);
  code.i32Const(access.fetch);
  code.call(translate);
  code.localTee(physical);
  code.i64Const(-1);
  code.op(opcodes['i64.eq']);
  code.if();
  code.i32Const(0);
  code.return();
  code.end();
  code.localGet(physical);
  getCell(code, vcpu.ramBase);
  code.op(opcodes['i64.sub']);
  code.localTee(physical);
  getCell(code, vcpu.ramSize);
  code.op(opcodes['i64.ge_u']);
  code.if();
  code.i32Const(1);
  code.return();
  code.end();
  setHost(code, physical, host);
  fill(code, tlb.fetch, pc, host, vcpu.fetchTag);
  code.localGet(host);
  return code;
}
