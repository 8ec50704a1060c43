// Zicboz: cache-block zero. Unprivileged ISA, chapter 19. A block is 64 bytes, aligned.
//
// The first store is of the one byte that rs1 points to, so that a fault reports rs1 itself; a block lies in one page,
// so the stores after it cannot fault.

import { instructions, type Row } from '../shared/row.ts';
import { CBZE, requireEnvcfg } from './envcfg.ts';
import { addressOnly } from './formats.ts';

/** Bytes in a block. */
const zeroBlockBytes = 64;

// oxfmt-ignore
export const rows: Row[] = instructions('Zicboz', {
  'cbo.zero': addressOnly('000000000100 ..... 010 00000 0001111', 'cbo.zero ({rs1})', (s, f) => {
    requireEnvcfg(s, CBZE);
    const address = s.get(f.rs1);
    s.store(8, address, 0n);
    const block = s.and(address, -zeroBlockBytes);
    for (let offset = 0; offset < zeroBlockBytes; offset += 8) s.store(64, s.add(block, offset), 0n);
  }),
});
