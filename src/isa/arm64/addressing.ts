// How loads and stores form their addresses. DDI 0487, C1.3.3 (load/store addressing modes).

import type { Builder } from '../../ir/builder.ts';
import type { RegisterType, Value } from '../../ir/node.ts';
import { format, number, type Operands, type RegisterField, type Row } from '../shared/row.ts';
import { raiseAlignment } from './exceptions.ts';
import { w, x, xsp } from './state.ts';

type I64 = Value<'i64'>;

/** The base register, which may be written back: no register of its file is zero, so it may be read too. */
export const rn = xsp.destination('5:5');

/** Raises unless an address is a multiple of the access's size in bytes. */
export function requireAligned(s: Builder, address: I64, bytes: number, isWrite: boolean): void {
  if (bytes === 1) return;
  s.rarely(s.ne(s.and(address, bytes - 1), 0), () => raiseAlignment(s, address, isWrite));
}

/** Kinds of index by their encoding (option), and how wide the index register is. */
const indexes: readonly {
  readonly name: string;
  readonly option: string;
  readonly rm: typeof x;
  readonly extend: (s: Builder, a: I64) => I64;
}[] = [
  { name: 'uxtw', option: '010', rm: w, extend: (s, a) => s.and(a, 0xffff_ffffn) },
  { name: 'lsl', option: '011', rm: x, extend: (_s, a) => a },
  { name: 'sxtw', option: '110', rm: w, extend: (s, a) => s.ext32_s(a) },
  { name: 'sxtx', option: '111', rm: x, extend: (_s, a) => a },
];

type Draft = Omit<Row, 'name' | 'extension'>;

/** An access of one register to memory. */
export interface Access<T extends RegisterType> {
  readonly mnemonic: string;
  /** Bits 31 and 30, bit 26, bits 23 and 22. */
  readonly size: string;
  readonly vector: '0' | '1';
  readonly opc: string;
  /** Log2 of the bytes accessed. */
  readonly scale: number;
  readonly rt: RegisterField<T>;
  readonly perform: (
    s: Builder,
    rt: Operands<{ readonly rt: RegisterField<T> }>['rt'],
    address: I64,
  ) => void;
}

const isSame = (word: number): boolean => (word & 31) === ((word >>> 5) & 31) && (word & 31) !== 31;

const added = (
  s: Builder,
  f: Operands<{ readonly rn: typeof rn; readonly imm: ReturnType<typeof number> }>,
): I64 => s.add(s.get(f.rn), f.imm);

/** The forms with an immediate offset, by what they add to the row's name. */
export function immediateForms<T extends RegisterType>(access: Access<T>): Record<string, Draft> {
  const { size, vector, opc, scale, rt, mnemonic, perform } = access;
  const head = `${size} 111 ${vector}`;
  const scaled = format({ rt, rn, imm: number('10:12', { shift: scale }) });
  const unscaled = format({ rt, rn, imm: number('12:s9') });
  const back = format({ rt, rn, imm: number('12:s9') });
  const options = vector === '0' ? { unpredictable: isSame } : {};
  return {
    '': scaled(
      `${head} 01 ${opc} ............ ..... .....`,
      `${mnemonic} {rt}, [{rn}, #{imm}]`,
      (s, f) => perform(s, f.rt, added(s, f)),
    ),
    unscaled: unscaled(
      `${head} 00 ${opc} 0 ......... 00 ..... .....`,
      `${mnemonic.replace(/^(ld|st)r/, '$1ur')} {rt}, [{rn}, #{imm}]`,
      (s, f) => perform(s, f.rt, added(s, f)),
    ),
    post: back(
      `${head} 00 ${opc} 0 ......... 01 ..... .....`,
      `${mnemonic} {rt}, [{rn}], #{imm}`,
      (s, f) => {
        const base = s.get(f.rn);
        perform(s, f.rt, base);
        s.set(f.rn, s.add(base, f.imm));
      },
      options,
    ),
    pre: back(
      `${head} 00 ${opc} 0 ......... 11 ..... .....`,
      `${mnemonic} {rt}, [{rn}, #{imm}]!`,
      (s, f) => {
        const address = added(s, f);
        perform(s, f.rt, address);
        s.set(f.rn, address);
      },
      options,
    ),
  };
}

/** The forms with a register offset, by how it is extended and whether it is scaled. */
export function registerForms<T extends RegisterType>(access: Access<T>): Record<string, Draft> {
  const { size, vector, opc, scale, rt, mnemonic, perform } = access;
  const drafts = indexes.flatMap(({ name, option, rm, extend }) =>
    [0, 1].map((scaled) => {
      const amount = scaled * scale;
      const pattern = `${size} 111 ${vector} 00 ${opc} 1 ..... ${option} ${scaled} 10 ..... .....`;
      const text = `${mnemonic} {rt}, [{rn}, {rm}, ${name} #${amount}]`;
      const draft = format({ rt, rn, rm: rm.source('16:5') })(pattern, text, (s, f) => {
        const index = s.shl(extend(s, s.get(f.rm)), amount);
        perform(s, f.rt, s.add(s.get(f.rn), index));
      });
      return [`${name}_${scaled}`, draft] as const;
    }),
  );
  return Object.fromEntries(drafts);
}
