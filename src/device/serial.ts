// What serial devices (UART, virtio console) share: the host's end of the line, input that waits,
// output in chunks.
//
// Input is bounded: `receive` takes what fits and says how much; when it took less than it was
// given, the device calls `ready` once there is room again, and the host offers the rest. Output is
// gathered for a moment, so that a guest that sends byte by byte costs the host one call per chunk.
// Invariant: bytes are never lost, doubled or reordered.

import type { Clock, Device, DeviceContext, DeviceInstance } from './device.ts';

/** The host's end of a serial line. */
export interface SerialBackend {
  /** Takes bytes that the guest sent; the array is the host's to keep and never shared memory. */
  output(bytes: Uint8Array): void;
  /** There is room for input again, after `receive` took less than it was given. */
  ready?(): void;
}

/** A serial device at work. */
export interface SerialInstance extends DeviceInstance {
  /** Queues input for the guest and returns how many of the bytes it took, from the first on. */
  receive(bytes: Uint8Array): number;
  /** Hands gathered output to the host now. */
  flush(): void;
}

/** A serial device. */
export type SerialDevice<Instance extends SerialInstance = SerialInstance> = Device<
  DeviceContext,
  Instance
>;

/** Bytes of input that wait for the guest. */
const INPUT_BYTES = 4096;
/** Input is asked for again when no more than this waits. */
const INPUT_LOW_BYTES = 1024;
/** Bytes that a device may give back although the rest is full: as many as its FIFO holds. */
const RETURNED_BYTES = 16;
const RING_BYTES = INPUT_BYTES + RETURNED_BYTES;
const OUTPUT_BYTES = 4096;
/** How long output is gathered at most. */
const OUTPUT_DELAY_NS = 1_000_000n;

/** Input that waits for the guest: a ring of bytes. */
export class SerialInput {
  readonly #ring = new Uint8Array(RING_BYTES);
  readonly #ready: (() => void) | undefined;
  #first = 0;
  #length = 0;
  #refused = false;

  /** `ready` is called when there is room again after `put` refused something. */
  constructor(ready: (() => void) | undefined) {
    this.#ready = ready;
  }

  get length(): number {
    return this.#length;
  }

  /** Queues what fits of `bytes` and returns how many that were. */
  put(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, Math.max(INPUT_BYTES - this.#length, 0));
    for (let i = 0; i < taken; i++) {
      this.#ring[(this.#first + this.#length + i) % RING_BYTES] = bytes[i] ?? 0;
    }
    this.#length += taken;
    this.#refused ||= taken < bytes.length;
    return taken;
  }

  /** Removes and returns the oldest bytes, `limit` at most. */
  take(limit: number): Uint8Array {
    const bytes = this.#copy(Math.min(limit, this.#length));
    this.#first = (this.#first + bytes.length) % RING_BYTES;
    this.#length -= bytes.length;
    return bytes;
  }

  /** Puts back bytes that were taken last, at most 16; the next `take` gives them again. */
  giveBack(taken: readonly number[]): void {
    const bytes = taken.slice(0, RING_BYTES - this.#length);
    this.#first = (this.#first + RING_BYTES - bytes.length) % RING_BYTES;
    for (const [i, byte] of bytes.entries()) this.#ring[(this.#first + i) % RING_BYTES] = byte;
    this.#length += bytes.length;
  }

  /**
   * Asks the host for more if it has some and there is room. Call it when the device's state is
   * consistent.
   */
  refill(): void {
    if (!this.#refused || this.#length > INPUT_LOW_BYTES) return;
    this.#refused = false;
    this.#ready?.();
  }

  /** All waiting bytes, for saving. */
  contents(): number[] {
    return [...this.#copy(this.#length)];
  }

  /** Replaces all waiting bytes; what does not fit is dropped. */
  replace(bytes: readonly number[]): void {
    this.#first = 0;
    this.#length = 0;
    this.giveBack(bytes.slice(0, RING_BYTES));
  }

  #copy(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.#ring[(this.#first + i) % RING_BYTES] ?? 0);
  }
}

/** Output on its way to the host, gathered until it is 4 KiB or a millisecond old. */
export class SerialOutput {
  readonly #clock: Clock;
  readonly #output: (bytes: Uint8Array) => void;
  #buffer = new Uint8Array(OUTPUT_BYTES);
  #length = 0;
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, output: (bytes: Uint8Array) => void) {
    this.#clock = clock;
    this.#output = output;
  }

  put(byte: number): void {
    this.#buffer[this.#length++] = byte;
    if (this.#length === OUTPUT_BYTES) this.flush();
    else
      this.#timer ??= this.#clock.schedule(this.#clock.monotonic() + OUTPUT_DELAY_NS, () =>
        this.flush(),
      );
  }

  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#length === 0) return;
    const bytes = this.#buffer.slice(0, this.#length);
    this.#length = 0;
    this.#output(bytes);
  }
}
