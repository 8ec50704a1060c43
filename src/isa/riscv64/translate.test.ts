import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  codeAt,
  createHart,
  createTables,
  dataAt,
  executors,
  type Hart,
  machineHandler,
  mode,
  pte,
  ramBase,
  SV39,
  SV48,
  type Tables,
  word,
} from '../../../test/support/riscv64-hart.ts';

const { user, supervisor, machine } = mode;
const { V, R, W, X, U, A, D } = pte;
const [MPRV, SUM, MXR] = [1n << 17n, 1n << 18n, 1n << 19n];
const N = 1n << 63n;
const PBMTE = 1n << 62n;
/** As an instruction, its low half is illegal. */
const MAGIC = 0x1122_3344_5566_0000n;
const illegal = 2n;
/** Where tests map what they access: x5 holds it. */
const at = 0x12_3456_7000n;

const load = word('ld', { rd: 6, rs1: 5, imm: 0 });
const store = word('sd', { rs2: 7, rs1: 5, imm: 0 });
const amo = word('amoadd.d', { rd: 6, rs1: 5, rs2: 0 });
const reserve = word('lr.d', { rd: 6, rs1: 5 });
const jump = word('jalr', { rd: 1, rs1: 5, imm: 0 });
const ops = { load, store, amo, reserve, jump } as const;

/** Changes bits of sstatus by x8. */
const toggle = (form: 'csrrs' | 'csrrc') => word(`${form}_sstatus`, { rd: 0, rs1: 8 });

type Op = keyof typeof ops;

const pageFault: Readonly<Record<Op, bigint>> = {
  load: 13n,
  reserve: 13n,
  store: 15n,
  amo: 15n,
  jump: 12n,
};
const accessFault: Readonly<Record<Op, bigint>> = {
  load: 5n,
  reserve: 5n,
  store: 7n,
  amo: 7n,
  jump: 1n,
};

/** A hart with page tables that map the code for one mode, and data at dataAt. */
function setUp(create: (typeof executors)[string], from: bigint, levels: 3 | 4 = 3) {
  const h = createHart(create);
  const tables = createTables(h, levels);
  const bits = V | R | X | A | D | (from === user ? U : 0n);
  tables.map(codeAt, codeAt, bits);
  h.write(dataAt, MAGIC);
  return { h, tables };
}

/** The cause of the exception that an access at x5 ends in, 0 for none. Exceptions go to machine mode. */
const byteAt = (h: Hart, address: bigint): bigint =>
  (h.read(address & ~7n) >> (8n * (address & 7n))) & 0xffn;

const littleEndian = (bytes: readonly bigint[]): bigint =>
  bytes.reduceRight((sum, byte) => (sum << 8n) | byte, 0n);

function attempt(
  h: Hart,
  tables: Tables,
  from: bigint,
  op: Op,
  cells: Record<string, bigint> = {},
) {
  h.set({ mcause: 0n, mtval: 0n });
  h.run(from, [ops[op]], { satp: tables.satp(), x5: at, x7: MAGIC, ...cells });
  if (h.get('mcause') !== 0n && h.get('mcause') !== illegal) {
    equal(h.get('mtval'), cells['x5'] === undefined ? at : BigInt.asUintN(64, cells['x5']));
    equal(h.get('pc'), machineHandler);
  }
  return h.get('mcause');
}

for (const [name, create] of Object.entries(executors)) {
  test(`${name}: a page of each size is found in Sv39 and Sv48`, () => {
    for (const levels of [3, 4] as const) {
      for (let level = 0; level < levels; level++) {
        const { h, tables } = setUp(create, supervisor, levels);
        const size = 1n << BigInt(12 + 9 * level);
        const physical = level === 0 ? dataAt : ramBase & ~(size - 1n);
        const virtual = levels === 3 ? 0x3f_8000_0000n : 0x7f80_0000_0000n;
        tables.map(virtual, physical, V | R | A, level);
        const x5 = virtual + dataAt - physical;
        const cause = attempt(h, tables, supervisor, 'load', { x5 });
        equal(cause, 0n, `${levels} levels, level ${level}`);
        equal(h.get('x6'), MAGIC);
      }
    }
  });

  test(`${name}: who may do what to a page`, () => {
    const flags = [R, R | W, X, R | X, R | W | X];
    const statuses = [0n, SUM, MXR, SUM | MXR];
    for (const from of [user, supervisor]) {
      const { h, tables } = setUp(create, from);
      for (const rights of flags) {
        for (const owner of [0n, U]) {
          tables.map(at, dataAt, V | A | D | rights | owner);
          for (const status of statuses) {
            for (const op of Object.keys(ops) as Op[]) {
              const readable =
                (rights & R) !== 0n || ((rights & X) !== 0n && (status & MXR) !== 0n);
              const right =
                op === 'jump'
                  ? (rights & X) !== 0n
                  : op === 'store' || op === 'amo'
                    ? (rights & W) !== 0n
                    : readable;
              const foreign = owner === U && op !== 'jump' && (status & SUM) !== 0n;
              const level = from === user ? owner === U : owner === 0n || foreign;
              h.write(dataAt, MAGIC);
              h.run(machine, [word('sfence.vma_all')]);
              const cause = attempt(h, tables, from, op, { mstatus: status });
              const permitted = op === 'jump' ? illegal : 0n;
              equal(
                cause,
                right && level ? permitted : pageFault[op],
                `${op} ${rights} ${owner} ${status} in ${from}`,
              );
            }
          }
        }
      }
    }
  });

  test(`${name}: permissions are checked anew when only status or mode change`, () => {
    const { h, tables } = setUp(create, supervisor);
    tables.map(at, dataAt, V | R | W | U | A | D);
    h.run(supervisor, [toggle('csrrs'), load, toggle('csrrc'), load], {
      satp: tables.satp(),
      x5: at,
      x8: SUM,
    });
    deepEqual(h.look('mcause', 'mepc', 'x6'), { mcause: 13n, mepc: codeAt + 12n, x6: MAGIC });

    const other = setUp(create, supervisor);
    other.tables.map(at, dataAt, V | X | A | D);
    other.h.run(supervisor, [toggle('csrrs'), load, toggle('csrrc'), load], {
      satp: other.tables.satp(),
      x5: at,
      x8: MXR,
    });
    deepEqual(other.h.look('mcause', 'mepc', 'x6'), { mcause: 13n, mepc: codeAt + 12n, x6: MAGIC });
  });

  test(`${name}: a trap's handler does not see through the tables of what it interrupted`, () => {
    const { h, tables } = setUp(create, supervisor);
    // The page at dataAt is another one to the supervisor than to machine mode.
    tables.map(dataAt, dataAt + 0x1000n, V | R | A);
    h.write(dataAt + 0x1000n, 99n);
    const again = word('ld', { rd: 12, rs1: 5, imm: 0 });
    h.write(machineHandler, BigInt(again) | (0xffff_ffffn << 32n));
    h.run(supervisor, [load, word('ecall')], { satp: tables.satp(), x5: dataAt });
    deepEqual(h.look('x6', 'x12'), { x6: 99n, x12: MAGIC });
  });

  test(`${name}: address spaces do not see each other's pages, and return to their own`, () => {
    const { h, tables } = setUp(create, supervisor);
    const second = 0x12_3456_8000n;
    tables.map(at, dataAt, V | R | A | D);
    h.write(dataAt + 0x1000n, 99n);
    tables.map(second, dataAt + 0x1000n, V | R | A | D);
    const go = word('csrrw_satp', { rd: 0, rs1: 8 });
    const back = word('csrrw_satp', { rd: 0, rs1: 9 });
    // The other space has the same tables but, between, another entry; no fence is needed.
    h.run(supervisor, [load, go], { satp: tables.satp(1n), x5: at, x8: tables.satp(2n) });
    equal(h.get('x6'), MAGIC);
    tables.map(at, dataAt + 0x1000n, V | R | A | D);
    h.run(supervisor, [load, back], { satp: tables.satp(2n), x5: at, x9: tables.satp(1n) });
    equal(h.get('x6'), 99n);
  });

  test(`${name}: MPRV checks loads and stores, not fetches, as MPP would`, () => {
    const { h, tables } = setUp(create, supervisor);
    tables.map(at, dataAt, V | R | W | U | A | D);
    const set = word('csrrw_mstatus', { rd: 0, rs1: 8 });
    const code = [set, load];
    h.run(machine, code, { satp: tables.satp(), x5: at, x8: MPRV });
    deepEqual(h.look('mcause', 'x6'), { mcause: 0n, x6: MAGIC });
    h.run(machine, code, { x8: MPRV | (1n << 11n) });
    equal(h.get('mcause'), 13n);
    h.set({ mcause: 0n });
    h.run(machine, code, { x8: MPRV | (1n << 11n) | SUM, x6: 0n });
    deepEqual(h.look('mcause', 'x6'), { mcause: 0n, x6: MAGIC });
    h.run(machine, code, { x8: MPRV | (3n << 11n), x5: dataAt, x6: 0n });
    deepEqual(h.look('mcause', 'x6'), { mcause: 0n, x6: MAGIC });
  });

  test(`${name}: an address that is not canonical faults`, () => {
    for (const [levels, bit] of [
      [3, 38n],
      [4, 47n],
    ] as const) {
      const { h, tables } = setUp(create, supervisor, levels);
      // The bits that are walked lead to a page.
      const half = -(1n << bit);
      tables.map(half, dataAt, V | R | W | X | A | D);
      equal(attempt(h, tables, supervisor, 'load', { x5: half }), 0n);
      for (const bad of [
        1n << bit,
        1n << 63n,
        ~0n << (bit + 1n),
        ((1n << bit) - 1n) | (1n << 62n),
      ]) {
        for (const op of ['load', 'store', 'jump'] as const) {
          // A fetch's lowest address bit is dropped by jalr.
          const x5 = bad & ~0xfffn;
          equal(attempt(h, tables, supervisor, op, { x5 }), pageFault[op]);
        }
      }
    }
  });

  test(`${name}: A and D are set by the accesses that need them, and only then`, () => {
    const cases: readonly (readonly [Op, bigint, bigint])[] = [
      ['load', 0n, A],
      ['reserve', 0n, A],
      ['store', 0n, A | D],
      ['amo', 0n, A | D],
      ['store', A, A | D],
      ['load', A | D, A | D],
      ['jump', 0n, A],
    ];
    for (const [op, before, after] of cases) {
      const { h, tables } = setUp(create, supervisor);
      tables.map(at, dataAt, V | R | W | X | before);
      attempt(h, tables, supervisor, op);
      equal(h.read(tables.entryAt(at, 0)) & (A | D), after, op);
    }
    const { h, tables } = setUp(create, supervisor);
    tables.map(at, dataAt, V | R);
    h.run(supervisor, [load, store], { satp: tables.satp(), x5: at });
    equal(h.get('mcause'), 15n);
    equal(h.read(tables.entryAt(at, 0)) & (A | D), A);
    // Read first, written later: the cached translation of the load does not serve the store.
    const late = setUp(create, supervisor);
    late.tables.map(at, dataAt, V | R | W);
    late.h.run(supervisor, [load, store], { satp: late.tables.satp(), x5: at });
    equal(late.h.read(late.tables.entryAt(at, 0)) & (A | D), A | D);
  });

  test(`${name}: entries that are invalid or reserved fault`, () => {
    const leaf = V | R | W | A | D;
    const ppn = (dataAt >> 12n) << 10n;
    const bad: readonly (readonly [level: number, entry: bigint])[] = [
      [0, ppn | (leaf & ~V)],
      [0, ppn | (leaf & ~R)],
      [0, ppn | V],
      ...[54n, 55n, 56n, 57n, 58n, 59n, 60n].map((bit) => [0, ppn | leaf | (1n << bit)] as const),
      [0, ppn | leaf | (3n << 61n)],
      [0, ppn | leaf | N],
      [1, ppn | leaf],
      [1, ((ramBase >> 12n) << 10n) | leaf | N],
      [2, (((ramBase + 0x20_0000n) >> 12n) << 10n) | leaf],
    ];
    for (const [level, entry] of bad) {
      for (const op of ['load', 'store', 'jump'] as const) {
        const { h, tables } = setUp(create, supervisor);
        h.write(tables.entryAt(at, level), entry);
        const cause = attempt(h, tables, supervisor, op, { menvcfg: PBMTE });
        equal(cause, pageFault[op], `level ${level}, ${entry.toString(16)}`);
        equal(h.read(tables.entryAt(at, level)), entry);
      }
    }
    for (const bit of [A, D, U, N, 1n << 61n, 1n << 54n]) {
      const { h, tables } = setUp(create, supervisor);
      tables.map(at, dataAt, leaf);
      const pointer = tables.entryAt(at, 1);
      h.write(pointer, h.read(pointer) | bit);
      equal(attempt(h, tables, supervisor, 'load', { menvcfg: PBMTE }), 13n, `pointer with ${bit}`);
    }
  });

  test(`${name}: page-based memory types count only where menvcfg permits them`, () => {
    for (const type of [1n, 2n]) {
      const { h, tables } = setUp(create, supervisor);
      tables.map(at, dataAt, V | R | A | (type << 61n));
      equal(attempt(h, tables, supervisor, 'load', { menvcfg: 0n }), 13n);
      equal(attempt(h, tables, supervisor, 'load', { menvcfg: PBMTE }), 0n);
    }
  });

  test(`${name}: a 64 KiB page takes its low four bits from the address`, () => {
    const { h, tables } = setUp(create, supervisor);
    const physical = ramBase + 0x1_0000n;
    const virtual = 0x20_0000n;
    for (let page = 0n; page < 16n; page++) {
      h.write(physical + 0x1000n * page, 1000n + page);
      tables.map(virtual + 0x1000n * page, physical + 0x8000n, N | V | R | A);
    }
    for (const page of [0n, 5n, 8n, 15n]) {
      equal(attempt(h, tables, supervisor, 'load', { x5: virtual + 0x1000n * page }), 0n);
      equal(h.get('x6'), 1000n + page);
    }
    for (const low of [0n, 0x4000n, 0x9000n]) {
      tables.map(virtual, physical + low, N | V | R | A);
      h.run(machine, [word('sfence.vma_all')]);
      equal(attempt(h, tables, supervisor, 'load', { x5: virtual }), 13n);
    }
  });

  test(`${name}: tables outside RAM are access faults of the access`, () => {
    for (const op of ['load', 'store', 'jump'] as const) {
      const { h, tables } = setUp(create, supervisor);
      h.write(tables.entryAt(at, 2), ((0x1000n >> 12n) << 10n) | V);
      equal(attempt(h, tables, supervisor, op), accessFault[op]);
      h.write(tables.entryAt(0x1000n, 2), (((1n << 44n) - 1n) << 10n) | V);
      equal(attempt(h, tables, supervisor, op, { x5: 0x1000n }), accessFault[op]);
    }
  });

  test(`${name}: pages outside memory are access faults, up to the last physical address`, () => {
    for (const page of [0x1000n, (1n << 53n) + 0x1000n, (1n << 56n) - 0x1000n]) {
      for (const op of Object.keys(ops) as Op[]) {
        const { h, tables } = setUp(create, supervisor);
        tables.map(at, page, V | R | W | X | A | D);
        equal(attempt(h, tables, supervisor, op), accessFault[op], `${op} ${page.toString(16)}`);
      }
    }
  });

  test(`${name}: without translation every address beyond memory is an access fault, the last one too`, () => {
    for (const x5 of [-1n, -8n, 1n << 56n, 1n << 63n]) {
      for (const from of [supervisor, machine]) {
        const h = createHart(create);
        const byte = word('lbu', { rd: 6, rs1: 5, imm: 0 });
        h.run(from, [byte], { x5, pendingCause: 24n });
        deepEqual(h.look('mcause', 'mtval'), { mcause: 5n, mtval: BigInt.asUintN(64, x5) });
      }
    }
  });

  test(`${name}: fences make changed entries count`, () => {
    const fences: readonly (readonly [string, object])[] = [
      ['sfence.vma_all', { rs2: 0 }],
      ['sfence.vma_all', { rs2: 9 }],
      ['sfence.vma', { rs1: 5, rs2: 0 }],
      ['sfence.vma', { rs1: 5, rs2: 9 }],
      ['sinval.vma', { rs1: 5, rs2: 9 }],
      ['sinval.vma_all', { rs2: 9 }],
      ['sfence.vma', { rs1: 8, rs2: 0 }],
    ];
    for (const [fence, fields] of fences) {
      const { h, tables } = setUp(create, supervisor);
      const slot = tables.entryAt(at, 0);
      const slotAt = 0x30_0000n + (slot & 0xfffn);
      tables.map(0x30_0000n, slot & ~0xfffn, V | R | W | A | D);
      h.write(dataAt + 0x1000n, 99n);
      tables.map(at, dataAt, V | R | A);
      const replace = word('sd', { rs1: 10, rs2: 11, imm: 0 });
      const again = word('ld', { rd: 12, rs1: 5, imm: 0 });
      h.run(supervisor, [load, replace, word(fence, fields as Record<string, number>), again], {
        satp: tables.satp(3n),
        x5: at,
        x8: at + 0xfffn,
        x9: 3n,
        x10: slotAt,
        x11: (((dataAt + 0x1000n) >> 12n) << 10n) | V | R | A,
      });
      deepEqual(h.look('x6', 'x12', 'mcause'), { x6: MAGIC, x12: 99n, mcause: 0n }, fence);
    }
  });

  test(`${name}: walks from a kept table see changes of its entries after a fence of the address`, () => {
    const { h, tables } = setUp(create, supervisor);
    const satp = tables.satp();
    const fence = word('sfence.vma', { rs1: 5, rs2: 0 });
    tables.map(at + 0x1000n, dataAt, V | R | A);
    h.run(supervisor, [load], { satp, x5: at + 0x1000n });
    equal(attempt(h, tables, supervisor, 'store'), 15n);
    tables.map(at, dataAt, V | R | W);
    h.run(supervisor, [fence, store], { satp, x5: at });
    equal(h.read(tables.entryAt(at, 0)) & (A | D), A | D);
    tables.map(at, dataAt, 0n);
    h.run(supervisor, [fence], { satp, x5: at });
    equal(attempt(h, tables, supervisor, 'load'), 13n);
  });

  test(`${name}: another table counts after a fence of everything`, () => {
    const { h, tables } = setUp(create, supervisor);
    tables.map(at, dataAt, V | R | A);
    h.write(dataAt + 0x1000n, 99n);
    equal(attempt(h, tables, supervisor, 'load'), 0n);
    // The table of another 2 MiB in place of the first one.
    const elsewhere = at + (1n << 30n);
    tables.map(elsewhere, dataAt + 0x1000n, V | R | A);
    h.write(tables.entryAt(at, 1), h.read(tables.entryAt(elsewhere, 1)));
    h.run(machine, [word('sfence.vma_all')]);
    equal(attempt(h, tables, supervisor, 'load'), 0n);
    equal(h.get('x6'), 99n);
    h.write(tables.entryAt(at, 1), 0n);
    h.run(machine, [word('sfence.vma_all')]);
    equal(attempt(h, tables, supervisor, 'load'), 13n);
  });

  test(`${name}: tables that were kept for one satp do not serve another`, () => {
    const { h, tables } = setUp(create, supervisor);
    tables.map(at, dataAt, V | R | A);
    equal(attempt(h, tables, supervisor, 'load'), 0n);
    // A root of its own, in which only the code is mapped; its address space differs, so no fence is needed.
    const root = ramBase + 0xf_0000n;
    for (let i = 0n; i < 512n; i++) h.write(root + 8n * i, 0n);
    const slot = 8n * ((codeAt >> 30n) & 511n);
    h.write(root + slot, h.read(tables.root + slot));
    const satp = SV39 | (2n << 44n) | (root >> 12n);
    equal(attempt(h, tables, supervisor, 'load', { satp }), 13n);
    equal(attempt(h, tables, supervisor, 'load'), 0n);
  });

  test(`${name}: the fence of any address in a large page forgets all of it`, () => {
    for (const top of [false, true]) {
      const virtual = top ? -(1n << 21n) : 0x4000_0000n;
      for (const offset of [0n, 0x5008n, (1n << 21n) - 1n]) {
        const { h, tables } = setUp(create, supervisor);
        const slot = tables.entryAt(virtual, 1);
        const slotAt = 0x30_0000n + (slot & 0xfffn);
        tables.map(0x30_0000n, slot & ~0xfffn, V | R | W | A | D);
        tables.map(virtual, ramBase, V | R | A, 1);
        const code = [
          load,
          word('sd', { rs1: 10, rs2: 0, imm: 0 }),
          word('sfence.vma', { rs1: 8, rs2: 0 }),
          load,
        ];
        h.run(supervisor, code, {
          satp: tables.satp(),
          x5: virtual + (dataAt - ramBase),
          x8: virtual + offset,
          x10: slotAt,
        });
        deepEqual(h.look('mcause', 'mepc', 'x6'), { mcause: 13n, mepc: codeAt + 12n, x6: MAGIC });
      }
    }
  });

  test(`${name}: a change of mode leaves nothing of the other mode's tables`, () => {
    for (const between of [[], [0n]]) {
      const { h, tables } = setUp(create, supervisor);
      tables.map(at, dataAt, V | R | A);
      // The same root read as Sv48 has one level more, so that nothing is mapped at the address.
      const satp = [...between, SV48 | (tables.root >> 12n)];
      const switches = satp.map((_, i) => word('csrrw_satp', { rd: 0, rs1: 20 + i }));
      const code = [word('csrrw_mstatus', { rd: 0, rs1: 8 }), load, ...switches, load];
      const values = Object.fromEntries(satp.map((value, i) => [`x${20 + i}`, value]));
      const x8 = MPRV | (supervisor << 11n);
      h.run(machine, code, { satp: tables.satp(), x5: at, x8, ...values });
      deepEqual(h.look('mcause', 'mepc', 'x6'), {
        mcause: 13n,
        mepc: codeAt + 4n * BigInt(code.length - 1),
        x6: MAGIC,
      });
    }
  });

  test(`${name}: accesses that walk over the end of a page byte by byte find both pages`, () => {
    const sizes = { lh: 2, lw: 4, ld: 8, sh: 2, sw: 4, sd: 8 } as const;
    for (const from of [user, supervisor])
      for (const [op, size] of Object.entries(sizes)) {
        const { h, tables } = setUp(create, from);
        const bits = V | R | W | A | D | (from === user ? U : 0n);
        // Neighbours in the address space, not in memory.
        tables.map(at, dataAt + 0x1000n, bits);
        tables.map(at + 0x1000n, dataAt, bits);
        const physical = (address: bigint): bigint =>
          dataAt + (address < at + 0x1000n ? 0x1000n : 0n) + (address & 0xfffn);
        const start = at + 0x1000n - 12n;
        for (let i = 0n; i < 32n; i += 8n) {
          const address = start + i - (start & 7n);
          h.write(physical(address), 0x0102_0304_0506_0708n * (i + 1n));
        }
        const bytes = [...Array(32).keys()].map((i) => byteAt(h, physical(start + BigInt(i))));
        const isLoad = op.startsWith('l');
        const access = isLoad
          ? word(op, { rd: 6, rs1: 5, imm: 0 })
          : word(op, { rs2: 7, rs1: 5, imm: 0 });
        const next = word('addi', { rd: 5, rs1: 5, imm: 1 });
        const sum = word('add', { rd: 9, rs1: 9, rs2: 6 });
        const again = word('bne', { rs1: 5, rs2: 10, imm: -6 });
        const x7 = 0x8182_8384_8586_8788n;
        h.run(from, [access, next, sum, again], {
          satp: tables.satp(),
          x5: start,
          x6: 0n,
          x7,
          x9: 0n,
          x10: start + 16n,
        });
        let expected = 0n;
        for (let i = 0; i < 16; i++) {
          if (isLoad) expected += BigInt.asIntN(8 * size, littleEndian(bytes.slice(i, i + size)));
          else for (let k = 0; k < size; k++) bytes[i + k] = (x7 >> BigInt(8 * k)) & 0xffn;
        }
        equal(h.get('x9'), BigInt.asUintN(64, expected), op);
        const left = bytes.map((_, i) => byteAt(h, physical(start + BigInt(i))));
        deepEqual(left, bytes, op);
      }
  });

  test(`${name}: an access across pages needs both, and reports the page that failed`, () => {
    for (const op of ['load', 'store'] as const) {
      const { h, tables } = setUp(create, supervisor);
      tables.map(at, dataAt, V | R | W | A | D);
      h.set({ mcause: 0n });
      h.run(supervisor, [ops[op]], { satp: tables.satp(), x5: at + 0xffcn });
      deepEqual(h.look('mcause', 'mtval'), { mcause: pageFault[op], mtval: at + 0x1000n });
      tables.map(at + 0x1000n, dataAt + 0x3000n, V | R | W | A | D);
      h.set({ mcause: 0n });
      h.run(supervisor, [ops[op]], { x5: at + 0xffcn });
      equal(h.get('mcause'), 0n);
    }
  });
}

test('bare mode ignores what the tables say', () => {
  const h = createHart(executors['interpreter']!);
  h.write(dataAt, MAGIC);
  h.run(supervisor, [load], { satp: ~SV39 & 0xfffffn, x5: dataAt });
  deepEqual(h.look('x6', 'mcause'), { x6: MAGIC, mcause: 0n });
});
