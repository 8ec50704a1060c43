// What a random block of arm64 instructions is: a few words at a fixed place, and the state before and after.
//
// A record has the layout of judge.c: x0 to x30, sp, nzcv, fpcr, fpsr, the signal that ended the block (after it), then
// v0 to v31; then the window of data.

import type { Row } from '../../../src/isa/shared/row.ts';

export interface Instruction {
  readonly row: Row;
  readonly word: number;
}

export interface Arm64Block {
  readonly seed: number;
  readonly instructions: readonly Instruction[];
  readonly before: Uint8Array;
}

export const codeAddress = 0x8000_0000;
export const windowAddress = 0x8000_8000;
export const WORDS = 32;
export const windowBytes = 8192;
const stateBytes = 8 * (36 + 64);
export const recordBytes = stateBytes + windowBytes;
/** Places in a record, in bytes. */
export const at = {
  x: 0,
  sp: 8 * 31,
  nzcv: 8 * 32,
  fpcr: 8 * 33,
  fpsr: 8 * 34,
  signal: 8 * 35,
  v: 8 * 36,
  window: stateBytes,
} as const;

/** Where records differ, by the names of what does. */
export function differencesOf(ours: Uint8Array, judge: Uint8Array): string[] {
  const [a, b] = [ours, judge].map(
    (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
  );
  const found: string[] = [];
  const hex = (view: DataView, offset: number): string =>
    view.getBigUint64(offset, true).toString(16);
  for (let offset = 0; offset < recordBytes; offset += 8) {
    if (a!.getBigUint64(offset, true) === b!.getBigUint64(offset, true)) continue;
    found.push(`${nameAt(offset)}: ${hex(a!, offset)}, judge ${hex(b!, offset)}`);
  }
  return found;
}

function nameAt(offset: number): string {
  if (offset < at.sp) return `x${offset / 8}`;
  if (offset >= at.window) return `window+${offset - at.window}`;
  if (offset >= at.v) {
    const index = (offset - at.v) / 8;
    return `v${index >> 1}.d[${index & 1}]`;
  }
  return ['sp', 'nzcv', 'fpcr', 'fpsr', 'signal'][offset / 8 - 31]!;
}
