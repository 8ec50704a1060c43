// M: integer multiplication and division. Unprivileged ISA, chapter 12.
//
// Division never traps in the guest but does in WebAssembly, so a divisor that is zero or would overflow is replaced by
// one: that alone gives the manual's results for overflow; for a zero divisor the result is chosen afterwards.

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { instructions, type Row } from '../shared/row.ts';
import { type Binary, binary, lowWord, R } from './formats.ts';

type I64 = Value<'i64'>;
type I32 = Value<'i32'>;

const minI64 = -(1n << 63n);
const minI32 = -(1n << 31n);

interface Signs {
  readonly a: 'signed' | 'unsigned';
  readonly b: 'signed' | 'unsigned';
}

/**
 * The upper half of a 64 × 64 bit product, from four products of halves. No sum below overflows: with a signed upper
 * half each lies within the signed range, else within the unsigned one.
 */
const upperProduct =
  (signs: Signs): Binary =>
  (s, a, b) => {
    const upper = (value: I64, sign: Signs['a']): I64 =>
      sign === 'signed' ? s.shr_s(value, 32) : s.shr_u(value, 32);
    const [lowA, lowB] = [lowWord(s, a), lowWord(s, b)];
    const [highA, highB] = [upper(a, signs.a), upper(b, signs.b)];
    const carry = s.shr_u(s.mul(lowA, lowB), 32);
    const middleA = s.add(s.mul(highA, lowB), carry);
    const middleB = s.add(s.mul(lowA, highB), lowWord(s, middleA));
    const rest = s.add(upper(middleA, signs.a), upper(middleB, signs.b));
    return s.add(s.mul(highA, highB), rest);
  };

/** A divisor that WebAssembly can divide `a` by. */
const signedDivisor = (s: Builder, a: I64, b: I64): I64 =>
  s.select(s.either(s.eqz(b), s.both(s.eq(a, minI64), s.eq(b, -1n))), 1n, b);
const divisor = (s: Builder, b: I64): I64 => s.select(s.eqz(b), 1n, b);
const signedDivisor32 = (s: Builder, a: I32, b: I32): I32 =>
  s.select32(s.either(s.eqz32(b), s.both(s.eq32(a, minI32), s.eq32(b, -1n))), 1n, b);
const divisor32 = (s: Builder, b: I32): I32 => s.select32(s.eqz32(b), 1n, b);

const div: Binary = (s, a, b) => s.select(s.eqz(b), -1n, s.div_s(a, signedDivisor(s, a, b)));
const divu: Binary = (s, a, b) => s.select(s.eqz(b), -1n, s.div_u(a, divisor(s, b)));
const rem: Binary = (s, a, b) => s.select(s.eqz(b), a, s.rem_s(a, signedDivisor(s, a, b)));
const remu: Binary = (s, a, b) => s.select(s.eqz(b), a, s.rem_u(a, divisor(s, b)));

/** An operation on the low words, sign-extended. */
const onWords =
  (op: (s: Builder, a: I32, b: I32) => I32): Binary =>
  (s, a, b) =>
    s.sext32(op(s, s.wrap(a), s.wrap(b)));

const divw = onWords((s, a, b) =>
  s.select32(s.eqz32(b), -1n, s.div_s32(a, signedDivisor32(s, a, b))),
);
const divuw = onWords((s, a, b) => s.select32(s.eqz32(b), -1n, s.div_u32(a, divisor32(s, b))));
const remw = onWords((s, a, b) =>
  s.select32(s.eqz32(b), a, s.rem_s32(a, signedDivisor32(s, a, b))),
);
const remuw = onWords((s, a, b) => s.select32(s.eqz32(b), a, s.rem_u32(a, divisor32(s, b))));

// oxfmt-ignore
export const rows: Row[] = instructions('M', {
  mul:    R('0000001 ..... ..... 000 ..... 0110011', 'mul {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.mul(a, b))),
  mulh:   R('0000001 ..... ..... 001 ..... 0110011', 'mulh {rd}, {rs1}, {rs2}',
    binary(upperProduct({ a: 'signed', b: 'signed' }))),
  mulhsu: R('0000001 ..... ..... 010 ..... 0110011', 'mulhsu {rd}, {rs1}, {rs2}',
    binary(upperProduct({ a: 'signed', b: 'unsigned' }))),
  mulhu:  R('0000001 ..... ..... 011 ..... 0110011', 'mulhu {rd}, {rs1}, {rs2}',
    binary(upperProduct({ a: 'unsigned', b: 'unsigned' }))),
  div:    R('0000001 ..... ..... 100 ..... 0110011', 'div {rd}, {rs1}, {rs2}', binary(div)),
  divu:   R('0000001 ..... ..... 101 ..... 0110011', 'divu {rd}, {rs1}, {rs2}', binary(divu)),
  rem:    R('0000001 ..... ..... 110 ..... 0110011', 'rem {rd}, {rs1}, {rs2}', binary(rem)),
  remu:   R('0000001 ..... ..... 111 ..... 0110011', 'remu {rd}, {rs1}, {rs2}', binary(remu)),
  mulw:  R('0000001 ..... ..... 000 ..... 0111011', 'mulw {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.ext32_s(s.mul(a, b)))),
  divw:  R('0000001 ..... ..... 100 ..... 0111011', 'divw {rd}, {rs1}, {rs2}', binary(divw)),
  divuw: R('0000001 ..... ..... 101 ..... 0111011', 'divuw {rd}, {rs1}, {rs2}', binary(divuw)),
  remw:  R('0000001 ..... ..... 110 ..... 0111011', 'remw {rd}, {rs1}, {rs2}', binary(remw)),
  remuw: R('0000001 ..... ..... 111 ..... 0111011', 'remuw {rd}, {rs1}, {rs2}', binary(remuw)),
});
