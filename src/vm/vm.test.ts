// vm.ts: the life of a VM, with bare-metal programs on the real engine.

import assert from 'node:assert/strict';
import test from 'node:test';
import { programs } from '../../test/support/riscv64-programs.ts';
import { createServices } from '../host/node/services.ts';
import type { TraceEvent } from './trace.ts';
import { Vm, type VmOptions } from './vm.ts';

const create = (kernel: Uint8Array, options: Partial<VmOptions> = {}) =>
  Vm.create({ machine: 'bare', memoryBytes: 1024 * 1024, kernel, ...options }, createServices());

test('a guest that powers off ends the VM with its code', async () => {
  for (const [kernel, code] of [
    [programs.success, 0],
    [programs.failure, 7],
  ] as const) {
    const vm = await create(kernel);
    vm.start();
    assert.deepEqual(await vm.ended, { reason: 'poweroff', code });
    assert.ok(vm.stats().instructions >= 4);
    assert.throws(() => vm.start(), { name: 'VmStateError' });
    await assert.rejects(vm.write('late'), { name: 'VmStateError' });
  }
});

test('a VM can be stopped while it computes or waits, before it starts, and twice', async () => {
  const stopped = { reason: 'stopped', code: 0 };
  for (const kernel of [programs.spin, programs.wait]) {
    const vm = await create(kernel);
    vm.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await vm.stop(), stopped);
    assert.deepEqual(await vm.stop(), stopped);
  }
  const vm = await create(programs.spin);
  assert.deepEqual(await vm.stop(), stopped);
  assert.throws(() => vm.start(), { name: 'VmStateError' });
});

test('a signal stops the VM, and one that is aborted already makes none', async () => {
  const controller = new AbortController();
  const vm = await create(programs.spin, { signal: controller.signal });
  vm.start();
  controller.abort(new Error('enough'));
  assert.deepEqual(await vm.ended, { reason: 'stopped', code: 0 });
  const { signal } = controller;
  await assert.rejects(create(programs.spin, { signal }), { message: 'enough' });
});

test('leaving the scope of a VM stops it', async () => {
  let ended;
  {
    await using vm = await create(programs.spin);
    vm.start();
    ended = vm.ended;
  }
  assert.deepEqual(await ended, { reason: 'stopped', code: 0 });
});

test('a reader that is slow loses nothing: the guest waits for it', async () => {
  const vm = await create(programs.print);
  const reader = vm.console.readable.getReader();
  vm.start();
  await vm.waitFor('A');
  let before = -1;
  // It prints until it has to wait; then it does nothing any more.
  for (let now = 0; now !== before; now = vm.stats().instructions) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(vm.console.congested);
  await vm.stop();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
  }
  // Two instructions set up, then every second one prints.
  const printed = Math.floor((before - 2 + 1) / 2);
  assert.ok(Math.abs(bytes - printed) <= 1, `${bytes} bytes read, ${printed} printed`);
});

test('resources are let go of when all is over, and their failure is in the end', async () => {
  let released = 0;
  const release = async () => {
    released++;
    throw new Error('the disk is full');
  };
  const vm = await create(programs.success, { release });
  vm.start();
  const end = await vm.ended;
  assert.equal(released, 1);
  assert.equal(end.reason, 'poweroff');
  assert.equal(end.error?.name, 'VmFailedError');
  assert.match(end.error.message, /the disk is full/);
});

test('a trace tells of registers by name', async () => {
  const events: TraceEvent[] = [];
  const tell = (event: TraceEvent) => events.push(event);
  const vm = await create(programs.failure, { trace: { kinds: new Set(['devices']), tell } });
  vm.start();
  await vm.ended;
  assert.equal(events.length, 1);
  assert.equal(events[0]?.kind, 'devices');
  assert.match(events[0].text, /^power\.\w+ <- 0x73333 \(4\)$/);
});

test('a trace tells what becomes of the code that is translated, also where another thread would do it', async () => {
  for (const engine of ['jit', 'hybrid'] as const) {
    const told = Promise.withResolvers<TraceEvent>();
    const trace = { kinds: new Set(['translate'] as const), tell: told.resolve };
    const vm = await create(programs.print, { engine, trace });
    void vm.console.readable.pipeTo(new WritableStream());
    vm.start();
    const { kind, text } = await told.promise;
    await vm.stop();
    assert.equal(kind, 'translate');
    const [first = '', ...rest] = text.split('\n');
    assert.match(
      first,
      /^region at 0x8000000\d, physical 0x8000000\d: \d instructions, \d blocks?, \d+ bytes/,
    );
    const titles = rest.filter((line) => /^ {2}\S/.test(line) || /^ {4}\D+$/.test(line));
    assert.match(
      titles.join('\n'),
      /^  Block 0, the entry: .*\n    IR\n(.*\n)*  WebAssembly, \d+ bytes\n/,
    );
    const line = /^ +([+]\d+) {2}80000008 {2}00628023 {2}sb t1, 0\(t0\)$/m;
    const distance = Number(line.exec(text)?.[1]);
    assert.ok(text.includes(`\n      instruction ${distance}\n      v`), text);
    assert.match(text, /^ {4}\(func \(param \$cpu i32\) \(param \$ip i32\) \(result i32\)$/m);
    assert.match(text, /^ +call \$runtime\.slowStore$/m);
  }
});

test('options that make no VM are refused with what to do', async () => {
  const cases = [
    { memoryBytes: 1000 },
    { memoryBytes: -4096 },
    { memoryBytes: 2 ** 40 },
    { memoryBytes: NaN },
    { codeCacheBytes: 1000 },
    { codeCacheBytes: NaN },
  ];
  for (const options of cases) {
    await assert.rejects(create(programs.spin, options), {
      name: 'VmOptionsError',
      message: /give (a|at most|at least)/,
    });
  }
  await assert.rejects(create(new Uint8Array(100)), { name: 'ElfError' });
  await assert.rejects(create(programs.spin, { machine: 'virt' }), { name: 'KernelError' });
});
