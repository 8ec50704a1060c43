// Percentiles of many measurements without keeping them: counts in buckets, sixteen for each power of two.
//
// Invariant: a percentile is at most one sixteenth above the true one, and never above the largest measurement;
// those of 2 ** 40 and more are not told apart.

/** Buckets for each power of two. */
const FINE = 16;
const BITS = Math.log2(FINE);
/** Values from here on, as a power of two, share the last bucket. */
const LARGEST = 40;

export class Histogram {
  readonly #buckets = new Float64Array((LARGEST - BITS + 1) * FINE);
  #count = 0;
  #max = 0;

  /** Adds a measurement: a number of at least 0, in any unit; fractions are dropped. */
  record(value: number): void {
    this.#buckets[bucketOf(value)]!++;
    this.#count++;
    this.#max = Math.max(this.#max, value);
  }

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  /** A value that the given share (0 to 1) of the measurements does not exceed; 0 without measurements. */
  percentile(share: number): number {
    let rest = Math.max(1, Math.ceil(this.#count * share));
    for (const [bucket, count] of this.#buckets.entries()) {
      rest -= count;
      if (rest <= 0 && bucket < this.#buckets.length - 1) return Math.min(endOf(bucket), this.#max);
    }
    return this.#max;
  }
}

function bucketOf(value: number): number {
  const whole = Math.floor(value);
  if (whole < FINE) return whole;
  const power = Math.min(Math.floor(Math.log2(whole)), LARGEST - 1);
  const within = Math.min(Math.floor(whole / 2 ** (power - BITS)), 2 * FINE - 1);
  return (power - BITS) * FINE + within;
}

/** Where the values of the next bucket begin. */
function endOf(bucket: number): number {
  if (bucket < FINE) return bucket + 1;
  const power = Math.floor(bucket / FINE) - 1;
  return ((bucket % FINE) + FINE + 1) * 2 ** power;
}
