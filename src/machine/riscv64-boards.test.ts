import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { writeDeviceTree } from '../boot/fdt.ts';
import type { Device } from '../device/device.ts';
import { placedNode } from '../device/place.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { createBus } from '../memory/bus.ts';
import { deviceTree } from './device-tree.ts';
import { createDevices } from './machine.ts';
import type { Board } from './machine.ts';
import { memoryMap } from './memory-map.ts';
import { riscv64Bare } from './riscv64-bare.ts';
import type { Riscv64Options } from './riscv64-common.ts';
import { riscv64Virt } from './riscv64-virt.ts';

const noDtc =
  spawnSync('dtc', ['--version']).error === undefined
    ? false
    : 'dtc is not installed (package device-tree-compiler)';

const MIB = 0x10_0000;

/**
 * A device that takes the place of a virtio device: it raises its interrupt when it is written to.
 */
const slot: Device = {
  kind: 'slot',
  create: ({ irq }) => ({
    read: () => 0x74726976,
    write: () => irq.set(true),
    reset: () => irq.set(false),
    save: () => ({}),
    restore: () => undefined,
    registers: { nameAt: () => undefined },
  }),
  describe: (place) => [placedNode('virtio_mmio', place, ['virtio,mmio'])],
};

const options: Riscv64Options = {
  harts: 2,
  ramBytes: 256 * MIB,
  console: { output: () => undefined },
  power: () => undefined,
  virtio: [slot, slot],
};

for (const machine of [riscv64Virt, riscv64Bare]) {
  test(`dtc finds nothing to warn of in the tree of ${machine.name}`, { skip: noDtc }, () => {
    const tree = deviceTree(machine.build(options), {
      commandLine: 'console=ttyS0',
      initrd: { address: 0x8800_0000, size: 100 },
      rngSeed: new Uint8Array(32),
    });
    const input = writeDeviceTree(tree);
    const run = spawnSync('dtc', ['-I', 'dtb', '-O', 'dts', '-'], { input, encoding: 'utf8' });
    assert.deepEqual([run.status, run.stderr], [0, '']);
    assert.match(run.stdout, /stdout-path = "\/soc\/serial@10000000"/);
  });
}

const contexts = (board: Board): (readonly [cpu: number, input: number])[] =>
  board.controller.outputs.map(({ cpu, input }) => [cpu, input]);

test('the virt board serves supervisors, the bare board machine mode too', () => {
  assert.deepEqual(contexts(riscv64Virt.build(options)), [
    [0, 9],
    [1, 9],
  ]);
  assert.deepEqual(contexts(riscv64Bare.build(options)), [
    [0, 11],
    [0, 9],
    [1, 11],
    [1, 9],
  ]);
});

test('the memory map is that of the documentation', () => {
  assert.equal(
    memoryMap(riscv64Virt.build(options)),
    `| addresses | name | what | interrupt |
|---|---|---|---|
| 0x100000-0x100fff | power | syscon-power |  |
| 0x101000-0x101fff | rtc | goldfish-rtc | 11 |
| 0xc000000-0xc5fffff | intc | plic |  |
| 0x10000000-0x100000ff | uart | ns16550a | 10 |
| 0x10001000-0x10001fff | virtio0 | slot | 1 |
| 0x10002000-0x10002fff | virtio1 | slot | 2 |
| 0x80000000-0x8fffffff | ram | RAM |  |
`,
  );
});

/**
 * The devices of a virt board behind a bus, with the levels of the harts' inputs and what was sent.
 */
function powerOn() {
  const levels = new Map<string, boolean>();
  const sent: number[] = [];
  const wishes: string[] = [];
  const board = riscv64Virt.build({
    ...options,
    console: { output: (bytes) => sent.push(...bytes) },
    power: (wish) => wishes.push(wish.kind),
  });
  const devices = createDevices(board, {
    memory: new GuestMemory(new ArrayBuffer(0x1000), 0, 0x8000_0000, 0x1000),
    clock: { now: () => 5n, monotonic: () => 0n, schedule: () => ({ cancel: () => undefined }) },
    random: (bytes) => bytes.fill(0),
    cpuInput: (cpu, input) => ({ set: (level) => void levels.set(`${cpu}:${input}`, level) }),
  });
  return { devices, bus: createBus(devices.ranges), levels, sent, wishes };
}

test('an interrupt travels from a device through the PLIC to the hart that enabled it', () => {
  const { bus, levels } = powerOn();
  const PLIC = 0x0c00_0000;
  bus.write(PLIC + 4 * 2, 4, 1n); // priority of source 2
  bus.write(PLIC + 0x2000 + 0x80, 4, 1n << 2n); // enabled for context 1
  bus.write(0x1000_2000, 4, 1n);
  assert.deepEqual([levels.get('0:9'), levels.get('1:9')], [false, true]);
  assert.equal(bus.read(PLIC + 0x20_1004, 4), 2n);
  assert.equal(levels.get('1:9'), false);
});

test('the console sends, the clock tells the time, the power device ends', () => {
  const { bus, devices, sent, wishes } = powerOn();
  bus.write(0x1000_0000, 1, 0x41n);
  devices.console.flush();
  assert.deepEqual(sent, [0x41]);
  assert.equal(bus.read(0x10_1000, 4), 5n);
  bus.write(0x10_0000, 4, 0x5555n);
  assert.deepEqual(wishes, ['power-off']);
});

const refused: readonly (readonly [string, Partial<Riscv64Options>, RegExp])[] = [
  [
    'nine virtio devices',
    { virtio: Array.from({ length: 9 }, () => slot) },
    /8 slots.*9 are asked/,
  ],
  ['no harts', { harts: 0 }, /has 1 to 512 CPUs, and 0 are asked for/],
  ['part of a hart', { harts: 1.5 }, /and 1.5 are asked for/],
  ['harts that are no number', { harts: NaN }, /and NaN are asked for/],
  ['too many harts', { harts: 513 }, /and 513 are asked for/],
  ['no memory', { ramBytes: 0 }, /cannot have 0 bytes of memory/],
  ['an odd amount of memory', { ramBytes: 1000 }, /cannot have 1000 bytes of memory/],
];

for (const [what, more, message] of refused) {
  test(`${what} is refused`, () => {
    assert.throws(() => riscv64Virt.build({ ...options, ...more }), {
      name: 'MachineError',
      message,
    });
  });
}
