// run-loop.ts with a scripted executor and a clock that the test turns.

import assert from 'node:assert/strict';
import test from 'node:test';
import { testContext } from '../device/test-context.ts';
import type { Executor } from '../engine/executor.ts';
import { VcpuRecord } from '../isa/shared/record.ts';
import { type Exit, vcpu as cells, vcpuBytes } from '../isa/shared/vcpu.ts';
import type { Ending, FirmwareOutcome, Processor } from '../machine/processor.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import { RunLoop } from './run-loop.ts';

const TIMEBASE_HZ = 10_000_000;

/** A loop over `script`: what each slice does. When it is at its end, the machine is switched off. */
function setUp(script: readonly (() => Exit)[]) {
  const { context, advance, timers } = testContext();
  const { clock } = context;
  const record = new VcpuRecord(new SharedArrayBuffer(vcpuBytes), 0);
  const guest = {
    timer: undefined as bigint | undefined,
    pending: false,
    congested: false,
    budgets: [] as number[],
    outcome: { kind: 'continue' } as FirmwareOutcome,
    ending: undefined as Ending | undefined,
  };
  const slices = [...script];
  const executor: Executor = {
    run(_cpu, budget) {
      guest.budgets.push(budget);
      const slice = slices.shift();
      if (slice !== undefined) return slice();
      guest.ending = { kind: 'poweroff', code: 0 };
      return 'budget';
    },
    wrote: () => undefined,
    flushTlb: () => undefined,
    counts: {},
  };
  const processor = {
    updateTimer(_vcpu: VcpuRecord, now: bigint) {
      const { timer } = guest;
      if (timer === undefined) return undefined;
      if (now < timer) return timer;
      guest.pending = true;
      return undefined;
    },
    wakes: () => guest.pending,
    firmware: () => guest.outcome,
  } as Partial<Processor> as Processor;
  const loop = new RunLoop({
    processor,
    executor,
    clock,
    timebaseHz: TIMEBASE_HZ,
    vcpus: [record],
    bases: [0],
    firmware: {
      memory: new GuestMemory(new SharedArrayBuffer(4096), 0, 0, 4096),
      vcpus: [record],
      flushTlb: () => undefined,
      consoleWrite: () => undefined,
    },
    async turn() {
      advance(100_000n);
      await new Promise(setImmediate);
    },
    poll: () => guest.ending,
    congested: () => guest.congested,
  });
  return { loop, guest, record, clock, advance, timers };
}

const settle = () => new Promise(setImmediate);

test('runs slices until the machine ends', async () => {
  const { loop, guest } = setUp([() => 'budget', () => 'attention']);
  assert.deepEqual(await loop.run(), { kind: 'poweroff', code: 0 });
  assert.equal(guest.budgets.length, 3);
  assert.equal(loop.counts.slices, 3);
});

test('a guest that waits sleeps until its timer, and not before', async () => {
  const { loop, guest, clock, advance } = setUp([() => 'wait']);
  guest.timer = 500_000n; // 50 ms
  let ended = false;
  const run = loop.run().then(() => (ended = true));
  await settle();
  assert.equal(guest.budgets.length, 1);
  advance(45_000_000n);
  await settle();
  assert.equal(ended, false);
  advance(5_000_000n);
  await run;
  assert.ok(clock.monotonic() >= 50_000_000n);
  assert.equal(loop.counts.sleeps, 1);
  assert.ok(loop.counts.sleptNs >= 50_000_000n);
});

test('the last of a wait is passed by turns of the event loop, which are finer than timers', async () => {
  const { loop, guest, clock, timers } = setUp([() => 'wait']);
  guest.timer = 10_000n; // 1 ms
  await loop.run();
  assert.equal(timers(), 0);
  assert.ok(clock.monotonic() >= 1_000_000n);
  assert.ok(clock.monotonic() < 1_200_000n);
});

test('an interrupt wakes a sleeping guest, whose timer is not armed', async () => {
  const { loop, guest, record, timers } = setUp([() => 'wait']);
  const run = loop.run();
  await settle();
  assert.equal(timers(), 1, 'something keeps the event loop alive');
  loop.wake(); // for nothing: it goes back to sleep
  await settle();
  assert.equal(guest.budgets.length, 1);
  guest.pending = true;
  loop.wake();
  assert.equal(record.get(cells.attention), 1n);
  await run;
  assert.equal(timers(), 0);
});

test('a slice is shortened when the timer is due before its end', async () => {
  const { loop, guest } = setUp([() => 'budget']);
  guest.timer = 1000n; // 0.1 ms: some 30,000 instructions
  await loop.run();
  const [first = 0] = guest.budgets;
  assert.ok(first > 10_000 && first < 100_000, String(first));
});

test('a stop from outside ends it while it runs, sleeps, or waits for a reader', async () => {
  const running = setUp([
    () => {
      running.loop.end(undefined);
      return 'attention';
    },
  ]);
  assert.equal(await running.loop.run(), undefined);
  assert.equal(running.guest.budgets.length, 1);

  const sleeping = setUp([() => 'wait']);
  const run = sleeping.loop.run();
  await settle();
  sleeping.loop.end(undefined);
  assert.equal(await run, undefined);

  const congested = setUp([() => 'budget']);
  congested.guest.congested = true;
  const wait = congested.loop.run();
  await settle();
  congested.loop.end(undefined);
  assert.equal(await wait, undefined);
  assert.equal(congested.guest.budgets.length, 1);
});

test('the guest waits while its output is congested', async () => {
  const { loop, guest, advance } = setUp([() => 'budget', () => 'budget']);
  guest.congested = true;
  const run = loop.run();
  for (let i = 0; i < 5; i++) {
    await settle();
    advance(10_000_000n);
  }
  assert.equal(guest.budgets.length, 1);
  guest.congested = false;
  await settle();
  advance(10_000_000n);
  await run;
  assert.equal(guest.budgets.length, 3);
});

test('firmware ends the machine, or puts the vCPU to sleep', async () => {
  const off = setUp([() => 'firmware']);
  off.guest.outcome = { kind: 'end', ending: { kind: 'reboot' } };
  assert.deepEqual(await off.loop.run(), { kind: 'reboot' });

  const suspended = setUp([() => 'firmware']);
  suspended.guest.outcome = { kind: 'wait' };
  const run = suspended.loop.run();
  await settle();
  assert.equal(suspended.guest.budgets.length, 1);
  suspended.guest.pending = true;
  suspended.loop.wake();
  await run;
});

test('a processor that stops is an error of the VM', async () => {
  await assert.rejects(setUp([() => 'halt']).loop.run(), { name: 'VmFailedError' });
});
