// The interpreter as an executor: runs vCPUs of one VM over decoded blocks.
//
// The compiled module belongs to the guest architecture and is shared by all VMs of a process; an instance belongs
// to a VM. What generated code cannot do itself it asks for here: find and decode a block, accesses across pages,
// devices, stores to pages with code.

import { access, type Isa } from '../../isa/shared/isa.ts';
import { exits, vcpu } from '../../isa/shared/vcpu.ts';
import { CODE_CACHE, type Executor, type ExecutorOptions } from '../executor.ts';
import { helperImports } from '../helpers.ts';
import { hostCalls } from '../host-calls.ts';
import { Blocks } from './blocks.ts';
import { Encoder } from './encoder.ts';
import { buildHandlers, type Handlers } from './handlers.ts';

/** What the compiled module exports. */
export interface Exports {
  run(cpu: number): number;
  fetch(cpu: number): number;
  interrupt(cpu: number): number;
  accessFault(cpu: number, address: bigint, kind: number): void;
  translate(cpu: number, address: bigint, kind: number): bigint;
  flushTlb(cpu: number): void;
  readonly table: WebAssembly.Table;
  /** Functions that translated code calls: `runtime.*`, `joint.*`, `routine.*`. */
  readonly [name: string]: unknown;
}

interface Compiled {
  readonly handlers: Handlers;
  readonly encoder: Encoder;
  readonly module: WebAssembly.Module;
}

const plain = new WeakMap<Isa, Compiled>();
/** Those that count for statistics. */
const counting = new WeakMap<Isa, Compiled>();

/** Memory of any size up to 4 GiB fits the import. */
const anyMemory = { min: 1, max: 65536 };

function compile(isa: Isa, statistics: boolean): Compiled {
  const compiled = statistics ? counting : plain;
  const known = compiled.get(isa);
  if (known !== undefined) return known;
  const handlers = buildHandlers(isa, anyMemory, statistics);
  const module = new WebAssembly.Module(handlers.bytes);
  const made = { handlers, encoder: new Encoder(isa, handlers), module };
  compiled.set(isa, made);
  return made;
}

/** An interpreter with its parts open, for those who build on it. */
export interface Interpreter extends Executor {
  readonly blocks: Blocks;
  readonly handlers: Handlers;
  readonly wasm: Exports;
}

/** Makes an interpreter for a VM whose vCPU records are zero or reset. */
export function createInterpreter(options: ExecutorOptions): Interpreter {
  const { isa, memory, places, statistics = false } = options;
  const { handlers, encoder, module } = compile(isa, statistics);
  const i32 = new Int32Array(memory.buffer);
  const fetcher = {
    fetch: (cpu: number): number => wasm.fetch(cpu) >>> 0,
    fetchFault: (cpu: number): void => wasm.accessFault(cpu, pcOf(memory, cpu), access.fetch),
  };
  const { codeCacheBytes: limit = CODE_CACHE, now = () => 0n } = options;
  const blocks = new Blocks({ memory, places, encoder, fetcher, limit, now });
  const wasm = new WebAssembly.Instance(module, {
    env: {
      memory,
      find: (cpu: number) => blocks.find(cpu),
      ...hostCalls(options, blocks, {
        translate: (cpu, address, kind) => wasm.translate(cpu, address, kind),
        accessFault: (cpu, address, kind) => wasm.accessFault(cpu, address, kind),
      }),
    },
    helpers: helperImports(handlers.helpers, memory, options.time, options.controllerOf),
  }).exports as unknown as Exports;
  for (const cpu of places.vcpus) prepare(options, cpu, wasm);

  return {
    blocks,
    handlers,
    wasm,
    get counts() {
      return blocks.counts;
    },
    flushTlb: (cpu) => wasm.flushTlb(cpu),
    run(cpu, budget) {
      blocks.safePoint();
      i32[(cpu + vcpu.attention.offset) >>> 2] = 0;
      i32[(cpu + vcpu.slice.offset) >>> 2] = budget;
      i32[(cpu + vcpu.budget.offset) >>> 2] = budget;
      wasm.interrupt(cpu);
      const exit = exits[wasm.run(cpu)]!;
      account(i32, cpu);
      return exit;
    },
    wrote(host, length) {
      const first = host - (host % 4096);
      for (let page = first; page < host + length; page += 4096) {
        if (blocks.hasCode(page)) blocks.invalidate(page);
      }
    },
  };
}

const pcOf = (memory: WebAssembly.Memory, cpu: number): bigint =>
  new DataView(memory.buffer).getBigUint64(cpu + vcpu.pc.offset, true);

/** Moves the instructions of the slice that ended into the 64-bit count of retired ones. */
function account(i32: Int32Array, cpu: number): void {
  const slice = (cpu + vcpu.slice.offset) >>> 2;
  const budget = (cpu + vcpu.budget.offset) >>> 2;
  const retired = (cpu + vcpu.retired.offset) >>> 2;
  const low = (i32[retired]! >>> 0) + i32[slice]! - i32[budget]!;
  i32[retired] = low | 0;
  i32[retired + 1]! += Math.floor(low / 2 ** 32);
  i32[slice] = 0;
  i32[budget] = 0;
}

/** Fills the engine's cells of a vCPU's record. */
function prepare(options: ExecutorOptions, cpu: number, wasm: Exports): void {
  const { memory, places, ramBase } = options;
  const view = new DataView(memory.buffer, cpu);
  view.setBigUint64(vcpu.ramBase.offset, BigInt(ramBase), true);
  view.setBigUint64(vcpu.ramSize.offset, BigInt(places.ramBytes), true);
  view.setUint32(vcpu.ramHost.offset, places.ram, true);
  view.setUint32(vcpu.pageFlags.offset, places.pageFlags, true);
  view.setUint32(vcpu.blockIndex.offset, places.blockIndex, true);
  wasm.flushTlb(cpu);
}
