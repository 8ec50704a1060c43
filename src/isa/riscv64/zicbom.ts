// Zicbom: cache-block management. Unprivileged ISA, chapter 19. A block is 64 bytes, aligned.
//
// Guest memory is coherent, so nothing remains of these instructions but their exceptions. Whoever may load from the
// block may manage it (who may store may also load); else the fault is the one of a store, with rs1 as its address.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Routine } from '../../ir/node.ts';
import { access } from '../shared/isa.ts';
import { instructions, type Row } from '../shared/row.ts';
import { CBCFE, CBIE, requireEnvcfg } from './envcfg.ts';
import { addressOnly } from './formats.ts';
import { hart } from './state.ts';

/** Turns the cause of a load's fault (5, 13) into that of a store's (7, 15). */
const storeCause = 2n;

/** The rows, given the architecture's routine for address translation. */
export function zicbomRows(translate: Routine): Row[] {
  const manage =
    (enable: bigint) =>
    (s: Builder, f: { readonly rs1: RegisterOperand }): void => {
      requireEnvcfg(s, enable);
      const physical = s.call(translate, 'i64', s.get(f.rs1), access.load);
      s.rarely(s.eq(physical, -1n), () => {
        s.setState(hart.pendingCause, s.or(s.state(hart.pendingCause), storeCause));
        s.raise();
      });
    };
  // oxfmt-ignore
  return instructions('Zicbom', {
    'cbo.inval': addressOnly('000000000000 ..... 010 00000 0001111', 'cbo.inval ({rs1})', manage(CBIE)),
    'cbo.clean': addressOnly('000000000001 ..... 010 00000 0001111', 'cbo.clean ({rs1})', manage(CBCFE)),
    'cbo.flush': addressOnly('000000000010 ..... 010 00000 0001111', 'cbo.flush ({rs1})', manage(CBCFE)),
  });
}
