// Split virtqueue, the device's side: VIRTIO 1.2, section 2.7 (layout), 2.7.5.3 (indirect), 2.7.7
// and 2.7.10 (events).
//
// `pop` takes the next available descriptor chain, `complete` of the chain puts it into the used
// ring and interrupts if the driver wants to know. Everything in the rings is the guest's to get
// wrong: an address outside RAM, a loop, a chain that is too long, a readable buffer behind a
// writable one, an index that jumps. The queue then breaks: it tells its transport and answers
// nothing until it is reset. Nothing throws, and every loop is bounded. Invariant: a chain belongs
// to one generation of its queue; after a reset of the queue it touches no guest memory.

import type { GuestMemory } from '../../memory/guest-memory.ts';

/** Bytes of one descriptor and its flags (2.7.5). */
const DESCRIPTOR_BYTES = 16;
const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
/** Flag of the available ring: the driver wants no interrupts (2.7.6). */
const NO_INTERRUPT = 1;
/** Buffers that a chain may have in total, where its queue has fewer descriptors. */
const CHAIN_BUFFERS = 1024;
/** Bytes that a chain may have in total (2.7.5.2). */
const CHAIN_BYTES = 2 ** 32;

/** State of a queue that a snapshot keeps. Addresses are guest physical. */
export interface QueueState {
  size: number;
  ready: boolean;
  descriptors: number;
  available: number;
  used: number;
  /** Position in the available ring of the next chain, modulo 2^16. */
  next: number;
  /** Position in the used ring of the next completion, modulo 2^16. */
  usedIndex: number;
}

/** What a queue needs from its transport. */
export interface QueueHost {
  readonly memory: GuestMemory;
  /** Whether buffers may be taken: the driver is up and the device has not failed. */
  ready(): boolean;
  /** Whether event indexes were agreed on. */
  eventIndex(): boolean;
  /** Whether indirect descriptors were agreed on. */
  indirect(): boolean;
  /** A buffer was used and the driver wants to know. */
  interrupt(): void;
  /** The driver broke the rules of the queue. */
  broken(): void;
}

interface Buffer {
  readonly address: number;
  readonly length: number;
}

/** A queue. */
export class Virtqueue {
  readonly sizeMax: number;
  state: QueueState;
  /** Counts resets, so that chains of earlier times are recognised. */
  generation = 0;
  readonly host: QueueHost;
  #broken = false;

  /** `sizeMax` is a power of 2. */
  constructor(sizeMax: number, host: QueueHost) {
    this.sizeMax = sizeMax;
    this.host = host;
    this.state = initialQueueState(this.sizeMax);
  }

  /** Forgets everything; chains popped before are dead. */
  reset(): void {
    this.state = initialQueueState(this.sizeMax);
    this.stop();
  }

  /** Takes no more chains; chains popped before are dead. */
  stop(): void {
    this.state.ready = false;
    this.#broken = false;
    this.generation++;
  }

  /** Begins to work if the rings are well placed, otherwise breaks. */
  start(): void {
    const { size, descriptors, available, used } = this.state;
    const { memory } = this.host;
    this.state.ready = true;
    const fine =
      size > 0 &&
      (size & (size - 1)) === 0 &&
      descriptors % 16 === 0 &&
      available % 2 === 0 &&
      used % 4 === 0 &&
      memory.contains(descriptors, size * DESCRIPTOR_BYTES) &&
      memory.contains(available, 6 + 2 * size) &&
      memory.contains(used, 6 + 8 * size);
    if (!fine) this.break();
  }

  /** Continues from a saved state. */
  resume(state: QueueState): void {
    this.stop();
    this.state = state;
    if (state.ready) this.start();
  }

  break(): void {
    this.#broken = true;
    this.host.broken();
  }

  /** The next available chain; undefined if there is none, or the queue is not ready or broken. */
  pop(): Chain | undefined {
    if (!this.#hasAvailable()) return undefined;
    const { state, host } = this;
    const slot = state.available + 4 + 2 * (state.next % state.size);
    const head = host.memory.read16(slot) ?? state.size;
    state.next = (state.next + 1) & 0xffff;
    return this.chainAt(head);
  }

  /**
   * The chain that begins with descriptor `head`: one that was popped and not completed before a
   * snapshot.
   */
  chainAt(head: number): Chain | undefined {
    if (!this.state.ready || this.#broken || !this.host.ready()) return undefined;
    const chain = walk(this, head);
    if (chain === undefined) this.break();
    return chain;
  }

  /** Puts a finished chain into the used ring (2.7.8). */
  use(head: number, written: number): void {
    const { state, host } = this;
    const { memory } = host;
    if (!state.ready || this.#broken) return;
    const element = state.used + 4 + 8 * (state.usedIndex % state.size);
    memory.write32(element, head);
    memory.write32(element + 4, written);
    state.usedIndex = (state.usedIndex + 1) & 0xffff;
    memory.atomicWrite16(state.used + 2, state.usedIndex);
    if (this.#wantsInterrupt()) host.interrupt();
  }

  #hasAvailable(): boolean {
    const { state, host } = this;
    if (!state.ready || this.#broken || !host.ready()) return false;
    if (this.#waiting() > 0) return !this.#broken;
    if (!host.eventIndex()) return false;
    // Ask for a notification of the next chain, then look again: it may have come in between.
    host.memory.atomicWrite16(state.used + 4 + 8 * state.size, state.next);
    return this.#waiting() > 0 && !this.#broken;
  }

  /** How many chains are available; more than the queue holds breaks it. */
  #waiting(): number {
    const { state, host } = this;
    const index = host.memory.atomicRead16(state.available + 2) ?? state.next;
    const count = (index - state.next) & 0xffff;
    if (count > state.size) this.break();
    return count;
  }

  #wantsInterrupt(): boolean {
    const { state, host } = this;
    if (host.eventIndex()) {
      const event = host.memory.atomicRead16(state.available + 4 + 2 * state.size) ?? 0;
      return ((state.usedIndex - 1) & 0xffff) === event;
    }
    return ((host.memory.atomicRead16(state.available) ?? 0) & NO_INTERRUPT) === 0;
  }
}

/** A chain of buffers: first those the device reads, then those it writes, each a run of bytes. */
export class Chain {
  /** Number of its first descriptor. */
  readonly head: number;
  /** Bytes that the device may read, and bytes that it may write. */
  readonly readableBytes: number;
  readonly writableBytes: number;
  readonly #queue: Virtqueue;
  readonly #generation: number;
  readonly #readable: readonly Buffer[];
  readonly #writable: readonly Buffer[];

  constructor(
    queue: Virtqueue,
    head: number,
    readable: readonly Buffer[],
    writable: readonly Buffer[],
  ) {
    this.head = head;
    this.#queue = queue;
    this.#generation = queue.generation;
    this.#readable = readable;
    this.#writable = writable;
    this.readableBytes = readable.reduce((sum, { length }) => sum + length, 0);
    this.writableBytes = writable.reduce((sum, { length }) => sum + length, 0);
  }

  /** Whether its queue has not been reset since: only then may it be written and completed. */
  get live(): boolean {
    return this.#generation === this.#queue.generation;
  }

  /** Copies readable bytes from `offset` on into `target`; returns how many there were. */
  read(offset: number, target: Uint8Array): number {
    if (!this.live) return 0;
    const { memory } = this.#queue.host;
    return eachPiece(this.#readable, offset, target.length, (address, length, at) => {
      const bytes = memory.bytes(address, length);
      if (bytes) target.set(bytes, at);
    });
  }

  /** Copies `source` to the writable bytes from `offset` on; returns how many fitted. */
  write(offset: number, source: Uint8Array): number {
    if (!this.live) return 0;
    const { memory } = this.#queue.host;
    return eachPiece(this.#writable, offset, source.length, (address, length, at) => {
      memory.write(address, source.subarray(at, at + length));
    });
  }

  /** Gives the chain back to the driver, `written` bytes of it having been written. */
  complete(written: number): void {
    if (this.live) this.#queue.use(this.head, written);
  }
}

/**
 * Calls `visit` for each contiguous part of `length` bytes at `offset` of `buffers`; returns the
 * bytes visited.
 */
function eachPiece(
  buffers: readonly Buffer[],
  offset: number,
  length: number,
  visit: (address: number, length: number, at: number) => void,
): number {
  let skip = offset;
  let done = 0;
  for (const buffer of buffers) {
    if (done === length) break;
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    const piece = Math.min(buffer.length - skip, length - done);
    visit(buffer.address + skip, piece, done);
    done += piece;
    skip = 0;
  }
  return done;
}

const initialQueueState = (size: number): QueueState => ({
  size,
  ready: false,
  descriptors: 0,
  available: 0,
  used: 0,
  next: 0,
  usedIndex: 0,
});

/** Follows the chain from descriptor `head`; undefined if it breaks a rule. */
function walk(queue: Virtqueue, head: number): Chain | undefined {
  const { memory } = queue.host;
  const readable: Buffer[] = [];
  const writable: Buffer[] = [];
  const limit = Math.max(queue.state.size, CHAIN_BUFFERS);
  let table = queue.state.descriptors;
  let tableSize = queue.state.size;
  let index = head;
  let indirect = false;
  let bytes = 0;
  for (let seen = 0; seen <= limit; seen++) {
    if (index >= tableSize) return undefined;
    const descriptor = readDescriptor(memory, table + index * DESCRIPTOR_BYTES);
    if (descriptor === undefined) return undefined;
    const { address, length, flags } = descriptor;
    if ((flags & INDIRECT) !== 0) {
      const entries = length / DESCRIPTOR_BYTES;
      if (indirect || !queue.host.indirect() || (flags & NEXT) !== 0) return undefined;
      if (!Number.isInteger(entries) || entries === 0 || !memory.contains(address, length))
        return undefined;
      [table, tableSize, index, indirect] = [address, entries, 0, true];
      continue;
    }
    bytes += length;
    if (bytes > CHAIN_BYTES || !memory.contains(address, length)) return undefined;
    if ((flags & WRITE) !== 0) writable.push({ address, length });
    else if (writable.length > 0) return undefined;
    else readable.push({ address, length });
    if ((flags & NEXT) === 0) return new Chain(queue, head, readable, writable);
    index = descriptor.next;
  }
  return undefined;
}

function readDescriptor(memory: GuestMemory, at: number) {
  const low = memory.read32(at);
  const high = memory.read32(at + 4);
  const length = memory.read32(at + 8);
  const flags = memory.read16(at + 12);
  const next = memory.read16(at + 14);
  if (low === undefined || high === undefined || length === undefined) return undefined;
  if (flags === undefined || next === undefined) return undefined;
  return { address: high * 2 ** 32 + low, length, flags, next };
}
