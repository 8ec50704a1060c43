// Copy-on-write: a disk that reads as its base until it is written, and keeps what is written in a
// delta.
//
// The disk is divided into blocks of equal size (the last may be cut short). Each is BASE (read
// from the base), STORED (wholly in the delta) or ZERO (reads as zeros, stored nowhere). The first
// write to part of a block completes it from the base. Invariants: the base is never written; a
// block becomes STORED only after its data is in the delta; writes that change a block's state run
// one at a time, so that two of them cannot complete the same block.

import type { BlockStore } from './store.ts';

/** State of a block in the map of a delta. */
export const BLOCK = { base: 0, stored: 1, zero: 2 } as const;
type BlockState = (typeof BLOCK)[keyof typeof BLOCK];

/**
 * Where an overlay keeps what differs from its base. Data of a block is at the block's own offset.
 */
export interface OverlayDelta {
  /** Bytes of a block; a power of 2, 512 at least. */
  readonly blockBytes: number;
  /** State of each block; the overlay changes it and says so by `changed`. */
  readonly map: Uint8Array;
  /** Reads a range within STORED blocks. */
  read(offset: number, target: Uint8Array): Promise<void>;
  /** Writes a range; the map changes afterwards. */
  write(offset: number, source: Uint8Array): Promise<void>;
  /** The states of `count` blocks from `first` on were changed. */
  changed(first: number, count: number): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const BLOCK_BYTES_MIN = 4096;
const BLOCKS_MAX = 2 ** 24;

/**
 * A block size for a disk of `size` bytes: 4 KiB, the block of guest file systems, unless the map
 * grew too large.
 */
export function overlayBlockBytes(size: number): number {
  let bytes = BLOCK_BYTES_MIN;
  while (size / bytes > BLOCKS_MAX) bytes *= 2;
  return bytes;
}

/** A disk with the contents of `base` that keeps changes in `delta`. Closing it closes both. */
export function overlay(base: BlockStore, delta: OverlayDelta): BlockStore {
  return new Overlay(base, delta);
}

class Overlay implements BlockStore {
  readonly size: number;
  readonly readOnly = false;
  readonly #base: BlockStore;
  readonly #delta: OverlayDelta;
  /** Settles when the last state-changing write has. */
  #last: Promise<void> = Promise.resolve();

  constructor(base: BlockStore, delta: OverlayDelta) {
    this.size = base.size;
    this.#base = base;
    this.#delta = delta;
  }

  async read(offset: number, target: Uint8Array): Promise<void> {
    let done = 0;
    const reads: Promise<void>[] = [];
    for (const { state, bytes } of this.#runs(offset, target.length)) {
      const part = target.subarray(done, done + bytes);
      if (state === BLOCK.base) reads.push(this.#base.read(offset + done, part));
      else if (state === BLOCK.stored) reads.push(this.#delta.read(offset + done, part));
      else part.fill(0);
      done += bytes;
    }
    await Promise.all(reads);
  }

  async write(offset: number, source: Uint8Array): Promise<void> {
    const runs = this.#runs(offset, source.length);
    if (runs.every(({ state }) => state === BLOCK.stored)) await this.#delta.write(offset, source);
    else await this.#exclusively(() => this.#store(offset, source));
  }

  async zero(offset: number, length: number): Promise<void> {
    await this.#exclusively(() => this.#zero(offset, length));
  }

  async flush(): Promise<void> {
    await this.#delta.flush();
  }

  async close(): Promise<void> {
    await this.#exclusively(() => this.#delta.close());
    await this.#base.close();
  }

  /** The range as runs of bytes in blocks of one state. */
  #runs(offset: number, length: number): { state: BlockState; bytes: number }[] {
    const { blockBytes, map } = this.#delta;
    const end = offset + length;
    const runs: { state: BlockState; bytes: number }[] = [];
    for (let at = offset; at < end;) {
      let block = Math.floor(at / blockBytes);
      const state = (map[block] ?? BLOCK.base) as BlockState;
      while (map[block] === state && block * blockBytes < end) block++;
      const runEnd = Math.min(end, block * blockBytes);
      runs.push({ state, bytes: runEnd - at });
      at = runEnd;
    }
    return runs;
  }

  /** Writes a range, completing blocks at its ends that are not stored yet. */
  async #store(offset: number, source: Uint8Array): Promise<void> {
    const { blockBytes, map } = this.#delta;
    const end = offset + source.length;
    const first = Math.floor(offset / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const lastEnd = Math.min((last + 1) * blockBytes, this.size);
    const from = map[first] === BLOCK.stored ? offset : first * blockBytes;
    const to = map[last] === BLOCK.stored ? end : lastEnd;
    let data = source;
    if (from !== offset || to !== end) {
      data = new Uint8Array(to - from);
      await this.read(from, data.subarray(0, offset - from));
      data.set(source, offset - from);
      await this.read(end, data.subarray(end - from));
    }
    await this.#delta.write(from, data);
    map.fill(BLOCK.stored, first, last + 1);
    this.#delta.changed(first, last + 1 - first);
  }

  async #zero(offset: number, length: number): Promise<void> {
    const { blockBytes, map } = this.#delta;
    const end = offset + length;
    const first = Math.ceil(offset / blockBytes);
    const last = end === this.size ? Math.ceil(end / blockBytes) : Math.floor(end / blockBytes);
    if (first >= last) {
      await this.#zeroPart(offset, length);
      return;
    }
    await this.#zeroPart(offset, first * blockBytes - offset);
    map.fill(BLOCK.zero, first, last);
    this.#delta.changed(first, last - first);
    await this.#zeroPart(last * blockBytes, end - last * blockBytes);
  }

  /** Zeroes a range that covers no whole block. */
  async #zeroPart(offset: number, length: number): Promise<void> {
    if (length <= 0 || this.#runs(offset, length).every(({ state }) => state === BLOCK.zero))
      return;
    await this.#store(offset, new Uint8Array(length));
  }

  /** Runs `work` after all work given here before. */
  async #exclusively(work: () => Promise<void>): Promise<void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      await work();
    } finally {
      resolve();
    }
  }
}
