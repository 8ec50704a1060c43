// The hybrid executor: interprets, watches where time goes, and translates what is hot into regions. And the JIT on its
// own, which translates everything before it runs: slow, and a hard test of the translator.
//
// Where time goes is sampled: a slice is cut into pieces, and the address at which a piece ends is charged with it.
// Pieces end where control arrives at a block, so a hot loop's head is charged soon. Pieces grow while the samples find
// translated code, and are short again as soon as one does not.

import { vcpu } from '../../isa/shared/vcpu.ts';
import type { Executor, ExecutorOptions } from '../executor.ts';
import { createInterpreter } from '../interpreter/interpreter.ts';
import { Regions } from './regions.ts';
import { createThreshold } from './threshold.ts';

/** Instructions between two samples, at first and at most. */
const SHORT_PIECE = 10_000;
const LONG_PIECE = 400_000;
/** Requests that share a module, and pieces that they wait for each other. */
const BATCH = 16;
const PATIENCE = 16;

/** Makes a hybrid executor. */
export function createHybrid(options: ExecutorOptions): Executor {
  const { interpreter, regions, run } = createParts(options);
  const threshold = createThreshold(options.now);
  let piece = SHORT_PIECE;
  let waited = 0;
  const settle = (): void => {
    if (regions.waiting < BATCH && waited++ < PATIENCE) return;
    waited = 0;
    regions.settle();
    threshold.adapt(regions.counts.encodeUs + regions.counts.compileUs);
  };
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
        const isTranslated = regions.sample(cpu, threshold.samples);
        settle();
        piece = isTranslated ? Math.min(piece * 2, LONG_PIECE) : SHORT_PIECE;
        if (left <= 0) return exit;
      }
    },
  };
}

/** Makes an executor that translates every block before it runs for the first time. */
export function createJit(options: ExecutorOptions): Executor {
  const { interpreter, regions, run } = createParts({ ...options, translator: undefined });
  return {
    ...interpreter,
    get counts() {
      return { ...interpreter.counts, ...regions.counts };
    },
    run(cpu, budget) {
      for (let left = budget; ;) {
        regions.sample(cpu, 1);
        regions.settle();
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
