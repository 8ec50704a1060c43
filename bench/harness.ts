// What a benchmark is, how it is run, and the one format of its result.
//
// A benchmark gives one figure a run. Where there is a peer, runs of ours and the peer's alternate, so that a noisy
// machine disturbs both alike. The result is the median; `spread` is the distance between the quartiles over the
// median, the noise of this run. A ratio above 1 means that Isola is ahead.

import type { Architecture } from '../src/host/node/index.ts';
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
  readonly peerSpread?: number;
  readonly explain?: Readonly<Record<string, number>>;
}

/** What the command line says to all suites. */
export interface SuiteOptions {
  /** The guest's architecture, where a suite has guests. */
  readonly arch: Architecture;
  /** Executor of our VMs; each suite's default if absent. */
  readonly engine?: EngineName;
  /** Whether peers are to be measured too. */
  readonly peers: boolean;
  /** Benchmarks whose names do not contain it are not run; a suite need not prepare them. */
  readonly filter: string;
}

/** A group of benchmarks that are prepared together. Empty, with a reason, where it cannot run. */
export interface Suite {
  readonly name: string;
  readonly load: (options: SuiteOptions) => Promise<LoadedSuite>;
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
  const { name, unit, better, peer, explain } = benchmark;
  const result = compared({ name, unit, better, peer: peer?.name }, ours, theirs);
  return explain ? { ...result, explain: explain() } : result;
}

/** What two samples are samples of. */
export interface Comparable extends Pick<Result, 'name' | 'unit' | 'better'> {
  /** Name of the other side, if there is one. */
  readonly peer?: string | undefined;
}

/** The medians of two samples, and their ratio where there is a peer. */
export function compared(
  { name, unit, better, peer }: Comparable,
  ours: readonly number[],
  theirs: readonly number[],
): Result {
  const value = median(ours);
  const runs = ours.length;
  const own: Result = { name, unit, value: rounded(value), better, runs, spread: spreadOf(ours) };
  if (peer === undefined) return own;
  const peerValue = median(theirs);
  const ratio = better === 'higher' ? value / peerValue : peerValue / value;
  const peerSpread = spreadOf(theirs);
  return { ...own, peer, peerValue: rounded(peerValue), ratio: rounded(ratio), peerSpread };
}

/** The distance between the quartiles over the median; 0 where nothing differs. */
function spreadOf(sample: readonly number[]): number {
  const distance = quantile(sample, 0.75) - quantile(sample, 0.25);
  return distance === 0 ? 0 : rounded(distance / median(sample));
}

/** The number that has the same product as the sample when it stands for each of its values. */
export function geometricMean(sample: readonly number[]): number {
  const logarithms = sample.map((value) => Math.log(value));
  return Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / sample.length);
}

/**
 * One figure for a whole suite: the geometric mean of the ratios, its spread that of a mean of independent figures.
 * Undefined where fewer than two results have a ratio.
 */
export function summary(suite: string, results: readonly Result[]): Result | undefined {
  const withPeer = results.filter((result) => result.ratio !== undefined);
  const [first] = withPeer;
  if (first?.peer === undefined || withPeer.length < 2) return undefined;
  const { peer, runs } = first;
  const value = rounded(geometricMean(withPeer.map((result) => result.ratio!)));
  const spread = Math.hypot(...withPeer.map((result) => result.spread)) / withPeer.length;
  const name = `${suite}/geomean`;
  return { name, unit: 'ratio', value, better: 'higher', peer, runs, spread: rounded(spread) };
}

/** A line for people. */
export function tableLine(result: Result): string {
  const figure = `${result.value} ${result.unit}`.padStart(18);
  const noise = `±${(50 * result.spread).toFixed(0)} %`.padStart(6);
  const line = `${result.name.padEnd(36)}${figure}${noise}`;
  if (result.peer === undefined || result.ratio === undefined) return line;
  return `${line}   ${result.peer}: ${result.peerValue} ${result.unit}, ratio ${result.ratio}`;
}
