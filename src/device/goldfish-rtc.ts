// Real-time clock: google,goldfish-rtc, registers as Linux drives them
// (drivers/rtc/rtc-goldfish.c).
//
// Time is 64 bits of nanoseconds since 1970-01-01 UTC in two registers; reading the low one latches
// the high one. Setting the time stores an offset from the host's wall clock, one half at a time.
// Writing the low half of the alarm arms it, and what is then written to the high half is for the
// next alarm; an alarm in the past is due at once. Invariant: while `armed`, one timer is scheduled
// for the alarm.

import type { Device, DeviceContext } from './device.ts';
import { placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';
import type { Live } from './register-block.ts';

const initialState = () => ({
  /** Guest's time less the host's wall time, modulo 2^64 ns. */
  offset: 0n,
  /** High half of the time read last. */
  latchedHigh: 0,
  armed: false,
  /** The guest's time at which an armed alarm goes off. */
  alarm: 0n,
  /** The alarm went off and was not cleared. */
  pending: false,
});

interface Context extends DeviceContext {
  timer: { cancel(): void } | undefined;
}

type State = ReturnType<typeof initialState>;
type Rtc = Live<State, Context>;

/** A clock that starts with the host's time. */
export function goldfishRtc(): Device {
  return {
    kind: block.kind,
    create: (context) => block.create({ ...context, timer: undefined }),
    describe: (place) => [placedNode('rtc', place, ['google,goldfish-rtc'])],
  };
}

const block = registerBlock<State, Context>('goldfish-rtc', initialState)(
  {
    timeLow: {
      at: 0x00,
      read: latch,
      write: setLow,
      doc: 'Low half of the time; reading latches the high half.',
    },
    timeHigh: {
      at: 0x04,
      read: (d) => d.latchedHigh,
      write: setHigh,
      doc: 'High half of the time, as latched.',
    },
    alarmLow: { at: 0x08, write: arm, doc: 'Low half of the alarm; writing it arms the alarm.' },
    alarmHigh: { at: 0x0c, doc: 'High half of the alarm, written first.' },
    interruptEnable: { at: 0x10, writable: 1, write: update, doc: 'Whether the alarm interrupts.' },
    clearAlarm: { at: 0x14, only: 'write', write: disarm, doc: 'Any write disarms the alarm.' },
    alarmStatus: {
      at: 0x18,
      only: 'read',
      read: (d) => Number(d.armed),
      doc: '1 while an alarm is armed.',
    },
    clearInterrupt: {
      at: 0x1c,
      only: 'write',
      write: acknowledge,
      doc: 'Any write ends the interrupt.',
    },
  },
  { reset: reschedule, restore: reschedule },
);

const time = (d: Rtc): bigint => BigInt.asUintN(64, d.clock.now() + d.offset);
const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number(value >> 32n);

function latch(d: Rtc): number {
  const now = time(d);
  d.latchedHigh = high(now);
  return low(now);
}

function setTime(d: Rtc, from: bigint, to: bigint): void {
  d.offset = BigInt.asUintN(64, d.offset + to - from);
  reschedule(d);
}

function setLow(d: Rtc, value: number): void {
  const now = time(d);
  setTime(d, now, ((now >> 32n) << 32n) | BigInt(value));
}

function setHigh(d: Rtc, value: number): void {
  const now = time(d);
  setTime(d, now, (BigInt(value) << 32n) | (now & 0xffff_ffffn));
}

function arm(d: Rtc): void {
  d.armed = true;
  d.alarm = (BigInt(d.get('alarmHigh')) << 32n) | BigInt(d.get('alarmLow'));
  reschedule(d);
}

function disarm(d: Rtc): void {
  d.armed = false;
  reschedule(d);
}

function acknowledge(d: Rtc): void {
  d.pending = false;
  update(d);
}

/** Brings the timer and the line in step with the registers; an alarm that is due goes off. */
function reschedule(d: Rtc): void {
  d.timer?.cancel();
  d.timer = undefined;
  if (d.armed) {
    const wait = d.alarm - time(d);
    if (wait > 0n) {
      d.timer = d.clock.schedule(d.clock.monotonic() + wait, () => reschedule(d));
    } else {
      d.armed = false;
      d.pending = true;
    }
  }
  update(d);
}

function update(d: Rtc): void {
  d.irq.set(d.pending && d.get('interruptEnable') === 1);
}
