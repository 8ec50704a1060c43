// Fixed-width integer helpers on bigint, the reference representation of IR values.
// Invariant: an n-bit value is held as an unsigned bigint in [0, 2^n); signed readings are made on demand.

/** The low `width` bits of `value`, unsigned. */
export const unsigned = (width: number, value: bigint): bigint => BigInt.asUintN(width, value);

/** The low `width` bits of `value`, read as two's complement. */
export const signed = (width: number, value: bigint): bigint => BigInt.asIntN(width, value);

/** Number of leading zero bits of a `width`-bit value. */
export const countLeadingZeros = (width: number, value: bigint): bigint =>
  BigInt(value === 0n ? width : width - value.toString(2).length);

/** Number of trailing zero bits of a `width`-bit value. */
export function countTrailingZeros(width: number, value: bigint): bigint {
  if (value === 0n) return BigInt(width);
  const isolated = value & -value;
  return BigInt(isolated.toString(2).length - 1);
}

/** Number of one bits. */
export function populationCount(value: bigint): bigint {
  let count = 0n;
  for (let rest = value; rest !== 0n; rest &= rest - 1n) count++;
  return count;
}

const scratch = new DataView(new ArrayBuffer(8));

/** The number whose IEEE-754 binary64 encoding is `bits`. */
export function float64FromBits(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

/** IEEE-754 binary64 encoding of `value`; every NaN gives the canonical quiet NaN. */
export function bitsOfFloat64(value: number): bigint {
  if (Number.isNaN(value)) return 0x7ff8_0000_0000_0000n;
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

/** The number whose IEEE-754 binary32 encoding is `bits`. */
export function float32FromBits(bits: bigint): number {
  scratch.setUint32(0, Number(bits));
  return scratch.getFloat32(0);
}

/** IEEE-754 binary32 encoding of `value` rounded to nearest even; every NaN gives the canonical quiet NaN. */
export function bitsOfFloat32(value: number): bigint {
  if (Number.isNaN(value)) return 0x7fc0_0000n;
  scratch.setFloat32(0, value);
  return BigInt(scratch.getUint32(0));
}
