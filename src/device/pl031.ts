// Real-time clock: Arm PrimeCell PL031 (DDI 0224), seconds since 1970-01-01 UTC in 32 bits.
//
// Setting the time stores an offset from the host's wall clock. The alarm goes off when the clock reaches the match
// register. Invariant: a timer is scheduled while the match lies ahead.

import type { Device, DeviceContext } from './device.ts';
import { placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';
import type { Live } from './register-block.ts';

const SECOND = 1_000_000_000n;

const initialState = () => ({
  /** Guest's time less the host's wall time, in seconds modulo 2^32. */
  offset: 0,
  /** The clock has reached the match register, and nobody has cleared it. */
  matched: 0,
});

interface Context extends DeviceContext {
  timer: { cancel(): void } | undefined;
}

type State = ReturnType<typeof initialState>;
type Rtc = Live<State, Context>;

/** A clock that starts with the host's time; `clock` is the label of the node of its bus clock. */
export function pl031(clock: string): Device {
  return {
    kind: block.kind,
    create: (context) => block.create({ ...context, timer: undefined }),
    describe: (place) => [
      placedNode('rtc', place, ['arm,pl031', 'arm,primecell'], {
        clocks: [{ ref: clock }],
        'clock-names': ['apb_pclk'],
      }),
    ],
  };
}

/** Part 0x031 of designer 0x41, and the PrimeCell's own identification, a byte in each register. */
const IDENTIFICATION = [0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1];

const block = registerBlock<State, Context>('pl031', initialState)(
  {
    data: { at: 0x00, only: 'read', read: now, doc: 'The time in seconds.' },
    match: { at: 0x04, write: reschedule, doc: 'The time at which the alarm goes off.' },
    load: {
      at: 0x08,
      write: (d, value) => {
        d.offset = (value - hostSeconds(d)) >>> 0;
        reschedule(d);
      },
      doc: 'Sets the time.',
    },
    control: { at: 0x0c, read: () => 1, write: () => {}, doc: 'The clock always runs.' },
    mask: { at: 0x10, writable: 1, write: update, doc: 'Whether the alarm interrupts.' },
    rawStatus: {
      at: 0x14,
      only: 'read',
      read: (d) => d.matched,
      doc: 'Whether the alarm went off.',
    },
    status: {
      at: 0x18,
      only: 'read',
      read: (d) => d.matched & d.get('mask'),
      doc: 'Whether the alarm interrupts now.',
    },
    clear: {
      at: 0x1c,
      only: 'write',
      write: (d, value) => {
        if ((value & 1) === 1) d.matched = 0;
        update(d);
      },
      doc: 'Writing 1 ends the interrupt.',
    },
    identification: {
      at: 0xfe0,
      count: IDENTIFICATION.length,
      only: 'read',
      read: (_, index) => IDENTIFICATION[index]!,
      doc: 'What the device is.',
    },
  },
  { reset: reschedule, restore: reschedule },
);

const hostSeconds = (d: Rtc): number => Number(BigInt.asUintN(32, d.clock.now() / SECOND));

function now(d: Rtc): number {
  return (hostSeconds(d) + d.offset) >>> 0;
}

function update(d: Rtc): void {
  d.irq.set((d.matched & d.get('mask')) === 1);
}

/** Waits for the match, if it lies ahead. */
function reschedule(d: Rtc): void {
  d.timer?.cancel();
  d.timer = undefined;
  update(d);
  const left = d.get('match') - now(d);
  if (left <= 0) return;
  const at = d.clock.monotonic() + BigInt(left) * SECOND;
  d.timer = d.clock.schedule(at, () => {
    d.matched = 1;
    update(d);
  });
}
