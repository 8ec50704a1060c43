// Data processing on registers. DDI 0487, C4.1.95.

import { type Builder, routine } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { rotate } from './data-immediate.ts';
import {
  addWithCarry,
  addWithFlags,
  cut,
  holds,
  setFlags,
  setLogicFlags,
  type Size,
  subtractWithFlags,
} from './flags.ts';
import { sizes } from './sizes.ts';
import { w, x } from './state.ts';

type I64 = Value<'i64'>;
type Registers = (typeof sizes)[number];
type Binary = (s: Builder, a: I64, b: I64) => I64;
type Unary = (s: Builder, a: I64) => I64;

const not = (s: Builder, a: I64): I64 => s.xor(a, -1n);

/** The second operand of a size as a signed number. */
const signed = (s: Builder, size: Size, a: I64): I64 => (size === 64 ? a : s.ext32_s(a));

/** Kinds of shift by their encoding; what they give above the size is not defined. */
const shifts: readonly {
  readonly name: string;
  readonly shift: (s: Builder, size: Size, a: I64, by: I64) => I64;
}[] = [
  { name: 'lsl', shift: (s, _size, a, by) => s.shl(a, by) },
  { name: 'lsr', shift: (s, size, a, by) => s.shr_u(cut(s, size, a), by) },
  { name: 'asr', shift: (s, size, a, by) => s.shr_s(signed(s, size, a), by) },
  { name: 'ror', shift: rotate },
];

const two = (value: number): string => `${value >> 1}${value & 1}`;

/** add, adds, sub, subs of a shifted register. */
function addShifted({ size, letter, sf, r }: Registers): Row[] {
  const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') };
  const shifted = format({ ...fields, amount: number(size === 64 ? '10:6' : '10:5') });
  const amount = size === 64 ? '......' : '0.....';
  return shifts.slice(0, 3).flatMap(({ name, shift }, kind) => {
    const row = (mnemonic: string, op: string, combine: Binary) => {
      const pattern = `${sf} ${op} 01011 ${two(kind)} 0 ..... ${amount} ..... .....`;
      const text = `${mnemonic} {rd}, {rn}, {rm}, ${name} #{amount}`;
      const draft = shifted(pattern, text, (s, f) =>
        s.set(f.rd, combine(s, s.get(f.rn), shift(s, size, s.get(f.rm), f.amount))),
      );
      return [`${mnemonic}_${letter}_${name}`, draft] as const;
    };
    return instructions(
      'Base',
      Object.fromEntries([
        row('add', '00', (s, a, b) => cut(s, size, s.add(a, b))),
        row('adds', '01', (s, a, b) => addWithFlags(s, size, a, b)),
        row('sub', '10', (s, a, b) => cut(s, size, s.sub(a, b))),
        row('subs', '11', (s, a, b) => subtractWithFlags(s, size, a, b)),
      ]),
    );
  });
}

/** Kinds of extension by their encoding. */
const extensions: readonly { readonly name: string; readonly extend: Unary }[] = [
  { name: 'uxtb', extend: (s, a) => s.and(a, 0xff) },
  { name: 'uxth', extend: (s, a) => s.and(a, 0xffff) },
  { name: 'uxtw', extend: (s, a) => s.and(a, 0xffff_ffff) },
  { name: 'uxtx', extend: (_s, a) => a },
  { name: 'sxtb', extend: (s, a) => s.ext8_s(a) },
  { name: 'sxth', extend: (s, a) => s.ext16_s(a) },
  { name: 'sxtw', extend: (s, a) => s.ext32_s(a) },
  { name: 'sxtx', extend: (_s, a) => a },
];

/** Shifts of five to seven are no instructions. */
const extendAmount = number('10:3', {
  code: { decode: (raw) => (raw <= 4 ? BigInt(raw) : undefined), print: String },
});

/** add, adds, sub, subs of an extended register, shifted left by up to four. */
function addExtended({ size, letter, sf, r, rsp }: Registers): Row[] {
  return extensions.flatMap(({ name, extend }, kind) => {
    const isWide = kind === 3 || kind === 7;
    const rm = (isWide && size === 64 ? x : w).source('16:5');
    const sources = { rn: rsp.source('5:5'), rm, amount: extendAmount };
    const toSp = { ...sources, rd: rsp.destination('0:5') };
    const withFlags = { ...sources, rd: r.destination('0:5') };
    const row = (mnemonic: string, op: string, fields: typeof toSp, combine: Binary) => {
      const three = `${kind >> 2}${two(kind & 3)}`;
      const pattern = `${sf} ${op} 01011 00 1 ..... ${three} ... ..... .....`;
      const text = `${mnemonic} {rd}, {rn}, {rm}, ${name} #{amount}`;
      const draft = format(fields)(pattern, text, (s, f) => {
        const extended = s.shl(extend(s, s.get(f.rm)), f.amount);
        s.set(f.rd, combine(s, s.get(f.rn), extended));
      });
      return [`${mnemonic}_${letter}_${name}`, draft] as const;
    };
    return instructions(
      'Base',
      Object.fromEntries([
        row('add', '00', toSp, (s, a, b) => cut(s, size, s.add(a, b))),
        row('adds', '01', withFlags, (s, a, b) => addWithFlags(s, size, a, b)),
        row('sub', '10', toSp, (s, a, b) => cut(s, size, s.sub(a, b))),
        row('subs', '11', withFlags, (s, a, b) => subtractWithFlags(s, size, a, b)),
      ]),
    );
  });
}

/** Logical operations on a shifted register. */
function logical({ size, letter, sf, r }: Registers): Row[] {
  const fields = { rd: r.destination('0:5'), rn: r.source('5:5'), rm: r.source('16:5') };
  const shifted = format({ ...fields, amount: number(size === 64 ? '10:6' : '10:5') });
  const amount = size === 64 ? '......' : '0.....';
  const operations: readonly (readonly [string, string, string, Binary])[] = [
    ['and', '00', '0', (s, a, b) => s.and(a, b)],
    ['bic', '00', '1', (s, a, b) => s.and(a, not(s, b))],
    ['orr', '01', '0', (s, a, b) => s.or(a, b)],
    ['orn', '01', '1', (s, a, b) => s.or(a, not(s, b))],
    ['eor', '10', '0', (s, a, b) => s.xor(a, b)],
    ['eon', '10', '1', (s, a, b) => s.xor(a, not(s, b))],
    ['ands', '11', '0', (s, a, b) => s.and(a, b)],
    ['bics', '11', '1', (s, a, b) => s.and(a, not(s, b))],
  ];
  const drafts = shifts.flatMap(({ name, shift }, kind) =>
    operations.map(([mnemonic, opc, n, combine]) => {
      const pattern = `${sf} ${opc} 01010 ${two(kind)} ${n} ..... ${amount} ..... .....`;
      const text = `${mnemonic} {rd}, {rn}, {rm}, ${name} #{amount}`;
      const draft = shifted(pattern, text, (s, f) => {
        const operand = shift(s, size, s.get(f.rm), f.amount);
        const result = cut(s, size, combine(s, s.get(f.rn), operand));
        if (opc === '11') setLogicFlags(s, size, result);
        s.set(f.rd, result);
      });
      return [`${mnemonic}_${letter}_${name}`, draft] as const;
    }),
  );
  return instructions('Base', Object.fromEntries(drafts));
}

function carries({ size, letter, sf, r }: Registers): Row[] {
  const fields = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
  });
  const row = (name: string, op: string, subtracts: boolean, withFlags: boolean) => {
    const pattern = `${sf} ${op} 11010000 ..... 000000 ..... .....`;
    const draft = fields(pattern, `${name} {rd}, {rn}, {rm}`, (s, f) => {
      const operand = subtracts ? not(s, s.get(f.rm)) : s.get(f.rm);
      s.set(f.rd, addWithCarry(s, size, s.get(f.rn), operand, withFlags));
    });
    return [`${name}_${letter}`, draft] as const;
  };
  return instructions(
    'Base',
    Object.fromEntries([
      row('adc', '00', false, false),
      row('adcs', '01', false, true),
      row('sbc', '10', true, false),
      row('sbcs', '11', true, true),
    ]),
  );
}

/** Conditional compare: flags of a comparison, or four given ones. */
function compares({ size, letter, sf, r }: Registers): Row[] {
  const numbers = { cond: number('12:4'), nzcv: number('0:4') };
  const register = format({ rn: r.source('5:5'), rm: r.source('16:5'), ...numbers });
  const immediate = format({ rn: r.source('5:5'), imm: number('16:5'), ...numbers });
  type Numbers = { readonly rn: RegisterOperand; readonly cond: I64; readonly nzcv: I64 };
  const compare = (s: Builder, f: Numbers, subtracts: boolean, b: I64): void => {
    const combine = subtracts ? subtractWithFlags : addWithFlags;
    s.when(
      holds(s, f.cond),
      () => void combine(s, size, s.get(f.rn), b),
      () => setFlags(s, f.nzcv),
    );
  };
  const drafts = [
    { name: 'ccmn', op: '0', subtracts: false },
    { name: 'ccmp', op: '1', subtracts: true },
  ].flatMap(({ name, op, subtracts }) => {
    const pattern = (kind: string): string =>
      `${sf} ${op} 1 11010010 ..... .... ${kind} 0 ..... 0 ....`;
    return [
      [
        `${name}_${letter}`,
        register(pattern('0'), `${name} {rn}, {rm}, #{nzcv}, {cond}`, (s, f) =>
          compare(s, f, subtracts, s.get(f.rm)),
        ),
      ],
      [
        `${name}_${letter}_imm`,
        immediate(pattern('1'), `${name} {rn}, #{imm}, #{nzcv}, {cond}`, (s, f) =>
          compare(s, f, subtracts, f.imm),
        ),
      ],
    ] as const;
  });
  return instructions('Base', Object.fromEntries(drafts));
}

/** csel, csinc, csinv, csneg. */
function selects({ size, letter, sf, r }: Registers): Row[] {
  const fields = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
    cond: number('12:4'),
  });
  const operations: readonly (readonly [string, string, string, Unary])[] = [
    ['csel', '0', '00', (_s, a) => a],
    ['csinc', '0', '01', (s, a) => s.add(a, 1)],
    ['csinv', '1', '00', not],
    ['csneg', '1', '01', (s, a) => s.sub(0, a)],
  ];
  const drafts = operations.map(([name, op, op2, change]) => {
    const pattern = `${sf} ${op} 0 11010100 ..... .... ${op2} ..... .....`;
    const draft = fields(pattern, `${name} {rd}, {rn}, {rm}, {cond}`, (s, f) => {
      const otherwise = change(s, s.get(f.rm));
      s.set(f.rd, cut(s, size, s.select(holds(s, f.cond), s.get(f.rn), otherwise)));
    });
    return [`${name}_${letter}`, draft] as const;
  });
  return instructions('Base', Object.fromEntries(drafts));
}

/** Bits in reverse order. */
function reverseBits(s: Builder, a: I64): I64 {
  const swap = (value: I64, mask: bigint, by: bigint): I64 =>
    s.or(s.and(s.shr_u(value, by), mask), s.shl(s.and(value, mask), by));
  const pairs = swap(a, 0x5555_5555_5555_5555n, 1n);
  const nibbles = swap(pairs, 0x3333_3333_3333_3333n, 2n);
  return reverseBytes(s, swap(nibbles, 0x0f0f_0f0f_0f0f_0f0fn, 4n));
}

function swapBytesOfHalfwords(s: Builder, a: I64): I64 {
  const mask = 0x00ff_00ff_00ff_00ffn;
  return s.or(s.and(s.shr_u(a, 8), mask), s.shl(s.and(a, mask), 8));
}

function reverseWords(s: Builder, a: I64): I64 {
  const halfwords = swapBytesOfHalfwords(s, a);
  const mask = 0x0000_ffff_0000_ffffn;
  return s.or(s.and(s.shr_u(halfwords, 16), mask), s.shl(s.and(halfwords, mask), 16));
}

const reverseBytes = (s: Builder, a: I64): I64 => s.rotl(reverseWords(s, a), 32);

/** Operations on one register. */
function oneSource({ size, letter, sf, r }: Registers): Row[] {
  const fields = format({ rd: r.destination('0:5'), rn: r.source('5:5') });
  const high = (s: Builder, a: I64): I64 => (size === 64 ? a : s.shr_u(a, 32));
  const zeros = (s: Builder, a: I64): I64 =>
    size === 64 ? s.clz(a) : s.zext32(s.clz32(s.wrap(a)));
  const signs: Unary = (s, a) => {
    const value = signed(s, size, a);
    const flipped = s.xor(value, s.shr_s(value, 63));
    // One more than the bits like the sign, which itself does not count.
    return s.sub(s.clz(flipped), size === 64 ? 1 : 33);
  };
  const operations: readonly (readonly [string, string, Unary])[] = [
    ['rbit', '000000', (s, a) => high(s, reverseBits(s, a))],
    ['rev16', '000001', (s, a) => cut(s, size, swapBytesOfHalfwords(s, a))],
    ...(size === 64
      ? ([
          ['rev32', '000010', reverseWords],
          ['rev', '000011', reverseBytes],
        ] as const)
      : ([
          ['rev', '000010', (s: Builder, a: I64): I64 => cut(s, 32, reverseWords(s, a))],
        ] as const)),
    ['clz', '000100', zeros],
    ['cls', '000101', signs],
  ];
  const drafts = operations.map(([name, opcode, op]) => {
    const pattern = `${sf} 1 0 11010110 00000 ${opcode} ..... .....`;
    const draft = fields(pattern, `${name} {rd}, {rn}`, (s, f) => s.set(f.rd, op(s, s.get(f.rn))));
    return [`${name}_${letter}`, draft] as const;
  });
  return instructions('Base', Object.fromEntries(drafts));
}

/** Quotients: of zero by zero is zero, and the most negative number by minus one is itself. */
function divide(s: Builder, size: Size, a: I64, b: I64, isSigned: boolean): I64 {
  const extend = isSigned ? signed : cut;
  const [left, right] = [extend(s, size, a), extend(s, size, b)];
  const safe = s.select(s.eqz(right), 1, right);
  if (!isSigned) return s.select(s.eqz(right), 0, s.div_u(left, safe));
  const negates = s.eq(right, -1n);
  const quotient = s.div_s(left, s.select(negates, 1, safe));
  const result = s.select(negates, s.sub(0, left), quotient);
  return cut(s, size, s.select(s.eqz(right), 0, result));
}

/** Operations on two registers. */
function twoSources({ size, letter, sf, r }: Registers): Row[] {
  const fields = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
  });
  const by = (s: Builder, a: I64): I64 => s.and(a, size - 1);
  const operations: readonly (readonly [string, string, Binary])[] = [
    ['udiv', '000010', (s, a, b) => divide(s, size, a, b, false)],
    ['sdiv', '000011', (s, a, b) => divide(s, size, a, b, true)],
    ['lslv', '001000', (s, a, b) => cut(s, size, s.shl(a, by(s, b)))],
    ['lsrv', '001001', (s, a, b) => s.shr_u(cut(s, size, a), by(s, b))],
    ['asrv', '001010', (s, a, b) => cut(s, size, s.shr_s(signed(s, size, a), by(s, b)))],
    ['rorv', '001011', (s, a, b) => rotate(s, size, a, b)],
  ];
  const drafts = operations.map(([name, opcode, op]) => {
    const pattern = `${sf} 0 0 11010110 ..... ${opcode} ..... .....`;
    const draft = fields(pattern, `${name} {rd}, {rn}, {rm}`, (s, f) =>
      s.set(f.rd, op(s, s.get(f.rn), s.get(f.rm))),
    );
    return [`${name}_${letter}`, draft] as const;
  });
  return instructions('Base', Object.fromEntries(drafts));
}

/** Bits 127 to 64 of an unsigned product: of words, in four parts. */
export function highProduct(s: Builder, a: I64, b: I64): I64 {
  const low = (value: I64): I64 => s.and(value, 0xffff_ffffn);
  const [a0, a1] = [low(a), s.shr_u(a, 32)];
  const [b0, b1] = [low(b), s.shr_u(b, 32)];
  const first = s.add(s.mul(a1, b0), s.shr_u(s.mul(a0, b0), 32));
  const second = s.add(s.mul(a0, b1), low(first));
  return s.add(s.mul(a1, b1), s.add(s.shr_u(first, 32), s.shr_u(second, 32)));
}

function signedHighProduct(s: Builder, a: I64, b: I64): I64 {
  const borrow = s.add(s.and(s.shr_s(a, 63), b), s.and(s.shr_s(b, 63), a));
  return s.sub(highProduct(s, a, b), borrow);
}

/** Multiply and add. */
function multiply({ size, letter, sf, r }: Registers): Row[] {
  const fields = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
    ra: r.source('10:5'),
  });
  const row = (name: string, bit: string, combine: Binary) => {
    const pattern = `${sf} 00 11011 000 ..... ${bit} ..... ..... .....`;
    const draft = fields(pattern, `${name} {rd}, {rn}, {rm}, {ra}`, (s, f) => {
      const product = s.mul(s.get(f.rn), s.get(f.rm));
      s.set(f.rd, cut(s, size, combine(s, s.get(f.ra), product)));
    });
    return [`${name}_${letter}`, draft] as const;
  };
  return instructions(
    'Base',
    Object.fromEntries([
      row('madd', '0', (s, a, b) => s.add(a, b)),
      row('msub', '1', (s, a, b) => s.sub(a, b)),
    ]),
  );
}

/** Products of words in doublewords, and the high halves of products. */
function longProducts(): Row[] {
  const long = format({
    rd: x.destination('0:5'),
    rn: w.source('5:5'),
    rm: w.source('16:5'),
    ra: x.source('10:5'),
  });
  const high = format({ rd: x.destination('0:5'), rn: x.source('5:5'), rm: x.source('16:5') });
  const kinds = [
    { prefix: 's', op: '001', extend: (s: Builder, a: I64): I64 => s.ext32_s(a) },
    { prefix: 'u', op: '101', extend: (s: Builder, a: I64): I64 => s.and(a, 0xffff_ffffn) },
  ];
  const drafts = kinds.flatMap(({ prefix, op, extend }) => {
    const row = (name: string, bit: string, combine: Binary) => {
      const pattern = `1 00 11011 ${op} ..... ${bit} ..... ..... .....`;
      const draft = long(pattern, `${name} {rd}, {rn}, {rm}, {ra}`, (s, f) => {
        const product = s.mul(extend(s, s.get(f.rn)), extend(s, s.get(f.rm)));
        s.set(f.rd, combine(s, s.get(f.ra), product));
      });
      return [name, draft] as const;
    };
    return [
      row(`${prefix}maddl`, '0', (s, a, b) => s.add(a, b)),
      row(`${prefix}msubl`, '1', (s, a, b) => s.sub(a, b)),
    ];
  });
  // Bits 14 to 10 should be ones, and are not looked at.
  const highs = [
    ['smulh', '010', signedHighProduct],
    ['umulh', '110', highProduct],
  ] as const;
  const more = highs.map(([name, op, product]) => {
    const pattern = `1 00 11011 ${op} ..... 0 ..... ..... .....`;
    const draft = high(pattern, `${name} {rd}, {rn}, {rm}`, (s, f) =>
      s.set(f.rd, product(s, s.get(f.rn), s.get(f.rm))),
    );
    return [name, draft] as const;
  });
  return instructions('Base', Object.fromEntries([...drafts, ...more]));
}

/** The polynomials, bits in reverse order. */
const polynomials = { '': 0xedb8_8320n, c: 0x82f6_3b78n } as const;

/** `(remainder, data, bits)`: the remainder after so many bits of data, a multiple of 8. */
const crc = (name: string, polynomial: bigint) =>
  routine(`crc32${name}`, ['i64', 'i64', 'i64'], 'i64', (s, remainder, data, count) => {
    const value = s.variable('i64', s.xor(remainder, data));
    const left = s.variable('i64', count);
    s.loop(() => {
      s.when(s.eqz(s.read(left)), () => s.break());
      let next = s.read(value);
      for (let i = 0; i < 8; i++) {
        const odd = s.sub(0, s.and(next, 1));
        next = s.xor(s.shr_u(next, 1), s.and(odd, polynomial));
      }
      s.assign(value, next);
      s.assign(left, s.sub(s.read(left), 8));
    });
    s.return(s.read(value));
  });

function checksums(): Row[] {
  const kinds = Object.entries(polynomials).flatMap(([c, polynomial]) => {
    const step = crc(c, polynomial);
    const widths = ['b', 'h', 'w', 'x'].map((letter, size) => ({ letter, size, bits: 8 << size }));
    return widths.map(({ letter, size, bits }) => {
      const source = (bits === 64 ? x : w).source('16:5');
      const fields = format({ rd: w.destination('0:5'), rn: w.source('5:5'), rm: source });
      const sf = bits === 64 ? '1' : '0';
      const pattern = `${sf} 00 11010110 ..... 010${c === '' ? 0 : 1}${two(size)} ..... .....`;
      const name = `crc32${c}${letter}`;
      const draft = fields(pattern, `${name} {rd}, {rn}, {rm}`, (s, f) => {
        const data = bits === 64 ? s.get(f.rm) : s.and(s.get(f.rm), (1n << BigInt(bits)) - 1n);
        const remainder = s.and(s.get(f.rn), 0xffff_ffffn);
        s.set(f.rd, s.and(s.call(step, 'i64', remainder, data, bits), 0xffff_ffffn));
      });
      return [name, draft] as const;
    });
  });
  return instructions('CRC32', Object.fromEntries(kinds));
}

export const rows: readonly Row[] = [
  ...sizes.flatMap(addShifted),
  ...sizes.flatMap(addExtended),
  ...sizes.flatMap(logical),
  ...sizes.flatMap(carries),
  ...sizes.flatMap(compares),
  ...sizes.flatMap(selects),
  ...sizes.flatMap(oneSource),
  ...sizes.flatMap(twoSources),
  ...sizes.flatMap(multiply),
  ...longProducts(),
  ...checksums(),
];
