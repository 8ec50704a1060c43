// RV64I, the base integer instruction set, with Zihintpause. Unprivileged ISA, chapters 2 to 4.
//
// ecall and ebreak stand with the privileged instructions. Misaligned loads and stores are done by the engine. With
// compressed instructions every even address is a valid target, and no offset or jalr target is odd, so jumps
// never raise. Hints (results to x0, other fence encodings) need no rows: they execute as what they look like.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value, Width } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import {
  B,
  bare,
  type Binary,
  binary,
  I,
  immediate,
  J,
  R,
  S,
  shift32,
  shift64,
  U,
} from './formats.ts';

type I64 = Value<'i64'>;

const add: Binary = (s, a, b) => s.add(a, b);
const and: Binary = (s, a, b) => s.and(a, b);
const or: Binary = (s, a, b) => s.or(a, b);
const xor: Binary = (s, a, b) => s.xor(a, b);
const slt: Binary = (s, a, b) => s.zext1(s.lt_s(a, b));
const sltu: Binary = (s, a, b) => s.zext1(s.lt_u(a, b));
const sll: Binary = (s, a, b) => s.shl(a, b);
const srl: Binary = (s, a, b) => s.shr_u(a, b);
const sra: Binary = (s, a, b) => s.shr_s(a, b);
const addw: Binary = (s, a, b) => s.ext32_s(s.add(a, b));
const sllw: Binary = (s, a, b) => s.sext32(s.shl32(s.wrap(a), s.wrap(b)));
const srlw: Binary = (s, a, b) => s.sext32(s.shr_u32(s.wrap(a), s.wrap(b)));
const sraw: Binary = (s, a, b) => s.sext32(s.shr_s32(s.wrap(a), s.wrap(b)));

const branch =
  (condition: (s: Builder, a: I64, b: I64) => Value<'i1'>) =>
  (
    s: Builder,
    f: { readonly rs1: RegisterOperand; readonly rs2: RegisterOperand; readonly imm: I64 },
  ): void =>
    s.branch(condition(s, s.get(f.rs1), s.get(f.rs2)), s.add(s.pc(), f.imm));

const load = (width: Width, sign: 'signed' | 'unsigned') =>
  immediate((s, base, offset) => s.load(width, s.add(base, offset), sign));

const store =
  (width: Width) =>
  (
    s: Builder,
    f: { readonly rs1: RegisterOperand; readonly rs2: RegisterOperand; readonly imm: I64 },
  ): void =>
    s.store(width, s.add(s.get(f.rs1), f.imm), s.get(f.rs2));

/** An upper immediate: 32 bits, the low twelve of them zero, sign-extended. */
const upper = (s: Builder, imm: I64): I64 => s.ext32_s(s.shl(imm, 12));

/** Predecessor and successor sets; mode and registers are ignored as the manual asks. */
const fenceFormat = format({ imm: number('20:8') });

// oxfmt-ignore
export const rows: Row[] = instructions('I', {
  lui:   U('.................... ..... 0110111', 'lui {rd}, {imm}',
    (s, f) => s.set(f.rd, upper(s, f.imm))),
  auipc: U('.................... ..... 0010111', 'auipc {rd}, {imm}',
    (s, f) => s.set(f.rd, s.add(s.pc(), upper(s, f.imm)))),
  jal:   J('.................... ..... 1101111', 'jal {rd}, {imm}',
    (s, f) => {
      s.set(f.rd, s.pc(4));
      s.jump(s.add(s.pc(), f.imm), 'direct');
    }),
  jalr:  I('............ ..... 000 ..... 1100111', 'jalr {rd}, {imm}({rs1})',
    (s, f) => {
      const target = s.and(s.add(s.get(f.rs1), f.imm), -2n);
      s.set(f.rd, s.pc(4));
      s.jump(target, 'indirect');
    }),

  beq:  B('....... ..... ..... 000 ..... 1100011', 'beq {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.eq(a, b))),
  bne:  B('....... ..... ..... 001 ..... 1100011', 'bne {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.ne(a, b))),
  blt:  B('....... ..... ..... 100 ..... 1100011', 'blt {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.lt_s(a, b))),
  bge:  B('....... ..... ..... 101 ..... 1100011', 'bge {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.ge_s(a, b))),
  bltu: B('....... ..... ..... 110 ..... 1100011', 'bltu {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.lt_u(a, b))),
  bgeu: B('....... ..... ..... 111 ..... 1100011', 'bgeu {rs1}, {rs2}, {imm}',
    branch((s, a, b) => s.ge_u(a, b))),

  lb:  I('............ ..... 000 ..... 0000011', 'lb {rd}, {imm}({rs1})', load(8, 'signed')),
  lh:  I('............ ..... 001 ..... 0000011', 'lh {rd}, {imm}({rs1})', load(16, 'signed')),
  lw:  I('............ ..... 010 ..... 0000011', 'lw {rd}, {imm}({rs1})', load(32, 'signed')),
  ld:  I('............ ..... 011 ..... 0000011', 'ld {rd}, {imm}({rs1})', load(64, 'unsigned')),
  lbu: I('............ ..... 100 ..... 0000011', 'lbu {rd}, {imm}({rs1})', load(8, 'unsigned')),
  lhu: I('............ ..... 101 ..... 0000011', 'lhu {rd}, {imm}({rs1})', load(16, 'unsigned')),
  lwu: I('............ ..... 110 ..... 0000011', 'lwu {rd}, {imm}({rs1})', load(32, 'unsigned')),

  sb: S('....... ..... ..... 000 ..... 0100011', 'sb {rs2}, {imm}({rs1})', store(8)),
  sh: S('....... ..... ..... 001 ..... 0100011', 'sh {rs2}, {imm}({rs1})', store(16)),
  sw: S('....... ..... ..... 010 ..... 0100011', 'sw {rs2}, {imm}({rs1})', store(32)),
  sd: S('....... ..... ..... 011 ..... 0100011', 'sd {rs2}, {imm}({rs1})', store(64)),

  addi:  I('............ ..... 000 ..... 0010011', 'addi {rd}, {rs1}, {imm}', immediate(add)),
  slti:  I('............ ..... 010 ..... 0010011', 'slti {rd}, {rs1}, {imm}', immediate(slt)),
  sltiu: I('............ ..... 011 ..... 0010011', 'sltiu {rd}, {rs1}, {imm}', immediate(sltu)),
  xori:  I('............ ..... 100 ..... 0010011', 'xori {rd}, {rs1}, {imm}', immediate(xor)),
  ori:   I('............ ..... 110 ..... 0010011', 'ori {rd}, {rs1}, {imm}', immediate(or)),
  andi:  I('............ ..... 111 ..... 0010011', 'andi {rd}, {rs1}, {imm}', immediate(and)),
  slli: shift64('000000 ...... ..... 001 ..... 0010011', 'slli {rd}, {rs1}, {imm}', immediate(sll)),
  srli: shift64('000000 ...... ..... 101 ..... 0010011', 'srli {rd}, {rs1}, {imm}', immediate(srl)),
  srai: shift64('010000 ...... ..... 101 ..... 0010011', 'srai {rd}, {rs1}, {imm}', immediate(sra)),

  add:  R('0000000 ..... ..... 000 ..... 0110011', 'add {rd}, {rs1}, {rs2}', binary(add)),
  sub:  R('0100000 ..... ..... 000 ..... 0110011', 'sub {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.sub(a, b))),
  sll:  R('0000000 ..... ..... 001 ..... 0110011', 'sll {rd}, {rs1}, {rs2}', binary(sll)),
  slt:  R('0000000 ..... ..... 010 ..... 0110011', 'slt {rd}, {rs1}, {rs2}', binary(slt)),
  sltu: R('0000000 ..... ..... 011 ..... 0110011', 'sltu {rd}, {rs1}, {rs2}', binary(sltu)),
  xor:  R('0000000 ..... ..... 100 ..... 0110011', 'xor {rd}, {rs1}, {rs2}', binary(xor)),
  srl:  R('0000000 ..... ..... 101 ..... 0110011', 'srl {rd}, {rs1}, {rs2}', binary(srl)),
  sra:  R('0100000 ..... ..... 101 ..... 0110011', 'sra {rd}, {rs1}, {rs2}', binary(sra)),
  or:   R('0000000 ..... ..... 110 ..... 0110011', 'or {rd}, {rs1}, {rs2}', binary(or)),
  and:  R('0000000 ..... ..... 111 ..... 0110011', 'and {rd}, {rs1}, {rs2}', binary(and)),

  addiw: I('............ ..... 000 ..... 0011011', 'addiw {rd}, {rs1}, {imm}', immediate(addw)),
  slliw: shift32('0000000 ..... ..... 001 ..... 0011011', 'slliw {rd}, {rs1}, {imm}', immediate(sllw)),
  srliw: shift32('0000000 ..... ..... 101 ..... 0011011', 'srliw {rd}, {rs1}, {imm}', immediate(srlw)),
  sraiw: shift32('0100000 ..... ..... 101 ..... 0011011', 'sraiw {rd}, {rs1}, {imm}', immediate(sraw)),
  addw: R('0000000 ..... ..... 000 ..... 0111011', 'addw {rd}, {rs1}, {rs2}', binary(addw)),
  subw: R('0100000 ..... ..... 000 ..... 0111011', 'subw {rd}, {rs1}, {rs2}',
    binary((s, a, b) => s.ext32_s(s.sub(a, b)))),
  sllw: R('0000000 ..... ..... 001 ..... 0111011', 'sllw {rd}, {rs1}, {rs2}', binary(sllw)),
  srlw: R('0000000 ..... ..... 101 ..... 0111011', 'srlw {rd}, {rs1}, {rs2}', binary(srlw)),
  sraw: R('0100000 ..... ..... 101 ..... 0111011', 'sraw {rd}, {rs1}, {rs2}', binary(sraw)),

  fence: fenceFormat('.... ........ ..... 000 ..... 0001111', 'fence {imm}', (s) => s.fence()),
  'fence.tso': bare('1000 00110011 00000 000 00000 0001111', 'fence.tso', (s) => s.fence()),
  pause: bare('0000 00010000 00000 000 00000 0001111', 'pause', () => {}),
});
