// D: double-precision floating point. Unprivileged ISA, chapter 22.
//
// fcvt.d.s, fcvt.d.w and fcvt.d.wu are always exact, yet a reserved rm raises in them too.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { instructions, type Row } from '../shared/row.ts';
import {
  classOf,
  compareWith,
  comparison,
  double,
  exact2,
  floating,
  floatLoad,
  floatStore,
  floatToX,
  fromX,
  fused,
  load,
  moveFromX,
  moveToX,
  oppositeSign,
  plainBinary,
  rounded1,
  rounded2,
  rounded3,
  roundedBinary,
  roundedFloatToX,
  squareRoot,
  roundedXToFloat,
  sameSign,
  signInjection,
  signProduct,
  store,
  toX,
  xToFloat,
} from './fp.ts';
import { getF32, getF64, requireFp, setF32, setF64, roundingMode } from './fp-state.ts';

interface Conversion {
  readonly rd: RegisterOperand;
  readonly rs1: RegisterOperand;
  readonly rm: Value<'i64'>;
}

function narrow(s: Builder, o: Conversion): void {
  requireFp(s);
  const mode = roundingMode(s, o.rm);
  setF32(s, o.rd, s.call(floating.narrow, 'i64', getF64(s, o.rs1), mode));
}

function widen(s: Builder, o: Conversion): void {
  requireFp(s);
  roundingMode(s, o.rm);
  setF64(s, o.rd, s.call(floating.widen, 'i64', getF32(s, o.rs1)));
}

// oxfmt-ignore
export const rows: Row[] = instructions('D', {
  fld: floatLoad('............ ..... 011 ..... 0000111', 'fld {rd}, {imm}({rs1})',
    load(64, setF64)),
  fsd: floatStore('....... ..... ..... 011 ..... 0100111', 'fsd {rs2}, {imm}({rs1})',
    store(64)),
  'fmadd.d': rounded3('.....01 ..... ..... ... ..... 1000011', 'fmadd.d {rd}, {rs1}, {rs2}, {rs3}, {rm}',
    fused(double, { product: '+', addend: '+' })),
  'fmsub.d': rounded3('.....01 ..... ..... ... ..... 1000111', 'fmsub.d {rd}, {rs1}, {rs2}, {rs3}, {rm}',
    fused(double, { product: '+', addend: '-' })),
  'fnmsub.d': rounded3('.....01 ..... ..... ... ..... 1001011', 'fnmsub.d {rd}, {rs1}, {rs2}, {rs3}, {rm}',
    fused(double, { product: '-', addend: '+' })),
  'fnmadd.d': rounded3('.....01 ..... ..... ... ..... 1001111', 'fnmadd.d {rd}, {rs1}, {rs2}, {rs3}, {rm}',
    fused(double, { product: '-', addend: '-' })),
  'fadd.d': rounded2('0000001 ..... ..... ... ..... 1010011', 'fadd.d {rd}, {rs1}, {rs2}, {rm}',
    roundedBinary(double, 'add')),
  'fsub.d': rounded2('0000101 ..... ..... ... ..... 1010011', 'fsub.d {rd}, {rs1}, {rs2}, {rm}',
    roundedBinary(double, 'sub')),
  'fmul.d': rounded2('0001001 ..... ..... ... ..... 1010011', 'fmul.d {rd}, {rs1}, {rs2}, {rm}',
    roundedBinary(double, 'mul')),
  'fdiv.d': rounded2('0001101 ..... ..... ... ..... 1010011', 'fdiv.d {rd}, {rs1}, {rs2}, {rm}',
    roundedBinary(double, 'div')),
  'fsqrt.d': rounded1('0101101 00000 ..... ... ..... 1010011', 'fsqrt.d {rd}, {rs1}, {rm}',
    squareRoot(double)),
  'fsgnj.d': exact2('0010001 ..... ..... 000 ..... 1010011', 'fsgnj.d {rd}, {rs1}, {rs2}',
    signInjection(double, sameSign)),
  'fsgnjn.d': exact2('0010001 ..... ..... 001 ..... 1010011', 'fsgnjn.d {rd}, {rs1}, {rs2}',
    signInjection(double, oppositeSign)),
  'fsgnjx.d': exact2('0010001 ..... ..... 010 ..... 1010011', 'fsgnjx.d {rd}, {rs1}, {rs2}',
    signInjection(double, signProduct)),
  'fmin.d': exact2('0010101 ..... ..... 000 ..... 1010011', 'fmin.d {rd}, {rs1}, {rs2}',
    plainBinary(double, double.routines.min)),
  'fmax.d': exact2('0010101 ..... ..... 001 ..... 1010011', 'fmax.d {rd}, {rs1}, {rs2}',
    plainBinary(double, double.routines.max)),
  'fle.d': comparison('1010001 ..... ..... 000 ..... 1010011', 'fle.d {rd}, {rs1}, {rs2}',
    compareWith(double, 'le')),
  'flt.d': comparison('1010001 ..... ..... 001 ..... 1010011', 'flt.d {rd}, {rs1}, {rs2}',
    compareWith(double, 'lt')),
  'feq.d': comparison('1010001 ..... ..... 010 ..... 1010011', 'feq.d {rd}, {rs1}, {rs2}',
    compareWith(double, 'eq')),
  'fclass.d': floatToX('1110001 00000 ..... 001 ..... 1010011', 'fclass.d {rd}, {rs1}',
    classOf(double)),
  'fcvt.w.d': roundedFloatToX('1100001 00000 ..... ... ..... 1010011', 'fcvt.w.d {rd}, {rs1}, {rm}',
    toX(double, 'w')),
  'fcvt.wu.d': roundedFloatToX('1100001 00001 ..... ... ..... 1010011', 'fcvt.wu.d {rd}, {rs1}, {rm}',
    toX(double, 'wu')),
  'fcvt.l.d': roundedFloatToX('1100001 00010 ..... ... ..... 1010011', 'fcvt.l.d {rd}, {rs1}, {rm}',
    toX(double, 'l')),
  'fcvt.lu.d': roundedFloatToX('1100001 00011 ..... ... ..... 1010011', 'fcvt.lu.d {rd}, {rs1}, {rm}',
    toX(double, 'lu')),
  'fcvt.d.w': roundedXToFloat('1101001 00000 ..... ... ..... 1010011', 'fcvt.d.w {rd}, {rs1}, {rm}',
    fromX(double, 'w')),
  'fcvt.d.wu': roundedXToFloat('1101001 00001 ..... ... ..... 1010011', 'fcvt.d.wu {rd}, {rs1}, {rm}',
    fromX(double, 'wu')),
  'fcvt.d.l': roundedXToFloat('1101001 00010 ..... ... ..... 1010011', 'fcvt.d.l {rd}, {rs1}, {rm}',
    fromX(double, 'l')),
  'fcvt.d.lu': roundedXToFloat('1101001 00011 ..... ... ..... 1010011', 'fcvt.d.lu {rd}, {rs1}, {rm}',
    fromX(double, 'lu')),
  'fcvt.s.d': rounded1('0100000 00001 ..... ... ..... 1010011', 'fcvt.s.d {rd}, {rs1}, {rm}',
    narrow),
  'fcvt.d.s': rounded1('0100001 00000 ..... ... ..... 1010011', 'fcvt.d.s {rd}, {rs1}, {rm}',
    widen),
  'fmv.x.d': floatToX('1110001 00000 ..... 000 ..... 1010011', 'fmv.x.d {rd}, {rs1}',
    moveToX((_, bits) => bits)),
  'fmv.d.x': xToFloat('1111001 00000 ..... 000 ..... 1010011', 'fmv.d.x {rd}, {rs1}',
    moveFromX(setF64)),
});
