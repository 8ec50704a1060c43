// Cryptographic instructions: AES rounds and the hash updates of SHA-1 and SHA-256. DDI 0487, C4.1.96; FIPS 197 (AES),
// FIPS 180-4 (the hashes).

import { type Builder, routine } from '../../ir/builder.ts';
import type { RegisterOperand, Routine, Value } from '../../ir/node.ts';
import { format, type Row } from '../shared/row.ts';
import {
  type Draft,
  guarded,
  type I64,
  lower,
  named,
  repeated,
  type V128,
  vectorConstant,
} from './simd.ts';
import { moveDown } from './simd-integer.ts';
import { q, s as word, v } from './state.ts';

type I32 = Value<'i32'>;
type Register = RegisterOperand<'v128'>;

/** The product of two bytes as AES multiplies: polynomials modulo x^8 + x^4 + x^3 + x + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0, x = a; bit < 8; bit++, x = (x << 1) ^ (x & 0x80 ? 0x11b : 0)) {
    if ((b >> bit) & 1) product ^= x;
  }
  return product;
}

/** The S-box: the inverse, then an affine map (FIPS 197, 5.1.1). */
const substitution: readonly number[] = Array.from({ length: 256 }, (_, a) => {
  let inverse = 0;
  for (let b = 1; b < 256; b++) if (multiply(a, b) === 1) inverse = b;
  let result = 0x63;
  for (let turn = 0; turn < 5; turn++) {
    result ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xff;
  }
  return result;
});
const inverseSubstitution: readonly number[] = substitution.map((_, a) => substitution.indexOf(a));

const bytes = (values: readonly number[]): bigint =>
  values.reduceRight((all, value) => (all << 8n) | BigInt(value), 0n);

/**
 * A table of 256 bytes looked up for all bytes at once: sixteen swizzles, each blind to indices that are not its own.
 */
const lookup = (name: string, table: readonly number[]): Routine =>
  routine(name, ['v128'], 'v128', (s, indices) => {
    let result: V128 | undefined;
    for (let row = 0; row < 16; row++) {
      const part = vectorConstant(bytes(table.slice(16 * row, 16 * row + 16)));
      const own = row === 0 ? indices : s.i8x16_sub(indices, repeated(8, BigInt(16 * row)));
      const found = s.i8x16_swizzle(part, own);
      result = result === undefined ? found : s.v128_or(result, found);
    }
    s.return(result);
  });

const substitute = lookup('aes_substitute', substitution);
const substituteBack = lookup('aes_substitute_back', inverseSubstitution);

const shiftRows = bytes([0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11]);
const shiftRowsBack = bytes([0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3]);

const permute = (s: Builder, a: V128, order: bigint): V128 =>
  s.i8x16_swizzle(a, vectorConstant(order));

/** Bytes of each column turned: byte i becomes byte i + by. */
const turn = (s: Builder, a: V128, by: number): V128 =>
  permute(s, a, bytes(Array.from({ length: 16 }, (_, i) => (i & ~3) | ((i + by) & 3))));

/** Twice each byte. */
function double(s: Builder, a: V128): V128 {
  const carried = s.i8x16_shr_s(a, s.wrap(s.const64(7)));
  return s.v128_xor(s.i8x16_add(a, a), s.v128_and(carried, repeated(8, 0x1bn)));
}

/** Each byte becomes 2a + 3b + c + d of its column, from itself on. */
const mixColumns: Routine = routine('aes_mix', ['v128'], 'v128', (s, a) => {
  const next = turn(s, a, 1);
  const rest = s.v128_xor(turn(s, a, 2), turn(s, a, 3));
  s.return(s.v128_xor(double(s, s.v128_xor(a, next)), s.v128_xor(next, rest)));
});

/** The inverse: the same after a step that adds four times the bytes of a column's same parity. */
const mixColumnsBack: Routine = routine('aes_mix_back', ['v128'], 'v128', (s, a) => {
  const parity = s.v128_xor(a, turn(s, a, 2));
  s.return(s.call(mixColumns, 'v128', s.v128_xor(a, double(s, double(s, parity)))));
});

const aesFields = format({ rd: v.destination('0:5'), rn: v.source('5:5'), old: v.source('0:5') });
const aes = (
  name: string,
  opcode: string,
  op: (s: Builder, old: () => V128, a: V128) => V128,
): readonly [string, Draft] => [
  name,
  aesFields(
    `01001110 00 10100 ${opcode} 10 ..... .....`,
    `${name} {rd}.16b, {rn}.16b`,
    guarded((s, f) =>
      s.set(
        f.rd,
        op(s, () => s.get(f.old), s.get(f.rn)),
      ),
    ),
  ),
];

const aesRows = [
  aes('aese', '00100', (s, old, a) =>
    s.call(substitute, 'v128', permute(s, s.v128_xor(old(), a), shiftRows)),
  ),
  aes('aesd', '00101', (s, old, a) =>
    s.call(substituteBack, 'v128', permute(s, s.v128_xor(old(), a), shiftRowsBack)),
  ),
  aes('aesmc', '00110', (s, _, a) => s.call(mixColumns, 'v128', a)),
  aes('aesimc', '00111', (s, _, a) => s.call(mixColumnsBack, 'v128', a)),
];

/** The four words of a vector. */
function wordsOf(s: Builder, a: V128): I32[] {
  const [low, high] = [s.i64x2_extract_0(a), s.i64x2_extract_1(a)];
  return [s.wrap(low), s.wrap(s.shr_u(low, 32)), s.wrap(high), s.wrap(s.shr_u(high, 32))];
}

function fromWords(s: Builder, words: readonly I32[]): V128 {
  const pair = (i: number): I64 => s.or(s.zext32(words[i]!), s.shl(s.zext32(words[i + 1]!), 32));
  return s.i64x2_replace_1(lower(s, pair(0)), pair(2));
}

const choose = (s: Builder, x: I32, y: I32, z: I32): I32 => s.xor32(s.and32(s.xor32(y, z), x), z);
const majority = (s: Builder, x: I32, y: I32, z: I32): I32 =>
  s.or32(s.and32(x, y), s.and32(s.or32(x, y), z));
const parity = (s: Builder, x: I32, y: I32, z: I32): I32 => s.xor32(x, s.xor32(y, z));

/** Four rounds of SHA-1 on (abcd, e) with four words of schedule. */
const sha1 = (name: string, mix: typeof choose): Routine =>
  routine(name, ['v128', 'i32', 'v128'], 'v128', (s, abcd, first, schedule) => {
    let [a, b, c, d] = wordsOf(s, abcd) as [I32, I32, I32, I32];
    let e: I32 = first;
    for (const w of wordsOf(s, schedule)) {
      const sum = s.add32(s.add32(e, s.rotl32(a, 5)), s.add32(mix(s, b, c, d), w));
      [e, d, c, b, a] = [d, c, s.rotl32(b, 30), a, sum];
    }
    s.return(fromWords(s, [a, b, c, d]));
  });

const sum0 = (s: Builder, x: I32): I32 =>
  s.xor32(s.rotr32(x, 2), s.xor32(s.rotr32(x, 13), s.rotr32(x, 22)));
const sum1 = (s: Builder, x: I32): I32 =>
  s.xor32(s.rotr32(x, 6), s.xor32(s.rotr32(x, 11), s.rotr32(x, 25)));
const sigma0 = (s: Builder, x: I32): I32 =>
  s.xor32(s.rotr32(x, 7), s.xor32(s.rotr32(x, 18), s.shr_u32(x, 3)));
const sigma1 = (s: Builder, x: I32): I32 =>
  s.xor32(s.rotr32(x, 17), s.xor32(s.rotr32(x, 19), s.shr_u32(x, 10)));

/** Four rounds of SHA-256 on abcd and efgh; gives one of them. */
const sha256 = (name: string, givesFirst: boolean): Routine =>
  routine(name, ['v128', 'v128', 'v128'], 'v128', (s, abcd, efgh, schedule) => {
    let [a, b, c, d] = wordsOf(s, abcd) as [I32, I32, I32, I32];
    let [e, f, g, h] = wordsOf(s, efgh) as [I32, I32, I32, I32];
    for (const w of wordsOf(s, schedule)) {
      const t = s.add32(s.add32(h, sum1(s, e)), s.add32(choose(s, e, f, g), w));
      const next = s.add32(t, s.add32(sum0(s, a), majority(s, a, b, c)));
      [h, g, f, e, d, c, b, a] = [g, f, e, s.add32(d, t), c, b, a, next];
    }
    s.return(fromWords(s, givesFirst ? [a, b, c, d] : [e, f, g, h]));
  });

const routines = {
  sha1c: sha1('sha1c', choose),
  sha1p: sha1('sha1p', parity),
  sha1m: sha1('sha1m', majority),
  sha256h: sha256('sha256h', true),
  sha256h2: sha256('sha256h2', false),
};

const schedule256 = routine('sha256su1', ['v128', 'v128', 'v128'], 'v128', (s, old, n, m) => {
  const [d, a, c] = [wordsOf(s, old), wordsOf(s, n), wordsOf(s, m)];
  const t0 = [a[1]!, a[2]!, a[3]!, c[0]!];
  const results: I32[] = [];
  for (let i = 0; i < 4; i++) {
    const before = i < 2 ? c[i + 2]! : results[i - 2]!;
    results.push(s.add32(sigma1(s, before), s.add32(d[i]!, t0[i]!)));
  }
  s.return(fromWords(s, results));
});

const schedule256First = routine('sha256su0', ['v128', 'v128'], 'v128', (s, old, n) => {
  const [d, a] = [wordsOf(s, old), wordsOf(s, n)];
  const t = [d[1]!, d[2]!, d[3]!, a[0]!];
  s.return(
    fromWords(
      s,
      t.map((x, i) => s.add32(sigma0(s, x), d[i]!)),
    ),
  );
});

const schedule1 = routine('sha1su1', ['v128', 'v128'], 'v128', (s, old, n) => {
  const [d, a] = [wordsOf(s, old), wordsOf(s, n)];
  const t = [s.xor32(d[0]!, a[1]!), s.xor32(d[1]!, a[2]!), s.xor32(d[2]!, a[3]!), d[3]!];
  const turned = t.map((x) => s.rotl32(x, 1));
  s.return(
    fromWords(s, [turned[0]!, turned[1]!, turned[2]!, s.xor32(turned[3]!, s.rotl32(t[0]!, 2))]),
  );
});

const three = {
  rd: v.destination('0:5'),
  rn: v.source('5:5'),
  rm: v.source('16:5'),
  old: v.source('0:5'),
};
const pattern3 = (opcode: string): string => `01011110 00 0 ..... 0 ${opcode} 00 ..... .....`;
const pattern2 = (opcode: string): string => `01011110 00 10100 ${opcode} 10 ..... .....`;

const sha1Rows = (['sha1c', 'sha1p', 'sha1m'] as const).map(
  (name, opcode): readonly [string, Draft] => [
    name,
    format({
      rd: q.destination('0:5'),
      rn: word.source('5:5'),
      rm: v.source('16:5'),
      old: q.source('0:5'),
    })(
      pattern3(opcode.toString(2).padStart(3, '0')),
      `${name} {rd}, {rn}, {rm}.4s`,
      guarded((s, f) => {
        const e = s.i32x4_extract_0(s.get(f.rn));
        s.set(f.rd, s.call(routines[name], 'v128', s.get(f.old), e, s.get(f.rm)));
      }),
    ),
  ],
);

const sha1Others: (readonly [string, Draft])[] = [
  [
    'sha1su0',
    format(three)(
      pattern3('011'),
      'sha1su0 {rd}.4s, {rn}.4s, {rm}.4s',
      guarded((s, f) => {
        const old = s.get(f.old);
        const middle = s.i64x2_zip1(moveDown(s, old, 64), s.get(f.rn));
        s.set(f.rd, s.v128_xor(s.v128_xor(middle, old), s.get(f.rm)));
      }),
    ),
  ],
  [
    'sha1h',
    format({ rd: word.destination('0:5'), rn: word.source('5:5') })(
      pattern2('00000'),
      'sha1h {rd}, {rn}',
      guarded((s, f) => {
        const turned = s.rotl32(s.i32x4_extract_0(s.get(f.rn)), 30);
        s.set(f.rd, lower(s, s.zext32(turned)));
      }),
    ),
  ],
];

/** A row of two or three vectors of words, done by a routine that gets the destination first. */
const byRoutine = (
  name: string,
  opcode: string,
  made: Routine,
  hasThird: boolean,
): readonly [string, Draft] => {
  const { rm, ...two } = three;
  const text = `${name} {rd}.4s, {rn}.4s${hasThird ? ', {rm}.4s' : ''}`;
  type F = { rd: Register; rn: Register; old: Register; rm?: Register };
  const meaning = guarded<F>((s, f) => {
    const args = [s.get(f.old), s.get(f.rn), ...(f.rm === undefined ? [] : [s.get(f.rm)])];
    s.set(f.rd, s.call(made, 'v128', ...args));
  });
  const draft = hasThird
    ? format({ ...two, rm })(pattern3(opcode), text, meaning)
    : format(two)(pattern2(opcode), text, meaning);
  return [name, draft];
};

const sha256Rows = (['sha256h', 'sha256h2'] as const).map((name): readonly [string, Draft] => [
  name,
  format({
    rd: q.destination('0:5'),
    rn: q.source('5:5'),
    rm: v.source('16:5'),
    old: q.source('0:5'),
  })(
    pattern3(name === 'sha256h' ? '100' : '101'),
    `${name} {rd}, {rn}, {rm}.4s`,
    guarded((s, f) => {
      const [old, n] = [s.get(f.old), s.get(f.rn)];
      const [abcd, efgh] = name === 'sha256h' ? [old, n] : [n, old];
      s.set(f.rd, s.call(routines[name], 'v128', abcd, efgh, s.get(f.rm)));
    }),
  ),
]);

export const rows: readonly Row[] = [
  ...named('AES', aesRows),
  ...named('SHA1', [...sha1Rows, ...sha1Others, byRoutine('sha1su1', '00001', schedule1, false)]),
  ...named('SHA256', [
    ...sha256Rows,
    byRoutine('sha256su0', '00010', schedule256First, false),
    byRoutine('sha256su1', '110', schedule256, true),
  ]),
];
