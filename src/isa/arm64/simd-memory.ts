// Advanced SIMD: loads and stores of structures. DDI 0487, C4.1.94 (load/store multiple structures, single structure).
//
// All is loaded before any register is written; the base is written back last. A store that faults on the way is done
// again from its start, as the architecture allows.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand } from '../../ir/node.ts';
import { format, number, type Row } from '../shared/row.ts';
import { rn } from './addressing.ts';
import {
  arrangement,
  type Arrangement,
  type Draft,
  fit,
  guarded,
  type I64,
  type Lane,
  lanes,
  named,
  type V128,
  zero,
} from './simd.ts';
import { insertLane, spreadLane, takeLane } from './simd-move.ts';
import { v, x } from './state.ts';

type Register = RegisterOperand<'v128'>;

/** Registers in a row, as fields. */
const list = (count: number, role: 'source' | 'destination') =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`t${i}`, v[role]('0:5', { add: i })]),
  );

const registersOf = (f: object, count: number): Register[] =>
  Array.from({ length: count }, (_, i) => (f as Record<string, Register>)[`t${i}`]!);

/** How the base moves: not at all, by what was accessed, by a register. */
const writebacks = [
  { form: '', post: '0', rm: '00000', text: '' },
  { form: '_post', post: '1', rm: '11111', text: ', #{bytes}' },
  { form: '_post_register', post: '1', rm: '.....', text: ', {rm}' },
] as const;

type Form = (typeof writebacks)[number]['form'];

/** Adds the fields of a form and writes the base back. */
function withBase(form: Form) {
  return form !== '_post_register' ? { rn } : { rn, rm: x.source('16:5') };
}

function writeBack(s: Builder, form: Form, f: object, address: I64, bytes: number): void {
  if (form === '') return;
  const { rn: base, rm } = f as { rn: RegisterOperand; rm?: RegisterOperand };
  s.set(base, s.add(address, rm === undefined ? s.const64(bytes) : s.get(rm)));
}

const SIZES: readonly Lane[] = [8, 16, 32, 64];
const sizeBits = { 8: '00', 16: '01', 32: '10', 64: '11' } as const;

/** Structures of one element: so many registers, one after another. */
const plainKinds = [
  { count: 1, opcode: '0111' },
  { count: 2, opcode: '1010' },
  { count: 3, opcode: '0110' },
  { count: 4, opcode: '0010' },
] as const;

/** Structures of several elements, taken apart into as many registers. */
const structureKinds = [
  { count: 2, opcode: '1000' },
  { count: 3, opcode: '0100' },
  { count: 4, opcode: '0000' },
] as const;

const shapesOf = (lane: Lane, hasSingle: boolean): Arrangement[] =>
  lane === 64 && !hasSingle
    ? [arrangement(64, '1')]
    : [arrangement(lane, '0'), arrangement(lane, '1')];

const text = (mnemonic: string, count: number, suffix: string, tail: string): string => {
  const registers = Array.from({ length: count }, (_, i) => `{t${i}}${suffix}`).join(', ');
  return `${mnemonic} (${registers}), [{rn}]${tail}`;
};

/** Loads so many bytes as vectors of an arrangement. */
function loadAll(s: Builder, base: I64, count: number, bits: number): V128[] {
  const width = bits === 128 ? 128 : 64;
  return Array.from({ length: count }, (_, i) => s.loadVector(width, s.add(base, (i * bits) / 8)));
}

function storeAll(s: Builder, base: I64, values: readonly V128[], bits: number): void {
  const width = bits === 128 ? 128 : 64;
  for (const [i, value] of values.entries())
    s.storeVector(width, s.add(base, (i * bits) / 8), value);
}

/** Elements of structures apart: of two by separating even and odd ones, of three and four by swizzles. */
function takeApart(s: Builder, { lane, bits }: Arrangement, loaded: readonly V128[]): V128[] {
  const count = loaded.length;
  if (count === 2) {
    const [a, b] = bits === 128 ? loaded : [s.i64x2_zip1(loaded[0]!, loaded[1]!), zero];
    return [lanes(s, lane, 'uzp1', a!, b!), lanes(s, lane, 'uzp2', a!, b!)];
  }
  return rearrange(s, lane, bits, loaded, (element, register) => element * count + register);
}

function putTogether(s: Builder, { lane, bits }: Arrangement, values: readonly V128[]): V128[] {
  const count = values.length;
  const each = bits / lane;
  if (count === 2 && bits === 128) {
    return [
      lanes(s, lane, 'zip1', values[0]!, values[1]!),
      lanes(s, lane, 'zip2', values[0]!, values[1]!),
    ];
  }
  return rearrange(s, lane, bits, values, (element, register) => {
    const at = register * each + element;
    return (at % count) * each + Math.floor(at / count);
  });
}

/** Registers whose element `e` of register `r` is the `from(e, r)`-th of all elements of others. */
function rearrange(
  s: Builder,
  lane: Lane,
  bits: number,
  values: readonly V128[],
  from: (element: number, register: number) => number,
): V128[] {
  const each = bits / lane;
  const size = lane / 8;
  return values.map((_, register) => {
    let result: V128 | undefined;
    for (const [source, value] of values.entries()) {
      let table = 0n;
      let used = false;
      for (let at = 0; at < 16; at++) {
        const element = Math.floor(at / size);
        const index = element < each ? from(element, register) : -1;
        const isHere = Math.floor(index / each) === source;
        used ||= isHere;
        const byte = isHere ? (index % each) * size + (at % size) : 0xff;
        table |= BigInt(byte) << BigInt(8 * at);
      }
      if (!used) continue;
      const part = s.i8x16_swizzle(value, s.v128_or(zero, table));
      result = result === undefined ? part : s.v128_or(result, part);
    }
    return result!;
  });
}

function multipleRows(): (readonly [string, Draft])[] {
  const kinds = [
    ...plainKinds.map((kind) => ({ ...kind, name: '1', isStructure: false })),
    ...structureKinds.map((kind) => ({ ...kind, name: `${kind.count}`, isStructure: true })),
  ];
  return kinds.flatMap(({ count, opcode, name, isStructure }) =>
    SIZES.flatMap((lane) =>
      shapesOf(lane, !isStructure).flatMap((shape) =>
        writebacks.flatMap(({ form, post, rm, text: tail }) => {
          const { bits, q, suffix } = shape;
          const bytes = (count * bits) / 8;
          const pattern = (l: string): string =>
            `0 ${q} 001100 ${post} ${l} 0 ${rm} ${opcode} ${sizeBits[lane]} ..... .....`;
          const rowName = (op: string): string => `${op}${name}_${count}_${shape.name}${form}`;
          const shown = tail.replace('{bytes}', `${bytes}`);
          const load = format({ ...list(count, 'destination'), ...withBase(form) })(
            pattern('1'),
            text(`ld${name}`, count, suffix, shown),
            guarded((s, f) => {
              const base = s.get((f as { rn: RegisterOperand }).rn);
              const loaded = loadAll(s, base, count, bits);
              const apart = isStructure ? takeApart(s, shape, loaded) : loaded;
              for (const [i, register] of registersOf(f, count).entries()) {
                s.set(register, isStructure ? fit(s, shape, apart[i]!) : apart[i]!);
              }
              writeBack(s, form, f, base, bytes);
            }),
          );
          const store = format({ ...list(count, 'source'), ...withBase(form) })(
            pattern('0'),
            text(`st${name}`, count, suffix, shown),
            guarded((s, f) => {
              const base = s.get((f as { rn: RegisterOperand }).rn);
              const values = registersOf(f, count).map((register) => s.get(register));
              storeAll(s, base, isStructure ? putTogether(s, shape, values) : values, bits);
              writeBack(s, form, f, base, bytes);
            }),
          );
          return [
            [rowName('ld'), load],
            [rowName('st'), store],
          ] as const;
        }),
      ),
    ),
  );
}

/** Where a single lane's index lies: Q (bit 30), S (bit 12), size (bits 11 and 10). */
const indexFields = {
  8: { q: '.', s: '.', size: '..', field: '30:1 12:1 10:2', opcode: '00' },
  16: { q: '.', s: '.', size: '.0', field: '30:1 12:1 11:1', opcode: '01' },
  32: { q: '.', s: '.', size: '00', field: '30:1 12:1', opcode: '10' },
  64: { q: '.', s: '0', size: '01', field: '30:1', opcode: '10' },
} as const;

const letters = { 8: 'b', 16: 'h', 32: 's', 64: 'd' } as const;

/** The bits that tell how many registers: R (bit 21) and bit 13. */
const countBits = { 1: ['0', '0'], 2: ['1', '0'], 3: ['0', '1'], 4: ['1', '1'] } as const;

function singleRows(): (readonly [string, Draft])[] {
  return ([1, 2, 3, 4] as const).flatMap((count) =>
    SIZES.flatMap((lane) =>
      writebacks.flatMap(({ form, post, rm, text: tail }) => {
        const { q, s: sBit, size, field, opcode } = indexFields[lane as 8 | 16 | 32 | 64];
        const [r, low] = countBits[count];
        const bytes = (count * lane) / 8;
        const index = number(field);
        const pattern = (l: string): string =>
          `0 ${q} 001101 ${post} ${l} ${r} ${rm} ${opcode}${low} ${sBit} ${size} ..... .....`;
        const shown = tail.replace('{bytes}', `${bytes}`);
        const registers = Array.from({ length: count }, (_, i) => `{t${i}}.${letters[lane]}`);
        const shownText = (op: string): string =>
          `${op}${count} (${registers.join(', ')})[{index}], [{rn}]${shown}`;
        const name = (op: string): string => `${op}${count}_single_${letters[lane]}${form}`;
        const load = format({ ...list(count, 'destination'), ...withBase(form), index })(
          pattern('1'),
          shownText('ld'),
          guarded((s, f) => {
            const base = s.get((f as { rn: RegisterOperand }).rn);
            const at = (f as { index: I64 }).index;
            const loaded = Array.from({ length: count }, (_, i) =>
              s.load(lane, s.add(base, (i * lane) / 8)),
            );
            // A vector register has no zero, so a destination may be read too.
            const made = registersOf(f, count).map((register, i) => {
              const value = s.i64x2_replace_0(zero, loaded[i]!);
              return insertLane(s, lane, s.get(register), value, at);
            });
            for (const [i, register] of registersOf(f, count).entries()) s.set(register, made[i]!);
            writeBack(s, form, f, base, bytes);
          }),
        );
        const store = format({ ...list(count, 'source'), ...withBase(form), index })(
          pattern('0'),
          shownText('st'),
          guarded((s, f) => {
            const base = s.get((f as { rn: RegisterOperand }).rn);
            const at = (f as { index: I64 }).index;
            for (const [i, register] of registersOf(f, count).entries()) {
              const value = s.i64x2_extract_0(takeLane(s, lane, s.get(register), at));
              s.store(lane, s.add(base, (i * lane) / 8), value);
            }
            writeBack(s, form, f, base, bytes);
          }),
        );
        return [
          [name('ld'), load],
          [name('st'), store],
        ] as const;
      }),
    ),
  );
}

/** ld1r to ld4r: an element in all lanes. */
function repeatingRows(): (readonly [string, Draft])[] {
  return ([1, 2, 3, 4] as const).flatMap((count) =>
    SIZES.flatMap((lane) =>
      shapesOf(lane, true).flatMap((shape) =>
        writebacks.map(({ form, post, rm, text: tail }) => {
          const [r, low] = countBits[count];
          const bytes = (count * lane) / 8;
          const pattern = `0 ${shape.q} 001101 ${post} 1 ${r} ${rm} 11${low} 0 ${sizeBits[lane]} ..... .....`;
          const draft = format({ ...list(count, 'destination'), ...withBase(form) })(
            pattern,
            text(`ld${count}r`, count, shape.suffix, tail.replace('{bytes}', `${bytes}`)),
            guarded((s, f) => {
              const base = s.get((f as { rn: RegisterOperand }).rn);
              const loaded = Array.from({ length: count }, (_, i) =>
                s.load(lane, s.add(base, (i * lane) / 8)),
              );
              for (const [i, register] of registersOf(f, count).entries()) {
                const value = s.i64x2_replace_0(zero, loaded[i]!);
                s.set(register, fit(s, shape, spreadLane(s, lane, value)));
              }
              writeBack(s, form, f, base, bytes);
            }),
          );
          return [`ld${count}r_${shape.name}${form}`, draft] as const;
        }),
      ),
    ),
  );
}

export const rows: readonly Row[] = named('AdvSIMD', [
  ...multipleRows(),
  ...singleRows(),
  ...repeatingRows(),
]);
