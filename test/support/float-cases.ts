// Operands for tests of floating point: seeded, and thick where things go wrong: special values, powers of two and
// their neighbours, few significant bits, exponents close to each other's, at underflow and at overflow.

import type { FloatFormat } from '../../src/isa/shared/softfloat.ts';

/** A generator of 64-bit numbers (SplitMix64). */
export function random64(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn);
    return z ^ (z >> 31n);
  };
}

/** Zero, extremes of subnormal and normal numbers, one, infinity, NaNs, each with both signs. */
export function specialValues({ width, fractionBits, maxExponent }: FloatFormat): bigint[] {
  const shift = BigInt(fractionBits);
  const infinity = BigInt(2 * maxExponent + 1) << shift;
  const smallestNormal = 1n << shift;
  const one = BigInt(maxExponent) << shift;
  const quiet = infinity | (1n << (shift - 1n));
  const values = [0n, 1n, 2n, smallestNormal - 1n, smallestNormal, smallestNormal + 1n];
  values.push(2n * smallestNormal - 1n, 2n * smallestNormal, one - 1n, one, one + 1n);
  values.push(infinity - 1n, infinity - (1n << shift), infinity, infinity + 1n, quiet, quiet + 5n);
  for (const exponent of [31n, 32n, 53n, 62n, 63n, 64n]) {
    const power = one + (exponent << shift);
    values.push(power - 1n, power, power + 1n);
  }
  const half = one - (1n << shift);
  values.push(half - 1n, half, half + 1n, one | (1n << (shift - 1n)));
  return [...values, ...values.map((value) => value | (1n << BigInt(width - 1)))];
}

/** An endless stream of encodings. */
export function operandStream(format: FloatFormat, random: () => bigint): () => bigint {
  const special = specialValues(format);
  const { width, fractionBits } = format;
  const shift = BigInt(fractionBits);
  const fields = BigInt(2 * format.maxExponent + 2);
  let recent = BigInt(format.maxExponent);
  const fraction = (choice: bigint): bigint => {
    const bits = BigInt.asUintN(fractionBits, random());
    if (choice < 3n) return bits;
    // Few bits at the top, or a run of ones or zeros with few bits at the bottom.
    const kept = random() % (shift + 1n);
    if (choice < 6n) return (bits >> (shift - kept)) << (shift - kept);
    const low = bits & ((1n << (random() % 4n)) - 1n);
    return choice === 6n ? low : ((1n << shift) - 1n) ^ low;
  };
  const exponent = (choice: bigint): bigint => {
    if (choice < 2n) return random() % fields;
    if (choice === 2n) return random() % 8n;
    if (choice === 3n) return fields - 1n - (random() % 8n);
    const near = choice < 8n ? recent : BigInt(format.maxExponent);
    const spread = choice % 2n === 0n ? 4n : shift + 4n;
    const moved = near + (random() % (2n * spread + 1n)) - spread;
    return moved < 0n ? 0n : moved >= fields ? fields - 1n : moved;
  };
  return () => {
    const choice = random();
    if (choice % 16n === 0n) return special[Number((choice >> 8n) % BigInt(special.length))]!;
    recent = exponent((choice >> 8n) % 12n);
    const sign = ((choice >> 16n) & 1n) << BigInt(width - 1);
    return sign | (recent << shift) | fraction((choice >> 24n) % 8n);
  };
}
