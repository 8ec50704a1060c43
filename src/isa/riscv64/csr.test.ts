import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert, bigInt, property } from 'fast-check';
import {
  codeAt,
  createHart,
  executors,
  machineHandler,
  mode,
  SV39,
  SV48,
  word,
} from '../../../test/support/riscv64-hart.ts';
import { rows } from './csr.ts';
import { enterSupervisor, riscv64 } from './isa.ts';

const { user, supervisor, machine } = mode;
const ALL = (1n << 64n) - 1n;
const FS = 3n << 13n;
const STCE = 1n << 63n;

/** Name and number of every CSR, from the rows that read them. */
const csrNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  rows.flatMap((row) => {
    const match = /^csrrs_(\w+)_read$/.exec(row.name);
    return match ? [[match[1]!, row.value >>> 20]] : [];
  }),
);

type Cells = Readonly<Record<string, bigint>>;

/** What a CSR reads after a write to it, in machine mode. */
function written(
  create: (typeof executors)[string],
  csr: string,
  value: bigint,
  cells: Cells = {},
) {
  const h = createHart(create);
  const code = [word(`csrrw_${csr}`, { rd: 0, rs1: 5 }), word(`csrrs_${csr}_read`, { rd: 6 })];
  h.run(machine, code, { x5: value, mtvec: machineHandler, ...cells });
  return h.get('x6');
}

/** One hart for each executor, for questions about single instructions. */
const probes = new Map(Object.values(executors).map((create) => [create, createHart(create)]));
const off = { mstatus: 0n, mcounteren: 0n, scounteren: 0n, menvcfg: 0n, mcause: 0n };

/** Whether an instruction word is illegal in a mode. */
function isIllegal(
  create: (typeof executors)[string],
  from: bigint,
  code: number,
  cells: Cells = {},
): boolean {
  const h = probes.get(create)!;
  h.run(from, [code], { ...off, ...cells });
  return h.get('mcause') === 2n;
}

/** Value of every register with fixed bits after all ones and after all zeros are written. */
const legalised: Readonly<Record<string, readonly [ones: bigint, zeros: bigint]>> = {
  mstatus: [0x8000_000a_007e_79aan, 0xa_0000_0000n],
  sstatus: [0x8000_0002_000c_6122n, 0x2_0000_0000n],
  misa: [0x8000_0000_0014_112dn, 0x8000_0000_0014_112dn],
  medeleg: [0xb3ffn, 0n],
  mideleg: [0x222n, 0n],
  mie: [0xaaan, 0n],
  mtvec: [ALL - 2n, 0n],
  stvec: [ALL - 2n, 0n],
  mepc: [ALL - 1n, 0n],
  sepc: [ALL - 1n, 0n],
  mscratch: [ALL, 0n],
  sscratch: [ALL, 0n],
  mcounteren: [0xffff_ffffn, 0n],
  scounteren: [0xffff_ffffn, 0n],
  mcountinhibit: [0n, 0n],
  menvcfg: [0xc000_0000_0000_00f1n, 0n],
  senvcfg: [0xf1n, 0n],
  mhpmcounter3: [0n, 0n],
  mhpmevent31: [0n, 0n],
  tselect: [0n, 0n],
  tdata1: [0n, 0n],
  pmpcfg0: [0n, 0n],
  pmpaddr15: [0n, 0n],
};

for (const [name, create] of Object.entries(executors)) {
  test(`${name}: registers keep only what they can hold`, () => {
    for (const [csr, [ones, zeros]] of Object.entries(legalised)) {
      // MPP must allow what comes after the write, so the value written to mstatus leaves the mode alone.
      equal(written(create, csr, ALL, { mstatus: 0n }), ones, `${csr} after ones`);
      equal(written(create, csr, 0n), zeros, `${csr} after zeros`);
    }
  });

  test(`${name}: reserved values are replaced by legal ones`, () => {
    equal((written(create, 'mstatus', 2n << 11n) >> 11n) & 3n, 0n);
    equal(written(create, 'menvcfg', 2n << 4n), 0n);
    equal(written(create, 'senvcfg', 2n << 4n), 0n);
    equal(written(create, 'menvcfg', 0xc1n | (2n << 4n)), 0xc1n);
    equal(written(create, 'mtvec', 0x1003n), 0x1001n);
  });

  test(`${name}: satp takes the modes there are and ignores a write of any other`, () => {
    const rest = 0x1ff_0fff_ffff_ffffn;
    for (const modeBits of [0n, SV39, SV48]) {
      const value = modeBits | (0xffffn << 44n) | ((1n << 44n) - 1n);
      equal(written(create, 'satp', value), modeBits | (0x1ffn << 44n) | ((1n << 44n) - 1n));
    }
    for (let number = 1n; number < 16n; number++) {
      if (number === 8n || number === 9n) continue;
      equal(written(create, 'satp', (number << 60n) | rest, { satp: SV39 | 5n }), SV39 | 5n);
    }
  });

  test(`${name}: each number demands its privilege`, () => {
    for (const [csr, number] of Object.entries(csrNumbers)) {
      const needed = BigInt((number >> 8) & 3);
      const cells = { mstatus: FS, mcounteren: ALL, scounteren: ALL, menvcfg: STCE };
      for (const from of [user, supervisor, machine]) {
        const illegal = isIllegal(create, from, word(`csrrs_${csr}_read`, { rd: 6 }), cells);
        equal(illegal, from < needed, `${csr} in ${from}`);
      }
    }
  });

  test(`${name}: read-only registers can be read by the forms that do not write, and no other`, () => {
    for (const [csr, number] of Object.entries(csrNumbers)) {
      const bits = (funct3: number, source: number): number =>
        ((number << 20) | (source << 15) | (funct3 << 12) | (6 << 7) | 0x73) >>> 0;
      const readOnly = number >> 10 === 3;
      for (const funct3 of [2, 3, 6, 7]) {
        equal(isIllegal(create, machine, bits(funct3, 0), { mstatus: FS }), false, csr);
        if (readOnly) equal(isIllegal(create, machine, bits(funct3, 8)), true, csr);
      }
      if (readOnly)
        for (const funct3 of [1, 5]) equal(isIllegal(create, machine, bits(funct3, 0)), true);
    }
  });

  test(`${name}: the six forms read the old value and write, set and clear`, () => {
    const old = 0xf0f0n;
    const cases: readonly (readonly [string, object, bigint])[] = [
      ['csrrw', { rd: 6, rs1: 5 }, 0xff00n],
      ['csrrs', { rd: 6, rs1: 5 }, 0xfff0n],
      ['csrrc', { rd: 6, rs1: 5 }, 0x00f0n],
      ['csrrwi', { rd: 6, imm: 24 }, 24n],
      ['csrrsi', { rd: 6, imm: 24 }, 0xf0f8n],
      ['csrrci', { rd: 6, imm: 24 }, 0xf0e0n],
    ];
    for (const [form, fields, expected] of cases) {
      const h = createHart(create);
      const code = word(`${form}_mscratch`, fields as Record<string, number>);
      h.run(machine, [code], { mscratch: old, x5: 0xff00n });
      deepEqual(h.look('x6', 'mscratch'), { x6: old, mscratch: expected }, form);
    }
    const h = createHart(create);
    h.run(machine, [word('csrrw_mscratch', { rd: 5, rs1: 5 })], { mscratch: 1n, x5: 2n });
    deepEqual(h.look('x5', 'mscratch'), { x5: 1n, mscratch: 2n });
  });

  test(`${name}: the supervisor sees and changes its part of status and interrupts`, () => {
    const h = createHart(create);
    const code = [
      word('csrrw_sstatus', { rd: 6, rs1: 5 }),
      word('csrrw_sie', { rd: 7, rs1: 5 }),
      word('csrrw_sip', { rd: 8, rs1: 5 }),
    ];
    const [SPIE, MPIE, SUM] = [1n << 5n, 1n << 7n, 1n << 18n];
    const status = SPIE | MPIE | SUM;
    h.run(supervisor, code, { x5: 0n, mstatus: status, mideleg: 0x202n, mie: 0x28an, mip: 0x822n });
    // mret has copied MPIE into MIE.
    deepEqual(h.look('x6', 'x7', 'x8', 'mstatus', 'mie', 'mip'), {
      x6: 0x2_0004_0020n,
      x7: 0x202n,
      x8: 0x2n,
      mstatus: 0x88n,
      mie: 0x88n,
      mip: 0x820n,
    });
  });

  test(`${name}: machine mode writes the supervisor's bits of mip; STIP is the comparator's with Sstc`, () => {
    equal(written(create, 'mip', ALL), 0x222n);
    equal(written(create, 'mip', ALL, { menvcfg: STCE }), 0x202n);
    equal(written(create, 'mip', 0n, { mip: 0xaaan }), 0x888n);
    equal(written(create, 'mip', 0n, { mip: 0xaaan, menvcfg: STCE }), 0x8a8n);
  });

  test(`${name}: below firmware, a supervisor has its own interrupts and no machine's`, () => {
    const h = createHart(create);
    const state = { get: () => 0n, getRegister: () => 0n, setRegister: () => {} };
    const set = (field: { name: string }, value: bigint): void => h.set({ [field.name]: value });
    enterSupervisor({ ...state, set }, { pc: codeAt, a0: 0n, a1: 0n });
    h.run(
      supervisor,
      [
        word('csrrw_sie', { rd: 0, rs1: 5 }),
        word('csrrs_sie_read', { rd: 6 }),
        word('csrrw_sip', { rd: 7, rs1: 0 }),
      ],
      { x5: ALL, mip: ALL },
    );
    deepEqual(h.look('x6', 'x7'), { x6: 0x222n, x7: 0x222n });
    equal(
      isIllegal(create, user, word('csrrs_time_read', { rd: 6 }), {
        mcounteren: h.get('mcounteren'),
        scounteren: h.get('scounteren'),
      }),
      false,
    );
  });

  test(`${name}: fflags and frm are parts of fcsr, and want the floating-point unit on`, () => {
    equal(written(create, 'fcsr', ALL, { mstatus: FS }), 0xffn);
    equal(written(create, 'fflags', ALL, { mstatus: FS, frm: 4n }), 31n);
    const h = createHart(create);
    h.run(user, [word('csrrwi_frm', { rd: 0, imm: 3 })], { mstatus: 1n << 13n, fflags: 5n });
    deepEqual(h.look('frm', 'fflags'), { frm: 3n, fflags: 5n });
    equal(h.get('mstatus') & FS, FS);
    for (const csr of ['fflags', 'frm', 'fcsr']) {
      equal(isIllegal(create, machine, word(`csrrs_${csr}_read`, { rd: 6 })), true);
    }
  });

  test(`${name}: counters are permitted by mcounteren, and to users by scounteren too`, () => {
    const counters = ['cycle', 'time', 'instret', 'hpmcounter3', 'hpmcounter31'];
    for (const csr of counters) {
      const bit = 1n << BigInt(csrNumbers[csr]! & 31);
      for (const [from, mcounteren, scounteren, allowed] of [
        [machine, 0n, 0n, true],
        [supervisor, bit, 0n, true],
        [supervisor, ~bit, ALL, false],
        [user, bit, bit, true],
        [user, bit, ~bit, false],
        [user, ~bit, bit, false],
      ] as const) {
        const illegal = isIllegal(create, from, word(`csrrs_${csr}_read`, { rd: 6 }), {
          mcounteren,
          scounteren,
        });
        equal(illegal, !allowed, `${csr} in ${from}`);
      }
    }
  });

  test(`${name}: counters count instructions, from what machine mode wrote`, () => {
    const h = createHart(create);
    const code = [
      word('csrrw_minstret', { rd: 0, rs1: 5 }),
      word('csrrs_minstret_read', { rd: 6 }),
      word('csrrw_mcycle', { rd: 0, rs1: 7 }),
      word('addi', { rd: 0, rs1: 0, imm: 0 }),
      word('csrrs_cycle_read', { rd: 7 }),
      word('csrrs_instret_read', { rd: 8 }),
      word('csrrs_time_read', { rd: 9 }),
    ];
    h.setTime(1234n);
    h.run(machine, code, { x5: 1000n, x7: ALL });
    deepEqual(h.look('x6', 'x7', 'x8', 'x9'), { x6: 1000n, x7: 0n, x8: 1004n, x9: 1234n });
  });

  test(`${name}: the timer's comparator wants menvcfg.STCE and mcounteren.TM`, () => {
    const code = word('csrrw_stimecmp', { rd: 0, rs1: 5 });
    for (const [from, menvcfg, mcounteren, allowed] of [
      [machine, 0n, 0n, true],
      [supervisor, STCE, 2n, true],
      [supervisor, STCE, 0n, false],
      [supervisor, 0n, 2n, false],
      [user, STCE, 2n, false],
    ] as const) {
      const h = createHart(create);
      h.run(from, [code], { menvcfg, mcounteren, x5: 77n });
      equal(h.get('stimecmp'), allowed ? 77n : 0xffff_ffff_ffff_ffffn);
    }
  });
}

test('no write leaves the tags of TLB entries at the value that no entry has', () => {
  const h = createHart(executors['evaluator']!);
  const code = [word('csrrw_satp', { rd: 0, rs1: 5 }), word('csrrw_mstatus', { rd: 0, rs1: 6 })];
  const bits = bigInt(0n, ALL);
  assert(
    property(array(bits, { minLength: 2, maxLength: 2 }), ([satp, status]) => {
      h.run(machine, code, { x5: satp! & ~(6n << 60n), x6: status! });
      for (const tag of [h.get('dataTag'), h.get('fetchTag')]) {
        equal(tag >> 12n, 0n);
        equal((tag & 7n) < 7n, true);
      }
    }),
    { numRuns: 100 },
  );
});

test('what is not a register is illegal in every form', () => {
  const known = new Set(Object.values(csrNumbers));
  for (let number = 0; number < 4096; number++) {
    if (known.has(number)) continue;
    for (const funct3 of [1, 2, 3, 5, 6, 7]) {
      equal(riscv64.decode(((number << 20) | (funct3 << 12) | 0x73) >>> 0), undefined);
    }
  }
});
