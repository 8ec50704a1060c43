// What generated code asks the host for: accesses across pages, devices, stores to pages with code.
// The contracts are those of HostFunctions in lower/runtime.ts.
//
// Invariant: an access that faults has no effect; of one across two pages both are translated before any byte moves.

import type { Bus, BusAccessSize } from '../memory/bus.ts';
import { access } from '../isa/shared/isa.ts';
import { vcpu } from '../isa/shared/vcpu.ts';
import type { Places } from './places.ts';

/** The guest architecture's own routines, as generated code exports them. */
export interface GuestCalls {
  translate(cpu: number, address: bigint, kind: number): bigint;
  accessFault(cpu: number, address: bigint, kind: number): void;
}

/** Knows which pages hold code and forgets what was made of it. */
export interface CodeTracker {
  hasCode(host: number): boolean;
  invalidate(host: number): void;
}

/** Memory and devices of the VM. */
export interface HostMemory {
  readonly memory: WebAssembly.Memory;
  readonly places: Places;
  readonly ramBase: number;
  readonly bus: Bus;
}

const NO_TRANSLATION = 0xffff_ffff_ffff_ffffn;

/** The functions that generated code imports. */
export function hostCalls(options: HostMemory, code: CodeTracker, guest: GuestCalls) {
  const { memory, bus } = options;
  const view = new DataView(memory.buffer);
  const physical = physicalBytes(options, view, code);
  const fault = (cpu: number, address: bigint, kind: number): 0 => {
    guest.accessFault(cpu, BigInt.asUintN(64, address), kind);
    return 0;
  };
  const scratch = (cpu: number, value: bigint): number => {
    view.setBigUint64(cpu + vcpu.scratch.offset, value, true);
    view.setBigUint64(cpu + vcpu.scratchHigh.offset, value >> 64n, true);
    return cpu + vcpu.scratch.offset;
  };
  /** All of a value to store, of which `low` is what fits 64 bits. */
  const whole = (cpu: number, low: bigint, size: number): bigint =>
    size <= 8
      ? low
      : BigInt.asUintN(64, low) | (view.getBigUint64(cpu + vcpu.scratchHigh.offset, true) << 64n);
  return {
    crossLoad(cpu: number, address: bigint, size: number, kind: number): number {
      const bytes = bytesOf(guest, cpu, address, size, kind);
      if (bytes === undefined) return 0;
      let value = 0n;
      for (const [i, at] of bytes.entries()) {
        if (!physical.answers(at)) return fault(cpu, address + BigInt(i), access.load);
        value |= BigInt(physical.load(at)) << BigInt(8 * i);
      }
      return scratch(cpu, value);
    },
    crossStore(cpu: number, address: bigint, size: number, low: bigint, kind: number): number {
      const value = whole(cpu, low, size);
      const bytes = bytesOf(guest, cpu, address, size, kind);
      if (bytes === undefined) return 0;
      const missing = bytes.findIndex((at) => !physical.answers(at));
      if (missing >= 0) return fault(cpu, address + BigInt(missing), access.store);
      for (const [i, at] of bytes.entries()) {
        physical.store(at, Number((value >> BigInt(8 * i)) & 0xffn));
      }
      return cpu + vcpu.scratch.offset;
    },
    deviceLoad(cpu: number, address: bigint, at: number, size: number): number {
      if (bus.find(at, size) === undefined) return fault(cpu, address, access.load);
      if (size <= 8) return scratch(cpu, bus.read(at, size as BusAccessSize));
      return scratch(cpu, bus.read(at, 8) | (bus.read(at + 8, 8) << 64n));
    },
    deviceStore(cpu: number, address: bigint, at: number, size: number, value: bigint): number {
      if (bus.find(at, size) === undefined) return fault(cpu, address, access.store);
      bus.write(at, Math.min(size, 8) as BusAccessSize, BigInt.asUintN(64, value));
      if (size > 8) bus.write(at + 8, 8, whole(cpu, value, size) >> 64n);
      return cpu + vcpu.scratch.offset;
    },
    codeWrite(_cpu: number, host: number): void {
      code.invalidate(host >>> 0);
    },
  };
}

/** Single bytes of guest-physical memory, in RAM or a device. */
function physicalBytes(options: HostMemory, view: DataView, code: CodeTracker) {
  const { places, ramBase, bus } = options;
  const hostOf = (address: number): number | undefined => {
    const distance = address - ramBase;
    return distance >= 0 && distance < places.ramBytes ? places.ram + distance : undefined;
  };
  return {
    answers: (address: number): boolean =>
      hostOf(address) !== undefined || bus.find(address, 1) !== undefined,
    load(address: number): number {
      const host = hostOf(address);
      return host === undefined ? Number(bus.read(address, 1)) : view.getUint8(host);
    },
    store(address: number, value: number): void {
      const host = hostOf(address);
      if (host === undefined) return bus.write(address, 1, BigInt(value));
      if (code.hasCode(host)) code.invalidate(host);
      view.setUint8(host, value);
    },
  };
}

/** Physical addresses of the bytes of an access that crosses a page; undefined for a pending exception. */
function bytesOf(
  guest: GuestCalls,
  cpu: number,
  address: bigint,
  size: number,
  kind: number,
): number[] | undefined {
  const head = 4096 - Number(address & 0xfffn);
  const first = BigInt.asUintN(64, guest.translate(cpu, address, kind));
  if (first === NO_TRANSLATION) return undefined;
  const second = BigInt.asUintN(64, guest.translate(cpu, address + BigInt(head), kind));
  if (second === NO_TRANSLATION) return undefined;
  return Array.from({ length: size }, (_, i) =>
    Number(i < head ? first + BigInt(i) : second + BigInt(i - head)),
  );
}
