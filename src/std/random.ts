// Pseudorandom numbers for tests and generators: the same seed gives the same numbers everywhere, so a failure can be
// repeated. Not for secrets; a guest's randomness comes from the host.
//
// xoshiro128** (Blackman, Vigna: Scrambled Linear Pseudorandom Number Generators), its state filled by SplitMix64.
// Invariant: the four words of state are never all zero.

import { assert } from './assert.ts';

export interface Random {
  /** 32 random bits, unsigned. */
  next32(): number;
  /** A number in [0, n). `n` is an integer from 1 to 2^32. */
  below(n: number): number;
  /** An item; the array is not empty. */
  pick<T>(items: readonly T[]): T;
  /** 64 random bits, unsigned. */
  bigint64(): bigint;
}

/** A generator with its own state. Every bigint is a seed; only the low 64 bits count. */
export function createRandom(seed: bigint): Random {
  const state = stateOf(seed);
  const next32 = (): number => {
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    state[0] = a ^ d1;
    state[1] = b ^ c1;
    state[2] = c1 ^ (b << 9);
    state[3] = rotate(d1, 11);
    return result;
  };
  const below = (n: number): number => {
    assert(Number.isInteger(n) && n >= 1 && n <= 2 ** 32, `no random number is below ${n}`);
    // Numbers from here on would favour small results.
    const end = 2 ** 32 - (2 ** 32 % n);
    let drawn = next32();
    while (drawn >= end) drawn = next32();
    return drawn % n;
  };
  return {
    next32,
    below,
    pick: (items) => items[below(items.length)]!,
    bigint64: () => (BigInt(next32()) << 32n) | BigInt(next32()),
  };
}

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** Two outputs of SplitMix64, which are never both zero. */
function stateOf(seed: bigint): Uint32Array {
  const words = new BigUint64Array(2);
  for (const i of words.keys()) {
    const step = BigInt.asUintN(64, seed + 0x9e37_79b9_7f4a_7c15n * BigInt(i + 1));
    const once = BigInt.asUintN(64, (step ^ (step >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    const twice = BigInt.asUintN(64, (once ^ (once >> 27n)) * 0x94d0_49bb_1331_11ebn);
    words[i] = twice ^ (twice >> 31n);
  }
  return new Uint32Array(words.buffer);
}
