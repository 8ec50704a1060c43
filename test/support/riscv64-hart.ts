// A riscv64 hart with RAM and no devices, on any executor: for tests of the privileged architecture.
//
// Code begins by way of mret, so that mode and tags are entered as a guest enters them. All RAM that a test does not
// write is a word that stops the run, so a trap stops at its handler, and pc tells which.

import type { Executor, ExecutorOptions } from '../../src/engine/executor.ts';
import { place } from '../../src/engine/places.ts';
import { createEvaluator } from '../../src/engine/evaluator/evaluator.ts';
import { createInterpreter } from '../../src/engine/interpreter/interpreter.ts';
import { createJit } from '../../src/engine/jit/hybrid.ts';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { hart, X } from '../../src/isa/riscv64/state.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { format, instructions, type Row } from '../../src/isa/shared/row.ts';
import { exitCode } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';
import { assert } from '../../src/std/assert.ts';
import { encode, rowFinder } from './riscv64-instruction.ts';

export const executors: Readonly<Record<string, (options: ExecutorOptions) => Executor>> = {
  evaluator: createEvaluator,
  interpreter: createInterpreter,
  jit: createJit,
};

export const ramBase = 0x8000_0000n;
const ramBytes = 0x10_0000;
/** Where code, the machine's and the supervisor's handlers and what is free for data lie. */
export const codeAt = ramBase + 0x1000n;
export const machineHandler = ramBase + 0x2000n;
export const supervisorHandler = ramBase + 0x3000n;
export const dataAt = ramBase + 0x4000n;
const tablesAt = ramBase + 0x8_0000n;

const prologueAt = ramBase;
const stopWord = 0xffff_ffff;
const budget = 100;

export const mode = { user: 0n, supervisor: 1n, machine: 3n } as const;
export const SV39 = 8n << 60n;
export const SV48 = 9n << 60n;
/** Bits of a page-table entry. */
export const pte = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
export const INTERRUPT = 1n << 63n;

const findRow = rowFinder(riscv64.rows);

/** The word of an instruction by its row's name and its fields' values. */
export const word = (
  name: string,
  fields: Readonly<Record<string, bigint | number>> = {},
): number => encode(findRow(name), fields);

type Cells = Readonly<Record<string, bigint>>;

const [stop] = instructions('tests', {
  stop: format({})('1'.repeat(32), 'stop', (s) => s.exit(exitCode('debug'), s.pc())),
}) as [Row];

const isa = {
  ...riscv64,
  rows: [...riscv64.rows, stop],
  decode: (bits: number) => (bits === stopWord ? stop : riscv64.decode(bits)),
};

export type Hart = ReturnType<typeof createHart>;

/** A hart after reset. Names of cells and registers (`x5`, `mepc`, `pc`) are the architecture's. */
export function createHart(create: (options: ExecutorOptions) => Executor) {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const ram = new DataView(memory.buffer, places.ram, ramBytes);
  const cpu = places.vcpus[0]!;
  let time = 0n;
  const options = { isa, memory, places, ramBase: Number(ramBase), bus: createBus([]) };
  const executor = create({ ...options, time: () => time });
  const record = new VcpuRecord(memory.buffer, cpu);
  isa.reset(record, 0);
  record.set(hart.mtvec, machineHandler);
  record.set(hart.stvec, supervisorHandler);
  new Uint8Array(memory.buffer, places.ram, ramBytes).fill(0xff);

  const get = (name: string): bigint => {
    const register = /^x(\d+)$/.exec(name);
    if (register) return record.getRegister(X, Number(register[1]));
    const field = isa.cells[name];
    assert(field !== undefined, `there is no cell ${name}`);
    return record.get(field);
  };
  const set = (cells: Cells): void => {
    for (const [name, value] of Object.entries(cells)) {
      const register = /^x(\d+)$/.exec(name);
      const field = isa.cells[name];
      assert(register !== null || field !== undefined, `there is no cell ${name}`);
      if (register) record.setRegister(X, Number(register[1]), BigInt.asUintN(64, value));
      else record.set(field!, BigInt.asUintN(64, value));
    }
  };
  const write = (address: bigint, value: bigint): void => {
    ram.setBigUint64(Number(address - ramBase), BigInt.asUintN(64, value), true);
    executor.wrote(places.ram + Number(address - ramBase), 8);
  };
  const read = (address: bigint): bigint => ram.getBigUint64(Number(address - ramBase), true);
  const place32 = (address: bigint, words: readonly number[]): void => {
    const at = Number(address - ramBase);
    for (const [i, bits] of [...words, stopWord].entries()) ram.setUint32(at + 4 * i, bits, true);
    executor.wrote(places.ram + at, 4 * words.length + 4);
  };
  /** Goes on from pc until something stops it, which is also the answer. */
  const go = (): string => {
    let exit = executor.run(cpu, budget);
    for (let i = 0; i < budget && exit === 'attention'; i++) exit = executor.run(cpu, budget);
    return exit;
  };
  return {
    get,
    set,
    read,
    write,
    go,
    setTime: (ticks: bigint): void => void (time = ticks),
    /** The values of cells, by name. */
    look: (...names: readonly string[]): Cells =>
      Object.fromEntries(names.map((name) => [name, get(name)])),
    /** Runs code at codeAt in a mode. Cells are set before; of mstatus, mret still takes MIE from MPIE. */
    run(start: bigint, code: readonly number[], cells: Cells = {}): string {
      place32(codeAt, code);
      place32(prologueAt, [word('mret')]);
      set({ mode: mode.machine, mepc: codeAt, pc: prologueAt, ...cells });
      set({ mstatus: (get('mstatus') & ~0x1800n) | (start << 11n) });
      // As if by updateContext: machine mode is not translated.
      set({ dataTag: 0n, fetchTag: 0n });
      return go();
    },
  };
}

/** Page tables in the RAM of a hart. `levels`: 3 for Sv39, 4 for Sv48. */
export function createTables(target: Pick<Hart, 'read' | 'write'>, levels: 3 | 4) {
  let next = tablesAt;
  const table = (): bigint => {
    const at = next;
    next += 0x1000n;
    for (let i = 0n; i < 512n; i++) target.write(at + 8n * i, 0n);
    return at;
  };
  const root = table();
  /** Where the entry for an address lies; level 0 is a 4 KiB page. */
  const entryAt = (address: bigint, level: number): bigint => {
    let at = root;
    for (let l = levels - 1; ; l--) {
      const slot = at + 8n * ((address >> BigInt(12 + 9 * l)) & 511n);
      if (l === level) return slot;
      if ((target.read(slot) & pte.V) === 0n) target.write(slot, ((table() >> 12n) << 10n) | pte.V);
      at = ((target.read(slot) >> 10n) & ((1n << 44n) - 1n)) << 12n;
    }
  };
  return {
    root,
    satp: (asid = 0n): bigint => (levels === 3 ? SV39 : SV48) | (asid << 44n) | (root >> 12n),
    entryAt,
    /** Maps a page of a level; `bits` are the entry's flags, those above the page number included. */
    map(address: bigint, physical: bigint, bits: bigint, level = 0): void {
      target.write(entryAt(address, level), ((physical >> 12n) << 10n) | bits);
    },
  };
}

export type Tables = ReturnType<typeof createTables>;
