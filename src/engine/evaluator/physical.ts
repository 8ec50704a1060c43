// Guest-physical memory as the evaluator sees it: RAM and devices by address, one access at a time.
//
// Addresses are numbers; a caller asks `has` or `isRam` before it reads or writes. Values are unsigned. Atomic
// operations are real ones, because other vCPUs of the VM may run at the same time.

import { assert } from '../../std/assert.ts';
import type { RmwKind, Width } from '../../ir/node.ts';
import type { BusAccessSize } from '../../memory/bus.ts';
import type { ExecutorOptions } from '../executor.ts';

const atomics = {
  add: Atomics.add,
  and: Atomics.and,
  or: Atomics.or,
  xor: Atomics.xor,
  xchg: Atomics.exchange,
} as const satisfies Record<RmwKind, unknown>;

const narrow = (value: bigint): number => Number(BigInt.asIntN(32, value));

export class PhysicalMemory {
  readonly #options: ExecutorOptions;
  readonly #view: DataView;
  readonly #narrow: { readonly [W in 8 | 16 | 32]: Int8Array | Int16Array | Int32Array };
  readonly #i64: BigInt64Array;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#view = new DataView(options.memory.buffer);
    const { buffer } = options.memory;
    this.#narrow = {
      8: new Int8Array(buffer),
      16: new Int16Array(buffer),
      32: new Int32Array(buffer),
    };
    this.#i64 = new BigInt64Array(options.memory.buffer);
  }

  /** Whether a byte is RAM. RAM is whole pages, so the page's other bytes are then RAM too. */
  isRam(address: number): boolean {
    const distance = address - this.#options.ramBase;
    return distance >= 0 && distance < this.#options.places.ramBytes;
  }

  /** Whether RAM or a device answers an access that does not cross a page. */
  has(address: number, size: number): boolean {
    return this.isRam(address) || this.#options.bus.find(address, size) !== undefined;
  }

  #host(address: number): number {
    return this.#options.places.ram + address - this.#options.ramBase;
  }

  load(address: number, size: BusAccessSize): bigint {
    if (!this.isRam(address)) return this.#options.bus.read(address, size);
    const host = this.#host(address);
    if (size === 8) return this.#view.getBigUint64(host, true);
    if (size === 4) return BigInt(this.#view.getUint32(host, true));
    return BigInt(size === 2 ? this.#view.getUint16(host, true) : this.#view.getUint8(host));
  }

  store(address: number, size: BusAccessSize, value: bigint): void {
    const bits = BigInt.asUintN(8 * size, value);
    if (!this.isRam(address)) return this.#options.bus.write(address, size, bits);
    const host = this.#host(address);
    if (size === 8) this.#view.setBigUint64(host, bits, true);
    else if (size === 4) this.#view.setUint32(host, Number(bits), true);
    else if (size === 2) this.#view.setUint16(host, Number(bits), true);
    else this.#view.setUint8(host, Number(bits));
  }

  /** Index of an atomic access in the array of its width. */
  #index(width: Width, address: number): number {
    const index = this.#host(address) / (width / 8);
    assert(Number.isInteger(index), `an atomic access at ${address} is misaligned`);
    return index;
  }

  rmw(kind: RmwKind, width: Width, address: number, value: bigint): bigint {
    const index = this.#index(width, address);
    const old =
      width === 64
        ? atomics[kind](this.#i64, index, value)
        : BigInt(atomics[kind](this.#narrow[width], index, narrow(value)));
    return BigInt.asUintN(width, old);
  }

  cas(width: Width, address: number, expected: bigint, replacement: bigint): bigint {
    const index = this.#index(width, address);
    if (width === 64) {
      return BigInt.asUintN(64, Atomics.compareExchange(this.#i64, index, expected, replacement));
    }
    const cells = this.#narrow[width];
    const old = Atomics.compareExchange(cells, index, narrow(expected), narrow(replacement));
    return BigInt.asUintN(width, BigInt(old));
  }

  /** An atomic access to any word orders those around it. */
  fence(): void {
    Atomics.or(this.#narrow[32], 0, 0);
  }
}
