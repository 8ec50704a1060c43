// Exclusive accesses and the atomic instructions of LSE. DDI 0487, B2.12 (synchronization and semaphores), C4.1.94.
//
// A load exclusive remembers address and value, and the store exclusive that goes with it is a compare-and-exchange
// with that value: it cannot tell that memory was changed and changed back, which no code that is written for the
// architecture's weak guarantees can see. All accesses are sequentially consistent, so acquire and release come by
// themselves. Misaligned ones fault, as without FEAT_LSE2. Invariant: exclusiveAddress is all ones unless a load
// exclusive has no store yet.

import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand, RmwKind, Value, Width } from '../../ir/node.ts';
import { format, instructions, type Row } from '../shared/row.ts';
import { requireAligned, rn } from './addressing.ts';
import type { Size } from './flags.ts';
import { core, w, x } from './state.ts';

type I64 = Value<'i64'>;

const OPEN = -1n;

/** Accessed widths by bits 31 and 30. */
const widths: readonly {
  readonly size: string;
  readonly width: Width;
  readonly suffix: string;
  readonly register: Size;
}[] = [
  { size: '00', width: 8, suffix: 'b', register: 32 },
  { size: '01', width: 16, suffix: 'h', register: 32 },
  { size: '10', width: 32, suffix: '', register: 32 },
  { size: '11', width: 64, suffix: '', register: 64 },
];

const registers = (size: Size) => (size === 64 ? x : w);
const letterOf = (size: Size): string => (size === 64 ? 'x' : 'w');

/** Only the bits that an access of a width sees. */
const narrow = (s: Builder, width: Width, value: I64): I64 =>
  width === 64 ? value : s.and(value, (1n << BigInt(width)) - 1n);

function monitor(s: Builder, address: I64, low: I64, high: I64 | bigint): void {
  s.setState(core.exclusiveAddress, address);
  s.setState(core.exclusiveLow, low);
  s.setState(core.exclusiveHigh, high);
}

/**
 * The store of a store exclusive: 0 if it was done, 1 if the monitor was not set for the address, or what `exchange`
 * answers for an address that was.
 */
function storeExclusive(
  s: Builder,
  f: { readonly rs: RegisterOperand },
  address: I64,
  exchange: () => Value<'i1'>,
): void {
  const status = s.variable('i64', s.const64(1));
  s.when(s.eq(s.state(core.exclusiveAddress), address), () => {
    s.assign(status, s.select(exchange(), 0, 1));
  });
  s.setState(core.exclusiveAddress, OPEN);
  s.set(f.rs, s.read(status));
}

/** The names of a load and a store, with and without order. Register fields that they do not use are not looked at. */
const orders = [
  { bit: '0', load: 'ldx', store: 'stx' },
  { bit: '1', load: 'ldax', store: 'stlx' },
] as const;

/** Words that the architecture leaves open: the status register is among the others. */
const statusOverlaps =
  (isPair: boolean) =>
  (word: number): boolean => {
    const [rt, base, rt2, rs] = [word, word >>> 5, word >>> 10, word >>> 16].map((n) => n & 31);
    return rs === rt || (rs === base && base !== 31) || (isPair && rs === rt2);
  };

const exclusives: readonly Row[] = widths.flatMap(({ size, width, suffix, register }) =>
  orders.flatMap(({ bit, load, store }) => {
    const r = registers(register);
    const loading = format({ rt: r.destination('0:5'), rn });
    const storing = format({ rt: r.source('0:5'), rn, rs: w.destination('16:5') });
    const letter = letterOf(register);
    return instructions('Base', {
      [`${load}r${suffix}_${letter}`]: loading(
        `${size} 001000 0 1 0 ..... ${bit} ..... ..... .....`,
        `${load}r${suffix} {rt}, [{rn}]`,
        (s, f) => {
          const address = s.get(f.rn);
          requireAligned(s, address, width / 8, false);
          const value = s.load(width, address);
          monitor(s, address, value, 0n);
          s.set(f.rt, value);
        },
      ),
      [`${store}r${suffix}_${letter}`]: storing(
        `${size} 001000 0 0 0 ..... ${bit} ..... ..... .....`,
        `${store}r${suffix} {rs}, {rt}, [{rn}]`,
        (s, f) => {
          const address = s.get(f.rn);
          requireAligned(s, address, width / 8, true);
          storeExclusive(s, f, address, () => {
            const expected = s.state(core.exclusiveLow);
            return s.eq(s.cas(width, address, expected, s.get(f.rt)), expected);
          });
        },
        { unpredictable: statusOverlaps(false) },
      ),
    });
  }),
);

/** Joins two words, the first the lower one. */
const join = (s: Builder, low: I64, high: I64): I64 =>
  s.or(s.and(low, 0xffff_ffffn), s.shl(high, 32));

/**
 * Compares sixteen bytes and exchanges them; gives whether they were equal. WebAssembly has no atomic access of that
 * width: this one is atomic as long as the VM's vCPUs run one at a time.
 */
function exchangePair(s: Builder, address: I64, expected: readonly I64[], values: readonly I64[]) {
  const upper = s.add(address, 8);
  const [low, high] = [s.load(64, address), s.load(64, upper)];
  const equal = s.both(s.eq(low, expected[0]!), s.eq(high, expected[1]!));
  s.when(equal, () => {
    s.store(64, address, values[0]!);
    s.store(64, upper, values[1]!);
  });
  return { equal, low, high };
}

const exclusivePairs: readonly Row[] = orders.flatMap(({ bit, load, store }) => {
  const pair = (r: typeof x) => ({
    loading: format({ rt: r.destination('0:5'), rt2: r.destination('10:5'), rn }),
    storing: format({
      rt: r.source('0:5'),
      rt2: r.source('10:5'),
      rn,
      rs: w.destination('16:5'),
    }),
  });
  const loadText = `${load}p {rt}, {rt2}, [{rn}]`;
  const storeText = `${store}p {rs}, {rt}, {rt2}, [{rn}]`;
  const twice = { unpredictable: (word: number) => (word & 31) === ((word >>> 10) & 31) };
  const overlaps = { unpredictable: statusOverlaps(true) };
  return instructions('Base', {
    [`${load}p_w`]: pair(w).loading(
      `10 001000 0 1 1 ..... ${bit} ..... ..... .....`,
      loadText,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, 8, false);
        const value = s.load(64, address);
        monitor(s, address, value, 0n);
        s.set(f.rt, s.and(value, 0xffff_ffffn));
        s.set(f.rt2, s.shr_u(value, 32));
      },
      twice,
    ),
    [`${load}p_x`]: pair(x).loading(
      `11 001000 0 1 1 ..... ${bit} ..... ..... .....`,
      loadText,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, 16, false);
        const [low, high] = [s.load(64, address), s.load(64, s.add(address, 8))];
        monitor(s, address, low, high);
        s.set(f.rt, low);
        s.set(f.rt2, high);
      },
      twice,
    ),
    [`${store}p_w`]: pair(w).storing(
      `10 001000 0 0 1 ..... ${bit} ..... ..... .....`,
      storeText,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, 8, true);
        storeExclusive(s, f, address, () => {
          const expected = s.state(core.exclusiveLow);
          const value = join(s, s.get(f.rt), s.get(f.rt2));
          return s.eq(s.cas(64, address, expected, value), expected);
        });
      },
      overlaps,
    ),
    [`${store}p_x`]: pair(x).storing(
      `11 001000 0 0 1 ..... ${bit} ..... ..... .....`,
      storeText,
      (s, f) => {
        const address = s.get(f.rn);
        requireAligned(s, address, 16, true);
        storeExclusive(s, f, address, () => {
          const expected = [s.state(core.exclusiveLow), s.state(core.exclusiveHigh)];
          return exchangePair(s, address, expected, [s.get(f.rt), s.get(f.rt2)]).equal;
        });
      },
      overlaps,
    ),
  });
});

/** Order by bit 22 (or 23: acquire) and bit 15 (or 22: release), and what it adds to the name. */
const strengths = [
  { acquire: '0', release: '0', name: '' },
  { acquire: '1', release: '0', name: 'a' },
  { acquire: '0', release: '1', name: 'l' },
  { acquire: '1', release: '1', name: 'al' },
] as const;

/** cas: rs is compared, and gets the old value. */
const compareAndSwap: readonly Row[] = widths.flatMap(({ size, width, suffix, register }) =>
  strengths.flatMap(({ acquire, release, name }) => {
    const r = registers(register);
    const fields = format({
      expected: r.source('16:5'),
      rs: r.destination('16:5'),
      rt: r.source('0:5'),
      rn,
    });
    return instructions('LSE', {
      [`cas${name}${suffix}_${letterOf(register)}`]: fields(
        `${size} 0010001 ${acquire} 1 ..... ${release} 11111 ..... .....`,
        `cas${name}${suffix} {rs}, {rt}, [{rn}]`,
        (s, f) => {
          const address = s.get(f.rn);
          requireAligned(s, address, width / 8, true);
          const expected = narrow(s, width, s.get(f.expected));
          s.set(f.rs, s.cas(width, address, expected, s.get(f.rt)));
        },
      ),
    });
  }),
);

/** casp: pairs of registers, of which the first has an even number. */
const compareAndSwapPair: readonly Row[] = strengths.flatMap(({ acquire, release, name }) =>
  [
    { bit: '0', r: w, bytes: 8 },
    { bit: '1', r: x, bytes: 16 },
  ].flatMap(({ bit, r, bytes }) => {
    const fields = format({
      rs: r.destination('16:5'),
      rs2: r.destination('16:5', { add: 1 }),
      expected: r.source('16:5'),
      expected2: r.source('16:5', { add: 1 }),
      rt: r.source('0:5'),
      rt2: r.source('0:5', { add: 1 }),
      rn,
    });
    return instructions('LSE', {
      [`casp${name}_${r === w ? 'w' : 'x'}`]: fields(
        `0 ${bit} 0010000 ${acquire} 1 ..... ${release} 11111 ..... .....`,
        `casp${name} {rs}, {rs2}, {rt}, {rt2}, [{rn}]`,
        (s, f) => {
          const address = s.get(f.rn);
          requireAligned(s, address, bytes, true);
          const expected = [s.get(f.expected), s.get(f.expected2)] as const;
          const values = [s.get(f.rt), s.get(f.rt2)] as const;
          if (bytes === 16) {
            const { low, high } = exchangePair(s, address, expected, values);
            s.set(f.rs, low);
            s.set(f.rs2, high);
          } else {
            const old = s.cas(64, address, join(s, ...expected), join(s, ...values));
            s.set(f.rs, s.and(old, 0xffff_ffffn));
            s.set(f.rs2, s.shr_u(old, 32));
          }
        },
        { reserved: (word) => (word & 1) === 1 || ((word >>> 16) & 1) === 1 },
      ),
    });
  }),
);

type Update = (s: Builder, old: I64, operand: I64, width: Width) => I64;

/** A value of a width as a signed number. */
function asSigned(s: Builder, width: Width, value: I64): I64 {
  const unused = 64 - width;
  return unused === 0 ? value : s.shr_s(s.shl(value, unused), unused);
}

const least =
  (isSmaller: (s: Builder, a: I64, b: I64) => Value<'i1'>, isSigned: boolean): Update =>
  (s, old, operand, width) => {
    const [a, b] = isSigned
      ? [asSigned(s, width, old), asSigned(s, width, operand)]
      : [old, narrow(s, width, operand)];
    return s.select(isSmaller(s, a, b), a, b);
  };

/** Atomic operations by opc (bits 15 to 12): WebAssembly's own, or by compare-and-exchange. */
const operations: readonly {
  readonly name: string;
  readonly opc: string;
  readonly kind?: RmwKind;
  readonly operand?: (s: Builder, value: I64) => I64;
  readonly update?: Update;
}[] = [
  { name: 'ldadd', opc: '0000', kind: 'add' },
  { name: 'ldclr', opc: '0001', kind: 'and', operand: (s, value) => s.xor(value, -1n) },
  { name: 'ldeor', opc: '0010', kind: 'xor' },
  { name: 'ldset', opc: '0011', kind: 'or' },
  { name: 'ldsmax', opc: '0100', update: least((s, a, b) => s.gt_s(a, b), true) },
  { name: 'ldsmin', opc: '0101', update: least((s, a, b) => s.lt_s(a, b), true) },
  { name: 'ldumax', opc: '0110', update: least((s, a, b) => s.gt_u(a, b), false) },
  { name: 'ldumin', opc: '0111', update: least((s, a, b) => s.lt_u(a, b), false) },
  { name: 'swp', opc: '1000', kind: 'xchg' },
];

/** Repeats a compare-and-exchange until nobody came between; gives the old value. */
function updateAtomically(
  s: Builder,
  width: Width,
  address: I64,
  operand: I64,
  update: Update,
): I64 {
  const old = s.variable('i64', s.load(width, address));
  s.loop(() => {
    const before = s.read(old);
    const found = s.cas(
      width,
      address,
      before,
      narrow(s, width, update(s, before, operand, width)),
    );
    s.assign(old, found);
    s.when(s.eq(found, before), () => s.break());
  });
  return s.read(old);
}

const readModifyWrite: readonly Row[] = widths.flatMap(({ size, width, suffix, register }) =>
  operations.flatMap(({ name, opc, kind, operand, update }) =>
    strengths.flatMap(({ acquire, release, name: strength }) => {
      const r = registers(register);
      const fields = format({ rs: r.source('16:5'), rt: r.destination('0:5'), rn });
      const mnemonic = `${name}${strength}${suffix}`;
      return instructions('LSE', {
        [`${mnemonic}_${letterOf(register)}`]: fields(
          `${size} 111 0 00 ${acquire} ${release} 1 ..... ${opc} 00 ..... .....`,
          `${mnemonic} {rs}, {rt}, [{rn}]`,
          (s, f) => {
            const address = s.get(f.rn);
            requireAligned(s, address, width / 8, true);
            const value = operand === undefined ? s.get(f.rs) : operand(s, s.get(f.rs));
            if (kind !== undefined) s.set(f.rt, s.rmw(kind, width, address, value));
            else s.set(f.rt, updateAtomically(s, width, address, value, update!));
          },
        ),
      });
    }),
  ),
);

export const rows: readonly Row[] = [
  ...exclusives,
  ...exclusivePairs,
  ...compareAndSwap,
  ...compareAndSwapPair,
  ...readModifyWrite,
];
