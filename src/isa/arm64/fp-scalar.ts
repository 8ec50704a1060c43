// Scalar floating point. DDI 0487, C4.1.97.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Routine } from '../../ir/node.ts';
import { format, number, type Row } from '../shared/row.ts';
import { rounding } from '../shared/softfloat.ts';
import { cut, holds, setFlags } from './flags.ts';
import {
  type ArmFormat,
  double,
  flushedOperand,
  halfFrom,
  halfTo,
  inline,
  narrowed,
  single,
  widened,
} from './fp-rules.ts';
import { mode } from './fp-state.ts';
import { type Draft, fit, guarded, type I64, lower, named, type V128, zero } from './simd.ts';
import { expandFloat } from './simd-move.ts';
import { sizes } from './sizes.ts';
import { d, h, s as word, v, x } from './state.ts';

type Register = RegisterOperand<'v128'>;

/** A precision: its registers, type bits (23 and 22), and arithmetic. */
export interface Precision {
  readonly letter: 's' | 'd';
  readonly type: '00' | '01';
  readonly r: typeof v;
  readonly arm: ArmFormat;
  readonly fast: (typeof inline)['f32'];
  readonly name: 'f32' | 'f64';
  readonly width: 32 | 64;
}

export const precisions: readonly Precision[] = [
  { letter: 's', type: '00', r: word, arm: single, fast: inline.f32, name: 'f32', width: 32 },
  { letter: 'd', type: '01', r: d, arm: double, fast: inline.f64, name: 'f64', width: 64 },
];

/** The encoding in lane 0. */
export const encodingOf = (s: Builder, { width }: Pick<Precision, 'width'>, value: V128): I64 =>
  width === 64
    ? s.bits_of_f64(s.f64x2_extract_0(value))
    : s.zext32(s.bits_of_f32(s.f32x4_extract_0(value)));

/** A vector with an encoding in lane 0, zero above. */
export const vectorOf = (s: Builder, { width }: Pick<Precision, 'width'>, bits: I64): V128 =>
  width === 64
    ? s.f64x2_replace_0(zero, s.f64_of_bits(bits))
    : s.f32x4_replace_0(zero, s.f32_of_bits(s.wrap(bits)));

/** The same for a half, which no instruction of the host knows. */
const halfOf = (s: Builder, value: V128): I64 => s.and(s.i64x2_extract_0(value), 0xffff);

const signOf = ({ width }: Pick<Precision, 'width'>): bigint => 1n << BigInt(width - 1);

type Two = { readonly rd: Register; readonly rn: Register };
type Three = Two & { readonly rm: Register };

const twoRegisters = ({ r }: Precision) =>
  format({ rd: r.destination('0:5'), rn: r.source('5:5') });
const threeRegisters = ({ r }: Precision) =>
  format({ rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') });

/** An operation on encodings. */
type Unary = (s: Builder, a: I64) => I64;
type Binary = (s: Builder, a: I64, b: I64) => I64;

const unary = (p: Precision, op: Unary) =>
  guarded<Two>((s, f) => s.set(f.rd, vectorOf(s, p, op(s, encodingOf(s, p, s.get(f.rn))))));

const binary = (p: Precision, op: Binary) =>
  guarded<Three>((s, f) => {
    const [a, b] = [encodingOf(s, p, s.get(f.rn)), encodingOf(s, p, s.get(f.rm))];
    s.set(f.rd, vectorOf(s, p, op(s, a, b)));
  });

const call =
  (routine: Routine): Binary =>
  (s, a, b) =>
    s.call(routine, 'i64', a, b, mode(s));

function twoSourceRows(p: Precision): (readonly [string, Draft])[] {
  const { arm, fast, type, letter } = p;
  const operations: readonly (readonly [string, string, Binary])[] = [
    ['fmul', '0000', (s, a, b) => fast.mul(s, a, b, mode(s))],
    ['fdiv', '0001', (s, a, b) => fast.div(s, a, b, mode(s))],
    ['fadd', '0010', (s, a, b) => fast.add(s, a, b, mode(s))],
    ['fsub', '0011', (s, a, b) => fast.sub(s, a, b, mode(s))],
    ['fmax', '0100', call(arm.max)],
    ['fmin', '0101', call(arm.min)],
    ['fmaxnm', '0110', call(arm.maxNumber)],
    ['fminnm', '0111', call(arm.minNumber)],
    ['fnmul', '1000', (s, a, b) => s.xor(fast.mul(s, a, b, mode(s)), signOf(p))],
  ];
  return operations.map(([name, opcode, op]) => [
    `${name}_${letter}`,
    threeRegisters(p)(
      `000 11110 ${type} 1 ..... ${opcode} 10 ..... .....`,
      `${name} {rd}, {rn}, {rm}`,
      binary(p, op),
    ),
  ]);
}

/** Rounding to an integral number: how, and whether inexact is raised. */
const roundings: readonly (readonly [string, string, number | 'mode', boolean])[] = [
  ['frintn', '001000', rounding.RNE, false],
  ['frintp', '001001', rounding.RUP, false],
  ['frintm', '001010', rounding.RDN, false],
  ['frintz', '001011', rounding.RTZ, false],
  ['frinta', '001100', rounding.RMM, false],
  ['frintx', '001110', 'mode', true],
  ['frinti', '001111', 'mode', false],
];

/** Rounds an encoding to an integral number. */
export const roundTo =
  (arm: ArmFormat, how: number | 'mode', isExact: boolean): Unary =>
  (s, a) => {
    const wanted = how === 'mode' ? s.and(mode(s), 7) : s.const64(how);
    return s.call(arm.round, 'i64', a, wanted, mode(s), isExact ? 1 : 0);
  };

function oneSourceRows(p: Precision): (readonly [string, Draft])[] {
  const { arm, fast, type, letter } = p;
  const onBits = (op: (s: Builder, a: V128) => V128) =>
    guarded<Two>((s, f) => s.set(f.rd, op(s, fit(s, { bits: p.width }, s.get(f.rn)))));
  const pattern = (opcode: string): string => `000 11110 ${type} 1 ${opcode} 10000 ..... .....`;
  const two = twoRegisters(p);
  return [
    [
      `fmov_${letter}`,
      two(
        pattern('000000'),
        'fmov {rd}, {rn}',
        onBits((_s, a) => a),
      ),
    ],
    [
      `fabs_${letter}`,
      two(
        pattern('000001'),
        'fabs {rd}, {rn}',
        onBits((s, a) => s.v128_and(a, signOf(p) - 1n)),
      ),
    ],
    [
      `fneg_${letter}`,
      two(
        pattern('000010'),
        'fneg {rd}, {rn}',
        onBits((s, a) => s.v128_xor(a, s.v128_or(zero, signOf(p)))),
      ),
    ],
    [
      `fsqrt_${letter}`,
      two(
        pattern('000011'),
        'fsqrt {rd}, {rn}',
        unary(p, (s, a) => fast.sqrt(s, a, mode(s))),
      ),
    ],
    ...roundings.map(
      ([name, opcode, how, isExact]) =>
        [
          `${name}_${letter}`,
          two(pattern(opcode), `${name} {rd}, {rn}`, unary(p, roundTo(arm, how, isExact))),
        ] as const,
    ),
  ];
}

/** Conversions between precisions. */
function precisionRows(): (readonly [string, Draft])[] {
  const [s32, s64] = precisions as [Precision, Precision];
  const row = (
    from: { letter: string; type: string; r: typeof v },
    to: { letter: string; opcode: string; r: typeof v },
    convert: (s: Builder, a: V128) => V128,
  ): readonly [string, Draft] => [
    `fcvt_${to.letter}_${from.letter}`,
    format({ rd: to.r.destination('0:5'), rn: from.r.source('5:5') })(
      `000 11110 ${from.type} 1 0001 ${to.opcode} 10000 ..... .....`,
      'fcvt {rd}, {rn}',
      guarded((s, f) => s.set(f.rd, convert(s, s.get(f.rn)))),
    ),
  ];
  const half = { letter: 'h', type: '11', opcode: '11', r: h };
  const to = (p: Precision) => ({ ...p, opcode: p.type });
  const through = (routine: Routine, from: Precision, target: Precision) => (s: Builder, a: V128) =>
    vectorOf(s, target, s.call(routine, 'i64', encodingOf(s, from, a), mode(s)));
  return [
    row(s32, to(s64), through(widened, s32, s64)),
    row(s64, to(s32), through(narrowed, s64, s32)),
    ...precisions.flatMap((p) => [
      row(p, half, (s, a) =>
        lower(s, s.call(halfFrom[p.name], 'i64', encodingOf(s, p, a), mode(s))),
      ),
      row(half, to(p), (s, a) =>
        vectorOf(s, p, s.call(halfTo[p.name], 'i64', halfOf(s, a), mode(s))),
      ),
    ]),
  ];
}

function fusedRows(p: Precision): (readonly [string, Draft])[] {
  const { r, type, letter, arm } = p;
  const fields = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
    ra: r.source('10:5'),
  });
  const kinds = [
    { name: 'fmadd', o1: 0, o0: 0, product: false, addend: false },
    { name: 'fmsub', o1: 0, o0: 1, product: true, addend: false },
    { name: 'fnmadd', o1: 1, o0: 0, product: true, addend: true },
    { name: 'fnmsub', o1: 1, o0: 1, product: false, addend: true },
  ];
  return kinds.map(({ name, o1, o0, product, addend }) => [
    `${name}_${letter}`,
    fields(
      `000 11111 ${type} ${o1} ..... ${o0} ..... ..... .....`,
      `${name} {rd}, {rn}, {rm}, {ra}`,
      guarded((s, f) => {
        const read = (register: Register, negates: boolean): I64 => {
          const bits = encodingOf(s, p, s.get(register));
          return negates ? s.xor(bits, signOf(p)) : bits;
        };
        const [a, b, c] = [read(f.rn, product), read(f.rm, false), read(f.ra, addend)];
        s.set(f.rd, vectorOf(s, p, s.call(arm.fma, 'i64', a, b, c, mode(s))));
      }),
    ),
  ]);
}

/** NZCV of a comparison. */
function compare(s: Builder, { arm }: Precision, a: I64, b: I64, signals: boolean): I64 {
  return s.call(signals ? arm.compareSignaling : arm.compare, 'i64', a, b, mode(s));
}

function compareRows(p: Precision): readonly (readonly [string, Draft])[] {
  const { r, type, letter } = p;
  const rn = r.source('5:5');
  const two = format({ rn, rm: r.source('16:5') });
  const one = format({ rn });
  const conditional = format({
    rn,
    rm: r.source('16:5'),
    cond: number('12:4'),
    nzcv: number('0:4'),
  });
  const rows = [false, true].flatMap((signals) => {
    const name = signals ? 'fcmpe' : 'fcmp';
    const e = signals ? '1' : '0';
    return [
      [
        `${name}_${letter}`,
        two(
          `000 11110 ${type} 1 ..... 001000 ..... ${e}0000`,
          `${name} {rn}, {rm}`,
          guarded((s, f) => {
            const [a, b] = [encodingOf(s, p, s.get(f.rn)), encodingOf(s, p, s.get(f.rm))];
            setFlags(s, compare(s, p, a, b, signals));
          }),
        ),
      ],
      [
        `${name}_${letter}_zero`,
        one(
          `000 11110 ${type} 1 ..... 001000 ..... ${e}1000`,
          `${name} {rn}, #0.0`,
          guarded((s, f) => {
            const a = encodingOf(s, p, s.get(f.rn));
            setFlags(s, compare(s, p, a, s.const64(0), signals));
          }),
        ),
      ],
      [
        `f${signals ? 'ccmpe' : 'ccmp'}_${letter}`,
        conditional(
          `000 11110 ${type} 1 ..... .... 01 ..... ${e} ....`,
          `f${signals ? 'ccmpe' : 'ccmp'} {rn}, {rm}, #{nzcv}, {cond}`,
          guarded((s, f) => {
            s.when(
              holds(s, f.cond),
              () => {
                const [a, b] = [encodingOf(s, p, s.get(f.rn)), encodingOf(s, p, s.get(f.rm))];
                setFlags(s, compare(s, p, a, b, signals));
              },
              () => setFlags(s, f.nzcv),
            );
          }),
        ),
      ],
    ] as const;
  });
  return rows;
}

const selectRows = precisions.map((p): readonly [string, Draft] => {
  const { r, type, letter, width } = p;
  const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') };
  return [
    `fcsel_${letter}`,
    format({ ...fields, cond: number('12:4') })(
      `000 11110 ${type} 1 ..... .... 11 ..... .....`,
      'fcsel {rd}, {rn}, {rm}, {cond}',
      guarded((s, f) => {
        const chosen = s.select_v(holds(s, f.cond), s.get(f.rn), s.get(f.rm));
        s.set(f.rd, fit(s, { bits: width }, chosen));
      }),
    ),
  ];
});

const immediates = precisions.map(({ r, type, letter, width }): readonly [string, Draft] => [
  `fmov_${letter}_imm`,
  format({
    rd: r.destination('0:5'),
    imm: number('13:8', {
      code: {
        decode: (raw) => expandFloat(BigInt(raw), width),
        print: (value) => `0x${BigInt.asUintN(64, value).toString(16)}`,
      },
    }),
  })(
    `000 11110 ${type} 1 ........ 100 00000 .....`,
    'fmov {rd}, #{imm}',
    guarded((s, f) => s.set(f.rd, lower(s, f.imm))),
  ),
]);

/** Conversions to integers: bits 20 and 19, rounding. */
export const toIntegerModes = [
  { letter: 'n', rmode: '00', opcode: '0', how: rounding.RNE },
  { letter: 'p', rmode: '01', opcode: '0', how: rounding.RUP },
  { letter: 'm', rmode: '10', opcode: '0', how: rounding.RDN },
  { letter: 'z', rmode: '11', opcode: '0', how: rounding.RTZ },
  { letter: 'a', rmode: '00', opcode: '1', how: rounding.RMM },
] as const;

/** An encoding as an integer with fraction bits, rounded. */
export function toFixed(
  s: Builder,
  p: Pick<Precision, 'arm' | 'width' | 'name'>,
  a: I64,
  options: { how: number; size: 32 | 64; isSigned: boolean; fraction?: I64 },
): I64 {
  const { how, size, isSigned, fraction } = options;
  const kind = `${isSigned ? 'i' : 'u'}${size}` as const;
  const operand = flushedOperand(s, p.arm.format, a, mode(s));
  if (fraction === undefined) return s.call(p.arm.routines.toInteger[kind], 'i64', operand, how);
  // In double precision the scaled number is exact, or too large in any case.
  const scale = s.f64_of_bits(s.shl(s.add(fraction, 1023), 52));
  const scaled = s.fmul64(p.arm.host.widen(s, operand), scale);
  return s.call(double.routines.toInteger[kind], 'i64', s.bits_of_f64(scaled), how);
}

/** An integer with fraction bits as an encoding. */
export function fromFixed(
  s: Builder,
  p: Pick<Precision, 'arm' | 'width'>,
  value: I64,
  options: { isSigned: boolean; fraction?: I64 },
): I64 {
  const { isSigned, fraction } = options;
  const routine = p.arm.routines.fromInteger[isSigned ? 'i64' : 'u64'];
  const whole = s.call(routine, 'i64', value, s.and(mode(s), 7));
  if (fraction === undefined) return whole;
  const scale = p.width === 64 ? s.shl(s.sub(1023, fraction), 52) : s.shl(s.sub(127, fraction), 23);
  return p.arm.host.mul(s, whole, scale);
}

const signs = [
  { u: 's', bit: '0', isSigned: true },
  { u: 'u', bit: '1', isSigned: false },
] as const;

/** An integer register's value as 64 bits. */
const extended = (s: Builder, size: 32 | 64, value: I64, isSigned: boolean): I64 =>
  isSigned && size === 32 ? s.ext32_s(value) : cut(s, size, value);

function integerRows(p: Precision): (readonly [string, Draft])[] {
  const { r, type, letter } = p;
  return sizes.flatMap(({ size, sf, letter: general, r: gr }) => {
    const toGeneral = format({ rd: gr.destination('0:5'), rn: r.source('5:5') });
    const fromGeneral = format({ rd: r.destination('0:5'), rn: gr.source('5:5') });
    const pattern = (rmode: string, opcode: string): string =>
      `${sf} 00 11110 ${type} 1 ${rmode} ${opcode} 000000 ..... .....`;
    return signs.flatMap(({ u, bit, isSigned }): (readonly [string, Draft])[] => [
      ...toIntegerModes.map(
        ({ letter: m, rmode, opcode, how }) =>
          [
            `fcvt${m}${u}_${general}_${letter}`,
            toGeneral(
              pattern(rmode, `${opcode}0${bit}`),
              `fcvt${m}${u} {rd}, {rn}`,
              guarded((s, f) => {
                const a = encodingOf(s, p, s.get(f.rn));
                s.set(f.rd, cut(s, size, toFixed(s, p, a, { how, size, isSigned })));
              }),
            ),
          ] as const,
      ),
      [
        `${u}cvtf_${letter}_${general}`,
        fromGeneral(
          pattern('00', `01${bit}`),
          `${u}cvtf {rd}, {rn}`,
          guarded((s, f) => {
            const value = extended(s, size, s.get(f.rn), isSigned);
            s.set(f.rd, vectorOf(s, p, fromFixed(s, p, value, { isSigned })));
          }),
        ),
      ],
    ]);
  });
}

/** Conversions with fraction bits. Of words the scale has its highest bit set: there are at most 32 of them. */
function fixedRows(p: Precision): (readonly [string, Draft])[] {
  const { r, type, letter } = p;
  return sizes.flatMap(({ size, sf, letter: general, r: gr }) => {
    const scale = number(size === 64 ? '10:6' : '10:5', {
      code: { decode: (raw) => BigInt(size - raw), print: String },
    });
    const to = format({ rd: gr.destination('0:5'), rn: r.source('5:5'), scale });
    const from = format({ rd: r.destination('0:5'), rn: gr.source('5:5'), scale });
    const pattern = (rmode: string, opcode: string): string =>
      `${sf} 00 11110 ${type} 0 ${rmode} ${opcode} ${size === 64 ? '.' : '1'}..... ..... .....`;
    return signs.flatMap(({ u, bit, isSigned }): (readonly [string, Draft])[] => [
      [
        `fcvtz${u}_${general}_${letter}_fixed`,
        to(
          pattern('11', `00${bit}`),
          `fcvtz${u} {rd}, {rn}, #{scale}`,
          guarded((s, f) => {
            const a = encodingOf(s, p, s.get(f.rn));
            const options = { how: rounding.RTZ, size, isSigned, fraction: f.scale };
            s.set(f.rd, cut(s, size, toFixed(s, p, a, options)));
          }),
        ),
      ],
      [
        `${u}cvtf_${letter}_${general}_fixed`,
        from(
          pattern('00', `01${bit}`),
          `${u}cvtf {rd}, {rn}, #{scale}`,
          guarded((s, f) => {
            const value = extended(s, size, s.get(f.rn), isSigned);
            const made = fromFixed(s, p, value, { isSigned, fraction: f.scale });
            s.set(f.rd, vectorOf(s, p, made));
          }),
        ),
      ],
    ]);
  });
}

/** fmov between the files, as bits. */
function transfers(): (readonly [string, Draft])[] {
  const each = sizes.flatMap(({ size, sf, r, letter }) => {
    const p = precisions[size === 64 ? 1 : 0]!;
    return [
      [
        `fmov_${letter}_${p.letter}`,
        format({ rd: r.destination('0:5'), rn: p.r.source('5:5') })(
          `${sf} 00 11110 ${p.type} 1 00 110 000000 ..... .....`,
          'fmov {rd}, {rn}',
          guarded((s, f) => s.set(f.rd, cut(s, size, s.i64x2_extract_0(s.get(f.rn))))),
        ),
      ],
      [
        `fmov_${p.letter}_${letter}`,
        format({ rd: p.r.destination('0:5'), rn: r.source('5:5') })(
          `${sf} 00 11110 ${p.type} 1 00 111 000000 ..... .....`,
          'fmov {rd}, {rn}',
          guarded((s, f) => s.set(f.rd, lower(s, cut(s, size, s.get(f.rn))))),
        ),
      ],
    ] as const;
  });
  return [
    ...each,
    [
      'fmov_x_upper',
      format({ rd: x.destination('0:5'), rn: v.source('5:5') })(
        '1 00 11110 10 1 01 110 000000 ..... .....',
        'fmov {rd}, {rn}.d[1]',
        guarded((s, f) => s.set(f.rd, s.i64x2_extract_1(s.get(f.rn)))),
      ),
    ],
    [
      'fmov_upper_x',
      format({ rd: v.destination('0:5'), old: v.source('0:5'), rn: x.source('5:5') })(
        '1 00 11110 10 1 01 111 000000 ..... .....',
        'fmov {rd}.d[1], {rn}',
        guarded((s, f) => s.set(f.rd, s.i64x2_replace_1(s.get(f.old), s.get(f.rn)))),
      ),
    ],
  ];
}

export const rows: readonly Row[] = named('FP', [
  ...precisions.flatMap(twoSourceRows),
  ...precisions.flatMap(oneSourceRows),
  ...precisionRows(),
  ...precisions.flatMap(fusedRows),
  ...precisions.flatMap(compareRows),
  ...selectRows,
  ...immediates,
  ...precisions.flatMap(integerRows),
  ...precisions.flatMap(fixedRows),
  ...transfers(),
]);
