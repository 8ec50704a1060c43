// clock.ts: callbacks come once, in time and not before.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createClock } from './clock.ts';

test('a callback never comes early', async () => {
  const clock = createClock();
  for (let i = 0; i < 20; i++) {
    const at = clock.monotonic() + BigInt(i) * 150_000n;
    await new Promise<void>((resolve) => clock.schedule(at, resolve));
    assert.ok(clock.monotonic() >= at);
  }
});

test('a cancelled callback does not come, and one far off does not come at once', async () => {
  const clock = createClock();
  let calls = 0;
  const count = () => calls++;
  const soon = clock.schedule(clock.monotonic() + 1_000_000n, count);
  const far = clock.schedule(clock.monotonic() + 10n ** 18n, count);
  soon.cancel();
  await new Promise<void>((resolve) => clock.schedule(clock.monotonic() + 20_000_000n, resolve));
  far.cancel();
  assert.equal(calls, 0);
});
