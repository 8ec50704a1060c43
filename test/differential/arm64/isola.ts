// Our executors as executors of arm64 blocks: one core at EL0 without translation, code and window in its RAM.
//
// Behind each block, and where exceptions lead, stands a word that leaves the executor.

import { type EngineName, engines } from '../../../src/engine/engines.ts';
import type { Executor } from '../../../src/engine/executor.ts';
import { type Places, place } from '../../../src/engine/places.ts';
import { arm64 } from '../../../src/isa/arm64/isa.ts';
import { core, NZCV, SP, V, X, XSP } from '../../../src/isa/arm64/state.ts';
import type { Isa } from '../../../src/isa/shared/isa.ts';
import { VcpuRecord } from '../../../src/isa/shared/record.ts';
import { format, instructions, type Row } from '../../../src/isa/shared/row.ts';
import { exitCode, isaCells, vcpu } from '../../../src/isa/shared/vcpu.ts';
import { createBus } from '../../../src/memory/bus.ts';
import {
  type Arm64Block,
  at,
  codeAddress,
  recordBytes,
  windowAddress,
  windowBytes,
} from './block.ts';

const ramBytes = 0x2_0000;
const vectors = codeAddress + 0x1_0000;
/** From EL0, synchronous. */
const vectorOffset = 0x400;
const stopWord = 0xffff_ffff;
const budget = 1000;
const FPEN = 3n << 20n;
/** UMA is off; DZE, UCT and UCI let EL0 do what user programs do. */
const SCTLR = (1n << 14n) | (1n << 15n) | (1n << 26n);

const [stop] = instructions('test', {
  stop: format({})('1'.repeat(32), 'stop', (s) => s.exit(exitCode('debug'), s.pc())),
}) as [Row];

const isa: Isa = {
  ...arm64,
  rows: [...arm64.rows, stop],
  decode: (word) => (word === stopWord ? stop : arm64.decode(word)),
};

interface Machine {
  readonly places: Places;
  readonly executor: Executor;
  readonly bytes: Uint8Array;
  readonly record: VcpuRecord;
  readonly fresh: Uint8Array;
}

function createMachine(engine: EngineName): Machine {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages, shared: true };
  const memory = new WebAssembly.Memory(limits);
  const base = { isa, memory, places, ramBase: codeAddress, bus: createBus([]), time: () => 0n };
  const executor = engines[engine](base);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  arm64.reset(record, 0);
  record.set(core.currentEl, 0n);
  record.set(core.spSel, 0n);
  record.set(core.daif, 0n);
  record.set(core.cpacr, FPEN);
  record.set(core.sctlr, SCTLR);
  record.set(core.vbar, BigInt(vectors));
  const bytes = new Uint8Array(memory.buffer);
  return { places, executor, bytes, record, fresh: bytes.slice(cpu, cpu + isaCells.end) };
}

/** FPSR's flags in the order of the cell that holds them, and back. */
const reversed = (flags: bigint): bigint => {
  let all = 0n;
  for (let bit = 0n; bit < 5n; bit++) all |= ((flags >> bit) & 1n) << (4n - bit);
  return all;
};

function setFpcr(record: VcpuRecord, fpcr: bigint): void {
  record.set(core.fpcr, fpcr);
  const rounding = [0n, 3n, 2n, 1n][Number((fpcr >> 22n) & 3n)]!;
  const rest =
    (((fpcr >> 25n) & 1n) << 3n) | (((fpcr >> 24n) & 1n) << 4n) | (((fpcr >> 26n) & 1n) << 5n);
  record.set(core.fpMode, rounding | rest);
}

function setState(machine: Machine, { before }: Arm64Block): void {
  const { record } = machine;
  const view = new DataView(before.buffer, before.byteOffset);
  const read = (offset: number): bigint => view.getBigUint64(offset, true);
  for (let i = 0; i < 31; i++) record.setRegister(X, i, read(at.x + 8 * i));
  record.setRegister(XSP, SP.index, read(at.sp));
  for (let i = 0; i < 32; i++) {
    record.setRegister(V, i, read(at.v + 16 * i) | (read(at.v + 16 * i + 8) << 64n));
  }
  const nzcv = read(at.nzcv);
  const flag = (bit: bigint): bigint => (nzcv >> bit) & 1n;
  const cells = [flag(31n) << 63n, 1n - flag(30n), flag(29n), flag(28n) << 63n];
  for (const [i, value] of cells.entries()) record.setRegister(NZCV, i, value);
  setFpcr(record, read(at.fpcr));
  record.set(core.fpsr, read(at.fpsr) & ~31n);
  record.set(core.fpFlags, reversed(read(at.fpsr) & 31n));
}

function getState(machine: Machine, after: Uint8Array): void {
  const { record } = machine;
  const view = new DataView(after.buffer, after.byteOffset);
  const write = (offset: number, value: bigint): void => view.setBigUint64(offset, value, true);
  for (let i = 0; i < 31; i++) write(at.x + 8 * i, record.getRegister(X, i));
  write(at.sp, record.getRegister(XSP, SP.index));
  for (let i = 0; i < 32; i++) {
    const value = record.getRegister(V, i);
    write(at.v + 16 * i, BigInt.asUintN(64, value));
    write(at.v + 16 * i + 8, value >> 64n);
  }
  const [n, z, c, v] = [0, 1, 2, 3].map((i) => record.getRegister(NZCV, i)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const bits =
    ((n >> 63n) << 31n) | ((z === 0n ? 1n : 0n) << 30n) | (c << 29n) | ((v >> 63n) << 28n);
  write(at.nzcv, bits);
  write(at.fpcr, record.get(core.fpcr));
  write(at.fpsr, record.get(core.fpsr) | reversed(record.get(core.fpFlags)));
}

function runBlock(machine: Machine, block: Arm64Block): Uint8Array {
  const { bytes, places, record, executor, fresh } = machine;
  const cpu = places.vcpus[0]!;
  const ram = new DataView(bytes.buffer, places.ram, ramBytes);
  const count = block.instructions.length;
  for (const [i, { word }] of block.instructions.entries()) ram.setUint32(4 * i, word, true);
  ram.setUint32(4 * count, stopWord, true);
  ram.setUint32(vectors + vectorOffset - codeAddress, stopWord, true);
  executor.wrote(places.ram, 4096);
  const window = places.ram + windowAddress - codeAddress;
  bytes.set(block.before.subarray(at.window), window);
  bytes.set(fresh, cpu);
  setState(machine, block);
  record.set(vcpu.pc, BigInt(codeAddress));
  let exit = executor.run(cpu, budget);
  while (exit === 'attention') exit = executor.run(cpu, budget);
  const after = new Uint8Array(recordBytes);
  getState(machine, after);
  after.set(bytes.subarray(window, window + windowBytes), at.window);
  const isEnd = record.get(vcpu.pc) === BigInt(codeAddress + 4 * count);
  new DataView(after.buffer).setBigUint64(at.signal, exit === 'debug' && isEnd ? 0n : 1n, true);
  return after;
}

/** Runs blocks one after another. The evaluator remembers every word that it has seen, so it is made anew. */
export function isola(engine: EngineName): (blocks: readonly Arm64Block[]) => Uint8Array[] {
  let machine: Machine | undefined;
  return (blocks) => {
    if (machine === undefined || engine === 'evaluator') machine = createMachine(engine);
    return blocks.map((block) => runBlock(machine!, block));
  };
}
