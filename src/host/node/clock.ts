// Time on Node: the wall clock, a monotonic clock that begins with the VM, and timers.
//
// Invariant: a callback never runs before its time, though Node's timers have milliseconds and may fire a little early.
// A timer that waits keeps the process alive: a guest that sleeps is still running.

import type { Clock } from '../../device/device.ts';

/** Node fires a timer with a longer delay at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** A clock whose monotonic time is 0 now. */
export function createClock(): Clock {
  const begun = process.hrtime.bigint();
  const monotonic = (): bigint => process.hrtime.bigint() - begun;
  return {
    now: () => BigInt(Date.now()) * 1_000_000n,
    monotonic,
    schedule(atNs, callback) {
      let timer: NodeJS.Timeout;
      const arm = (): void => {
        const left = Math.ceil(Number(atNs - monotonic()) / 1e6);
        timer = setTimeout(fire, Math.min(Math.max(left, 0), LONGEST_DELAY_MS));
      };
      const fire = (): void => (monotonic() < atNs ? arm() : callback());
      arm();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
