// UART 16550A: PC16550D data sheet (National Semiconductor, 1995); registers one byte apart.
//
// The line has no speed: a byte written is sent at once, so the transmitter is always empty, and
// input that waits moves into the receive FIFO as soon as there is room, so that no byte is ever
// lost to an overrun. For the same reason a character timeout is due as soon as the FIFO holds
// bytes below its trigger level and no more input waits. In loopback the transmitter feeds the
// receiver and the modem outputs feed the modem inputs; the host's input waits meanwhile.
//
// Drivers clear the FIFO and read the data register when they open a port, which would lose what
// was typed before. So input waits until the guest listens: it has enabled the receive interrupt,
// or it polls the line status. What it has not read when it stops listening waits again.
// Invariants: a FIFO entry is a byte, plus BREAK where the line was held low, or LOOPED where the
// guest sent it; the FIFO holds 16 bytes, or one when it is off.

import type { DeviceContext } from './device.ts';
import { placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';
import type { Live } from './register-block.ts';
import { fromSaved } from './saved-state.ts';
import { SerialInput, SerialOutput } from './serial.ts';
import type { SerialBackend, SerialDevice, SerialInstance } from './serial.ts';

/** Input clock; a divisor of 2 is 115200 baud. */
const CLOCK_HZ = 3_686_400;

const IER = { receive: 1, transmit: 2, lineStatus: 4, modem: 8 } as const;
const IIR = {
  none: 1,
  modem: 0,
  transmit: 2,
  receive: 4,
  lineStatus: 6,
  timeout: 12,
  fifos: 0xc0,
} as const;
const FCR = { enable: 1, clearReceive: 2 } as const;
const LCR = { divisorLatch: 0x80 } as const;
const MCR = { dtr: 1, rts: 2, out1: 4, out2: 8, loopback: 16 } as const;
const LSR = {
  dataReady: 1,
  overrun: 2,
  break: 16,
  transmitterEmpty: 0x60,
  fifoError: 0x80,
} as const;
const MSR = {
  cts: 0x10,
  dsr: 0x20,
  ring: 0x40,
  carrier: 0x80,
  deltas: 0x0f,
  ringEnded: 4,
} as const;

/** Flags of a FIFO entry: the byte was a break; it came by loopback. */
const BREAK = 0x100;
const LOOPED = 0x200;
const FIFO_BYTES = 16;
/** So many reads of the line status in a row are made only to wait for input. */
const POLLS = 8;
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

const initialState = () => ({
  fifo: [] as number[],
  /** FIFO control as last written: enable and trigger bits. */
  fifoControl: 0,
  /** The transmitter became empty and nobody has been told. */
  transmitPending: false,
  /** Whether its interrupt was enabled before the last write of the enable register. */
  transmitEnabled: false,
  overrun: false,
  /** Reads of the line status since any other register was used. */
  polls: 0,
  /** A break reached the head of the FIFO and the line status was not read since. */
  breakSeen: false,
  /** Modem inputs when last looked at, as bits of the modem status. */
  modemInputs: MSR.cts | MSR.dsr | MSR.carrier,
  modemDeltas: 0,
});

interface Context extends DeviceContext {
  readonly input: SerialInput;
  readonly output: SerialOutput;
}

type State = ReturnType<typeof initialState>;
type Uart = Live<State, Context>;

/** A UART at work. */
export interface Ns16550Instance extends SerialInstance {
  /**
   * Sends a break, which Linux takes as the SysRq prefix. It is lost if the receive FIFO is full.
   */
  sendBreak(): void;
}

/** A 16550A whose line ends at `backend`. */
export function ns16550(backend: SerialBackend): SerialDevice<Ns16550Instance> {
  return {
    kind: block.kind,
    create(context) {
      const input = new SerialInput(backend.ready?.bind(backend));
      const output = new SerialOutput(context.clock, (bytes) => backend.output(bytes));
      const instance = block.create({ ...context, input, output });
      const { live } = instance;
      return {
        ...instance,
        flush: () => output.flush(),
        receive(bytes) {
          const taken = input.put(bytes);
          fill(live);
          return taken;
        },
        sendBreak() {
          if (live.fifo.length < capacity(live)) live.fifo.push(BREAK);
          fill(live);
        },
      };
    },
    describe: (place) => [
      placedNode('serial', place, ['ns16550a'], { 'clock-frequency': [CLOCK_HZ] }),
    ],
  };
}

const divisorLatch = (d: Uart): boolean => (d.get('lineControl') & LCR.divisorLatch) !== 0;
const loopback = (d: Uart): boolean => (d.get('modemControl') & MCR.loopback) !== 0;
const fifosOn = (d: Uart): boolean => (d.fifoControl & FCR.enable) !== 0;
const capacity = (d: Uart): number => (fifosOn(d) ? FIFO_BYTES : 1);
const triggerLevel = (d: Uart): number =>
  fifosOn(d) ? (TRIGGER_LEVELS[d.fifoControl >>> 6] ?? 1) : 1;

const block = registerBlock<State, Context>('ns16550a', initialState)(
  {
    divisorLow: {
      at: 0,
      size: 1,
      when: divisorLatch,
      reset: 2,
      doc: 'Low byte of the baud divisor.',
    },
    divisorHigh: { at: 1, size: 1, when: divisorLatch, doc: 'High byte of the baud divisor.' },
    receive: { at: 0, size: 1, only: 'read', read: takeByte, doc: 'Oldest received byte.' },
    transmit: { at: 0, size: 1, only: 'write', write: sendByte, doc: 'Byte to send.' },
    interruptEnable: {
      at: 1,
      size: 1,
      writable: 0x0f,
      write: enableInterrupts,
      doc: 'Enabled interrupts: received data, transmitter empty, line status, modem status.',
    },
    interruptIdentity: {
      at: 2,
      size: 1,
      only: 'read',
      read: identify,
      doc: 'The most urgent interrupt; reading it ends one of the transmitter.',
    },
    fifoControl: {
      at: 2,
      size: 1,
      only: 'write',
      write: controlFifos,
      doc: 'FIFO enable, clearing, and the receive trigger level.',
    },
    lineControl: { at: 3, size: 1, doc: 'Frame format (no effect) and the divisor latch bit.' },
    modemControl: {
      at: 4,
      size: 1,
      writable: 0x1f,
      write: controlModem,
      doc: 'Modem outputs and loopback.',
    },
    lineStatus: {
      at: 5,
      size: 1,
      only: 'read',
      read: readLineStatus,
      doc: 'State of both directions.',
    },
    modemStatus: {
      at: 6,
      size: 1,
      only: 'read',
      read: readModemStatus,
      doc: 'Modem inputs and their changes.',
    },
    scratch: { at: 7, size: 1, doc: 'Keeps what is written.' },
  },
  {
    reset(d) {
      d.output.flush();
      d.input.replace([]);
      fill(d);
    },
    save(d) {
      d.output.flush();
      return d.input.contents();
    },
    restore(d, extra) {
      d.input.replace(fromSaved<number[]>([], extra, 'ns16550a.extra'));
      fill(d);
    },
  },
);

/**
 * Moves waiting input into the FIFO and updates the interrupt; called after every change of either.
 */
function fill(d: Uart): void {
  const room = capacity(d) - d.fifo.length;
  const wanted = listens(d) && !loopback(d);
  if (room > 0 && wanted && d.input.length > 0) d.fifo.push(...d.input.take(room));
  if (((d.fifo[0] ?? 0) & BREAK) !== 0) d.breakSeen = true;
  update(d);
  d.input.refill();
}

const listens = (d: Uart): boolean =>
  (d.get('interruptEnable') & IER.receive) !== 0 || d.polls >= POLLS;

function takeByte(d: Uart): number {
  const entry = d.fifo.shift() ?? 0;
  d.polls = 0;
  fill(d);
  return entry & 0xff;
}

function sendByte(d: Uart, value: number): void {
  if (!loopback(d)) d.output.put(value);
  else if (d.fifo.length < capacity(d)) d.fifo.push(value | LOOPED);
  else d.overrun = true;
  d.transmitPending = true;
  d.polls = 0;
  fill(d);
}

/** Enabling the transmitter interrupt raises it, because the transmitter is empty. */
function enableInterrupts(d: Uart): void {
  const enabled = (d.get('interruptEnable') & IER.transmit) !== 0;
  if (enabled && !d.transmitEnabled) d.transmitPending = true;
  d.transmitEnabled = enabled;
  d.polls = 0;
  if (!listens(d)) returnInput(d);
  fill(d);
}

/** Takes the host's bytes out of the FIFO again; they come back when the guest listens. */
function returnInput(d: Uart): void {
  const own = (entry: number): boolean => (entry & (BREAK | LOOPED)) !== 0;
  d.input.giveBack(d.fifo.filter((entry) => !own(entry)));
  d.fifo = d.fifo.filter(own);
}

function controlFifos(d: Uart, value: number): void {
  const toggled = ((value ^ d.fifoControl) & FCR.enable) !== 0;
  // Drivers switch the FIFOs on when they listen already; real ones lose a byte then.
  if (toggled) returnInput(d);
  if (toggled || (value & FCR.clearReceive) !== 0) d.fifo = [];
  d.fifoControl = (value & FCR.enable) === 0 ? 0 : value & 0xc1;
  d.polls = 0;
  fill(d);
}

function controlModem(d: Uart): void {
  const before = d.modemInputs;
  const after = modemInputs(d);
  d.modemInputs = after;
  const changed = (before ^ after) >>> 4;
  const ringEnded = (before & ~after & MSR.ring) !== 0;
  d.modemDeltas |= (changed & MSR.deltas & ~MSR.ringEnded) | (ringEnded ? MSR.ringEnded : 0);
  fill(d);
}

/** The four modem inputs: all present except ring, or in loopback the modem outputs. */
function modemInputs(d: Uart): number {
  if (!loopback(d)) return MSR.cts | MSR.dsr | MSR.carrier;
  const control = d.get('modemControl');
  return (
    ((control & MCR.rts) !== 0 ? MSR.cts : 0) |
    ((control & MCR.dtr) !== 0 ? MSR.dsr : 0) |
    ((control & MCR.out1) !== 0 ? MSR.ring : 0) |
    ((control & MCR.out2) !== 0 ? MSR.carrier : 0)
  );
}

function readLineStatus(d: Uart): number {
  d.polls = Math.min(d.polls + 1, POLLS);
  fill(d);
  const anyError = fifosOn(d) && d.fifo.some((entry) => (entry & BREAK) !== 0);
  const status =
    LSR.transmitterEmpty |
    (d.fifo.length > 0 ? LSR.dataReady : 0) |
    (d.overrun ? LSR.overrun : 0) |
    (d.breakSeen ? LSR.break : 0) |
    (anyError ? LSR.fifoError : 0);
  d.overrun = false;
  d.breakSeen = false;
  if (((d.fifo[0] ?? 0) & BREAK) !== 0) d.fifo[0] = LOOPED;
  update(d);
  return status;
}

function readModemStatus(d: Uart): number {
  const status = d.modemInputs | d.modemDeltas;
  d.modemDeltas = 0;
  d.polls = 0;
  update(d);
  return status;
}

/** The most urgent enabled interrupt (the data sheet's interrupt control functions). */
function pendingInterrupt(d: Uart): number {
  const enabled = d.get('interruptEnable');
  if ((enabled & IER.lineStatus) !== 0 && (d.overrun || d.breakSeen)) return IIR.lineStatus;
  if ((enabled & IER.receive) !== 0 && d.fifo.length > 0) {
    return d.fifo.length >= triggerLevel(d) ? IIR.receive : IIR.timeout;
  }
  if ((enabled & IER.transmit) !== 0 && d.transmitPending) return IIR.transmit;
  if ((enabled & IER.modem) !== 0 && d.modemDeltas !== 0) return IIR.modem;
  return IIR.none;
}

function identify(d: Uart): number {
  const pending = pendingInterrupt(d);
  d.polls = 0;
  if (pending === IIR.transmit) d.transmitPending = false;
  update(d);
  return pending | (fifosOn(d) ? IIR.fifos : 0);
}

function update(d: Uart): void {
  d.irq.set(pendingInterrupt(d) !== IIR.none);
}
