// Zbb: basic bit manipulation. Unprivileged ISA, section 29.4.2.

import { instructions, type Row } from '../shared/row.ts';
import {
  type Binary,
  binary,
  immediate,
  lowWord,
  oneSource,
  R,
  shift32,
  shift64,
  type Unary,
  unary,
} from './formats.ts';

const not: Unary = (s, a) => s.xor(a, -1n);
const ror: Binary = (s, a, b) => s.rotr(a, b);
const rorw: Binary = (s, a, b) => s.sext32(s.rotr32(s.wrap(a), s.wrap(b)));

/** Reverses bytes: neighbours, then pairs, then halves. */
const rev8: Unary = (s, a) => {
  const bytes = 0x00ff_00ff_00ff_00ffn;
  const pairs = 0x0000_ffff_0000_ffffn;
  const b = s.or(s.shl(s.and(a, bytes), 8), s.and(s.shr_u(a, 8), bytes));
  const c = s.or(s.shl(s.and(b, pairs), 16), s.and(s.shr_u(b, 16), pairs));
  return s.rotl(c, 32);
};

/** All ones in each byte that is not zero. No carry crosses a byte, since the sum's bytes are at most 0xfe. */
const orcb: Unary = (s, a) => {
  const lowSeven = 0x7f7f_7f7f_7f7f_7f7fn;
  const ones = 0x0101_0101_0101_0101n;
  const top = s.or(s.add(s.and(a, lowSeven), lowSeven), a);
  return s.mul(s.and(s.shr_u(top, 7), ones), 0xffn);
};

// oxfmt-ignore
export const rows: Row[] = instructions('Zbb', {
  andn: R('0100000 ..... ..... 111 ..... 0110011', 'andn {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.and(a, not(s, b)))),
  orn:  R('0100000 ..... ..... 110 ..... 0110011', 'orn {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.or(a, not(s, b)))),
  xnor: R('0100000 ..... ..... 100 ..... 0110011', 'xnor {rd}, {rs1}, {rs2}',
    binary((s, a, b) => not(s, s.xor(a, b)))),

  clz:   oneSource('011000000000 ..... 001 ..... 0010011', 'clz {rd}, {rs1}', unary((s, a) => s.clz(a))),
  clzw:  oneSource('011000000000 ..... 001 ..... 0011011', 'clzw {rd}, {rs1}',
    unary((s, a) => s.zext32(s.clz32(s.wrap(a))))),
  ctz:   oneSource('011000000001 ..... 001 ..... 0010011', 'ctz {rd}, {rs1}', unary((s, a) => s.ctz(a))),
  ctzw:  oneSource('011000000001 ..... 001 ..... 0011011', 'ctzw {rd}, {rs1}',
    unary((s, a) => s.zext32(s.ctz32(s.wrap(a))))),
  cpop:  oneSource('011000000010 ..... 001 ..... 0010011', 'cpop {rd}, {rs1}', unary((s, a) => s.popcnt(a))),
  cpopw: oneSource('011000000010 ..... 001 ..... 0011011', 'cpopw {rd}, {rs1}',
    unary((s, a) => s.popcnt(lowWord(s, a)))),

  max:  R('0000101 ..... ..... 110 ..... 0110011', 'max {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.select(s.gt_s(a, b), a, b))),
  maxu: R('0000101 ..... ..... 111 ..... 0110011', 'maxu {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.select(s.gt_u(a, b), a, b))),
  min:  R('0000101 ..... ..... 100 ..... 0110011', 'min {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.select(s.lt_s(a, b), a, b))),
  minu: R('0000101 ..... ..... 101 ..... 0110011', 'minu {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.select(s.lt_u(a, b), a, b))),

  'sext.b': oneSource('011000000100 ..... 001 ..... 0010011', 'sext.b {rd}, {rs1}',
    unary((s, a) => s.ext8_s(a))),
  'sext.h': oneSource('011000000101 ..... 001 ..... 0010011', 'sext.h {rd}, {rs1}',
    unary((s, a) => s.ext16_s(a))),
  'zext.h': oneSource('000010000000 ..... 100 ..... 0111011', 'zext.h {rd}, {rs1}',
    unary((s, a) => s.and(a, 0xffffn))),

  rol:   R('0110000 ..... ..... 001 ..... 0110011', 'rol {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.rotl(a, b))),
  rolw:  R('0110000 ..... ..... 001 ..... 0111011', 'rolw {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.sext32(s.rotl32(s.wrap(a), s.wrap(b))))),
  ror:   R('0110000 ..... ..... 101 ..... 0110011', 'ror {rd}, {rs1}, {rs2}', binary(ror)),
  rori:  shift64('011000 ...... ..... 101 ..... 0010011', 'rori {rd}, {rs1}, {imm}', immediate(ror)),
  roriw: shift32('0110000 ..... ..... 101 ..... 0011011', 'roriw {rd}, {rs1}, {imm}', immediate(rorw)),
  rorw:  R('0110000 ..... ..... 101 ..... 0111011', 'rorw {rd}, {rs1}, {rs2}', binary(rorw)),

  'orc.b': oneSource('001010000111 ..... 101 ..... 0010011', 'orc.b {rd}, {rs1}', unary(orcb)),
  rev8:    oneSource('011010111000 ..... 101 ..... 0010011', 'rev8 {rd}, {rs1}', unary(rev8)),
});
