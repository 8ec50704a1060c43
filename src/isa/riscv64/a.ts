// A: atomic instructions (Zalrsc, Zaamo). Unprivileged ISA, chapter 13.
//
// Atomic accesses of the IR are sequentially consistent, which satisfies every aq and rl; only the plain load of LR
// needs fences for them. A reservation is an address and the value read there: SC succeeds where a compare and
// exchange with that value does. Addresses are aligned, or the instruction raises.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, RmwKind, Value } from '../../ir/node.ts';
import { format, instructions, type Meaning, type Row } from '../shared/row.ts';
import { lowWord, type Unary } from './formats.ts';
import { hart, x } from './state.ts';
import { causes, raise } from './trap.ts';

type I64 = Value<'i64'>;
type Width = 32 | 64;

const rd = x.destination('7:5');
const rs1 = x.source('15:5');
const rs2 = x.source('20:5');
const amoFormat = format({ rd, rs1, rs2 });
const lrFormat = format({ rd, rs1 });

/** Ordering bits and their suffix in assembly. */
const orders = [
  { bits: '00', suffix: '' },
  { bits: '10', suffix: '.aq' },
  { bits: '01', suffix: '.rl' },
  { bits: '11', suffix: '.aqrl' },
] as const;
type Order = (typeof orders)[number];

/** No reservation. No aligned address equals it. */
const noReservation = -1n;

const widths = [
  { width: 32, letter: 'w', bits: '010' },
  { width: 64, letter: 'd', bits: '011' },
] as const;

/** The value of rs1, after raising `cause` if it is not a multiple of the width. */
function alignedAddress(s: Builder, base: RegisterOperand, width: Width, cause: number): I64 {
  const address = s.get(base);
  s.rarely(s.ne(s.and(address, width / 8 - 1), 0n), () => raise(s, cause, address));
  return address;
}

const fromMemory = (s: Builder, width: Width, value: I64): I64 =>
  width === 32 ? s.ext32_s(value) : value;

const loadReserved =
  (width: Width, order: Order): Meaning<{ rd: typeof rd; rs1: typeof rs1 }> =>
  (s, f) => {
    const address = alignedAddress(s, f.rs1, width, causes.loadAddressMisaligned);
    if (order.suffix.includes('rl')) s.fence();
    const value = s.load(width, address);
    if (order.suffix.includes('aq')) s.fence();
    s.setState(hart.reservation, address);
    s.setState(hart.reservedValue, value);
    s.set(f.rd, fromMemory(s, width, value));
  };

type AmoMeaning = Meaning<{ rd: typeof rd; rs1: typeof rs1; rs2: typeof rs2 }>;

/** rd becomes 0 for success, 1 for failure. Where the address is not the reserved one, memory is not accessed. */
const storeConditional =
  (width: Width): AmoMeaning =>
  (s, f) => {
    const address = alignedAddress(s, f.rs1, width, causes.storeAddressMisaligned);
    const value = s.get(f.rs2);
    const reserved = s.eq(s.state(hart.reservation), address);
    s.setState(hart.reservation, noReservation);
    const failed = s.variable('i1', true);
    s.when(reserved, () => {
      const seen = s.state(hart.reservedValue);
      const expected = width === 32 ? lowWord(s, seen) : seen;
      s.assign(failed, s.ne(s.cas(width, address, expected, value), expected));
    });
    s.set(f.rd, s.zext1(s.read(failed)));
  };

const readModifyWrite =
  (kind: RmwKind) =>
  (width: Width): AmoMeaning =>
  (s, f) => {
    const address = alignedAddress(s, f.rs1, width, causes.storeAddressMisaligned);
    s.set(f.rd, fromMemory(s, width, s.rmw(kind, width, address, s.get(f.rs2))));
  };

/**
 * AMOs that the host lacks. The first read is a modification that changes nothing, so that it needs permission to
 * store as the manual asks.
 */
const choose =
  (keepsOld: (s: Builder, old: I64, value: I64) => Value<'i1'>, extend32: Unary) =>
  (width: Width): AmoMeaning =>
  (s, f) => {
    const extend: Unary = width === 32 ? extend32 : (_, a) => a;
    const address = alignedAddress(s, f.rs1, width, causes.storeAddressMisaligned);
    const value = extend(s, s.get(f.rs2));
    const current = s.variable('i64', s.rmw('or', width, address, 0n));
    s.loop(() => {
      const old = s.read(current);
      const wide = extend(s, old);
      const seen = s.cas(width, address, old, s.select(keepsOld(s, wide, value), wide, value));
      s.when(s.eq(seen, old), () => s.break());
      s.assign(current, seen);
    });
    s.set(f.rd, fromMemory(s, width, s.read(current)));
  };

const signExtend: Unary = (s, a) => s.ext32_s(a);

/** One row for each width and ordering. `funct5`: bits 31:27. */
function amo(name: string, funct5: string, meaningOf: (width: Width) => AmoMeaning) {
  const drafts = widths.flatMap(({ width, letter, bits }) => {
    const meaning = meaningOf(width);
    return orders.map((order) => {
      const full = `${name}.${letter}${order.suffix}`;
      const pattern = `${funct5} ${order.bits} ..... ..... ${bits} ..... 0101111`;
      return [full, amoFormat(pattern, `${full} {rd}, {rs2}, ({rs1})`, meaning)] as const;
    });
  });
  return Object.fromEntries(drafts);
}

function lr() {
  const drafts = widths.flatMap(({ width, letter, bits }) =>
    orders.map((order) => {
      const full = `lr.${letter}${order.suffix}`;
      const pattern = `00010 ${order.bits} 00000 ..... ${bits} ..... 0101111`;
      const meaning = loadReserved(width, order);
      return [full, lrFormat(pattern, `${full} {rd}, ({rs1})`, meaning)] as const;
    }),
  );
  return Object.fromEntries(drafts);
}

// oxfmt-ignore
export const rows: Row[] = [
  ...instructions('Zalrsc', { ...lr(), ...amo('sc', '00011', storeConditional) }),
  ...instructions('Zaamo', {
    ...amo('amoswap', '00001', readModifyWrite('xchg')),
    ...amo('amoadd',  '00000', readModifyWrite('add')),
    ...amo('amoxor',  '00100', readModifyWrite('xor')),
    ...amo('amoand',  '01100', readModifyWrite('and')),
    ...amo('amoor',   '01000', readModifyWrite('or')),
    ...amo('amomin',  '10000', choose((s, old, value) => s.lt_s(old, value), signExtend)),
    ...amo('amomax',  '10100', choose((s, old, value) => s.gt_s(old, value), signExtend)),
    ...amo('amominu', '11000', choose((s, old, value) => s.lt_u(old, value), lowWord)),
    ...amo('amomaxu', '11100', choose((s, old, value) => s.gt_u(old, value), lowWord)),
  }),
];
