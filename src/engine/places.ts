// Where the parts of a VM lie in its shared memory.
//
//   0            never used, so that host offset 0 can mean "none"
//   64 KiB       vCPU records
//                one byte of flags for each page of RAM
//                index of decoded blocks: one entry for each page of RAM
//                arena of decoded blocks
//                RAM, page-aligned, to the end
//
// Invariant: RAM is last, so that nothing lies behind it and what the guest never touches costs nothing.

import { vcpuBytes } from '../isa/shared/vcpu.ts';

const WASM_PAGE = 65536;
/** WebAssembly addresses memory with 32 bits. */
const MOST_PAGES = 65536;
/** Most bytes that decoded blocks can have; what they do not need is never touched. */
const ARENA_BYTES = 128 * 1024 * 1024;

/**
 * Entry of the block index, for a page of RAM. `uses`, i64: a bit for each group of jump cache entries, by the virtual
 * page number modulo 64, through which control may arrive in the page. `directory`, i32: host offset of the heads of
 * the page's blocks, 0 for none.
 */
export const indexEntry = { bytes: 16, uses: 0, directory: 8 } as const;

/** A page's blocks hang in lists, by a hash of their first instruction's offset; a power of two. */
export const BUCKETS = 32;

export interface Places {
  readonly vcpus: readonly number[];
  readonly pageFlags: number;
  /** One entry for each page of RAM; see cache/code-pages.ts. */
  readonly blockIndex: number;
  readonly arena: number;
  readonly arenaBytes: number;
  readonly ram: number;
  readonly ramBytes: number;
  /** Size of the whole memory in WebAssembly pages of 64 KiB. */
  readonly pages: number;
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** The most RAM that a VM with `vcpus` vCPUs can have, in bytes. */
export function mostRam(vcpus: number): number {
  const rest = placeParts(MOST_PAGES * WASM_PAGE, vcpus).ram;
  return MOST_PAGES * WASM_PAGE - rest;
}

function placeParts(ramBytes: number, vcpus: number) {
  const stride = roundUp(vcpuBytes, 64);
  const pageFlags = WASM_PAGE + vcpus * stride;
  const blockIndex = roundUp(pageFlags + ramBytes / 4096, 4096);
  const arena = roundUp(blockIndex + (ramBytes / 4096) * indexEntry.bytes, 4096);
  const bases = Array.from({ length: vcpus }, (_, i) => WASM_PAGE + i * stride);
  return {
    vcpus: bases,
    pageFlags,
    blockIndex,
    arena,
    ram: roundUp(arena + ARENA_BYTES, WASM_PAGE),
  };
}

/** Places a VM with `ramBytes` bytes of RAM (a multiple of 4096, at most mostRam). */
export function place(ramBytes: number, vcpus: number): Places {
  const parts = placeParts(ramBytes, vcpus);
  const pages = Math.ceil((parts.ram + ramBytes) / WASM_PAGE);
  return { ...parts, arenaBytes: ARENA_BYTES, ramBytes, pages };
}
