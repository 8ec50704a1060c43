// Loads and stores of registers, SIMD and floating-point ones among them. DDI 0487, C4.1.94.
//
// A pair's second access may fault after the first has stored; the instruction is then done again from its start, as
// the architecture allows. A load sets registers only after all of its accesses.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, Value, VectorWidth, Width } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { type Access, immediateForms, registerForms, requireAligned, rn } from './addressing.ts';
import { requireFp } from './exceptions.ts';
import { cut, type Size } from './flags.ts';
import { b, d, h, q, s as single, w, x } from './state.ts';

type I64 = Value<'i64'>;
type Sign = 'signed' | 'unsigned';

/** A load of a general-purpose register: bits 31 and 30, bits 23 and 22. */
interface Load {
  readonly name: string;
  readonly size: string;
  readonly opc: string;
  readonly width: Width;
  readonly sign: Sign;
  /** Of the register. */
  readonly to: Size;
}

// oxfmt-ignore
const loads: readonly Load[] = [
  { name: 'ldrb', size: '00', opc: '01', width: 8, sign: 'unsigned', to: 32 },
  { name: 'ldrsb', size: '00', opc: '10', width: 8, sign: 'signed', to: 64 },
  { name: 'ldrsb', size: '00', opc: '11', width: 8, sign: 'signed', to: 32 },
  { name: 'ldrh', size: '01', opc: '01', width: 16, sign: 'unsigned', to: 32 },
  { name: 'ldrsh', size: '01', opc: '10', width: 16, sign: 'signed', to: 64 },
  { name: 'ldrsh', size: '01', opc: '11', width: 16, sign: 'signed', to: 32 },
  { name: 'ldr', size: '10', opc: '01', width: 32, sign: 'unsigned', to: 32 },
  { name: 'ldrsw', size: '10', opc: '10', width: 32, sign: 'signed', to: 64 },
  { name: 'ldr', size: '11', opc: '01', width: 64, sign: 'unsigned', to: 64 },
];

interface Store {
  readonly name: string;
  readonly size: string;
  readonly width: Width;
}

const stores: readonly Store[] = [
  { name: 'strb', size: '00', width: 8 },
  { name: 'strh', size: '01', width: 16 },
  { name: 'str', size: '10', width: 32 },
  { name: 'str', size: '11', width: 64 },
];

const scaleOf = (width: number): number => Math.log2(width / 8);
const registerOf = (size: Size) => (size === 64 ? x : w);

/** Loads a value as a register of a size has it. */
const loaded = (s: Builder, { width, sign, to }: Load, address: I64): I64 => {
  const value = s.load(width, address, sign);
  return sign === 'signed' ? cut(s, to, value) : value;
};

const loadAccess = (load: Load): Access<'i64'> => ({
  mnemonic: load.name,
  size: load.size,
  vector: '0',
  opc: load.opc,
  scale: scaleOf(load.width),
  rt: registerOf(load.to).destination('0:5'),
  perform: (s, rt, address) => s.set(rt, loaded(s, load, address)),
});

const storeAccess = ({ name, size, width }: Store): Access<'i64'> => ({
  mnemonic: name,
  size,
  vector: '0',
  opc: '00',
  scale: scaleOf(width),
  rt: registerOf(width === 64 ? 64 : 32).source('0:5'),
  perform: (s, rt, address) => s.store(width, address, s.get(rt)),
});

/** SIMD and floating-point registers by the bits accessed: bits 31 and 30, and the upper bit of opc. */
const vectors = [
  { size: '00', top: '0', width: 8, r: b },
  { size: '01', top: '0', width: 16, r: h },
  { size: '10', top: '0', width: 32, r: single },
  { size: '11', top: '0', width: 64, r: d },
  { size: '00', top: '1', width: 128, r: q },
] as const;

function loadVector(s: Builder, width: 8 | 16 | VectorWidth, address: I64): Value<'v128'> {
  if (width !== 8 && width !== 16) return s.loadVector(width, address);
  return s.i64x2_replace_0(0n, s.load(width, address));
}

function storeVector(s: Builder, width: 8 | 16 | VectorWidth, address: I64, value: Value<'v128'>) {
  if (width !== 8 && width !== 16) return s.storeVector(width, address, value);
  s.store(width, address, s.i64x2_extract_0(value));
}

const vectorAccesses = vectors.flatMap(({ size, top, width, r }): Access<'v128'>[] => [
  {
    mnemonic: 'ldr',
    size,
    vector: '1',
    opc: `${top}1`,
    scale: scaleOf(width),
    rt: r.destination('0:5'),
    perform: (s, rt, address) => {
      requireFp(s);
      s.set(rt, loadVector(s, width, address));
    },
  },
  {
    mnemonic: 'str',
    size,
    vector: '1',
    opc: `${top}0`,
    scale: scaleOf(width),
    rt: r.source('0:5'),
    perform: (s, rt, address) => {
      requireFp(s);
      storeVector(s, width, address, s.get(rt));
    },
  },
]);

/** All single-register rows of an access; `letter` tells registers apart in names. */
function rowsOf<T extends 'i64' | 'v128'>(access: Access<T>, letter: string): Row[] {
  const drafts = { ...immediateForms(access), ...registerForms(access) };
  const named = Object.entries(drafts).map(([form, draft]) => [
    `${access.mnemonic}_${letter}${form === '' ? '' : `_${form}`}`,
    draft,
  ]);
  return instructions(access.vector === '1' ? 'FP' : 'Base', Object.fromEntries(named));
}

const letterOf = (size: Size): string => (size === 64 ? 'x' : 'w');

const singles: readonly Row[] = [
  ...loads.flatMap((load) => rowsOf(loadAccess(load), letterOf(load.to))),
  ...stores.flatMap((store) => rowsOf(storeAccess(store), letterOf(store.width === 64 ? 64 : 32))),
  ...vectorAccesses.flatMap((access) => rowsOf(access, access.rt.names[0]![0]!)),
];

/** Loads and stores with the rights of EL0. */
const unprivileged: readonly Row[] = [
  ...loads.map((load) => {
    const fields = format({ rt: registerOf(load.to).destination('0:5'), rn, imm: number('12:s9') });
    const mnemonic = load.name.replace('ldr', 'ldtr');
    const pattern = `${load.size} 111 0 00 ${load.opc} 0 ......... 10 ..... .....`;
    const draft = fields(pattern, `${mnemonic} {rt}, [{rn}, #{imm}]`, (s, f) => {
      const value = s.loadAsUser(load.width, s.add(s.get(f.rn), f.imm), load.sign);
      s.set(f.rt, load.sign === 'signed' ? cut(s, load.to, value) : value);
    });
    return instructions('Base', { [`${mnemonic}_${letterOf(load.to)}`]: draft });
  }),
  ...stores.map(({ name, size, width }) => {
    const to: Size = width === 64 ? 64 : 32;
    const fields = format({ rt: registerOf(to).source('0:5'), rn, imm: number('12:s9') });
    const mnemonic = name.replace('str', 'sttr');
    const pattern = `${size} 111 0 00 00 0 ......... 10 ..... .....`;
    const draft = fields(pattern, `${mnemonic} {rt}, [{rn}, #{imm}]`, (s, f) =>
      s.storeAsUser(width, s.add(s.get(f.rn), f.imm), s.get(f.rt)),
    );
    return instructions('Base', { [`${mnemonic}_${letterOf(to)}`]: draft });
  }),
].flat();

const literalOffset = number('5:s19', { shift: 2, relative: true });

const literals: readonly Row[] = [
  instructions('Base', {
    ldr_w_literal: format({ rt: w.destination('0:5'), imm: literalOffset })(
      '00 011 0 00 ................... .....',
      'ldr {rt}, {imm}',
      (s, f) => s.set(f.rt, s.load(32, s.add(s.pc(), f.imm))),
    ),
    ldr_x_literal: format({ rt: x.destination('0:5'), imm: literalOffset })(
      '01 011 0 00 ................... .....',
      'ldr {rt}, {imm}',
      (s, f) => s.set(f.rt, s.load(64, s.add(s.pc(), f.imm))),
    ),
    ldrsw_literal: format({ rt: x.destination('0:5'), imm: literalOffset })(
      '10 011 0 00 ................... .....',
      'ldrsw {rt}, {imm}',
      (s, f) => s.set(f.rt, s.load(32, s.add(s.pc(), f.imm), 'signed')),
    ),
    prfm_literal: format({ op: number('0:5'), imm: literalOffset })(
      '11 011 0 00 ................... .....',
      'prfm #{op}, {imm}',
      () => {},
    ),
  }),
  ...vectors.slice(2).map(({ width, r }, opc) =>
    instructions('FP', {
      [`ldr_${r.source('0:5').names[0]![0]!}_literal`]: format({
        rt: r.destination('0:5'),
        imm: literalOffset,
      })(
        `${(opc >> 1) & 1}${opc & 1} 011 1 00 ................... .....`,
        'ldr {rt}, {imm}',
        (s, f) => {
          requireFp(s);
          s.set(f.rt, loadVector(s, width, s.add(s.pc(), f.imm)));
        },
      ),
    }),
  ),
].flat();

const prefetches: readonly Row[] = instructions('Base', {
  prfm: format({ op: number('0:5'), rn, imm: number('10:12', { shift: 3 }) })(
    '11 111 0 01 10 ............ ..... .....',
    'prfm #{op}, [{rn}, #{imm}]',
    () => {},
  ),
  prfum: format({ op: number('0:5'), rn, imm: number('12:s9') })(
    '11 111 0 00 10 0 ......... 00 ..... .....',
    'prfum #{op}, [{rn}, #{imm}]',
    () => {},
  ),
  // The index's extension does not matter, but options with bit 1 clear are not allocated.
  prfm_register: format({ op: number('0:5'), rn, rm: x.source('16:5'), how: number('15:1 12:1') })(
    '11 111 0 00 10 1 ..... .1. . 10 ..... .....',
    'prfm #{op}, [{rn}, {rm}]',
    () => {},
  ),
});

/** Pairs of general-purpose registers: bits 31 and 30, bytes of each, and how a load extends. */
const pairs = [
  { name: 'p', opc: '00', bytes: 4, r: w, sign: 'unsigned' },
  { name: 'psw', opc: '01', bytes: 4, r: x, sign: 'signed' },
  { name: 'p', opc: '10', bytes: 8, r: x, sign: 'unsigned' },
] as const;

/** How a pair is addressed: bits 25 to 23 behind the vector bit. */
const pairForms = [
  { form: 'nontemporal', bits: '000' },
  { form: 'post', bits: '001' },
  { form: '', bits: '010' },
  { form: 'pre', bits: '011' },
] as const;

type PairForm = (typeof pairForms)[number]['form'];

/** The address of a pair and, through `then`, the base written back. */
function addressPair(
  s: Builder,
  form: PairForm,
  f: { readonly rn: RegisterOperand; readonly imm: I64 },
  perform: (address: I64) => void,
): void {
  const base = s.get(f.rn);
  const moved = s.add(base, f.imm);
  perform(form === 'post' ? base : moved);
  if (form === 'post' || form === 'pre') s.set(f.rn, moved);
}

function pairText(mnemonic: string, form: PairForm): string {
  const name = form === 'nontemporal' ? mnemonic.replace(/p$/, 'np') : mnemonic;
  const tail = { nontemporal: ', #{imm}]', '': ', #{imm}]', pre: ', #{imm}]!', post: '], #{imm}' };
  return `${name} {rt}, {rt2}, [{rn}${tail[form]}`;
}

/** Words that the architecture leaves open: a loaded register twice, or the base among those transferred. */
function pairUnpredictable(form: PairForm, isLoad: boolean, isVector: boolean) {
  return (word: number): boolean => {
    const [rt, rt2, base] = [word & 31, (word >>> 10) & 31, (word >>> 5) & 31];
    const writes = form === 'post' || form === 'pre';
    const overlaps = writes && !isVector && base !== 31 && (rt === base || rt2 === base);
    return overlaps || (isLoad && rt === rt2);
  };
}

const nameOf = (mnemonic: string, letter: string, form: string): string =>
  `${mnemonic}_${letter}${form === '' ? '' : `_${form}`}`;

const pairRows: readonly Row[] = pairs.flatMap(({ name, opc, bytes, r, sign }) =>
  pairForms.flatMap(({ form, bits }) => {
    if (name === 'psw' && form === 'nontemporal') return [];
    const imm = number('15:s7', { shift: Math.log2(bytes) });
    const letter = r === w ? 'w' : 'x';
    const width = bytes === 4 ? 32 : 64;
    const head = `${opc} 101 0 ${bits}`;
    const load = format({
      rt: r.destination('0:5'),
      rt2: r.destination('10:5'),
      rn,
      imm,
    });
    const store = format({ rt: r.source('0:5'), rt2: r.source('10:5'), rn, imm });
    const loading = load(
      `${head} 1 ....... ..... ..... .....`,
      pairText(`ld${name}`, form),
      (s, f) =>
        addressPair(s, form, f, (address) => {
          const first = s.load(width, address, sign);
          const second = s.load(width, s.add(address, bytes), sign);
          s.set(f.rt, first);
          s.set(f.rt2, second);
        }),
      { unpredictable: pairUnpredictable(form, true, false) },
    );
    const storing = store(
      `${head} 0 ....... ..... ..... .....`,
      pairText('stp', form),
      (s, f) =>
        addressPair(s, form, f, (address) => {
          const [first, second] = [s.get(f.rt), s.get(f.rt2)];
          s.store(width, address, first);
          s.store(width, s.add(address, bytes), second);
        }),
      { unpredictable: pairUnpredictable(form, false, false) },
    );
    return instructions('Base', {
      [nameOf(`ld${name}`, letter, form)]: loading,
      ...(name === 'p' && { [nameOf('stp', letter, form)]: storing }),
    });
  }),
);

const vectorPairRows: readonly Row[] = vectors.slice(2).flatMap(({ width, r }, opc) =>
  pairForms.flatMap(({ form, bits }) => {
    const bytes = width / 8;
    const imm = number('15:s7', { shift: Math.log2(bytes) });
    const head = `${(opc >> 1) & 1}${opc & 1} 101 1 ${bits}`;
    const letter = r.source('0:5').names[0]![0]!;
    const load = format({
      rt: r.destination('0:5'),
      rt2: r.destination('10:5'),
      rn,
      imm,
    });
    const store = format({ rt: r.source('0:5'), rt2: r.source('10:5'), rn, imm });
    return instructions('FP', {
      [nameOf('ldp', letter, form)]: load(
        `${head} 1 ....... ..... ..... .....`,
        pairText('ldp', form),
        (s, f) => {
          requireFp(s);
          addressPair(s, form, f, (address) => {
            const first = loadVector(s, width, address);
            const second = loadVector(s, width, s.add(address, bytes));
            s.set(f.rt, first);
            s.set(f.rt2, second);
          });
        },
        { unpredictable: pairUnpredictable(form, true, true) },
      ),
      [nameOf('stp', letter, form)]: store(
        `${head} 0 ....... ..... ..... .....`,
        pairText('stp', form),
        (s, f) => {
          requireFp(s);
          addressPair(s, form, f, (address) => {
            storeVector(s, width, address, s.get(f.rt));
            storeVector(s, width, s.add(address, bytes), s.get(f.rt2));
          });
        },
      ),
    });
  }),
);

/** Loads and stores that order others: aligned ones only. What they order is every access, by a full barrier. */
const ordered: readonly Row[] = stores.flatMap(({ name, size, width }) => {
  const r = registerOf(width === 64 ? 64 : 32);
  const suffix = name.slice(3);
  const letter = width === 64 ? 'x' : 'w';
  const load = format({ rt: r.destination('0:5'), rn });
  const store = format({ rt: r.source('0:5'), rn });
  const acquire = (bit: string, mnemonic: string) =>
    load(
      `${size} 001000 1 1 0 ..... ${bit} ..... ..... .....`,
      `${mnemonic} {rt}, [{rn}]`,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, width / 8, false);
        s.set(f.rt, s.load(width, address));
        s.fence();
      },
    );
  const release = (bit: string, mnemonic: string) =>
    store(
      `${size} 001000 1 0 0 ..... ${bit} ..... ..... .....`,
      `${mnemonic} {rt}, [{rn}]`,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, width / 8, true);
        s.fence();
        s.store(width, address, s.get(f.rt));
      },
    );
  return instructions('Base', {
    [`ldar${suffix}_${letter}`]: acquire('1', `ldar${suffix}`),
    [`stlr${suffix}_${letter}`]: release('1', `stlr${suffix}`),
  });
});

export const rows: readonly Row[] = [
  ...singles,
  ...unprivileged,
  ...literals,
  ...prefetches,
  ...pairRows,
  ...vectorPairRows,
  ...ordered,
];
