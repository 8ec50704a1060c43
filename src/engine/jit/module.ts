// A module of regions under construction: what its functions import, and the table's elements that they are put into.

import type { Callee } from '../../ir/node.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import type { Code } from '../../wasm/code.ts';
import { ModuleWriter } from '../../wasm/module.ts';
import { functionText } from '../../wasm/text.ts';
import type { ValueType } from '../../wasm/types.ts';
import { signatureOf } from '../lower/lower.ts';
import { registerName } from './explain.ts';
import type { RegionFunctions } from './region.ts';
import type { LocalUse } from './registers.ts';

export class RegionModule {
  readonly functions: RegionFunctions;
  readonly #module = new ModuleWriter();
  readonly #made: { readonly slot: number; readonly code: Code }[] = [];

  readonly #isa: Isa;
  /** Names of imported functions, by index. */
  readonly #names: string[] = [];

  constructor(isa: Isa, statistics: boolean) {
    this.#isa = isa;
    const module = this.#module;
    const importFunction = (
      space: string,
      name: string,
      params: readonly ValueType[],
      results: readonly ValueType[],
    ): number => {
      this.#names.push(space === 'helpers' ? `helper.${name}` : name);
      return module.importFunction(space, name, module.type(params, results));
    };
    const imported = new Map<Callee, number>();
    const functionOf = (callee: Callee): number => {
      const known = imported.get(callee);
      if (known !== undefined) return known;
      const { params, results } = signatureOf(callee);
      const [space, name]: readonly [string, string] =
        callee.kind === 'helper' ? ['helpers', callee.name] : ['engine', `routine.${callee.name}`];
      const index = importFunction(space, name, params, results);
      imported.set(callee, index);
      return index;
    };
    const engine = (name: string, params: readonly ValueType[], results: readonly ValueType[]) =>
      importFunction('engine', name, params, results);
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
        slowLoadAsUser: engine('runtime.slowLoadAsUser', ['i32', 'i64', 'i32'], ['i32']),
        slowStoreAsUser: engine('runtime.slowStoreAsUser', ['i32', 'i64', 'i32', 'i64'], ['i32']),
        slowAtomic: engine('runtime.slowAtomic', ['i32', 'i64'], ['i32']),
        forgetPages: engine('runtime.forgetPages', ['i32'], []),
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

  /** The text of a function that was lowered for this module. */
  text(code: Code, locals: ReadonlyMap<number, LocalUse>): string {
    return functionText(code, {
      params: ['i32', 'i32'],
      results: ['i32'],
      local: (index) => {
        const use = locals.get(index);
        if (use === undefined) return undefined;
        return 'name' in use ? use.name : registerName(this.#isa, use.register);
      },
      function: (index) => this.#names[index],
    });
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
