// The tags that TLB entries carry: address space and everything that decides whether a cached permission still holds.
//
//   bits 11:3  ASID (ASIDLEN is 9), or 0 (machine mode) or 1 (no translation below it) where bits 2:0 are 0
//   bits 2:0   0 no translation; 1 user, 2 supervisor, 3 supervisor with SUM; the same plus 3 with MXR
//
// Because 7 is never used in bits 2:0, the tag 0xfff of an empty entry never matches. Switching mode or address space
// changes the tag and flushes nothing.

import { type Builder, routine } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { vcpu } from '../shared/vcpu.ts';
import { hart } from './state.ts';
import { MPP_SHIFT, MPRV, MXR, SUM } from './status.ts';

export const ASID_SHIFT = 44n;
export const ASID_MASK = 0x1ffn;
export const MODE_SHIFT = 60n;

/** The mode in which loads and stores are checked: MPP in machine mode with MPRV, else the current one. */
export function dataMode(s: Builder): Value<'i64'> {
  const mode = s.zext32(s.state(hart.mode));
  const status = s.state(hart.mstatus);
  const mprv = s.both(s.eq(mode, 3), s.ne(s.and(status, MPRV), 0));
  return s.select(mprv, s.and(s.shr_u(status, MPP_SHIFT), 3), mode);
}

/** Sets vcpu.dataTag and vcpu.fetchTag from mode, mstatus and satp. */
export const updateContext = routine('update_context', [], null, (s) => {
  const satp = s.state(hart.satp);
  const status = s.state(hart.mstatus);
  const bare = s.eqz(s.shr_u(satp, MODE_SHIFT));
  const asid = s.shl(s.and(s.shr_u(satp, ASID_SHIFT), ASID_MASK), 3);
  const tag = (mode: Value<'i64'>, extra: Value<'i64'>): Value<'i64'> => {
    const untranslated = s.select(s.eq(mode, 3), 0, 8);
    const translated = s.or(asid, s.add(s.add(mode, 1), extra));
    return s.select(s.either(bare, s.eq(mode, 3)), untranslated, translated);
  };
  const mode = dataMode(s);
  const sum = s.both(s.eq(mode, 1), s.ne(s.and(status, SUM), 0));
  const mxr = s.select(s.ne(s.and(status, MXR), 0), 3, 0);
  s.setState(vcpu.dataTag, tag(mode, s.add(s.zext1(sum), mxr)));
  s.setState(vcpu.fetchTag, tag(s.zext32(s.state(hart.mode)), s.const64(0)));
});
