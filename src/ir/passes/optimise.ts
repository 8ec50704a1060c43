// The passes over a block of IR, in order. The first three share one walk, since each finds work for the others:
// a value that is forwarded folds, a folded one is found again, and tells what conditions are known.

import type { Block } from '../node.ts';
import { numbering } from './cse.ts';
import { dce } from './dce.ts';
import { folding } from './fold.ts';
import { forwarding } from './forward.ts';
import { walk } from './walk.ts';

/** forward, fold and cse in one walk. */
export const simplify = (block: Block): Block => walk(block, [forwarding(), folding, numbering()]);

/** Runs all passes; `after` hears what each made of the block. */
export function optimise(block: Block, after?: (pass: string, block: Block) => void): Block {
  const simplified = simplify(block);
  after?.('simplify', simplified);
  const rest = dce(simplified);
  after?.('dce', rest);
  return rest;
}
