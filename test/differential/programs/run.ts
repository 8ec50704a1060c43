// Runs random programs on an executor, on a bare hart under Sv39, and says in which state they end.

import { createHash } from 'node:crypto';
import type { ExecutorOptions, Executor } from '../../../src/engine/executor.ts';
import { place } from '../../../src/engine/places.ts';
import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { F, hart, X } from '../../../src/isa/riscv64/state.ts';
import { VcpuRecord } from '../../../src/isa/shared/record.ts';
import { format, instructions, type Row } from '../../../src/isa/shared/row.ts';
import { exitCode, vcpu } from '../../../src/isa/shared/vcpu.ts';
import { createBus } from '../../../src/memory/bus.ts';
import type { Random } from '../../../src/std/random.ts';
import { codeA, codeB, codePages, dataAt, handlerBytes, interruptLength } from './generate.ts';

const ramBase = 0x8000_0000;
const ramBytes = 0x8_0000;
/** Offsets in RAM. */
const handlerAt = 0x1000;
const tablesAt = 0x2000;
const codeAt = 0x8000;
const dataRam = 0x1_0000;
const countAt = 0x1_8000;
const logAt = 0x2_0000;
/** A page of data for each pointer and its neighbours: to write, to write, to read only. */
const dataPages = 3;

/** Blocks and exceptions of a program. */
export const fuel = 4000;
/** Instructions after which a program that does not stop is given up. */
const patience = 2_000_000;

const [stop] = instructions('tests', {
  stop: format({})('1'.repeat(32), 'stop', (s) => s.exit(exitCode('debug'), s.pc())),
}) as [Row];
const isa = {
  ...riscv64,
  rows: [...riscv64.rows, stop],
  decode: (bits: number) => (bits === 0xffff_ffff ? stop : riscv64.decode(bits)),
};

const MRET = 0x3020_0073;
const V = 1;
const R = 2;
const W = 4;
const E = 8;
const AD = 0xc0;

/** Cells that reset leaves to the VM. */
const counters = new Set(['retired', 'slice', 'budget', 'attention']);

export type Outcome = Readonly<Record<string, string>>;

export interface Runner {
  /** Runs a program; `interrupts` are raised between short slices if given. */
  run(program: Uint8Array, seed: Random, interrupts?: Random): Outcome;
  readonly counts: () => Readonly<Record<string, number>>;
}

/** A hart for one program after another. */
export function createRunner(create: (options: ExecutorOptions) => Executor): Runner {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const bytes = new Uint8Array(memory.buffer, places.ram, ramBytes);
  const view = new DataView(memory.buffer, places.ram, ramBytes);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  const options = { isa, memory, places, ramBase, bus: createBus([]), time: () => 0n };
  const executor = create(options);

  const reset = (program: Uint8Array, random: Random): void => {
    bytes.fill(0);
    view.setUint32(0, MRET, true);
    bytes.set(handlerBytes(), handlerAt);
    bytes.set(program, codeAt);
    writeTables(view);
    for (let at = dataRam; at < dataRam + 4096 * dataPages; at += 4) {
      view.setUint32(at, random.next32(), true);
    }
    executor.wrote(places.ram, ramBytes);
    isa.reset(record, 0);
    for (const field of Object.values(vcpu)) if (counters.has(field.name)) record.set(field, 0n);
    setRegisters(record, random);
  };
  return {
    counts: () => executor.counts ?? {},
    run(program, random, interrupts) {
      reset(program, random);
      const raised = runToStop(executor, record, cpu, interrupts);
      const handled = view.getBigUint64(countAt - 8, true);
      // One may come too late.
      if (handled > raised) throw new Error(`${handled} interrupts handled, ${raised} raised`);
      return outcome(record, bytes, handled);
    },
  };
}

/** Runs until the word that stops; gives how many interrupts were raised. */
function runToStop(executor: Executor, record: VcpuRecord, cpu: number, interrupts?: Random) {
  let raised = 0n;
  for (let left = patience; left > 0;) {
    const slice = interrupts === undefined ? 2_000 : 1 + interrupts.below(200);
    left -= slice;
    const exit = executor.run(cpu, slice);
    if (exit === 'debug') return raised;
    if (exit !== 'budget' && exit !== 'attention') throw new Error(`a program left by ${exit}`);
    if (interrupts === undefined || (record.get(hart.mip) & 2n) !== 0n) continue;
    raised++;
    record.set(hart.mip, record.get(hart.mip) | 2n);
    record.set(vcpu.attention, 1n);
  }
  throw new Error('a program does not end');
}

/** Three levels of Sv39: the code twice, and data. */
function writeTables(view: DataView): void {
  const entry = (physical: number, bits: number): bigint =>
    (BigInt((ramBase + physical) / 4096) << 10n) | BigInt(bits);
  const [root, middle] = [tablesAt, tablesAt + 4096];
  view.setBigUint64(root, entry(middle, V), true);
  const map = (address: number, physical: number, bits: number): void => {
    const leaf = tablesAt + 0x2000 + 4096 * ((address >>> 21) - 2);
    view.setBigUint64(middle + 8 * (address >>> 21), entry(leaf, V), true);
    view.setBigUint64(leaf + 8 * ((address >>> 12) & 511), entry(physical, bits), true);
  };
  for (let page = 0; page < codePages; page++) {
    for (const code of [codeA, codeB]) {
      map(code + 4096 * page, codeAt + 4096 * page, V | R | W | E | AD);
    }
  }
  for (let page = 0; page < dataPages; page++) {
    const bits = page === dataPages - 1 ? V | R | AD : V | R | W | AD;
    map(dataAt + 4096 * page, dataRam + 4096 * page, bits);
  }
}

function setRegisters(record: VcpuRecord, random: Random): void {
  const x = (index: number, value: number): void =>
    record.setRegister(X, index, BigInt.asUintN(64, BigInt(value)));
  for (let i = 6; i < 20; i++) record.setRegister(X, i, random.bigint64());
  for (let i = 0; i < 32; i++) record.setRegister(F, i, random.bigint64());
  x(1, codeA);
  x(2, 0);
  x(3, ramBase + countAt);
  x(27, ramBase + logAt);
  x(31, fuel);
  x(25, codeA);
  x(24, codeB);
  x(30, dataAt + 2048);
  x(23, dataAt + 8192 - 64);
  x(22, dataAt + 12288 - 64);
  record.set(hart.mtvec, BigInt(ramBase + handlerAt));
  record.set(hart.mcounteren, 7n);
  record.set(hart.mie, 2n);
  record.set(hart.satp, (8n << 60n) | BigInt((ramBase + tablesAt) / 4096));
  record.set(hart.mepc, BigInt(codeA));
  // To supervisor mode, FS dirty.
  record.set(hart.mstatus, record.get(hart.mstatus) | 0x6800n);
  record.set(vcpu.pc, BigInt(ramBase));
}

/** Everything that a program can have changed. */
function outcome(record: VcpuRecord, bytes: Uint8Array, interrupts: bigint): Outcome {
  const registers = (file: typeof X, from: number) =>
    Array.from({ length: 32 - from }, (_, i): [string, string] => [
      `${file.name}${i + from}`,
      record.getRegister(file, i + from).toString(16),
    ]);
  const done = record.get(vcpu.retired) - interrupts * BigInt(interruptLength);
  const hash = (from: number, to: number): string =>
    createHash('sha256').update(bytes.slice(from, to)).digest('hex').slice(0, 16);
  return Object.fromEntries([
    ...registers(X, 1).filter(([name]) => name !== 'x28'),
    ...registers(F, 0),
    ['fcsr', `${record.get(hart.fflags)} ${record.get(hart.frm)}`],
    ['pc', record.get(vcpu.pc).toString(16)],
    ['retired', String(done)],
    ['code', hash(codeAt, codeAt + 4096 * codePages)],
    ['data', hash(dataRam, dataRam + 4096 * dataPages)],
    ['log', hash(logAt, ramBytes)],
  ]);
}
