// How riscv64 harts appear in a device tree, and what their interrupt inputs are called.
// Linux Documentation/devicetree/bindings/riscv/{cpus,extensions}.yaml; RISC-V ISA manual, "ISA
// extension naming conventions"; Privileged Architecture, table of mcause values.
//
// The ISA is told three ways, because kernels differ in which they read: `riscv,isa` (one string),
// `riscv,isa-base` and `riscv,isa-extensions` (a list). All are derived from one list of
// extensions.

import type { DeviceTreeNode, DeviceTreeValue } from '../device/device-tree-node.ts';
import type { CpuInput, IsaOptions } from './machine.ts';

/** Interrupt inputs of a hart that a platform interrupt controller can drive, by exception code. */
export const hartInterrupt = { supervisorExternal: 9, machineExternal: 11 } as const;

/** The output of a controller that drives an interrupt of a hart. */
export function hartInput(hart: number, input: number): CpuInput {
  return { cpu: hart, input, controller: interruptLabel(hart), cells: [input] };
}

/** The `/cpus` node. `timebaseHz`: ticks a second of the `time` CSR. */
export function hartsNode(isa: IsaOptions, harts: number, timebaseHz: number): DeviceTreeNode {
  const ids = Array.from({ length: harts }, (_, hart) => hart);
  return {
    name: 'cpus',
    properties: {
      '#address-cells': [1],
      '#size-cells': [0],
      'timebase-frequency': [timebaseHz],
    },
    children: [...ids.map((hart) => hartNode(isa, hart)), topologyNode(ids)],
  };
}

/** The ISA string: single letters in canonical order, then the named extensions, joined by `_`. */
export function isaString(extensions: readonly string[]): string {
  const { letters, named } = canonical(extensions);
  return [`rv64${letters.join('')}`, ...named].join('_');
}

/**
 * Canonical order of single-letter extensions; Z extensions are ordered by the letter after the z.
 */
const LETTERS = 'iemafdqlcbkjtpvnh';
const CLASSES = 'zsx';

function canonical(extensions: readonly string[]): { letters: string[]; named: string[] } {
  const letters = extensions.filter((extension) => extension.length === 1);
  const named = extensions.filter((extension) => extension.length > 1);
  return {
    letters: letters.toSorted((a, b) => LETTERS.indexOf(a) - LETTERS.indexOf(b)),
    named: named.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)),
  };
}

function rank(extension: string): number {
  const group = CLASSES.indexOf(extension.charAt(0)) * 32;
  return extension.startsWith('z') ? group + LETTERS.indexOf(extension.charAt(1)) : group;
}

function interruptLabel(hart: number): string {
  return `cpu${hart}-intc`;
}

/** Bytes that one cache-block instruction handles. */
const CACHE_BLOCK_BYTES = 64;

function hartNode(isa: IsaOptions, hart: number): DeviceTreeNode {
  const { letters, named } = canonical(isa.extensions);
  const properties: Record<string, DeviceTreeValue> = {
    device_type: 'cpu',
    reg: [hart],
    status: 'okay',
    compatible: 'riscv',
    'riscv,isa': isaString(isa.extensions),
    'riscv,isa-base': 'rv64i',
    'riscv,isa-extensions': [...letters, ...named],
    'mmu-type': `riscv,${isa.mmu}`,
  };
  for (const kind of ['cbom', 'cbop', 'cboz']) {
    if (named.includes(`zi${kind}`)) {
      properties[`riscv,${kind}-block-size`] = [CACHE_BLOCK_BYTES];
    }
  }
  return {
    name: `cpu@${hart.toString(16)}`,
    label: `cpu${hart}`,
    properties,
    children: [
      {
        name: 'interrupt-controller',
        label: interruptLabel(hart),
        properties: {
          '#address-cells': [0],
          '#interrupt-cells': [1],
          'interrupt-controller': true,
          compatible: 'riscv,cpu-intc',
        },
      },
    ],
  };
}

/** All harts are equal and near: one cluster. */
function topologyNode(harts: readonly number[]): DeviceTreeNode {
  const cores = harts.map((hart) => ({
    name: `core${hart}`,
    properties: { cpu: [{ ref: `cpu${hart}` }] },
  }));
  return {
    name: 'cpu-map',
    properties: {},
    children: [{ name: 'cluster0', properties: {}, children: cores }],
  };
}
