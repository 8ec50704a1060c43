// A guest that means no good to a whole board: seeded random accesses of random widths to every device, through the
// bus, while time passes, disks answer late, out of order or with errors, input arrives and rings are scribbled on.
//
// Nothing here waits for real time or depends on it: a round is repeated exactly by its seed. What must hold: nothing
// throws, every access returns, values are integers in [0, 2^32), nothing outside RAM changes, no request stays in
// flight when the backends have answered, and what `save` gives can be restored at such a moment.

import { deepEqual, ok } from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/device/device.ts';
import type { SerialBackend, SerialInstance } from '../../src/device/serial.ts';
import { virtioBlock } from '../../src/device/virtio/block/device.ts';
import { memoryDelta } from '../../src/device/virtio/block/memory-delta.ts';
import { memoryStore } from '../../src/device/virtio/block/memory-store.ts';
import { overlay } from '../../src/device/virtio/block/overlay.ts';
import type { BlockStore } from '../../src/device/virtio/block/store.ts';
import { virtioConsole } from '../../src/device/virtio/console/device.ts';
import type { VirtioConsoleInstance } from '../../src/device/virtio/console/device.ts';
import { type VirtioMmioInstance, virtioMmio } from '../../src/device/virtio/mmio.ts';
import { virtioRng } from '../../src/device/virtio/rng/device.ts';
import { type BoardDevices, createDevices } from '../../src/machine/machine.ts';
import { riscv64Bare } from '../../src/machine/riscv64-bare.ts';
import { type Bus, type BusAccessSize, createBus } from '../../src/memory/bus.ts';
import { GuestMemory } from '../../src/memory/guest-memory.ts';
import { createRandom, type Random } from '../../src/std/random.ts';

const RAM_BYTES = 0x2_0000;
/** Bytes on both sides of RAM that must stay as they are. */
const GUARD_BYTES = 0x1000;
const GUARD = 0xa5;
const DISK_BYTES = 64 * 512;
const SIZES: readonly BusAccessSize[] = [1, 2, 4, 4, 4, 8];

/** What rounds have done so far. */
export interface FuzzCounts {
  accesses: number;
  requests: number;
  interrupts: number;
  powerRequests: number;
  restores: number;
  longestAccessMs: number;
}

export const noCounts = (): FuzzCounts => ({
  accesses: 0,
  requests: 0,
  interrupts: 0,
  powerRequests: 0,
  restores: 0,
  longestAccessMs: 0,
});

/** One round on a new board: about `accesses` accesses. Rejects with what went wrong. */
export async function fuzzRound(seed: bigint, accesses: number, counts: FuzzCounts): Promise<void> {
  const random = createRandom(seed);
  const rig = createRig(random, counts);
  const end = counts.accesses + accesses;
  while (counts.accesses < end) {
    for (let n = random.below(64); n >= 0; n--) access(rig, random, counts);
    disturb(rig, random);
    if (random.below(4) === 0) await turn();
    if (random.below(512) === 0) await saveAndRestore(rig, counts);
  }
  await settle(rig);
  checkGuards(rig);
  for (const device of rig.devices.instances.values()) device.reset();
  await settle(rig);
}

interface Spot {
  readonly address: number;
  /** Offsets of the registers there are, a few of each array and window. */
  readonly registers: readonly number[];
  readonly size: number;
}

interface Rig {
  readonly devices: BoardDevices;
  readonly bus: Bus;
  readonly memory: GuestMemory;
  readonly bytes: Uint8Array;
  readonly spots: readonly Spot[];
  readonly virtio: readonly VirtioSpot[];
  readonly serial: readonly { receive(bytes: Uint8Array): number }[];
  readonly advance: (ns: bigint) => void;
  /** Answers some of the requests that wait in the backends. */
  readonly answer: (count: number) => void;
  readonly waiting: () => number;
}

interface VirtioSpot {
  readonly address: number;
  readonly queues: number;
  readonly disk: boolean;
}

function createRig(random: Random, counts: FuzzCounts): Rig {
  const { clock, advance } = fakeClock();
  const backends = lateAnswers(random, counts);
  const serialEnd: SerialBackend = { output: (bytes) => ok(bytes.length > 0) };
  const disk = backends.store(memoryStore(new Uint8Array(DISK_BYTES)));
  const readOnly = backends.store(memoryStore(new Uint8Array(DISK_BYTES), { readOnly: true }));
  const devices = [
    virtioBlock(disk, { id: 'first' }),
    virtioBlock(readOnly),
    virtioBlock(backends.store(overlay(readOnly, memoryDelta(DISK_BYTES)))),
    virtioRng(),
    virtioConsole(serialEnd),
  ];
  const board = riscv64Bare.build({
    harts: 1,
    ramBytes: RAM_BYTES,
    console: serialEnd,
    virtio: devices.map((device) => virtioMmio(device)),
    power: () => void counts.powerRequests++,
  });
  const buffer = new SharedArrayBuffer(RAM_BYTES + 2 * GUARD_BYTES);
  const bytes = new Uint8Array(buffer).fill(GUARD);
  const base = board.ram.address;
  const memory = new GuestMemory(buffer, GUARD_BYTES, base, RAM_BYTES, (at, length) => {
    ok(at >= base && length >= 0 && at + length <= base + RAM_BYTES, 'a write is told within RAM');
  });
  const made = createDevices(board, {
    memory,
    clock,
    random: (target) => target.forEach((_, i) => (target[i] = random.next32())),
    cpuInput: () => ({ set: (level) => void (counts.interrupts += Number(level)) }),
  });
  const slots = [...made.instances].filter(([label]) => label.startsWith('virtio'));
  const console = slots.at(-1)![1] as VirtioMmioInstance<VirtioConsoleInstance>;
  const uart: SerialInstance = made.console;
  return {
    devices: made,
    bus: createBus(made.ranges.map((range) => ({ ...range, target: checked(range.target) }))),
    memory,
    bytes,
    spots: spotsOf(made),
    virtio: slots.map(([label], i) => ({
      address: made.ranges.find((range) => range.name === label)!.address,
      queues: devices[i]!.queueSizes.length,
      disk: devices[i]!.deviceId === 2,
    })),
    serial: [uart, console.virtio],
    advance,
    answer: (count) => backends.answer(count),
    waiting: () => backends.waiting(),
  };
}

type Target = BoardDevices['ranges'][number]['target'];

/** The device, with what it answers looked at. */
function checked(target: Target): Pick<Target, 'read' | 'write'> {
  return {
    read(offset, size) {
      const value = target.read(offset, size);
      ok(Number.isInteger(value) && value >= 0 && value < 2 ** (8 * size), `${value} was read`);
      return value;
    },
    write: (offset, size, value) => target.write(offset, size, value),
  };
}

/** Where registers are does not depend on the seed. */
let spots: readonly Spot[] | undefined;

function spotsOf({ ranges }: BoardDevices): readonly Spot[] {
  spots ??= ranges.map(({ address, size, target }) => {
    const seen = new Map<string, number>();
    const registers: number[] = [];
    for (let offset = 0; offset < size; offset += size > 0x1000 ? 4 : 1) {
      const { registers: names } = target;
      const name = names.nameAt(offset, 'read') ?? names.nameAt(offset, 'write');
      if (name === undefined) continue;
      const row = name.replace(/[[+].*/, '');
      const count = (seen.get(row) ?? 0) + 1;
      seen.set(row, count);
      if (count <= 48) registers.push(offset);
    }
    ok(registers.length > 0, 'every device has a register');
    return { address, registers, size };
  });
  return spots;
}

function access({ bus, spots: places, memory }: Rig, random: Random, counts: FuzzCounts): void {
  const { address, registers, size } = random.pick(places);
  const offset = random.below(8) === 0 ? random.below(size) : random.pick(registers);
  const skew = random.below(16) === 0 ? random.below(8) : 0;
  const width = random.pick(SIZES);
  const begun = performance.now();
  if (random.below(3) === 0) {
    const value = bus.read(address + offset + skew, width);
    ok(value >= 0n && value < 1n << BigInt(8 * width), `${value} was read`);
  } else {
    bus.write(address + offset + skew, width, anyValue(random, memory));
  }
  counts.longestAccessMs = Math.max(counts.longestAccessMs, performance.now() - begun);
  counts.accesses++;
}

/** A value that may mean something to a register: a bit, a small number, an address, or anything. */
function anyValue(random: Random, memory: GuestMemory): bigint {
  switch (random.below(5)) {
    case 0:
      return BigInt(random.below(16));
    case 1:
      return 1n << BigInt(random.below(64));
    case 2:
      return BigInt(memory.base + random.below(RAM_BYTES + 0x1000));
    case 3:
      return BigInt.asUintN(64, -1n - BigInt(random.below(3)));
    default:
      return random.bigint64();
  }
}

/** What happens between accesses. */
function disturb(rig: Rig, random: Random): void {
  const { advance, answer, serial, virtio } = rig;
  switch (random.below(6)) {
    case 0:
      return advance(BigInt(random.below(2 ** 24)));
    case 1:
      return answer(random.below(8));
    case 2: {
      const typed = Uint8Array.from({ length: random.below(64) }, () => random.below(256));
      const taken = random.pick(serial).receive(typed);
      return ok(taken >= 0 && taken <= typed.length, 'input is taken as far as there is room');
    }
    case 3:
      return scribble(rig, random);
    default: {
      const spot = random.pick(virtio);
      if (random.below(2) === 0) bringUp(rig, spot, random);
      for (let n = random.below(4); n >= 0; n--) offer(rig, spot, random);
      return undefined;
    }
  }
}

const QUEUE_BYTES = 0x1000;
const QUEUE_SIZE = 16;
const DESCRIPTORS = 0;
const AVAILABLE = 0x400;
const USED = 0x800;

const ringsOf = ({ memory }: Rig, queue: number): number => memory.base + (queue % 8) * QUEUE_BYTES;

/** What a driver does first, nearly right most of the time, so that accesses meet a device at work. */
function bringUp(rig: Rig, { address, queues }: VirtioSpot, random: Random): void {
  const { bus } = rig;
  const set = (offset: number, value: number): void =>
    bus.write(address + offset, 4, BigInt(value));
  set(0x70, 0);
  set(0x70, 3);
  for (const word of [0, 1]) {
    set(0x14, word);
    set(0x24, word);
    const offered = Number(bus.read(address + 0x10, 4));
    set(0x20, random.below(2) === 0 ? offered : (offered & random.next32() & ~1) | word);
  }
  set(0x70, 11);
  for (let queue = 0; queue < queues; queue++) {
    const rings = ringsOf(rig, queue);
    rig.memory.bytes(rings, QUEUE_BYTES)?.fill(0);
    set(0x30, queue);
    set(0x38, QUEUE_SIZE);
    for (const [register, ring] of [
      [0x80, DESCRIPTORS],
      [0x90, AVAILABLE],
      [0xa0, USED],
    ] as const) {
      set(register, rings + ring);
      set(register + 4, 0);
    }
    set(0x44, 1);
  }
  set(0x70, 15);
}

/** Makes chains available, plausible or nearly so: what a disk takes, or any buffers. */
function offer(rig: Rig, { address, queues, disk }: VirtioSpot, random: Random): void {
  const { memory, bus } = rig;
  const queue = random.below(queues);
  const rings = ringsOf(rig, queue);
  const index = memory.read16(rings + AVAILABLE + 2) ?? 0;
  const count = random.below(4);
  for (let i = 0; i < count; i++) {
    const head = random.below(random.below(64) === 0 ? 0x1_0000 : QUEUE_SIZE);
    const parts = disk === random.below(16) > 0 ? diskRequest(rig, random) : anyParts(rig, random);
    writeChain(rig, rings, head, parts, random);
    memory.write16(rings + AVAILABLE + 4 + 2 * ((index + i) % QUEUE_SIZE), head);
  }
  memory.write16(rings + AVAILABLE + 2, index + count);
  bus.write(address + 0x50, 4, BigInt(queue));
}

interface Part {
  readonly at: number;
  readonly length: number;
  readonly writable: boolean;
}

const anywhere = ({ memory }: Rig, random: Random): number =>
  memory.base + 8 * QUEUE_BYTES + random.below(RAM_BYTES - 8 * QUEUE_BYTES - 0x1000);

/** A request as a disk takes it: header, data, status (VIRTIO 1.2, section 5.2.6). */
function diskRequest(rig: Rig, random: Random): Part[] {
  const { memory } = rig;
  const type = random.pick([0, 0, 1, 1, 4, 8, 11, 13, random.below(20)]);
  const header = anywhere(rig, random);
  memory.write32(header, type);
  memory.write64(header + 8, BigInt(random.below(DISK_BYTES / 512 + 2)));
  const data = { at: anywhere(rig, random), length: 512 * random.below(4), writable: type === 0 };
  return [
    { at: header, length: 16, writable: false },
    ...(data.length > 0 ? [data] : []),
    { at: anywhere(rig, random), length: 1, writable: true },
  ];
}

function anyParts(rig: Rig, random: Random): Part[] {
  const readable = random.below(4);
  return Array.from({ length: readable + random.below(3) }, (_, i) => ({
    at: anywhere(rig, random),
    length: random.below(0x1000),
    writable: i >= readable,
  }));
}

/** Descriptors from `head` on, in one of 16 chains with something wrong. */
function writeChain(
  { memory }: Rig,
  rings: number,
  head: number,
  parts: readonly Part[],
  random: Random,
): void {
  for (const [i, { at, length, writable }] of parts.entries()) {
    const odd = random.below(16 * parts.length) === 0;
    const place = rings + DESCRIPTORS + 16 * ((head + i) % QUEUE_SIZE);
    memory.write64(place, odd ? random.bigint64() : BigInt(at));
    memory.write32(place + 8, odd ? random.next32() : length);
    const flags = Number(i + 1 < parts.length) | (Number(writable) << 1);
    memory.write16(place + 12, odd ? random.below(8) : flags);
    memory.write16(place + 14, odd ? random.below(32) : (head + i + 1) % QUEUE_SIZE);
  }
}

function scribble(rig: Rig, random: Random): void {
  const { memory } = rig;
  const rings = ringsOf(rig, random.below(3));
  for (let n = random.below(3); n > 0; n--) {
    memory.write32(rings + random.below(QUEUE_BYTES / 4) * 4, random.next32());
  }
}

/** Gives backends and event loop turns until nothing is in flight. */
async function settle(rig: Rig): Promise<void> {
  const instances = [...rig.devices.instances.values()];
  const state = { idle: false };
  const all = Promise.all(instances.map(async (device) => device.idle?.()));
  void all.then(() => (state.idle = true));
  for (let turns = 0; !state.idle; turns++) {
    ok(turns < 10_000, 'a request is still in flight after all answers');
    rig.answer(64);
    await turn();
  }
}

async function saveAndRestore(rig: Rig, counts: FuzzCounts): Promise<void> {
  // A device that is restored looks at its rings; so that this finds nothing new, it is made to look before.
  for (const { address, queues } of rig.virtio) {
    for (let queue = 0; queue < queues; queue++) rig.bus.write(address + 0x50, 4, BigInt(queue));
  }
  await settle(rig);
  ok(rig.waiting() === 0, 'no request is left when all devices are idle');
  for (const device of rig.devices.instances.values()) {
    const saved = device.save();
    const plain = JSON.parse(JSON.stringify(saved)) as typeof saved;
    device.restore(plain);
    deepEqual(device.save(), plain);
    counts.restores++;
  }
}

function checkGuards({ bytes }: Rig): void {
  const guards = [bytes.subarray(0, GUARD_BYTES), bytes.subarray(GUARD_BYTES + RAM_BYTES)];
  for (const guard of guards)
    ok(
      guard.every((byte) => byte === GUARD),
      'memory beside RAM changed',
    );
}

/** Stores whose answers wait until they are asked for, in any order; one in eight is an error. */
function lateAnswers(random: Random, counts: FuzzCounts) {
  const waiting: (() => void)[] = [];
  const late = async (work: () => Promise<void> | undefined): Promise<void> => {
    counts.requests++;
    await new Promise<void>((resolve, reject) => {
      const fails = random.below(8) === 0;
      waiting.push(() => (fails ? reject(new Error('the disk is broken')) : resolve()));
    });
    await work();
  };
  return {
    waiting: () => waiting.length,
    answer(count: number): void {
      for (let n = Math.min(count, waiting.length); n > 0; n--) {
        const [one] = waiting.splice(random.below(waiting.length), 1);
        one?.();
      }
    },
    store: (store: BlockStore): BlockStore => ({
      size: store.size,
      readOnly: store.readOnly,
      read(offset, target) {
        ok(offset >= 0 && offset + target.length <= store.size, 'a read is within the disk');
        return late(() => store.read(offset, target));
      },
      write(offset, source) {
        ok(!store.readOnly, 'a read-only disk is not written');
        ok(offset >= 0 && offset + source.length <= store.size, 'a write is within the disk');
        ok(source.buffer instanceof ArrayBuffer, 'a store gets no shared memory');
        return late(() => store.write(offset, source));
      },
      flush: () => late(() => store.flush()),
      close: () => store.close(),
      ...(store.zero && {
        zero(offset: number, length: number) {
          ok(offset >= 0 && offset + length <= store.size, 'a range to be zeroed is on the disk');
          return late(() => store.zero?.(offset, length));
        },
      }),
    }),
  };
}

/** Time that passes only when it is told to. */
function fakeClock(): { clock: Clock; advance: (ns: bigint) => void } {
  let now = 0n;
  const timers = new Map<object, { atNs: bigint; callback: () => void }>();
  const clock: Clock = {
    now: () => 1_700_000_000_000_000_000n + now,
    monotonic: () => now,
    schedule(atNs, callback) {
      const key = {};
      timers.set(key, { atNs, callback });
      ok(timers.size < 1000, 'timers are not piled up');
      return { cancel: () => void timers.delete(key) };
    },
  };
  const advance = (ns: bigint): void => {
    now += ns;
    // A callback may set a timer that is due already; such a chain must end.
    for (let rounds = 0; ; rounds++) {
      ok(rounds < 1000, 'timers that are due set timers that are due, without end');
      const due = [...timers].filter(([, { atNs }]) => atNs <= now);
      if (due.length === 0) return;
      for (const [key, { callback }] of due) if (timers.delete(key)) callback();
    }
  };
  return { clock, advance };
}
