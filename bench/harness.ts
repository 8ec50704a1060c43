// What a benchmark is, how it is run, and the one format of its result.
//
// A benchmark gives one figure a run. Where there is a peer, runs of ours and the peer's alternate, so that a noisy
// machine disturbs both alike. The result is the median; `spread` is the distance between the quartiles over the
// median, the noise of this run. A ratio above 1 means that Isola is ahead.

import type { EngineName } from '../src/vm/vm.ts';

/** One figure, measured again and again. */
export interface Benchmark {
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** Why the figure is what it is: counts that explain the last run. */
  readonly explain?: () => Readonly<Record<string, number>>;
  /** One run of ours; the figure in `unit`. */
  readonly run: () => Promise<number> | number;
  readonly peer?: { readonly name: string; readonly run: () => Promise<number> | number };
}

/** The line that `--json` prints for a benchmark. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly better: 'higher' | 'lower';
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
  readonly runs: number;
  readonly spread: number;
  readonly explain?: Readonly<Record<string, number>>;
}

/** What a suite may be asked for. */
export interface SuiteOptions {
  /** The engine that ours is measured with; the usual one if absent. */
  readonly engine?: EngineName;
}

/** A group of benchmarks that are prepared together. Empty, with a reason, where it cannot run. */
export interface Suite {
  readonly name: string;
  readonly load: (options?: SuiteOptions) => Promise<LoadedSuite>;
}

export interface LoadedSuite {
  readonly benchmarks: readonly Benchmark[];
  readonly skipped?: string;
  /** Ends what the benchmarks left running. */
  readonly close?: () => Promise<void>;
}

/** The value in the middle of a sample, or the mean of the two in the middle. */
export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}

/** The value below which a share `q` of the sample lies, interpolated. */
export function quantile(sample: readonly number[], q: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Runs a benchmark `runs` times, its peer in between. */
export async function measure(benchmark: Benchmark, runs: number): Promise<Result> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < runs; i++) {
    ours.push(await benchmark.run());
    if (benchmark.peer) theirs.push(await benchmark.peer.run());
  }
  const { name, unit, better, peer } = benchmark;
  const value = median(ours);
  const spread = (quantile(ours, 0.75) - quantile(ours, 0.25)) / value;
  const result: Result = {
    name,
    unit,
    value: rounded(value),
    better,
    runs,
    spread: rounded(spread),
  };
  const explained = benchmark.explain ? { ...result, explain: benchmark.explain() } : result;
  if (!peer) return explained;
  const peerValue = median(theirs);
  const ratio = better === 'higher' ? value / peerValue : peerValue / value;
  return { ...explained, peer: peer.name, peerValue: rounded(peerValue), ratio: rounded(ratio) };
}

/** A line for people. */
export function tableLine(result: Result): string {
  const figure = `${result.value} ${result.unit}`.padStart(18);
  const noise = `±${(50 * result.spread).toFixed(0)} %`.padStart(6);
  const line = `${result.name.padEnd(36)}${figure}${noise}`;
  if (result.peer === undefined) return line;
  return `${line}   ${result.peer}: ${result.peerValue} ${result.unit}, ratio ${result.ratio}`;
}
