// Unpacking on Node: the codecs that kernels come in, through node:zlib (RFC 1952 gzip, RFC 8878
// zstd). Invariant: what comes out is bounded, so a small hostile file cannot exhaust the host's
// memory.

import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';

/** More than any kernel, and less than a process can hold. */
const UNPACKED_BYTES_MAX = 1 << 30;

const codecs = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/** Unpacks a whole file; rejects when it is damaged, truncated or larger than 1 GiB unpacked. */
export function decompress(kind: keyof typeof codecs, bytes: Uint8Array): Promise<Uint8Array> {
  return codecs[kind](bytes, { maxOutputLength: UNPACKED_BYTES_MAX });
}
