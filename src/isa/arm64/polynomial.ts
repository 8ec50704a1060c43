// The product of two polynomials of 64 bits over {0, 1} (PMULL): 127 bits. DDI 0487, PolynomialMult.

import { type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';

/**
 * Every fourth bit of a number: where products of such are summed, a place gets at most eight ones, which do not carry
 * into the next place that counts.
 */
const STEP = 4;
const masks = Array.from({ length: STEP }, (_, phase) => {
  let mask = 0n;
  for (let bit = phase; bit < 32; bit += STEP) mask |= 1n << BigInt(bit);
  return mask;
});
/** The same for 64 bits of a product. */
const wideMasks = Array.from({ length: STEP }, (_, phase) => {
  let mask = 0n;
  for (let bit = phase; bit < 64; bit += STEP) mask |= 1n << BigInt(bit);
  return mask;
});

/** The product of 32-bit polynomials, by products of integers whose bits lie far enough apart. */
const product32 = routine('polynomial_product_32', ['i64', 'i64'], 'i64', (s, a, b) => {
  const left = masks.map((mask) => s.and(a, mask));
  const right = masks.map((mask) => s.and(b, mask));
  let result: Value<'i64'> = s.const64(0);
  for (let phase = 0; phase < STEP; phase++) {
    let sum: Value<'i64'> = s.const64(0);
    for (let i = 0; i < STEP; i++) {
      sum = s.xor(sum, s.mul(left[i]!, right[(phase - i + STEP) % STEP]!));
    }
    result = s.or(result, s.and(sum, wideMasks[phase]!));
  }
  s.return(result);
});

const low = (s: Builder, a: Value<'i64'>): Value<'i64'> => s.and(a, 0xffff_ffffn);

/** `(a, b) → product`, by four products of halves. */
export const polynomialProduct64 = routine('pmull', ['i64', 'i64'], 'v128', (s, a, b) => {
  const [a0, a1] = [low(s, a), s.shr_u(a, 32)];
  const [b0, b1] = [low(s, b), s.shr_u(b, 32)];
  const bottom = s.call(product32, 'i64', a0, b0);
  const top = s.call(product32, 'i64', a1, b1);
  const all = s.call(product32, 'i64', s.xor(a0, a1), s.xor(b0, b1));
  const middle = s.xor(all, s.xor(bottom, top));
  const lower = s.xor(bottom, s.shl(middle, 32));
  const upper = s.xor(top, s.shr_u(middle, 32));
  s.return(s.i64x2_replace_1(s.i64x2_replace_0(0n, lower), upper));
});
