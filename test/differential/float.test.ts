// Every computing instruction of F and D, on every executor, against QEMU's user mode: result, integer result and
// flags, in all static rounding modes and the dynamic one, on registers that hold boxed, unboxed and special values.
// The program that QEMU runs is made from the rows' own words. Skipped where the cross compiler or QEMU is absent.

import { deepEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createEvaluator } from '../../src/engine/evaluator/evaluator.ts';
import type { Executor, ExecutorOptions } from '../../src/engine/executor.ts';
import { createInterpreter } from '../../src/engine/interpreter/interpreter.ts';
import { createJit } from '../../src/engine/jit/hybrid.ts';
import { place } from '../../src/engine/places.ts';
import { rows as rowsD } from '../../src/isa/riscv64/d.ts';
import { rows as rowsF } from '../../src/isa/riscv64/f.ts';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { F, hart, X } from '../../src/isa/riscv64/state.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { insertField, type Row } from '../../src/isa/shared/row.ts';
import { binary32, binary64 } from '../../src/isa/shared/softfloat.ts';
import { vcpu } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';
import { operandStream, random64 } from '../support/float-cases.ts';
import { withoutJudges } from '../support/judges.ts';

const compiler = 'riscv64-linux-gnu-gcc';
const emulator = 'qemu-riscv64-static';
const seed = 20_260_713n;
const casesEach = 150;
const DYNAMIC = 7;
const FS_INITIAL = 0x2000n;
const JUMP_TO_SELF = 0x0000_006f;
const RAM_BASE = 0x8000_0000;
const RAM_BYTES = 0x10000;

const skip = withoutJudges(compiler, emulator);

interface Instruction {
  readonly row: Row;
  readonly word: number;
}

interface Case {
  readonly instruction: number;
  readonly frm: number;
  readonly operands: readonly [bigint, bigint, bigint];
}

/** Destinations are f10 and x10, sources f11, f12, f13 and x11. */
function instructionsOf(row: Row): Instruction[] {
  const numbers = { rd: 10, rs1: 11, rs2: 12, rs3: 13 };
  let plain = row.value;
  for (const [name, number] of Object.entries(numbers)) {
    const field = row.fields[name];
    if (field) plain = insertField(field, plain, number);
  }
  const { rm } = row.fields;
  const words = rm ? [0, 1, 2, 3, 4, DYNAMIC].map((mode) => insertField(rm, plain, mode)) : [plain];
  return words.map((word) => ({ row, word: word >>> 0 }));
}

const computing = [...rowsF, ...rowsD].filter((row) => !('imm' in row.fields));
const table = computing.flatMap(instructionsOf);

function program(): string {
  const cases = table.map(({ word }, i) => `case ${i}: RUN(${word}); break;`);
  return `
#include <stdint.h>
#include <stdio.h>
#define RUN(word) __asm__ volatile( \\
  "fmv.d.x fa1, %3\\n fmv.d.x fa2, %4\\n fmv.d.x fa3, %5\\n mv a1, %3\\n li a0, 0\\n fmv.d.x fa0, zero\\n" \\
  "fsrm %6\\n fsflags zero\\n .4byte " #word "\\n frflags %0\\n fmv.x.d %1, fa0\\n mv %2, a0\\n" \\
  : "=&r"(out[0]), "=&r"(out[1]), "=&r"(out[2]) : "r"(in[1]), "r"(in[2]), "r"(in[3]), "r"(frm) \\
  : "a0", "a1", "fa0", "fa1", "fa2", "fa3")
int main(void) {
  uint64_t in[4], out[3];
  while (fread(in, sizeof in, 1, stdin) == 1) {
    uint64_t frm = in[0] >> 32;
    switch ((uint32_t)in[0]) { ${cases.join('\n')} default: return 1; }
    fwrite(out, sizeof out, 1, stdout);
  }
  return 0;
}`;
}

/**
 * Operands that random ones miss. (1 + e)(1 - e) just below one, scaled to the smallest normal number: rounded up to
 * it, tiny before rounding but not after; the same a little lower, tiny in both readings.
 */
const rareOperands = {
  single: [
    [0x2000_0400n, 0x1fff_f800n, 0n],
    [0x2000_0800n, 0x1fff_f000n, 0n],
    [0x3f7f_ffffn, 0x0080_0000n, 0n],
  ],
  double: [
    [0x2000_0000_0200_0000n, 0x1fff_ffff_fc00_0000n, 0n],
    [0x2000_0000_0400_0000n, 0x1fff_ffff_f800_0000n, 0n],
    [0x3fef_ffff_ffff_ffffn, 0x0010_0000_0000_0000n, 0n],
  ],
} as const;

function makeCases(): Case[] {
  const random = random64(seed);
  const doubles = operandStream(binary64, random);
  const singles = operandStream(binary32, random);
  const register = (single: boolean): bigint => {
    const choice = random() % 16n;
    if (choice === 0n) return random() >> (random() % 64n);
    if (!single) return doubles();
    return singles() | (choice === 1n ? random() << 32n : 0xffff_ffff_0000_0000n);
  };
  return table.flatMap(({ row }, instruction) => {
    const fromX = row.fields['rs1']?.kind === 'register' && row.fields['rs1'].file === X;
    const single = row.extension === 'F' || row.name === 'fcvt.d.s';
    const first = (): bigint => {
      const value = random() >> (random() % 64n);
      return fromX ? (random() % 2n === 0n ? value : -value) : register(single);
    };
    const box = single ? 0xffff_ffff_0000_0000n : 0n;
    const rare = rareOperands[single ? 'single' : 'double'].flatMap((operands) =>
      [0, 1, 2, 3, 4].map((frm) => ({ frm, operands: operands.map((value) => value | box) })),
    );
    const drawn = Array.from({ length: casesEach }, () => ({
      frm: Number(random() % 5n),
      operands: [first(), register(single), register(single)],
    }));
    return [...rare, ...drawn].map(({ frm, operands }): Case => {
      const registers = operands.map((value) => BigInt.asUintN(64, value));
      return { instruction, frm, operands: registers as [bigint, bigint, bigint] };
    });
  });
}

/** Flags, f10, x10 of each case as QEMU computes them. */
function judge(cases: readonly Case[]): BigUint64Array {
  const folder = mkdtempSync(join(tmpdir(), 'isola-float-'));
  try {
    const [source, binary] = [join(folder, 'float.c'), join(folder, 'float')];
    writeFileSync(source, program());
    const built = spawnSync(compiler, ['-O1', '-static', source, '-o', binary]);
    deepEqual([built.status, String(built.stderr)], [0, '']);
    const input = new BigUint64Array(
      cases.flatMap(({ instruction, frm, operands }) => [
        BigInt(instruction) | (BigInt(frm) << 32n),
        ...operands,
      ]),
    );
    const options = { input: new Uint8Array(input.buffer), maxBuffer: 2 ** 28 };
    const { status, stdout } = spawnSync(emulator, [binary], options);
    deepEqual([status, stdout.length], [0, cases.length * 24]);
    return new BigUint64Array(new Uint8Array(stdout).buffer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A hart in machine mode with each instruction of the table in RAM, followed by a jump to itself. */
function machine(create: (options: ExecutorOptions) => Executor) {
  const places = place(RAM_BYTES, 1);
  const pages = { initial: places.pages, maximum: places.pages, shared: true };
  const memory = new WebAssembly.Memory(pages);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  const ram = new DataView(memory.buffer, places.ram, RAM_BYTES);
  for (const [i, { word }] of table.entries()) {
    ram.setUint32(8 * i, word, true);
    ram.setUint32(8 * i + 4, JUMP_TO_SELF, true);
  }
  riscv64.reset(record, 0);
  const bus = createBus([]);
  const isa = riscv64;
  const executor = create({ isa, memory, places, ramBase: RAM_BASE, bus, time: () => 0n });
  /** Runs a case; flags, f10, x10, and where it went relative to the instruction. */
  return ({ instruction, frm, operands }: Case): bigint[] => {
    const pc = BigInt(RAM_BASE + 8 * instruction);
    record.set(vcpu.pc, pc);
    record.set(hart.mstatus, FS_INITIAL);
    record.set(hart.fflags, 0n);
    record.set(hart.frm, BigInt(frm));
    record.setRegister(X, 10, 0n);
    record.setRegister(X, 11, operands[0]);
    record.setRegister(F, 10, 0n);
    for (const [j, value] of operands.entries()) record.setRegister(F, 11 + j, value);
    executor.run(cpu, 1);
    const results = [record.getRegister(F, 10), record.getRegister(X, 10)];
    return [record.get(hart.fflags), ...results, record.get(vcpu.pc) - pc];
  };
}

const executors = { evaluator: createEvaluator, interpreter: createInterpreter, jit: createJit };

test('instructions of F and D give what QEMU gives', { skip }, async (t) => {
  const cases = makeCases();
  const expected = judge(cases);
  for (const [name, create] of Object.entries(executors)) {
    await t.test(name, () => {
      const run = machine(create);
      for (const [i, tried] of cases.entries()) {
        const { row, word } = table[tried.instruction]!;
        const operands = tried.operands.map((value) => value.toString(16)).join(' ');
        const where = `${row.name} (${word.toString(16)}), frm ${tried.frm}, seed ${seed}`;
        const wanted = [...expected.subarray(3 * i, 3 * i + 3), 4n];
        deepEqual(run(tried), wanted, `${where}: ${operands}`);
      }
    });
  }
});
