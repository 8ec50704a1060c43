// Advanced SIMD: moving lanes about. DDI 0487, C4.1.96 (copy, modified immediate, extract, table lookup, permute).

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand } from '../../ir/node.ts';
import { format, number, type NumberCode, type Row } from '../shared/row.ts';
import {
  arrangement,
  type Draft,
  fit,
  guarded,
  type I64,
  type Lane,
  lanes,
  lower,
  named,
  repeated,
  scalars,
  three,
  type V128,
  vectorConstant,
  vectors,
  zero,
} from './simd.ts';
import { v, w, x } from './state.ts';

const LANES = [8, 16, 32, 64] as const;
const letters = { 8: 'b', 16: 'h', 32: 's', 64: 'd' } as const;

/** Bytes 0 to 15 in their order: with it a swizzle is the identity. */
const IOTA = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n;

/** The low bits of imm5 that tell the width, and the bits of the index above them. */
const imm5 = (lane: Lane): { fixed: string; index: string } => {
  const zeros = Math.log2(lane / 8);
  return {
    fixed: `${'.'.repeat(4 - zeros)}1${'0'.repeat(zeros)}`,
    index: `${17 + zeros}:${4 - zeros}`,
  };
};

/** The lane of an index moved to lane 0; what is above it is not defined. */
export function takeLane(s: Builder, lane: Lane, value: V128, index: I64): V128 {
  const first = s.wrap(s.mul(index, lane / 8));
  return s.i8x16_swizzle(value, s.i8x16_add(vectorConstant(IOTA), s.i8x16_splat(first)));
}

/** Lane 0 in all lanes. */
export function spreadLane(s: Builder, lane: Lane, value: V128): V128 {
  if (lane === 64) return s.i64x2_splat(s.i64x2_extract_0(value));
  if (lane === 32) return s.i32x4_splat(s.i32x4_extract_0(value));
  if (lane === 16) return s.i16x8_splat(s.i16x8_extract_u_0(value));
  return s.i8x16_splat(s.i8x16_extract_u_0(value));
}

/** A general-purpose register in all lanes. */
function spread(s: Builder, lane: Lane, value: I64): V128 {
  if (lane === 64) return s.i64x2_splat(value);
  const word = s.wrap(value);
  if (lane === 32) return s.i32x4_splat(word);
  return lane === 16 ? s.i16x8_splat(word) : s.i8x16_splat(word);
}

/** The element of an index in every lane of an arrangement: for instructions by element. */
export const spreadElement = (s: Builder, lane: Lane, value: V128, index: I64): V128 =>
  spreadLane(s, lane, takeLane(s, lane, value, index));

function duplicates(): (readonly [string, Draft])[] {
  return vectors(...LANES).flatMap((shape) => {
    const { lane, q, name, suffix } = shape;
    const { fixed, index } = imm5(lane);
    const element = format({ rd: v.destination('0:5'), rn: v.source('5:5'), index: number(index) });
    const general = format({ rd: v.destination('0:5'), rn: (lane === 64 ? x : w).source('5:5') });
    return [
      [
        `dup_element_${name}`,
        element(
          `0 ${q} 0 01110000 ${fixed} 0 0000 1 ..... .....`,
          `dup {rd}${suffix}, {rn}.${letters[lane]}[{index}]`,
          guarded((s, f) =>
            s.set(f.rd, fit(s, shape, spreadElement(s, lane, s.get(f.rn), f.index))),
          ),
        ),
      ],
      [
        `dup_${name}`,
        general(
          `0 ${q} 0 01110000 ${fixed} 0 0001 1 ..... .....`,
          `dup {rd}${suffix}, {rn}`,
          guarded((s, f) => s.set(f.rd, fit(s, shape, spread(s, lane, s.get(f.rn))))),
        ),
      ],
    ] as const;
  });
}

function scalarDuplicates(): (readonly [string, Draft])[] {
  return scalars(...LANES).map((shape) => {
    const { lane, r, name } = shape;
    const { fixed, index } = imm5(lane);
    const fields = format({ rd: r.destination('0:5'), rn: v.source('5:5'), index: number(index) });
    return [
      `dup_element_${name}`,
      fields(
        `01 0 11110000 ${fixed} 0 0000 1 ..... .....`,
        `dup {rd}, {rn}.${letters[lane]}[{index}]`,
        guarded((s, f) => s.set(f.rd, fit(s, shape, takeLane(s, lane, s.get(f.rn), f.index)))),
      ),
    ] as const;
  });
}

/** The vector with the lane of an index replaced by lane 0 of another. */
export function insertLane(s: Builder, lane: Lane, into: V128, value: V128, index: I64): V128 {
  const place = s.wrap(s.mul(index, lane / 8));
  // Bytes of the lane have numbers below its size when counted from its first; others do not.
  const from = s.i8x16_sub(vectorConstant(IOTA), s.i8x16_splat(place));
  const mask = s.i8x16_lt_u(from, repeated(8, BigInt(lane / 8)));
  return s.v128_bitselect(s.i8x16_swizzle(value, from), into, mask);
}

function inserts(): (readonly [string, Draft])[] {
  return LANES.flatMap((lane) => {
    const { fixed, index } = imm5(lane);
    const base = { rd: v.destination('0:5'), old: v.source('0:5'), index: number(index) };
    const letter = letters[lane];
    const zeros = Math.log2(lane / 8);
    const general = format({ ...base, rn: (lane === 64 ? x : w).source('5:5') });
    const element = format({
      ...base,
      rn: v.source('5:5'),
      from: number(`${11 + zeros}:${4 - zeros}`),
    });
    return [
      [
        `ins_${letter}`,
        general(
          `0 1 0 01110000 ${fixed} 0 0011 1 ..... .....`,
          `ins {rd}.${letter}[{index}], {rn}`,
          guarded((s, f) => {
            const value = lower(s, s.get(f.rn));
            s.set(f.rd, insertLane(s, lane, s.get(f.old), value, f.index));
          }),
        ),
      ],
      [
        `ins_element_${letter}`,
        element(
          `0 1 1 01110000 ${fixed} 0 .... 1 ..... .....`,
          `ins {rd}.${letter}[{index}], {rn}.${letter}[{from}]`,
          guarded((s, f) => {
            const value = takeLane(s, lane, s.get(f.rn), f.from);
            s.set(f.rd, insertLane(s, lane, s.get(f.old), value, f.index));
          }),
        ),
      ],
    ] as const;
  });
}

/** umov and smov: a lane in a general-purpose register. */
function toGeneral(): (readonly [string, Draft])[] {
  const kinds = [
    ...[8, 16, 32].map((lane) => ({ mnemonic: 'umov', op: '0111', lane, q: '0', r: w })),
    { mnemonic: 'umov', op: '0111', lane: 64, q: '1', r: x },
    ...[8, 16].map((lane) => ({ mnemonic: 'smov', op: '0101', lane, q: '0', r: w })),
    ...[8, 16, 32].map((lane) => ({ mnemonic: 'smov', op: '0101', lane, q: '1', r: x })),
  ] as readonly { mnemonic: string; op: string; lane: Lane; q: string; r: typeof x }[];
  return kinds.map(({ mnemonic, op, lane, q, r }) => {
    const { fixed, index } = imm5(lane);
    const fields = format({ rd: r.destination('0:5'), rn: v.source('5:5'), index: number(index) });
    const letter = letters[lane];
    return [
      `${mnemonic}_${r === x ? 'x' : 'w'}_${letter}`,
      fields(
        `0 ${q} 0 01110000 ${fixed} 0 ${op} 1 ..... .....`,
        `${mnemonic} {rd}, {rn}.${letter}[{index}]`,
        guarded((s, f) => {
          const value = s.i64x2_extract_0(takeLane(s, lane, s.get(f.rn), f.index));
          const unused = 64 - lane;
          const kept =
            mnemonic === 'umov' ? cutTo(s, lane, value) : s.shr_s(s.shl(value, unused), unused);
          s.set(f.rd, r === w ? s.and(kept, 0xffff_ffffn) : kept);
        }),
      ),
    ] as const;
  });
}

const cutTo = (s: Builder, lane: Lane, value: I64): I64 =>
  lane === 64 ? value : s.and(value, (1n << BigInt(lane)) - 1n);

const repeat = (width: number, value: bigint): bigint => {
  let all = 0n;
  for (let at = 0; at < 64; at += width) all |= value << BigInt(at);
  return all;
};

/** The 64 bits of an immediate of eight bits abcdefgh, by cmode and op. DDI 0487, AdvSIMDExpandImm. */
const expansions: readonly {
  readonly cmode: string;
  readonly name: string;
  readonly expand: (imm: bigint) => bigint;
}[] = [
  ...[0n, 8n, 16n, 24n].map((shift, i) => ({
    cmode: `0${i >> 1}${i & 1}`,
    name: `4s_${shift}`,
    expand: (imm: bigint) => repeat(32, imm << shift),
  })),
  ...[0n, 8n].map((shift, i) => ({
    cmode: `10${i}`,
    name: `8h_${shift}`,
    expand: (imm: bigint) => repeat(16, imm << shift),
  })),
];

const shiftingOnes = [8n, 16n].map((shift, i) => ({
  cmode: `110${i}`,
  name: `4s_msl_${shift}`,
  expand: (imm: bigint) => repeat(32, (imm << shift) | ((1n << shift) - 1n)),
}));

const bytesOfBits = (imm: bigint): bigint => {
  let all = 0n;
  for (let i = 0n; i < 8n; i++) if ((imm >> i) & 1n) all |= 0xffn << (8n * i);
  return all;
};

/** An immediate of a floating-point number: sign, three bits of exponent, four of fraction. */
export function expandFloat(imm: bigint, width: 32 | 64): bigint {
  const [sign, b, low] = [imm >> 7n, (imm >> 6n) & 1n, imm & 63n];
  const repeats = width === 32 ? 5n : 8n;
  const exponent = b === 1n ? (1n << repeats) - 1n : 1n << repeats;
  const top = (sign << (repeats + 1n)) | exponent;
  return ((top << 6n) | low) << BigInt(width === 32 ? 19 : 48);
}

const immediateCode = (expand: (imm: bigint) => bigint): NumberCode => ({
  decode: (raw) => expand(BigInt(raw)),
  print: (value) => `0x${BigInt.asUintN(64, value).toString(16)}`,
});

/** Rows of one expansion, for both sizes of register. */
function immediate(
  name: string,
  op: string,
  cmode: string,
  expand: (imm: bigint) => bigint,
  combine: (s: Builder, old: () => V128, value: V128) => V128,
  accumulates: boolean,
  qs: readonly ('0' | '1')[] = ['0', '1'],
): (readonly [string, Draft])[] {
  return qs.map((q) => {
    const shape = arrangement(8, q);
    const imm = number('16:3 5:5', { code: immediateCode(expand) });
    const mnemonic = name.split('_', 1)[0]!;
    const pattern = `0 ${q} ${op} 0111100000 ... ${cmode} 0 1 ..... .....`;
    const text = `${mnemonic} {rd}.${q === '1' ? '2d' : '1d'}, #{imm}`;
    type F = { rd: RegisterOperand<'v128'>; old?: RegisterOperand<'v128'>; imm: I64 };
    const meaning = guarded<F>((s, f) => {
      const value = s.i64x2_splat(f.imm);
      s.set(
        f.rd,
        fit(
          s,
          shape,
          combine(s, () => s.get(f.old!), value),
        ),
      );
    });
    const rd = v.destination('0:5');
    const draft = accumulates
      ? format({ rd, old: v.source('0:5'), imm })(pattern, text, meaning)
      : format({ rd, imm })(pattern, text, meaning);
    return [`${name}_q${q}`, draft] as const;
  });
}

function immediates(): (readonly [string, Draft])[] {
  const plain = (_s: Builder, _old: () => V128, value: V128): V128 => value;
  const inverted = (s: Builder, _old: () => V128, value: V128): V128 => s.v128_not(value);
  const moves = [
    ...expansions.map(({ cmode, ...rest }) => ({ ...rest, cmode: `${cmode}0` })),
    ...shiftingOnes,
  ];
  const float = (width: 32 | 64) => (imm: bigint) => repeat(width, expandFloat(imm, width));
  return [
    ...moves.flatMap(({ cmode, name, expand }) => [
      ...immediate(`movi_${name}`, '0', cmode, expand, plain, false),
      ...immediate(`mvni_${name}`, '1', cmode, expand, inverted, false),
    ]),
    ...expansions.flatMap(({ cmode, name, expand }) => [
      ...immediate(
        `orr_imm_${name}`,
        '0',
        `${cmode}1`,
        expand,
        (s, old, value) => s.v128_or(old(), value),
        true,
      ),
      ...immediate(
        `bic_imm_${name}`,
        '1',
        `${cmode}1`,
        expand,
        (s, old, value) => s.v128_andnot(old(), value),
        true,
      ),
    ]),
    ...immediate('movi_bytes', '0', '1110', (imm) => repeat(8, imm), plain, false),
    ...immediate('movi_bits', '1', '1110', bytesOfBits, plain, false),
    ...immediate('fmov_s', '0', '1111', float(32), plain, false),
    ...immediate('fmov_d', '1', '1111', float(64), plain, false, ['1']),
  ];
}

/** ext: sixteen (or eight) bytes from a place in two vectors. */
function extracts(): (readonly [string, Draft])[] {
  const fields = {
    rd: v.destination('0:5'),
    rn: v.source('5:5'),
    rm: v.source('16:5'),
  };
  const iota = vectorConstant(IOTA);
  const whole = format({ ...fields, index: number('11:4') })(
    '0 1 101110 00 0 ..... 0 .... 0 ..... .....',
    'ext {rd}.16b, {rn}.16b, {rm}.16b, #{index}',
    guarded((s, f) => {
      // Numbers past 15 choose nothing, and those below 0 are past 15.
      const at = s.i8x16_add(iota, s.i8x16_splat(s.wrap(f.index)));
      const beyond = s.i8x16_sub(at, repeated(8, 16n));
      const low = s.i8x16_swizzle(s.get(f.rn), at);
      s.set(f.rd, s.v128_or(low, s.i8x16_swizzle(s.get(f.rm), beyond)));
    }),
  );
  const half = format({ ...fields, index: number('11:3') })(
    '0 0 101110 00 0 ..... 0 0 ... 0 ..... .....',
    'ext {rd}.8b, {rn}.8b, {rm}.8b, #{index}',
    guarded((s, f) => {
      const both = s.i64x2_zip1(s.get(f.rn), s.get(f.rm));
      const at = s.i8x16_add(iota, s.i8x16_splat(s.wrap(f.index)));
      s.set(f.rd, fit(s, { bits: 64 }, s.i8x16_swizzle(both, at)));
    }),
  );
  return [
    ['ext_16b', whole],
    ['ext_8b', half],
  ];
}

/** tbl and tbx: bytes chosen from one to four registers in a row. */
function lookups(): (readonly [string, Draft])[] {
  return [1, 2, 3, 4].flatMap((count) =>
    vectors(8).flatMap((shape) =>
      (['tbl', 'tbx'] as const).map((name, op) => {
        const tables = Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`t${i}`, v.source('5:5', { add: i })]),
        );
        const fields = format({
          rd: v.destination('0:5'),
          rm: v.source('16:5'),
          old: v.source('0:5'),
          ...tables,
        });
        const list = Array.from({ length: count }, (_, i) => `{t${i}}.16b`).join(', ');
        const { suffix, q } = shape;
        const len = `${(count - 1) >> 1}${(count - 1) & 1}`;
        const draft = fields(
          `0 ${q} 001110 00 0 ..... 0 ${len} ${op} 00 ..... .....`,
          `${name} {rd}${suffix}, (${list}), {rm}${suffix}`,
          guarded((s, f) => {
            const indices = s.get(f.rm);
            let result: V128 = name === 'tbl' ? zero : s.get(f.old);
            for (let i = 0; i < count; i++) {
              const register = (f as Record<string, unknown>)[`t${i}`] as RegisterOperand<'v128'>;
              const at = s.i8x16_sub(indices, repeated(8, BigInt(16 * i)));
              const inside = s.i8x16_lt_u(at, repeated(8, 16n));
              const found = s.i8x16_swizzle(s.get(register), at);
              result = s.v128_bitselect(found, result, inside);
            }
            s.set(f.rd, fit(s, shape, result));
          }),
        );
        return [`${name}${count}_${shape.name}`, draft] as const;
      }),
    ),
  );
}

/** zip, uzp, trn; of half registers the operands are joined first. */
function permutes(): (readonly [string, Draft])[] {
  const kinds = [
    ['uzp1', '001'],
    ['trn1', '010'],
    ['zip1', '011'],
    ['uzp2', '101'],
    ['trn2', '110'],
    ['zip2', '111'],
  ] as const;
  return vectors(...LANES).flatMap((shape) =>
    kinds.map(([name, opcode]) => {
      const pattern = `0 ${shape.q} 001110 ${shape.size} 0 ..... 0 ${opcode} 10 ..... .....`;
      return three(name, pattern, shape, (s, { lane, bits }, left, right) => {
        if (bits === 128) return lanes(s, lane, name, left, right);
        return permuteHalves(s, lane, name, left, right);
      });
    }),
  );
}

function permuteHalves(s: Builder, lane: Lane, name: string, a: V128, c: V128): V128 {
  // Of interleaved halves the whole result lies in one register: its upper half is the second kind's.
  if (name === 'zip1') return lanes(s, lane, 'zip1', a, c);
  if (name === 'zip2') return s.i64x2_uzp2(lanes(s, lane, 'zip1', a, c), zero);
  if (name.startsWith('trn')) return lanes(s, lane, name, a, c);
  const both = s.i64x2_zip1(a, c);
  return lanes(s, lane, name, both, zero);
}

export const rows: readonly Row[] = named('AdvSIMD', [
  ...duplicates(),
  ...scalarDuplicates(),
  ...inserts(),
  ...toGeneral(),
  ...immediates(),
  ...extracts(),
  ...lookups(),
  ...permutes(),
]);
