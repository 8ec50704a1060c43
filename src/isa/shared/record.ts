// Reads and writes the record of one vCPU by the fields that vcpu.ts and the guest architecture declare.
//
// For what runs outside generated code: reset, debuggers, snapshots, helpers, the evaluator.
// Invariants: little-endian, as WebAssembly stores; values are unsigned and of the field's width, and a wider value
// written is cut to it; register 0 of a file that has a zero register reads 0 and ignores writes.

import { assert } from '../../std/assert.ts';
import { type AnyRegisterFile, registerOffset, type StateField } from '../../ir/node.ts';
import type { VcpuState } from './isa.ts';
import { vcpuBytes } from './vcpu.ts';

/** The record at `offset` bytes of a memory. */
export class VcpuRecord implements VcpuState {
  readonly #view: DataView;

  /** `offset` is a multiple of 64. */
  constructor(buffer: ArrayBufferLike, offset: number) {
    assert(offset % 64 === 0, `the vCPU record at ${offset} is not 64-byte aligned`);
    this.#view = new DataView(buffer, offset, vcpuBytes);
  }

  get(field: StateField): bigint {
    const { type, offset } = field;
    return type === 'i32'
      ? BigInt(this.#view.getUint32(offset, true))
      : this.#view.getBigUint64(offset, true);
  }

  set(field: StateField, value: bigint): void {
    const { type, offset } = field;
    if (type === 'i32') this.#view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
    else this.#view.setBigUint64(offset, value, true);
  }

  /** Sets or clears bits of a 64-bit cell at once, so that no bit set by another thread is lost. */
  setBits(field: StateField, mask: bigint, on: boolean): void {
    const cells = new BigInt64Array(this.#view.buffer, this.#view.byteOffset + field.offset, 1);
    if (on) Atomics.or(cells, 0, BigInt.asIntN(64, mask));
    else Atomics.and(cells, 0, BigInt.asIntN(64, ~mask));
  }

  getRegister(file: AnyRegisterFile, index: number): bigint {
    const offset = checkedOffset(file, index);
    if (index === file.zero) return 0n;
    const low = this.#view.getBigUint64(offset, true);
    return file.type === 'i64' ? low : low | (this.#view.getBigUint64(offset + 8, true) << 64n);
  }

  setRegister(file: AnyRegisterFile, index: number, value: bigint): void {
    const offset = checkedOffset(file, index);
    if (index === file.zero) return;
    this.#view.setBigUint64(offset, value, true);
    if (file.type === 'v128') this.#view.setBigUint64(offset + 8, value >> 64n, true);
  }
}

function checkedOffset(file: AnyRegisterFile, index: number): number {
  assert(index >= 0 && index < file.count, `there is no register ${file.name}${index}`);
  return registerOffset(file, index);
}
