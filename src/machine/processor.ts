// What a VM must know of a guest architecture beyond its instructions: how it starts, where interrupts enter, when its
// timer fires, and what answers calls to firmware. One value for each architecture; boards carry it.

import type { InterruptLine } from '../device/device.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Isa } from '../isa/shared/isa.ts';
import type { VcpuRecord } from '../isa/shared/record.ts';

/** How a vCPU begins, as the boot protocol wants it. Addresses are guest-physical. */
export type Start =
  | { readonly protocol: 'sbi-linux'; readonly entry: number; readonly deviceTree: number }
  | { readonly protocol: 'linux'; readonly entry: number; readonly deviceTree: number }
  | { readonly protocol: 'bare-elf'; readonly entry: number };

/** Why the whole machine ends. */
export type Ending =
  | { readonly kind: 'poweroff'; readonly code: number }
  | { readonly kind: 'reboot' };

/** What firmware may do to the machine. */
export interface FirmwareHost {
  readonly memory: GuestMemory;
  readonly vcpus: readonly VcpuRecord[];
  /** Forgets the cached translations of a vCPU. */
  flushTlb(vcpu: number): void;
  consoleWrite(bytes: Uint8Array): void;
}

/** What became of the calling vCPU. `wait`: it sleeps until an interrupt. */
export type FirmwareOutcome =
  | { readonly kind: 'continue' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'end'; readonly ending: Ending };

export interface Processor {
  readonly isa: Isa;
  /** Puts a vCPU into the state in which the boot protocol starts it. */
  start(vcpu: VcpuRecord, number: number, start: Start): void;
  /** Sets the level of an interrupt input, in the architecture's numbering. */
  setInput(vcpu: VcpuRecord, input: number, level: boolean): void;
  /**
   * Brings the timer's interrupt up to date at `now`; the next time it can fire, if it is armed. Both in ticks. A timer
   * outside the processor proper drives one of the interrupt controller's inputs that belong to the vCPU.
   */
  updateTimer(
    vcpu: VcpuRecord,
    now: bigint,
    ownInput?: (number: number) => InterruptLine | undefined,
  ): bigint | undefined;
  /** Whether a waiting vCPU must go on. */
  wakes(vcpu: VcpuRecord): boolean;
  /** Serves the call that made the vCPU leave with exit `firmware`. */
  firmware(host: FirmwareHost, vcpu: number): FirmwareOutcome;
  /** For traces: the call that a vCPU is about to make, and what it got for it. */
  describeFirmwareCall(vcpu: VcpuRecord): string;
  describeFirmwareResult(vcpu: VcpuRecord): string;
}
