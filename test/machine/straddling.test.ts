// An instruction that lies across the end of a page, of which the second page goes: a fence of that page's address
// must be enough for the fetch to fault, however the instruction has been cached.
// Privileged ISA, section 12.2.1 (sfence.vma); 3.1.16 (tval of a fault in the second part of an instruction).

import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import { place } from '../../src/engine/places.ts';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { hart, X } from '../../src/isa/riscv64/state.ts';
import { createAssembler } from '../../src/isa/shared/assembler.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { vcpu } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';

const ramBase = 0x8000_0000;
const ramBytes = 0x8000;
/** Offsets in RAM: two pages of code, then tables; machine mode's code comes last. */
const leaf = 0x4000;
const machine = 0x5000;
const codeAt = 0x40_0000;
const { assembleProgram } = createAssembler(riscv64);

const code = `
  lui x7, ${(codeAt + 0x1000) / 4096}
  jalr x5, -2(x7)
  sd x0, 8(x8)
  sfence.vma x7, x0
  jalr x5, -2(x7)
`;
const straddling = 'addi x6, x6, 1\njalr x0, 0(x5)';

/** The registers at the end of a run. */
function run(engine: EngineName): VcpuRecord {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const ram = new Uint8Array(memory.buffer, places.ram, ramBytes);
  const view = new DataView(memory.buffer, places.ram, ramBytes);
  const options = { isa: riscv64, memory, places, ramBase, bus: createBus([]), time: () => 0n };
  const executor = engines[engine](options);
  ram.set(assembleProgram(code, BigInt(codeAt)).bytes, 0);
  ram.set(assembleProgram(straddling, BigInt(codeAt + 0xffe)).bytes, 0xffe);
  ram.set(assembleProgram('mret\nwfi', BigInt(ramBase + machine)).bytes, machine);
  const entry = (offset: number, bits: number): bigint =>
    (BigInt((ramBase + offset) / 4096) << 10n) | BigInt(bits);
  const [pointer, readWrite, execute] = [1, 0xc7, 0xcb];
  view.setBigUint64(0x2000, entry(0x3000, pointer), true);
  view.setBigUint64(0x3000 + 16, entry(leaf, pointer), true);
  view.setBigUint64(leaf, entry(0, execute), true);
  view.setBigUint64(leaf + 8, entry(0x1000, execute), true);
  view.setBigUint64(leaf + 16, entry(leaf, readWrite), true);

  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  riscv64.reset(record, 0);
  record.set(hart.mtvec, BigInt(ramBase + machine + 4));
  record.set(hart.mepc, BigInt(codeAt));
  record.set(hart.mstatus, record.get(hart.mstatus) | 0x800n);
  record.set(hart.satp, (8n << 60n) | BigInt((ramBase + 0x2000) / 4096));
  record.set(vcpu.pc, BigInt(ramBase + machine));
  record.setRegister(X, 6, 0n);
  record.setRegister(X, 8, BigInt(codeAt + 0x2000));
  equal(executor.run(cpu, 1000), 'wait');
  return record;
}

for (const engine of ['evaluator', 'interpreter', 'jit', 'hybrid'] as const) {
  test(`${engine}: an instruction's second page goes`, () => {
    const record = run(engine);
    equal(record.getRegister(X, 6), 1n);
    equal(record.get(hart.mcause), 12n);
    equal(record.get(hart.mepc), BigInt(codeAt + 0xffe));
    equal(record.get(hart.mtval), BigInt(codeAt + 0x1000));
  });
}
