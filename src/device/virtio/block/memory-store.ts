// A block store in an array: disks that vanish with the VM, and images that a host already holds in
// memory.

import { assert } from '../../../std/assert.ts';
import { SECTOR_BYTES } from './store.ts';
import type { BlockStore } from './store.ts';

/** A store whose contents are `bytes` themselves; their length is a multiple of 512. */
export function memoryStore(bytes: Uint8Array, { readOnly = false } = {}): BlockStore {
  assert(
    bytes.length % SECTOR_BYTES === 0,
    `a disk of ${bytes.length} bytes does not end with a sector`,
  );
  return {
    size: bytes.length,
    readOnly,
    async read(offset, target) {
      target.set(bytes.subarray(offset, offset + target.length));
    },
    async write(offset, source) {
      bytes.set(source, offset);
    },
    async flush() {},
    async close() {},
  };
}
