import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceTreeNode } from '../device/device-tree-node.ts';
import type {
  Device,
  DeviceInstance,
  InterruptController,
  InterruptLine,
} from '../device/device.ts';
import type { SerialDevice } from '../device/serial.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { deviceTree } from './device-tree.ts';
import { riscv64Processor } from './riscv64-processor.ts';
import { at, createDevices, machine, series } from './machine.ts';
import type { Board, Design, Placement } from './machine.ts';
import { memoryMap } from './memory-map.ts';

const idle: DeviceInstance = {
  read: () => 0,
  write: () => undefined,
  reset: () => undefined,
  save: () => ({}),
  restore: () => undefined,
  registers: { nameAt: () => undefined },
};

const node = (kind: string, address: number): DeviceTreeNode => ({
  name: `${kind}@${address.toString(16)}`,
  properties: { reg: [0, address, 0, 1] },
});

/** A device that raises its interrupt line when it is written to. */
const bell = (kind = 'bell'): Device => ({
  kind,
  create: ({ irq }) => ({ ...idle, write: (_offset, _size, value) => irq.set(value !== 0) }),
  describe: ({ address }) => [node(kind, address), { name: `${kind}-off`, properties: {} }],
});

/** A controller that passes every input on to every output. */
const wire: InterruptController = {
  kind: 'wire',
  sources: 4,
  cells: (source) => [source, 4],
  create: ({ outputs }) => ({
    ...idle,
    input: (source): InterruptLine => ({
      set: (level) => outputs.forEach((output) => output.set(level && source > 0)),
    }),
  }),
  describe: ({ address }) => [node('wire', address)],
};

const serial: SerialDevice = {
  kind: 'serial',
  create: () => ({ ...idle, receive: (bytes) => bytes.length, flush: () => undefined }),
  describe: ({ address }) => [node('serial', address)],
};

const design = (parts: Design['parts'], more: Partial<Design> = {}): Design => ({
  boot: 'bare-elf',
  processor: riscv64Processor,
  cpus: 1,
  timebaseHz: 1,
  ram: { address: 0x8000, size: 0x1000 },
  cpuNode: { name: 'cpus', properties: {} },
  controller: {
    ...at(0x100, 0x100, wire),
    outputs: [
      { cpu: 0, input: 9, controller: 'cpu0', cells: [9] },
      { cpu: 1, input: 11, controller: 'cpu1', cells: [11] },
    ],
  },
  console: at(0x4000, 1, serial, { irq: 1 }),
  parts,
  ...more,
});

const build = (parts: Design['parts'], more?: Partial<Design>): Board =>
  machine('toy', 'a machine for tests', () => design(parts, more)).build(undefined);

const toy = (): Board =>
  build({
    bell: at(0x2000, 0x10, bell(), { irq: 3 }),
    ...series('slot', 3, (i) =>
      i === 1 ? undefined : at(0x1000 + 0x100 * i, 0x100, bell('slot')),
    ),
  });

test('places are sorted, labelled and wired; empty slots vanish', () => {
  assert.deepEqual(
    toy().places.map(({ label, address, interrupt }) => [label, address, interrupt]),
    [
      ['slot0', 0x1000, undefined],
      ['slot2', 0x1200, undefined],
      ['bell', 0x2000, { controller: 'intc', cells: [3, 4] }],
      ['uart', 0x4000, { controller: 'intc', cells: [1, 4] }],
    ],
  );
});

test('devices are made with their interrupts wired through the controller to the CPUs', () => {
  const log: string[] = [];
  const { ranges, instances, console } = createDevices(toy(), {
    memory: new GuestMemory(new ArrayBuffer(0x1000), 0, 0x8000, 0x1000),
    clock: { now: () => 0n, monotonic: () => 0n, schedule: () => ({ cancel: () => undefined }) },
    random: (bytes) => bytes.fill(0),
    cpuInput: (cpu, input) => ({ set: (level) => log.push(`${cpu}:${input}=${level}`) }),
  });
  assert.deepEqual([...instances.keys()], ['intc', 'slot0', 'slot2', 'bell', 'uart']);
  assert.equal(instances.get('uart'), console);
  assert.deepEqual(
    ranges.map(({ name, address, size }) => [name, address, size]),
    [
      ['intc', 0x100, 0x100],
      ['slot0', 0x1000, 0x100],
      ['slot2', 0x1200, 0x100],
      ['bell', 0x2000, 0x10],
      ['uart', 0x4000, 1],
    ],
  );
  ranges[1]?.target.write(0, 4, 1); // not connected
  ranges[3]?.target.write(0, 4, 1);
  assert.deepEqual(log, ['0:9=true', '1:11=true']);
});

test('the device tree holds devices by address, and nodes without registers at the root', () => {
  const tree = deviceTree(toy(), {
    commandLine: 'quiet',
    initrd: { address: 0x1_0000_1000, size: 0x10 },
    rngSeed: Uint8Array.of(1, 2, 3, 4),
  });
  assert.deepEqual(
    tree.children?.map(({ name }) => name),
    ['chosen', 'memory@8000', 'cpus', 'soc', 'slot-off', 'slot-off', 'bell-off'],
  );
  assert.deepEqual(
    tree.children?.[3]?.children?.map(({ name }) => name),
    ['wire@100', 'slot@1000', 'slot@1200', 'bell@2000', 'serial@4000'],
  );
  assert.deepEqual(tree.children?.[0]?.properties, {
    bootargs: 'quiet',
    'stdout-path': '/soc/serial@4000',
    'linux,initrd-start': [1, 0x1000],
    'linux,initrd-end': [1, 0x1010],
    'rng-seed': Uint8Array.of(1, 2, 3, 4),
  });
  assert.deepEqual(tree.children?.[1]?.properties, {
    device_type: 'memory',
    reg: [0, 0x8000, 0, 0x1000],
  });
});

test('the memory map is a table in the order of addresses', () => {
  assert.equal(
    memoryMap(toy()),
    `| addresses | name | what | interrupt |
|---|---|---|---|
| 0x100-0x1ff | intc | wire |  |
| 0x1000-0x10ff | slot0 | slot |  |
| 0x1200-0x12ff | slot2 | slot |  |
| 0x2000-0x200f | bell | bell | 3 |
| 0x4000-0x4000 | uart | serial | 1 |
| 0x8000-0x8fff | ram | RAM |  |
`,
  );
});

const part = (address: number, irq?: number): Placement =>
  at(address, 0x100, bell(), irq === undefined ? {} : { irq });

const mistakes: readonly (readonly [string, Design['parts'], Partial<Design>, RegExp])[] = [
  [
    'two parts at one address',
    { bell: part(0x1000), rtc: part(0x10ff) },
    {},
    /^toy: 'bell' at 0x1000-0x10ff and 'rtc' at 0x10ff-0x11fe overlap$/,
  ],
  ['a part in RAM', { bell: part(0x8f01) }, {}, /'ram' at 0x8000-0x8fff and 'bell'/],
  ['a part on the controller', { bell: part(0x1ff) }, {}, /'intc' at 0x100-0x1ff and 'bell'/],
  ['an input used twice', { bell: part(0x1000, 2), b: part(0x2000, 2) }, {}, /'bell' and 'b' both/],
  ['an input there is not', { bell: part(0x1000, 5) }, {}, /drives interrupt 5; there are 1 to 4/],
  ['input 0', { bell: part(0x1000, 0) }, {}, /drives interrupt 0/],
  ['a part named like the controller', { intc: part(0x1000) }, {}, /'intc' is not free/],
  ['no CPUs', { bell: part(0x1000) }, { cpus: 0 }, /cannot have 0 CPUs; give it at least 1/],
  ['half a CPU', { bell: part(0x1000) }, { cpus: 1.5 }, /cannot have 1.5 CPUs/],
  [
    'RAM that is no whole number of pages',
    { bell: part(0x1000) },
    { ram: { address: 0x8000, size: 100 } },
    /cannot have 100 bytes of memory; give it a positive multiple of 4096/,
  ],
  ['a part below 0', { bell: part(-1) }, {}, /'bell' is at no valid range/],
];

for (const [what, parts, more, message] of mistakes) {
  test(`${what} is refused`, () => {
    assert.throws(() => build(parts, more), { name: 'MachineError', message });
  });
}
