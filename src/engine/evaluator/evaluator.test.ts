// The contract of executors, tried with a toy architecture on the evaluator and on the interpreter alike.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { cells, toy, X } from '../../../test/support/toy-isa.ts';
import { VcpuRecord } from '../../isa/shared/record.ts';
import { vcpu } from '../../isa/shared/vcpu.ts';
import { createBus } from '../../memory/bus.ts';
import { createInterpreter } from '../interpreter/interpreter.ts';
import { createJit } from '../jit/hybrid.ts';
import { place } from '../places.ts';
import { createEvaluator } from './evaluator.ts';

const ramBase = 0x10_0000;
const ramBytes = 0x10000;
const device = 0x2000;

const addi = (rd: number, rs1: number, imm: number) =>
  ((imm << 20) | (rs1 << 15) | (rd << 7) | 0x13) >>> 0;
const loadOp = (width: number, rd: number, rs1: number) =>
  ((rs1 << 15) | (width << 12) | (rd << 7) | 0x03) >>> 0;
const storeOp = (width: number, rs1: number, rs2: number) =>
  ((rs2 << 20) | (rs1 << 15) | (width << 12) | 0x23) >>> 0;
const ebreak = 0x0010_0073;
const ecall = 0x0000_0073;
const pause = 0x0100_000f;
const instret = (rd: number) => 0xc020_2073 | (rd << 7);

/** A VM of one vCPU at the start of RAM, with a device whose register holds what was last written. */
function machine(create: typeof createEvaluator, code: readonly number[] = []) {
  const places = place(ramBytes, 1);
  const memory = new WebAssembly.Memory({
    initial: places.pages,
    maximum: places.pages,
    shared: true,
  });
  const accesses: string[] = [];
  const target = {
    read: (offset: number, size: number) => {
      accesses.push(`read${size} ${offset}`);
      return 0x80 + offset;
    },
    write: (offset: number, size: number, value: number) =>
      void accesses.push(`write${size} ${offset} ${value}`),
  };
  const bus = createBus([{ name: 'device', address: device, size: 0x1000, target }]);
  const cpu = places.vcpus[0]!;
  const executor = create({ isa: toy, memory, places, ramBase, bus, time: () => 0n });
  const record = new VcpuRecord(memory.buffer, cpu);
  const ram = new DataView(memory.buffer, places.ram, ramBytes);
  for (const [i, word] of code.entries()) ram.setUint32(4 * i, word, true);
  record.set(vcpu.pc, BigInt(ramBase));
  record.set(cells.vector, BigInt(ramBase + 0x8000));
  const x = (index: number) => record.getRegister(X, index);
  const setX = (index: number, value: bigint | number) =>
    record.setRegister(X, index, BigInt(value));
  const run = (budget: number) => executor.run(cpu, budget);
  const trap = () => ({
    cause: record.get(cells.cause),
    tval: record.get(cells.tval),
    epc: record.get(cells.epc),
  });
  /** Maps a virtual page below 2 MiB. Bits of `allow`: 1 load, 2 store, 4 fetch. */
  const map = (page: number, physical: number, allow: number) => {
    record.set(cells.pages, BigInt(ramBase + 0xf000));
    ram.setBigUint64(0xf000 + 8 * page, BigInt(physical | allow), true);
  };
  return { record, ram, run, x, setX, trap, map, accesses };
}

const executors = {
  evaluator: createEvaluator,
  interpreter: createInterpreter,
  jit: createJit,
};

for (const [name, create] of Object.entries(executors)) {
  test(`${name}: an exit leaves pc behind the instruction, and it is retired`, () => {
    const m = machine(create, [addi(1, 0, 5), addi(1, 1, -7), instret(2), ecall]);
    equal(m.run(100), 'firmware');
    equal(m.x(1), 2n ** 64n - 2n);
    equal(m.x(2), 2n);
    equal(m.record.get(vcpu.pc), BigInt(ramBase + 16));
    equal(m.record.get(vcpu.retired), 4n);
  });

  test(`${name}: an exception goes to the vector and is not retired`, () => {
    const m = machine(create, [addi(1, 0, 5), ebreak]);
    m.ram.setUint32(0x8000, ecall, true);
    equal(m.run(100), 'firmware');
    const epc = BigInt(ramBase + 4);
    deepEqual(m.trap(), { cause: 17n, tval: epc, epc });
    equal(m.record.get(vcpu.retired), 2n);
  });

  test(`${name}: an illegal word raises, and exceptions spend the budget`, () => {
    const m = machine(create, [0xffff_ffff]);
    m.record.set(cells.vector, BigInt(ramBase));
    equal(m.run(10), 'budget');
    const epc = BigInt(ramBase);
    deepEqual(m.trap(), { cause: 16n, tval: 0xffff_ffffn, epc });
    equal(m.record.get(vcpu.retired), 0n);
  });

  test(`${name}: attention ends the slice; the next one takes the interrupt first`, () => {
    const m = machine(create, [pause, addi(1, 0, 1)]);
    m.ram.setUint32(0x8000, ecall, true);
    equal(m.run(100), 'attention');
    m.record.set(cells.enabled, 1n);
    m.record.set(cells.line, 1n);
    equal(m.run(100), 'firmware');
    equal(m.record.get(cells.epc), BigInt(ramBase + 4));
    equal(m.x(1), 0n);
  });

  test(`${name}: loads and stores of every width, in and across pages`, () => {
    const code = [
      ...[3, 2, 1, 0].map((width) => storeOp(width, 1, 2)),
      ...[3, 2, 5, 4].map((width, i) => loadOp(width, 8 + i, 1)),
      ecall,
    ];
    for (const at of [0x100, 0x101, 0xffc, 0xfff]) {
      const m = machine(create, code);
      m.ram.setBigUint64(at + 8, 2n ** 64n - 1n, true);
      m.setX(1, ramBase + 0x4000 + at);
      m.setX(2, 0xf1f2_f3f4_f5f6_f7f8n);
      equal(m.run(100), 'firmware');
      const expected = [0xf1f2_f3f4_f5f6_f7f8n, 0xffff_ffff_f5f6_f7f8n, 0xf7f8n, 0xf8n];
      deepEqual([8, 9, 10, 11].map(m.x), expected);
      equal(m.ram.getBigUint64(0x4000 + at + 8, true), 0n);
    }
  });

  test(`${name}: translation decides, and the second page of an access faults at its first byte`, () => {
    const m = machine(create, [loadOp(3, 5, 1), ecall]);
    m.map(1, ramBase, 5);
    m.map(2, ramBase + 0x3000, 1);
    m.map(3, ramBase + 0x5000, 2);
    m.map(0x100 + 8, ramBase + 0x8000, 4);
    m.ram.setUint32(0x8000, ecall, true);
    m.ram.setBigUint64(0x3ff8, 77n, true);
    m.record.set(vcpu.pc, 0x1000n);
    m.setX(1, 0x2ff8);
    equal(m.run(10), 'firmware');
    equal(m.x(5), 77n);
    m.record.set(vcpu.pc, 0x1000n);
    m.setX(1, 0x2ffa);
    equal(m.run(10), 'firmware');
    deepEqual(m.trap(), { cause: 0n, tval: 0x3000n, epc: 0x1000n });
    m.record.set(vcpu.pc, 0x2000n);
    equal(m.run(10), 'firmware');
    deepEqual(m.trap(), { cause: 2n, tval: 0x2000n, epc: 0x2000n });
  });

  test(`${name}: an instruction across pages fetches both`, () => {
    const m = machine(create);
    m.map(1, ramBase + 0x2000, 4);
    m.map(0x100 + 8, ramBase + 0x8000, 4);
    m.ram.setUint32(0x8000, ecall, true);
    const word = addi(1, 0, 9);
    m.ram.setUint16(0x2ffe, word & 0xffff, true);
    m.ram.setUint16(0x5000, word >>> 16, true);
    m.ram.setUint32(0x5002, ecall, true);
    m.record.set(vcpu.pc, 0x1ffen);
    equal(m.run(10), 'firmware');
    deepEqual(m.trap(), { cause: 2n, tval: 0x2000n, epc: 0x1ffen });
    m.map(2, ramBase + 0x5000, 4);
    m.record.set(vcpu.pc, 0x1ffen);
    equal(m.run(10), 'firmware');
    equal(m.x(1), 9n);
    equal(m.record.get(vcpu.pc), 0x2006n);
  });

  test(`${name}: short instructions are two bytes long`, () => {
    const m = machine(create);
    m.ram.setUint16(0, 0x0085, true); // c.addi x1, 1
    m.ram.setUint16(2, 0x10fd, true); // c.addi x1, -1
    m.ram.setUint16(4, 0x0085, true);
    m.ram.setUint32(6, ecall, true);
    equal(m.run(10), 'firmware');
    equal(m.x(1), 1n);
    equal(m.record.get(vcpu.pc), BigInt(ramBase + 10));
  });

  test(`${name}: devices answer; where nothing does, the access faults`, () => {
    const m = machine(create, [loadOp(4, 5, 1), storeOp(2, 1, 2), loadOp(3, 6, 3), ecall]);
    m.ram.setUint32(0x8000, ecall, true);
    m.setX(1, device + 4);
    m.setX(2, 0x1_ffff_fffen);
    m.setX(3, device - 8);
    equal(m.run(10), 'firmware');
    equal(m.x(5), 0x84n);
    deepEqual(m.accesses, ['read1 4', 'write4 4 4294967294']);
    deepEqual(m.trap(), { cause: 8n, tval: BigInt(device - 8), epc: BigInt(ramBase + 8) });
    m.record.set(vcpu.pc, 0x5000n);
    equal(m.run(10), 'firmware');
    deepEqual(m.trap(), { cause: 10n, tval: 0x5000n, epc: 0x5000n });
  });

  test(`${name}: an access from RAM into nothing changes nothing`, () => {
    const m = machine(create, [storeOp(3, 1, 2)]);
    m.ram.setUint32(0x8000, ecall, true);
    const end = BigInt(ramBase + ramBytes);
    m.setX(1, end - 4n);
    m.setX(2, -1n);
    equal(m.run(10), 'firmware');
    deepEqual(m.trap(), { cause: 9n, tval: end, epc: BigInt(ramBase) });
    equal(m.ram.getUint32(ramBytes - 4), 0);
  });

  test(`${name}: atomics give the old value and reach RAM only`, () => {
    const amoadd = 0x0020_a2af; // amoadd.w x5, x2, (x1)
    const amoxor = 0x2020_b32f; // amoxor.d x6, x2, (x1)
    const cas = 0x1041_a3af; // cas.w x7, x4, (x3)
    const m = machine(create, [amoadd, amoxor, cas, addi(1, 3, 0), cas, amoadd, ecall]);
    m.ram.setUint32(0x8000, ecall, true);
    m.ram.setBigUint64(0x4000, 0x1_ffff_fffen, true);
    m.ram.setUint32(0x4008, 0x8000_0000, true);
    m.setX(1, ramBase + 0x4000);
    m.setX(2, 3);
    m.setX(3, ramBase + 0x4008);
    m.setX(4, 0x7_8000_0000n);
    m.setX(7, 0x5_0000_0011n);
    equal(m.run(100), 'firmware');
    deepEqual([5, 6].map(m.x), [0x11n, 0x1_0000_0001n]);
    equal(m.ram.getBigUint64(0x4000, true), 0x1_0000_0002n);
    equal(m.x(7), 0x11n);
    equal(m.ram.getUint32(0x4008, true), 0x14);
    const n = machine(create, [amoadd]);
    n.ram.setUint32(0x8000, ecall, true);
    n.setX(1, device);
    equal(n.run(100), 'firmware');
    deepEqual(n.trap(), { cause: 9n, tval: BigInt(device), epc: BigInt(ramBase) });
  });

  test(`${name}: branches and jumps`, () => {
    const beqBack = 0xfe20_8ee3; // beq x1, x2, -4
    const jalr = 0x0001_82e7; // jalr x5, 0(x3)
    const m = machine(create, [addi(1, 1, 1), beqBack, jalr]);
    m.setX(2, 1);
    m.setX(3, ramBase + 0x100);
    m.ram.setUint32(0x100, ecall, true);
    equal(m.run(100), 'firmware');
    equal(m.x(1), 2n);
    equal(m.x(5), BigInt(ramBase + 12));
    equal(m.record.get(vcpu.retired), 6n);
  });
}

test('the evaluator stops exactly at its budget', () => {
  const m = machine(createEvaluator, [addi(1, 1, 1), addi(1, 1, 1), addi(1, 1, 1), ecall]);
  equal(m.run(2), 'budget');
  equal(m.x(1), 2n);
  equal(m.record.get(vcpu.pc), BigInt(ramBase + 8));
  equal(m.run(2), 'firmware');
});
