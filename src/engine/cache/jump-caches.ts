// The jump caches of a VM's vCPUs as the code cache sees them: forgotten in groups, and asked where a vCPU is.
//
// Generated code (interpreter/joints.ts) looks entries up by the address alone. Those of a virtual page lie together;
// pages whose numbers are equal modulo 64 form a group, so that a set of groups is a 64-bit number.

import { jumpCache, vcpu } from '../../isa/shared/vcpu.ts';

/** Entries of a virtual page. */
const OF_PAGE = 64;
const GROUPS = 64;
const PAGES = jumpCache.entries / OF_PAGE;
const PAGE_BYTES = OF_PAGE * jumpCache.entryBytes;

export class JumpCaches {
  readonly #vcpus: readonly number[];
  readonly #bytes: Uint8Array;
  readonly #i32: Int32Array;

  constructor(memory: WebAssembly.Memory, vcpus: readonly number[]) {
    this.#vcpus = vcpus;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
  }

  /** Empties the groups whose bits are set in two halves of 32 bits. */
  flush(low: number, high: number): void {
    for (let group = 0; group < GROUPS; group++) {
      const half = group < 32 ? low : high;
      if (((half >>> (group % 32)) & 1) === 1) this.#flushGroup(group);
    }
  }

  #flushGroup(group: number): void {
    for (const cpu of this.#vcpus) {
      for (let page = group % PAGES; page < PAGES; page += GROUPS) {
        const start = cpu + jumpCache.offset + page * PAGE_BYTES;
        this.#bytes.fill(0xff, start, start + PAGE_BYTES);
      }
    }
  }

  /** Blocks that vCPUs go on at, as far as their jump caches know. */
  running(): readonly number[] {
    return this.#vcpus.map((cpu) => this.#blockOf(cpu)).filter((ip) => ip !== 0);
  }

  #blockOf(cpu: number): number {
    const pc = (cpu + vcpu.pc.offset) >>> 2;
    const [low, high] = [this.#i32[pc]!, this.#i32[pc + 1]!];
    const page = (low >>> 12) % PAGES;
    const within = ((low >>> 1) ^ (low >>> 7)) % OF_PAGE;
    const entry =
      (cpu + jumpCache.offset + page * PAGE_BYTES + within * jumpCache.entryBytes) >>> 2;
    const tag = this.#i32[(cpu + vcpu.fetchTag.offset) >>> 2]!;
    const isFor = this.#i32[entry] === low && this.#i32[entry + 1] === high;
    const isInForce = (this.#i32[entry + 2]! & (2 ** jumpCache.tagBits - 1)) === tag;
    return isFor && isInForce ? this.#i32[entry + 3]! >>> 0 : 0;
  }
}
