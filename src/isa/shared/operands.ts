// Operands of an instruction whose word is known: numbers are constants, registers have their numbers.

import { constant } from '../../ir/builder.ts';
import type { AnyRegister, AnyRegisterFile, Value } from '../../ir/node.ts';
import { numberValue, registerNumber, type Row } from './row.ts';

type Operand = AnyRegister | Value<'i64'>;

/** Operands are immutable, so those that come again and again are made once. */
const registers = new Map<AnyRegisterFile, AnyRegister[]>();
const numbers = new Map<number, Value<'i64'>>();
const NUMBERS_MAX = 4096;
const entries = new Map<Row, readonly (readonly [string, Row['fields'][string]])[]>();

/** The operands that a meaning gets for a word: everything is known. */
export function constantOperands(row: Row, word: number): Record<string, Operand> {
  let fields = entries.get(row);
  if (fields === undefined) {
    fields = Object.entries(row.fields);
    entries.set(row, fields);
  }
  const operands: Record<string, Operand> = {};
  for (const [name, field] of fields) {
    operands[name] =
      field.kind === 'register'
        ? registerOf(field.file, registerNumber(field, word))
        : numberOf(numberValue(field, word)!);
  }
  return operands;
}

function registerOf(file: AnyRegisterFile, index: number): AnyRegister {
  let operands = registers.get(file);
  if (operands === undefined) {
    operands = Array.from({ length: file.count }, (_, number) => ({ file, index: number }));
    registers.set(file, operands);
  }
  return operands[index]!;
}

function numberOf(value: number | bigint): Value<'i64'> {
  if (typeof value === 'bigint') return constant('i64', value);
  const known = numbers.get(value);
  if (known !== undefined) return known;
  const made = constant('i64', BigInt(value));
  if (Math.abs(value) < NUMBERS_MAX) numbers.set(value, made);
  return made;
}
