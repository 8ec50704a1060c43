// What the figures must reach. Declared once: the page of figures puts each goal beside what was measured.

import { geometricMean, type Result } from './harness.ts';

/** A bound on one figure of a suite's results. */
export interface Goal {
  readonly suite: string;
  /** What is measured, as a heading of its figure. */
  readonly what: string;
  readonly unit: string;
  readonly bound: { readonly least: number } | { readonly most: number };
  /** The figure, and whose it is where that is worth saying; undefined where it was not measured. */
  readonly figure: (results: readonly Result[]) => Figure | undefined;
}

interface Figure {
  readonly value: number;
  readonly of?: string;
}

const ratios = (results: readonly Result[]): readonly (readonly [string, number])[] =>
  results.flatMap(({ name, ratio }) => (ratio === undefined ? [] : [[name, ratio] as const]));

/** Goals for the speed of a suite beside QEMU's: of all together, and of each. */
function speed(suite: string, mean: number, each: number): Goal[] {
  const common = { suite, unit: '' };
  return [
    {
      ...common,
      what: "geometric mean of the speeds over QEMU's",
      bound: { least: mean },
      figure(results) {
        const all = ratios(results).map(([, ratio]) => ratio);
        return all.length === 0 ? undefined : { value: geometricMean(all) };
      },
    },
    {
      ...common,
      what: "the slowest's speed over QEMU's",
      bound: { least: each },
      figure(results) {
        const [slowest] = ratios(results).toSorted(([, a], [, b]) => a - b);
        return slowest && { value: slowest[1], of: slowest[0].slice(suite.length + 1) };
      },
    },
  ];
}

/** A goal for one benchmark's own figure. */
function figureOf(name: string, what: string, unit: string, bound: Goal['bound']): Goal {
  return {
    suite: name.slice(0, name.indexOf('/')),
    what,
    unit,
    bound,
    figure(results) {
      const value = results.find((result) => result.name === name)?.value;
      return value === undefined ? undefined : { value };
    },
  };
}

export const goals: readonly Goal[] = [
  ...speed('kernels', 1.5, 0.8),
  ...speed('programs', 1, 0.6),
  {
    suite: 'boot',
    what: "start to the prompt, times QEMU's time",
    unit: '',
    bound: { most: 1.5 },
    figure(results) {
      const ratio = results.find(({ name }) => name === 'boot/riscv64/prompt')?.ratio;
      return ratio === undefined ? undefined : { value: 1 / ratio };
    },
  },
  figureOf(
    'boot/riscv64/translation-per-block',
    'translation for each guest block, on average over a boot',
    'us',
    { most: 60 },
  ),
  figureOf(
    'boot/riscv64/translation-share-when-busy',
    'share of translation in ten busy seconds',
    '%',
    { most: 5 },
  ),
  figureOf(
    'boot/riscv64/memory-beyond-guest',
    'memory of the process after a boot, beyond what the guest has touched of its own',
    'MB',
    { most: 250 },
  ),
  figureOf('boot/riscv64/tlb-hit-rate', 'loads and stores that the first-level TLB knew', '%', {
    least: 98.5,
  }),
  figureOf('micro/dispatch/direct', 'from one cached block to the next, by a direct jump', 'ns', {
    most: 5,
  }),
  figureOf('micro/dispatch/indirect', 'the same by an indirect jump', 'ns', { most: 5 }),
  figureOf('micro/tlb/hit', 'a first-level TLB hit', 'ns', { most: 2.4 }),
  figureOf('micro/interpreter/integer-memory-loop', "the interpreter's speed", 'MIPS', {
    least: 250,
  }),
];
