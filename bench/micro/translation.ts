// What translating costs: building a block's IR, encoding it, all of a translator's work, and all of it together with
// what the host's compiler does when the code first runs.

import { Locals, Lowering, type Target } from '../../src/engine/lower/lower.ts';
import { createTranslator } from '../../src/engine/jit/translator.ts';
import { buildBlock } from '../../src/ir/builder.ts';
import { type AnyRegister, registerOffset } from '../../src/ir/node.ts';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { constantOperands } from '../../src/isa/shared/operands.ts';
import { Code } from '../../src/wasm/code.ts';
import { opcodes } from '../../src/wasm/opcodes.ts';
import type { Benchmark } from '../harness.ts';
import { mixedLoop } from './execution.ts';
import { createMicroMachine, DATA, RAM, word } from './machine.ts';

const figure = { unit: 'us', better: 'lower' } as const;
const offsetOf = (operand: AnyRegister): number =>
  registerOffset(operand.file, 'index' in operand ? operand.index : 0);

const leave = (c: Code): void => c.unreachable();

const runtime = {
  slowLoad: 0,
  slowStore: 1,
  slowAtomic: 2,
  slowLoadAsUser: 0,
  slowStoreAsUser: 1,
  forgetPages: 5,
  flushTlb: 3,
  flushTlbPage: 4,
};

/** Registers in the vCPU's record; leaving the block costs a byte. */
const target: Target = {
  runtime,
  translate: 5,
  functionOf: () => 6,
  operand: leave,
  getRegister(code, operand) {
    code.localGet(0);
    code.memory(opcodes['i64.load'], offsetOf(operand), 3);
  },
  setRegister(code, operand, push) {
    code.localGet(0);
    push();
    code.memory(opcodes['i64.store'], offsetOf(operand), 3);
  },
  pc: leave,
  dataTag: (code) => code.i64Const(0),
  retired: leave,
  raise: leave,
  jump: leave,
  exit: leave,
  next: () => undefined,
};

/** The meanings of the loop's ten instructions with constant operands. */
const meanings = () =>
  [...mixedLoop.values()][0]!.slice(0, 10).map((bits, at) => {
    const row = riscv64.decode(bits >>> 0)!;
    const pc = BigInt(RAM + at * 4);
    return buildBlock((s) => row.meaning(s, constantOperands(row, bits >>> 0)), pc);
  });

/** Microseconds that `once` takes, warm. */
function timeOf(once: () => void): number {
  const times = 2000;
  for (let n = 0; n < times; n++) once();
  const begun = performance.now();
  for (let n = 0; n < times; n++) once();
  return ((performance.now() - begun) * 1000) / times;
}

/** From IR to the bytes of a function body, and the building of the IR on its own. */
function encoding(): Benchmark[] {
  const blocks = meanings();
  const code = new Code(1);
  const encode = (): void => {
    code.reset();
    const locals = new Locals(code);
    for (const block of blocks) {
      locals.release();
      new Lowering(code, target, locals).instruction(block);
    }
  };
  return [
    { name: 'micro/encode/block-of-10', ...figure, run: () => timeOf(encode) },
    { name: 'micro/build-ir/block-of-10', ...figure, run: () => timeOf(() => void meanings()) },
  ];
}

/** Regions that share a module, and modules that a run makes. */
const BATCH = 8;
const BATCHES = 200;

/** From guest code to a compiled module, for each guest block. The host compiles functions only when they first run. */
function translating(): Benchmark {
  const [words] = mixedLoop.values();
  const program = new Map(Array.from({ length: BATCH }, (_, at) => [at * 4096, words!] as const));
  const prepare = () => {
    const setup = { engine: 'interpreter', program, mapping: 'gigabyte' } as const;
    const { memory, ramHost } = createMicroMachine(setup);
    const translate = createTranslator(riscv64, memory, { now: () => process.hrtime.bigint() });
    // No two modules are alike, for the host's compiler knows its latest ones again.
    let slot = 0;
    return () => translate([...program.keys()].map((at) => ({ host: ramHost + at, slot: slot++ })));
  };
  let once: ReturnType<typeof prepare> | undefined;
  let sum = { encodeUs: 0, compileUs: 0, regionBlocks: 0 };
  return {
    name: 'micro/translate/block',
    ...figure,
    explain: () => sum,
    run() {
      once ??= prepare();
      sum = { encodeUs: 0, compileUs: 0, regionBlocks: 0 };
      for (let n = 0; n < BATCHES; n++) {
        const { encodeUs, compileUs, regions } = once();
        sum.encodeUs += encodeUs;
        sum.compileUs += compileUs;
        sum.regionBlocks += regions.reduce((blocks, region) => blocks + region.blocks.length, 0);
      }
      return (sum.encodeUs + sum.compileUs) / sum.regionBlocks;
    },
  };
}

/** Blocks that run one after another. */
const FRESH = 500;

/**
 * Blocks of ten instructions, each in a page of its own, by the executor that translates everything before it runs:
 * each is a module with one region. The first time beyond the second; the host's compiler is part of the first.
 */
function firstRun(): Benchmark {
  let seed = 0;
  const body = [...mixedLoop.values()][0]!.slice(0, 8);
  const block = (isLast: boolean): readonly number[] => {
    const different = word('addi', { rd: 12, rs1: 12, imm: seed++ % 2048 });
    const jump = word('jal', { rd: 0, imm: (4096 - 4 * (body.length + 1)) / 2 });
    return [...body, different, isLast ? word('wfi') : jump];
  };
  let counts: Readonly<Record<string, number>> = {};
  return {
    name: 'micro/translate/first-run-of-block',
    ...figure,
    explain: () => counts,
    run() {
      const blocks = Array.from({ length: FRESH }, (_, at) => block(at === FRESH - 1));
      const program = new Map(blocks.map((words, at) => [at * 4096, words]));
      const machine = createMicroMachine({ engine: 'jit', program, mapping: 'gigabyte' });
      const registers = { 10: DATA };
      const seconds = machine.run(registers).seconds - machine.run(registers).seconds;
      counts = { ...machine.executor.counts };
      return (seconds * 1e6) / FRESH;
    },
  };
}

export const translation = (): Benchmark[] => [...encoding(), translating(), firstRun()];
