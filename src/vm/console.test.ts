// console.ts: what is typed and printed gets where it should, in order, and waiting for it works.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { SerialInstance } from '../device/serial.ts';
import { VmConsole } from './console.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A console with timers that the test fires, and a serial device that takes `room` bytes. */
function setUp({ room = 1000 } = {}) {
  const timers = new Set<() => void>();
  const console = new VmConsole((_milliseconds, callback) => {
    timers.add(callback);
    return () => timers.delete(callback);
  });
  const device = { taken: '', room };
  const serial = {
    receive(input: Uint8Array) {
      const part = input.subarray(0, device.room);
      device.taken += new TextDecoder().decode(part);
      device.room -= part.length;
      return part.length;
    },
    flush: () => undefined,
  } as Partial<SerialInstance> as SerialInstance;
  const print = (text: string) => console.backend.output(bytes(text));
  return { console, device, serial, print, timers };
}

test('waitFor gives the text up to the match, and goes on behind it', async () => {
  const { console, print, timers } = setUp();
  const first = console.waitFor('login: ');
  print('Linux\nlog');
  print('in: root\n');
  assert.equal(await first, 'Linux\nlogin: ');
  assert.equal(await console.waitFor(/^ro+t$/m), 'root');
  print('one two');
  assert.deepEqual(await Promise.all([console.waitFor('one'), console.waitFor('two')]), [
    '\none',
    ' two',
  ]);
  assert.equal(timers.size, 0);
});

test('waitFor ends by time, by signal, and with the VM, each with its error', async () => {
  const { console, print, timers } = setUp();
  const late = console.waitFor('never', { timeout: 5 });
  print('last words');
  for (const fire of timers) fire();
  await assert.rejects(late, { name: 'TimeoutError', message: /never within 5 ms.*last words/ });
  const controller = new AbortController();
  const aborted = console.waitFor('never', { signal: controller.signal, timeout: 5 });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, { message: 'enough' });
  await assert.rejects(console.waitFor('x', { signal: controller.signal }), { message: 'enough' });
  assert.equal(timers.size, 0);
  const cut = console.waitFor('never');
  console.end();
  await assert.rejects(cut, { name: 'VmStateError', message: /before the guest printed never/ });
  await assert.rejects(console.waitFor('never'), { name: 'VmStateError' });
  assert.match(await console.waitFor('words'), /words/, 'what was printed can still be found');
});

test('input waits for the device and for its room', async () => {
  const { console, device, serial } = setUp({ room: 4 });
  const writer = console.writable.getWriter();
  let done = false;
  const written = writer.write(bytes('abcdef')).then(() => (done = true));
  await new Promise(setImmediate);
  assert.equal(device.taken, '', 'there is no device yet');
  console.attach(serial);
  await new Promise(setImmediate);
  assert.deepEqual([device.taken, done], ['abcd', false]);
  device.room = 10;
  console.backend.ready?.();
  await written;
  assert.equal(device.taken, 'abcdef');
  console.end();
  await assert.rejects(writer.write(bytes('late')), { name: 'VmStateError' });
});

test('output that is read is never lost, and makes the guest wait when the reader is slow', async () => {
  const { console, print } = setUp();
  const reader = console.readable.getReader();
  const chunk = 'x'.repeat(64 * 1024);
  let printed = 0;
  while (!console.congested) {
    print(chunk);
    printed += chunk.length;
  }
  assert.equal(printed, 1024 * 1024);
  print(chunk);
  console.end();
  assert.equal(console.congested, false);
  let read = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
  }
  assert.equal(read, printed + chunk.length);
});

test('output that nobody reads is bounded, and a reader that leaves stops nothing', async () => {
  const { console, print } = setUp();
  for (let i = 0; i < 40; i++) print('x'.repeat(64 * 1024));
  assert.equal(console.congested, false);
  await console.readable.cancel();
  print('goes on');
  await console.waitFor('goes on');
  assert.equal(console.congested, false);
  console.end();
});
