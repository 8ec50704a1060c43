// The counters of a VM as a table for people: sections, units, shares.
//
// What is printed of which counter is declared in one table below; a counter that it does not name is printed under its
// own name, so that none is hidden. Invariant: a row or section without anything counted is left out.

import type { VmStats } from '../host/node/index.ts';
import { accesses, tlbHitRate } from '../vm/tlb-hit-rate.ts';

/** Counters, and `seconds`: the time since the command began. */
type Counters = Readonly<Record<string, number>>;

type Unit = 'count' | 'us' | 'ms' | 's' | '%' | 'bytes' | 'MIPS';

interface Row {
  readonly label: string;
  readonly unit: Unit;
  /** A counter by its name, or what follows from several. */
  readonly value: string | ((counters: Counters) => number);
  /** What the value is a share of, if that is worth saying. */
  readonly of?: string;
}

const row = (value: Row['value'], label: string, unit: Unit = 'count', of?: string): Row =>
  of === undefined ? { value, label, unit } : { value, label, unit, of };

const sum =
  (...names: readonly string[]) =>
  (counters: Counters): number =>
    names.reduce((total, name) => total + (counters[name] ?? Number.NaN), 0);

const translationUs = sum('encodeUs', 'compileUs');

const sections: Readonly<Record<string, readonly Row[]>> = {
  'Guest instructions': [
    row('instructions', 'all'),
    row(
      (c) => c['instructions']! - (c['regionRetired'] ?? 0),
      'interpreted',
      'count',
      'instructions',
    ),
    row('regionRetired', 'in translated regions', 'count', 'instructions'),
    row(
      (c) => c['instructions']! / c['seconds']! / 1e6,
      'million a second, from start to end',
      'MIPS',
    ),
  ],
  Translation: [
    row('regions', 'regions made'),
    row('regionsDropped', 'dropped again', 'count', 'regions'),
    row('regionModules', 'WebAssembly modules'),
    row('regionInstructions', 'guest instructions translated'),
    row('regionBlocks', 'guest blocks translated'),
    row('regionBytes', 'WebAssembly code', 'bytes'),
    row('encodeUs', 'IR, passes and encoding', 'us'),
    row('compileUs', "the host's compilation", 'us'),
    row((c) => translationUs(c) / c['regionBlocks']!, 'both, for each block', 'us'),
    row((c) => translationUs(c) / 1e4 / c['seconds']!, 'both, of the time from start to end', '%'),
  ],
  'Region exits': [
    row('regionEntries', 'entries'),
    row('exitsChained', 'to code in the jump cache', 'count', 'regionEntries'),
    row('exitsDispatched', 'to other code', 'count', 'regionEntries'),
    row('exitsRaised', 'by an exception', 'count', 'regionEntries'),
    row('exitsDue', "for the slice's end", 'count', 'regionEntries'),
  ],
  'Address translation': [
    row('interpretedAccesses', 'loads and stores, interpreted'),
    row(accesses, 'all loads and stores, estimated'),
    row((c) => 100 * tlbHitRate(c), 'of these the first-level TLB knew', '%'),
    row('tlbMissLoad', 'loads that missed the first-level TLB'),
    row('tlbMissStore', 'stores that did'),
    row('tlbMissFetch', 'fetches that did'),
    row('tlbSecondHits', 'of these the second level knew', 'count', 'tlbMisses'),
    row('walks', 'walks through page tables', 'count', 'tlbMisses'),
    row('walkCacheHits', 'of these from the last table', 'count', 'walks'),
    row('tlbFlushes', 'flushes of all'),
    row('tlbLargeFlushes', 'of these for a part of a large page', 'count', 'tlbFlushes'),
    row('tlbPageFlushes', 'flushes of one page'),
  ],
  'Decoded blocks': [
    row('decoded', 'instructions decoded'),
    row('lookups', 'look-ups that missed the jump cache'),
    row('invalidations', 'pages of code that changed'),
  ],
  'Code cache': [
    row('cacheBytes', 'in use at the end', 'bytes', 'cacheLimit'),
    row('cacheBytesMax', 'in use at most, between slices', 'bytes', 'cacheLimit'),
    row('cacheLimit', 'limit', 'bytes'),
    row('collections', 'collections'),
    row('collectorSteps', 'steps'),
    row('collectorPauseP99Us', '99 % of steps took at most', 'us'),
    row('collectorPauseMaxUs', 'the longest took', 'us'),
    row('evictedPages', 'pages evicted'),
    row('evictedBytes', 'freed by that', 'bytes'),
  ],
  'Time slices': [
    row('slices', 'slices'),
    row('slicesBudget', 'ended when used up', 'count', 'slices'),
    row('slicesAttention', 'ended for an interrupt or a stop', 'count', 'slices'),
    row('slicesWait', 'ended by waiting', 'count', 'slices'),
    row('slicesFirmware', 'ended by a call to firmware', 'count', 'slices'),
    row('sleeps', 'sleeps'),
    row('sleptMs', 'time asleep', 'ms'),
    row('seconds', 'time from start to end', 's'),
  ],
};

/** Counters of devices are called `device.NAME.reads` and `device.NAME.writes`. */
const DEVICE = 'device.';

/** The table, with a newline at its end. `seconds`: since the command began. */
export function statsTable(stats: VmStats, seconds: number): string {
  const tlbMisses = sum('tlbMissLoad', 'tlbMissStore', 'tlbMissFetch')(stats);
  const counters = { ...stats, seconds, tlbMisses };
  const named = new Set(
    Object.values(sections).flatMap((rows) => rows.flatMap(({ value, of }) => [value, of])),
  );
  const rest = Object.keys(stats).filter((name) => !named.has(name));
  const isDevice = (name: string): boolean => name.startsWith(DEVICE);
  const all = {
    ...sections,
    Devices: rest.filter(isDevice).map((name) => row(name, deviceLabel(name))),
    'Other counters': rest.filter((name) => !isDevice(name)).map((name) => row(name, name)),
  };
  const parts = Object.entries(all).flatMap(([title, rows]) => {
    const lines = rows.flatMap((r) => lineOf(r, counters));
    return lines.length === 0 ? [] : [[title, ...lines].join('\n')];
  });
  return `${parts.join('\n\n')}\n`;
}

/** `device.uart.reads` as `uart reads`. */
const deviceLabel = (name: string): string =>
  name.slice(DEVICE.length).replace(/\.(reads|writes)$/, ' $1');

function lineOf({ label, unit, value, of }: Row, counters: Counters): string[] {
  const amount = typeof value === 'string' ? counters[value] : value(counters);
  if (amount === undefined || !Number.isFinite(amount) || amount === 0) return [];
  const whole = of === undefined ? 0 : (counters[of] ?? 0);
  const share = whole > 0 ? `${((100 * amount) / whole).toFixed(1)} %`.padStart(10) : '';
  return [`  ${label.padEnd(38)}${textOf(amount, unit)}${share}`.trimEnd()];
}

const grouped = (amount: number, digits: number): string =>
  amount.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** An amount and its unit, in columns. Long times are in milliseconds. */
function textOf(amount: number, unit: Unit): string {
  if (unit === 'us' && amount >= 10_000) return textOf(amount / 1000, 'ms');
  if (unit === 'bytes') return `${grouped(amount / 1e6, 1).padStart(18)} MB `;
  const digits = { count: 0, us: 1, ms: 1, s: 3, '%': 1, MIPS: 1 }[unit];
  const symbol = unit === 'count' || unit === 'MIPS' ? '' : unit;
  return `${grouped(amount, digits).padStart(18)} ${symbol.padEnd(3)}`;
}
