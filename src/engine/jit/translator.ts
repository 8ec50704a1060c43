// Turns requests for regions into one compiled module: discovery, IR, encoding, compilation. It reads guest memory and
// keeps nothing, so it may run on the vCPU's thread or on another one.
//
// The module puts its functions into the slots of the table that the requests name when it is instantiated.
// Invariant: the bytes of a requested page do not change until the reply is used, or the reply is not used: whoever
// asks must notice stores to the page.

import type { Callee } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import { Code } from '../../wasm/code.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import type { ValueType } from '../../wasm/types.ts';
import { signatureOf } from '../lower/lower.ts';
import { discover } from './discover.ts';
import { lowerRegion, type RegionFunctions } from './region.ts';

/** A region to make. */
export interface RegionRequest {
  /** Host offset of its entry. */
  readonly host: number;
  /** Offsets in the page where control is known to have arrived; if absent, nothing is known. */
  readonly arrivals?: readonly number[] | undefined;
  /** The table's element for the region. */
  readonly slot: number;
}

/** A region that was made; no instructions: it could not be. */
export interface RegionMade {
  readonly slot: number;
  readonly instructions: number;
  readonly blocks: number;
  readonly bytes: number;
}

export interface Translation {
  /** Undefined if no region could be made. */
  readonly module: WebAssembly.Module | undefined;
  /** In the order of the requests. */
  readonly regions: readonly RegionMade[];
  /** Time that IR and encoding took, and compilation, in microseconds. */
  readonly encodeUs: number;
  readonly compileUs: number;
}

export type Translate = (batch: readonly RegionRequest[]) => Translation;

/** A translator on another thread. */
export interface RemoteTranslator {
  /** Takes a batch; only after the one before has been given back. */
  post(batch: readonly RegionRequest[]): void;
  /** What became of the batch: undefined if it is still being made, 'failed' if there will be nothing any more. */
  poll(): Translation | 'failed' | undefined;
}

export interface TranslatorOptions {
  /** The host's monotonic time in nanoseconds. */
  readonly now?: (() => bigint) | undefined;
  /** Whether translated code counts what it does. */
  readonly statistics?: boolean | undefined;
}

/** Makes a translator over a VM's memory. */
export function createTranslator(
  isa: Isa,
  memory: WebAssembly.Memory,
  { now = () => 0n, statistics = false }: TranslatorOptions = {},
): Translate {
  const u16 = new Uint16Array(memory.buffer);
  /** Used again by one batch after another. */
  const codes: Code[] = [];
  return (batch) => {
    const begun = now();
    const writer = new RegionModule(isa, statistics);
    const regions = batch.map(({ host, slot, arrivals }): RegionMade => {
      const offset = host % 4096;
      const halfword = (at: number): number => u16[(host - offset + at) >>> 1]!;
      const region = discover({ isa, halfword, arrivals: arrivals && new Set(arrivals) }, offset);
      if (region === undefined) return { slot, instructions: 0, blocks: 0, bytes: 0 };
      const code = codes[writer.count] ?? new Code();
      codes[writer.count] = code;
      code.reset(2);
      lowerRegion(code, region, writer.functions);
      writer.add(slot, code);
      const instructions = region.blocks.reduce((sum, block) => sum + block.instructions, 0);
      return { slot, instructions, blocks: region.blocks.length, bytes: code.length };
    });
    const bytes = writer.bytes();
    const encoded = now();
    const module = bytes && new WebAssembly.Module(bytes);
    const us = (from: bigint, to: bigint): number => Number(to - from) / 1000;
    return { module, regions, encodeUs: us(begun, encoded), compileUs: us(encoded, now()) };
  };
}

/** A module of regions under construction. */
class RegionModule {
  readonly functions: RegionFunctions;
  readonly #module = new ModuleWriter();
  readonly #made: { readonly slot: number; readonly code: Code }[] = [];

  constructor(isa: Isa, statistics: boolean) {
    const module = this.#module;
    const imported = new Map<Callee, number>();
    const functionOf = (callee: Callee): number => {
      const known = imported.get(callee);
      if (known !== undefined) return known;
      const { params, results } = signatureOf(callee);
      const [space, name]: readonly [string, string] =
        callee.kind === 'helper' ? ['helpers', callee.name] : ['engine', `routine.${callee.name}`];
      const index = module.importFunction(space, name, module.type(params, results));
      imported.set(callee, index);
      return index;
    };
    const engine = (name: string, params: readonly ValueType[], results: readonly ValueType[]) =>
      module.importFunction('engine', name, module.type(params, results));
    module.importMemory('env', 'memory', { min: 1, max: 65536, shared: true });
    this.functions = {
      statistics,
      table: module.importTable('engine', 'table', { min: 1 }),
      handlerType: module.type(['i32', 'i32'], ['i32']),
      functionOf,
      translate: functionOf(isa.translate),
      dispatch: engine('joint.dispatch', ['i32'], ['i32']),
      leave: engine('joint.leave', ['i32', 'i64', 'i32'], ['i32']),
      raiseAt: engine('joint.raiseAt', ['i32', 'i64', 'i32'], ['i32']),
      runtime: {
        slowLoad: engine('runtime.slowLoad', ['i32', 'i64', 'i32'], ['i32']),
        slowStore: engine('runtime.slowStore', ['i32', 'i64', 'i32', 'i64'], ['i32']),
        slowAtomic: engine('runtime.slowAtomic', ['i32', 'i64'], ['i32']),
        flushTlb: engine('runtime.flushTlb', ['i32'], []),
        flushTlbPage: engine('runtime.flushTlbPage', ['i32', 'i64'], []),
      },
    };
  }

  /** Regions so far. */
  get count(): number {
    return this.#made.length;
  }

  add(slot: number, code: Code): void {
    this.#made.push({ slot, code });
  }

  /** Imports are complete only when all regions have been lowered: the functions come now. */
  bytes(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#made.length === 0) return undefined;
    const { table, handlerType } = this.functions;
    for (const { slot, code } of this.#made) {
      this.#module.element(table, slot, [this.#module.addFunction(handlerType, code)]);
    }
    return this.#module.bytes();
  }
}
