// Instruction formats that several extensions share, and the meanings that go with them.
// Unprivileged ISA, section 2.2 (base formats R, I, S, B, U, J).
//
// A meaning here is made from an operation on values, which reads nothing but its arguments; so a row of an
// extension says only what is its own: bits, text, operation.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { format, number } from '../shared/row.ts';
import { x } from './state.ts';

const rd = x.destination('7:5');
const rs1 = x.source('15:5');
const rs2 = x.source('20:5');

export const R = format({ rd, rs1, rs2 });
export const I = format({ rd, rs1, imm: number('20:s12') });
export const S = format({ rs1, rs2, imm: number('25:s7 7:5') });
export const B = format({
  rs1,
  rs2,
  imm: number('31:s1 7:1 25:6 8:4', { shift: 1, relative: true }),
});
/** The number is the upper 20 bits, as assembly writes it. */
export const U = format({ rd, imm: number('12:20') });
export const J = format({ rd, imm: number('31:s1 12:8 20:1 21:10', { shift: 1, relative: true }) });

/** Shifts by a constant: six bits on 64-bit values, five on words. */
export const shift64 = format({ rd, rs1, imm: number('20:6') });
export const shift32 = format({ rd, rs1, imm: number('20:5') });
/** R and I with the second operand's bits fixed. */
export const oneSource = format({ rd, rs1 });
/** Only an address, or nothing. */
export const addressOnly = format({ rs1 });
export const bare = format({});

type I64 = Value<'i64'>;
export type Unary = (s: Builder, a: I64) => I64;
export type Binary = (s: Builder, a: I64, b: I64) => I64;

interface OneSource {
  readonly rd: RegisterOperand;
  readonly rs1: RegisterOperand;
}

/** rd = op(rs1). */
export const unary =
  (op: Unary) =>
  (s: Builder, f: OneSource): void =>
    s.set(f.rd, op(s, s.get(f.rs1)));

/** rd = op(rs1, rs2). */
export const binary =
  (op: Binary) =>
  (s: Builder, f: OneSource & { readonly rs2: RegisterOperand }): void =>
    s.set(f.rd, op(s, s.get(f.rs1), s.get(f.rs2)));

/** rd = op(rs1, imm). */
export const immediate =
  (op: Binary) =>
  (s: Builder, f: OneSource & { readonly imm: I64 }): void =>
    s.set(f.rd, op(s, s.get(f.rs1), f.imm));

/** The low 32 bits of a value, zero-extended. */
export const lowWord: Unary = (s, a) => s.and(a, 0xffff_ffffn);
