// The page of figures, written by the benchmarks themselves.
//
// Each suite has a part of the page between two markers, with everything needed to judge and to repeat it: when, where,
// by which command, goals, figures, counters. A run writes the parts of the suites that it measured anew. Invariant:
// all other text, in which people say why, stays as it is.

import { type Goal, goals } from './goals.ts';
import { geometricMean, type Result } from './harness.ts';

/** A suite that was measured. */
export interface Measured {
  readonly suite: string;
  readonly results: readonly Result[];
  /** Names of benchmarks that gave no result. */
  readonly failed: readonly string[];
}

/** When, where and how. */
export interface Circumstances {
  /** Day of the measurement, as 2026-01-31. */
  readonly date: string;
  /** The commit, and whether files differed from it; undefined where nobody knows. */
  readonly source?: { readonly commit: string; readonly isChanged: boolean } | undefined;
  readonly command: string;
  /** Sentences about the machine and the software. */
  readonly machine: readonly string[];
}

const suites: Readonly<Record<string, { readonly title: string; readonly text: string }>> = {
  kernels: {
    title: 'Kernels',
    text: "Programs of one loop each on the bare machine, without an operating system. The time is the guest's own.",
  },
  programs: {
    title: 'Programs',
    text: "Real programs in a Debian guest that stays up between runs. The time is the guest's own.",
  },
  boot: {
    title: 'Boot',
    text: "From the start of the process to the shell's prompt; what a boot is made of, and ten busy seconds after it.",
  },
  micro: {
    title: 'Parts',
    text: 'Parts of the engine on their own. A negative figure would be noise: a cost is the difference of two loops.',
  },
};

const opening = `# Performance

Speeds beside QEMU's TCG system emulation, on the same machine with the same files, runs of both in turn. Figures are
medians; the spread is the distance between the quartiles over the median. A ratio above 1 means that Isola is ahead.
`;

const begin = (suite: string): string => `<!-- measured: ${suite} -->`;
const end = (suite: string): string => `<!-- end of ${suite} -->`;

/** The page with a suite's part made anew; `page` is empty where there is none yet. */
export function writePart(page: string, measured: Measured, how: Circumstances): string {
  const { suite } = measured;
  const part = `${begin(suite)}\n${partOf(measured, how)}${end(suite)}\n`;
  const whole = page === '' ? opening : page;
  const from = whole.indexOf(begin(suite));
  const to = whole.indexOf(end(suite), from);
  if (from < 0 || to < 0) return `${whole.trimEnd()}\n\n${part}`;
  return whole.slice(0, from) + part + whole.slice(to + end(suite).length).replace(/^\n/, '');
}

function partOf({ suite, results, failed }: Measured, how: Circumstances): string {
  const { title, text } = suites[suite] ?? { title: suite, text: '' };
  const sections = [
    `## ${title}`,
    text,
    provenance(how),
    goalTable(suite, results),
    resultTable(results),
    conclusion(results),
    failed.length > 0 ? `Failed, and without a figure: ${failed.join(', ')}.` : '',
    counterTable(results),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function provenance({ date, source, command, machine }: Circumstances): string {
  const changed = source?.isChanged === true ? ' with changes' : '';
  const at = source === undefined ? '' : `, commit ${source.commit.slice(0, 10)}${changed}`;
  return `Measured ${date}${at}. ${machine.join(' ')}\n\n    ${command}`;
}

type Cell = string | number | undefined;

/** A table; columns of figures are to the right. */
function table(
  columns: readonly string[],
  figures: readonly boolean[],
  rows: readonly (readonly Cell[])[],
): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map((c) => c ?? '').join(' | ')} |`;
  const rule = `|${figures.map((isFigure) => (isFigure ? '---:' : '---')).join('|')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}

/** Four digits, never an exponent. */
const figure = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '?';

const withUnit = (value: number, unit: string): string => `${figure(value)} ${unit}`.trim();

function goalTable(suite: string, results: readonly Result[]): string {
  const rows = goals
    .filter((goal) => goal.suite === suite)
    .map((goal) => [goal.what, boundText(goal), ...judged(goal, results)]);
  return rows.length === 0
    ? ''
    : table(['', 'goal', 'measured', ''], [false, true, true, false], rows);
}

const boundText = ({ bound, unit }: Goal): string =>
  'least' in bound
    ? `at least ${withUnit(bound.least, unit)}`
    : `at most ${withUnit(bound.most, unit)}`;

/** The figure of a goal, and whether that is enough. */
function judged({ bound, unit, figure: read }: Goal, results: readonly Result[]): Cell[] {
  const found = read(results);
  if (found === undefined) return ['', 'not measured'];
  const { value, of } = found;
  const isMet = 'least' in bound ? value >= bound.least : value <= bound.most;
  const whose = of === undefined ? '' : ` (${of})`;
  return [`${withUnit(value, unit)}${whose}`, isMet ? 'met' : '**missed**'];
}

const percent = (share: number | undefined): string =>
  share === undefined ? '' : `${(100 * share).toFixed(1)} %`;

const peerNames: Readonly<Record<string, string>> = { 'qemu-tcg': 'QEMU' };

function resultTable(results: readonly Result[]): string {
  const peer = results.find((result) => result.peer !== undefined)?.peer;
  if (peer === undefined) {
    const rows = results.map(({ name, value, unit, spread, runs }) => {
      return [name, withUnit(value, unit), percent(spread), runs];
    });
    return table(['', 'Isola', 'spread', 'runs'], [false, true, true, true], rows);
  }
  const name = peerNames[peer] ?? peer;
  const columns = ['', 'Isola', 'spread', name, 'spread', 'ratio', 'runs'];
  const rows = results.map((result) => {
    const { unit, peerValue, ratio } = result;
    const theirs = peerValue === undefined ? '' : withUnit(peerValue, unit);
    return [
      result.name,
      withUnit(result.value, unit),
      percent(result.spread),
      theirs,
      percent(result.peerSpread),
      ratio === undefined ? '' : figure(ratio),
      result.runs,
    ];
  });
  return table(columns, [false, ...columns.slice(1).map(() => true)], rows);
}

function conclusion(results: readonly Result[]): string {
  const compared = results.flatMap(({ name, ratio }) =>
    ratio === undefined ? [] : { name, ratio },
  );
  if (compared.length < 2) return '';
  const mean = geometricMean(compared.map(({ ratio }) => ratio));
  const worst = compared.toSorted((a, b) => a.ratio - b.ratio)[0]!;
  return `Geometric mean of the ratios: **${figure(mean)}**. Worst: ${worst.name}, ${figure(worst.ratio)}.`;
}

type Counters = Readonly<Record<string, number>>;

/** Columns of the table of counters; a column that no result has is left out. */
const explanations: readonly (readonly [title: string, of: (counters: Counters) => number])[] = [
  ['million instructions', (c) => c['instructions']! / 1e6],
  ['% in regions', (c) => (c['regionRetired']! > 0 ? percentOf(c, 'regionRetired') : Number.NaN)],
  ['regions', (c) => c['regions']!],
  ['guest blocks in them', (c) => c['regionBlocks']!],
  ['translation, ms', (c) => translationUs(c) / 1000],
  ['us for each block', (c) => translationUs(c) / c['regionBlocks']!],
  ['instructions decoded', (c) => c['decoded']!],
  ['asleep, ms', (c) => c['sleptMs']!],
  ['first run, s', (c) => c['firstSeconds']!],
];

const percentOf = (c: Counters, name: string): number => (100 * c[name]!) / c['instructions']!;
const translationUs = (c: Counters): number => c['encodeUs']! + c['compileUs']!;

function counterTable(results: readonly Result[]): string {
  const explained = results.flatMap(({ name, explain }) => (explain ? [{ name, explain }] : []));
  const columns = explanations.filter(([, of]) =>
    explained.some(({ explain }) => Number.isFinite(of(explain))),
  );
  if (columns.length === 0) return '';
  const rows = explained.map(({ name, explain }) => {
    const cells = columns.map(([, of]) => of(explain));
    return [name, ...cells.map((value) => (Number.isFinite(value) ? figure(value) : ''))];
  });
  const titles = ['counters of the last run', ...columns.map(([title]) => title)];
  return table(titles, [false, ...columns.map(() => true)], rows);
}
