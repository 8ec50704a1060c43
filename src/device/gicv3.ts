// Arm Generic Interrupt Controller, version 3 (IHI 0069): distributor, redistributors and the CPU interface that cores
// reach by system registers. One security state (GICD_CTLR.DS is 1), affinity routing only, no LPIs, no ITS.
//
// Registers: the distributor from 0, from `redistributors` on 128 KiB for each CPU: RD_base and SGI_base. Interrupts 0
// to 15 (SGIs) and 16 to 31 (PPIs) are each CPU's own, those from 32 on (SPIs) shared and routed to one CPU. Group 1
// only is delivered, as IRQ. Five bits of priority. State lies in words of 32 interrupts: word c is CPU c's own, word
// cpus + n holds SPIs 32n to 32n + 31. Invariant: a CPU's output is high just if its interface would answer an
// acknowledge with an interrupt.

import { assert } from '../std/assert.ts';
import type {
  InterruptController,
  InterruptControllerContext,
  InterruptLine,
  SystemInterface,
} from './device.ts';
import { cells64 } from './device-tree-node.ts';
import { placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';
import type { Live } from './register-block.ts';

const SPIS = 32;
const OWN = 32;
const NONE = 1023;
const IDLE = 0xff;
const PRIORITY_MASK = 0xf8;
const REDISTRIBUTOR_BYTES = 0x2_0000;

export interface GicOptions {
  readonly cpus: number;
  /** Offset of the first redistributor. */
  readonly redistributors: number;
}

const words = (count: number, value = 0): number[] => Array.from({ length: count }, () => value);

const stateOf = (cpus: number) => {
  const count = cpus + SPIS / 32;
  return {
    control: 0,
    group: words(count),
    enabled: words(count),
    /** Latched: by an edge, or by software. */
    latched: words(count),
    level: words(count),
    active: words(count),
    edge: Array.from({ length: count }, (_, word): number => (word < cpus ? 0xffff : 0)),
    /** A byte for each interrupt, in the order of the words. */
    priority: words(count * 32),
    /** CPU that each SPI goes to. */
    route: words(SPIS),
    sleeping: words(cpus, 1),
    /** The CPU interfaces: mask, binary point, EOImode and group enable, and active priorities, a bit for each. */
    mask: words(cpus),
    point: words(cpus),
    mode: words(cpus),
    groupEnabled: words(cpus),
    running: words(cpus),
  };
};

type State = ReturnType<typeof stateOf>;
type Gic = Live<State, InterruptControllerContext>;

/** A GIC for `cpus` CPUs; its inputs are SPIs. */
export function gicv3({ cpus, redistributors }: GicOptions): InterruptController {
  const block = gicBlock(cpus, redistributors);
  return {
    kind: block.kind,
    sources: SPIS - 1,
    cells: (source) => [0, source, 4],
    create(context) {
      assert(context.outputs.length === cpus, `a GIC of ${cpus} CPUs needs as many outputs`);
      const instance = block.create(context);
      const { live } = instance;
      const line = (word: number, bit: number): InterruptLine => ({
        set: (level) => setLevel(live, word, bit, level),
      });
      const spis = Array.from({ length: SPIS }, (_, n) => line(cpus + (n >> 5), n & 31));
      const own = Array.from({ length: cpus }, (_, cpu) =>
        Array.from({ length: OWN }, (__, n) => line(cpu, n)),
      );
      const input = (source: number): InterruptLine => {
        const found = spis[source];
        assert(source > 0 && found !== undefined, `this GIC has no input ${source}`);
        return found;
      };
      return {
        ...instance,
        input,
        ownInput: (cpu, number) => own[cpu]![number]!,
        systemInterface: (cpu) => cpuInterface(live, cpu),
      };
    },
    describe(place) {
      const { address } = place;
      const all = cpus * REDISTRIBUTOR_BYTES;
      return [
        placedNode('interrupt-controller', place, ['arm,gic-v3'], {
          'interrupt-controller': true,
          '#interrupt-cells': [3],
          '#address-cells': [2],
          '#size-cells': [2],
          reg: [
            ...cells64(address),
            ...cells64(0x1_0000),
            ...cells64(address + redistributors),
            ...cells64(all),
          ],
          '#redistributor-regions': [1],
        }),
      ];
    },
  };
}

/** GICD_CTLR: EnableGrp1; ARE and DS are fixed ones. */
const CTLR = { group1: 2, groups: 3, fixed: 0x50 } as const;
const PIDR2 = 0x3b;
/** GICD_IIDR: no implementer's code. */
const IIDR = 0;

function gicBlock(cpus: number, redistributors: number) {
  const count = SPIS / 32 + 1;
  /** The word of a register's index in the distributor; index 0 is the CPUs' own interrupts, which are not here. */
  const shared = (index: number): number | undefined =>
    index === 0 ? undefined : cpus + index - 1;
  const state = () => stateOf(cpus);
  const rows = {
    ...distributorRows(cpus, count, shared),
    ...redistributorRows(cpus, redistributors),
  };
  return registerBlock<State, InterruptControllerContext>('gicv3', state)(rows, {
    reset: updateAll,
    restore: updateAll,
  });
}

/** Registers of a bit for each interrupt: where, what a read gives and what a write does. */
const bitRegisters: readonly {
  readonly name: string;
  readonly at: number;
  readonly read: (d: Gic, word: number) => number;
  readonly write: (d: Gic, word: number, value: number) => void;
}[] = [
  {
    name: 'group',
    at: 0x80,
    read: (d, word) => d.group[word]!,
    write: (d, word, value) => (d.group[word] = value),
  },
  {
    name: 'setEnable',
    at: 0x100,
    read: (d, word) => d.enabled[word]!,
    write: (d, word, value) => (d.enabled[word] = (d.enabled[word]! | value) >>> 0),
  },
  {
    name: 'clearEnable',
    at: 0x180,
    read: (d, word) => d.enabled[word]!,
    write: (d, word, value) => (d.enabled[word] = (d.enabled[word]! & ~value) >>> 0),
  },
  {
    name: 'setPending',
    at: 0x200,
    read: pending,
    write: (d, word, value) => (d.latched[word] = (d.latched[word]! | value) >>> 0),
  },
  {
    name: 'clearPending',
    at: 0x280,
    read: pending,
    write: (d, word, value) => (d.latched[word] = (d.latched[word]! & ~value) >>> 0),
  },
  {
    name: 'setActive',
    at: 0x300,
    read: (d, word) => d.active[word]!,
    write: (d, word, value) => (d.active[word] = (d.active[word]! | value) >>> 0),
  },
  {
    name: 'clearActive',
    at: 0x380,
    read: (d, word) => d.active[word]!,
    write: (d, word, value) => (d.active[word] = (d.active[word]! & ~value) >>> 0),
  },
];

/** Interrupts that wait: latched, or of level-sensitive ones those whose line is high. */
function pending(d: Gic, word: number): number {
  return (d.latched[word]! | (d.level[word]! & ~d.edge[word]!)) >>> 0;
}

type Rows = Parameters<ReturnType<typeof registerBlock<State, InterruptControllerContext>>>[0];

function distributorRows(
  cpus: number,
  count: number,
  shared: (index: number) => number | undefined,
): Rows {
  const bits = bitRegisters.map(({ name, at, read, write }) => [
    `distributor.${name}`,
    {
      at,
      count,
      read: (d: Gic, index: number) => {
        const word = shared(index);
        return word === undefined ? 0 : read(d, word);
      },
      write: (d: Gic, value: number, index: number) => {
        const word = shared(index);
        if (word === undefined) return;
        write(d, word, value);
        updateAll(d);
      },
      doc: `One bit for each shared interrupt: ${name}.`,
    },
  ]);
  return {
    ...Object.fromEntries(bits),
    'distributor.control': {
      at: 0,
      read: (d: Gic) => d.control | CTLR.fixed,
      write: (d: Gic, value: number) => {
        d.control = value & CTLR.groups;
        updateAll(d);
      },
      doc: 'Which groups are delivered; one security state, affinity routing.',
    },
    'distributor.type': {
      at: 4,
      only: 'read',
      // 1 of N is not supported; affinity 3 is; identifiers have 16 bits.
      read: () => (1 << 25) | (1 << 24) | (15 << 19) | (count - 1),
      doc: 'How many interrupts there are.',
    },
    'distributor.implementer': { at: 8, only: 'read', read: () => IIDR, doc: 'Nobody.' },
    'distributor.priority': priorityWindow(0x400, count * 32, (n) =>
      n < OWN ? undefined : cpus * OWN + n - OWN,
    ),
    'distributor.configuration': {
      at: 0xc00,
      count: 2 * count,
      read: (d: Gic, index: number) =>
        index < 2 ? 0 : configuration(d, cpus + (index >> 1) - 1, index & 1),
      write: (d: Gic, value: number, index: number) => {
        if (index >= 2) configure(d, cpus + (index >> 1) - 1, index & 1, value);
      },
      doc: 'Two bits for each shared interrupt: whether it is edge-triggered.',
    },
    'distributor.route': {
      at: 0x6100,
      count: 2 * SPIS,
      read: (d: Gic, index: number) => (index & 1 ? 0 : d.route[index >> 1]!),
      write: (d: Gic, value: number, index: number) => {
        if (index & 1) return;
        d.route[index >> 1] = Math.min(value & 0xff, cpus - 1);
        updateAll(d);
      },
      doc: 'The CPU that each shared interrupt goes to, by affinity; 64 bits each.',
    },
    'distributor.peripheral': { at: 0xffe8, only: 'read', read: () => PIDR2, doc: 'GICv3.' },
  } as Rows;
}

/** Configuration of SGIs, which is fixed, and of PPIs. */
const ownConfiguration = (sgi: number, each: { count: number; stride: number }) => ({
  'redistributor.configuration': {
    at: sgi + 0xc00,
    ...each,
    read: (d: Gic, cpu: number) => configuration(d, cpu, 0),
    doc: 'SGIs are edge-triggered.',
  },
  'redistributor.ownConfiguration': {
    at: sgi + 0xc04,
    ...each,
    read: (d: Gic, cpu: number) => configuration(d, cpu, 1),
    write: (d: Gic, value: number, cpu: number) => configure(d, cpu, 1, value),
    doc: 'Two bits for each PPI: whether it is edge-triggered.',
  },
});

function redistributorRows(cpus: number, base: number): Rows {
  const each = { count: cpus, stride: REDISTRIBUTOR_BYTES };
  const sgi = base + 0x1_0000;
  const bits = bitRegisters.map(({ name, at, read, write }) => [
    `redistributor.${name}`,
    {
      at: sgi + at,
      ...each,
      read,
      write: (d: Gic, value: number, cpu: number) => {
        write(d, cpu, value);
        update(d, cpu);
      },
      doc: `One bit for each of the CPU's own interrupts: ${name}.`,
    },
  ]);
  const priorities = Array.from({ length: cpus }, (_, cpu) => [
    `redistributor${cpu}.priority`,
    priorityWindow(sgi + cpu * REDISTRIBUTOR_BYTES + 0x400, OWN, (n) => cpu * OWN + n),
  ]);
  return {
    ...Object.fromEntries(bits),
    ...Object.fromEntries(priorities),
    'redistributor.control': { at: base, ...each, read: () => 0, doc: 'No LPIs.' },
    'redistributor.implementer': {
      at: base + 4,
      ...each,
      only: 'read',
      read: () => IIDR,
      doc: 'Nobody.',
    },
    'redistributor.type': {
      at: base + 8,
      ...each,
      only: 'read',
      read: (_: Gic, cpu: number) => (cpu << 8) | (cpu === cpus - 1 ? 1 << 4 : 0),
      doc: "The CPU's number, and whether it is the last.",
    },
    'redistributor.affinity': {
      at: base + 12,
      ...each,
      only: 'read',
      read: (_: Gic, cpu: number) => cpu,
      doc: "The CPU's affinity.",
    },
    'redistributor.waker': {
      at: base + 0x14,
      ...each,
      read: (d: Gic, cpu: number) => (d.sleeping[cpu] === 0 ? 0 : 6),
      write: (d: Gic, value: number, cpu: number) => (d.sleeping[cpu] = (value >> 1) & 1),
      doc: 'Whether the CPU sleeps.',
    },
    'redistributor.peripheral': {
      at: base + 0xffe8,
      ...each,
      only: 'read',
      read: () => PIDR2,
      doc: 'GICv3.',
    },
    ...ownConfiguration(sgi, each),
  } as Rows;
}

/** Priorities, a byte for each interrupt, open to accesses of every width; `placeOf` gives the place of one, if any. */
function priorityWindow(at: number, length: number, placeOf: (n: number) => number | undefined) {
  return {
    at,
    length,
    read: (d: Gic, offset: number, size: number) => {
      let value = 0;
      for (let i = size - 1; i >= 0; i--) {
        const place = placeOf(offset + i);
        value = value * 256 + (place === undefined ? 0 : d.priority[place]!);
      }
      return value;
    },
    write: (d: Gic, value: number, offset: number, size: number) => {
      for (let i = 0; i < size; i++) {
        const place = placeOf(offset + i);
        if (place !== undefined) d.priority[place] = (value >>> (8 * i)) & PRIORITY_MASK;
      }
      updateAll(d);
    },
    doc: 'Priority of each interrupt; 0 is the highest.',
  };
}

/** Sixteen interrupts' configuration, two bits each of which the upper one tells an edge. */
function configuration(d: Gic, word: number, half: number): number {
  const edges = d.edge[word]! >>> (16 * half);
  let value = 0;
  for (let i = 0; i < 16; i++) value += ((edges >>> i) & 1) * 2 ** (2 * i + 1);
  return value;
}

function configure(d: Gic, word: number, half: number, value: number): void {
  for (let i = 0; i < 16; i++) {
    const bit = 1 << (16 * half + i);
    const isEdge = ((value >>> (2 * i + 1)) & 1) === 1;
    d.edge[word] = (isEdge ? d.edge[word]! | bit : d.edge[word]! & ~bit) >>> 0;
  }
  updateAll(d);
}

function setLevel(d: Gic, word: number, number: number, level: boolean): void {
  const bit = 1 << number;
  const old = d.level[word]!;
  if (((old & bit) !== 0) === level) return;
  d.level[word] = (level ? old | bit : old & ~bit) >>> 0;
  if (level && (d.edge[word]! & bit) !== 0) d.latched[word] = (d.latched[word]! | bit) >>> 0;
  if (word < d.outputs.length) update(d, word);
  else updateAll(d);
}

/** The interrupt of highest priority that waits for a CPU: its number and place, lowest number first. */
function best(d: Gic, cpu: number): { id: number; word: number; bit: number; priority: number } {
  const cpus = d.outputs.length;
  let found = { id: NONE, word: 0, bit: 0, priority: IDLE };
  if ((d.control & CTLR.group1) === 0 || d.groupEnabled[cpu] === 0) return found;
  for (let index = 0; index <= SPIS / 32; index++) {
    const word = index === 0 ? cpu : cpus + index - 1;
    let bits = pending(d, word) & d.enabled[word]! & d.group[word]! & ~d.active[word]!;
    while (bits !== 0) {
      const number = 31 - Math.clz32(bits & -bits);
      bits &= bits - 1;
      if (index > 0 && d.route[32 * (index - 1) + number] !== cpu) continue;
      const priority = d.priority[32 * word + number]!;
      if (priority < found.priority)
        found = { id: 32 * index + number, word, bit: 1 << number, priority };
    }
  }
  return found;
}

/** The priority that runs: that of the lowest bit of the active ones. */
function runningPriority(d: Gic, cpu: number): number {
  const active = d.running[cpu]!;
  return active === 0 ? IDLE : (31 - Math.clz32(active & -active)) << 3;
}

/** Whether a priority may interrupt what runs: it is above it by its group's bits (ICC_BPR1_EL1). */
function preempts(d: Gic, cpu: number, priority: number): boolean {
  const group = 0xff & ~(2 ** (d.point[cpu]! + 1) - 1);
  return (priority & group) < (runningPriority(d, cpu) & (group | 7));
}

const deliverable = (d: Gic, cpu: number, priority: number): boolean =>
  priority < d.mask[cpu]! && preempts(d, cpu, priority);

function update(d: Gic, cpu: number): void {
  d.outputs[cpu]?.set(deliverable(d, cpu, best(d, cpu).priority));
}

function updateAll(d: Gic): void {
  for (let cpu = 0; cpu < d.outputs.length; cpu++) update(d, cpu);
}

function acknowledge(d: Gic, cpu: number): number {
  const { id, word, bit, priority } = best(d, cpu);
  if (!deliverable(d, cpu, priority)) return NONE;
  d.active[word] = (d.active[word]! | bit) >>> 0;
  d.latched[word] = (d.latched[word]! & ~bit) >>> 0;
  d.running[cpu] = (d.running[cpu]! | (1 << (priority >> 3))) >>> 0;
  update(d, cpu);
  return id;
}

function deactivate(d: Gic, cpu: number, id: number): void {
  if (id >= OWN + SPIS) return;
  const word = id < OWN ? cpu : d.outputs.length + (id >> 5) - 1;
  d.active[word] = (d.active[word]! & ~(1 << (id & 31))) >>> 0;
  updateAll(d);
}

const EOI_MODE = 2;

function endOfInterrupt(d: Gic, cpu: number, id: number): void {
  if (id >= OWN + SPIS) return;
  const active = d.running[cpu]!;
  d.running[cpu] = (active & (active - 1)) >>> 0;
  if ((d.mode[cpu]! & EOI_MODE) === 0) deactivate(d, cpu, id);
  else update(d, cpu);
}

/** ICC_SGI1R_EL1: target list, cluster, number, and whether all others are meant. */
function sendSgi(d: Gic, cpu: number, value: bigint): void {
  const bit = 1 << Number((value >> 24n) & 15n);
  const toOthers = ((value >> 40n) & 1n) === 1n;
  const isHere = (value & 0xff_00ff_00ff_0000n) === 0n;
  const first = Number((value >> 44n) & 15n) * 16;
  for (let target = 0; target < d.outputs.length; target++) {
    const listed =
      isHere &&
      target >= first &&
      ((value >> BigInt(target - first)) & 1n) === 1n &&
      target < first + 16;
    if (toOthers ? target === cpu : !listed) continue;
    d.latched[target] = (d.latched[target]! | bit) >>> 0;
    update(d, target);
  }
}

/** ICC_CTLR_EL1: five bits of priority, identifiers of 16 bits, affinity 3. */
const ICC_CTLR = (1n << 15n) | (4n << 8n);
/** ICC_SRE_EL1: system registers, no bypass. */
const SRE = 7n;

/** The system registers of a CPU's interface; of group 0 nothing is ever delivered. */
function cpuInterface(d: Gic, cpu: number): SystemInterface {
  const reads: Readonly<Record<string, () => bigint>> = {
    ICC_IAR1_EL1: () => BigInt(acknowledge(d, cpu)),
    ICC_HPPIR1_EL1: () => BigInt(best(d, cpu).id),
    ICC_IAR0_EL1: () => BigInt(NONE),
    ICC_HPPIR0_EL1: () => BigInt(NONE),
    ICC_PMR_EL1: () => BigInt(d.mask[cpu]!),
    ICC_BPR1_EL1: () => BigInt(d.point[cpu]!),
    ICC_CTLR_EL1: () => ICC_CTLR | BigInt(d.mode[cpu]!),
    ICC_SRE_EL1: () => SRE,
    ICC_IGRPEN1_EL1: () => BigInt(d.groupEnabled[cpu]!),
    ICC_RPR_EL1: () => BigInt(runningPriority(d, cpu)),
    ICC_AP1R0_EL1: () => BigInt(d.running[cpu]!),
  };
  const writes: Readonly<Record<string, (value: bigint) => void>> = {
    ICC_EOIR1_EL1: (value) => endOfInterrupt(d, cpu, Number(value & 0xff_ffffn)),
    ICC_DIR_EL1: (value) => deactivate(d, cpu, Number(value & 0xff_ffffn)),
    ICC_SGI1R_EL1: (value) => sendSgi(d, cpu, value),
    ICC_PMR_EL1: (value) => (d.mask[cpu] = Number(value) & PRIORITY_MASK),
    // The least binary point that five bits of priority have is 2.
    ICC_BPR1_EL1: (value) => (d.point[cpu] = Math.max(Number(value & 7n), 2)),
    ICC_CTLR_EL1: (value) => (d.mode[cpu] = Number(value & 3n)),
    ICC_IGRPEN1_EL1: (value) => (d.groupEnabled[cpu] = Number(value & 1n)),
    ICC_AP1R0_EL1: (value) => (d.running[cpu] = Number(value & 0xffff_ffffn)),
  };
  return {
    read: (register) => reads[register]?.() ?? 0n,
    write(register, value) {
      writes[register]?.(value);
      update(d, cpu);
    },
  };
}
