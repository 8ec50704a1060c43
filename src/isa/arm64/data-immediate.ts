// Data processing with an immediate. DDI 0487, C4.1.92.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { addWithFlags, cut, setLogicFlags, type Size, subtractWithFlags } from './flags.ts';
import { bitmask, sizes, wideImmediate } from './sizes.ts';
import { x } from './state.ts';

type I64 = Value<'i64'>;

interface OneSource {
  readonly rd: RegisterOperand;
  readonly rn: RegisterOperand;
}

const adr = format({ rd: x.destination('0:5'), imm: number('5:s19 29:2', { relative: true }) });
const adrp = format({ rd: x.destination('0:5'), imm: number('5:s19 29:2', { shift: 12 }) });

const PAGE = -4096n;

const addresses = instructions('Base', {
  adr: adr('0 .. 10000 ................... .....', 'adr {rd}, {imm}', (s, f) =>
    s.set(f.rd, s.add(s.pc(), f.imm)),
  ),
  adrp: adrp('1 .. 10000 ................... .....', 'adrp {rd}, {imm}', (s, f) =>
    s.set(f.rd, s.add(s.and(s.pc(), PAGE), f.imm)),
  ),
});

/** add, adds, sub, subs: of a 12-bit number, shifted left by 12 or not. */
function addSubtract({ size, letter, sf, r, rsp }: (typeof sizes)[number]): Row[] {
  const rn = rsp.source('5:5');
  const kinds = [
    { shift: 0, bit: '0', suffix: '', text: '' },
    { shift: 12, bit: '1', suffix: '_12', text: '' },
  ];
  return kinds.flatMap(({ shift, bit, suffix }) => {
    const imm = number('10:12', { shift });
    const toSp = format({ rd: rsp.destination('0:5'), rn, imm });
    const withFlags = format({ rd: r.destination('0:5'), rn, imm });
    const pattern = (op: string): string => `${sf} ${op} 100010 ${bit} ............ ..... .....`;
    const text = (name: string): string => `${name} {rd}, {rn}, #{imm}`;
    return instructions('Base', {
      [`add_${letter}_imm${suffix}`]: toSp(pattern('00'), text('add'), (s, f) =>
        s.set(f.rd, cut(s, size, s.add(s.get(f.rn), f.imm))),
      ),
      [`adds_${letter}_imm${suffix}`]: withFlags(pattern('01'), text('adds'), (s, f) =>
        s.set(f.rd, addWithFlags(s, size, s.get(f.rn), f.imm)),
      ),
      [`sub_${letter}_imm${suffix}`]: toSp(pattern('10'), text('sub'), (s, f) =>
        s.set(f.rd, cut(s, size, s.sub(s.get(f.rn), f.imm))),
      ),
      [`subs_${letter}_imm${suffix}`]: withFlags(pattern('11'), text('subs'), (s, f) =>
        s.set(f.rd, subtractWithFlags(s, size, s.get(f.rn), f.imm)),
      ),
    });
  });
}

/** and, orr, eor, ands with a bitmask immediate. */
function logical({ size, letter, sf, r, rsp }: (typeof sizes)[number]): Row[] {
  const rn = r.source('5:5');
  // N, immr and imms lie side by side.
  const imm = number('10:13', { code: bitmask(size) });
  const toSp = format({ rd: rsp.destination('0:5'), rn, imm });
  const withFlags = format({ rd: r.destination('0:5'), rn, imm });
  const pattern = (opc: string): string => `${sf} ${opc} 100100 ............. ..... .....`;
  const text = (name: string): string => `${name} {rd}, {rn}, #{imm}`;
  return instructions('Base', {
    [`and_${letter}_imm`]: toSp(pattern('00'), text('and'), (s, f) =>
      s.set(f.rd, s.and(s.get(f.rn), f.imm)),
    ),
    [`orr_${letter}_imm`]: toSp(pattern('01'), text('orr'), (s, f) =>
      s.set(f.rd, cut(s, size, s.or(s.get(f.rn), f.imm))),
    ),
    [`eor_${letter}_imm`]: toSp(pattern('10'), text('eor'), (s, f) =>
      s.set(f.rd, cut(s, size, s.xor(s.get(f.rn), f.imm))),
    ),
    [`ands_${letter}_imm`]: withFlags(pattern('11'), text('ands'), (s, f) => {
      const result = s.and(s.get(f.rn), f.imm);
      setLogicFlags(s, size, result);
      s.set(f.rd, result);
    }),
  });
}

/** movz and movn; movk, which keeps the other halfwords and is a row for each. */
function moves({ size, letter, sf, r }: (typeof sizes)[number]): Row[] {
  const rd = r.destination('0:5');
  const wide = (inverted: boolean) =>
    format({ rd, imm: number('21:2 5:16', { code: wideImmediate(size, inverted) }) });
  const keep = format({ rd, old: r.source('0:5'), imm: number('5:16') });
  const halfwords = size === 64 ? [0, 1, 2, 3] : [0, 1];
  const keeping = halfwords.map((hw) => {
    const shift = BigInt(16 * hw);
    const pattern = `${sf} 11 100101 ${hw >> 1}${hw & 1} ................ .....`;
    const row = keep(pattern, `movk {rd}, #{imm}, lsl #${shift}`, (s, f) => {
      const kept = s.and(s.get(f.old), BigInt.asUintN(size, ~(0xffffn << shift)));
      s.set(f.rd, s.or(kept, s.shl(f.imm, shift)));
    });
    return [`movk_${letter}_${shift}`, row] as const;
  });
  const move = (s: Builder, f: { readonly rd: RegisterOperand; readonly imm: I64 }): void =>
    s.set(f.rd, f.imm);
  return instructions('Base', {
    [`movn_${letter}`]: wide(true)(
      `${sf} 00 100101 .. ................ .....`,
      'movn {rd}, #{imm}',
      move,
    ),
    [`movz_${letter}`]: wide(false)(
      `${sf} 10 100101 .. ................ .....`,
      'movz {rd}, #{imm}',
      move,
    ),
    ...Object.fromEntries(keeping),
  });
}

/** A value rotated right, in its size. */
export const rotate = (s: Builder, size: Size, value: I64, by: I64): I64 =>
  size === 64 ? s.rotr(value, by) : s.zext32(s.rotr32(s.wrap(value), s.wrap(by)));

/**
 * The bits of a bitfield instruction at their place: a field of imms - immr + 1 bits from bit immr of the source moved
 * to bit 0, or one of imms + 1 bits from bit 0 moved up. `mask` has ones where it lies.
 */
function field(s: Builder, size: Size, f: { readonly immr: I64; readonly imms: I64 }) {
  const extracts = s.ge_u(f.imms, f.immr);
  const width = s.select(extracts, s.sub(s.add(f.imms, 1), f.immr), s.add(f.imms, 1));
  const low = s.select(extracts, 0, s.sub(size, f.immr));
  const ones = s.shr_u(-1n, s.sub(64, width));
  return { mask: s.shl(ones, low), top: s.add(low, width) };
}

function bitfields({ size, letter, sf, r }: (typeof sizes)[number]): Row[] {
  const rd = r.destination('0:5');
  const rn = r.source('5:5');
  const bits = size === 64 ? 6 : 5;
  const numbers = { immr: number(`16:${bits}`), imms: number(`10:${bits}`) };
  const plain = format({ rd, rn, ...numbers });
  const keeping = format({ rd, rn, old: r.source('0:5'), ...numbers });
  const six = size === 64 ? '1 ...... ......' : '0 0..... 0.....';
  const pattern = (opc: string): string => `${sf} ${opc} 100110 ${six} ..... .....`;
  const text = (name: string): string => `${name} {rd}, {rn}, #{immr}, #{imms}`;
  type Numbers = OneSource & { readonly immr: I64; readonly imms: I64 };
  const moved = (s: Builder, f: Numbers): I64 => rotate(s, size, s.get(f.rn), f.immr);
  return instructions('Base', {
    [`sbfm_${letter}`]: plain(pattern('00'), text('sbfm'), (s, f) => {
      const { mask, top } = field(s, size, f);
      const unused = s.sub(64, top);
      const extended = s.shr_s(s.shl(s.and(moved(s, f), mask), unused), unused);
      s.set(f.rd, cut(s, size, extended));
    }),
    [`bfm_${letter}`]: keeping(pattern('01'), text('bfm'), (s, f) => {
      const { mask } = field(s, size, f);
      const kept = s.and(s.get(f.old), s.xor(mask, -1n));
      s.set(f.rd, cut(s, size, s.or(kept, s.and(moved(s, f), mask))));
    }),
    [`ubfm_${letter}`]: plain(pattern('10'), text('ubfm'), (s, f) => {
      s.set(f.rd, s.and(moved(s, f), field(s, size, f).mask));
    }),
  });
}

function extract({ size, letter, sf, r }: (typeof sizes)[number]): Row[] {
  const bits = size === 64 ? 6 : 5;
  const two = format({
    rd: r.destination('0:5'),
    rn: r.source('5:5'),
    rm: r.source('16:5'),
    lsb: number(`10:${bits}`),
  });
  const six = size === 64 ? '......' : '0.....';
  const pattern = `${sf} 00 100111 ${sf} 0 ..... ${six} ..... .....`;
  return instructions('Base', {
    [`extr_${letter}`]: two(pattern, 'extr {rd}, {rn}, {rm}, #{lsb}', (s, f) => {
      const low = s.shr_u(s.get(f.rm), f.lsb);
      if (size === 32) {
        const joined = s.or(s.shl(s.get(f.rn), 32), cut(s, 32, s.get(f.rm)));
        s.set(f.rd, cut(s, 32, s.shr_u(joined, f.lsb)));
      } else {
        // A shift by 64 is none, so it is done in two steps.
        const high = s.shl(s.shl(s.get(f.rn), s.sub(63, f.lsb)), 1);
        s.set(f.rd, s.or(low, high));
      }
    }),
  });
}

export const rows: readonly Row[] = [
  ...addresses,
  ...sizes.flatMap(addSubtract),
  ...sizes.flatMap(logical),
  ...sizes.flatMap(moves),
  ...sizes.flatMap(bitfields),
  ...sizes.flatMap(extract),
];
