import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  codeAt,
  createHart,
  createTables,
  dataAt,
  executors,
  type Hart,
  mode,
  pte,
  ramBase,
  word,
} from '../../../test/support/riscv64-hart.ts';

const { user, supervisor, machine } = mode;
const [R, W, X, L] = [1n, 2n, 4n, 0x80n];
const [TOR, NA4, NAPOT] = [1n << 3n, 2n << 3n, 3n << 3n];
const everything = (1n << 54n) - 1n;
const MPRV = 1n << 17n;

const load = word('ld', { rd: 6, rs1: 5, imm: 0 });
const store = word('sd', { rs2: 7, rs1: 5, imm: 0 });
const jump = word('jalr', { rd: 1, rs1: 5, imm: 0 });

/** pmpaddr of a naturally aligned range of `size` bytes. */
const napot = (address: bigint, size: bigint): bigint => (address >> 2n) | (size / 8n - 1n);

type Entry = readonly [config: bigint, address: bigint];

/** Writes entries by CSR instructions, as machine mode does. */
function protect(h: Hart, entries: readonly Entry[]): void {
  const word64 = (first: number): bigint =>
    entries
      .slice(first, first + 8)
      .reduce((bits, [config], i) => bits | (config << BigInt(8 * i)), 0n);
  for (const [i, [, address]] of entries.entries()) {
    h.run(machine, [word(`csrrw_pmpaddr${i}`, { rd: 0, rs1: 5 })], {
      x5: address,
      pmpEntries: 16n,
    });
  }
  const code = [word('csrrw_pmpcfg0', { rd: 0, rs1: 5 }), word('csrrw_pmpcfg2', { rd: 0, rs1: 6 })];
  h.run(machine, code, { x5: word64(0), x6: word64(8), pmpEntries: 16n });
}

/** The cause of the exception of an instruction that uses x5. */
function attempt(h: Hart, from: bigint, code: number, x5: bigint, cells = {}): bigint {
  h.set({ mcause: 0n });
  h.run(from, [code], { x5, ...cells });
  return h.get('mcause');
}

const openEntry: Entry = [NAPOT | R | W | X, everything];

for (const [name, create] of Object.entries(executors)) {
  test(`${name}: without a matching entry only machine mode has access`, () => {
    const h = createHart(create);
    protect(h, []);
    equal(attempt(h, machine, load, dataAt), 0n);
    for (const from of [user, supervisor]) {
      equal(attempt(h, from, load, dataAt), 1n);
      equal(h.get('mtval'), codeAt);
    }
  });

  test(`${name}: where there are no entries everything is allowed, and they read as zero`, () => {
    const h = createHart(create);
    equal(attempt(h, user, load, dataAt), 0n);
    const code = [
      word('csrrw_pmpaddr0', { rd: 0, rs1: 5 }),
      word('csrrs_pmpaddr0_read', { rd: 6 }),
      word('csrrw_pmpcfg0', { rd: 0, rs1: 5 }),
      word('csrrs_pmpcfg0_read', { rd: 7 }),
    ];
    h.run(machine, code, { x5: 0x1fn });
    deepEqual(h.look('x6', 'x7'), { x6: 0n, x7: 0n });
  });

  test(`${name}: rights of the first match hold for loads, stores and fetches`, () => {
    const h = createHart(create);
    for (const rights of [0n, R, R | W, X, R | X, R | W | X]) {
      protect(h, [[NAPOT | rights, napot(dataAt, 4096n)], openEntry]);
      equal(attempt(h, supervisor, load, dataAt), rights & R ? 0n : 5n);
      equal(attempt(h, supervisor, store, dataAt), rights & W ? 0n : 7n);
      // There stand ones or what was stored: illegal or the stop, but no access fault.
      const cause = attempt(h, supervisor, jump, dataAt);
      equal(cause === 1n, (rights & X) === 0n);
      equal(attempt(h, machine, load, dataAt), 0n);
    }
  });

  test(`${name}: an entry that is written counts at once`, () => {
    const h = createHart(create);
    protect(h, [openEntry]);
    equal(attempt(h, supervisor, load, dataAt), 0n);
    protect(h, [
      [NAPOT | R, napot(dataAt + 0x1000n, 4096n)],
      [0n, 0n],
    ]);
    equal(attempt(h, supervisor, load, dataAt), 1n);
  });

  test(`${name}: a change of configuration alone counts at once`, () => {
    const h = createHart(create);
    protect(h, [[NAPOT | R | W, napot(dataAt, 4096n)], openEntry]);
    equal(attempt(h, supervisor, load, dataAt), 0n);
    const config = ((openEntry[0] << 8n) | NAPOT) & 0xffffn;
    h.run(machine, [word('csrrw_pmpcfg0', { rd: 0, rs1: 5 })], { x5: config });
    equal(attempt(h, supervisor, load, dataAt), 5n);
  });

  test(`${name}: what machine mode has accessed is still closed to the supervisor`, () => {
    const h = createHart(create);
    protect(h, [[NAPOT, napot(dataAt, 4096n)], openEntry]);
    equal(attempt(h, machine, load, dataAt), 0n);
    equal(attempt(h, supervisor, load, dataAt), 5n);
  });

  test(`${name}: ranges finer than a page hold byte for byte, whatever was accessed before`, () => {
    const cases: readonly (readonly [Entry[], bigint, bigint])[] = [
      [[[NAPOT, napot(dataAt + 64n, 64n)]], 64n, 128n],
      [[[NAPOT, napot(dataAt + 8n, 8n)]], 8n, 16n],
      [[[NA4, (dataAt + 32n) >> 2n]], 32n, 36n],
      [
        [
          [0n, (dataAt + 16n) >> 2n],
          [TOR, (dataAt + 40n) >> 2n],
        ],
        16n,
        40n,
      ],
    ];
    const byte = word('lbu', { rd: 6, rs1: 5, imm: 0 });
    for (const [entries, low, high] of cases) {
      const h = createHart(create);
      protect(h, [...entries, openEntry]);
      for (const offset of [low - 1n, low, high - 1n, high, 2048n, low]) {
        const inside = offset >= low && offset < high;
        equal(attempt(h, supervisor, byte, dataAt + offset), inside ? 5n : 0n, `${offset}`);
      }
      for (const offset of [low - 1n, low]) {
        equal(attempt(h, machine, byte, dataAt + offset), 0n);
      }
    }
  });

  test(`${name}: an empty range matches nothing; entry 0 as top of range begins at 0`, () => {
    const h = createHart(create);
    protect(h, [[TOR, (dataAt + 0x1000n) >> 2n], [TOR | R | W | X, ramBase >> 2n], openEntry]);
    equal(attempt(h, machine, load, dataAt), 0n);
    equal(attempt(h, supervisor, load, dataAt + 0x1000n), 1n);
    const empty = createHart(create);
    protect(empty, [[0n, (dataAt + 8n) >> 2n], [TOR, dataAt >> 2n], openEntry]);
    equal(attempt(empty, supervisor, load, dataAt), 0n);
  });

  test(`${name}: a locked entry binds machine mode and cannot be changed`, () => {
    const h = createHart(create);
    const entries: Entry[] = [
      [0n, dataAt >> 2n],
      [TOR | R | L, (dataAt + 0x1000n) >> 2n],
      openEntry,
    ];
    protect(h, entries);
    equal(attempt(h, machine, load, dataAt), 0n);
    equal(attempt(h, machine, store, dataAt), 7n);
    const code = [
      word('csrrw_pmpcfg0', { rd: 0, rs1: 0 }),
      word('csrrs_pmpcfg0_read', { rd: 6 }),
      ...[0, 1, 2].flatMap((i) => [
        word(`csrrw_pmpaddr${i}`, { rd: 0, rs1: 0 }),
        word(`csrrs_pmpaddr${i}_read`, { rd: 7 + i }),
      ]),
    ];
    h.run(machine, code);
    deepEqual(h.look('x6', 'x7', 'x8', 'x9'), {
      x6: (TOR | R | L) << 8n,
      x7: dataAt >> 2n,
      x8: (dataAt + 0x1000n) >> 2n,
      x9: 0n,
    });
    equal(attempt(h, machine, store, dataAt), 7n);
  });

  test(`${name}: registers hold 54 bits of address and no reserved rights`, () => {
    const h = createHart(create);
    protect(h, [
      [0x60n | NAPOT | R, (1n << 64n) - 1n],
      [W, 5n],
      [W | X, 5n],
    ]);
    const code = [word('csrrs_pmpcfg0_read', { rd: 6 }), word('csrrs_pmpaddr0_read', { rd: 7 })];
    h.run(machine, code);
    deepEqual(h.look('x6', 'x7'), { x6: NAPOT | R, x7: everything });
  });

  test(`${name}: MPRV is checked as the mode it names`, () => {
    const h = createHart(create);
    protect(h, [[NAPOT, napot(dataAt, 4096n)], openEntry]);
    const code = [word('csrrw_mstatus', { rd: 0, rs1: 8 }), load];
    h.set({ mcause: 0n });
    h.run(machine, code, { x5: dataAt, x8: MPRV | (1n << 11n) });
    equal(h.get('mcause'), 5n);
  });

  test(`${name}: page tables are read and updated with the supervisor's rights`, () => {
    const bits = pte.V | pte.R | pte.W;
    const setUp = () => {
      const h = createHart(create);
      const tables = createTables(h, 3);
      tables.map(codeAt, codeAt, pte.V | pte.R | pte.X | pte.A | pte.D);
      tables.map(0x30_0000n, dataAt, bits);
      const leaf = tables.entryAt(0x30_0000n, 0);
      const page = leaf & ~0xfffn;
      return { h, tables, page };
    };
    for (const [rights, cause] of [
      [R | W, 0n],
      [R, 7n],
      [0n, 7n],
    ] as const) {
      const { h, tables, page } = setUp();
      protect(h, [[NAPOT | rights, napot(page, 4096n)], openEntry]);
      const satp = tables.satp();
      equal(attempt(h, supervisor, store, 0x30_0000n, { satp }), cause, `rights ${rights}`);
    }
    // An entry that is up to date is only read.
    const { h, tables, page } = setUp();
    tables.map(0x30_0000n, dataAt, bits | pte.A | pte.D);
    protect(h, [[NAPOT | R, napot(page, 4096n)], openEntry]);
    equal(attempt(h, supervisor, store, 0x30_0000n, { satp: tables.satp() }), 0n);
  });
}
