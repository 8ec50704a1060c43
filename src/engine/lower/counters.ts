// Counters in the vCPU's record, as generated code keeps them.

import type { StateField } from '../../ir/node.ts';
import type { Code } from '../../wasm/code.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { getCell, setCell } from './lower.ts';

/** Adds to a counter (i64) a number, or what is pushed (i64). */
export function count(code: Code, counter: StateField, amount: number | (() => void) = 1): void {
  const pushSum = (): void => {
    getCell(code, counter);
    if (typeof amount === 'number') code.i64Const(amount);
    else amount();
    code.op(opcodes['i64.add']);
  };
  setCell(code, counter, pushSum);
}
