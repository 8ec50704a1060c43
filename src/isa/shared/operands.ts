// Operands of an instruction whose word is known: numbers are constants, registers have their numbers.

import { constant } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { fieldValue, type Row } from './row.ts';

/** The operands that a meaning gets for a word: everything is known. */
export function constantOperands(
  row: Row,
  word: number,
): Record<string, RegisterOperand | Value<'i64'>> {
  const entries = Object.entries(row.fields).map(([name, field]) => {
    const value = fieldValue(field, word);
    const operand =
      field.kind === 'register'
        ? { file: field.file, index: value }
        : constant('i64', BigInt(value));
    return [name, operand] as const;
  });
  return Object.fromEntries(entries);
}
