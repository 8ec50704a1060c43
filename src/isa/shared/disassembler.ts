// From a word to assembly text, by the row's own template: registers by name, numbers decimal.

import { type Field, numberValue, registerNumber, type Row } from './row.ts';

/**
 * The instruction as text. With `pc`, its address, distances from it are written as the addresses they lead to, in
 * hexadecimal.
 */
export function disassemble(row: Row, word: number, pc?: bigint): string {
  return row.text.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    operandText(row.fields[name]!, word, pc),
  );
}

function operandText(field: Field, word: number, pc: bigint | undefined): string {
  if (field.kind === 'register') return field.names[registerNumber(field, word)]!;
  const value = numberValue(field, word)!;
  if (typeof value === 'bigint') return field.code?.print?.(value) ?? `${value}`;
  if (!field.relative || pc === undefined) return field.names?.[value] ?? `${value}`;
  return `0x${BigInt.asUintN(64, pc + BigInt(value)).toString(16)}`;
}
