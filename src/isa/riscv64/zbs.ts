// Zbs: single-bit instructions. Unprivileged ISA, section 29.4.4.

import { instructions, type Row } from '../shared/row.ts';
import { type Binary, binary, immediate, R, shift64 } from './formats.ts';

const bclr: Binary = (s, a, index) => s.and(a, s.rotl(-2n, index));
const bext: Binary = (s, a, index) => s.and(s.shr_u(a, index), 1n);
const binv: Binary = (s, a, index) => s.xor(a, s.shl(1n, index));
const bset: Binary = (s, a, index) => s.or(a, s.shl(1n, index));

// oxfmt-ignore
export const rows: Row[] = instructions('Zbs', {
  bclr:  R('0100100 ..... ..... 001 ..... 0110011', 'bclr {rd}, {rs1}, {rs2}', binary(bclr)),
  bclri: shift64('010010 ...... ..... 001 ..... 0010011', 'bclri {rd}, {rs1}, {imm}', immediate(bclr)),
  bext:  R('0100100 ..... ..... 101 ..... 0110011', 'bext {rd}, {rs1}, {rs2}', binary(bext)),
  bexti: shift64('010010 ...... ..... 101 ..... 0010011', 'bexti {rd}, {rs1}, {imm}', immediate(bext)),
  binv:  R('0110100 ..... ..... 001 ..... 0110011', 'binv {rd}, {rs1}, {rs2}', binary(binv)),
  binvi: shift64('011010 ...... ..... 001 ..... 0010011', 'binvi {rd}, {rs1}, {imm}', immediate(binv)),
  bset:  R('0010100 ..... ..... 001 ..... 0110011', 'bset {rd}, {rs1}, {rs2}', binary(bset)),
  bseti: shift64('001010 ...... ..... 001 ..... 0010011', 'bseti {rd}, {rs1}, {imm}', immediate(bset)),
});
