// Zawrs: wait on a reservation set. Unprivileged ISA, chapter 15.
//
// A stall may end at any time for any reason, so both end at once by giving the rest of the time slice away. For the
// same reason mstatus.TW never matters: it is about wrs.nto not completing within a bounded time.

import type { Builder } from '../../ir/builder.ts';
import { instructions, type Row } from '../shared/row.ts';
import { exitCode } from '../shared/vcpu.ts';
import { bare } from './formats.ts';

const yieldSlice = (s: Builder): void => s.exit(exitCode('budget'), s.pc(4));

// oxfmt-ignore
export const rows: Row[] = instructions('Zawrs', {
  'wrs.nto': bare('000000001101 00000 000 00000 1110011', 'wrs.nto', yieldSlice),
  'wrs.sto': bare('000000011101 00000 000 00000 1110011', 'wrs.sto', yieldSlice),
});
