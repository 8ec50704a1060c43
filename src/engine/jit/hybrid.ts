// The hybrid executor: interprets, watches where time goes, and translates what is hot into regions.
//
// Where time goes is sampled: a slice is cut into pieces, and the address at which a piece ends is charged with it.
// Pieces end where control arrives at a block, so a hot loop's head is charged soon. A region takes the place of the
// handler of its entry's record: links and the jump cache lead to it as before, even from a loop that is already
// running. Invariants: a region covers one page and is dropped with its entry's block, which every change of the
// page forgets; a slot of the table is used again only after that.

import type { Callee } from '../../ir/node.ts';
import { vcpu } from '../../isa/shared/vcpu.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import type { Executor, ExecutorOptions } from '../executor.ts';
import { helperImports } from '../helpers.ts';
import { createInterpreter, type Interpreter } from '../interpreter/interpreter.ts';
import { signatureOf } from '../lower/lower.ts';
import { discover, type Region } from './discover.ts';
import { lowerRegion } from './region.ts';

/** Instructions between two samples, at first and at most; pieces grow while translated code is running. */
const SHORT_PIECE = 5_000;
const LONG_PIECE = 400_000;
/** Samples that make an address hot. */
const HOT = 2;

/** Makes a hybrid executor. */
export function createHybrid(options: ExecutorOptions): Executor {
  const { interpreter, regions, run } = createParts(options);
  let piece = SHORT_PIECE;
  return {
    ...interpreter,
    get counts() {
      return { ...interpreter.counts, ...regions.counts };
    },
    run(cpu, budget) {
      for (let left = budget; ;) {
        const { exit, done } = run(cpu, Math.min(piece, left));
        left -= done;
        if (exit !== 'budget') return exit;
        const isTranslated = regions.sample(cpu, HOT);
        piece = isTranslated ? Math.min(piece * 2, LONG_PIECE) : SHORT_PIECE;
        if (left <= 0) return exit;
      }
    },
  };
}

/** Makes an executor that translates every block before it runs for the first time. */
export function createJit(options: ExecutorOptions): Executor {
  const { interpreter, regions, run } = createParts(options);
  return {
    ...interpreter,
    get counts() {
      return { ...interpreter.counts, ...regions.counts };
    },
    run(cpu, budget) {
      for (let left = budget; ;) {
        regions.sample(cpu, 1);
        // A budget of one ends at the next boundary between blocks.
        const { exit, done } = run(cpu, 1);
        left -= done;
        if (exit !== 'budget' || left <= 0) return exit;
      }
    },
  };
}

function createParts(options: ExecutorOptions) {
  const interpreter = createInterpreter(options);
  const regions = new Regions(options, interpreter);
  const i32 = new Int32Array(options.memory.buffer);
  const run = (cpu: number, budget: number) => {
    const retired = (cpu + vcpu.retired.offset) >>> 2;
    const before = i32[retired]!;
    const exit = interpreter.run(cpu, budget);
    // An exception retires nothing, but must not keep the slice from ending.
    return { exit, done: Math.max(1, (i32[retired]! - before) | 0) };
  };
  return { interpreter, regions, run };
}

interface Installed {
  readonly slot: number;
  readonly handler: number;
}

class Regions {
  readonly #options: ExecutorOptions;
  readonly #interpreter: Interpreter;
  readonly #installed = new Map<number, Installed>();
  readonly #refused = new Set<number>();
  readonly #samples = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.Imports;
  readonly #u16: Uint16Array;
  readonly #view: DataView;
  readonly counts = { regions: 0, regionInstructions: 0, regionBytes: 0, translateUs: 0 };

  constructor(options: ExecutorOptions, interpreter: Interpreter) {
    this.#options = options;
    this.#interpreter = interpreter;
    this.#table = interpreter.wasm.table;
    this.#u16 = new Uint16Array(options.memory.buffer);
    this.#view = new DataView(options.memory.buffer);
    this.#imports = {
      env: { memory: options.memory, table: this.#table },
      engine: interpreter.wasm as unknown as WebAssembly.Imports[string],
      helpers: helperImports(interpreter.handlers.helpers, options.memory, options.time),
    };
    interpreter.blocks.onForget = (ip) => this.#drop(ip);
  }

  /** Charges the block at vcpu.pc, and translates it at its `hot`th sample; true if it was translated before. */
  sample(cpu: number, hot: number): boolean {
    const { blocks } = this.#interpreter;
    const ip = blocks.find(cpu);
    if (ip === 0) return false;
    if (this.#installed.has(ip)) return true;
    if (this.#refused.has(ip)) return false;
    const samples = (this.#samples.get(ip) ?? 0) + 1;
    this.#samples.set(ip, samples);
    if (samples < hot) return false;
    this.#samples.delete(ip);
    const page = blocks.pageOf(ip);
    const pc = this.#view.getBigUint64(cpu + vcpu.pc.offset, true);
    if (page === 0 || !this.#translate(ip, pc, page)) this.#refused.add(ip);
    return false;
  }

  #drop(ip: number): void {
    this.#refused.delete(ip);
    this.#samples.delete(ip);
    const installed = this.#installed.get(ip);
    if (installed === undefined) return;
    this.#installed.delete(ip);
    this.#interpreter.blocks.setHandler(ip, installed.handler);
    this.#table.set(installed.slot, null);
    this.#freeSlots.push(installed.slot);
  }

  #translate(ip: number, pc: bigint, page: number): boolean {
    const begun = this.#options.now?.() ?? 0n;
    const { isa } = this.#options;
    const offset = Number(pc & 0xfffn);
    const halfword = (at: number): number => this.#u16[(page + at) >>> 1]!;
    const region = discover({ isa, address: pc - BigInt(offset), halfword }, offset);
    if (region === undefined) return false;
    const { blocks } = this.#interpreter;
    const handler = blocks.handlerOf(ip);
    const bytes = this.#encode(region, handler);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    const slot = this.#freeSlots.pop() ?? this.#table.grow(1);
    this.#table.set(slot, instance.exports['region']);
    this.#installed.set(ip, { slot, handler });
    blocks.setHandler(ip, slot);
    this.counts.regions++;
    this.counts.regionBytes += bytes.length;
    for (const { instructions } of region.blocks) this.counts.regionInstructions += instructions;
    this.counts.translateUs += Number((this.#options.now?.() ?? 0n) - begun) / 1000;
    return true;
  }

  #encode(region: Region, fallback: number): Uint8Array<ArrayBuffer> {
    const module = new ModuleWriter();
    const handlerType = module.type(['i32', 'i32'], ['i32']);
    const leaveType = module.type(['i32', 'i64', 'i32'], ['i32']);
    module.importMemory('env', 'memory', { min: 1, max: 65536, shared: true });
    const table = module.importTable('env', 'table', { min: 1 });
    const engine = (name: string, type: number): number =>
      module.importFunction('engine', name, type);
    const runtime = {
      slowLoad: engine('runtime.slowLoad', module.type(['i32', 'i64', 'i32'], ['i32'])),
      slowStore: engine('runtime.slowStore', module.type(['i32', 'i64', 'i32', 'i64'], ['i32'])),
      slowAtomic: engine('runtime.slowAtomic', module.type(['i32', 'i64'], ['i32'])),
      flushTlb: engine('runtime.flushTlb', module.type(['i32'], [])),
      flushTlbPage: engine('runtime.flushTlbPage', module.type(['i32', 'i64'], [])),
    };
    const functions = new Map<Callee, number>();
    const functionOf = (callee: Callee): number => {
      const known = functions.get(callee);
      if (known !== undefined) return known;
      const { params, results } = signatureOf(callee);
      const type = module.type(params, results);
      const index =
        callee.kind === 'helper'
          ? module.importFunction('helpers', callee.name, type)
          : engine(`routine.${callee.name}`, type);
      functions.set(callee, index);
      return index;
    };
    const code = lowerRegion(
      region,
      {
        runtime,
        functionOf,
        translate: functionOf(this.#options.isa.translate),
        dispatch: engine('joint.dispatch', module.type(['i32'], ['i32'])),
        leave: engine('joint.leave', leaveType),
        raiseAt: engine('joint.raiseAt', leaveType),
        handlerType,
        table,
      },
      fallback,
    );
    module.exportFunction('region', module.addFunction(handlerType, code));
    return module.bytes();
  }
}
