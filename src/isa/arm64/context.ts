// The tags that TLB entries carry: address space and everything that decides whether a cached permission still holds.
//
//   bits 10:3  ASID, which is 8 bits (ID_AA64MMFR0_EL1.ASIDBits), for EL0; 0 for EL1
//   bits 2:0   0 no translation; 1 EL0, 2 EL1, 3 EL1 with PAN
//
// EL1 has one address space: what it may cache are the pages that are global, mostly its own; the few accesses to
// others are translated each time (translate.ts). So neither a switch of process nor of level empties anything.
// Invariant: the tag 0xfff of an empty entry never matches.

import { routine } from '../../ir/builder.ts';
import { vcpu } from '../shared/vcpu.ts';
import { PAN, sctlr, tcr } from './pstate.ts';
import { core } from './state.ts';

const EL0 = 1n;
const EL1 = 2n;
const EL1_PAN = 3n;
const ASID_SHIFT = 48n;
const ASID_MASK = 0xffn;

/** Sets the tags from level, PSTATE, SCTLR_EL1, TCR_EL1 and the translation tables' registers. */
export const updateContext = routine('update_context', [], null, (s) => {
  s.when(
    s.eqz(s.and(s.state(core.sctlr), sctlr.M)),
    () => {
      for (const tag of [vcpu.dataTag, vcpu.fetchTag, vcpu.userTag]) s.setState(tag, 0n);
    },
    () => {
      const second = s.ne(s.and(s.state(core.tcr), tcr.A1), 0);
      const ttbr = s.select(second, s.state(core.ttbr1), s.state(core.ttbr0));
      const asid = s.and(s.shr_u(ttbr, ASID_SHIFT), ASID_MASK);
      const user = s.or(s.shl(asid, 3), EL0);
      const isUser = s.eqz32(s.state(core.currentEl));
      const pan = s.select(s.ne(s.and(s.state(core.pstate), PAN), 0), EL1_PAN, EL1);
      s.setState(vcpu.userTag, user);
      s.setState(vcpu.fetchTag, s.select(isUser, user, EL1));
      s.setState(vcpu.dataTag, s.select(isUser, user, pan));
    },
  );
});
