// Zba: address generation. Unprivileged ISA, section 29.4.1.

import { instructions, type Row } from '../shared/row.ts';
import { type Binary, binary, immediate, lowWord, R, shift64 } from './formats.ts';

/** rs2 plus the multiple of rs1. */
const shiftAdd =
  (shift: number): Binary =>
  (s, a, b) =>
    s.add(b, s.shl(a, shift));

/** The same with the low word of rs1. */
const shiftAddWord =
  (shift: number): Binary =>
  (s, a, b) =>
    s.add(b, s.shl(lowWord(s, a), shift));

// oxfmt-ignore
export const rows: Row[] = instructions('Zba', {
  'add.uw':    R('0000100 ..... ..... 000 ..... 0111011', 'add.uw {rd}, {rs1}, {rs2}',
    binary(shiftAddWord(0))),
  sh1add:      R('0010000 ..... ..... 010 ..... 0110011', 'sh1add {rd}, {rs1}, {rs2}', binary(shiftAdd(1))),
  'sh1add.uw': R('0010000 ..... ..... 010 ..... 0111011', 'sh1add.uw {rd}, {rs1}, {rs2}',
    binary(shiftAddWord(1))),
  sh2add:      R('0010000 ..... ..... 100 ..... 0110011', 'sh2add {rd}, {rs1}, {rs2}', binary(shiftAdd(2))),
  'sh2add.uw': R('0010000 ..... ..... 100 ..... 0111011', 'sh2add.uw {rd}, {rs1}, {rs2}',
    binary(shiftAddWord(2))),
  sh3add:      R('0010000 ..... ..... 110 ..... 0110011', 'sh3add {rd}, {rs1}, {rs2}', binary(shiftAdd(3))),
  'sh3add.uw': R('0010000 ..... ..... 110 ..... 0111011', 'sh3add.uw {rd}, {rs1}, {rs2}',
    binary(shiftAddWord(3))),
  'slli.uw': shift64('000010 ...... ..... 001 ..... 0011011', 'slli.uw {rd}, {rs1}, {imm}',
    immediate((s, a, shift) => s.shl(lowWord(s, a), shift))),
});
