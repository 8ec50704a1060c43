import assert from 'node:assert/strict';
import test from 'node:test';
import type { SavedState } from '../../device.ts';
import { TestDriver, REGISTER } from '../test-driver.ts';
import type { Part } from '../test-driver.ts';
import { checkMisuse } from '../test-fuzz.ts';
import { feature } from '../virtio.ts';
import { virtioBlock } from './device.ts';
import { memoryStore } from './memory-store.ts';
import type { BlockStore } from './store.ts';

const FLUSH = 1n << 9n;
const FEATURES = feature.version1 | feature.indirectDescriptors | FLUSH;
const IN = 0;
const OUT = 1;

/** A store whose operations wait until the test lets them go, and that can be made to fail. */
function gated(store: BlockStore) {
  const log: string[] = [];
  const waiting: (() => void)[] = [];
  const gate = { closed: false, failing: false, most: 0 };
  const pass = async (what: string): Promise<void> => {
    log.push(what);
    if (gate.closed) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        gate.most = Math.max(gate.most, waiting.length);
      });
    }
    if (gate.failing) throw new Error('disk on fire');
  };
  const gatedStore: BlockStore = {
    size: store.size,
    readOnly: store.readOnly,
    async read(offset, target) {
      await pass(`read ${offset}+${target.length}`);
      await store.read(offset, target);
    },
    async write(offset, source) {
      await pass(`write ${offset}+${source.length}`);
      await store.write(offset, source);
    },
    async flush() {
      await pass('flush');
    },
    close: () => store.close(),
  };
  const open = (): void => {
    gate.closed = false;
    for (const resolve of waiting.splice(0)) resolve();
  };
  return { store: gatedStore, log, gate, open };
}

function header(type: number, sector = 0): Uint8Array {
  const fields = new DataView(new ArrayBuffer(16));
  fields.setUint32(0, type, true);
  fields.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(fields.buffer);
}

function range(sector: number, sectors: number, flags = 0): Uint8Array {
  const fields = new DataView(new ArrayBuffer(16));
  fields.setBigUint64(0, BigInt(sector), true);
  fields.setUint32(8, sectors, true);
  fields.setUint32(12, flags, true);
  return new Uint8Array(fields.buffer);
}

function setUp({ readOnly = false, bytes = 1 << 20, features = FEATURES } = {}) {
  const contents = Uint8Array.from({ length: bytes }, (_, i) => (i >>> 9) + i);
  const disk = gated(memoryStore(contents, { readOnly }));
  const device = virtioBlock(disk.store, { id: 'a-serial-number' });
  const driver = new TestDriver(device);
  driver.start(features);
  /** Sends a request and gives back where its parts are; the status byte is the last. */
  const request = (parts: readonly Part[], indirect = false) =>
    driver.send(0, [...parts, 1], { indirect });
  const status = async (parts: readonly Part[]): Promise<number | undefined> => {
    const { addresses } = request(parts);
    driver.memory.write8(addresses.at(-1) ?? 0, 0xff);
    await driver.mmio.idle?.();
    return driver.memory.read8(addresses.at(-1) ?? 0);
  };
  return Object.assign(driver, disk, { contents, request, status });
}

test('the configuration tells capacity, limits and block size', () => {
  const { mmio } = setUp();
  assert.equal(mmio.read(0x100, 4), 2048);
  assert.equal(mmio.read(0x104, 4), 0);
  assert.equal(mmio.read(0x10c, 4), 254);
  assert.equal(mmio.read(0x114, 4), 512);
  mmio.write(0x100, 4, 0);
  assert.equal(mmio.read(0x100, 4), 2048);
});

test('reads and writes of many segments, however the request is framed', async () => {
  for (const indirect of [false, true]) {
    const { request, contents, bytes, used, mmio, line } = setUp();
    const read = request(
      [header(IN, 3).subarray(0, 5), header(IN, 3).subarray(5), 100, 412, 512],
      indirect,
    );
    await mmio.idle?.();
    const got = read.addresses.slice(2, 5).flatMap((at, i) => bytes(at, [100, 412, 512][i] ?? 0));
    assert.deepEqual(got, [...contents.subarray(1536, 2560)]);
    assert.deepEqual(bytes(read.addresses[5], 1), [0]);
    assert.deepEqual(used(0), [{ head: 0, written: 1025 }]);
    assert.ok(line.level);
    const data = Uint8Array.from({ length: 1024 }, (_, i) => 255 - i);
    request([header(OUT, 9), data.subarray(0, 7), data.subarray(7)], indirect);
    await mmio.idle?.();
    assert.deepEqual(contents.subarray(9 * 512, 11 * 512), data);
    assert.equal(used(0)[1]?.written, 1);
  }
});

test('data and status may share a buffer', async () => {
  const { send, contents, bytes, mmio } = setUp();
  const { addresses } = send(0, [header(IN, 1), 513]);
  await mmio.idle?.();
  assert.deepEqual(bytes(addresses[1], 513), [...contents.subarray(512, 1024), 0]);
});

test('a request larger than a piece is done piece by piece', async () => {
  const { request, contents, memory, mmio, log } = setUp();
  const { addresses } = request([header(IN, 1), 300 * 1024]);
  await mmio.idle?.();
  assert.deepEqual(log, ['read 512+262144', 'read 262656+45056']);
  assert.deepEqual(
    Buffer.from(memory.bytes(addresses[1] ?? 0, 300 * 1024)?.slice() ?? []).compare(
      contents.subarray(512, 512 + 300 * 1024),
    ),
    0,
  );
});

test('flush, identity, and requests that do not exist', async () => {
  const { status, request, bytes, mmio, log } = setUp();
  assert.equal(await status([header(4)]), 0);
  assert.deepEqual(log, ['flush']);
  const { addresses } = request([header(8), 20]);
  await mmio.idle?.();
  assert.equal(Buffer.from(bytes(addresses[1], 20)).toString(), 'a-serial-number\0\0\0\0\0');
  assert.equal(await status([header(99), 512]), 2);
});

test('requests outside the disk, of odd length, or to write what is fixed, fail', async () => {
  const { status } = setUp();
  assert.equal(await status([header(IN, 2047), 512]), 0);
  assert.equal(await status([header(IN, 2047), 1024]), 1);
  assert.equal(await status([header(IN, 2 ** 52), 512]), 1);
  assert.equal(await status([header(OUT, 2048), new Uint8Array(512)]), 1);
  assert.equal(await status([header(IN, 0), 511]), 1);
  const fixed = setUp({ readOnly: true });
  const before = fixed.contents.slice();
  assert.equal(await fixed.status([header(OUT, 0), new Uint8Array(512)]), 1);
  assert.equal(await fixed.status([header(13), range(0, 1)]), 1);
  assert.deepEqual(fixed.contents, before);
  assert.equal(fixed.mmio.read(0x124, 4), 0);
  fixed.set(REGISTER.deviceFeaturesSelect, 0);
  assert.equal(fixed.get(REGISTER.deviceFeatures) & 0x6020, 0x20, 'read-only, no discard');
});

test('an error of the store is an I/O error of the guest', async () => {
  const { status, gate } = setUp();
  gate.failing = true;
  assert.equal(await status([header(IN), 512]), 1);
  assert.equal(await status([header(OUT), new Uint8Array(512)]), 1);
  assert.equal(await status([header(4)]), 1);
  gate.failing = false;
  assert.equal(await status([header(4)]), 0);
});

test('ranges are zeroed; discarding without a cheap way to zero does nothing', async () => {
  const { status, contents } = setUp();
  const before = contents.slice();
  assert.equal(await status([header(11), range(0, 8)]), 0);
  assert.deepEqual(contents, before);
  assert.equal(await status([header(13), range(2, 1, 1), range(4, 2)]), 0);
  before.fill(0, 1024, 1536).fill(0, 2048, 3072);
  assert.deepEqual(contents, before);
  assert.equal(await status([header(13), range(2, 1, 2)]), 2);
  assert.equal(await status([header(11), range(2, 1, 1)]), 2);
  assert.equal(await status([header(13), range(2047, 2)]), 1);
  assert.equal(await status([header(13), range(0, 2 ** 30)]), 1);
  assert.equal(await status([header(13), new Uint8Array(15)]), 1);
  assert.equal(await status([header(13), new Uint8Array(16 * 33)]), 1);
});

test('without FLUSH every write is durable before it completes', async () => {
  const { status, log } = setUp({ features: feature.version1 });
  assert.equal(await status([header(OUT), new Uint8Array(512)]), 0);
  assert.deepEqual(log, ['write 0+512', 'flush']);
});

test('a request without header or status makes the device need a reset', () => {
  for (const parts of [[new Uint8Array(15), 1], [new Uint8Array(16)], [1]]) {
    const { send, get } = setUp();
    send(0, parts);
    assert.equal(get(REGISTER.status) & 64, 64);
  }
});

test('requests in flight are many, and none touches memory after a reset', async () => {
  for (const how of ['status', 'reset'] as const) {
    const { request, gate, open, set, mmio, bytes, used, log, memory, start, writes } = setUp();
    gate.closed = true;
    const { addresses } = request([header(IN, 1), 512]);
    request([header(IN, 2), 512]);
    request([header(OUT, 4), new Uint8Array(512)]);
    assert.equal(log.length, 3);
    if (how === 'status') set(REGISTER.status, 0);
    else mmio.reset();
    start(FEATURES);
    const next = request([header(IN, 5), 512]);
    assert.equal(log.length, 3, 'the new request waits for the old ones');
    writes.length = 0;
    open();
    await mmio.idle?.();
    assert.deepEqual(
      bytes(addresses[1], 512),
      Array.from({ length: 512 }, () => 0),
    );
    assert.equal(used(0).length, 1);
    assert.equal(memory.read8(next.addresses[2] ?? 0), 0);
    assert.deepEqual(
      writes.filter(([address]) => address >= 0x8000_4000).map(([address]) => address),
      [next.addresses[1], next.addresses[2]],
    );
  }
});

test('a snapshot with requests in flight does them again after the restore', async () => {
  const a = setUp();
  a.gate.closed = true;
  const { addresses } = a.request([header(IN, 1), 512]);
  a.request([header(OUT, 4), new Uint8Array(512).fill(0x77)]);
  const saved = JSON.parse(JSON.stringify(a.mmio.save())) as SavedState;
  const b = setUp();
  b.mmio.reset();
  b.memory.write(0x8000_0000, a.memory.bytes(0x8000_0000, a.memory.size) ?? new Uint8Array());
  b.gate.closed = true;
  b.mmio.restore(saved);
  assert.deepEqual(b.mmio.save(), saved);
  b.open();
  await b.mmio.idle?.();
  assert.deepEqual(b.bytes(addresses[1], 512), [...b.contents.subarray(512, 1024)]);
  assert.equal(b.contents[4 * 512], 0x77);
  assert.equal(b.used(0).length, 2);
  assert.throws(() => b.mmio.restore({ ...saved, extra: { queues: [] } }), {
    name: 'SavedStateError',
  });
  a.mmio.reset();
  a.open();
  await a.mmio.idle?.();
});

test('misuse does no harm', async () => {
  await checkMisuse(() => virtioBlock(memoryStore(new Uint8Array(8192))));
});
