// The arm64 board that boots Linux: the VM is the firmware, a kernel starts at EL1.
// Contract: Linux Documentation/arch/arm64/booting.rst; PSCI 1.1.
//
// The addresses are those of QEMU's `virt` board wherever it has the device; PCI, flash and fw-cfg do not exist, and
// the serial port is the one that all our boards have.

import type { Device } from '../device/device.ts';
import type { DeviceTreeNode } from '../device/device-tree-node.ts';
import { gicv3 } from '../device/gicv3.ts';
import { ns16550 } from '../device/ns16550.ts';
import { pl031 } from '../device/pl031.ts';
import type { SerialBackend } from '../device/serial.ts';
import { TIMER_HZ } from '../isa/arm64/identification.ts';
import { arm64Processor } from './arm64-processor.ts';
import { at, machine, MachineError, series } from './machine.ts';
import type { CpuInput } from './machine.ts';

export interface Arm64Options {
  /** 1 to 8. */
  readonly harts: number;
  /** A multiple of 4096. */
  readonly ramBytes: number;
  /** The other end of the serial line. */
  readonly console: SerialBackend;
  /** Devices for the virtio slots from the first on, at most 8. */
  readonly virtio?: readonly Device[];
}

const RAM_BASE = 0x4000_0000;
const GIC = { address: 0x0800_0000, redistributors: 0xa_0000, each: 0x2_0000 } as const;
const VIRTIO = { address: 0x0a00_0000, each: 0x200, slots: 8, irq: 16 } as const;
const CORES_MAX = 8;

const coreInput = (cpu: number): CpuInput => ({
  cpu,
  input: 0,
  controller: `cpu${cpu}`,
  cells: [],
});

function coresNode(cores: number): DeviceTreeNode {
  const each = Array.from({ length: cores }, (_, core): DeviceTreeNode => ({
    name: `cpu@${core}`,
    label: `cpu${core}`,
    properties: {
      device_type: 'cpu',
      compatible: 'arm,armv8',
      reg: [core],
      'enable-method': 'psci',
    },
  }));
  return {
    name: 'cpus',
    properties: { '#address-cells': [1], '#size-cells': [0] },
    children: each,
  };
}

/** A private peripheral interrupt in the interrupt controller's cells: kind 1, number from 16 on, level low. */
const ppi = (number: number) => [{ ref: 'intc' }, 1, number - 16, 8];
const CLOCK = 'apb-pclk';

/** What the board has that lies at no address. */
const otherNodes: readonly DeviceTreeNode[] = [
  {
    name: 'psci',
    properties: { compatible: ['arm,psci-1.0', 'arm,psci-0.2'], method: 'hvc' },
  },
  {
    name: 'timer',
    properties: {
      compatible: ['arm,armv8-timer'],
      // Secure, non-secure, virtual, hypervisor.
      'interrupts-extended': [29, 30, 27, 26].flatMap(ppi),
      'always-on': true,
    },
  },
  {
    name: 'apb-pclk',
    label: CLOCK,
    properties: {
      compatible: 'fixed-clock',
      '#clock-cells': [0],
      'clock-frequency': [24_000_000],
    },
  },
];

export const arm64Virt = machine(
  'arm64-virt',
  'arm64 with virtio devices; boots a Linux kernel over PSCI',
  (options: Arm64Options) => {
    const { harts: cores, ramBytes, virtio = [] } = options;
    if (!Number.isInteger(cores) || cores < 1 || cores > CORES_MAX) {
      throw new MachineError(`the machine has 1 to ${CORES_MAX} CPUs, and ${cores} are asked for`);
    }
    if (virtio.length > VIRTIO.slots) {
      throw new MachineError(
        `the machine has ${VIRTIO.slots} slots for virtio devices, and ${virtio.length} are ` +
          'asked for; give it fewer disks or other devices',
      );
    }
    const { address, redistributors, each } = GIC;
    const controller = gicv3({ cpus: cores, redistributors });
    return {
      boot: 'linux',
      processor: arm64Processor,
      cpus: cores,
      timebaseHz: Number(TIMER_HZ),
      ram: { address: RAM_BASE, size: ramBytes },
      cpuNode: coresNode(cores),
      nodes: otherNodes,
      controller: {
        ...at(address, redistributors + cores * each, controller),
        outputs: Array.from({ length: cores }, (_, core) => coreInput(core)),
      },
      console: at(0x0900_0000, 0x100, ns16550(options.console), { irq: 1 }),
      parts: {
        rtc: at(0x0901_0000, 0x1000, pl031(CLOCK), { irq: 2 }),
        ...series('virtio', VIRTIO.slots, (slot) => {
          const device = virtio[slot];
          const place = VIRTIO.address + slot * VIRTIO.each;
          return device && at(place, VIRTIO.each, device, { irq: VIRTIO.irq + slot });
        }),
      },
    };
  },
);
