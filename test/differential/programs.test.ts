// Random programs on the translator, forced and hybrid, against the interpreter: every register, count and byte of
// memory. Some of them, short, against the evaluator, which translates every address anew.
// ISOLA_PROGRAMS and ISOLA_SEED choose how many and which; ISOLA_REQUIRE_JUDGES=1 means a full run.

import { deepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createEvaluator } from '../../src/engine/evaluator/evaluator.ts';
import { createInterpreter } from '../../src/engine/interpreter/interpreter.ts';
import { createHybrid, createJit } from '../../src/engine/jit/hybrid.ts';
import { createRandom } from '../../src/std/random.ts';
import { makeProgram } from './programs/generate.ts';
import { createRunner, type Outcome } from './programs/run.ts';

const programs = Number(
  process.env['ISOLA_PROGRAMS'] ?? (process.env['ISOLA_REQUIRE_JUDGES'] === '1' ? 200 : 50),
);
const first = Number(process.env['ISOLA_SEED'] ?? 1);

const reference = createRunner(createInterpreter);
const others = { jit: createRunner(createJit), hybrid: createRunner(createHybrid) } as const;

/** What a program does on an executor; interrupts come at the same instructions or so. */
function outcome(runner: typeof reference, seed: number, interrupts: boolean): Outcome {
  const program = makeProgram(createRandom(BigInt(seed)), !interrupts);
  const when = interrupts ? createRandom(BigInt(seed)) : undefined;
  return runner.run(program, createRandom(BigInt(-seed)), when);
}

for (const interrupts of [false, true]) {
  test(`${programs} random programs${interrupts ? ' with interrupts' : ''}`, () => {
    for (let seed = first; seed < first + programs; seed++) {
      const expected = outcome(reference, seed, interrupts);
      for (const [name, runner] of Object.entries(others)) {
        deepEqual(outcome(runner, seed, interrupts), expected, `${name}, ISOLA_SEED=${seed}`);
      }
    }
    ok(others.jit.counts()['regions']! > programs);
    ok(others.hybrid.counts()['regions']! > programs / 4);
  });
}

test('a few short random programs where nothing is cached', () => {
  const fuel = 300;
  const evaluator = createRunner(createEvaluator, { fuel, forgetsWalks: true });
  const cached = {
    interpreter: createRunner(createInterpreter, { fuel }),
    jit: createRunner(createJit, { fuel }),
  } as const;
  for (let seed = first; seed < first + programs / 5; seed++) {
    const expected = outcome(evaluator, seed, false);
    for (const [name, runner] of Object.entries(cached)) {
      deepEqual(outcome(runner, seed, false), expected, `${name}, ISOLA_SEED=${seed}`);
    }
  }
});
