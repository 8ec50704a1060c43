// What the riscv64 boards share: addresses, interrupt numbers and devices. They differ in how they
// start and in which privilege modes the interrupt controller serves.
//
// The addresses are those of QEMU's `virt` board wherever it has the device, so that what people
// know of it (and bare-metal programs written for it) holds here; QEMU's PCI host, flash and fw-cfg
// do not exist.

import { goldfishRtc } from '../device/goldfish-rtc.ts';
import { ns16550 } from '../device/ns16550.ts';
import { plic } from '../device/plic.ts';
import type { SerialBackend } from '../device/serial.ts';
import { sysconPower } from '../device/syscon-power.ts';
import type { PowerRequest } from '../device/syscon-power.ts';
import type { Device } from '../device/device.ts';
import { at, MachineError, series } from './machine.ts';
import type { BootProtocol, Design } from './machine.ts';
import { extensions, mmu } from '../isa/riscv64/isa.ts';
import { hartInput, hartsNode } from './riscv64-harts.ts';
import { riscv64Processor } from './riscv64-processor.ts';

export interface Riscv64Options {
  /** 1 to 512. */
  readonly harts: number;
  /** A multiple of 4096. */
  readonly ramBytes: number;
  /** The other end of the serial line. */
  readonly console: SerialBackend;
  /** Called when the guest asks its power device to end or restart the machine. */
  readonly power: (wish: PowerRequest) => void;
  /** Devices for the virtio slots from the first on, at most 8. */
  readonly virtio?: readonly Device[];
}

/** What the guest is told of its harts. */
const isa = { name: 'riscv64', extensions, mmu } as const;

const RAM_BASE = 0x8000_0000;
const TIMEBASE_HZ = 10_000_000;
const VIRTIO_SLOTS = 8;
/** Sources of the interrupt controller: one word of its registers. */
const SOURCES = 31;
/**
 * The registers of the interrupt controller have room for 1024 contexts, and a hart may need two.
 */
const HARTS_MAX = 512;

/**
 * The design of a board whose interrupt controller serves, hart by hart, the interrupts of
 * `inputs`.
 */
export function riscv64Design(
  options: Riscv64Options,
  boot: BootProtocol,
  inputs: readonly number[],
): Design {
  const { harts, ramBytes, virtio = [] } = options;
  if (!Number.isInteger(harts) || harts < 1 || harts > HARTS_MAX) {
    throw new MachineError(`the machine has 1 to ${HARTS_MAX} CPUs, and ${harts} are asked for`);
  }
  if (virtio.length > VIRTIO_SLOTS) {
    throw new MachineError(
      `the machine has ${VIRTIO_SLOTS} slots for virtio devices, and ${virtio.length} are ` +
        'asked for; give it fewer disks or other devices',
    );
  }
  const outputs = Array.from({ length: harts }, (_, hart) =>
    inputs.map((input) => hartInput(hart, input)),
  ).flat();
  // oxfmt-ignore
  return {
    boot,
    processor: riscv64Processor,
    cpus: harts,
    timebaseHz: TIMEBASE_HZ,
    ram: { address: RAM_BASE, size: ramBytes },
    cpuNode: hartsNode(isa, harts, TIMEBASE_HZ),
    controller: {
      ...at(0x0c00_0000, 0x60_0000, plic({ sources: SOURCES, contexts: outputs.length })),
      outputs,
    },
    console: at(0x1000_0000, 0x100,  ns16550(options.console), { irq: 10 }),
    parts: {
      power: at(0x0010_0000, 0x1000, sysconPower(options.power)),
      rtc:   at(0x0010_1000, 0x1000, goldfishRtc(), { irq: 11 }),
      ...series('virtio', VIRTIO_SLOTS, (slot) => {
        const device = virtio[slot];
        return device && at(0x1000_1000 + slot * 0x1000, 0x1000, device, { irq: 1 + slot });
      }),
    },
  };
}
