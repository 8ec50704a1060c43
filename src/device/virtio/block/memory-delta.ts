// Changes of an overlay kept in memory: they vanish with the VM. Blocks that become zero give their
// memory back.

import { BLOCK, overlayBlockBytes } from './overlay.ts';
import type { OverlayDelta } from './overlay.ts';

/** An empty delta for a disk of `size` bytes. */
export function memoryDelta(size: number, blockBytes = overlayBlockBytes(size)): OverlayDelta {
  const map = new Uint8Array(Math.ceil(size / blockBytes));
  const blocks = new Map<number, Uint8Array>();
  /** Calls `visit` for each block of a range with the part of the range in it. */
  const eachBlock = (
    offset: number,
    range: Uint8Array,
    visit: (block: number, within: number, part: Uint8Array) => void,
  ): void => {
    for (let done = 0; done < range.length;) {
      const within = (offset + done) % blockBytes;
      const bytes = Math.min(blockBytes - within, range.length - done);
      visit(Math.floor((offset + done) / blockBytes), within, range.subarray(done, done + bytes));
      done += bytes;
    }
  };
  return {
    blockBytes,
    map,
    async read(offset, target) {
      eachBlock(offset, target, (block, within, part) => {
        const data = blocks.get(block);
        if (data) part.set(data.subarray(within, within + part.length));
        else part.fill(0);
      });
    },
    async write(offset, source) {
      eachBlock(offset, source, (block, within, part) => {
        const data = blocks.get(block) ?? new Uint8Array(blockBytes);
        data.set(part, within);
        blocks.set(block, data);
      });
    },
    changed(first, count) {
      for (let block = first; block < first + count; block++) {
        if (map[block] !== BLOCK.stored) blocks.delete(block);
      }
    },
    async flush() {},
    async close() {
      blocks.clear();
    },
  };
}
