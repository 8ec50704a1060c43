import assert from 'node:assert/strict';
import test from 'node:test';
import type { SavedState } from '../../device.ts';
import { TestDriver, REGISTER } from '../test-driver.ts';
import { checkMisuse } from '../test-fuzz.ts';
import { feature } from '../virtio.ts';
import { virtioConsole } from './device.ts';

function setUp() {
  const sent: string[] = [];
  let readies = 0;
  const device = virtioConsole({
    output: (bytes) => void sent.push(Buffer.from(bytes).toString()),
    ready: () => void readies++,
  });
  return Object.assign(new TestDriver(device), { sent, readies: () => readies });
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test('output arrives in the pieces the guest sends', () => {
  const { start, send, sent, used } = setUp();
  start();
  send(1, [text('hel'), text('lo')]);
  send(1, [text('world')]);
  assert.deepEqual(sent, ['hello', 'world']);
  assert.equal(used(1).length, 2);
});

test('input waits for buffers, fills them, and the host is asked for more', () => {
  const { start, send, mmio, used, bytes, readies } = setUp();
  assert.equal(mmio.virtio.receive(text('abcdef')), 6);
  start();
  const { addresses } = send(0, [4]);
  assert.deepEqual(used(0), [{ head: 0, written: 4 }]);
  assert.equal(Buffer.from(bytes(addresses[0], 4)).toString(), 'abcd');
  send(0, [100]);
  assert.equal(used(0)[1]?.written, 2);
  assert.equal(mmio.virtio.receive(new Uint8Array(5000)), 4096);
  assert.equal(readies(), 0);
  send(0, [4000]);
  assert.equal(readies(), 1);
});

test('the size of the terminal is in the configuration space and changes by interrupt', () => {
  const { start, mmio, get, line } = setUp();
  start(feature.version1 | 1n);
  assert.deepEqual([mmio.read(0x100, 2), mmio.read(0x102, 2), mmio.read(0x104, 4)], [80, 25, 1]);
  mmio.virtio.resize(132, 50);
  assert.ok(line.level);
  assert.equal(get(REGISTER.interruptStatus), 2);
  assert.deepEqual([mmio.read(0x100, 2), mmio.read(0x102, 2)], [132, 50]);
  assert.equal(mmio.read(0x10b, 2), 0, 'over the end');
});

test('an emergency write needs no driver', () => {
  const { mmio, sent } = setUp();
  mmio.write(0x108, 4, 0x21);
  mmio.write(0x100, 2, 1);
  assert.deepEqual(sent, ['!']);
  assert.equal(mmio.read(0x100, 2), 80);
});

test('a monstrous output request counts as a broken driver', () => {
  const { start, get, writeDescriptor, offer, sent } = setUp();
  start();
  for (let i = 0; i < 8; i++) {
    writeDescriptor(0x8000_1000 + 16 * i, 0x8000_0000, 0x4_0000, i < 7 ? 1 : 0, i + 1);
  }
  offer(1, 0);
  assert.equal(get(REGISTER.status) & 64, 64);
  assert.deepEqual(sent, []);
});

test('waiting input and the size survive save and restore', () => {
  const a = setUp();
  a.mmio.virtio.receive(text('typed'));
  a.mmio.virtio.resize(100, 40);
  const b = setUp();
  b.mmio.restore(JSON.parse(JSON.stringify(a.mmio.save())) as SavedState);
  assert.deepEqual(b.mmio.save(), a.mmio.save());
  b.start();
  const { addresses } = b.send(0, [16]);
  assert.equal(Buffer.from(b.bytes(addresses[0], 5)).toString(), 'typed');
  assert.equal(b.mmio.read(0x100, 2), 100);
});

test('misuse does no harm', async () => {
  await checkMisuse(() => virtioConsole({ output() {} }));
});
