// Parts of the engine on their own: encoding a block, the interpreter's speed on a loop with paging on.

import { createInterpreter } from '../../src/engine/interpreter/interpreter.ts';
import { Locals, Lowering, type Target } from '../../src/engine/lower/lower.ts';
import { place } from '../../src/engine/places.ts';
import { buildBlock } from '../../src/ir/builder.ts';
import type { RegisterOperand } from '../../src/ir/node.ts';
import { enterSupervisor, riscv64 } from '../../src/isa/riscv64/isa.ts';
import { hart } from '../../src/isa/riscv64/state.ts';
import { constantOperands } from '../../src/isa/shared/operands.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { vcpu as cells } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';
import { Code } from '../../src/wasm/code.ts';
import { opcodes } from '../../src/wasm/opcodes.ts';
import type { Benchmark, Suite } from '../harness.ts';

const RAM = 0x8000_0000;
const RAM_BYTES = 16 * 1024 * 1024;
const ROOT_TABLE = RAM + 0x10_0000;
const DATA = RAM + 0x20_0000;
const LOOPS = 10_000_000;

const i = (opcode: number, funct3: number, rd: number, rs1: number, imm: number): number =>
  ((imm & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode;
const r = (funct3: number, rd: number, rs1: number, rs2: number): number =>
  (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | 0x33;
const [a0, a1, a2, a3, a4, a5, a6] = [10, 11, 12, 13, 14, 15, 16] as const;

/** Ten instructions: a load, a store, seven of arithmetic, a branch back to the first. */
const loop: readonly number[] = [
  i(0x03, 3, a2, a0, 0), // ld   a2, 0(a0)
  r(0, a3, a3, a2), // add  a3, a3, a2
  i(0x13, 0, a2, a2, 3), // addi a2, a2, 3
  (a2 << 20) | (a0 << 15) | (3 << 12) | 0x23, // sd   a2, 0(a0)
  r(4, a4, a4, a3), // xor  a4, a4, a3
  i(0x13, 7, a5, a3, 255), // andi a5, a3, 255
  r(0, a4, a4, a5), // add  a4, a4, a5
  i(0x13, 0, a6, a6, 1), // addi a6, a6, 1
  i(0x13, 0, a1, a1, -1), // addi a1, a1, -1
  0xfc05_9ee3 | 0, // bne  a1, zero, -36
  0x1050_0073, // wfi
];

/** A supervisor that maps its first gigabyte of RAM to itself with Sv39, about to run `program`. */
function supervisor(program: readonly number[]) {
  const places = place(RAM_BYTES, 1);
  const { pages } = places;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const executor = createInterpreter({
    isa: riscv64,
    memory,
    places,
    ramBase: RAM,
    bus: createBus([]),
    time: () => 0n,
  });
  const view = new DataView(memory.buffer, places.ram);
  for (const [at, word] of program.entries()) view.setInt32(at * 4, word, true);
  // Virtual page number 2 of the top level is 0x8000_0000; V, R, W, X, A and D are set.
  view.setBigUint64(ROOT_TABLE - RAM + 8 * 2, (BigInt(RAM) >> 2n) | 0xcfn, true);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  riscv64.reset(record, 0);
  const restart = (): void => {
    enterSupervisor(record, { pc: BigInt(RAM), a0: BigInt(DATA), a1: BigInt(LOOPS) });
    record.set(hart.satp, (8n << 60n) | BigInt(ROOT_TABLE / 4096));
    record.set(cells.fetchTag, 0n);
  };
  return { executor, cpu, record, restart };
}

function interpreterLoop(): Benchmark {
  const { executor, cpu, record, restart } = supervisor(loop);
  return {
    name: 'micro/interpreter/integer-memory-loop',
    unit: 'MIPS',
    better: 'higher',
    explain: () => ({ ...executor.counts }),
    run() {
      restart();
      const before = record.get(cells.retired);
      const begun = performance.now();
      while (executor.run(cpu, 1_000_000) === 'budget');
      const seconds = (performance.now() - begun) / 1000;
      return Number(record.get(cells.retired) - before) / 1e6 / seconds;
    },
  };
}

const offsetOf = (operand: RegisterOperand): number =>
  operand.file.offset + 8 * ('index' in operand ? operand.index : 0);

const leave = (c: Code): void => c.unreachable();

const runtime = { slowLoad: 0, slowStore: 1, slowAtomic: 2, flushTlb: 3, flushTlbPage: 4 };

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
  loop.slice(0, 10).map((word, at) => {
    const row = riscv64.decode(word >>> 0)!;
    const pc = BigInt(RAM + at * 4);
    return buildBlock((s) => row.meaning(s, constantOperands(row, word >>> 0)), pc);
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
function translation(): Benchmark[] {
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
  const figure = { unit: 'us', better: 'lower' } as const;
  return [
    { name: 'micro/encode/block-of-10', ...figure, run: () => timeOf(encode) },
    { name: 'micro/build-ir/block-of-10', ...figure, run: () => timeOf(() => void meanings()) },
  ];
}

export const microSuite: Suite = {
  name: 'micro',
  load: () => Promise.resolve({ benchmarks: [...translation(), interpreterLoop()] }),
};
