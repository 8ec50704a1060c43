// How hot code must be to be translated: the more of the time translation has taken of late, the hotter.
//
// A region costs milliseconds (ours to make it, then V8's to compile it) and saves a nanosecond or two for each
// instruction. Where programs go through much code once, most regions would never pay; where little code is hot it is
// translated at once, since then translation takes no time worth mentioning.

/** Samples that make an address hot while nothing is translated, and how many more where nothing else is done. */
const LEAST = 2;
const MORE = 30;
/** Over how much time the share of translation is taken, in nanoseconds. */
const WINDOW = 500_000_000;

export interface Threshold {
  /** Samples that make an address hot now. */
  readonly samples: number;
  /** `translationUs`: all time that translation has taken so far, in microseconds. */
  adapt(translationUs: number): void;
}

/** `now`: the host's monotonic time in nanoseconds; without it nothing adapts. */
export function createThreshold(now: (() => bigint) | undefined): Threshold {
  let samples = LEAST;
  let last = now?.() ?? 0n;
  let lastUs = 0;
  let share = 0;
  return {
    get samples() {
      return samples;
    },
    adapt(translationUs) {
      const time = now?.() ?? 0n;
      const passed = Number(time - last);
      if (passed === 0) return;
      const weight = Math.exp(-passed / WINDOW);
      const current = Math.min(1, ((translationUs - lastUs) * 1000) / passed);
      share = share * weight + current * (1 - weight);
      samples = LEAST + Math.round(MORE * share);
      last = time;
      lastUs = translationUs;
    },
  };
}
