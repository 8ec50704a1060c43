// C: compressed instructions of RV64, with those for D. Unprivileged ISA, chapter 26.
//
// An instruction that reads and writes one register names it once, as its destination: where that is x0
// the instruction is a hint, whose result goes nowhere. Hints need no rows of their own. Encodings that the
// manual reserves match no row: `nonzero` sees to those with a zero field.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value, Width } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import type { Binary } from './formats.ts';
import { getF64, requireFp, setF64 } from './fp-state.ts';
import { f as fp, X, x } from './state.ts';

type I64 = Value<'i64'>;

const zero: RegisterOperand = { file: X, index: 0 };
const ra: RegisterOperand = { file: X, index: 1 };
const sp: RegisterOperand = { file: X, index: 2 };

/** Fields of three bits name x8 to x15. */
const add = 8;
const low = { rd: x.destination('2:3', { add }), rs2: x.source('2:3', { add }) };
const high = { rd: x.destination('7:3', { add }), rs1: x.source('7:3', { add }) };
const fpLow = { rd: fp.destination('2:3', { add }), rs2: fp.source('2:3', { add }) };
const wide = { rd: x.destination('7:5'), rs1: x.source('7:5'), rs2: x.source('2:5') };

/** Offsets and immediates, by how they are scattered. */
const wordOffset = number('5:1 10:3 6:1', { shift: 2 });
const doubleOffset = number('5:2 10:3', { shift: 3 });
const wordFromStack = number('2:2 12:1 4:3', { shift: 2 });
const doubleFromStack = number('2:3 12:1 5:2', { shift: 3 });
const wordToStack = number('7:2 9:4', { shift: 2 });
const doubleToStack = number('7:3 10:3', { shift: 3 });
const signedSix = number('12:s1 2:5');
const shiftAmount = number('12:1 2:5');
const branchOffset = number('12:s1 5:2 2:1 10:2 3:2', { shift: 1, relative: true });
const jumpOffset = number('12:s1 8:1 9:2 6:1 7:1 2:1 11:1 3:3', { shift: 1, relative: true });
const spAdjustment = number('12:s1 3:2 5:1 2:1 6:1', { shift: 4 });
const spOffset = number('7:4 11:2 5:1 6:1', { shift: 2 });

const bare = format({});
const addToSp = format({ rd: low.rd, imm: spOffset });
const adjustSp = format({ imm: spAdjustment });
const loadWord = format({ rd: low.rd, rs1: high.rs1, imm: wordOffset });
const loadDouble = format({ rd: low.rd, rs1: high.rs1, imm: doubleOffset });
const loadFp = format({ rd: fpLow.rd, rs1: high.rs1, imm: doubleOffset });
const storeWord = format({ rs1: high.rs1, rs2: low.rs2, imm: wordOffset });
const storeDouble = format({ rs1: high.rs1, rs2: low.rs2, imm: doubleOffset });
const storeFp = format({ rs1: high.rs1, rs2: fpLow.rs2, imm: doubleOffset });
const stackLoadWord = format({ rd: wide.rd, imm: wordFromStack });
const stackLoadDouble = format({ rd: wide.rd, imm: doubleFromStack });
const stackLoadFp = format({ rd: fp.destination('7:5'), imm: doubleFromStack });
const stackStoreWord = format({ rs2: wide.rs2, imm: wordToStack });
const stackStoreDouble = format({ rs2: wide.rs2, imm: doubleToStack });
const stackStoreFp = format({ rs2: fp.source('2:5'), imm: doubleToStack });
const wideImmediate = format({ rd: wide.rd, imm: signedSix });
const wideShift = format({ rd: wide.rd, imm: shiftAmount });
const lowImmediate = format({ rd: high.rd, imm: signedSix });
const lowShift = format({ rd: high.rd, imm: shiftAmount });
const lowRegisters = format({ rd: high.rd, rs2: low.rs2 });
const wideRegisters = format({ rd: wide.rd, rs2: wide.rs2 });
const jumpRegister = format({ rs1: wide.rs1 });
const jump = format({ imm: jumpOffset });
const branch = format({ rs1: high.rs1, imm: branchOffset });

interface Destination {
  readonly rd: RegisterOperand;
}
interface Source {
  readonly rs2: RegisterOperand;
}
interface Base {
  readonly rs1: RegisterOperand;
}
interface Immediate {
  readonly imm: I64;
}

/** rd = op(rd, rs2). */
const update =
  (op: Binary) =>
  (s: Builder, f: Destination & Source): void =>
    s.set(f.rd, op(s, s.get(f.rd), s.get(f.rs2)));

/** rd = op(rd, imm). */
const updateBy =
  (op: Binary) =>
  (s: Builder, f: Destination & Immediate): void =>
    s.set(f.rd, op(s, s.get(f.rd), f.imm));

const addressOf = (s: Builder, f: Partial<Base> & Immediate): I64 =>
  s.add(s.get(f.rs1 ?? sp), f.imm);

/** Loads are signed; an address without rs1 is relative to sp. */
const load =
  (width: Width) =>
  (s: Builder, f: Destination & Partial<Base> & Immediate): void =>
    s.set(f.rd, s.load(width, addressOf(s, f), 'signed'));

const store =
  (width: Width) =>
  (s: Builder, f: Source & Partial<Base> & Immediate): void =>
    s.store(width, addressOf(s, f), s.get(f.rs2));

function fld(s: Builder, f: Destination & Partial<Base> & Immediate): void {
  requireFp(s);
  setF64(s, f.rd, s.load(64, addressOf(s, f)));
}

function fsd(s: Builder, f: Source & Partial<Base> & Immediate): void {
  requireFp(s);
  s.store(64, addressOf(s, f), getF64(s, f.rs2));
}

const branchIf =
  (condition: (s: Builder, a: I64) => Value<'i1'>) =>
  (s: Builder, f: Base & Immediate): void =>
    s.branch(condition(s, s.get(f.rs1)), s.add(s.pc(), f.imm));

/** Goes to the address in rs1, leaving the return address in `link`. */
const jumpTo =
  (link: RegisterOperand) =>
  (s: Builder, f: Base): void => {
    const target = s.and(s.get(f.rs1), -2n);
    s.set(link, s.pc(2));
    s.jump(target, 'indirect');
  };

const and: Binary = (s, a, b) => s.and(a, b);
const addw: Binary = (s, a, b) => s.ext32_s(s.add(a, b));

// oxfmt-ignore
export const rows: Row[] = instructions('C', {
  // Quadrant 0
  'c.addi4spn': addToSp('000 ........ ... 00', 'c.addi4spn {rd}, sp, {imm}',
    (s, f) => s.set(f.rd, s.add(s.get(sp), f.imm)), { nonzero: ['imm'] }),
  'c.fld': loadFp('001 ... ... .. ... 00', 'c.fld {rd}, {imm}({rs1})', fld),
  'c.lw':  loadWord('010 ... ... .. ... 00', 'c.lw {rd}, {imm}({rs1})', load(32)),
  'c.ld':  loadDouble('011 ... ... .. ... 00', 'c.ld {rd}, {imm}({rs1})', load(64)),
  'c.fsd': storeFp('101 ... ... .. ... 00', 'c.fsd {rs2}, {imm}({rs1})', fsd),
  'c.sw':  storeWord('110 ... ... .. ... 00', 'c.sw {rs2}, {imm}({rs1})', store(32)),
  'c.sd':  storeDouble('111 ... ... .. ... 00', 'c.sd {rs2}, {imm}({rs1})', store(64)),

  // Quadrant 1
  'c.nop':   bare('000 0 00000 00000 01', 'c.nop', () => {}),
  'c.addi':  wideImmediate('000 . ..... ..... 01', 'c.addi {rd}, {imm}', updateBy((s, a, b) => s.add(a, b))),
  'c.addiw': wideImmediate('001 . ..... ..... 01', 'c.addiw {rd}, {imm}', updateBy(addw), { nonzero: ['rd'] }),
  'c.li':    wideImmediate('010 . ..... ..... 01', 'c.li {rd}, {imm}', (s, f) => s.set(f.rd, f.imm)),
  'c.addi16sp': adjustSp('011 . 00010 ..... 01', 'c.addi16sp sp, {imm}',
    (s, f) => s.set(sp, s.add(s.get(sp), f.imm)), { nonzero: ['imm'] }),
  'c.lui':   wideImmediate('011 . ..... ..... 01', 'c.lui {rd}, {imm}',
    (s, f) => s.set(f.rd, s.shl(f.imm, 12)), { nonzero: ['imm'] }),
  'c.srli':  lowShift('100 . 00 ... ..... 01', 'c.srli {rd}, {imm}', updateBy((s, a, b) => s.shr_u(a, b))),
  'c.srai':  lowShift('100 . 01 ... ..... 01', 'c.srai {rd}, {imm}', updateBy((s, a, b) => s.shr_s(a, b))),
  'c.andi':  lowImmediate('100 . 10 ... ..... 01', 'c.andi {rd}, {imm}', updateBy(and)),
  'c.sub':   lowRegisters('100 0 11 ... 00 ... 01', 'c.sub {rd}, {rs2}', update((s, a, b) => s.sub(a, b))),
  'c.xor':   lowRegisters('100 0 11 ... 01 ... 01', 'c.xor {rd}, {rs2}', update((s, a, b) => s.xor(a, b))),
  'c.or':    lowRegisters('100 0 11 ... 10 ... 01', 'c.or {rd}, {rs2}', update((s, a, b) => s.or(a, b))),
  'c.and':   lowRegisters('100 0 11 ... 11 ... 01', 'c.and {rd}, {rs2}', update(and)),
  'c.subw':  lowRegisters('100 1 11 ... 00 ... 01', 'c.subw {rd}, {rs2}',
    update((s, a, b) => s.ext32_s(s.sub(a, b)))),
  'c.addw':  lowRegisters('100 1 11 ... 01 ... 01', 'c.addw {rd}, {rs2}', update(addw)),
  'c.j':     jump('101 ........... 01', 'c.j {imm}', (s, f) => s.jump(s.add(s.pc(), f.imm), 'direct')),
  'c.beqz':  branch('110 ... ... ..... 01', 'c.beqz {rs1}, {imm}', branchIf((s, a) => s.eqz(a))),
  'c.bnez':  branch('111 ... ... ..... 01', 'c.bnez {rs1}, {imm}', branchIf((s, a) => s.ne(a, 0n))),

  // Quadrant 2
  'c.slli':  wideShift('000 . ..... ..... 10', 'c.slli {rd}, {imm}', updateBy((s, a, b) => s.shl(a, b))),
  'c.fldsp': stackLoadFp('001 . ..... ..... 10', 'c.fldsp {rd}, {imm}(sp)', fld),
  'c.lwsp':  stackLoadWord('010 . ..... ..... 10', 'c.lwsp {rd}, {imm}(sp)', load(32), { nonzero: ['rd'] }),
  'c.ldsp':  stackLoadDouble('011 . ..... ..... 10', 'c.ldsp {rd}, {imm}(sp)', load(64), { nonzero: ['rd'] }),
  'c.jr':    jumpRegister('100 0 ..... 00000 10', 'c.jr {rs1}', jumpTo(zero), { nonzero: ['rs1'] }),
  'c.mv':    wideRegisters('100 0 ..... ..... 10', 'c.mv {rd}, {rs2}',
    (s, f) => s.set(f.rd, s.get(f.rs2)), { nonzero: ['rs2'] }),
  'c.jalr':  jumpRegister('100 1 ..... 00000 10', 'c.jalr {rs1}', jumpTo(ra), { nonzero: ['rs1'] }),
  'c.add':   wideRegisters('100 1 ..... ..... 10', 'c.add {rd}, {rs2}',
    update((s, a, b) => s.add(a, b)), { nonzero: ['rs2'] }),
  'c.fsdsp': stackStoreFp('101 ...... ..... 10', 'c.fsdsp {rs2}, {imm}(sp)', fsd),
  'c.swsp':  stackStoreWord('110 ...... ..... 10', 'c.swsp {rs2}, {imm}(sp)', store(32)),
  'c.sdsp':  stackStoreDouble('111 ...... ..... 10', 'c.sdsp {rs2}, {imm}(sp)', store(64)),
});
