// A supervisor with paging on and nothing else: runs a few instructions on any executor, to time parts of it.
//
// Its RAM is mapped to itself with Sv39 pages of 4 KiB, or by one mapping of a gigabyte. Programs end with `wfi`.

import { encode, rowFinder } from '../../test/support/riscv64-instruction.ts';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import type { Executor } from '../../src/engine/executor.ts';
import { place } from '../../src/engine/places.ts';
import { enterSupervisor, riscv64 } from '../../src/isa/riscv64/isa.ts';
import { hart, X } from '../../src/isa/riscv64/state.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { vcpu as cells } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';

export const RAM = 0x8000_0000;
const RAM_BYTES = 128 * 1024 * 1024;
/** The root table, the second, and as many of the last level as there are stretches of 2 MiB. */
const TABLES = RAM + 0x20_0000;
/** Where programs may keep data, up to the end of RAM. */
export const DATA = RAM + 0x40_0000;
const MEBIBYTE = 1024 * 1024;
const SLICE = 1_000_000;
/** Runs until no more code is being translated. */
const MOST_WARM_RUNS = 100;
const VALID = 0x1n;
/** V, R, W, X, A, D. */
const LEAF = 0xcfn;

const find = rowFinder(riscv64.rows);

/** The word of an instruction, from the raw values of its fields: offsets of branches count halfwords. */
export const word = (name: string, fields: Readonly<Record<string, number>> = {}): number =>
  encode(find(name), fields);

/** What a run took. */
interface Timed {
  readonly seconds: number;
  readonly instructions: number;
}

export interface MicroMachine {
  readonly executor: Executor;
  readonly memory: WebAssembly.Memory;
  /** Host offset of the first byte of RAM. */
  readonly ramHost: number;
  /** Runs the program to its end. `registers`: integer registers by number. */
  run(registers: Readonly<Record<number, number>>): Timed;
  /** Runs until everything hot is translated. */
  warm(registers: Readonly<Record<number, number>>): void;
}

export interface MicroOptions {
  readonly engine: EngineName;
  /** Words by the offset in RAM where each stretch of them begins; it starts at offset 0. */
  readonly program: ReadonlyMap<number, readonly number[]>;
  readonly mapping: 'gigabyte' | 'pages';
}

/** Makes a machine with its program in memory. */
export function createMicroMachine({ engine, program, mapping }: MicroOptions): MicroMachine {
  const places = place(RAM_BYTES, 1);
  const { pages } = places;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const options = { isa: riscv64, memory, places, ramBase: RAM, bus: createBus([]) };
  const now = (): bigint => process.hrtime.bigint();
  const executor = engines[engine]({ ...options, time: () => 0n, now });
  const view = new DataView(memory.buffer, places.ram);
  for (const [start, words] of program) {
    for (const [at, bits] of words.entries()) view.setUint32(start + at * 4, bits, true);
  }
  writeTables(view, mapping);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  riscv64.reset(record, 0);
  const run = (registers: Readonly<Record<number, number>>): Timed => {
    enterSupervisor(record, { pc: BigInt(RAM), a0: 0n, a1: 0n });
    for (const [index, value] of Object.entries(registers)) {
      record.setRegister(X, Number(index), BigInt(value));
    }
    record.set(hart.satp, (8n << 60n) | BigInt(TABLES / 4096));
    record.set(cells.fetchTag, 0n);
    const before = record.get(cells.retired);
    const begun = performance.now();
    while (executor.run(cpu, SLICE) === 'budget');
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, instructions: Number(record.get(cells.retired) - before) };
  };
  return {
    executor,
    memory,
    ramHost: places.ram,
    run,
    warm(registers) {
      let same = 0;
      for (let times = 0, before = -1; times < MOST_WARM_RUNS && same < 3; times++) {
        run(registers);
        const regions = executor.counts['regions'] ?? 0;
        same = regions === before ? same + 1 : 0;
        before = regions;
      }
    },
  };
}

/** RAM is in the third gigabyte of addresses: entry 2 of the root. */
function writeTables(view: DataView, mapping: MicroOptions['mapping']): void {
  const write = (table: number, index: number, address: number, bits: bigint): void =>
    view.setBigUint64(table - RAM + 8 * index, (BigInt(address) >> 2n) | bits, true);
  if (mapping === 'gigabyte') return write(TABLES, 2, RAM, LEAF);
  const second = TABLES + 4096;
  write(TABLES, 2, second, VALID);
  for (let large = 0; large < RAM_BYTES / (2 * MEBIBYTE); large++) {
    const last = TABLES + 8192 + large * 4096;
    write(second, large, last, VALID);
    const first = RAM + large * 2 * MEBIBYTE;
    for (let page = 0; page < 512; page++) write(last, page, first + page * 4096, LEAF);
  }
}
