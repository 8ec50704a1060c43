// Compiles routines to WebAssembly functions on their own, so that tests can call them with millions of operands.
// Only what needs neither guest memory nor registers can be compiled this way.

import type { Block, Callee, Helper, Routine, StateField } from '../../src/ir/node.ts';
import { helperContext } from '../../src/engine/helpers.ts';
import { lowerRoutine, signatureOf, type Target } from '../../src/engine/lower/lower.ts';
import { ModuleWriter } from '../../src/wasm/module.ts';

export interface CompiledRoutines {
  /** Calls a routine on i64 values (signed or unsigned); the result is unsigned. */
  call(routine: Routine, ...args: bigint[]): bigint;
  get(field: StateField): bigint;
  set(field: StateField, value: bigint): void;
}

const outside = (): never => {
  throw new TypeError('this routine reaches outside itself');
};

const noRuntime = {
  slowLoad: 0,
  slowStore: 0,
  slowLoadAsUser: 0,
  slowStoreAsUser: 0,
  slowAtomic: 0,
  forgetPages: 0,
  flushTlb: 0,
  flushTlbPage: 0,
};

/** The vCPU's record lies at the start of a fresh memory. */
export function compileRoutines(routines: readonly Routine[]): CompiledRoutines {
  const module = new ModuleWriter();
  module.importMemory('env', 'memory', { min: 2, max: 2, shared: true });
  const callees = collect(routines);
  const helpers = callees.filter((callee) => callee.kind === 'helper');
  const typeOf = (callee: Callee): number => {
    const { params, results } = signatureOf(callee);
    return module.type(params, results);
  };
  const indices = new Map<Callee, number>();
  for (const callee of helpers) {
    indices.set(callee, module.importFunction('helpers', callee.name, typeOf(callee)));
  }
  const bodies = callees.filter((callee) => callee.kind === 'routine');
  for (const callee of bodies) indices.set(callee, module.declareFunction(typeOf(callee)));
  const target = targetFor(indices);
  for (const callee of bodies) {
    const code = lowerRoutine(target, callee.body(), callee.params.length, callee.result);
    module.defineFunction(indices.get(callee)!, code);
    module.exportFunction(callee.name, indices.get(callee)!);
  }
  return instantiate(module.bytes(), helpers);
}

function targetFor(indices: ReadonlyMap<Callee, number>): Target {
  return {
    runtime: noRuntime,
    functionOf: (callee) => indices.get(callee)!,
    translate: 0,
    operand: outside,
    getRegister: outside,
    setRegister: outside,
    dataTag: outside,
    pc: outside,
    retired: outside,
    raise: outside,
    jump: outside,
    exit: outside,
    next: outside,
  };
}

function instantiate(bytes: Uint8Array<ArrayBuffer>, helpers: readonly Helper[]): CompiledRoutines {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const context = helperContext(
    new DataView(memory.buffer),
    () => 0,
    () => 0n,
  );
  const imports = helpers.map((helper) => [
    helper.name,
    (_cpu: number, ...args: bigint[]) =>
      helper.run(context, ...args.map((arg) => BigInt.asUintN(64, arg))),
  ]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
    helpers: Object.fromEntries(imports),
  });
  return {
    call(routine, ...args) {
      const run = instance.exports[routine.name] as (cpu: number, ...args: bigint[]) => bigint;
      return BigInt.asUintN(64, run(0, ...args));
    },
    get: (field) => context.get(field),
    set: (field, value) => context.set(field, value),
  };
}

/** The routines and everything they call, each once. */
function collect(routines: readonly Routine[]): Callee[] {
  const found = new Set<Callee>();
  const visit = (callee: Callee): void => {
    if (found.has(callee)) return;
    found.add(callee);
    if (callee.kind === 'routine') visitBlock(callee.body());
  };
  const visitBlock = (block: Block): void => {
    for (const node of block.nodes) {
      if (node.op === 'call') visit(node.callee);
      if (node.op === 'if') [node.taken, node.otherwise].forEach(visitBlock);
      if (node.op === 'loop') visitBlock(node.body);
    }
  };
  routines.forEach(visit);
  return [...found];
}
