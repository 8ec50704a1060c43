// Makes the interpreter: one WebAssembly function for each row, lowered from the row's meaning with operands read
// from the decoded record, plus the functions that join blocks. Handlers end by tail-calling the next record's
// handler, so running guest code never returns to JavaScript until there is a reason to.
//
// Every handler is `(cpu, ip) → exit code`: `ip` is the host offset of its record. The module names no VM: the
// memory is imported and the vCPU a parameter.

import { buildBlock } from '../../ir/builder.ts';
import {
  type AnyRegister,
  type Block,
  type Callee,
  type Helper,
  type OperandNode,
  registerOffset,
} from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import type { Row } from '../../isa/shared/row.ts';
import { vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { count } from '../lower/counters.ts';
import {
  CPU,
  fallsThrough,
  getCell,
  Lowering,
  lowerRoutine,
  registerLoad,
  registerStore,
  type RuntimeFunctions,
  setCell,
  signatureOf,
  type Target,
} from '../lower/lower.ts';
import { declareRuntime, defineRuntime, type HostFunctions } from '../lower/runtime.ts';
import {
  defineJoints,
  fallHandler,
  fetchFunction,
  field16,
  goOn,
  IP,
  type Joints,
  pushPc,
  pushRetired,
  spend,
  spentHere,
} from './joints.ts';
import { operandPlaces, record } from './record.ts';

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
    Object.entries(row.fields).map(([slot, field]): [string, OperandNode | AnyRegister] => [
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

/**
 * Builds the interpreter's module. It imports the memory and host functions from 'env', helpers from 'helpers'. With
 * `statistics`, handlers count accesses to memory.
 */
export function buildHandlers(isa: Isa, memory: MemoryLimits, statistics = false): Handlers {
  const module = new ModuleWriter();
  const meanings = new Map(isa.rows.map((row) => [row, symbolicMeaning(row)]));
  const illegal = buildBlock((s) =>
    isa.illegal(s, { op: 'operand', type: 'i64', args: [], slot: 'word' }),
  );
  const callees = collectCallees(isa, [...meanings.values(), illegal]);
  const declared = { ...declare(module, isa, memory, callees), statistics };
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
  module.exportFunction('joint.dispatch', joints.dispatch);
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

/** How often an instruction accesses memory, if it does all that it may do. */
function accessesOf(block: Block): number {
  return block.nodes.reduce((sum, node) => {
    if (node.op === 'if') return sum + accessesOf(node.taken) + accessesOf(node.otherwise);
    return (
      sum +
      (['load', 'store', 'load_vector', 'store_vector', 'rmw', 'cas'].includes(node.op) ? 1 : 0)
    );
  }, 0);
}

interface HandlerNeeds extends Declared {
  readonly statistics: boolean;
}

function handler(declared: HandlerNeeds, block: Block, places: ReadonlyMap<string, number>): Code {
  const code = new Code(2);
  const accesses = declared.statistics ? accessesOf(block) : 0;
  if (accesses > 0) count(code, vcpu.interpretedAccesses, accesses);
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
    crossLoad: host('crossLoad', ['i32', 'i64', 'i32', 'i32'], ['i32']),
    crossStore: host('crossStore', ['i32', 'i64', 'i32', 'i64', 'i32'], ['i32']),
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

function handlerTarget(joints: Joints, places: ReadonlyMap<string, number>) {
  const place = (slot: string): number => places.get(slot)!;
  /** Pushes an i32 base; the register lies at base + the returned offset. */
  const address = (code: Code, operand: AnyRegister): number => {
    code.localGet(CPU);
    if ('index' in operand) return registerOffset(operand.file, operand.index);
    field16(code, place(operand.slot));
    code.op(opcodes['i32.add']);
    return 0;
  };
  return {
    operand(code: Code, slot: string): void {
      code.localGet(IP);
      if (place(slot) === record.number) code.memory(opcodes['i64.load'], record.number, 3);
      else code.memory(opcodes['i64.load16_u'], place(slot), 1);
    },
    getRegister(code: Code, operand: AnyRegister): void {
      code.memory(registerLoad[operand.file.type], address(code, operand), 3);
    },
    setRegister(code: Code, operand: AnyRegister, push: () => void): void {
      const offset = address(code, operand);
      push();
      code.memory(registerStore[operand.file.type], offset, 3);
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
      if (kind === 'direct') return goOn(code, joints, target, 1);
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
