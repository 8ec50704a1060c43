// Random instructions from rows, for differential tests.
//
// Interesting numbers (zero, extremes, single bits) and repeated registers come up far more often than chance would
// have it. Bits that are neither fixed nor part of a field are random.
// Invariant: the word decodes to the row it was made from.

import { assert } from '../../std/assert.ts';
import type { Random } from '../../std/random.ts';
import type { Decode } from './decoder.ts';
import { type Field, insertField, rawField, type Row } from './row.ts';

/** Draws after which a row is taken to be hidden behind more specific ones. */
const maxTries = 10_000;

/** A word that `decode`, the row's own decoder, gives to the row; unsigned. */
export function generate(row: Row, random: Random, decode: Decode): number {
  for (let tries = 0; tries < maxTries; tries++) {
    const word = draw(row, random);
    if (decode(word) === row && row.unpredictable?.(word) !== true) return word;
  }
  assert(false, `no word found that decodes to ${row.name}`);
}

function draw(row: Row, random: Random): number {
  const bits = row.length === 2 ? 0xffff : 0xffff_ffff;
  let word = ((random.next32() & ~row.mask & bits) | row.value) >>> 0;
  let before: number | undefined;
  for (const field of Object.values(row.fields)) {
    const again = field.kind === 'register' && before !== undefined && random.below(4) === 0;
    const raw = again ? before! % 2 ** field.width : interesting(field, random);
    word = insertField(field, word, raw);
    if (field.kind === 'register') before = rawField(field, word);
  }
  return word;
}

/** Raw bits of a field. */
function interesting(field: Field, random: Random): number {
  const all = 2 ** field.width;
  if (field.kind === 'register') return random.below(all);
  const bit = 2 ** random.below(field.width);
  switch (random.below(8)) {
    case 0:
      return 0;
    case 1:
      return all - 1;
    case 2:
      return random.below(Math.min(all, 8));
    case 3:
      return bit;
    case 4:
      return bit - 1;
    default:
      return random.below(all);
  }
}
