import assert from 'node:assert/strict';
import test from 'node:test';
import type { SavedState } from '../device.ts';
import { virtioMmio } from './mmio.ts';
import type { Chain } from './queue.ts';
import { TestDriver, REGISTER, rings, SIZE } from './test-driver.ts';
import { checkMisuse } from './test-fuzz.ts';
import { feature } from './virtio.ts';
import type { VirtioDevice, VirtioTransport } from './virtio.ts';

const ALL = feature.version1 | feature.indirectDescriptors | feature.eventIndex | feature.ringReset;

/** A device that keeps the chains it gets, and does nothing else. */
function keeper() {
  const chains: Chain[] = [];
  const seen: { transport?: VirtioTransport } = {};
  const device: VirtioDevice = {
    kind: 'keeper',
    deviceId: 42,
    features: 0b101n,
    queueSizes: [64, 32],
    create(transport) {
      seen.transport = transport;
      return {
        readConfig: (offset) => offset,
        notify(index) {
          for (let c = transport.queues[index]?.pop(); c; c = transport.queues[index]?.pop())
            chains.push(c);
        },
        reset: () => void (chains.length = 0),
      };
    },
  };
  return { device, chains, seen };
}

function setUp() {
  const kept = keeper();
  return Object.assign(new TestDriver(kept.device), kept);
}

test('identity and offered features', () => {
  const { get, set, mmio } = setUp();
  assert.deepEqual([0, 4, 8].map(get), [0x7472_6976, 2, 42]);
  set(REGISTER.deviceFeaturesSelect, 0);
  assert.equal(get(REGISTER.deviceFeatures), 0x3000_0005);
  set(REGISTER.deviceFeaturesSelect, 1);
  assert.equal(get(REGISTER.deviceFeatures), 0x101);
  set(REGISTER.deviceFeaturesSelect, 2);
  assert.equal(get(REGISTER.deviceFeatures), 0);
  assert.deepEqual(
    [0, 1, 2].map((q) => (set(REGISTER.queueSelect, q), get(REGISTER.queueSizeMax))),
    [64, 32, 0],
  );
  assert.equal(get(0xb0), 0xffff_ffff, 'no shared memory');
  assert.equal(mmio.read(0x103, 1), 3);
  assert.equal(mmio.read(0, 1), 0, 'registers are 32 bits wide');
});

test('features that were not offered, or lack VERSION_1, are refused', () => {
  for (const features of [feature.version1 | 2n, 1n, 0n]) {
    const { get, set } = setUp();
    set(REGISTER.status, 3);
    for (const word of [0, 1]) {
      set(REGISTER.driverFeaturesSelect, word);
      set(REGISTER.driverFeatures, Number((features >> BigInt(32 * word)) & 0xffff_ffffn));
    }
    set(REGISTER.status, 11);
    assert.equal(get(REGISTER.status), 3);
    set(REGISTER.status, 15);
    assert.equal(get(REGISTER.status), 3, 'nor is the driver up without them');
  }
});

test('a chain comes out as it went in, direct or indirect, and its completion interrupts', () => {
  for (const indirect of [false, true]) {
    const { start, send, chains, used, get, set, line, bytes, writes } = setUp();
    start(ALL & ~feature.eventIndex);
    const { head, addresses } = send(0, [Uint8Array.of(1, 2, 3), Uint8Array.of(4), 2, 5], {
      indirect,
    });
    const [chain] = chains;
    assert.ok(chain);
    assert.deepEqual([chain.readableBytes, chain.writableBytes], [4, 7]);
    const copy = new Uint8Array(3);
    assert.equal(chain.read(1, copy), 3);
    assert.deepEqual([...copy], [2, 3, 4]);
    writes.length = 0;
    assert.equal(chain.write(1, Uint8Array.of(7, 8, 9)), 3);
    assert.deepEqual(bytes(addresses[2], 2), [0, 7]);
    assert.deepEqual(bytes(addresses[3], 2), [8, 9]);
    assert.deepEqual(writes, [
      [(addresses[2] ?? 0) + 1, 1],
      [addresses[3], 2],
    ]);
    assert.equal(line.level, false);
    chain.complete(4);
    assert.deepEqual(used(0), [{ head, written: 4 }]);
    assert.equal(line.level, true);
    assert.equal(get(REGISTER.interruptStatus), 1);
    set(REGISTER.interruptAck, 1);
    assert.equal(line.level, false);
  }
});

test('the driver can ask for no interrupts, by flag or by event index', () => {
  const flagged = setUp();
  flagged.start();
  flagged.memory.write16(rings(0).available, 1);
  flagged.send(0, [1]);
  flagged.chains[0]?.complete(0);
  assert.equal(flagged.used(0).length, 1);
  assert.equal(flagged.line.level, false);

  const { start, send, memory, chains, line } = setUp();
  start(ALL);
  memory.write16(rings(0).available + 4 + 2 * SIZE, 1);
  send(0, [1]);
  send(0, [1]);
  assert.equal(memory.read16(rings(0).used + 4 + 8 * SIZE), 2, 'asks to be notified of the third');
  chains[0]?.complete(0);
  assert.equal(line.level, false);
  chains[1]?.complete(0);
  assert.equal(line.level, true);
});

test('indexes wrap', () => {
  const { start, send, chains, memory } = setUp();
  start();
  for (let i = 0; i < 70_000; i++) {
    send(0, [0]);
    chains.pop()?.complete(i);
  }
  assert.equal(memory.read16(rings(0).used + 2), 70_000 % 65_536);
});

test('buffers offered before the driver is up are taken when it is', () => {
  const { get, set, start, send, chains } = setUp();
  start();
  set(REGISTER.status, 0);
  set(REGISTER.status, 3);
  send(0, [1]);
  assert.equal(chains.length, 0);
  assert.equal(get(REGISTER.queueReady), 0);
  start();
  send(1, [1]);
  assert.equal(chains.length, 1);
});

/** Ways to break a queue: each prepares descriptors of a queue that is up, and offers a head. */
const breaches: Record<string, (d: ReturnType<typeof setUp>) => void> = {
  'an address outside RAM': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x1000, 16, 0, 0);
    d.offer(0, 0);
  },
  'a buffer that runs out of RAM': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_0000, 0xffff_ffff, 2, 0);
    d.offer(0, 0);
  },
  'an address above 2^53': (d) => {
    d.memory.write64(rings(0).descriptors, 0xffff_ffff_ffff_fff0n);
    d.memory.write32(rings(0).descriptors + 8, 32);
    d.offer(0, 0);
  },
  'a loop': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_0000, 1, 1, 1);
    d.writeDescriptor(rings(0).descriptors + 16, 0x8000_0000, 1, 1, 0);
    d.offer(0, 0);
  },
  'a head that is no descriptor': (d) => d.offer(0, SIZE),
  'a link that is no descriptor': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_0000, 1, 1, SIZE);
    d.offer(0, 0);
  },
  'a readable buffer behind a writable one': (d) => void d.send(0, [4, Uint8Array.of(1)]),
  'an index that jumps': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_0000, 1, 0, 0);
    d.memory.write16(rings(0).available + 2, SIZE + 1);
    d.set(REGISTER.notify, 0);
  },
  'an indirect table of odd length': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_4000, 17, 4, 0);
    d.offer(0, 0);
  },
  'an empty indirect table': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_4000, 0, 4, 0);
    d.offer(0, 0);
  },
  'an indirect table within one': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_4000, 16, 4, 0);
    d.writeDescriptor(0x8000_4000, 0x8000_5000, 16, 4, 0);
    d.offer(0, 0);
  },
  'an indirect descriptor with a successor': (d) => {
    d.writeDescriptor(rings(0).descriptors, 0x8000_4000, 16, 5, 0);
    d.offer(0, 0);
  },
  'a ring outside RAM': (d) => d.readyQueue(0, { ...rings(0), used: 0x1_0000_0000 }),
  'a misaligned ring': (d) => d.readyQueue(0, { ...rings(0), descriptors: 0x8000_0008 }),
};

for (const [name, breach] of Object.entries(breaches)) {
  test(`${name} makes the device need a reset`, () => {
    const d = setUp();
    d.start(ALL);
    if (name.includes('ring ') || name.includes('misaligned')) {
      d.set(REGISTER.queueSelect, 0);
      d.set(REGISTER.queueReady, 0);
    }
    breach(d);
    assert.equal(d.get(REGISTER.status), 15 | 64);
    assert.equal(d.get(REGISTER.interruptStatus) & 2, 2);
    assert.ok(d.line.level);
    assert.equal(d.chains.length, 0);
    d.send(1, [1]);
    assert.equal(d.chains.length, 0, 'nothing works any more');
    d.start();
    d.send(0, [1]);
    assert.equal(d.chains.length, 1, 'until it is reset');
  });
}

test('an indirect chain may be longer than the queue, up to a limit', () => {
  const { start, send, chains, get } = setUp();
  start(ALL);
  send(
    0,
    Array.from({ length: 1024 }, () => 1),
    { indirect: true },
  );
  assert.equal(chains[0]?.writableBytes, 1024);
  send(
    0,
    Array.from({ length: 1025 }, () => 1),
    { indirect: true },
  );
  assert.equal(get(REGISTER.status) & 64, 64);
});

test('after a reset of the device, or of its queue, old chains touch nothing', () => {
  for (const how of ['status', 'queueReset', 'queueReady', 'reset'] as const) {
    const { start, send, chains, set, used, bytes, line, mmio, get } = setUp();
    start(ALL);
    const { addresses } = send(0, [4]);
    const [chain] = chains.slice();
    set(REGISTER.queueSelect, 0);
    if (how === 'status') set(REGISTER.status, 0);
    else if (how === 'queueReset') set(REGISTER.queueReset, 1);
    else if (how === 'queueReady') set(REGISTER.queueReady, 0);
    else mmio.reset();
    assert.equal(get(REGISTER.queueReady), 0);
    assert.equal(chain?.live, false);
    assert.equal(chain.write(0, Uint8Array.of(9)), 0);
    assert.equal(chain.read(0, new Uint8Array(1)), 0);
    chain.complete(1);
    assert.deepEqual(bytes(addresses[0], 1), [0]);
    assert.deepEqual(used(0), []);
    assert.equal(line.level, false);
  }
});

test('a change of the configuration interrupts a driver that is up', () => {
  const { start, seen, get, line } = setUp();
  seen.transport?.configChanged();
  assert.equal(line.level, false);
  start();
  const before = get(REGISTER.configGeneration);
  seen.transport?.configChanged();
  assert.notEqual(get(REGISTER.configGeneration), before);
  assert.equal(get(REGISTER.interruptStatus), 2);
});

test('a saved transport restores with its queues and goes on where it was', () => {
  const a = setUp();
  a.start(ALL);
  a.send(0, [4]);
  a.chains[0]?.complete(1);
  const saved = JSON.parse(JSON.stringify(a.mmio.save())) as SavedState;
  const b = setUp();
  b.memory.write(0x8000_0000, a.memory.bytes(0x8000_0000, a.memory.size) ?? new Uint8Array());
  b.mmio.restore(saved);
  assert.deepEqual(b.mmio.save(), a.mmio.save());
  assert.equal(b.line.level, true);
  a.send(0, [4]);
  b.memory.write(0x8000_0000, a.memory.bytes(0x8000_0000, a.memory.size) ?? new Uint8Array());
  b.set(REGISTER.notify, 0);
  b.chains[0]?.complete(2);
  assert.deepEqual(b.used(0), [
    { head: 0, written: 1 },
    { head: 1, written: 2 },
  ]);
  const extra = saved['extra'] as { queues: SavedState[] };
  const bad = {
    ...saved,
    extra: { queues: [{ ...extra.queues[0], size: 128 }, extra.queues[1] ?? {}] },
  };
  assert.throws(() => b.mmio.restore(bad), /keeper.queues\[0\] is too large/);
});

test('misuse does no harm', async () => {
  await checkMisuse(() => keeper().device);
});

test('its node is the generic one', () => {
  const place = { address: 0x1000_1000, size: 0x1000, label: 'virtio0' };
  assert.equal(new TestDriver(keeper().device).mmio.registers.nameAt(0x70, 'read'), 'status');
  const [node] = virtioMmio(keeper().device).describe(place);
  assert.equal(node?.name, 'virtio_mmio@10001000');
  assert.deepEqual(node?.properties['compatible'], ['virtio,mmio']);
});
