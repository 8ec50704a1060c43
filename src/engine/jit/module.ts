// A module of regions under construction: what its functions import, and the table's elements that they are put into.

import type { Callee } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import type { Code } from '../../wasm/code.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import type { ValueType } from '../../wasm/types.ts';
import { signatureOf } from '../lower/lower.ts';
import type { RegionFunctions } from './region.ts';

export class RegionModule {
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
