// Zbc: carry-less multiplication. Unprivileged ISA, section 29.4.3.
//
// The product of two polynomials over GF(2) has 127 bits: clmul gives bits 63:0, clmulh 127:64, clmulr 126:63.

import { routine } from '../../ir/builder.ts';
import { instructions, type Row } from '../shared/row.ts';
import { binary, R } from './formats.ts';

/** Bits 63:0, taking the bits of b from the lowest. */
const clmul = routine('clmul', ['i64', 'i64'], 'i64', (s, a, b) => {
  const product = s.variable('i64', 0n);
  const multiplicand = s.variable('i64', a);
  const rest = s.variable('i64', b);
  s.loop(() => {
    const bits = s.read(rest);
    s.when(s.eqz(bits), () => s.break());
    const shifted = s.read(multiplicand);
    const chosen = s.and(shifted, s.sub(0n, s.and(bits, 1n)));
    s.assign(product, s.xor(s.read(product), chosen));
    s.assign(multiplicand, s.shl(shifted, 1n));
    s.assign(rest, s.shr_u(bits, 1n));
  });
  s.return(s.read(product));
});

/** Bits 126:63, taking the bits of b from the highest. */
const clmulr = routine('clmulr', ['i64', 'i64'], 'i64', (s, a, b) => {
  const product = s.variable('i64', 0n);
  const multiplicand = s.variable('i64', a);
  const rest = s.variable('i64', b);
  s.loop(() => {
    const bits = s.read(rest);
    s.when(s.eqz(bits), () => s.break());
    const shifted = s.read(multiplicand);
    const chosen = s.and(shifted, s.shr_s(bits, 63n));
    s.assign(product, s.xor(s.read(product), chosen));
    s.assign(multiplicand, s.shr_u(shifted, 1n));
    s.assign(rest, s.shl(bits, 1n));
  });
  s.return(s.read(product));
});

// oxfmt-ignore
export const rows: Row[] = instructions('Zbc', {
  clmul:  R('0000101 ..... ..... 001 ..... 0110011', 'clmul {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.call(clmul, 'i64', a, b))),
  clmulh: R('0000101 ..... ..... 011 ..... 0110011', 'clmulh {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.shr_u(s.call(clmulr, 'i64', a, b), 1n))),
  clmulr: R('0000101 ..... ..... 010 ..... 0110011', 'clmulr {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.call(clmulr, 'i64', a, b))),
});
