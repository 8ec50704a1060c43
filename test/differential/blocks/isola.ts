// Our executors as executors of blocks: one hart in user mode, the code and the window in its RAM.
//
// Behind each block, and where exceptions lead, stands a word that leaves the executor.

import { type EngineName, engines } from '../../../src/engine/engines.ts';
import type { Executor } from '../../../src/engine/executor.ts';
import { type Places, place } from '../../../src/engine/places.ts';
import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { F, hart, X } from '../../../src/isa/riscv64/state.ts';
import { causes } from '../../../src/isa/riscv64/trap.ts';
import type { Isa } from '../../../src/isa/shared/isa.ts';
import { VcpuRecord } from '../../../src/isa/shared/record.ts';
import { format, instructions, type Row } from '../../../src/isa/shared/row.ts';
import { exitCode, isaCells, vcpu } from '../../../src/isa/shared/vcpu.ts';
import { createBus } from '../../../src/memory/bus.ts';
import {
  base,
  type BlockExecutor,
  codeOf,
  comparableAddress,
  lengthOf,
  placeOf,
  placesEnd,
  type RandomBlock,
  record,
  signals,
  windowBytes,
  windowStart,
} from './block.ts';
import { keeperValue } from './qemu.ts';

const ramBytes = Math.ceil((placesEnd - base) / 65536) * 65536;
const trapVector = base + 0xf000;
const stopWord = 0xffff_ffff;
const FS_DIRTY = 0x6000n;
/** TLB tags of user mode without translation. */
const userTag = 8n;
const budget = 1000;

const [stop] = instructions('test', {
  stop: format({})('1'.repeat(32), 'stop', (s) => s.exit(exitCode('debug'), s.pc())),
}) as [Row];

/** The architecture with an instruction that leaves. */
const isa: Isa = {
  ...riscv64,
  rows: [...riscv64.rows, stop],
  decode: (word) => (word === stopWord ? stop : riscv64.decode(word)),
};

/** Signals for exceptions. */
const signalOf = new Map<number, number>([
  [causes.illegalInstruction, signals.SIGILL],
  [causes.breakpoint, signals.SIGTRAP],
  [causes.loadAddressMisaligned, signals.SIGBUS],
  [causes.storeAddressMisaligned, signals.SIGBUS],
  [causes.loadAccessFault, signals.SIGSEGV],
  [causes.storeAccessFault, signals.SIGSEGV],
]);

interface Machine {
  readonly places: Places;
  readonly executor: Executor;
  readonly bytes: Uint8Array;
  readonly vcpuRecord: VcpuRecord;
  /** The cells of a hart in user mode. */
  readonly fresh: Uint8Array;
}

function createMachine(engine: EngineName): Machine {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages, shared: true };
  const memory = new WebAssembly.Memory(limits);
  const options = { isa, memory, places, ramBase: base, bus: createBus([]), time: () => 0n };
  const executor = engines[engine](options);
  const cpu = places.vcpus[0]!;
  const vcpuRecord = new VcpuRecord(memory.buffer, cpu);
  riscv64.reset(vcpuRecord, 0);
  vcpuRecord.set(hart.mode, 0n);
  vcpuRecord.set(hart.mstatus, FS_DIRTY);
  vcpuRecord.set(hart.mtvec, BigInt(trapVector));
  vcpuRecord.set(vcpu.dataTag, userTag);
  vcpuRecord.set(vcpu.fetchTag, userTag);
  const bytes = new Uint8Array(memory.buffer);
  return { places, executor, bytes, vcpuRecord, fresh: bytes.slice(cpu, cpu + isaCells.end) };
}

/** Puts the code of blocks into RAM. */
function load({ bytes, places, executor }: Machine, blocks: readonly RandomBlock[]): void {
  const ram = new DataView(bytes.buffer, places.ram, ramBytes);
  bytes.fill(0, places.ram, places.ram + ramBytes);
  ram.setUint32(trapVector - base, stopWord, true);
  for (const block of blocks) {
    const at = placeOf(block.index) - base;
    bytes.set(codeOf(block), places.ram + at);
    ram.setUint32(at + lengthOf(block), stopWord, true);
  }
  executor.wrote(places.ram, ramBytes);
}

/** Runs a block, the `position`-th that was given; gives the record after. */
function runBlock(machine: Machine, block: RandomBlock, position: number): Uint8Array {
  const { bytes, places, vcpuRecord, executor } = machine;
  const cpu = places.vcpus[0]!;
  const start = placeOf(block.index);
  const window = places.ram + windowStart - base;
  const before = new DataView(block.before.buffer);
  bytes.set(machine.fresh, cpu);
  bytes.set(block.before.subarray(8, 256), cpu + X.offset + 8);
  bytes.set(block.before.subarray(record.f, record.f + 256), cpu + F.offset);
  bytes.set(block.before.subarray(record.window), window);
  vcpuRecord.setRegister(X, block.keeper, BigInt(keeperValue(position)));
  const fcsr = before.getBigUint64(0, true);
  vcpuRecord.set(hart.fflags, fcsr & 31n);
  vcpuRecord.set(hart.frm, fcsr >> 5n);
  vcpuRecord.set(vcpu.pc, BigInt(start));
  let exit = executor.run(cpu, budget);
  while (exit === 'attention') exit = executor.run(cpu, budget);

  const after = new Uint8Array(record.bytes);
  const view = new DataView(after.buffer);
  after.set(bytes.subarray(cpu + X.offset + 8, cpu + X.offset + 256), 8);
  after.set(bytes.subarray(cpu + F.offset, cpu + F.offset + 256), record.f);
  after.set(bytes.subarray(window, window + windowBytes), record.window);
  view.setBigUint64(0, vcpuRecord.get(hart.fflags) | (vcpuRecord.get(hart.frm) << 5n), true);
  const end = BigInt(start + lengthOf(block));
  const pc = vcpuRecord.get(vcpu.pc);
  if (exit === 'debug' && pc === end) return after;
  writeTrap(view, vcpuRecord, exit === 'debug' && pc === BigInt(trapVector));
  return after;
}

/** The exception that ended a block as the signal that it would be; −1 for an end that should not have been. */
function writeTrap(view: DataView, vcpuRecord: VcpuRecord, trapped: boolean): void {
  const cause = Number(vcpuRecord.get(hart.mcause));
  const signal = trapped ? (signalOf.get(cause) ?? -1) : -1;
  const address = vcpuRecord.get(hart.mtval);
  view.setBigInt64(record.signal, BigInt(signal), true);
  view.setBigUint64(record.pc, vcpuRecord.get(trapped ? hart.mepc : vcpu.pc), true);
  if (signal === signals.SIGSEGV && address < comparableAddress) {
    view.setBigUint64(record.address, address, true);
  }
}

/** Makes an executor of blocks. The evaluator remembers every word that it has seen, so it is made anew. */
export function isola(engine: EngineName): BlockExecutor {
  let machine: Machine | undefined;
  return {
    name: engine,
    run(blocks) {
      if (machine === undefined || engine === 'evaluator') machine = createMachine(engine);
      const made = machine;
      load(made, blocks);
      return Promise.resolve(blocks.map((block, i) => runBlock(made, block, i)));
    },
  };
}
