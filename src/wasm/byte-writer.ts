/**
 * A growing byte buffer with the primitive encodings of the WebAssembly binary format
 * (WebAssembly Core Specification 2.0, section 5.2): LEB128 integers in their shortest form,
 * IEEE 754 numbers, names, and sections prefixed with their size. It is the innermost loop of
 * every translation, so nothing here allocates except growing the buffer.
 */

import { assert } from '../std/assert.ts';

const scratch = new DataView(new ArrayBuffer(8));
const utf8 = new TextEncoder();

export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `capacity` is the first guess at the number of bytes that will be written. */
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** The number of bytes written. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  /** The bytes from `start` to `end`, valid until the next write. */
  view(start = 0, end = this.#length): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(start, end);
  }

  /** A copy of everything written. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  u8(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** An unsigned integer of 32 bits; `value` is taken modulo 2^32. */
  u32(value: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = rest | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed integer of 32 bits; `value` is taken modulo 2^32. */
  s32(value: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow(5);
    let rest = value | 0;
    while (rest < -0x40 || rest >= 0x40) {
      this.#bytes[this.#length++] = rest | 0x80;
      rest >>= 7;
    }
    this.#bytes[this.#length++] = rest & 0x7f;
  }

  /** A signed integer of 64 bits; `value` is taken modulo 2^64. */
  s64(value: bigint): void {
    scratch.setBigInt64(0, value, true);
    let low = scratch.getInt32(0, true);
    let high = scratch.getInt32(4, true);
    if (this.#length + 10 > this.#bytes.length) this.#grow(10);
    while (high !== low >> 31 || low < -0x40 || low >= 0x40) {
      this.#bytes[this.#length++] = low | 0x80;
      low = (low >>> 7) | (high << 25);
      high >>= 7;
    }
    this.#bytes[this.#length++] = low & 0x7f;
  }

  /** The payload of a NaN is not kept; a constant that needs one must be written as an integer. */
  f32(value: number): void {
    scratch.setFloat32(0, value, true);
    this.#scratch(4);
  }

  /** The payload of a NaN is not kept; a constant that needs one must be written as an integer. */
  f64(value: number): void {
    scratch.setFloat64(0, value, true);
    this.#scratch(8);
  }

  bytes(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
  }

  /** A vector of bytes: its length, then the bytes. */
  byteVector(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.bytes(bytes);
  }

  /** A name; nearly all are short and ASCII, which the platform's encoder is slow for. */
  name(text: string): void {
    const start = this.#length;
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.#length = start;
        this.byteVector(utf8.encode(text));
        return;
      }
      this.u8(unit);
    }
  }

  /**
   * Begins something that is preceded by its size in bytes: a section, a subsection, a code
   * entry. Give the result to {@link endSized} when its contents have been written.
   */
  beginSized(): number {
    this.u8(0);
    return this.#length;
  }

  endSized(start: number): void {
    const end = this.#length;
    const size = end - start;
    assert(size >= 0, 'endSized takes the result of beginSized');
    const extra = leb32Length(size) - 1;
    if (end + extra > this.#bytes.length) this.#grow(extra);
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, end);
    this.#length = start - 1;
    this.u32(size);
    this.#length = end + extra;
  }

  #scratch(size: number): void {
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    for (let i = 0; i < size; i++) this.#bytes[this.#length++] = scratch.getUint8(i);
  }

  #grow(extra: number): void {
    const capacity = Math.max(this.#bytes.length * 2, this.#length + extra);
    const bytes = new Uint8Array(capacity);
    bytes.set(this.view());
    this.#bytes = bytes;
  }
}

/** The number of bytes of an unsigned LEB128 integer below 2^32. */
function leb32Length(value: number): number {
  return value === 0 ? 1 : Math.ceil((32 - Math.clz32(value)) / 7);
}
