// Zicond: conditional zeroing. Unprivileged ISA, chapter 11.

import { instructions, type Row } from '../shared/row.ts';
import { binary, R } from './formats.ts';

// oxfmt-ignore
export const rows: Row[] = instructions('Zicond', {
  'czero.eqz': R('0000111 ..... ..... 101 ..... 0110011', 'czero.eqz {rd}, {rs1}, {rs2}',
    binary((s, a, condition) => s.select(s.eqz(condition), 0n, a))),
  'czero.nez': R('0000111 ..... ..... 111 ..... 0110011', 'czero.nez {rd}, {rs1}, {rs2}',
    binary((s, a, condition) => s.select(s.eqz(condition), a, 0n))),
});
