import assert from 'node:assert/strict';
import test from 'node:test';
import type { SavedState } from './device.ts';
import { goldfishRtc } from './goldfish-rtc.ts';
import { seeded, testContext } from './test-context.ts';

const WALL = 1_700_000_000_123_456_789n;

function setUp() {
  const bench = testContext({ wall: WALL });
  const rtc = goldfishRtc().create(bench.context);
  const time = () => BigInt(rtc.read(0, 4)) | (BigInt(rtc.read(4, 4)) << 32n);
  const write64 = (at: number, value: bigint) => {
    rtc.write(at + 4, 4, Number(value >> 32n));
    rtc.write(at, 4, Number(value & 0xffff_ffffn));
  };
  return { ...bench, rtc, time, write64 };
}

test('time is the wall clock; reading the low half latches the high half', () => {
  const { rtc, time, advance } = setUp();
  assert.equal(time(), WALL);
  rtc.read(0, 4);
  advance(10n * 2n ** 32n);
  assert.equal(rtc.read(4, 4), Number(WALL >> 32n));
});

test('the time can be set and runs on from there', () => {
  const { time, write64, advance } = setUp();
  write64(0, 5_000_000_000n);
  assert.equal(time(), 5_000_000_000n);
  advance(7n);
  assert.equal(time(), 5_000_000_007n);
});

test('an alarm interrupts when due, if enabled, until cleared', () => {
  const { rtc, write64, advance, line, timers } = setUp();
  write64(8, WALL + 1000n);
  rtc.write(0x10, 4, 1);
  assert.equal(rtc.read(0x18, 4), 1);
  advance(999n);
  assert.equal(line.level, false);
  advance(1n);
  assert.equal(line.level, true);
  assert.equal(rtc.read(0x18, 4), 0);
  rtc.write(0x1c, 4, 1);
  assert.equal(line.level, false);
  write64(8, WALL);
  assert.equal(line.level, true, 'an alarm in the past is due at once');
  rtc.write(0x10, 4, 0);
  assert.equal(line.level, false);
  write64(8, WALL + 5000n);
  rtc.write(0x14, 4, 1);
  assert.equal(timers(), 0);
});

test('setting the time moves an armed alarm', () => {
  const { rtc, write64, advance, line } = setUp();
  rtc.write(0x10, 4, 1);
  write64(8, WALL + 1_000_000n);
  write64(0, WALL + 999_000n);
  advance(1000n);
  assert.ok(line.level);
});

test('the high half of the next alarm leaves an armed one alone, also in a saved state', () => {
  const { rtc, write64, advance, line } = setUp();
  rtc.write(0x10, 4, 1);
  write64(8, WALL + 1000n);
  rtc.write(0x0c, 4, 0);
  rtc.restore(JSON.parse(JSON.stringify(rtc.save())) as SavedState);
  advance(999n);
  assert.equal(line.level, false);
  rtc.write(0x0c, 4, 0xffff_ffff);
  advance(1n);
  assert.equal(line.level, true);
});

test('any accesses: nothing throws, one timer at most, and a saved state restores exactly', () => {
  const a = setUp();
  const next = seeded(3);
  for (let i = 0; i < 5000; i++) {
    if (next() % 2 === 0) a.rtc.write((next() % 10) * 4, 4, next());
    else a.rtc.read((next() % 10) * 4, 4);
    if (next() % 16 === 0) a.advance(BigInt(next()));
    assert.ok(a.timers() <= 1);
  }
  const b = setUp();
  b.rtc.restore(JSON.parse(JSON.stringify(a.rtc.save())) as SavedState);
  assert.deepEqual(b.rtc.save(), a.rtc.save());
  a.rtc.reset();
  assert.deepEqual(a.rtc.save(), setUp().rtc.save());
  assert.equal(a.timers(), 0);
  assert.equal(a.line.level, false);
});
