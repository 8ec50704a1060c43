// Sizes of memory as people write them: 512M, 2G, 1.5GiB.

import { VmOptionsError } from '../../vm/errors.ts';

const units = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/**
 * Bytes of a size: a number with K, M, G or T (powers of 1024), or a plain number of MiB as in QEMU. Throws
 * VmOptionsError for anything else.
 */
export function parseMemorySize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:([KMGT])(?:i?B)?)?$/i.exec(text.trim());
  const unit = (match?.[2]?.toUpperCase() ?? 'M') as keyof typeof units;
  const bytes = Number(match?.[1]) * units[unit];
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new VmOptionsError(`'${text}' is no size of memory; give one like 512M or 2G`);
}
