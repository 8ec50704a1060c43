// The decoder, derived from the rows: a tree that splits on bits which all remaining rows fix.
// Invariant: of all rows that match a word the one with the most fixed bits is found; ties are refused at construction.

import { assert } from '../../std/assert.ts';
import { type NumberField, numberValue, rawField, type Row } from './row.ts';

export type Decode = (word: number) => Row | undefined;

type Tree =
  | { readonly kind: 'leaf'; readonly rows: readonly Row[] }
  | { readonly kind: 'split'; readonly mask: number; readonly branches: ReadonlyMap<number, Tree> };

const coded = new WeakMap<Row, readonly NumberField[]>();

/** The fields of which some bits stand for nothing. */
function codedFields(row: Row): readonly NumberField[] {
  let fields = coded.get(row);
  if (fields === undefined) {
    fields = Object.values(row.fields).filter(
      (field) => field.kind === 'number' && field.code !== undefined,
    ) as NumberField[];
    coded.set(row, fields);
  }
  return fields;
}

const fixedBits = (row: Row): number => row.mask.toString(2).replaceAll('0', '').length;

const matches = (row: Row, word: number): boolean =>
  (word & row.mask) >>> 0 === row.value &&
  row.nonzero.every((name) => rawField(row.fields[name]!, word) !== 0) &&
  row.reserved?.(word) !== true &&
  codedFields(row).every((field) => numberValue(field, word) !== undefined);

function checkTies(rows: readonly Row[]): void {
  for (const [i, a] of rows.entries()) {
    for (const b of rows.slice(i + 1)) {
      const overlap = ((a.value ^ b.value) & a.mask & b.mask) === 0;
      const told = a.nonzero.length !== b.nonzero.length;
      assert(
        !overlap || told || fixedBits(a) !== fixedBits(b),
        `${a.name} and ${b.name} match the same words`,
      );
    }
  }
}

function build(rows: readonly Row[], tested: number): Tree {
  const common = (rows.reduce((mask, row) => mask & row.mask, 0xffff_ffff) & ~tested) >>> 0;
  if (rows.length === 1 || common === 0) {
    checkTies(rows);
    return { kind: 'leaf', rows: rows.toSorted((a, b) => rank(b) - rank(a)) };
  }
  const groups = Map.groupBy(rows, (row) => (row.value & common) >>> 0);
  const branches = new Map(
    [...groups].map(([value, group]) => [value, build(group, (tested | common) >>> 0)]),
  );
  return { kind: 'split', mask: common, branches };
}

const rank = (row: Row): number => fixedBits(row) * 8 + row.nonzero.length;

/** A decoder for instructions of one length. The word is unsigned; bits above the length are zero. */
export function decoderOf(rows: readonly Row[]): Decode {
  const root = build(rows, 0);
  return (word) => {
    let tree: Tree | undefined = root;
    while (tree?.kind === 'split') tree = tree.branches.get((word & tree.mask) >>> 0);
    return tree?.rows.find((row) => matches(row, word));
  };
}
