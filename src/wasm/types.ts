/**
 * The value types a generated module can use and their bytes in the binary format (WebAssembly
 * Core Specification 2.0, section 5.3). Of the reference types there is only `funcref`, which is
 * what tables of translated code hold.
 */

/** The byte of each value type. */
export const valueTypeBytes = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
} as const;

export type ValueType = keyof typeof valueTypeBytes;

/** The block type of a block that leaves nothing on the stack. */
export const EMPTY_BLOCK_TYPE = 0x40;

/** Whether `text` names a value type. */
export function isValueType(text: string): text is ValueType {
  return Object.hasOwn(valueTypeBytes, text);
}
