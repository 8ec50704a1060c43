// Gives helpers (functions of meanings that are written in TypeScript) their view of the calling vCPU, and generated
// code its imports of them.

import type { ControllerRegisters, Helper, HelperContext, StateField } from '../ir/node.ts';
import { vcpu } from '../isa/shared/vcpu.ts';

type ControllerOf = (vcpu: number) => ControllerRegisters | undefined;

/** A helper's context for the vCPU whose record begins at `cpu` in a view. */
export function helperContext(
  view: DataView,
  cpu: () => number,
  time: () => bigint,
  controllerOf: ControllerOf = () => undefined,
): HelperContext {
  return {
    time,
    get controller() {
      return controllerOf(view.getUint32(cpu() + vcpu.number.offset, true));
    },
    get(field: StateField): bigint {
      const at = cpu() + field.offset;
      return field.type === 'i64' ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    },
    set(field: StateField, value: bigint): void {
      const at = cpu() + field.offset;
      if (field.type === 'i64') view.setBigUint64(at, BigInt.asUintN(64, value), true);
      else view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    },
  };
}

type Import = (cpu: number, ...args: (bigint | number)[]) => bigint | number | undefined;

/** The import object of helpers: `(cpu, ...params) → result`, i64 as bigint, i32 and i1 as number. */
export function helperImports(
  helpers: readonly Helper[],
  memory: WebAssembly.Memory,
  time: () => bigint,
  controllerOf?: ControllerOf,
): Record<string, Import> {
  let current = 0;
  const context = helperContext(new DataView(memory.buffer), () => current, time, controllerOf);
  const entries = helpers.map((helper): [string, Import] => {
    const call: Import = (cpu, ...args) => {
      current = cpu;
      const values = args.map((arg, i) =>
        BigInt.asUintN(helper.params[i] === 'i64' ? 64 : 32, BigInt(arg)),
      );
      const result = helper.run(context, ...values);
      if (helper.result === null) return undefined;
      return helper.result === 'i64'
        ? BigInt.asIntN(64, result)
        : Number(BigInt.asIntN(32, result));
    };
    return [helper.name, call];
  });
  return Object.fromEntries(entries);
}
