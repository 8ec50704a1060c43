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
import type { Program } from './generate.ts';
import {
  interruptLength,
  machineHandler,
  routineBytes,
  routines,
  supervisorHandler,
} from './handlers.ts';
import {
  asidOf,
  cells,
  cellsAt,
  codeA,
  codeAt,
  codeB,
  codePages,
  codeUser,
  dataAt,
  dataPages,
  dataRam,
  handlerAt,
  logAt,
  ramBase,
  ramBytes,
  routinesAt,
  satp,
  sharedAsid,
  spaces,
  supervisorHandlerAt,
  variantAt,
  variants,
} from './layout.ts';

/** Blocks, turns of loops and exceptions of a program, unless less is wanted. */
const FUEL = 2000;
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
/** No value of satp. */
const NO_SPACE = (1n << 64n) - 1n;

/** Cells that reset leaves to the VM. */
const counters = new Set(['retired', 'slice', 'budget', 'attention']);

export type Outcome = Readonly<Record<string, string>>;

export interface Runner {
  /** Runs a program; `interrupts` are raised between short slices if given. */
  run(program: Program, seed: Random, interrupts?: Random): Outcome;
  readonly counts: () => Readonly<Record<string, number>>;
}

interface RunnerOptions {
  /** What programs may use. */
  readonly fuel?: number;
  /** Whether the hart is to forget after every instruction what page walks have kept. */
  readonly forgetsWalks?: boolean;
}

/** A hart for one program after another. */
export function createRunner(
  create: (options: ExecutorOptions) => Executor,
  { fuel = FUEL, forgetsWalks = false }: RunnerOptions = {},
): Runner {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const bytes = new Uint8Array(memory.buffer, places.ram, ramBytes);
  const view = new DataView(memory.buffer, places.ram, ramBytes);
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  const options = { isa, memory, places, ramBase, bus: createBus([]), time: () => 0n };
  const executor = create(options);

  const reset = (program: Program, random: Random): void => {
    bytes.fill(0);
    view.setUint32(0, MRET, true);
    load(program, bytes, view);
    for (let at = dataRam; at < dataRam + 4096 * dataPages; at += 4) {
      view.setUint32(at, random.next32(), true);
    }
    executor.wrote(places.ram, ramBytes);
    executor.flushTlb(cpu);
    isa.reset(record, 0);
    for (const field of Object.values(vcpu)) if (counters.has(field.name)) record.set(field, 0n);
    setRegisters(record, program, random);
    record.setRegister(X, 31, BigInt(fuel));
  };
  return {
    counts: () => executor.counts ?? {},
    run(program, random, interrupts) {
      reset(program, random);
      const raised = runToStop(executor, record, cpu, interrupts, forgetsWalks);
      const handled = view.getBigUint64(cellsAt + cells.interrupts, true);
      // One may come too late.
      if (handled > raised) throw new Error(`${handled} interrupts handled, ${raised} raised`);
      return outcome(record, bytes, handled);
    },
  };
}

/** Runs until the word that stops; gives how many interrupts were raised. */
function runToStop(
  executor: Executor,
  record: VcpuRecord,
  cpu: number,
  interrupts: Random | undefined,
  forgetsWalks: boolean,
) {
  let raised = 0n;
  for (let left = patience; left > 0;) {
    const length = interrupts === undefined ? 2_000 : 1 + interrupts.below(200);
    const slice = forgetsWalks ? 1 : length;
    left -= slice;
    if (forgetsWalks) record.set(hart.walkSatp, NO_SPACE);
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

/** A program, its handlers and its tables. */
function load(program: Program, bytes: Uint8Array, view: DataView): void {
  bytes.set(machineHandler, handlerAt);
  bytes.set(supervisorHandler, supervisorHandlerAt);
  for (const [i, routine] of routines.entries()) bytes.set(routine, routinesAt + routineBytes * i);
  bytes.set(program.code, codeAt);
  for (const [i, page] of program.variants.entries()) bytes.set(page, variantAt + 4096 * i);
  for (const [at, value] of program.tables) view.setBigUint64(at, BigInt(value), true);
  for (let space = 0; space < spaces; space++) {
    const at = cellsAt + cells.satp + 16 * space;
    view.setBigUint64(at, satp(space, asidOf(space)), true);
    view.setBigUint64(at + 8, satp(space, sharedAsid), true);
  }
}

function setRegisters(record: VcpuRecord, program: Program, random: Random): void {
  const x = (index: number, value: number): void =>
    record.setRegister(X, index, BigInt.asUintN(64, BigInt(value)));
  for (let i = 5; i < 20; i++) record.setRegister(X, i, random.bigint64());
  for (let i = 0; i < 32; i++) record.setRegister(F, i, random.bigint64());
  x(1, codeA);
  x(2, 0);
  x(3, ramBase + cellsAt);
  x(4, codeUser);
  x(5, codeA);
  x(27, ramBase + logAt);
  x(25, codeA);
  x(24, codeB);
  x(30, dataAt + 2048);
  x(23, dataAt + 8192 - 64);
  x(22, dataAt + 12288 - 64);
  record.set(hart.mtvec, BigInt(ramBase + handlerAt));
  record.set(hart.mcounteren, 7n);
  record.set(hart.mie, 2n);
  record.set(hart.stvec, BigInt(ramBase + supervisorHandlerAt));
  record.set(hart.scounteren, 7n);
  record.set(hart.medeleg, program.medeleg);
  record.set(hart.satp, satp(0, asidOf(0)));
  record.set(hart.mepc, BigInt(codeA));
  // To supervisor mode, FS dirty.
  record.set(hart.mstatus, record.get(hart.mstatus) | 0x6800n | program.status);
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
    ['variants', hash(variantAt, variantAt + 4096 * variants)],
    ['tables', hash(0x2000, codeAt)],
    ['modes', `${record.get(hart.satp)} ${record.get(hart.mstatus)} ${record.get(hart.sepc)}`],
    ['data', hash(dataRam, dataRam + 4096 * dataPages)],
    ['log', hash(logAt, ramBytes)],
  ]);
}
