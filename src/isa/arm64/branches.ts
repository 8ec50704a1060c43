// Branches, and the hints that do nothing. DDI 0487, C4.1.93.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { raiseUndefined } from './exceptions.ts';
import { conditionNames, holdsFixed } from './flags.ts';
import { sizes } from './sizes.ts';
import { w, X, x } from './state.ts';

type I64 = Value<'i64'>;

export const LR = { file: X, index: 30 } as const;

const relative = (bits: string) => number(bits, { shift: 2, relative: true });
const immediate = format({ imm: relative('0:s26') });
const conditional = format({ imm: relative('5:s19') });
const register = format({ rn: x.source('5:5') });
const none = format({});

const target = (s: Builder, imm: I64): I64 => s.add(s.pc(), imm);

function link(s: Builder): void {
  s.set(LR, s.pc(4));
}

const unconditional = instructions('Base', {
  b: immediate('0 00101 ..........................', 'b {imm}', (s, f) =>
    s.jump(target(s, f.imm), 'direct'),
  ),
  bl: immediate('1 00101 ..........................', 'bl {imm}', (s, f) => {
    link(s);
    s.jump(target(s, f.imm), 'direct');
  }),
  br: register('1101011 0000 11111 000000 ..... 00000', 'br {rn}', (s, f) =>
    s.jump(s.get(f.rn), 'indirect'),
  ),
  blr: register('1101011 0001 11111 000000 ..... 00000', 'blr {rn}', (s, f) => {
    const to = s.get(f.rn);
    link(s);
    s.jump(to, 'indirect');
  }),
  ret: register('1101011 0010 11111 000000 ..... 00000', 'ret {rn}', (s, f) =>
    s.jump(s.get(f.rn), 'indirect'),
  ),
});

const byCondition = instructions(
  'Base',
  Object.fromEntries(
    conditionNames.map((name, code) => {
      const pattern = `0101010 0 ................... 0 ${code.toString(2).padStart(4, '0')}`;
      const draft = conditional(pattern, `b.${name} {imm}`, (s, f) =>
        s.branch(holdsFixed(s, code), target(s, f.imm)),
      );
      return [`b.${name}`, draft];
    }),
  ),
);

/** cbz and cbnz. */
const byZero = sizes.flatMap(({ size, letter, sf, r }) => {
  const fields = format({ rt: r.source('0:5'), imm: relative('5:s19') });
  const isZero = (s: Builder, rt: RegisterOperand): Value<'i1'> =>
    size === 64 ? s.eqz(s.get(rt)) : s.eqz32(s.wrap(s.get(rt)));
  return instructions('Base', {
    [`cbz_${letter}`]: fields(
      `${sf} 011010 0 ................... .....`,
      'cbz {rt}, {imm}',
      (s, f) => s.branch(isZero(s, f.rt), target(s, f.imm)),
    ),
    [`cbnz_${letter}`]: fields(
      `${sf} 011010 1 ................... .....`,
      'cbnz {rt}, {imm}',
      (s, f) => s.branch(s.not(isZero(s, f.rt)), target(s, f.imm)),
    ),
  });
});

/** tbz and tbnz: bit 31 is the upper one of the bit's number. */
const byBit = [
  { letter: 'w', high: '0', r: w, base: 0n },
  { letter: 'x', high: '1', r: x, base: 32n },
].flatMap(({ letter, high, r, base }) => {
  const fields = format({ rt: r.source('0:5'), bit: number('19:5'), imm: relative('5:s14') });
  const isClear = (s: Builder, f: { readonly rt: RegisterOperand; readonly bit: I64 }) =>
    s.eqz(s.and(s.get(f.rt), s.shl(1n << base, f.bit)));
  // Assembly counts bits from the register's lowest.
  const text = (name: string): string =>
    `${name} {rt}, #${base === 0n ? '' : `${base}+`}{bit}, {imm}`;
  return instructions('Base', {
    [`tbz_${letter}`]: fields(`${high} 011011 0 ..... .............. .....`, text('tbz'), (s, f) =>
      s.branch(isClear(s, f), target(s, f.imm)),
    ),
    [`tbnz_${letter}`]: fields(
      `${high} 011011 1 ..... .............. .....`,
      text('tbnz'),
      (s, f) => s.branch(s.not(isClear(s, f)), target(s, f.imm)),
    ),
  });
});

const hint = format({ imm: number('5:7') });
const udf = format({ imm: number('0:16') });

/** Hints that need no action, pointer authentication and branch targets among them. */
const others = instructions('Base', {
  hint: hint('11010101000000110010 ....... 11111', 'hint #{imm}', () => {}),
  udf: udf('0000000000000000 ................', 'udf #{imm}', raiseUndefined),
  nop: none('11010101000000110010 0000 000 11111', 'nop', () => {}),
});

export const rows: readonly Row[] = [
  ...unconditional,
  ...byCondition,
  ...byZero,
  ...byBit,
  ...others,
];
