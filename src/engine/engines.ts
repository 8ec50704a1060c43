// The executors by the names that users know them by.

import { createEvaluator } from './evaluator/evaluator.ts';
import type { Executor, ExecutorOptions } from './executor.ts';
import { createHybrid, createJit } from './jit/hybrid.ts';
import { createInterpreter } from './interpreter/interpreter.ts';

export const engines = {
  interpreter: createInterpreter,
  jit: createJit,
  hybrid: createHybrid,
  evaluator: createEvaluator,
} as const satisfies Record<string, (options: ExecutorOptions) => Executor>;

export type EngineName = keyof typeof engines;
