// What a device gets in a unit test: RAM, a clock that the test turns, seeded randomness, and a
// line that is recorded.

import { GuestMemory } from '../memory/guest-memory.ts';
import type { DeviceContext } from './device.ts';

/** First address of the RAM that test contexts have. */
export const RAM_BASE = 0x8000_0000;

/** A small generator (mulberry32): unsigned 32-bit numbers, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** A context, and the handles by which a test drives and observes it. Times are nanoseconds. */
export function testContext({ ramBytes = 0x1_0000, wall = 1_000_000_000n } = {}) {
  const next = seeded(1);
  const line = { level: false, rises: 0 };
  const writes: [address: number, length: number][] = [];
  let now = 0n;
  let timers: { atNs: bigint; callback: () => void }[] = [];
  const context: DeviceContext = {
    irq: {
      set(level) {
        if (level && !line.level) line.rises++;
        line.level = level;
      },
    },
    memory: new GuestMemory(
      new SharedArrayBuffer(ramBytes),
      0,
      RAM_BASE,
      ramBytes,
      (address, length) => {
        writes.push([address, length]);
      },
    ),
    clock: {
      now: () => wall + now,
      monotonic: () => now,
      schedule(atNs, callback) {
        const timer = { atNs, callback };
        timers.push(timer);
        return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
      },
    },
    random: (bytes) => bytes.forEach((_, i) => (bytes[i] = next())),
  };
  /** Lets `ns` pass and fires what is due, in order. */
  const advance = (ns: bigint): void => {
    now += ns;
    for (;;) {
      const due = timers
        .filter((timer) => timer.atNs <= now)
        .toSorted((a, b) => Number(a.atNs - b.atNs))[0];
      if (due === undefined) return;
      timers = timers.filter((other) => other !== due);
      due.callback();
    }
  };
  return { context, line, writes, advance, timers: () => timers.length };
}
