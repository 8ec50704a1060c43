// The vCPU's record: a fixed layout in shared memory, declared here once. Everything that a running guest can see or
// change of its processor is in it, so that any worker can continue a vCPU and a snapshot is a copy of bytes.
//
//   0      cells that every guest architecture has (below)
//   512    cells and register files of the guest architecture (its Isa declares them)
//   4096   the pages last accessed by base register; first-level TLBs: load, store, fetch; the jump cache; second-level
//          TLBs
//
// Invariant: a record is 64-byte aligned; every cell is naturally aligned. Cells are only ever added here.

import { assert } from '../../std/assert.ts';
import type { RegisterFile, StateField } from '../../ir/node.ts';

type CellType = 'i32' | 'i64';
type Cells<T extends Record<string, CellType>> = {
  readonly [K in keyof T]: StateField & { readonly type: T[K] };
};

const sizeOf = { i32: 4, i64: 8 } as const;
const align = (offset: number, size: number): number => Math.ceil(offset / size) * size;

/** Lays out named cells and register files from `start` up to `end` (bytes); `traits` are those of all cells. */
export function layout(start: number, end: number, traits: Pick<StateField, 'volatile'> = {}) {
  let next = start;
  const take = (size: number, alignment: number): number => {
    const offset = align(next, alignment);
    next = offset + size;
    assert(next <= end, `the vCPU record has no room past ${end} bytes`);
    return offset;
  };
  return {
    cells<const T extends Record<string, CellType>>(types: T): Cells<T> {
      const entries = Object.entries(types).map(([name, type]) => {
        return [name, { name, type, offset: take(sizeOf[type], sizeOf[type]), ...traits }];
      });
      return Object.fromEntries(entries) as Cells<T>;
    },
    /** `count` 64-bit registers, and one more that swallows writes to register 0 where it is zero. */
    registers(name: string, count: number, zero: boolean): RegisterFile {
      const offset = take(8 * (count + 1), 8);
      const rest = { zeroOffset: offset, sinkOffset: offset + 8 * count };
      return { name, type: 'i64', offset, count, zero: zero ? 0 : undefined, ...rest };
    },
    /** `count` 128-bit registers. */
    vectors(name: string, count: number): RegisterFile<'v128'> {
      const offset = take(16 * count, 16);
      return { name, type: 'v128', offset, count, zero: undefined, zeroOffset: 0, sinkOffset: 0 };
    },
    /**
     * 64-bit registers in two files that differ in the last one: a register in the second, in the first what reads as
     * zero and ignores writes.
     */
    registersOrZero(names: readonly [string, string], count: number): [RegisterFile, RegisterFile] {
      const offset = take(8 * (count + 2), 8);
      const zeroOffset = offset + 8 * count;
      const shared = {
        type: 'i64',
        offset,
        count,
        zeroOffset,
        sinkOffset: zeroOffset + 8,
      } as const;
      return [
        { name: names[0], zero: count - 1, ...shared },
        { name: names[1], zero: undefined, ...shared },
      ];
    },
  };
}

/** Counters of every vCPU, each a cell. */
const counterTypes = {
  /** Statistics, kept by code that was generated to: entries of regions, and instructions retired in them. */
  regionEntries: 'i64',
  regionRetired: 'i64',
  /** Regions left: for other code that the jump cache knew, for other code, by an exception, for the slice's end. */
  exitsChained: 'i64',
  exitsDispatched: 'i64',
  exitsRaised: 'i64',
  exitsDue: 'i64',
  /** Loads, stores and atomics of interpreted instructions. */
  interpretedAccesses: 'i64',
  /** Counted always, where it costs nothing: accesses to pages that the first-level TLBs did not know, by kind. */
  tlbMissLoad: 'i64',
  tlbMissStore: 'i64',
  tlbMissFetch: 'i64',
  /** Of these, those that the second level knew. */
  tlbSecondHits: 'i64',
  /** Flushes of everything; of these, for a page among large mappings; flushes of one page, those included. */
  tlbFlushes: 'i64',
  tlbLargeFlushes: 'i64',
  tlbPageFlushes: 'i64',
  /** Walks through the guest's page tables. */
  walks: 'i64',
  /** Of these, those that began at the last table. */
  walkCacheHits: 'i64',
} as const;

export const vcpuCounters = Object.keys(counterTypes) as (keyof typeof counterTypes)[];

/** Cells of every vCPU. */
export const vcpu = layout(0, 512, { volatile: true }).cells({
  /** Address of the instruction to run next; inside a block, of the block's first instruction. */
  pc: 'i64',
  /** Instructions left in this slice; negative when it is over. */
  budget: 'i32',
  /** Not zero: leave at the next boundary (an interrupt may be deliverable, a stop was asked for). */
  attention: 'i32',
  /** Budget that the slice began with: `retired + slice - budget` instructions are done. */
  slice: 'i32',
  /** Not zero: the last translation must not be cached (permission finer than a page). */
  uncached: 'i32',
  /** Instructions retired in earlier slices. */
  retired: 'i64',
  /** Low 12 bits of a TLB tag for data accesses: address space and mode. 0xfff is never valid. */
  dataTag: 'i64',
  /** The same for instruction fetch. */
  fetchTag: 'i64',
  /** The same for data accesses that are made as from user mode in any mode. */
  userTag: 'i64',
  /** The dataTag under which lastPages is kept; under any other one it is empty. */
  lastPagesTag: 'i64',
  /** RAM: first guest-physical address, size in bytes, first host offset. */
  ramBase: 'i64',
  ramSize: 'i64',
  ramHost: 'i32',
  /** Host offset of one byte of flags for each page of RAM (memory/page-flags.ts). */
  pageFlags: 'i32',
  /** Host offset where the engine's block index for this VM begins. */
  blockIndex: 'i32',
  /** Number of this vCPU in its VM, and the pending exit's argument. */
  number: 'i32',
  /** First and last address for which mappings larger than a page may be cached. */
  largeLow: 'i64',
  largeHigh: 'i64',
  /** Sixteen bytes through which device accesses and accesses across pages pass. */
  scratch: 'i64',
  scratchHigh: 'i64',
  /** Counts flushes of everything: what was cached under another number is not valid. Never 0 in generated code. */
  tlbGeneration: 'i32',
  ...counterTypes,
});

/** Where the guest architecture's cells lie. */
export const isaCells = { start: 512, end: 4096 } as const;

/** TLB entry, 16 bytes: i64 tag (page address | 12-bit tag), i32 addend (host offset - low half of the address). */
const ENTRY_BYTES = 16;
/** Integer registers of a guest, at most. */
const REGISTERS = 32;

/**
 * The pages last loaded from and stored to by an address in, or at a constant distance from, each of the guest's
 * integer registers: like entries of the TLB, but found without looking at the address, and with a page's address alone
 * for a tag, so that one comparison tells also whether an access is aligned and thus inside the page.
 */
export const lastPages = {
  registers: REGISTERS,
  entryBytes: ENTRY_BYTES,
  load: isaCells.end,
  store: isaCells.end + REGISTERS * ENTRY_BYTES,
} as const;

const FIRST_TLB = isaCells.end + 2 * REGISTERS * ENTRY_BYTES;
const FIRST_ENTRIES = 1024;

/** The first-level TLBs. */
export const tlb = {
  entries: FIRST_ENTRIES,
  entryBytes: ENTRY_BYTES,
  load: FIRST_TLB,
  store: FIRST_TLB + FIRST_ENTRIES * ENTRY_BYTES,
  fetch: FIRST_TLB + 2 * FIRST_ENTRIES * ENTRY_BYTES,
} as const;

/**
 * Jump cache entry, 16 bytes: i64 pc, i32 fetch tag in the low bits and above them the handler of the decoded block, as
 * long as that is its handler, i32 host offset of the block. 64 entries a page.
 */
export const jumpCache = {
  entries: 4096,
  entryBytes: 16,
  offset: FIRST_TLB + 3 * FIRST_ENTRIES * ENTRY_BYTES,
  tagBits: 12,
} as const;

const SECOND_TLB = jumpCache.offset + jumpCache.entries * jumpCache.entryBytes;
const SECOND_ENTRIES = 4096;

/** The second-level TLBs (engine/lower/second-tlb.ts). */
export const secondTlb = {
  entries: SECOND_ENTRIES,
  entryBytes: ENTRY_BYTES,
  load: SECOND_TLB,
  store: SECOND_TLB + SECOND_ENTRIES * ENTRY_BYTES,
  fetch: SECOND_TLB + 2 * SECOND_ENTRIES * ENTRY_BYTES,
} as const;

export const vcpuBytes: number = SECOND_TLB + 3 * SECOND_ENTRIES * ENTRY_BYTES;

/** Why `run` returned. The closed union of exits; `exitCodes` numbers it for generated code. */
export const exits = ['budget', 'attention', 'wait', 'firmware', 'halt', 'debug'] as const;
export type Exit = (typeof exits)[number];

export const exitCode = (exit: Exit): number => exits.indexOf(exit);
