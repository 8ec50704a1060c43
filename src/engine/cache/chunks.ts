// The arena of decoded blocks, cut into chunks of equal size that are taken and given back one by one.
//
// A chunk that may still be executed is buried; it can be taken again after the next safe point, when no code of the VM
// is executing. Invariant: a chunk is free, buried or in use by one owner.

/** Bytes of a chunk: 128 records. Most pages of code need few; what is left over in the last one is wasted. */
export const CHUNK = 4096;

export class Chunks {
  readonly #free: number[] = [];
  #buried: number[] = [];
  readonly #total: number;

  /** `start` is a host offset, a multiple of CHUNK; `bytes` is rounded down to one. */
  constructor(start: number, bytes: number) {
    this.#total = Math.floor(bytes / CHUNK);
    for (let i = this.#total - 1; i >= 0; i--) this.#free.push(start + i * CHUNK);
  }

  get bytes(): number {
    return this.#total * CHUNK;
  }

  /** Chunks that can be taken now. */
  get free(): number {
    return this.#free.length;
  }

  /** Bytes of all chunks that cannot be taken now. */
  get usedBytes(): number {
    return (this.#total - this.#free.length) * CHUNK;
  }

  /** Host offset of a chunk, whose content is anything; undefined if there is none. */
  take(): number | undefined {
    return this.#free.pop();
  }

  /** Gives chunks back that may still be executed. */
  bury(chunks: readonly number[]): void {
    for (const chunk of chunks) this.#buried.push(chunk);
  }

  /** Frees what was buried. Only while no code of the VM is executing. */
  exhume(): void {
    if (this.#buried.length === 0) return;
    for (const chunk of this.#buried) this.#free.push(chunk);
    this.#buried = [];
  }
}
