// The guest's serial console as web streams, and a way to wait for text on it.
//
// Input waits until the guest takes it: nothing is lost while it boots. Output goes to every reader there is: the
// stream, and those who wait for a pattern. A stream that is being read loses nothing: when its reader falls behind
// by KEPT_BYTES, the guest has to wait (`congested`). Of output that nobody reads, the first KEPT_BYTES are kept.

import type { SerialBackend, SerialInstance } from '../device/serial.ts';
import { TimeoutError, VmStateError } from './errors.ts';

const KEPT_BYTES = 1024 * 1024;
/** A pattern is looked for in at least this many of the latest characters. */
const KEPT_TEXT = 256 * 1024;

export interface WaitOptions {
  /** Milliseconds to wait at most; for ever if absent. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** Calls back once after some milliseconds; gives a function that cancels it. */
export type Delay = (milliseconds: number, callback: () => void) => () => void;

interface Waiter {
  check(text: string): boolean;
  /** The VM ended. */
  end(): void;
}

export class VmConsole {
  /** What the guest prints. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the guest reads. A write is done when the guest's device has taken it. */
  readonly writable: WritableStream<Uint8Array>;
  /** For the serial device. */
  readonly backend: SerialBackend;
  readonly #delay: Delay;
  readonly #waiters = new Set<Waiter>();
  readonly #decoder = new TextDecoder();
  #serial: SerialInstance | undefined;
  #output: ReadableStreamDefaultController<Uint8Array> | undefined;
  #pending: Uint8Array | undefined;
  #drained: (() => void) | undefined;
  #seen = '';
  #ended = false;

  constructor(delay: Delay) {
    this.#delay = delay;
    this.backend = {
      output: (bytes) => this.#print(bytes),
      ready: () => this.#feed(),
    };
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: KEPT_BYTES });
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#output = controller),
        cancel: () => void (this.#output = undefined),
      },
      strategy,
    );
    this.writable = new WritableStream<Uint8Array>({ write: (bytes) => this.#accept(bytes) });
  }

  /** Joins the console to the device that carries it. */
  attach(serial: SerialInstance): void {
    this.#serial = serial;
    this.#feed();
  }

  /** Whether somebody reads the output and has fallen behind, so that the guest must wait. */
  get congested(): boolean {
    const room = this.#output?.desiredSize ?? 1;
    return room <= 0 && this.readable.locked && !this.#ended;
  }

  /** Resolves with the text up to and including the match, counted from the last match. */
  waitFor(pattern: string | RegExp, options: WaitOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        this.#waiters.delete(waiter);
        cancel();
        options.signal?.removeEventListener('abort', abort);
        act();
      };
      const waiter: Waiter = {
        check: (text) => {
          const end = endOfMatch(pattern, text);
          if (end === undefined) return false;
          this.#seen = text.slice(end);
          done(() => resolve(text.slice(0, end)));
          return true;
        },
        end: () => fail(endedError(pattern)),
      };
      const fail = (error: Error): void => done(() => reject(error));
      const abort = (): void => fail(options.signal?.reason as Error);
      const { timeout } = options;
      const cancel =
        timeout === undefined
          ? () => undefined
          : this.#delay(timeout, () => fail(timeoutError(pattern, timeout, this.#seen)));
      if (options.signal?.aborted === true) return abort();
      options.signal?.addEventListener('abort', abort);
      this.#waiters.add(waiter);
      if (!waiter.check(this.#seen) && this.#ended) waiter.end();
      return undefined;
    });
  }

  /** No more output will come. */
  end(): void {
    if (this.#ended) return;
    this.#serial?.flush();
    this.#ended = true;
    for (const waiter of this.#waiters) waiter.end();
    this.#drained?.();
    this.#output?.close();
  }

  #print(bytes: Uint8Array): void {
    if (this.#ended) return;
    // A stream that nobody reads must not grow without bound: beyond its mark, output is dropped.
    const room = this.#output?.desiredSize ?? 0;
    if (room > 0 || this.readable.locked) this.#output?.enqueue(bytes);
    this.#seen += this.#decoder.decode(bytes, { stream: true });
    if (this.#seen.length > 2 * KEPT_TEXT) this.#seen = this.#seen.slice(-KEPT_TEXT);
    for (const waiter of this.#waiters) waiter.check(this.#seen);
  }

  #accept(bytes: Uint8Array): Promise<void> {
    if (this.#ended) throw new VmStateError('the VM has ended; its console takes no more input');
    return new Promise((resolve) => {
      this.#pending = bytes;
      this.#drained = resolve;
      this.#feed();
    });
  }

  #feed(): void {
    if (this.#pending === undefined || this.#serial === undefined) return;
    const taken = this.#serial.receive(this.#pending);
    this.#pending = this.#pending.subarray(taken);
    if (this.#pending.length > 0) return;
    this.#pending = undefined;
    this.#drained?.();
  }
}

function endOfMatch(pattern: string | RegExp, text: string): number | undefined {
  if (typeof pattern === 'string') {
    const at = text.indexOf(pattern);
    return at < 0 ? undefined : at + pattern.length;
  }
  const match = new RegExp(pattern, pattern.flags.replaceAll(/[gy]/g, '')).exec(text);
  return match === null ? undefined : match.index + match[0].length;
}

const timeoutError = (
  pattern: string | RegExp,
  milliseconds: number,
  seen: string,
): TimeoutError => {
  const tail = JSON.stringify(seen.slice(-200));
  return new TimeoutError(
    `the guest did not print ${String(pattern)} within ${milliseconds} ms; last came ${tail}`,
  );
};

const endedError = (pattern: string | RegExp): VmStateError =>
  new VmStateError(`the VM ended before the guest printed ${String(pattern)}`);
