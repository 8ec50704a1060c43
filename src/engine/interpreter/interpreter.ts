// The interpreter as an executor: runs vCPUs of one VM over decoded blocks.
//
// The compiled module belongs to the guest architecture and is shared by all VMs of a process; an instance belongs
// to a VM. What generated code cannot do itself it asks for here: find and decode a block, accesses across pages,
// devices, stores to pages with code.

import type { Bus, BusAccessSize } from '../../memory/bus.ts';
import { access, type Isa } from '../../isa/shared/isa.ts';
import { type Exit, exits, vcpu } from '../../isa/shared/vcpu.ts';
import type { Places } from '../places.ts';
import { helperImports } from '../helpers.ts';
import { Blocks } from './blocks.ts';
import { buildHandlers, type Handlers } from './handlers.ts';

/** Everything an executor needs of its VM. */
export interface ExecutorOptions {
  readonly isa: Isa;
  readonly memory: WebAssembly.Memory;
  readonly places: Places;
  /** Guest-physical address of the first byte of RAM. */
  readonly ramBase: number;
  readonly bus: Bus;
  /** The guest's time, in ticks of its timebase. */
  readonly time: () => bigint;
}

/** Runs vCPUs. `cpu` is a vCPU's host offset. */
export interface Executor {
  /** Runs until `budget` instructions are done or something needs attention. Takes pending interrupts first. */
  run(cpu: number, budget: number): Exit;
  /** Guest-physical memory was changed from outside; host offsets. */
  wrote(host: number, length: number): void;
  readonly counts: Readonly<Record<string, number>>;
}

interface Exports {
  run(cpu: number): number;
  fetch(cpu: number): number;
  interrupt(cpu: number): number;
  accessFault(cpu: number, address: bigint, kind: number): void;
  translate(cpu: number, address: bigint, kind: number): bigint;
  flushTlb(cpu: number): void;
}

interface Compiled {
  readonly handlers: Handlers;
  readonly module: WebAssembly.Module;
}

const compiled = new WeakMap<Isa, Compiled>();

/** Memory of any size up to 4 GiB fits the import. */
const anyMemory = { min: 1, max: 65536 };

function compile(isa: Isa): Compiled {
  const known = compiled.get(isa);
  if (known !== undefined) return known;
  const handlers = buildHandlers(isa, anyMemory);
  const made = { handlers, module: new WebAssembly.Module(handlers.bytes) };
  compiled.set(isa, made);
  return made;
}

/** Makes an interpreter for a VM whose vCPU records are zero or reset. */
export function createInterpreter(options: ExecutorOptions): Executor {
  const { isa, memory, places } = options;
  const { handlers, module } = compile(isa);
  const i32 = new Int32Array(memory.buffer);
  const fetcher = {
    fetch: (cpu: number): number => wasm.fetch(cpu) >>> 0,
    fetchFault: (cpu: number): void => wasm.accessFault(cpu, pcOf(memory, cpu), access.fetch),
  };
  const blocks = new Blocks(isa, handlers, memory, places, fetcher);
  const wasm = new WebAssembly.Instance(module, {
    env: {
      memory,
      find: (cpu: number) => blocks.find(cpu),
      ...hostCalls(options, blocks, () => wasm),
    },
    helpers: helperImports(isa, memory, options.time),
  }).exports as unknown as Exports;
  for (const cpu of places.vcpus) prepare(options, cpu, wasm);

  return {
    counts: blocks.counts,
    run(cpu, budget) {
      const at = (cell: { offset: number }): number => (cpu + cell.offset) >>> 2;
      if (blocks.isFull) blocks.reset();
      i32[at(vcpu.attention)] = 0;
      i32[at(vcpu.slice)] = budget;
      i32[at(vcpu.budget)] = budget;
      wasm.interrupt(cpu);
      const exit = exits[wasm.run(cpu)]!;
      account(memory, cpu);
      return exit;
    },
    wrote(host, length) {
      const first = host - (host % 4096);
      for (let page = first; page < host + length; page += 4096) {
        if (blocks.hasCode(page)) blocks.invalidate(page);
      }
    },
  };
}

const pcOf = (memory: WebAssembly.Memory, cpu: number): bigint =>
  new DataView(memory.buffer).getBigUint64(cpu + vcpu.pc.offset, true);

/** Moves the instructions of the slice that ended into the count of retired ones. */
function account(memory: WebAssembly.Memory, cpu: number): void {
  const view = new DataView(memory.buffer, cpu);
  const done = view.getInt32(vcpu.slice.offset, true) - view.getInt32(vcpu.budget.offset, true);
  const retired = view.getBigUint64(vcpu.retired.offset, true);
  view.setBigUint64(vcpu.retired.offset, BigInt.asUintN(64, retired + BigInt(done)), true);
  view.setInt32(vcpu.slice.offset, 0, true);
  view.setInt32(vcpu.budget.offset, 0, true);
}

/** Fills the engine's cells of a vCPU's record. */
function prepare(options: ExecutorOptions, cpu: number, wasm: Exports): void {
  const { memory, places, ramBase } = options;
  const view = new DataView(memory.buffer, cpu);
  view.setBigUint64(vcpu.ramBase.offset, BigInt(ramBase), true);
  view.setBigUint64(vcpu.ramSize.offset, BigInt(places.ramBytes), true);
  view.setUint32(vcpu.ramHost.offset, places.ram, true);
  view.setUint32(vcpu.pageFlags.offset, places.pageFlags, true);
  wasm.flushTlb(cpu);
}

/** What generated code asks the host for; see lower/runtime.ts for the contracts. */
function hostCalls(options: ExecutorOptions, blocks: Blocks, wasm: () => Exports) {
  const { memory, places, ramBase, bus } = options;
  const view = new DataView(memory.buffer);
  const fault = (cpu: number, address: bigint, kind: number): 0 => {
    wasm().accessFault(cpu, BigInt.asUintN(64, address), kind);
    return 0;
  };
  const scratch = (cpu: number, value: bigint): number => {
    view.setBigUint64(cpu + vcpu.scratch.offset, value, true);
    return cpu + vcpu.scratch.offset;
  };
  /** Physical address of one byte of an access, or undefined for a pending exception. */
  const physical = (cpu: number, address: bigint, kind: number): number | undefined => {
    const result = BigInt.asUintN(64, wasm().translate(cpu, address, kind));
    return result === 0xffff_ffff_ffff_ffffn ? undefined : Number(result);
  };
  const inRam = (address: number): boolean =>
    address >= ramBase && address < ramBase + places.ramBytes;
  const loadByte = (address: number): number | undefined => {
    if (inRam(address)) return view.getUint8(places.ram + address - ramBase);
    return bus.find(address, 1) === undefined ? undefined : Number(bus.read(address, 1));
  };
  const storeByte = (address: number, value: number): void => {
    if (!inRam(address)) return bus.write(address, 1, BigInt(value));
    const host = places.ram + address - ramBase;
    if (blocks.hasCode(host)) blocks.invalidate(host);
    view.setUint8(host, value);
  };
  /** Physical addresses of the bytes of an access that crosses a page; undefined for a pending exception. */
  const bytesOf = (
    cpu: number,
    address: bigint,
    size: number,
    kind: number,
  ): number[] | undefined => {
    const head = 4096 - Number(address & 0xfffn);
    const first = physical(cpu, address, kind);
    if (first === undefined) return undefined;
    const second = physical(cpu, address + BigInt(head), kind);
    if (second === undefined) return undefined;
    return Array.from({ length: size }, (_, i) => (i < head ? first + i : second + i - head));
  };
  return {
    crossLoad(cpu: number, address: bigint, size: number): number {
      const bytes = bytesOf(cpu, address, size, access.load);
      if (bytes === undefined) return 0;
      let value = 0n;
      for (const [i, at] of bytes.entries()) {
        const byte = loadByte(at);
        if (byte === undefined) return fault(cpu, address + BigInt(i), access.load);
        value |= BigInt(byte) << BigInt(8 * i);
      }
      return scratch(cpu, value);
    },
    crossStore(cpu: number, address: bigint, size: number, value: bigint): number {
      const bytes = bytesOf(cpu, address, size, access.store);
      if (bytes === undefined) return 0;
      const missing = bytes.findIndex((at) => !inRam(at) && bus.find(at, 1) === undefined);
      if (missing >= 0) return fault(cpu, address + BigInt(missing), access.store);
      for (const [i, at] of bytes.entries())
        storeByte(at, Number((value >> BigInt(8 * i)) & 0xffn));
      return 1;
    },
    deviceLoad(cpu: number, address: bigint, at: number, size: number): number {
      if (bus.find(at, size) === undefined) return fault(cpu, address, access.load);
      return scratch(cpu, bus.read(at, size as BusAccessSize));
    },
    deviceStore(cpu: number, address: bigint, at: number, size: number, value: bigint): number {
      if (bus.find(at, size) === undefined) return fault(cpu, address, access.store);
      bus.write(at, size as BusAccessSize, BigInt.asUintN(64, value));
      return 1;
    },
    codeWrite(_cpu: number, host: number): void {
      blocks.invalidate(host >>> 0);
    },
  };
}
