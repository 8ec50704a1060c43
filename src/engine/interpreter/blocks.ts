// Decodes guest code into blocks of records in shared memory, finds them again by physical address, and forgets them
// when a guest or device writes to their page, or when the code cache needs their room.
//
// A block begins where control arrives and goes on, past branches not taken, to the first instruction that always
// leaves, the end of the page, BLOCK_LIMIT, or the end of its page's chunk. An instruction that straddles two pages is
// a block of its own, bound to both pages. Where translation holds for one access only (vcpu.uncached), a block is one
// instruction, not kept.
// Invariants: `find` leaves vcpu.uncached at 1 if the block must not be remembered, for the jump cache; forgotten
// records are reused only after a safe point, where no block is executing; after it, the cache is within its limit.

import { CodePages, type CodePage, type CodePlaces } from '../cache/code-pages.ts';
import { Collector } from '../cache/collector.ts';
import { jumpCache, vcpu } from '../../isa/shared/vcpu.ts';
import { assert } from '../../std/assert.ts';
import type { Encoder } from './encoder.ts';
import { BLOCK_LIMIT, header, record } from './record.ts';

const PAGE = 4096;
/** Instructions for which there must be room in a chunk, or the block begins in another one. */
const LEAST_ROOM = 8;
/** Records around a block's instructions: its header, and the one behind it. */
const AROUND = 2;
/** Chunks that must be left so that running code can be decoded until the next safe point. */
const RESERVE = 4;
/** More do not fit an entry of the jump cache. */
const HANDLERS_MAX = 2 ** (32 - jumpCache.tagBits);

/** What the blocks need of the vCPU that fetches. */
export interface Fetcher {
  /** Host offset of the instruction at vcpu.pc; 0 for a pending exception, 1 where there is no RAM. */
  fetch(cpu: number): number;
  /** Records the pending exception of a fetch that no RAM answers. */
  fetchFault(cpu: number): void;
}

export interface BlocksOptions {
  readonly memory: WebAssembly.Memory;
  readonly places: CodePlaces;
  readonly encoder: Encoder;
  readonly fetcher: Fetcher;
  /** Most bytes of decoded blocks and translated regions together. */
  readonly limit: number;
  /** The host's monotonic time in nanoseconds. */
  readonly now: () => bigint;
}

/** Why a block is forgotten: its bytes change, or the cache needs room. */
export type ForgetReason = 'changed' | 'evicted';

export class Blocks {
  readonly #encoder: Encoder;
  readonly #fetcher: Fetcher;
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #pages: CodePages;
  readonly #collector: Collector;
  /** Most bytes of decoded blocks and translated regions together. */
  readonly limit: number;
  #regionBytes = 0;
  /** Most bytes in use when vCPUs went on. */
  #mostBytes = 0;
  readonly #counts = { decoded: 0, invalidations: 0, lookups: 0, evictedPages: 0, evictedBytes: 0 };
  /** Hears of a watched block that is forgotten. */
  onForget: (ip: number, reason: ForgetReason) => void = () => {};

  constructor({ memory, places, encoder, fetcher, limit, now }: BlocksOptions) {
    this.#encoder = encoder;
    this.#fetcher = fetcher;
    this.#u16 = new Uint16Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
    this.limit = limit;
    const arenaBytes = Math.min(places.arenaBytes, limit);
    const pages = new CodePages(memory, places, arenaBytes);
    this.#pages = pages;
    this.#collector = new Collector({
      use: () => Math.max(this.bytes / limit, pages.usedBytes / arenaBytes),
      isFull: () => this.#isFull,
      running: () => this.#running(),
      takeUses: (page) => pages.takeUses(page),
      evict: (page) => this.#evict(page),
      now,
    });
  }

  /** Bytes of decoded blocks and translated regions. */
  get bytes(): number {
    return this.#pages.usedBytes + this.#regionBytes;
  }

  /** Counts for statistics: instructions decoded, pages invalidated, look-ups that generated code could not do. */
  get counts(): Readonly<Record<string, number>> {
    const { collections, pauses } = this.#collector;
    return {
      ...this.#counts,
      collections,
      collectorSteps: pauses.count,
      collectorPauseP99Us: pauses.percentile(0.99),
      collectorPauseMaxUs: pauses.max,
      cacheBytes: this.bytes,
      cacheBytesMax: this.#mostBytes,
      cacheLimit: this.limit,
    };
  }

  get #isFull(): boolean {
    return this.#pages.chunks.free < RESERVE || this.bytes > this.limit;
  }

  /** Lets memory be used again and the collector do a step. Only while no block is executing. */
  safePoint(): void {
    this.#pages.exhume();
    this.#collector.step();
    this.#mostBytes = Math.max(this.#mostBytes, this.bytes);
  }

  /** Host offset of the first record of the block at vcpu.pc; 0 if the fetch raised an exception. */
  find(cpu: number): number {
    this.#counts.lookups++;
    const host = this.#fetcher.fetch(cpu);
    if (host <= 1) {
      if (host === 1) this.#fetcher.fetchFault(cpu);
      return 0;
    }
    const keep = this.#i32[(cpu + vcpu.uncached.offset) >>> 2] === 0;
    const straddles = (host & (PAGE - 1)) === PAGE - 2 && this.#lengthAt(host) === 4;
    if (straddles) return this.#findStraddling(cpu, host, keep);
    if (!keep) return this.#decodePassing(host);
    const known = this.#pages.find(host);
    if (known !== 0) return known;
    const ip = this.#decode(host);
    this.#askForSafePoint(cpu);
    return ip;
  }

  /** Host offset of the page that holds the whole block, if translated code may stand for it; else 0. */
  pageOf(ip: number): number {
    const head = (ip - record.bytes) >>> 2;
    return this.#i32[head + header.linkable / 4] === 1
      ? this.#i32[head + header.page / 4]! >>> 0
      : 0;
  }

  /** The block whose first instruction is at a host offset, unless it straddles; 0 if there is none. */
  at(host: number): number {
    return this.#pages.find(host);
  }

  /** Where control has arrived in the page of a block, in bytes from the page's start. */
  arrivals(ip: number): number[] {
    return this.#pages.offsets(this.#pageHolding(ip));
  }

  /** The handler that runs when control arrives at the block. */
  handlerOf(ip: number): number {
    return this.#i32[ip >>> 2]!;
  }

  /** The block is one that is kept, and does not straddle. */
  setHandler(ip: number, handler: number): void {
    assert(handler < HANDLERS_MAX, 'the jump cache has no room for the number of a handler');
    this.#i32[ip >>> 2] = handler;
    // Jump caches remember handlers.
    this.#pages.takeUses(this.#pageHolding(ip));
  }

  /** Lets `onForget` hear of a block for which `pageOf` gives a page. */
  watch(ip: number): void {
    const page = this.#pageHolding(ip);
    page.watched ??= new Set();
    page.watched.add(ip);
  }

  /** A region stands for the block now, or does so no more. */
  attach(ip: number): void {
    const page = this.#pageHolding(ip);
    page.regions++;
    this.#collector.promote(page);
  }

  detach(ip: number): void {
    this.#pageHolding(ip).regions--;
  }

  /** Charges memory of regions to the cache; negative when it is given back. */
  charge(bytes: number): void {
    this.#regionBytes += bytes;
  }

  /** Forgets the blocks of the page at a host offset, whose bytes are about to change or have changed. */
  invalidate(host: number): void {
    const page = this.#pages.at(host);
    if (page === undefined) return;
    this.#counts.invalidations++;
    this.#forget(page, 'changed');
  }

  /** Whether a page of RAM, by host offset, holds kept blocks. */
  hasCode(host: number): boolean {
    return this.#pages.has(host);
  }

  #pageHolding(ip: number): CodePage {
    return this.#pages.at(this.#i32[(ip - record.bytes + header.host) >>> 2]! >>> 0)!;
  }

  #evict(page: CodePage): void {
    const before = this.bytes;
    this.#forget(page, 'evicted');
    this.#pages.exhume();
    this.#counts.evictedPages++;
    this.#counts.evictedBytes += before - this.bytes;
  }

  #forget(page: CodePage, reason: ForgetReason): void {
    for (const ip of page.watched ?? []) this.onForget(ip, reason);
    this.#pages.forget(page);
    this.#collector.remove(page);
  }

  #running(): ReadonlySet<CodePage> {
    return new Set(this.#pages.jumpCaches.running().map((ip) => this.#pageHolding(ip)));
  }

  #askForSafePoint(cpu: number): void {
    if (this.#isFull) this.#i32[(cpu + vcpu.attention.offset) >>> 2] = 1;
  }

  #lengthAt(host: number): 2 | 4 {
    return this.#encoder.lengthOf(this.#u16[host >>> 1]!);
  }

  #claim(host: number): CodePage {
    const { page, isNew } = this.#pages.claim(host);
    if (isNew) this.#collector.add(page);
    return page;
  }

  #findStraddling(cpu: number, host: number, keep: boolean): number {
    const second = this.#fetchSecond(cpu);
    if (second <= 1) return 0;
    const uncached = (cpu + vcpu.uncached.offset) >>> 2;
    if (!keep) this.#i32[uncached] = 1;
    const known = this.#pages.at(host)?.straddling;
    if (known !== undefined && known.into === this.#pages.at(second)) return known.ip;
    const isKept = this.#i32[uncached] === 0;
    const head = isKept ? this.#pages.takeSlot() : this.#pages.passing();
    const word = (this.#u16[host >>> 1]! | (this.#u16[second >>> 1]! << 16)) >>> 0;
    this.#writeOne(head, host, word, 4);
    const ip = head + record.bytes;
    if (!isKept) return ip;
    this.#pages.straddle(this.#claim(host), this.#claim(second), ip);
    this.#askForSafePoint(cpu);
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

  /** A block of one instruction that nobody finds again. */
  #decodePassing(host: number): number {
    const head = this.#pages.passing();
    const length = this.#lengthAt(host);
    this.#writeOne(head, host, this.#wordAt(host, length), length);
    return head + record.bytes;
  }

  #writeOne(head: number, host: number, word: number, length: number): void {
    this.#writeHeader(head, 0, host, 1);
    this.#encoder.encode(this.#i32, (head + record.bytes) >>> 2, word, 0, 0);
    this.#encoder.encodeFall(this.#i32, (head + 2 * record.bytes) >>> 2, length, 1);
    this.#counts.decoded++;
  }

  #decode(host: number): number {
    const pageStart = host - (host % PAGE);
    const page = this.#claim(host);
    this.#pages.makeRoom(page, LEAST_ROOM + AROUND);
    const head = page.next;
    const room = (page.end - head) / record.bytes - AROUND;
    const limit = Math.min(BLOCK_LIMIT, room);
    let at = host;
    let next = (head + record.bytes) >>> 2;
    let count = 0;
    let ends = false;
    while (!ends && count < limit && at < pageStart + PAGE) {
      const length = this.#lengthAt(at);
      if (at + length > pageStart + PAGE) break;
      ends = this.#encoder.encode(this.#i32, next, this.#wordAt(at, length), at - host, count);
      at += length;
      next += record.bytes / 4;
      count++;
    }
    this.#encoder.encodeFall(this.#i32, next, at - host, count);
    this.#writeHeader(head, pageStart, host, count);
    page.next = next * 4 + record.bytes;
    this.#pages.keep(page, head);
    this.#counts.decoded += count;
    return head + record.bytes;
  }

  #wordAt(host: number, length: 2 | 4): number {
    const low = this.#u16[host >>> 1]!;
    return length === 2 ? low : (low | (this.#u16[(host >>> 1) + 1]! << 16)) >>> 0;
  }

  /** `page`: host offset, or 0 for a block that must not be linked. */
  #writeHeader(head: number, page: number, host: number, count: number): void {
    const i = head >>> 2;
    this.#i32[i + header.page / 4] = page;
    this.#i32[i + header.linkable / 4] = page === 0 ? 0 : 1;
    this.#i32[i + header.count / 4] = count;
    this.#i32[i + header.host / 4] = host;
  }
}
