import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteWriter } from './byte-writer.ts';

/** The bytes that `write` writes, from a buffer so small that it has to grow. */
function written(write: (out: ByteWriter) => void): number[] {
  const out = new ByteWriter(1);
  write(out);
  return [...out.copy()];
}

/** Decodes LEB128 as the specification defines it: the value, modulo 2^64 if signed. */
function leb(bytes: number[], signed: boolean): bigint {
  const value = bytes.reduce((sum, byte, i) => sum + (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
  return signed ? BigInt.asIntN(7 * bytes.length, value) : value;
}

/** Whether all bytes but the last announce another one. */
function terminated(bytes: number[]): boolean {
  return bytes.every((byte, i) => byte >= 0x80 === i < bytes.length - 1);
}

/** The length of the shortest encoding: the first that can hold the value. */
function shortest(value: bigint, signed: boolean): number {
  let length = 1;
  const fits = (bits: number) =>
    (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
  while (!fits(7 * length)) length++;
  return length;
}

/** Numbers of every magnitude, which a uniform choice would hardly ever yield. */
const word = fc
  .tuple(fc.bigInt(0n, (1n << 64n) - 1n), fc.nat(63))
  .map(([value, shift]) => value >> BigInt(shift));

test('u32 is the shortest unsigned LEB128', () => {
  fc.assert(
    fc.property(word, (value) => {
      const expected = BigInt.asUintN(32, value);
      const bytes = written((out) => out.u32(Number(expected)));
      equal(leb(bytes, false), expected);
      equal(bytes.length, shortest(expected, false));
      equal(terminated(bytes), true);
    }),
  );
});

test('s32 is the shortest signed LEB128 and takes its argument modulo 2^32', () => {
  fc.assert(
    fc.property(word, fc.boolean(), (value, negate) => {
      const expected = BigInt.asIntN(32, negate ? -value : value);
      const bytes = written((out) => out.s32(Number(expected)));
      equal(leb(bytes, true), expected);
      equal(bytes.length, shortest(expected, true));
      equal(terminated(bytes), true);
      deepEqual(
        written((out) => out.s32(Number(BigInt.asUintN(32, expected)))),
        bytes,
      );
    }),
  );
});

test('s64 is the shortest signed LEB128 and takes its argument modulo 2^64', () => {
  fc.assert(
    fc.property(word, fc.boolean(), (value, negate) => {
      const expected = BigInt.asIntN(64, negate ? -value : value);
      const bytes = written((out) => out.s64(expected));
      equal(leb(bytes, true), expected);
      equal(bytes.length, shortest(expected, true));
      equal(terminated(bytes), true);
      deepEqual(
        written((out) => out.s64(BigInt.asUintN(64, expected))),
        bytes,
      );
    }),
  );
});

test('integers at the edges of each length', () => {
  deepEqual(
    [0, 127, 128, 16383, 16384, 0xffffffff].map((n) => written((out) => out.u32(n)).length),
    [1, 1, 2, 2, 3, 5],
  );
  deepEqual(
    [63, 64, -64, -65, 8191, 8192, -8192, -8193, -0x80000000].map(
      (n) => written((out) => out.s32(n)).length,
    ),
    [1, 2, 1, 2, 2, 3, 2, 3, 5],
  );
  deepEqual(
    [0n, -1n, 1n << 31n, -(1n << 31n), (1n << 63n) - 1n, -(1n << 63n)].map(
      (n) => written((out) => out.s64(n)).length,
    ),
    [1, 1, 5, 5, 10, 10],
  );
});

test('floats are little-endian IEEE 754', () => {
  deepEqual(
    written((out) => out.f32(1)),
    [0, 0, 0x80, 0x3f],
  );
  deepEqual(
    written((out) => out.f64(-2)),
    [0, 0, 0, 0, 0, 0, 0, 0xc0],
  );
});

test('names are UTF-8 with their length in bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = written((out) => out.name(text));
      const utf8 = [...new TextEncoder().encode(text)];
      deepEqual(bytes, [...written((out) => out.u32(utf8.length)), ...utf8]);
    }),
  );
});

test('something sized is preceded by its size in its shortest form', () => {
  for (const size of [0, 1, 127, 128, 16383, 16384, 70000]) {
    const contents = new Uint8Array(size).map((_, i) => i);
    const bytes = written((out) => {
      out.u8(7);
      const start = out.beginSized();
      out.bytes(contents);
      out.endSized(start);
      out.u8(8);
    });
    deepEqual(bytes, [7, ...written((out) => out.byteVector(contents)), 8]);
  }
});
