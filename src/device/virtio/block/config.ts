// Configuration space and features of the block device: VIRTIO 1.2, sections 5.2.3 and 5.2.4.

import { SECTOR_BYTES } from './store.ts';
import type { BlockStore } from './store.ts';

const SEG_MAX = 1n << 2n;
const READ_ONLY = 1n << 5n;
const BLK_SIZE = 1n << 6n;
/** The driver asks for durability by flush requests. */
export const FLUSH = 1n << 9n;
const DISCARD = 1n << 13n;
const WRITE_ZEROES = 1n << 14n;

/** Ranges that one discard or write-zeroes request may list, and sectors that each may have. */
export const RANGES_MAX = 32;
export const RANGE_SECTORS_MAX = 1 << 21;

const CONFIG_BYTES = 60;

/** The features that a device with `store` offers. */
export function blockFeatures(store: BlockStore): bigint {
  const writing = store.readOnly ? READ_ONLY : DISCARD | WRITE_ZEROES;
  return SEG_MAX | BLK_SIZE | FLUSH | writing;
}

/** The configuration space. A request takes two descriptors beside its data: header and status. */
export function blockConfig(store: BlockStore, queueSize: number): Uint8Array {
  const config = new DataView(new ArrayBuffer(CONFIG_BYTES));
  config.setBigUint64(0, BigInt(Math.floor(store.size / SECTOR_BYTES)), true);
  config.setUint32(12, queueSize - 2, true);
  config.setUint32(20, SECTOR_BYTES, true);
  if (!store.readOnly) {
    config.setUint32(36, RANGE_SECTORS_MAX, true);
    config.setUint32(40, RANGES_MAX, true);
    config.setUint32(44, 1, true);
    config.setUint32(48, RANGE_SECTORS_MAX, true);
    config.setUint32(52, RANGES_MAX, true);
    config.setUint8(56, store.zero ? 1 : 0);
  }
  return new Uint8Array(config.buffer);
}
