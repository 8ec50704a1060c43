// The pages of RAM that hold decoded code, and the blocks of each: where they lie, how generated code finds them, how a
// page is forgotten with all that was made of it.
//
// The index of blocks has an entry for each page of RAM (places.ts). It leads to the page's directory, at the start of
// its first chunk: heads of lists, in which blocks hang by a hash of their first instruction's offset. So forgetting a
// page is to forget its directory, its chunks and the jump cache entries that lead to it.
// A straddling block's one instruction lies in two pages. It is in no directory, since who finds it must look where the
// second page is mapped, and lies in a slot of its own, since it goes with either page.
// Invariants: a page here has CODE set in its flags and is in no first-level store TLB; whatever jump cache entry leads
// to a block of a page, or to one that straddles from it, belongs to a group in the page's `uses`; memory of forgotten
// blocks is used again only after a safe point.

import { assert } from '../../std/assert.ts';
import { CODE } from '../../memory/page-flags.ts';
import { lastPages, tlb } from '../../isa/shared/vcpu.ts';
import { header, record } from '../interpreter/record.ts';
import { BUCKETS, indexEntry } from '../places.ts';
import { CHUNK, Chunks } from './chunks.ts';
import { JumpCaches } from './jump-caches.ts';

const PAGE = 4096;
/** Bytes of a block of one instruction: header, instruction, the record behind it. */
export const SMALL_BLOCK = 3 * record.bytes;
/** Room for blocks that are found by nobody: they are executed once. */
const PASSING = CHUNK;

/** Pages' first blocks lie at different distances from their chunks' starts, lest they share sets of a data cache. */
const COLOURS = 16;
const COLOUR_BYTES = 64;

/** Where things lie in the VM's shared memory: host offsets and sizes in bytes. */
export interface CodePlaces {
  readonly blockIndex: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly ram: number;
  readonly ramBytes: number;
  readonly pageFlags: number;
  readonly vcpus: readonly number[];
}

/** A page with code. */
export interface CodePage {
  /** Distance from the start of RAM, in pages. */
  readonly number: number;
  readonly chunks: number[];
  /** Host offset of where the next block goes, and of the end of its chunk. */
  next: number;
  end: number;
  straddling: Straddling | undefined;
  /** Pages with an instruction that ends in this one. */
  before: Set<CodePage> | undefined;
  /** Blocks whose end somebody wants to hear of. */
  watched: Set<number> | undefined;
  /** Regions that stand for blocks of the page. */
  regions: number;
  /** For the collector: survived this often, and belongs to the old ones. */
  survived: number;
  isOld: boolean;
}

/** The block whose instruction begins in one page and ends in another. */
interface Straddling {
  readonly ip: number;
  readonly into: CodePage;
}

export class CodePages {
  readonly #places: CodePlaces;
  readonly #bytes: Uint8Array;
  readonly #i32: Int32Array;
  readonly #pages = new Map<number, CodePage>();
  readonly chunks: Chunks;
  readonly jumpCaches: JumpCaches;
  readonly #slots: number[] = [];
  #buriedSlots: number[] = [];
  #passing = 0;

  /** `arenaBytes`: how much of the arena may be used, at most places.arenaBytes. */
  constructor(memory: WebAssembly.Memory, places: CodePlaces, arenaBytes: number) {
    this.#places = places;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
    this.chunks = new Chunks(places.arena + PASSING, arenaBytes - PASSING);
    this.jumpCaches = new JumpCaches(memory, places.vcpus);
  }

  /** Bytes of the arena that are in use. */
  get usedBytes(): number {
    return PASSING + this.chunks.usedBytes;
  }

  /** The page at a host offset, if it has code. */
  at(host: number): CodePage | undefined {
    return this.#pages.get(this.#numberOf(host));
  }

  has(host: number): boolean {
    return this.#bytes[this.#places.pageFlags + this.#numberOf(host)] !== 0;
  }

  /** The page at a host offset, which is one with code from now on. */
  claim(host: number): { readonly page: CodePage; readonly isNew: boolean } {
    const number = this.#numberOf(host);
    const known = this.#pages.get(number);
    if (known !== undefined) return { page: known, isNew: false };
    const page: CodePage = {
      number,
      chunks: [],
      next: 0,
      end: 0,
      straddling: undefined,
      before: undefined,
      watched: undefined,
      regions: 0,
      survived: 0,
      isOld: false,
    };
    this.#pages.set(number, page);
    this.#bytes[this.#places.pageFlags + number] = CODE;
    for (const cpu of this.#places.vcpus) this.#purgeStores(cpu, host - (host % PAGE));
    return { page, isNew: true };
  }

  /** Gives a page room for a block of at least `records` records, header included: from `next` to `end`. */
  makeRoom(page: CodePage, records: number): void {
    if (page.end - page.next >= records * record.bytes) return;
    const chunk = this.#takeChunk();
    page.next = chunk;
    page.end = chunk + CHUNK;
    page.chunks.push(chunk);
    if (page.chunks.length > 1) return;
    this.#i32.fill(0, chunk >>> 2, (chunk >>> 2) + BUCKETS);
    page.next += BUCKETS * 4 + (page.number % COLOURS) * COLOUR_BYTES;
    this.#i32[this.#entryOf(page) + indexEntry.directory / 4] = chunk;
  }

  #takeChunk(): number {
    const chunk = this.chunks.take();
    assert(chunk !== undefined, 'the arena of blocks overflowed between two safe points');
    return chunk;
  }

  /** The block whose first instruction is at a host offset, unless it straddles; 0 for none. */
  find(host: number): number {
    const directory = this.#i32[this.#entryAt(this.#numberOf(host)) + indexEntry.directory / 4]!;
    if (directory === 0) return 0;
    let head = this.#i32[(directory >>> 2) + bucketOf(host)]!;
    while (head !== 0 && this.#i32[(head + header.host) >>> 2] !== (host | 0)) {
      head = this.#i32[(head + header.next) >>> 2]!;
    }
    return head === 0 ? 0 : head + record.bytes;
  }

  /** Lets a block of a page be found. */
  keep(page: CodePage, head: number): void {
    const bucket = (page.chunks[0]! >>> 2) + bucketOf(this.#i32[(head + header.host) >>> 2]!);
    this.#i32[(head + header.next) >>> 2] = this.#i32[bucket]!;
    this.#i32[bucket] = head;
  }

  /** Offsets in a page where its blocks begin. */
  offsets(page: CodePage): number[] {
    const offsets: number[] = [];
    const directory = page.chunks[0];
    if (directory === undefined) return offsets;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      let head = this.#i32[(directory >>> 2) + bucket]!;
      for (; head !== 0; head = this.#i32[(head + header.next) >>> 2]!) {
        offsets.push(this.#i32[(head + header.host) >>> 2]! & (PAGE - 1));
      }
    }
    return offsets;
  }

  /** Room for the header of a small block that nobody finds again; it is used again after some others. */
  passing(): number {
    this.#passing = (this.#passing + SMALL_BLOCK) % (PASSING - (PASSING % SMALL_BLOCK));
    return this.#places.arena + this.#passing;
  }

  /** Room for the header of a straddling block. */
  takeSlot(): number {
    if (this.#slots.length === 0) {
      const chunk = this.#takeChunk();
      for (let at = chunk; at + SMALL_BLOCK <= chunk + CHUNK; at += SMALL_BLOCK) {
        this.#slots.push(at);
      }
    }
    return this.#slots.pop()!;
  }

  /** The block of the instruction that begins in the first page and goes on in the second, in place of another. */
  straddle(first: CodePage, second: CodePage, ip: number): void {
    this.#forgetStraddling(first);
    first.straddling = { ip, into: second };
    second.before ??= new Set();
    second.before.add(first);
  }

  /** Forgets what was made of a page. A block that is being executed goes on to its end and then leads nowhere old. */
  forget(page: CodePage): void {
    this.#pages.delete(page.number);
    this.#bytes[this.#places.pageFlags + page.number] = 0;
    this.#i32[this.#entryOf(page) + indexEntry.directory / 4] = 0;
    for (const chunk of page.chunks) {
      const last = (chunk + CHUNK) >>> 2;
      for (let i = (chunk + record.link) >>> 2; i < last; i += record.bytes / 4) this.#i32[i] = 0;
    }
    this.chunks.bury(page.chunks);
    this.#forgetStraddling(page);
    for (const before of page.before ?? []) this.#forgetStraddling(before);
    this.takeUses(page);
  }

  /** Whether control may have arrived in a page since this was last asked. Jump caches lead there no more. */
  takeUses(page: CodePage): boolean {
    const uses = this.#entryOf(page) + indexEntry.uses / 4;
    const [low, high] = [this.#i32[uses]!, this.#i32[uses + 1]!];
    if (low === 0 && high === 0) return false;
    this.jumpCaches.flush(low, high);
    this.#i32.fill(0, uses, uses + 2);
    return true;
  }

  /** Lets memory of forgotten blocks be used again. Only while no code of the VM is executing. */
  exhume(): void {
    this.chunks.exhume();
    if (this.#buriedSlots.length === 0) return;
    for (const slot of this.#buriedSlots) this.#slots.push(slot);
    this.#buriedSlots = [];
  }

  #forgetStraddling(first: CodePage): void {
    const { straddling } = first;
    if (straddling === undefined) return;
    first.straddling = undefined;
    straddling.into.before?.delete(first);
    this.#buriedSlots.push(straddling.ip - record.bytes);
    this.takeUses(first);
  }

  #numberOf(host: number): number {
    return (host - this.#places.ram) >>> 12;
  }

  /** Index of an entry's first 32-bit cell. */
  #entryAt(number: number): number {
    return (this.#places.blockIndex + number * indexEntry.bytes) >>> 2;
  }

  #entryOf(page: CodePage): number {
    return this.#entryAt(page.number);
  }

  /** Takes a page out of a vCPU's first-level store TLB; the second level's users look at the page's flags. */
  #purgeStores(cpu: number, page: number): void {
    this.#purgeTable(cpu + lastPages.store, lastPages.registers, page);
    this.#purgeTable(cpu + tlb.store, tlb.entries, page);
  }

  #purgeTable(table: number, entries: number, page: number): void {
    for (let i = 0; i < entries; i++) {
      const entry = (table + i * tlb.entryBytes) >>> 2;
      const base = (this.#i32[entry]! & -PAGE) + this.#i32[entry + 2]!;
      if (base >>> 0 === page) this.#i32.fill(-1, entry, entry + 2);
    }
  }
}

/** The list in which a block hangs, by its first instruction's host offset; joints.ts does the same. */
function bucketOf(host: number): number {
  return ((host >>> 1) ^ (host >>> 6)) & (BUCKETS - 1);
}
