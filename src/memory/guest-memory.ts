// A guest's RAM as devices and loaders see it: bounds-checked, little-endian access by guest
// physical address.
//
// RAM is one range [base, base + size) kept at `hostOffset` of the VM's shared memory. Nothing here
// throws: an access outside RAM answers `undefined` or `false`, because addresses come from the
// guest. Whoever writes through a view of `bytes` calls `wrote` afterwards, so that translations of
// code in those pages are dropped; the write methods do it themselves. The atomic methods order one
// vCPU's ring index against data written before it.

/**
 * RAM of a VM. Addresses and lengths are integers below 2^53; anything else counts as outside RAM.
 */
export class GuestMemory {
  /** First guest physical address. */
  readonly base: number;
  /** Bytes of RAM. */
  readonly size: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #halfwords: Uint16Array;
  readonly #onWrite: ((address: number, length: number) => void) | undefined;

  /**
   * `hostOffset` and `base` are multiples of 8; `onWrite` hears of every change made through this
   * object.
   */
  constructor(
    buffer: ArrayBufferLike,
    hostOffset: number,
    base: number,
    size: number,
    onWrite?: (address: number, length: number) => void,
  ) {
    this.base = base;
    this.size = size;
    this.#bytes = new Uint8Array(buffer, hostOffset, size);
    this.#view = new DataView(buffer, hostOffset, size);
    this.#halfwords = new Uint16Array(buffer, hostOffset, size >>> 1);
    this.#onWrite = onWrite;
  }

  /** Offset in RAM of `length` bytes at `address`, or -1 when any of them is outside. */
  #offset(address: number, length: number): number {
    const offset = address - this.base;
    return offset >= 0 && length >= 0 && offset + length <= this.size ? offset : -1;
  }

  /** Whether `length` bytes at `address` are all RAM. */
  contains(address: number, length: number): boolean {
    return this.#offset(address, length) >= 0;
  }

  /** A live view of `length` bytes at `address`; undefined if any of them is outside RAM. */
  bytes(address: number, length: number): Uint8Array | undefined {
    const offset = this.#offset(address, length);
    return offset < 0 ? undefined : this.#bytes.subarray(offset, offset + length);
  }

  /** Announces that `length` bytes at `address` were changed through a view. */
  wrote(address: number, length: number): void {
    if (length > 0) this.#onWrite?.(address, length);
  }

  /** Copies `source` to `address`; false, and nothing written, if any byte is outside RAM. */
  write(address: number, source: Uint8Array): boolean {
    const target = this.bytes(address, source.length);
    if (target === undefined) return false;
    target.set(source);
    this.wrote(address, source.length);
    return true;
  }

  read8(address: number): number | undefined {
    const offset = this.#offset(address, 1);
    return offset < 0 ? undefined : this.#view.getUint8(offset);
  }

  read16(address: number): number | undefined {
    const offset = this.#offset(address, 2);
    return offset < 0 ? undefined : this.#view.getUint16(offset, true);
  }

  read32(address: number): number | undefined {
    const offset = this.#offset(address, 4);
    return offset < 0 ? undefined : this.#view.getUint32(offset, true);
  }

  read64(address: number): bigint | undefined {
    const offset = this.#offset(address, 8);
    return offset < 0 ? undefined : this.#view.getBigUint64(offset, true);
  }

  write8(address: number, value: number): boolean {
    const offset = this.#offset(address, 1);
    if (offset < 0) return false;
    this.#view.setUint8(offset, value);
    this.wrote(address, 1);
    return true;
  }

  write16(address: number, value: number): boolean {
    const offset = this.#offset(address, 2);
    if (offset < 0) return false;
    this.#view.setUint16(offset, value, true);
    this.wrote(address, 2);
    return true;
  }

  write32(address: number, value: number): boolean {
    const offset = this.#offset(address, 4);
    if (offset < 0) return false;
    this.#view.setUint32(offset, value, true);
    this.wrote(address, 4);
    return true;
  }

  write64(address: number, value: bigint): boolean {
    const offset = this.#offset(address, 8);
    if (offset < 0) return false;
    this.#view.setBigUint64(offset, value, true);
    this.wrote(address, 8);
    return true;
  }

  /**
   * Reads 16 bits; what other agents wrote before their atomic store of this value is visible
   * afterwards.
   */
  atomicRead16(address: number): number | undefined {
    const offset = this.#offset(address, 2);
    return offset < 0 || offset % 2 !== 0 ? undefined : Atomics.load(this.#halfwords, offset / 2);
  }

  /** Writes 16 bits after everything written before; false if outside RAM or misaligned. */
  atomicWrite16(address: number, value: number): boolean {
    const offset = this.#offset(address, 2);
    if (offset < 0 || offset % 2 !== 0) return false;
    Atomics.store(this.#halfwords, offset / 2, value);
    this.wrote(address, 2);
    return true;
  }
}
