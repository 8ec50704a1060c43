// Words and doublewords: what instruction tables that exist for both sizes of general-purpose register share.
// DDI 0487, C4.1: bit 31 (sf) tells the size.

import { type NumberCode } from '../shared/row.ts';
import type { Size } from './flags.ts';
import { w, wsp, x, xsp } from './state.ts';

interface Registers {
  readonly size: Size;
  /** The letter that names carry. */
  readonly letter: 'w' | 'x';
  /** Bit 31. */
  readonly sf: '0' | '1';
  readonly r: typeof x;
  readonly rsp: typeof xsp;
}

export const sizes: readonly Registers[] = [
  { size: 32, letter: 'w', sf: '0', r: w, rsp: wsp },
  { size: 64, letter: 'x', sf: '1', r: x, rsp: xsp },
];

const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * A bitmask immediate: bits N, imms, immr (13 in all, in the order N immr imms as they are encoded) name a run of ones,
 * rotated, repeated in elements of 2 to 64 bits. DDI 0487, shared/functions/bits DecodeBitMasks.
 */
function decodeBitmask(raw: number, size: Size): bigint | undefined {
  const [n, immr, imms] = [raw >> 12, (raw >> 6) & 63, raw & 63];
  if (size === 32 && n === 1) return undefined;
  const spread = (n << 6) | (~imms & 63);
  if (spread < 2) return undefined;
  const width = 2 ** (31 - Math.clz32(spread));
  const ones = (imms & (width - 1)) + 1;
  if (ones === width) return undefined;
  const rotation = BigInt(immr & (width - 1));
  const run = (1n << BigInt(ones)) - 1n;
  const element = BigInt.asUintN(width, (run >> rotation) | (run << (BigInt(width) - rotation)));
  let value = 0n;
  for (let at = 0; at < size; at += width) value |= element << BigInt(at);
  return value;
}

export const bitmask = (size: Size): NumberCode => ({
  decode: (raw) => decodeBitmask(raw, size),
  print: hexadecimal,
});

/** A 16-bit immediate at one of the halfwords: bits hw and imm16; in a word there are two halfwords. */
export const wideImmediate = (size: Size, inverted: boolean): NumberCode => ({
  decode(raw) {
    const [hw, imm] = [raw >> 16, BigInt(raw & 0xffff)];
    if (size === 32 && hw > 1) return undefined;
    const value = imm << BigInt(16 * hw);
    return inverted ? BigInt.asUintN(size, ~value) : value;
  },
  print: hexadecimal,
});
