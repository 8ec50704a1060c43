/**
 * The instructions of WebAssembly as one table: a row per instruction, keyed by its name in the
 * text format, with its number, the kind of its immediates, its natural alignment if it accesses
 * memory, and its operand and result types. Everything that must know an instruction reads it
 * here, so a number or a type is written exactly once.
 *
 * Source: WebAssembly Core Specification 2.0, binary format, "Index of Instructions" (the core
 * with sign extension, saturating conversions, bulk memory, reference types and 128-bit SIMD),
 * and the tail call and threads proposals. References are function references only, vectors are
 * without the relaxed instructions.
 *
 * A number is the opcode byte itself or, where the opcode is a prefix byte followed by a LEB128
 * number, `prefix << 16 | number`; so every number is below 2^24 and a small integer to V8.
 */

import type { ValueType } from './types.ts';
import { isValueType } from './types.ts';
import { assert } from '../std/assert.ts';

/** What follows the opcode in the binary format, in this order. */
type Immediates =
  | 'none'
  | 'zero' // a reserved byte 0
  | 'block' // block type
  | 'label'
  | 'labels' // vector of labels and the default label
  | 'function'
  | 'type table'
  | 'local'
  | 'global'
  | 'table'
  | 'table table' // destination, source
  | 'element table'
  | 'element'
  | 'memory'
  | 'memory memory' // destination, source
  | 'data memory'
  | 'data'
  | 'heap type'
  | 'types' // vector of value types
  | 'i32'
  | 'i64'
  | 'f32'
  | 'f64'
  | 'v128' // 16 bytes
  | 'lane'
  | 'lanes' // 16 lane numbers
  | 'memarg' // alignment, offset
  | 'memarg lane';

type Instruction = {
  /** The opcode byte, or `prefix << 16 | number`. */
  readonly opcode: number;
  readonly immediates: Immediates;
  /** Stack effect as in `i32 i64 -> i32`; undefined where it depends on context. */
  readonly type: string | undefined;
  /** Base-2 logarithm of the bytes accessed; undefined where there is no `memarg`. */
  readonly alignLog2: number | undefined;
};

const bulk = 0xfc << 16;
const simd = 0xfd << 16;
const atomic = 0xfe << 16;

export const instructions = {
  // Control instructions
  unreachable: polymorphic(0x00),
  nop: op(0x01, '->'),
  block: polymorphic(0x02, 'block'),
  loop: polymorphic(0x03, 'block'),
  if: polymorphic(0x04, 'block'),
  else: polymorphic(0x05),
  end: polymorphic(0x0b),
  br: polymorphic(0x0c, 'label'),
  br_if: polymorphic(0x0d, 'label'),
  br_table: polymorphic(0x0e, 'labels'),
  return: polymorphic(0x0f),
  call: polymorphic(0x10, 'function'),
  call_indirect: polymorphic(0x11, 'type table'),
  return_call: polymorphic(0x12, 'function'),
  return_call_indirect: polymorphic(0x13, 'type table'),

  // Reference instructions
  'ref.null': op(0xd0, '-> funcref', 'heap type'),
  'ref.is_null': op(0xd1, 'funcref -> i32'),
  'ref.func': op(0xd2, '-> funcref', 'function'),

  // Parametric instructions
  drop: polymorphic(0x1a),
  select: polymorphic(0x1b),
  'select (result)': polymorphic(0x1c, 'types'),

  // Variable instructions
  'local.get': polymorphic(0x20, 'local'),
  'local.set': polymorphic(0x21, 'local'),
  'local.tee': polymorphic(0x22, 'local'),
  'global.get': polymorphic(0x23, 'global'),
  'global.set': polymorphic(0x24, 'global'),

  // Table instructions
  'table.get': op(0x25, 'i32 -> funcref', 'table'),
  'table.set': op(0x26, 'i32 funcref ->', 'table'),
  'table.init': op(bulk + 12, 'i32 i32 i32 ->', 'element table'),
  'elem.drop': op(bulk + 13, '->', 'element'),
  'table.copy': op(bulk + 14, 'i32 i32 i32 ->', 'table table'),
  'table.grow': op(bulk + 15, 'funcref i32 -> i32', 'table'),
  'table.size': op(bulk + 16, '-> i32', 'table'),
  'table.fill': op(bulk + 17, 'i32 funcref i32 ->', 'table'),

  // Memory instructions
  'i32.load': memory(0x28, 2, 'i32 -> i32'),
  'i64.load': memory(0x29, 3, 'i32 -> i64'),
  'f32.load': memory(0x2a, 2, 'i32 -> f32'),
  'f64.load': memory(0x2b, 3, 'i32 -> f64'),
  'i32.load8_s': memory(0x2c, 0, 'i32 -> i32'),
  'i32.load8_u': memory(0x2d, 0, 'i32 -> i32'),
  'i32.load16_s': memory(0x2e, 1, 'i32 -> i32'),
  'i32.load16_u': memory(0x2f, 1, 'i32 -> i32'),
  'i64.load8_s': memory(0x30, 0, 'i32 -> i64'),
  'i64.load8_u': memory(0x31, 0, 'i32 -> i64'),
  'i64.load16_s': memory(0x32, 1, 'i32 -> i64'),
  'i64.load16_u': memory(0x33, 1, 'i32 -> i64'),
  'i64.load32_s': memory(0x34, 2, 'i32 -> i64'),
  'i64.load32_u': memory(0x35, 2, 'i32 -> i64'),
  'i32.store': memory(0x36, 2, 'i32 i32 ->'),
  'i64.store': memory(0x37, 3, 'i32 i64 ->'),
  'f32.store': memory(0x38, 2, 'i32 f32 ->'),
  'f64.store': memory(0x39, 3, 'i32 f64 ->'),
  'i32.store8': memory(0x3a, 0, 'i32 i32 ->'),
  'i32.store16': memory(0x3b, 1, 'i32 i32 ->'),
  'i64.store8': memory(0x3c, 0, 'i32 i64 ->'),
  'i64.store16': memory(0x3d, 1, 'i32 i64 ->'),
  'i64.store32': memory(0x3e, 2, 'i32 i64 ->'),
  'memory.size': op(0x3f, '-> i32', 'memory'),
  'memory.grow': op(0x40, 'i32 -> i32', 'memory'),
  'memory.init': op(bulk + 8, 'i32 i32 i32 ->', 'data memory'),
  'data.drop': op(bulk + 9, '->', 'data'),
  'memory.copy': op(bulk + 10, 'i32 i32 i32 ->', 'memory memory'),
  'memory.fill': op(bulk + 11, 'i32 i32 i32 ->', 'memory'),

  // Numeric instructions: constants
  'i32.const': op(0x41, '-> i32', 'i32'),
  'i64.const': op(0x42, '-> i64', 'i64'),
  'f32.const': op(0x43, '-> f32', 'f32'),
  'f64.const': op(0x44, '-> f64', 'f64'),

  // Numeric instructions: i32 comparisons
  'i32.eqz': op(0x45, 'i32 -> i32'),
  'i32.eq': op(0x46, 'i32 i32 -> i32'),
  'i32.ne': op(0x47, 'i32 i32 -> i32'),
  'i32.lt_s': op(0x48, 'i32 i32 -> i32'),
  'i32.lt_u': op(0x49, 'i32 i32 -> i32'),
  'i32.gt_s': op(0x4a, 'i32 i32 -> i32'),
  'i32.gt_u': op(0x4b, 'i32 i32 -> i32'),
  'i32.le_s': op(0x4c, 'i32 i32 -> i32'),
  'i32.le_u': op(0x4d, 'i32 i32 -> i32'),
  'i32.ge_s': op(0x4e, 'i32 i32 -> i32'),
  'i32.ge_u': op(0x4f, 'i32 i32 -> i32'),

  // Numeric instructions: i64 comparisons
  'i64.eqz': op(0x50, 'i64 -> i32'),
  'i64.eq': op(0x51, 'i64 i64 -> i32'),
  'i64.ne': op(0x52, 'i64 i64 -> i32'),
  'i64.lt_s': op(0x53, 'i64 i64 -> i32'),
  'i64.lt_u': op(0x54, 'i64 i64 -> i32'),
  'i64.gt_s': op(0x55, 'i64 i64 -> i32'),
  'i64.gt_u': op(0x56, 'i64 i64 -> i32'),
  'i64.le_s': op(0x57, 'i64 i64 -> i32'),
  'i64.le_u': op(0x58, 'i64 i64 -> i32'),
  'i64.ge_s': op(0x59, 'i64 i64 -> i32'),
  'i64.ge_u': op(0x5a, 'i64 i64 -> i32'),

  // Numeric instructions: f32 comparisons
  'f32.eq': op(0x5b, 'f32 f32 -> i32'),
  'f32.ne': op(0x5c, 'f32 f32 -> i32'),
  'f32.lt': op(0x5d, 'f32 f32 -> i32'),
  'f32.gt': op(0x5e, 'f32 f32 -> i32'),
  'f32.le': op(0x5f, 'f32 f32 -> i32'),
  'f32.ge': op(0x60, 'f32 f32 -> i32'),

  // Numeric instructions: f64 comparisons
  'f64.eq': op(0x61, 'f64 f64 -> i32'),
  'f64.ne': op(0x62, 'f64 f64 -> i32'),
  'f64.lt': op(0x63, 'f64 f64 -> i32'),
  'f64.gt': op(0x64, 'f64 f64 -> i32'),
  'f64.le': op(0x65, 'f64 f64 -> i32'),
  'f64.ge': op(0x66, 'f64 f64 -> i32'),

  // Numeric instructions: i32 arithmetic
  'i32.clz': op(0x67, 'i32 -> i32'),
  'i32.ctz': op(0x68, 'i32 -> i32'),
  'i32.popcnt': op(0x69, 'i32 -> i32'),
  'i32.add': op(0x6a, 'i32 i32 -> i32'),
  'i32.sub': op(0x6b, 'i32 i32 -> i32'),
  'i32.mul': op(0x6c, 'i32 i32 -> i32'),
  'i32.div_s': op(0x6d, 'i32 i32 -> i32'),
  'i32.div_u': op(0x6e, 'i32 i32 -> i32'),
  'i32.rem_s': op(0x6f, 'i32 i32 -> i32'),
  'i32.rem_u': op(0x70, 'i32 i32 -> i32'),
  'i32.and': op(0x71, 'i32 i32 -> i32'),
  'i32.or': op(0x72, 'i32 i32 -> i32'),
  'i32.xor': op(0x73, 'i32 i32 -> i32'),
  'i32.shl': op(0x74, 'i32 i32 -> i32'),
  'i32.shr_s': op(0x75, 'i32 i32 -> i32'),
  'i32.shr_u': op(0x76, 'i32 i32 -> i32'),
  'i32.rotl': op(0x77, 'i32 i32 -> i32'),
  'i32.rotr': op(0x78, 'i32 i32 -> i32'),

  // Numeric instructions: i64 arithmetic
  'i64.clz': op(0x79, 'i64 -> i64'),
  'i64.ctz': op(0x7a, 'i64 -> i64'),
  'i64.popcnt': op(0x7b, 'i64 -> i64'),
  'i64.add': op(0x7c, 'i64 i64 -> i64'),
  'i64.sub': op(0x7d, 'i64 i64 -> i64'),
  'i64.mul': op(0x7e, 'i64 i64 -> i64'),
  'i64.div_s': op(0x7f, 'i64 i64 -> i64'),
  'i64.div_u': op(0x80, 'i64 i64 -> i64'),
  'i64.rem_s': op(0x81, 'i64 i64 -> i64'),
  'i64.rem_u': op(0x82, 'i64 i64 -> i64'),
  'i64.and': op(0x83, 'i64 i64 -> i64'),
  'i64.or': op(0x84, 'i64 i64 -> i64'),
  'i64.xor': op(0x85, 'i64 i64 -> i64'),
  'i64.shl': op(0x86, 'i64 i64 -> i64'),
  'i64.shr_s': op(0x87, 'i64 i64 -> i64'),
  'i64.shr_u': op(0x88, 'i64 i64 -> i64'),
  'i64.rotl': op(0x89, 'i64 i64 -> i64'),
  'i64.rotr': op(0x8a, 'i64 i64 -> i64'),

  // Numeric instructions: f32 arithmetic
  'f32.abs': op(0x8b, 'f32 -> f32'),
  'f32.neg': op(0x8c, 'f32 -> f32'),
  'f32.ceil': op(0x8d, 'f32 -> f32'),
  'f32.floor': op(0x8e, 'f32 -> f32'),
  'f32.trunc': op(0x8f, 'f32 -> f32'),
  'f32.nearest': op(0x90, 'f32 -> f32'),
  'f32.sqrt': op(0x91, 'f32 -> f32'),
  'f32.add': op(0x92, 'f32 f32 -> f32'),
  'f32.sub': op(0x93, 'f32 f32 -> f32'),
  'f32.mul': op(0x94, 'f32 f32 -> f32'),
  'f32.div': op(0x95, 'f32 f32 -> f32'),
  'f32.min': op(0x96, 'f32 f32 -> f32'),
  'f32.max': op(0x97, 'f32 f32 -> f32'),
  'f32.copysign': op(0x98, 'f32 f32 -> f32'),

  // Numeric instructions: f64 arithmetic
  'f64.abs': op(0x99, 'f64 -> f64'),
  'f64.neg': op(0x9a, 'f64 -> f64'),
  'f64.ceil': op(0x9b, 'f64 -> f64'),
  'f64.floor': op(0x9c, 'f64 -> f64'),
  'f64.trunc': op(0x9d, 'f64 -> f64'),
  'f64.nearest': op(0x9e, 'f64 -> f64'),
  'f64.sqrt': op(0x9f, 'f64 -> f64'),
  'f64.add': op(0xa0, 'f64 f64 -> f64'),
  'f64.sub': op(0xa1, 'f64 f64 -> f64'),
  'f64.mul': op(0xa2, 'f64 f64 -> f64'),
  'f64.div': op(0xa3, 'f64 f64 -> f64'),
  'f64.min': op(0xa4, 'f64 f64 -> f64'),
  'f64.max': op(0xa5, 'f64 f64 -> f64'),
  'f64.copysign': op(0xa6, 'f64 f64 -> f64'),

  // Numeric instructions: conversions
  'i32.wrap_i64': op(0xa7, 'i64 -> i32'),
  'i32.trunc_f32_s': op(0xa8, 'f32 -> i32'),
  'i32.trunc_f32_u': op(0xa9, 'f32 -> i32'),
  'i32.trunc_f64_s': op(0xaa, 'f64 -> i32'),
  'i32.trunc_f64_u': op(0xab, 'f64 -> i32'),
  'i64.extend_i32_s': op(0xac, 'i32 -> i64'),
  'i64.extend_i32_u': op(0xad, 'i32 -> i64'),
  'i64.trunc_f32_s': op(0xae, 'f32 -> i64'),
  'i64.trunc_f32_u': op(0xaf, 'f32 -> i64'),
  'i64.trunc_f64_s': op(0xb0, 'f64 -> i64'),
  'i64.trunc_f64_u': op(0xb1, 'f64 -> i64'),
  'f32.convert_i32_s': op(0xb2, 'i32 -> f32'),
  'f32.convert_i32_u': op(0xb3, 'i32 -> f32'),
  'f32.convert_i64_s': op(0xb4, 'i64 -> f32'),
  'f32.convert_i64_u': op(0xb5, 'i64 -> f32'),
  'f32.demote_f64': op(0xb6, 'f64 -> f32'),
  'f64.convert_i32_s': op(0xb7, 'i32 -> f64'),
  'f64.convert_i32_u': op(0xb8, 'i32 -> f64'),
  'f64.convert_i64_s': op(0xb9, 'i64 -> f64'),
  'f64.convert_i64_u': op(0xba, 'i64 -> f64'),
  'f64.promote_f32': op(0xbb, 'f32 -> f64'),
  'i32.reinterpret_f32': op(0xbc, 'f32 -> i32'),
  'i64.reinterpret_f64': op(0xbd, 'f64 -> i64'),
  'f32.reinterpret_i32': op(0xbe, 'i32 -> f32'),
  'f64.reinterpret_i64': op(0xbf, 'i64 -> f64'),
  'i32.extend8_s': op(0xc0, 'i32 -> i32'),
  'i32.extend16_s': op(0xc1, 'i32 -> i32'),
  'i64.extend8_s': op(0xc2, 'i64 -> i64'),
  'i64.extend16_s': op(0xc3, 'i64 -> i64'),
  'i64.extend32_s': op(0xc4, 'i64 -> i64'),
  'i32.trunc_sat_f32_s': op(bulk + 0, 'f32 -> i32'),
  'i32.trunc_sat_f32_u': op(bulk + 1, 'f32 -> i32'),
  'i32.trunc_sat_f64_s': op(bulk + 2, 'f64 -> i32'),
  'i32.trunc_sat_f64_u': op(bulk + 3, 'f64 -> i32'),
  'i64.trunc_sat_f32_s': op(bulk + 4, 'f32 -> i64'),
  'i64.trunc_sat_f32_u': op(bulk + 5, 'f32 -> i64'),
  'i64.trunc_sat_f64_s': op(bulk + 6, 'f64 -> i64'),
  'i64.trunc_sat_f64_u': op(bulk + 7, 'f64 -> i64'),

  // Vector instructions (all 128-bit SIMD), by number
  'v128.load': memory(simd + 0x00, 4, 'i32 -> v128'),
  'v128.load8x8_s': memory(simd + 0x01, 3, 'i32 -> v128'),
  'v128.load8x8_u': memory(simd + 0x02, 3, 'i32 -> v128'),
  'v128.load16x4_s': memory(simd + 0x03, 3, 'i32 -> v128'),
  'v128.load16x4_u': memory(simd + 0x04, 3, 'i32 -> v128'),
  'v128.load32x2_s': memory(simd + 0x05, 3, 'i32 -> v128'),
  'v128.load32x2_u': memory(simd + 0x06, 3, 'i32 -> v128'),
  'v128.load8_splat': memory(simd + 0x07, 0, 'i32 -> v128'),
  'v128.load16_splat': memory(simd + 0x08, 1, 'i32 -> v128'),
  'v128.load32_splat': memory(simd + 0x09, 2, 'i32 -> v128'),
  'v128.load64_splat': memory(simd + 0x0a, 3, 'i32 -> v128'),
  'v128.store': memory(simd + 0x0b, 4, 'i32 v128 ->'),
  'v128.const': op(simd + 0x0c, '-> v128', 'v128'),
  'i8x16.shuffle': op(simd + 0x0d, 'v128 v128 -> v128', 'lanes'),
  'i8x16.swizzle': op(simd + 0x0e, 'v128 v128 -> v128'),
  'i8x16.splat': op(simd + 0x0f, 'i32 -> v128'),
  'i16x8.splat': op(simd + 0x10, 'i32 -> v128'),
  'i32x4.splat': op(simd + 0x11, 'i32 -> v128'),
  'i64x2.splat': op(simd + 0x12, 'i64 -> v128'),
  'f32x4.splat': op(simd + 0x13, 'f32 -> v128'),
  'f64x2.splat': op(simd + 0x14, 'f64 -> v128'),
  'i8x16.extract_lane_s': op(simd + 0x15, 'v128 -> i32', 'lane'),
  'i8x16.extract_lane_u': op(simd + 0x16, 'v128 -> i32', 'lane'),
  'i8x16.replace_lane': op(simd + 0x17, 'v128 i32 -> v128', 'lane'),
  'i16x8.extract_lane_s': op(simd + 0x18, 'v128 -> i32', 'lane'),
  'i16x8.extract_lane_u': op(simd + 0x19, 'v128 -> i32', 'lane'),
  'i16x8.replace_lane': op(simd + 0x1a, 'v128 i32 -> v128', 'lane'),
  'i32x4.extract_lane': op(simd + 0x1b, 'v128 -> i32', 'lane'),
  'i32x4.replace_lane': op(simd + 0x1c, 'v128 i32 -> v128', 'lane'),
  'i64x2.extract_lane': op(simd + 0x1d, 'v128 -> i64', 'lane'),
  'i64x2.replace_lane': op(simd + 0x1e, 'v128 i64 -> v128', 'lane'),
  'f32x4.extract_lane': op(simd + 0x1f, 'v128 -> f32', 'lane'),
  'f32x4.replace_lane': op(simd + 0x20, 'v128 f32 -> v128', 'lane'),
  'f64x2.extract_lane': op(simd + 0x21, 'v128 -> f64', 'lane'),
  'f64x2.replace_lane': op(simd + 0x22, 'v128 f64 -> v128', 'lane'),
  'i8x16.eq': op(simd + 0x23, 'v128 v128 -> v128'),
  'i8x16.ne': op(simd + 0x24, 'v128 v128 -> v128'),
  'i8x16.lt_s': op(simd + 0x25, 'v128 v128 -> v128'),
  'i8x16.lt_u': op(simd + 0x26, 'v128 v128 -> v128'),
  'i8x16.gt_s': op(simd + 0x27, 'v128 v128 -> v128'),
  'i8x16.gt_u': op(simd + 0x28, 'v128 v128 -> v128'),
  'i8x16.le_s': op(simd + 0x29, 'v128 v128 -> v128'),
  'i8x16.le_u': op(simd + 0x2a, 'v128 v128 -> v128'),
  'i8x16.ge_s': op(simd + 0x2b, 'v128 v128 -> v128'),
  'i8x16.ge_u': op(simd + 0x2c, 'v128 v128 -> v128'),
  'i16x8.eq': op(simd + 0x2d, 'v128 v128 -> v128'),
  'i16x8.ne': op(simd + 0x2e, 'v128 v128 -> v128'),
  'i16x8.lt_s': op(simd + 0x2f, 'v128 v128 -> v128'),
  'i16x8.lt_u': op(simd + 0x30, 'v128 v128 -> v128'),
  'i16x8.gt_s': op(simd + 0x31, 'v128 v128 -> v128'),
  'i16x8.gt_u': op(simd + 0x32, 'v128 v128 -> v128'),
  'i16x8.le_s': op(simd + 0x33, 'v128 v128 -> v128'),
  'i16x8.le_u': op(simd + 0x34, 'v128 v128 -> v128'),
  'i16x8.ge_s': op(simd + 0x35, 'v128 v128 -> v128'),
  'i16x8.ge_u': op(simd + 0x36, 'v128 v128 -> v128'),
  'i32x4.eq': op(simd + 0x37, 'v128 v128 -> v128'),
  'i32x4.ne': op(simd + 0x38, 'v128 v128 -> v128'),
  'i32x4.lt_s': op(simd + 0x39, 'v128 v128 -> v128'),
  'i32x4.lt_u': op(simd + 0x3a, 'v128 v128 -> v128'),
  'i32x4.gt_s': op(simd + 0x3b, 'v128 v128 -> v128'),
  'i32x4.gt_u': op(simd + 0x3c, 'v128 v128 -> v128'),
  'i32x4.le_s': op(simd + 0x3d, 'v128 v128 -> v128'),
  'i32x4.le_u': op(simd + 0x3e, 'v128 v128 -> v128'),
  'i32x4.ge_s': op(simd + 0x3f, 'v128 v128 -> v128'),
  'i32x4.ge_u': op(simd + 0x40, 'v128 v128 -> v128'),
  'f32x4.eq': op(simd + 0x41, 'v128 v128 -> v128'),
  'f32x4.ne': op(simd + 0x42, 'v128 v128 -> v128'),
  'f32x4.lt': op(simd + 0x43, 'v128 v128 -> v128'),
  'f32x4.gt': op(simd + 0x44, 'v128 v128 -> v128'),
  'f32x4.le': op(simd + 0x45, 'v128 v128 -> v128'),
  'f32x4.ge': op(simd + 0x46, 'v128 v128 -> v128'),
  'f64x2.eq': op(simd + 0x47, 'v128 v128 -> v128'),
  'f64x2.ne': op(simd + 0x48, 'v128 v128 -> v128'),
  'f64x2.lt': op(simd + 0x49, 'v128 v128 -> v128'),
  'f64x2.gt': op(simd + 0x4a, 'v128 v128 -> v128'),
  'f64x2.le': op(simd + 0x4b, 'v128 v128 -> v128'),
  'f64x2.ge': op(simd + 0x4c, 'v128 v128 -> v128'),
  'v128.not': op(simd + 0x4d, 'v128 -> v128'),
  'v128.and': op(simd + 0x4e, 'v128 v128 -> v128'),
  'v128.andnot': op(simd + 0x4f, 'v128 v128 -> v128'),
  'v128.or': op(simd + 0x50, 'v128 v128 -> v128'),
  'v128.xor': op(simd + 0x51, 'v128 v128 -> v128'),
  'v128.bitselect': op(simd + 0x52, 'v128 v128 v128 -> v128'),
  'v128.any_true': op(simd + 0x53, 'v128 -> i32'),
  'v128.load8_lane': memory(simd + 0x54, 0, 'i32 v128 -> v128', 'memarg lane'),
  'v128.load16_lane': memory(simd + 0x55, 1, 'i32 v128 -> v128', 'memarg lane'),
  'v128.load32_lane': memory(simd + 0x56, 2, 'i32 v128 -> v128', 'memarg lane'),
  'v128.load64_lane': memory(simd + 0x57, 3, 'i32 v128 -> v128', 'memarg lane'),
  'v128.store8_lane': memory(simd + 0x58, 0, 'i32 v128 ->', 'memarg lane'),
  'v128.store16_lane': memory(simd + 0x59, 1, 'i32 v128 ->', 'memarg lane'),
  'v128.store32_lane': memory(simd + 0x5a, 2, 'i32 v128 ->', 'memarg lane'),
  'v128.store64_lane': memory(simd + 0x5b, 3, 'i32 v128 ->', 'memarg lane'),
  'v128.load32_zero': memory(simd + 0x5c, 2, 'i32 -> v128'),
  'v128.load64_zero': memory(simd + 0x5d, 3, 'i32 -> v128'),
  'f32x4.demote_f64x2_zero': op(simd + 0x5e, 'v128 -> v128'),
  'f64x2.promote_low_f32x4': op(simd + 0x5f, 'v128 -> v128'),
  'i8x16.abs': op(simd + 0x60, 'v128 -> v128'),
  'i8x16.neg': op(simd + 0x61, 'v128 -> v128'),
  'i8x16.popcnt': op(simd + 0x62, 'v128 -> v128'),
  'i8x16.all_true': op(simd + 0x63, 'v128 -> i32'),
  'i8x16.bitmask': op(simd + 0x64, 'v128 -> i32'),
  'i8x16.narrow_i16x8_s': op(simd + 0x65, 'v128 v128 -> v128'),
  'i8x16.narrow_i16x8_u': op(simd + 0x66, 'v128 v128 -> v128'),
  'f32x4.ceil': op(simd + 0x67, 'v128 -> v128'),
  'f32x4.floor': op(simd + 0x68, 'v128 -> v128'),
  'f32x4.trunc': op(simd + 0x69, 'v128 -> v128'),
  'f32x4.nearest': op(simd + 0x6a, 'v128 -> v128'),
  'i8x16.shl': op(simd + 0x6b, 'v128 i32 -> v128'),
  'i8x16.shr_s': op(simd + 0x6c, 'v128 i32 -> v128'),
  'i8x16.shr_u': op(simd + 0x6d, 'v128 i32 -> v128'),
  'i8x16.add': op(simd + 0x6e, 'v128 v128 -> v128'),
  'i8x16.add_sat_s': op(simd + 0x6f, 'v128 v128 -> v128'),
  'i8x16.add_sat_u': op(simd + 0x70, 'v128 v128 -> v128'),
  'i8x16.sub': op(simd + 0x71, 'v128 v128 -> v128'),
  'i8x16.sub_sat_s': op(simd + 0x72, 'v128 v128 -> v128'),
  'i8x16.sub_sat_u': op(simd + 0x73, 'v128 v128 -> v128'),
  'f64x2.ceil': op(simd + 0x74, 'v128 -> v128'),
  'f64x2.floor': op(simd + 0x75, 'v128 -> v128'),
  'i8x16.min_s': op(simd + 0x76, 'v128 v128 -> v128'),
  'i8x16.min_u': op(simd + 0x77, 'v128 v128 -> v128'),
  'i8x16.max_s': op(simd + 0x78, 'v128 v128 -> v128'),
  'i8x16.max_u': op(simd + 0x79, 'v128 v128 -> v128'),
  'f64x2.trunc': op(simd + 0x7a, 'v128 -> v128'),
  'i8x16.avgr_u': op(simd + 0x7b, 'v128 v128 -> v128'),
  'i16x8.extadd_pairwise_i8x16_s': op(simd + 0x7c, 'v128 -> v128'),
  'i16x8.extadd_pairwise_i8x16_u': op(simd + 0x7d, 'v128 -> v128'),
  'i32x4.extadd_pairwise_i16x8_s': op(simd + 0x7e, 'v128 -> v128'),
  'i32x4.extadd_pairwise_i16x8_u': op(simd + 0x7f, 'v128 -> v128'),
  'i16x8.abs': op(simd + 0x80, 'v128 -> v128'),
  'i16x8.neg': op(simd + 0x81, 'v128 -> v128'),
  'i16x8.q15mulr_sat_s': op(simd + 0x82, 'v128 v128 -> v128'),
  'i16x8.all_true': op(simd + 0x83, 'v128 -> i32'),
  'i16x8.bitmask': op(simd + 0x84, 'v128 -> i32'),
  'i16x8.narrow_i32x4_s': op(simd + 0x85, 'v128 v128 -> v128'),
  'i16x8.narrow_i32x4_u': op(simd + 0x86, 'v128 v128 -> v128'),
  'i16x8.extend_low_i8x16_s': op(simd + 0x87, 'v128 -> v128'),
  'i16x8.extend_high_i8x16_s': op(simd + 0x88, 'v128 -> v128'),
  'i16x8.extend_low_i8x16_u': op(simd + 0x89, 'v128 -> v128'),
  'i16x8.extend_high_i8x16_u': op(simd + 0x8a, 'v128 -> v128'),
  'i16x8.shl': op(simd + 0x8b, 'v128 i32 -> v128'),
  'i16x8.shr_s': op(simd + 0x8c, 'v128 i32 -> v128'),
  'i16x8.shr_u': op(simd + 0x8d, 'v128 i32 -> v128'),
  'i16x8.add': op(simd + 0x8e, 'v128 v128 -> v128'),
  'i16x8.add_sat_s': op(simd + 0x8f, 'v128 v128 -> v128'),
  'i16x8.add_sat_u': op(simd + 0x90, 'v128 v128 -> v128'),
  'i16x8.sub': op(simd + 0x91, 'v128 v128 -> v128'),
  'i16x8.sub_sat_s': op(simd + 0x92, 'v128 v128 -> v128'),
  'i16x8.sub_sat_u': op(simd + 0x93, 'v128 v128 -> v128'),
  'f64x2.nearest': op(simd + 0x94, 'v128 -> v128'),
  'i16x8.mul': op(simd + 0x95, 'v128 v128 -> v128'),
  'i16x8.min_s': op(simd + 0x96, 'v128 v128 -> v128'),
  'i16x8.min_u': op(simd + 0x97, 'v128 v128 -> v128'),
  'i16x8.max_s': op(simd + 0x98, 'v128 v128 -> v128'),
  'i16x8.max_u': op(simd + 0x99, 'v128 v128 -> v128'),
  'i16x8.avgr_u': op(simd + 0x9b, 'v128 v128 -> v128'),
  'i16x8.extmul_low_i8x16_s': op(simd + 0x9c, 'v128 v128 -> v128'),
  'i16x8.extmul_high_i8x16_s': op(simd + 0x9d, 'v128 v128 -> v128'),
  'i16x8.extmul_low_i8x16_u': op(simd + 0x9e, 'v128 v128 -> v128'),
  'i16x8.extmul_high_i8x16_u': op(simd + 0x9f, 'v128 v128 -> v128'),
  'i32x4.abs': op(simd + 0xa0, 'v128 -> v128'),
  'i32x4.neg': op(simd + 0xa1, 'v128 -> v128'),
  'i32x4.all_true': op(simd + 0xa3, 'v128 -> i32'),
  'i32x4.bitmask': op(simd + 0xa4, 'v128 -> i32'),
  'i32x4.extend_low_i16x8_s': op(simd + 0xa7, 'v128 -> v128'),
  'i32x4.extend_high_i16x8_s': op(simd + 0xa8, 'v128 -> v128'),
  'i32x4.extend_low_i16x8_u': op(simd + 0xa9, 'v128 -> v128'),
  'i32x4.extend_high_i16x8_u': op(simd + 0xaa, 'v128 -> v128'),
  'i32x4.shl': op(simd + 0xab, 'v128 i32 -> v128'),
  'i32x4.shr_s': op(simd + 0xac, 'v128 i32 -> v128'),
  'i32x4.shr_u': op(simd + 0xad, 'v128 i32 -> v128'),
  'i32x4.add': op(simd + 0xae, 'v128 v128 -> v128'),
  'i32x4.sub': op(simd + 0xb1, 'v128 v128 -> v128'),
  'i32x4.mul': op(simd + 0xb5, 'v128 v128 -> v128'),
  'i32x4.min_s': op(simd + 0xb6, 'v128 v128 -> v128'),
  'i32x4.min_u': op(simd + 0xb7, 'v128 v128 -> v128'),
  'i32x4.max_s': op(simd + 0xb8, 'v128 v128 -> v128'),
  'i32x4.max_u': op(simd + 0xb9, 'v128 v128 -> v128'),
  'i32x4.dot_i16x8_s': op(simd + 0xba, 'v128 v128 -> v128'),
  'i32x4.extmul_low_i16x8_s': op(simd + 0xbc, 'v128 v128 -> v128'),
  'i32x4.extmul_high_i16x8_s': op(simd + 0xbd, 'v128 v128 -> v128'),
  'i32x4.extmul_low_i16x8_u': op(simd + 0xbe, 'v128 v128 -> v128'),
  'i32x4.extmul_high_i16x8_u': op(simd + 0xbf, 'v128 v128 -> v128'),
  'i64x2.abs': op(simd + 0xc0, 'v128 -> v128'),
  'i64x2.neg': op(simd + 0xc1, 'v128 -> v128'),
  'i64x2.all_true': op(simd + 0xc3, 'v128 -> i32'),
  'i64x2.bitmask': op(simd + 0xc4, 'v128 -> i32'),
  'i64x2.extend_low_i32x4_s': op(simd + 0xc7, 'v128 -> v128'),
  'i64x2.extend_high_i32x4_s': op(simd + 0xc8, 'v128 -> v128'),
  'i64x2.extend_low_i32x4_u': op(simd + 0xc9, 'v128 -> v128'),
  'i64x2.extend_high_i32x4_u': op(simd + 0xca, 'v128 -> v128'),
  'i64x2.shl': op(simd + 0xcb, 'v128 i32 -> v128'),
  'i64x2.shr_s': op(simd + 0xcc, 'v128 i32 -> v128'),
  'i64x2.shr_u': op(simd + 0xcd, 'v128 i32 -> v128'),
  'i64x2.add': op(simd + 0xce, 'v128 v128 -> v128'),
  'i64x2.sub': op(simd + 0xd1, 'v128 v128 -> v128'),
  'i64x2.mul': op(simd + 0xd5, 'v128 v128 -> v128'),
  'i64x2.eq': op(simd + 0xd6, 'v128 v128 -> v128'),
  'i64x2.ne': op(simd + 0xd7, 'v128 v128 -> v128'),
  'i64x2.lt_s': op(simd + 0xd8, 'v128 v128 -> v128'),
  'i64x2.gt_s': op(simd + 0xd9, 'v128 v128 -> v128'),
  'i64x2.le_s': op(simd + 0xda, 'v128 v128 -> v128'),
  'i64x2.ge_s': op(simd + 0xdb, 'v128 v128 -> v128'),
  'i64x2.extmul_low_i32x4_s': op(simd + 0xdc, 'v128 v128 -> v128'),
  'i64x2.extmul_high_i32x4_s': op(simd + 0xdd, 'v128 v128 -> v128'),
  'i64x2.extmul_low_i32x4_u': op(simd + 0xde, 'v128 v128 -> v128'),
  'i64x2.extmul_high_i32x4_u': op(simd + 0xdf, 'v128 v128 -> v128'),
  'f32x4.abs': op(simd + 0xe0, 'v128 -> v128'),
  'f32x4.neg': op(simd + 0xe1, 'v128 -> v128'),
  'f32x4.sqrt': op(simd + 0xe3, 'v128 -> v128'),
  'f32x4.add': op(simd + 0xe4, 'v128 v128 -> v128'),
  'f32x4.sub': op(simd + 0xe5, 'v128 v128 -> v128'),
  'f32x4.mul': op(simd + 0xe6, 'v128 v128 -> v128'),
  'f32x4.div': op(simd + 0xe7, 'v128 v128 -> v128'),
  'f32x4.min': op(simd + 0xe8, 'v128 v128 -> v128'),
  'f32x4.max': op(simd + 0xe9, 'v128 v128 -> v128'),
  'f32x4.pmin': op(simd + 0xea, 'v128 v128 -> v128'),
  'f32x4.pmax': op(simd + 0xeb, 'v128 v128 -> v128'),
  'f64x2.abs': op(simd + 0xec, 'v128 -> v128'),
  'f64x2.neg': op(simd + 0xed, 'v128 -> v128'),
  'f64x2.sqrt': op(simd + 0xef, 'v128 -> v128'),
  'f64x2.add': op(simd + 0xf0, 'v128 v128 -> v128'),
  'f64x2.sub': op(simd + 0xf1, 'v128 v128 -> v128'),
  'f64x2.mul': op(simd + 0xf2, 'v128 v128 -> v128'),
  'f64x2.div': op(simd + 0xf3, 'v128 v128 -> v128'),
  'f64x2.min': op(simd + 0xf4, 'v128 v128 -> v128'),
  'f64x2.max': op(simd + 0xf5, 'v128 v128 -> v128'),
  'f64x2.pmin': op(simd + 0xf6, 'v128 v128 -> v128'),
  'f64x2.pmax': op(simd + 0xf7, 'v128 v128 -> v128'),
  'i32x4.trunc_sat_f32x4_s': op(simd + 0xf8, 'v128 -> v128'),
  'i32x4.trunc_sat_f32x4_u': op(simd + 0xf9, 'v128 -> v128'),
  'f32x4.convert_i32x4_s': op(simd + 0xfa, 'v128 -> v128'),
  'f32x4.convert_i32x4_u': op(simd + 0xfb, 'v128 -> v128'),
  'i32x4.trunc_sat_f64x2_s_zero': op(simd + 0xfc, 'v128 -> v128'),
  'i32x4.trunc_sat_f64x2_u_zero': op(simd + 0xfd, 'v128 -> v128'),
  'f64x2.convert_low_i32x4_s': op(simd + 0xfe, 'v128 -> v128'),
  'f64x2.convert_low_i32x4_u': op(simd + 0xff, 'v128 -> v128'),

  // Atomic memory instructions (threads proposal); their alignment must be the natural one
  'memory.atomic.notify': memory(atomic + 0x00, 2, 'i32 i32 -> i32'),
  'memory.atomic.wait32': memory(atomic + 0x01, 2, 'i32 i32 i64 -> i32'),
  'memory.atomic.wait64': memory(atomic + 0x02, 3, 'i32 i64 i64 -> i32'),
  'atomic.fence': op(atomic + 0x03, '->', 'zero'),
  'i32.atomic.load': memory(atomic + 0x10, 2, 'i32 -> i32'),
  'i64.atomic.load': memory(atomic + 0x11, 3, 'i32 -> i64'),
  'i32.atomic.load8_u': memory(atomic + 0x12, 0, 'i32 -> i32'),
  'i32.atomic.load16_u': memory(atomic + 0x13, 1, 'i32 -> i32'),
  'i64.atomic.load8_u': memory(atomic + 0x14, 0, 'i32 -> i64'),
  'i64.atomic.load16_u': memory(atomic + 0x15, 1, 'i32 -> i64'),
  'i64.atomic.load32_u': memory(atomic + 0x16, 2, 'i32 -> i64'),
  'i32.atomic.store': memory(atomic + 0x17, 2, 'i32 i32 ->'),
  'i64.atomic.store': memory(atomic + 0x18, 3, 'i32 i64 ->'),
  'i32.atomic.store8': memory(atomic + 0x19, 0, 'i32 i32 ->'),
  'i32.atomic.store16': memory(atomic + 0x1a, 1, 'i32 i32 ->'),
  'i64.atomic.store8': memory(atomic + 0x1b, 0, 'i32 i64 ->'),
  'i64.atomic.store16': memory(atomic + 0x1c, 1, 'i32 i64 ->'),
  'i64.atomic.store32': memory(atomic + 0x1d, 2, 'i32 i64 ->'),
  'i32.atomic.rmw.add': memory(atomic + 0x1e, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.add': memory(atomic + 0x1f, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.add_u': memory(atomic + 0x20, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.add_u': memory(atomic + 0x21, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.add_u': memory(atomic + 0x22, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.add_u': memory(atomic + 0x23, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.add_u': memory(atomic + 0x24, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.sub': memory(atomic + 0x25, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.sub': memory(atomic + 0x26, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.sub_u': memory(atomic + 0x27, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.sub_u': memory(atomic + 0x28, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.sub_u': memory(atomic + 0x29, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.sub_u': memory(atomic + 0x2a, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.sub_u': memory(atomic + 0x2b, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.and': memory(atomic + 0x2c, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.and': memory(atomic + 0x2d, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.and_u': memory(atomic + 0x2e, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.and_u': memory(atomic + 0x2f, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.and_u': memory(atomic + 0x30, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.and_u': memory(atomic + 0x31, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.and_u': memory(atomic + 0x32, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.or': memory(atomic + 0x33, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.or': memory(atomic + 0x34, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.or_u': memory(atomic + 0x35, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.or_u': memory(atomic + 0x36, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.or_u': memory(atomic + 0x37, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.or_u': memory(atomic + 0x38, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.or_u': memory(atomic + 0x39, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.xor': memory(atomic + 0x3a, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.xor': memory(atomic + 0x3b, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.xor_u': memory(atomic + 0x3c, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.xor_u': memory(atomic + 0x3d, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.xor_u': memory(atomic + 0x3e, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.xor_u': memory(atomic + 0x3f, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.xor_u': memory(atomic + 0x40, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.xchg': memory(atomic + 0x41, 2, 'i32 i32 -> i32'),
  'i64.atomic.rmw.xchg': memory(atomic + 0x42, 3, 'i32 i64 -> i64'),
  'i32.atomic.rmw8.xchg_u': memory(atomic + 0x43, 0, 'i32 i32 -> i32'),
  'i32.atomic.rmw16.xchg_u': memory(atomic + 0x44, 1, 'i32 i32 -> i32'),
  'i64.atomic.rmw8.xchg_u': memory(atomic + 0x45, 0, 'i32 i64 -> i64'),
  'i64.atomic.rmw16.xchg_u': memory(atomic + 0x46, 1, 'i32 i64 -> i64'),
  'i64.atomic.rmw32.xchg_u': memory(atomic + 0x47, 2, 'i32 i64 -> i64'),
  'i32.atomic.rmw.cmpxchg': memory(atomic + 0x48, 2, 'i32 i32 i32 -> i32'),
  'i64.atomic.rmw.cmpxchg': memory(atomic + 0x49, 3, 'i32 i64 i64 -> i64'),
  'i32.atomic.rmw8.cmpxchg_u': memory(atomic + 0x4a, 0, 'i32 i32 i32 -> i32'),
  'i32.atomic.rmw16.cmpxchg_u': memory(atomic + 0x4b, 1, 'i32 i32 i32 -> i32'),
  'i64.atomic.rmw8.cmpxchg_u': memory(atomic + 0x4c, 0, 'i32 i64 i64 -> i64'),
  'i64.atomic.rmw16.cmpxchg_u': memory(atomic + 0x4d, 1, 'i32 i64 i64 -> i64'),
  'i64.atomic.rmw32.cmpxchg_u': memory(atomic + 0x4e, 2, 'i32 i64 i64 -> i64'),
};

/** The name of an instruction in the text format. */
export type OpcodeName = keyof typeof instructions;

/** The number of every instruction: what {@link Code.op} and {@link Code.memory} take. */
export const opcodes = numbers(instructions);

/** Operand and result types of an instruction; undefined where they depend on context. */
export function signature(
  name: OpcodeName,
): { operands: ValueType[]; results: ValueType[] } | undefined {
  const { type } = instructions[name];
  if (type === undefined) return undefined;
  const [operands = '', results = ''] = type.split('->');
  return { operands: valueTypes(operands), results: valueTypes(results) };
}

function valueTypes(text: string): ValueType[] {
  const words = text.split(' ').filter((word) => word !== '');
  return words.map((word) => {
    assert(isValueType(word), 'a row of the table names a type that does not exist');
    return word;
  });
}

function op(opcode: number, type: string, immediates: Immediates = 'none'): Instruction {
  return { opcode, immediates, type, alignLog2: undefined };
}

function polymorphic(opcode: number, immediates: Immediates = 'none'): Instruction {
  return { opcode, immediates, type: undefined, alignLog2: undefined };
}

function memory(
  opcode: number,
  alignLog2: number,
  type: string,
  immediates: Immediates = 'memarg',
): Instruction {
  return { opcode, immediates, type, alignLog2 };
}

function numbers<Name extends string>(rows: Record<Name, Instruction>): Record<Name, number>;
function numbers(rows: Record<string, Instruction>): Record<string, number> {
  return Object.fromEntries(Object.entries(rows).map(([name, { opcode }]) => [name, opcode]));
}
