// Control and status registers: one declaration each, from which the rows of all six CSR instructions follow.
// Privileged ISA, chapters 2 (numbers and access), 3 (machine), 12 (supervisor); Unprivileged ISA, chapters 6 (Zicsr),
// 7 (Zicntr), 20.2 (fcsr); Sstc.
//
// A row has the CSR's number in its fixed bits, so a known CSR costs no look-up and an unknown one is an illegal
// instruction because no row matches. Forms that cannot write (csrrs and csrrc with register or immediate
// zero) are rows of their own; a read-only CSR has only those.
// Invariant: what a write leaves in a cell is a legal value (WARL), so that readers need no masks.

import { type Arg, type Builder, helper } from '../../ir/builder.ts';
import type { StateField, Value } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { vcpu } from '../shared/vcpu.ts';
import { ASID_MASK, ASID_SHIFT, MODE_SHIFT, updateContext } from './context.ts';
import { CBCFE, CBIE, CBZE } from './envcfg.ts';
import { markFpDirty, requireFp } from './fp-state.ts';
import { readPmpaddr, readPmpcfg, writePmpaddr, writePmpcfg } from './pmp.ts';
import { hart, x } from './state.ts';
import * as status from './status.ts';
import { noticeInterrupts, require } from './trap.ts';

type I64 = Value<'i64'>;

interface Csr {
  readonly name: string;
  readonly number: number;
  readonly read: (s: Builder) => Arg<'i64'>;
  /** Absent: writes are ignored (the register is hardwired) or, for read-only numbers, illegal. */
  readonly write?: (s: Builder, value: I64) => void;
  /** Raises an exception where the access is not allowed, beyond the privilege that the number demands. */
  readonly check?: (s: Builder) => void;
  /** A write may change mode, translation or interrupts: the instruction ends its block. */
  readonly sync?: boolean;
}

type Access = Omit<Csr, 'name' | 'number'>;

/** Guest time in ticks. */
const readTime = helper('read_time', [], 'i64', (context) => context.time());

/** A register that is a cell, of which `mask` can be written. */
const cell = (field: StateField & { type: 'i64' }, mask = ~0n): Access => ({
  read: (s) => s.state(field),
  write: (s, value) => s.setState(field, s.and(value, mask)),
});

const constant = (value: bigint): Access => ({ read: (s) => s.const64(value), write: () => {} });

/** The bits of a cell under a mask that may itself be state; writes leave the others as they are. */
function view(field: StateField & { type: 'i64' }, mask: (s: Builder) => Arg<'i64'>): Access {
  return {
    read: (s) => s.and(s.state(field), mask(s)),
    write: (s, value) => {
      const writable = mask(s);
      const kept = s.and(s.state(field), s.xor(writable, -1n));
      s.setState(field, s.or(kept, s.and(value, writable)));
    },
  };
}

/** `access`, with interrupts looked at after a write. */
const interrupting = (access: Access): Access => ({
  ...access,
  sync: true,
  write: (s, value) => {
    access.write?.(s, value);
    noticeInterrupts(s);
  },
});

const { SIE, MIE, SPIE, MPIE, SPP_SHIFT, MPP_SHIFT, FS, MPRV, SUM, MXR, TVM, TW, TSR } = status;
const SPP = 1n << SPP_SHIFT;
const MPP = 3n << MPP_SHIFT;
const SSTATUS = SIE | SPIE | SPP | FS | SUM | MXR;
const MSTATUS = SSTATUS | MIE | MPIE | MPP | MPRV | TVM | TW | TSR;
/** Bits on which the TLB tags depend. */
const CONTEXT = MPP | MPRV | SUM | MXR;

/** mstatus under a mask, with SD derived from FS and the fixed widths. */
function statusView(mask: bigint, fixed: bigint): Access {
  return {
    sync: true,
    read: (s) => {
      const value = s.and(s.state(hart.mstatus), mask);
      const dirty = s.select(s.eq(s.and(value, FS), FS), status.SD, 0);
      return s.or(value, s.or(dirty, fixed));
    },
    write: (s, value) => {
      const old = s.state(hart.mstatus);
      const merged = s.or(s.and(old, ~mask), s.and(value, mask));
      // MPP holds only modes that exist: 2 becomes user mode.
      const reserved = s.eq(s.and(merged, MPP), 2n << MPP_SHIFT);
      const legal = s.select(reserved, s.and(merged, ~MPP), merged);
      s.setState(hart.mstatus, legal);
      s.when(s.ne(s.and(s.xor(old, legal), CONTEXT), 0), () => s.perform(updateContext));
      noticeInterrupts(s);
    },
  };
}

/** All six standard interrupts. */
const INTERRUPTS = 0xaaan;
const SSIP = 2n;
const STIP = 1n << 5n;
const SEIP = 1n << 9n;
const STCE = 1n << 63n;
/** FIOM, CBIE, CBCFE, CBZE. */
const ENVCFG = 1n | CBIE | CBCFE | CBZE;
const PBMTE = 1n << 62n;

/** An environment configuration; of CBIE's values 2 is reserved and becomes 0. */
const envcfg = (field: StateField & { type: 'i64' }, mask: bigint): Access => ({
  read: (s) => s.state(field),
  write: (s, value) => {
    const reserved = s.eq(s.and(value, CBIE), 2n << 4n);
    s.setState(field, s.and(value, s.select(reserved, mask & ~CBIE, mask)));
  },
});

const satp: Access = {
  sync: true,
  read: (s) => s.state(hart.satp),
  check: (s) => {
    const trapped = s.ne(s.and(s.state(hart.mstatus), TVM), 0);
    require(s, s.not(s.both(s.eq32(s.state(hart.mode), 1), trapped)));
  },
  write: (s, value) => {
    const mode = s.shr_u(value, MODE_SHIFT);
    const old = s.state(hart.satp);
    const offered = s.either(s.eqz(mode), s.either(s.eq(mode, 8), s.eq(mode, 9)));
    const asid = ASID_MASK << ASID_SHIFT;
    s.when(offered, () => {
      s.setState(hart.satp, s.and(value, (15n << MODE_SHIFT) | asid | ((1n << 44n) - 1n)));
      // Entries of Sv39 and Sv48 have the same tags, and outlive a time without translation between the two.
      const changed = s.shr_u(s.xor(old, value), MODE_SHIFT);
      s.rarely(s.ne(changed, 0), () => s.flushTlb());
      s.perform(updateContext);
    });
  },
};

/** Writing it may be due to a timer that must now be looked at. */
const stimecmp: Access = {
  sync: true,
  read: (s) => s.state(hart.stimecmp),
  check: (s) => {
    const enabled = s.both(
      s.ne(s.and(s.state(hart.menvcfg), STCE), 0),
      s.ne(s.and(s.state(hart.mcounteren), 2), 0),
    );
    require(s, s.either(s.eq32(s.state(hart.mode), 3), enabled));
  },
  write: (s, value) => {
    s.setState(hart.stimecmp, value);
    s.setState(vcpu.attention, 1);
  },
};

/** A counter that lower modes see if mcounteren, and for user mode scounteren, permit it. */
const counter = (index: Arg<'i64'>, read: Access['read']): Access => ({
  read,
  check: (s) => {
    const bit = s.shl(1, index);
    const mode = s.state(hart.mode);
    const machine = s.ne(s.and(s.state(hart.mcounteren), bit), 0);
    const supervisor = s.ne(s.and(s.state(hart.scounteren), bit), 0);
    const allowed = s.both(machine, s.either(supervisor, s.ne32(mode, 0)));
    require(s, s.either(allowed, s.eq32(mode, 3)));
  },
});

const cycle = (s: Builder): I64 => s.add(s.retired(), s.state(hart.cycleOffset));
const instret = (s: Builder): I64 => s.add(s.retired(), s.state(hart.instretOffset));
/** Sets a counter so that the instruction after the one that writes it reads what was written. */
const setCounter = (field: StateField & { type: 'i64' }) => (s: Builder, value: I64) =>
  s.setState(field, s.sub(value, s.add(s.retired(), 1)));

const floating = (read: Access['read'], write: NonNullable<Access['write']>): Access => ({
  check: requireFp,
  read,
  write: (s, value) => {
    markFpDirty(s);
    write(s, value);
  },
});

const pmpcfgOf = (first: number): Access => ({
  sync: true,
  read: (s) => s.call(readPmpcfg, 'i64', first),
  write: (s, value) => {
    s.perform(writePmpcfg, first, value);
    s.flushTlb();
  },
});

const pmpaddrOf = (index: number): Access => ({
  sync: true,
  read: (s) => s.call(readPmpaddr, 'i64', index),
  write: (s, value) => {
    s.perform(writePmpaddr, index, value);
    s.flushTlb();
  },
});

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** MXL 64 and the letters I, M, A, F, D, C, S, U. */
const MISA =
  (2n << 62n) |
  ['I', 'M', 'A', 'F', 'D', 'C', 'S', 'U'].reduce(
    (letters, letter) => letters | (1n << BigInt(letter.charCodeAt(0) - 65)),
    0n,
  );

// oxfmt-ignore
const table: Readonly<Record<string, readonly [address: number, access: Access]>> = {
  fflags: [0x001, floating((s) => s.state(hart.fflags), (s, v) => s.setState(hart.fflags, s.and(v, 31)))],
  frm:    [0x002, floating((s) => s.state(hart.frm), (s, v) => s.setState(hart.frm, s.and(v, 7)))],
  fcsr:   [0x003, floating(
    (s) => s.or(s.state(hart.fflags), s.shl(s.state(hart.frm), 5)),
    (s, v) => {
      s.setState(hart.fflags, s.and(v, 31));
      s.setState(hart.frm, s.and(s.shr_u(v, 5), 7));
    })],

  cycle:   [0xc00, counter(0, cycle)],
  time:    [0xc01, counter(1, (s) => s.call(readTime, 'i64'))],
  instret: [0xc02, counter(2, instret)],
  ...Object.fromEntries(range(3, 31).map((n) => [`hpmcounter${n}`, [0xc00 + n, counter(n, () => 0)]])),

  sstatus:    [0x100, statusView(SSTATUS, status.UXL)],
  sie:        [0x104, interrupting(view(hart.mie, (s) => s.state(hart.mideleg)))],
  stvec:      [0x105, cell(hart.stvec, ~2n)],
  scounteren: [0x106, cell(hart.scounteren, 0xffff_ffffn)],
  senvcfg:    [0x10a, envcfg(hart.senvcfg, ENVCFG)],
  sscratch:   [0x140, cell(hart.sscratch)],
  sepc:       [0x141, cell(hart.sepc, ~1n)],
  scause:     [0x142, cell(hart.scause)],
  stval:      [0x143, cell(hart.stval)],
  sip:        [0x144, interrupting({
    read: (s) => s.and(s.state(hart.mip), s.state(hart.mideleg)),
    write: view(hart.mip, (s) => s.and(s.state(hart.mideleg), SSIP)).write!,
  })],
  stimecmp:   [0x14d, stimecmp],
  satp:       [0x180, satp],

  mvendorid:  [0xf11, { read: () => 0 }],
  marchid:    [0xf12, { read: () => 0 }],
  mimpid:     [0xf13, { read: () => 0 }],
  mhartid:    [0xf14, { read: (s) => s.state(hart.mhartid) }],
  mconfigptr: [0xf15, { read: () => 0 }],
  mstatus:    [0x300, statusView(MSTATUS, status.UXL | status.SXL)],
  misa:       [0x301, constant(MISA)],
  medeleg:    [0x302, cell(hart.medeleg, 0xb3ffn)],
  mideleg:    [0x303, interrupting(cell(hart.mideleg, 0x222n))],
  mie:        [0x304, interrupting(cell(hart.mie, INTERRUPTS))],
  mtvec:      [0x305, cell(hart.mtvec, ~2n)],
  mcounteren: [0x306, cell(hart.mcounteren, 0xffff_ffffn)],
  menvcfg:    [0x30a, envcfg(hart.menvcfg, ENVCFG | PBMTE | STCE)],
  mcountinhibit: [0x320, constant(0n)],
  mscratch:   [0x340, cell(hart.mscratch)],
  mepc:       [0x341, cell(hart.mepc, ~1n)],
  mcause:     [0x342, cell(hart.mcause)],
  mtval:      [0x343, cell(hart.mtval)],
  mip:        [0x344, interrupting({
    read: (s) => s.state(hart.mip),
    write: view(hart.mip, (s) => {
      // With Sstc, STIP is the comparator's and not software's.
      const sstc = s.ne(s.and(s.state(hart.menvcfg), STCE), 0);
      return s.select(sstc, SSIP | SEIP, SSIP | STIP | SEIP);
    }).write!,
  })],
  mcycle:     [0xb00, { read: cycle, write: setCounter(hart.cycleOffset) }],
  minstret:   [0xb02, { read: instret, write: setCounter(hart.instretOffset) }],
  ...Object.fromEntries(range(3, 31).map((n) => [`mhpmcounter${n}`, [0xb00 + n, constant(0n)]])),
  ...Object.fromEntries(range(3, 31).map((n) => [`mhpmevent${n}`, [0x320 + n, constant(0n)]])),
  pmpcfg0:    [0x3a0, pmpcfgOf(0)],
  pmpcfg2:    [0x3a2, pmpcfgOf(8)],
  ...Object.fromEntries(range(0, 15).map((n) => [`pmpaddr${n}`, [0x3b0 + n, pmpaddrOf(n)]])),
  // No triggers: tdata1 has type 0, whatever tselect is (Debug specification, section 5.7).
  tselect:    [0x7a0, constant(0n)],
  tdata1:     [0x7a1, constant(0n)],
  tdata2:     [0x7a2, constant(0n)],
  tdata3:     [0x7a3, constant(0n)],
};

const rd = x.destination('7:5');
const register = format({ rd, rs1: x.source('15:5') });
const immediate = format({ rd, imm: number('15:5') });
const readOnly = format({ rd });

/** funct3 of the instructions that set, clear or replace bits, and what they make of the old value. */
const forms = {
  csrrw: { funct3: '001', make: (_s: Builder, _old: I64, source: I64): I64 => source },
  csrrs: { funct3: '010', make: (s: Builder, old: I64, source: I64): I64 => s.or(old, source) },
  csrrc: {
    funct3: '011',
    make: (s: Builder, old: I64, source: I64): I64 => s.and(old, s.xor(source, -1n)),
  },
} as const;

const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** Raises an exception unless the mode may access the CSR. */
function checkAccess(s: Builder, csr: Csr): void {
  const privilege = (csr.number >> 8) & 3;
  if (privilege > 0) require(s, s.ge_u32(s.state(hart.mode), privilege));
  csr.check?.(s);
}

const value64 = (s: Builder, value: Arg<'i64'>): I64 =>
  typeof value === 'object' ? value : s.const64(value);

/** The meaning of an instruction that reads and writes. */
function readWrite(s: Builder, csr: Csr, source: I64, form: keyof typeof forms): I64 {
  checkAccess(s, csr);
  const old = value64(s, csr.read(s));
  csr.write?.(s, forms[form].make(s, old, source));
  return old;
}

function rowsOf(csr: Csr): Row[] {
  const encoded = bits(csr.number, 12);
  const read = (s: Builder, f: { rd: Parameters<Builder['set']>[0] }): void => {
    checkAccess(s, csr);
    s.set(f.rd, csr.read(s));
  };
  const finish = (s: Builder): void => {
    if (csr.sync === true) s.jump(s.pc(4), 'sync');
  };
  const drafts = Object.keys(forms).flatMap((key) => {
    const form = key as keyof typeof forms;
    const { funct3 } = forms[form];
    const text = `${form} {rd}, ${csr.name}, {rs1}`;
    const textImmediate = `${form}i {rd}, ${csr.name}, {imm}`;
    const pattern = (source: string, top: string): string =>
      `${encoded} ${source} ${top}${funct3.slice(1)} ..... 1110011`;
    const writing = {
      [`${form}_${csr.name}`]: register(pattern('.....', '0'), text, (s, f) => {
        s.set(f.rd, readWrite(s, csr, s.get(f.rs1), form));
        finish(s);
      }),
      [`${form}i_${csr.name}`]: immediate(pattern('.....', '1'), textImmediate, (s, f) => {
        s.set(f.rd, readWrite(s, csr, f.imm, form));
        finish(s);
      }),
    };
    const reading = {
      [`${form}_${csr.name}_read`]: readOnly(
        pattern('00000', '0'),
        text.replace('{rs1}', 'zero'),
        read,
      ),
      [`${form}i_${csr.name}_read`]: readOnly(
        pattern('00000', '1'),
        textImmediate.replace('{imm}', '0'),
        read,
      ),
    };
    const isReadOnly = csr.number >> 10 === 3;
    const parts = [...(isReadOnly ? [] : [writing]), ...(form === 'csrrw' ? [] : [reading])];
    return parts.map((part) => instructions('Zicsr', part));
  });
  return drafts.flat();
}

export const rows: readonly Row[] = Object.entries(table).flatMap(([name, [address, access]]) =>
  rowsOf({ name, number: address, ...access }),
);
