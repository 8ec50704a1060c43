// Changes of an overlay kept in a second store, usually a sparse file, so that they outlive the VM.
//
// Layout, little-endian:
//   0     header: magic, version, block size, size of the base, offsets, CRC-32 of all that
//   4096  map: one byte per block (overlay.ts), padded to 4096
//   then  data: every block at its own offset, as large as the base
//
// Crash safety: the map in the store changes only in `flush`, after the data that it speaks of has
// been flushed, and only to what it was when the flush began. So after a crash a block that the map
// calls STORED is wholly there, and at worst what was written since the last flush is lost, as on a
// real disk with a cache. A header that does not fit is refused with the reason, and so is a map
// with an unknown state: an overlay over the wrong base is worse than none.

import { IsolaError } from '../../../std/error.ts';
import { BLOCK, overlayBlockBytes } from './overlay.ts';
import type { OverlayDelta } from './overlay.ts';
import { SECTOR_BYTES } from './store.ts';
import type { BlockStore } from './store.ts';

const MAGIC = 'ISOLAOVL';
const VERSION = 1;
const HEADER_BYTES = 48;
/** The header's room, and the unit in which the map is written. */
const PAGE_BYTES = 4096;

/**
 * A delta that cannot be used: not one, of another version or base, damaged, or in an unsuitable
 * store.
 */
export class OverlayError extends IsolaError {
  override readonly name = 'OverlayError';
}

/** Bytes that a store must have to keep the changes of a base of `baseSize` bytes. */
export function storedDeltaBytes(baseSize: number): number {
  return placesOf(baseSize).dataOffset + baseSize;
}

/**
 * Opens the delta in `store` for a base of `baseSize` bytes; a store that begins with zeros only is
 * made an empty one.
 * Throws {@link OverlayError}, or the store's errors.
 */
export async function storedDelta(store: BlockStore, baseSize: number): Promise<OverlayDelta> {
  const places = placesOf(baseSize);
  if (store.readOnly) throw new OverlayError('the overlay is read-only: give it a writable file');
  const needed = places.dataOffset + baseSize;
  if (store.size < needed) {
    throw new OverlayError(
      `the overlay has ${store.size} bytes, but a base of ${baseSize} needs ${needed}`,
    );
  }
  const header = new Uint8Array(PAGE_BYTES);
  await store.read(0, header);
  const map = new Uint8Array(places.mapBytes);
  if (header.every((byte) => byte === 0)) {
    await store.write(PAGE_BYTES, map);
    await store.flush();
    await store.write(0, headerOf(baseSize));
    await store.flush();
  } else {
    checkHeader(header, baseSize);
    await store.read(PAGE_BYTES, map);
    const bad = map.findIndex((state) => state > BLOCK.zero);
    if (bad >= 0)
      throw new OverlayError(`the overlay is damaged: block ${bad} has state ${map[bad]}`);
  }
  return working(store, map, places);
}

function placesOf(baseSize: number) {
  const blockBytes = overlayBlockBytes(baseSize);
  const blocks = Math.ceil(baseSize / blockBytes);
  const mapBytes = Math.ceil(blocks / PAGE_BYTES) * PAGE_BYTES;
  return { blockBytes, blocks, mapBytes, dataOffset: PAGE_BYTES + mapBytes };
}

type Places = ReturnType<typeof placesOf>;

function working(store: BlockStore, pages: Uint8Array, places: Places): OverlayDelta {
  const { blockBytes, blocks, dataOffset } = places;
  const dirty = new Set<number>();
  let last: Promise<void> = Promise.resolve();

  const flushOnce = async (): Promise<void> => {
    // Copies: the map may change while the data is being flushed, and speak of data that is not.
    const changes = [...dirty].map((page) => {
      const start = page * PAGE_BYTES;
      return { page, bytes: pages.slice(start, start + PAGE_BYTES) };
    });
    dirty.clear();
    try {
      await store.flush();
      if (changes.length === 0) return;
      for (const { page, bytes } of changes) await store.write(PAGE_BYTES * (page + 1), bytes);
      await store.flush();
    } catch (error) {
      for (const { page } of changes) dirty.add(page);
      throw error;
    }
  };
  /** Flushes one after another, so that an older map never overwrites a newer one. */
  const flush = async (): Promise<void> => {
    const mine = last.then(flushOnce);
    last = mine.catch(() => {});
    await mine;
  };
  return {
    blockBytes,
    map: pages.subarray(0, blocks),
    read: (offset, target) => store.read(dataOffset + offset, target),
    write: (offset, source) => store.write(dataOffset + offset, source),
    changed(first, count) {
      const lastPage = Math.floor((first + count - 1) / PAGE_BYTES);
      for (let page = Math.floor(first / PAGE_BYTES); page <= lastPage; page++) dirty.add(page);
    },
    flush,
    async close() {
      try {
        await flush();
      } finally {
        await store.close();
      }
    },
  };
}

function headerOf(baseSize: number): Uint8Array {
  const { blockBytes, dataOffset } = placesOf(baseSize);
  const header = new Uint8Array(SECTOR_BYTES);
  const fields = new DataView(header.buffer);
  header.set(new TextEncoder().encode(MAGIC));
  fields.setUint32(8, VERSION, true);
  fields.setUint32(12, blockBytes, true);
  fields.setBigUint64(16, BigInt(baseSize), true);
  fields.setBigUint64(24, BigInt(PAGE_BYTES), true);
  fields.setBigUint64(32, BigInt(dataOffset), true);
  fields.setUint32(HEADER_BYTES - 4, crc32(header.subarray(0, HEADER_BYTES - 4)), true);
  return header;
}

function checkHeader(header: Uint8Array, baseSize: number): void {
  const fields = new DataView(header.buffer, header.byteOffset);
  if (new TextDecoder().decode(header.subarray(0, 8)) !== MAGIC) {
    throw new OverlayError('this is no overlay: use a new or empty file');
  }
  const version = fields.getUint32(8, true);
  if (version !== VERSION) {
    throw new OverlayError(
      `the overlay has version ${version}; this program knows version ${VERSION}`,
    );
  }
  if (fields.getUint32(HEADER_BYTES - 4, true) !== crc32(header.subarray(0, HEADER_BYTES - 4))) {
    throw new OverlayError('the overlay is damaged: the checksum of its header is wrong');
  }
  const itsBase = fields.getBigUint64(16, true);
  if (itsBase !== BigInt(baseSize)) {
    throw new OverlayError(
      `the overlay belongs to a base of ${itsBase} bytes, not ${baseSize}: use that base`,
    );
  }
  const expected = headerOf(baseSize);
  if (expected.some((byte, i) => byte !== header[i])) {
    throw new OverlayError('the overlay has a layout that this program does not know');
  }
}

/** CRC-32 of IEEE 802.3, reflected, bit by bit: the header is short. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) !== 0 ? 0xedb8_8320 : 0);
  }
  return ~crc >>> 0;
}
