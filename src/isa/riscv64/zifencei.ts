// Zifencei: instruction-fetch fence. Unprivileged ISA, chapter 6.
// The fields for finer fences are ignored, as the manual asks.

import { instructions, type Row } from '../shared/row.ts';
import { bare } from './formats.ts';

// oxfmt-ignore
export const rows: Row[] = instructions('Zifencei', {
  'fence.i': bare('............ ..... 001 ..... 0001111', 'fence.i', (s) => {
    s.syncCode();
    s.jump(s.pc(4), 'sync');
  }),
});
