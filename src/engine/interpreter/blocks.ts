// Decodes guest code into blocks of records in shared memory, finds them again by physical address, and forgets them
// when a guest or device writes to their page.
//
// A block begins where control arrives and goes on, past branches not taken, to the first instruction that always
// leaves, the end of the page, or BLOCK_LIMIT. An instruction that straddles two pages is a block of its own, bound
// to both pages. Where translation holds for one access only (vcpu.uncached), a block is one instruction, not kept.
// Invariants: a page that holds a kept block has CODE set in its flags and is in no store TLB; records are reused
// only by `reset`, which runs while no block is executing.

import { assert } from '../../std/assert.ts';
import { CODE } from '../../memory/page-flags.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import { type Field, fieldValue, type Row } from '../../isa/shared/row.ts';
import { jumpCache, tlb, vcpu } from '../../isa/shared/vcpu.ts';
import { BLOCK_INDEX_ENTRIES } from '../places.ts';
import type { Handlers } from './handlers.ts';
import { BLOCK_LIMIT, header, operandPlaces, record } from './record.ts';

const PAGE = 4096;
/** Room that must be left in the arena so that running code can be decoded until the next safe point. */
const RESERVE = 64 * 1024;
const COUNT = 8;

/** Where things lie in the VM's shared memory: host offsets and sizes in bytes. */
export interface BlockPlaces {
  readonly blockIndex: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly ram: number;
  readonly ramBytes: number;
  readonly pageFlags: number;
  readonly vcpus: readonly number[];
}

/** What the blocks need of the vCPU that fetches. */
export interface Fetcher {
  /** Host offset of the instruction at vcpu.pc; 0 for a pending exception, 1 where there is no RAM. */
  fetch(cpu: number): number;
  /** Records the pending exception of a fetch that no RAM answers. */
  fetchFault(cpu: number): void;
}

interface Encoder {
  readonly field: Field;
  readonly place: number;
}

interface RowPlan {
  readonly handler: number;
  readonly encoders: readonly Encoder[];
  readonly ends: boolean;
}

export class Blocks {
  readonly #isa: Isa;
  readonly #handlers: Handlers;
  readonly #places: BlockPlaces;
  readonly #fetcher: Fetcher;
  readonly #bytes: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #plans = new Map<Row, RowPlan>();
  /** Block by half of the distance of its first instruction from the start of RAM. */
  readonly #byAddress = new Map<number, number>();
  /** Second page of blocks that straddle, by block. */
  readonly #secondPages = new Map<number, number>();
  /** Kept blocks by page number in RAM. */
  readonly #byPage = new Map<number, Set<number>>();
  #next: number;
  /** Hears of a block that is forgotten. */
  onForget: (ip: number) => void = () => {};
  /** Counts for statistics: instructions decoded, pages invalidated, look-ups that missed the jump cache. */
  readonly counts = { decoded: 0, invalidations: 0, lookups: 0, resets: 0 };

  constructor(
    isa: Isa,
    handlers: Handlers,
    memory: WebAssembly.Memory,
    places: BlockPlaces,
    fetcher: Fetcher,
  ) {
    this.#isa = isa;
    this.#handlers = handlers;
    this.#places = places;
    this.#fetcher = fetcher;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#u16 = new Uint16Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
    this.#next = places.arena;
  }

  /** Whether `reset` is due before the next decoding. */
  get isFull(): boolean {
    return this.#next + RESERVE > this.#places.arena + this.#places.arenaBytes;
  }

  /** Host offset of the first record of the block at vcpu.pc; 0 if the fetch raised an exception. */
  find(cpu: number): number {
    this.counts.lookups++;
    const host = this.#fetcher.fetch(cpu);
    if (host <= 1) {
      if (host === 1) this.#fetcher.fetchFault(cpu);
      return 0;
    }
    const keep = this.#i32[(cpu + vcpu.uncached.offset) >> 2] === 0;
    const straddles = (host & (PAGE - 1)) === PAGE - 2 && this.#lengthAt(host) === 4;
    if (straddles) return this.#findStraddling(cpu, host, keep);
    const known = keep ? this.#byAddress.get(this.#keyOf(host)) : undefined;
    const ip = known ?? this.#decode(host, keep);
    if (keep) this.#setIndex(host, ip);
    if (this.isFull) this.#i32[(cpu + vcpu.attention.offset) >> 2] = 1;
    return ip;
  }

  /** Forgets every block. Only while no block is executing. */
  reset(): void {
    for (const blocks of this.#byPage.values()) for (const ip of blocks) this.onForget(ip);
    this.counts.resets++;
    this.#next = this.#places.arena;
    this.#byAddress.clear();
    this.#secondPages.clear();
    for (const page of this.#byPage.keys()) this.#setCode(page, false);
    this.#byPage.clear();
    this.#bytes.fill(0, this.#places.blockIndex, this.#places.arena);
    this.#flushJumpCaches();
  }

  /** Host offset of the page that holds the whole block at vcpu.pc, if translated code may stand for it; else 0. */
  pageOf(ip: number): number {
    const head = (ip - record.bytes) >>> 2;
    return this.#i32[head + header.linkable / 4] === 1
      ? this.#i32[head + header.page / 4]! >>> 0
      : 0;
  }

  /** Where control has arrived in the page of a block, in bytes from the page's start. */
  arrivals(ip: number): number[] {
    const page = (this.#i32[(ip - record.bytes + 12) >>> 2]! * 2) >>> 12;
    const blocks = this.#byPage.get(page) ?? [];
    return Array.from(blocks, (at) => (this.#i32[(at - record.bytes + 12) >>> 2]! * 2) % PAGE);
  }

  /** The handler that runs when control arrives at the block. */
  handlerOf(ip: number): number {
    return this.#i32[ip >>> 2]!;
  }

  setHandler(ip: number, handler: number): void {
    this.#i32[ip >>> 2] = handler;
  }

  /** Forgets the blocks of the page at a host offset, whose bytes are about to change or have changed. */
  invalidate(host: number): void {
    const page = this.#pageOf(host);
    const blocks = this.#byPage.get(page);
    if (blocks === undefined) return;
    this.counts.invalidations++;
    this.#byPage.delete(page);
    this.#setCode(page, false);
    for (const ip of blocks) this.#forget(ip);
    this.#flushJumpCaches();
  }

  /** Whether a page of RAM, by host offset, holds kept blocks. */
  hasCode(host: number): boolean {
    return this.#bytes[this.#places.pageFlags + this.#pageOf(host)] !== 0;
  }

  /** Lets generated code find the block of an instruction; 0 for none. The index forgets what it has no room for. */
  #setIndex(host: number, ip: number): void {
    const slot = (host >>> 1) & (BLOCK_INDEX_ENTRIES - 1);
    const entry = (this.#places.blockIndex + slot * 8) >>> 2;
    this.#i32[entry] = ip === 0 ? 0 : host;
    this.#i32[entry + 1] = ip;
  }

  #pageOf(host: number): number {
    return (host - this.#places.ram) >>> 12;
  }

  #keyOf(host: number): number {
    return (host - this.#places.ram) / 2;
  }

  #lengthAt(host: number): 2 | 4 {
    return this.#isa.lengthOf(this.#u16[host >>> 1]!);
  }

  /** A block that is being executed goes on to its end; without links, it then leads nowhere old. */
  #forget(ip: number): void {
    this.onForget(ip);
    const head = (ip - record.bytes) >>> 2;
    const count = this.#i32[head + COUNT / 4]!;
    for (let i = 0; i <= count; i++) this.#i32[(ip + i * record.bytes + record.link) >>> 2] = 0;
    const key = this.#i32[head + 3]!;
    this.#byAddress.delete(key);
    this.#setIndex(this.#places.ram + key * 2, 0);
    this.#secondPages.delete(ip);
  }

  #flushJumpCaches(): void {
    for (const cpu of this.#places.vcpus) {
      const start = cpu + jumpCache.offset;
      this.#bytes.fill(0xff, start, start + jumpCache.entries * jumpCache.entryBytes);
    }
  }

  #setCode(page: number, code: boolean): void {
    this.#bytes[this.#places.pageFlags + page] = code ? CODE : 0;
  }

  /** Binds a kept block to a page of its instructions. */
  #keepIn(page: number, ip: number): void {
    const blocks = this.#byPage.get(page);
    if (blocks !== undefined) {
      blocks.add(ip);
      return;
    }
    this.#byPage.set(page, new Set([ip]));
    this.#setCode(page, true);
    const host = this.#places.ram + page * PAGE;
    for (const cpu of this.#places.vcpus) this.#purgeStores(cpu, host);
  }

  /** Takes a page out of a vCPU's store TLB. */
  #purgeStores(cpu: number, page: number): void {
    for (let i = 0; i < tlb.entries; i++) {
      const entry = (cpu + tlb.store + i * tlb.entryBytes) >>> 2;
      const base = (this.#i32[entry]! & -PAGE) + this.#i32[entry + 2]!;
      if (base >>> 0 === page) this.#i32.fill(-1, entry, entry + 2);
    }
  }

  #findStraddling(cpu: number, host: number, keep: boolean): number {
    const second = this.#fetchSecond(cpu);
    if (second <= 1) return 0;
    const uncached = this.#i32[(cpu + vcpu.uncached.offset) >> 2] !== 0;
    const known = this.#byAddress.get(this.#keyOf(host));
    if (known !== undefined && this.#secondPages.get(known) === second) return known;
    const word = (this.#u16[host >>> 1]! | (this.#u16[second >>> 1]! << 16)) >>> 0;
    const ip = this.#open(0, 0);
    this.#emit(ip, word, 0, 0);
    this.#close(ip, 1, 4, this.#keyOf(host));
    if (!keep || uncached) return ip;
    if (known !== undefined) this.#byPage.get(this.#pageOf(host))?.delete(known);
    this.#byAddress.set(this.#keyOf(host), ip);
    this.#secondPages.set(ip, second);
    this.#keepIn(this.#pageOf(host), ip);
    this.#keepIn(this.#pageOf(second), ip);
    return ip;
  }

  /** Fetches the half of a straddling instruction that lies in the next page; the fault is that page's. */
  #fetchSecond(cpu: number): number {
    const pc = (cpu + vcpu.pc.offset) >>> 2;
    const [low, high] = [this.#i32[pc]!, this.#i32[pc + 1]!];
    const nextLow = (low + 2) | 0;
    this.#i32[pc] = nextLow;
    if (nextLow === 0) this.#i32[pc + 1] = high + 1;
    const second = this.#fetcher.fetch(cpu);
    if (second === 1) this.#fetcher.fetchFault(cpu);
    this.#i32[pc] = low;
    this.#i32[pc + 1] = high;
    return second;
  }

  #decode(host: number, keep: boolean): number {
    const pageEnd = host - (host % PAGE) + PAGE;
    const ip = this.#open(host - (host % PAGE), keep ? 1 : 0);
    const limit = keep ? BLOCK_LIMIT : 1;
    let at = host;
    let count = 0;
    let ends = false;
    while (!ends && count < limit && at < pageEnd) {
      const length = this.#lengthAt(at);
      if (at + length > pageEnd) break;
      const low = this.#u16[at >>> 1]!;
      const word = length === 2 ? low : (low | (this.#u16[(at >>> 1) + 1]! << 16)) >>> 0;
      ends = this.#emit(ip + count * record.bytes, word, at - host, count);
      at += length;
      count++;
    }
    this.#close(ip, count, at - host, this.#keyOf(host));
    if (keep) {
      this.#byAddress.set(this.#keyOf(host), ip);
      this.#keepIn(this.#pageOf(host), ip);
    }
    return ip;
  }

  /** Begins a block; gives the host offset of its first record. */
  #open(page: number, linkable: number): number {
    const head = this.#next >>> 2;
    assert(
      this.#next + record.bytes * (BLOCK_LIMIT + 2) <= this.#places.arena + this.#places.arenaBytes,
      'the arena of blocks overflowed between two safe points',
    );
    this.#i32[head + header.page / 4] = page;
    this.#i32[head + header.linkable / 4] = linkable;
    return this.#next + record.bytes;
  }

  /** Ends a block of `count` instructions and `bytes` bytes with the record that goes on behind it. */
  #close(ip: number, count: number, bytes: number, key: number): void {
    const head = (ip - record.bytes) >>> 2;
    this.#i32[head + COUNT / 4] = count;
    this.#i32[head + 3] = key;
    this.#begin(ip + count * record.bytes, this.#handlers.fall, bytes, count, 0);
    this.counts.decoded += count;
    this.#next = ip + (count + 1) * record.bytes;
  }

  #begin(at: number, handler: number, distance: number, index: number, word: number): void {
    const i = at >>> 2;
    this.#i32[i] = handler;
    this.#i32[i + 1] = distance | (index << 16);
    this.#i32[i + record.link / 4] = 0;
    this.#i32[i + record.word / 4] = word;
  }

  /** Writes the record of an instruction; true if its block ends with it. */
  #emit(at: number, word: number, distance: number, index: number): boolean {
    const row = this.#isa.decode(word);
    if (row === undefined) {
      this.#begin(at, this.#handlers.illegal, distance, index, word);
      this.#number(at, word);
      return true;
    }
    const plan = this.#planOf(row);
    this.#begin(at, plan.handler, distance, index, word);
    for (const { field, place } of plan.encoders) {
      const value = fieldValue(field, word);
      if (field.kind === 'number') this.#number(at, value);
      else this.#u16[(at + place) >>> 1] = registerOffset(field, value);
    }
    return plan.ends;
  }

  #number(at: number, value: number): void {
    const i = (at + record.number) >>> 2;
    this.#i32[i] = value | 0;
    this.#i32[i + 1] = Math.floor(value / 2 ** 32);
  }

  #planOf(row: Row): RowPlan {
    const known = this.#plans.get(row);
    if (known !== undefined) return known;
    const places = operandPlaces(row);
    const plan: RowPlan = {
      handler: this.#handlers.index.get(row)!,
      encoders: Object.entries(row.fields).map(([name, field]) => ({
        field,
        place: places.get(name)!,
      })),
      ends: this.#handlers.ends.has(row),
    };
    this.#plans.set(row, plan);
    return plan;
  }
}

function registerOffset(field: Field & { kind: 'register' }, index: number): number {
  const { file, role } = field;
  if (role === 'destination' && file.zero && index === 0) return file.sinkOffset;
  return file.offset + 8 * index;
}
