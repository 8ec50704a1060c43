// System registers: one table, from which MRS and MSR of each follow. DDI 0487, D19 (AArch64 System register
// descriptions), C5.2 (special-purpose registers).
//
// A register may be accessed from EL1, and from EL0 if it says so. One without a writer is read-only, one without a
// reader write-only; an access that no row has is undefined. What a debugger outside would use is there as registers
// that read as zero and ignore writes, since the kernel sets them up.

import { helper, type Arg, type Builder } from '../../ir/builder.ts';
import type { StateField, Value } from '../../ir/node.ts';
import { format, instructions, number, type Row } from '../shared/row.ts';
import { updateContext } from './context.ts';
import { classes, noticeInterrupts, raise, require, requireFp, syndrome } from './exceptions.ts';
import { flagBits, setFlags } from './flags.ts';
import { interruptRegisters } from './interrupt-registers.ts';
import { getFpsr, setFpcr, setFpsr } from './fp-state.ts';
import { DAIF, PAN, sctlr } from './pstate.ts';
import { core, SP, x } from './state.ts';
import { identification, TIMER_HZ } from './identification.ts';

type I64 = Value<'i64'>;

/** op0, op1, CRn, CRm, op2. */
export type Encoding = readonly [number, number, number, number, number];

export interface SystemRegister {
  readonly encoding: Encoding;
  readonly read?: ((s: Builder) => Arg<'i64'>) | undefined;
  readonly write?: ((s: Builder, value: I64) => void) | undefined;
  /** What EL0 may do; nothing if absent. The condition may depend on control registers. */
  readonly user?: { readonly [K in 'read' | 'write']?: (s: Builder) => Value<'i1'> };
  /** Whether EL0 traps, so that the kernel may act for it, where it may not access; else the access is undefined. */
  readonly traps?: boolean;
  /** Whether a write may change what the next instruction sees. */
  readonly sync?: boolean;
}

const always = (s: Builder): Value<'i1'> => s.eq(s.const64(0), 0);
const allowedBy =
  (cell: StateField & { readonly type: 'i64' }, bit: bigint) =>
  (s: Builder): Value<'i1'> =>
    s.ne(s.and(s.state(cell), bit), 0);

type Cell = StateField & { readonly type: 'i64' };
type Traits = Omit<SystemRegister, 'encoding' | 'read' | 'write'>;

/** A register that is a cell; of a write it keeps the bits of the mask. */
const plain = (encoding: Encoding, cell: Cell, traits: Traits & { mask?: bigint } = {}) => {
  const { mask, ...rest } = traits;
  return {
    encoding,
    read: (s: Builder) => s.state(cell),
    write: (s: Builder, value: I64) =>
      s.setState(cell, mask === undefined ? value : s.and(value, mask)),
    ...rest,
  };
};

/** A register of translation or control, after whose write the tags may be others. */
const context = (encoding: Encoding, cell: Cell): SystemRegister => ({
  encoding,
  read: (s) => s.state(cell),
  write: (s, value) => {
    s.setState(cell, value);
    s.perform(updateContext);
  },
  sync: true,
});

const constant = (encoding: Encoding, value: bigint, traits: Traits = {}): SystemRegister => ({
  encoding,
  read: () => value,
  ...traits,
});

/** Reads as zero, ignores writes. */
const nothing = (encoding: Encoding): SystemRegister => ({
  encoding,
  read: () => 0n,
  write: () => {},
});

const time = helper('cnt_time', [], 'i64', ({ time: now }) => now(), []);
const now = (s: Builder): I64 => s.call(time, 'i64');

/** Status bit of a timer's control register: its condition is met. ENABLE is bit 0, IMASK bit 1. */
const ISTATUS = 4n;
const MET = { enabled: 1n, writable: 3n } as const;

/** The three registers of a timer; a write makes the executor look at timers again. */
function timer(name: string, crm: number, ctl: Cell, cval: Cell, bit: bigint) {
  const user = { read: allowedBy(core.cntkctl, bit), write: allowedBy(core.cntkctl, bit) };
  const traits = { user, traps: true, sync: true };
  const met = (s: Builder): I64 => {
    const due = s.both(s.ne(s.and(s.state(ctl), MET.enabled), 0), s.ge_u(now(s), s.state(cval)));
    return s.select(due, ISTATUS, 0);
  };
  return {
    [`cnt${name}_tval_el0`]: {
      encoding: [3, 3, 14, crm, 0],
      read: (s: Builder) => s.and(s.sub(s.state(cval), now(s)), 0xffff_ffffn),
      write: (s: Builder, value: I64) => s.setState(cval, s.add(now(s), s.ext32_s(value))),
      ...traits,
    },
    [`cnt${name}_ctl_el0`]: {
      encoding: [3, 3, 14, crm, 1],
      read: (s: Builder) => s.or(s.state(ctl), met(s)),
      write: (s: Builder, value: I64) => s.setState(ctl, s.and(value, MET.writable)),
      ...traits,
    },
    [`cnt${name}_cval_el0`]: plain([3, 3, 14, crm, 2], cval, traits),
  } satisfies Record<string, SystemRegister>;
}

/** Breakpoints and watchpoints, two each (ID_AA64DFR0_EL1): there, but never hit. */
function debugRegisters(): Record<string, SystemRegister> {
  const kinds = { dbgbvr: 4, dbgbcr: 5, dbgwvr: 6, dbgwcr: 7 };
  const numbered = Object.entries(kinds).flatMap(([name, op2]) =>
    [0, 1].map((n) => [`${name}${n}_el1`, nothing([2, 0, 0, n, op2])] as const),
  );
  return {
    ...Object.fromEntries(numbered),
    mdccint_el1: nothing([2, 0, 0, 2, 0]),
    mdscr_el1: plain([2, 0, 0, 2, 2], core.mdscr),
    mdrar_el1: nothing([2, 0, 1, 0, 0]),
    oslar_el1: {
      encoding: [2, 0, 1, 0, 4],
      write: (s, value) => s.setState(core.oslsr, s.or(8, s.shl(s.and(value, 1), 1))),
    },
    oslsr_el1: { encoding: [2, 0, 1, 1, 4], read: (s) => s.state(core.oslsr) },
    osdlr_el1: nothing([2, 0, 1, 3, 4]),
    dbgprcr_el1: nothing([2, 0, 1, 4, 4]),
    dbgclaimset_el1: nothing([2, 0, 7, 8, 6]),
    dbgclaimclr_el1: nothing([2, 0, 7, 9, 6]),
    dbgauthstatus_el1: nothing([2, 0, 7, 14, 6]),
    mdccsr_el0: nothing([2, 3, 0, 1, 0]),
  };
}

/** The size of a cache: 32 KiB, four ways, lines of 64 bytes (CCSIDR_EL1). */
const CCSIDR = (127n << 13n) | (3n << 3n) | 2n;
const UCT = allowedBy(core.sctlr, sctlr.UCT);

// oxfmt-ignore
const table: Readonly<Record<string, SystemRegister>> = {
  ...Object.fromEntries(
    Object.entries(identification).map(([name, { encoding, value }]) => [name, constant(encoding, value)]),
  ),
  mpidr_el1: { encoding: [3, 0, 0, 0, 5], read: (s) => s.state(core.mpidr) },
  sctlr_el1: context([3, 0, 1, 0, 0], core.sctlr),
  actlr_el1: nothing([3, 0, 1, 0, 1]),
  cpacr_el1: { ...plain([3, 0, 1, 0, 2], core.cpacr, { mask: 3n << 20n }), sync: true },
  ttbr0_el1: context([3, 0, 2, 0, 0], core.ttbr0),
  ttbr1_el1: context([3, 0, 2, 0, 1], core.ttbr1),
  tcr_el1: context([3, 0, 2, 0, 2], core.tcr),
  spsr_el1: plain([3, 0, 4, 0, 0], core.spsr),
  elr_el1: plain([3, 0, 4, 0, 1], core.elr),
  sp_el0: plain([3, 0, 4, 1, 0], core.spEl0),
  spsel: {
    encoding: [3, 0, 4, 2, 0],
    read: (s) => s.zext32(s.state(core.spSel)),
    write: (s, value) => selectStack(s, s.and(value, 1)),
  },
  currentel: { encoding: [3, 0, 4, 2, 2], read: (s) => s.shl(s.zext32(s.state(core.currentEl)), 2) },
  pan: {
    encoding: [3, 0, 4, 2, 3],
    read: (s) => s.and(s.state(core.pstate), PAN),
    write: setPan,
    sync: true,
  },
  afsr0_el1: plain([3, 0, 5, 1, 0], core.afsr0),
  afsr1_el1: plain([3, 0, 5, 1, 1], core.afsr1),
  esr_el1: plain([3, 0, 5, 2, 0], core.esr),
  far_el1: plain([3, 0, 6, 0, 0], core.far),
  par_el1: plain([3, 0, 7, 4, 0], core.par),
  mair_el1: plain([3, 0, 10, 2, 0], core.mair),
  amair_el1: plain([3, 0, 10, 3, 0], core.amair),
  vbar_el1: plain([3, 0, 12, 0, 0], core.vbar, { mask: ~0x7ffn }),
  isr_el1: { encoding: [3, 0, 12, 1, 0], read: (s) => s.shl(s.zext32(s.state(core.irqLine)), 7) },
  contextidr_el1: plain([3, 0, 13, 0, 1], core.contextidr),
  tpidr_el1: plain([3, 0, 13, 0, 4], core.tpidrEl1),
  cntkctl_el1: plain([3, 0, 14, 1, 0], core.cntkctl),
  ccsidr_el1: constant([3, 1, 0, 0, 0], CCSIDR),
  csselr_el1: plain([3, 2, 0, 0, 0], core.csselr, { mask: 0xfn }),
  ctr_el0: constant([3, 3, 0, 0, 1], identificationOf('ctr_el0'), { user: { read: UCT }, traps: true }),
  dczid_el0: {
    encoding: [3, 3, 0, 0, 7],
    // DZP: EL0 may not use DC ZVA.
    read: (s) => {
      const allowed = s.either(atEl1(s), allowedBy(core.sctlr, sctlr.DZE)(s));
      return s.or(identificationOf('dczid_el0'), s.select(allowed, 0, 16));
    },
    user: { read: always },
  },
  nzcv: {
    encoding: [3, 3, 4, 2, 0],
    read: (s) => s.shl(flagBits(s), 28),
    write: (s, value) => setFlags(s, s.and(s.shr_u(value, 28), 15)),
    user: { read: always, write: always },
  },
  daif: {
    encoding: [3, 3, 4, 2, 1],
    read: (s) => s.state(core.daif),
    write: (s, value) => setDaif(s, s.and(value, DAIF)),
    user: { read: allowedBy(core.sctlr, sctlr.UMA), write: allowedBy(core.sctlr, sctlr.UMA) },
    traps: true,
    sync: true,
  },
  fpcr: {
    encoding: [3, 3, 4, 4, 0],
    read: (s) => {
      requireFp(s);
      return s.state(core.fpcr);
    },
    write: setFpcr,
    user: { read: always, write: always },
  },
  fpsr: {
    encoding: [3, 3, 4, 4, 1],
    read: getFpsr,
    write: setFpsr,
    user: { read: always, write: always },
  },
  tpidr_el0: plain([3, 3, 13, 0, 2], core.tpidrEl0, { user: { read: always, write: always } }),
  tpidrro_el0: plain([3, 3, 13, 0, 3], core.tpidrroEl0, { user: { read: always } }),
  cntfrq_el0: constant([3, 3, 14, 0, 0], TIMER_HZ, { user: { read: allowedBy(core.cntkctl, 3n) }, traps: true }),
  cntpct_el0: { encoding: [3, 3, 14, 0, 1], read: now, user: { read: allowedBy(core.cntkctl, 1n) }, traps: true },
  cntvct_el0: { encoding: [3, 3, 14, 0, 2], read: now, user: { read: allowedBy(core.cntkctl, 2n) }, traps: true },
  ...timer('p', 2, core.cntpCtl, core.cntpCval, 1n << 9n),
  ...timer('v', 3, core.cntvCtl, core.cntvCval, 1n << 8n),
  ...debugRegisters(),
  ...interruptRegisters,
};

function identificationOf(name: 'ctr_el0' | 'dczid_el0'): bigint {
  // Data and instruction caches are coherent (IDC, DIC); lines of 64 bytes; DC ZVA writes 64 bytes.
  return name === 'ctr_el0' ? 0xb444_c004n : 4n;
}

const atEl1 = (s: Builder): Value<'i1'> => s.ne32(s.state(core.currentEl), 0);

function setPan(s: Builder, value: I64): void {
  const rest = s.and(s.state(core.pstate), ~PAN);
  s.setState(core.pstate, s.or(rest, s.and(value, PAN)));
  s.perform(updateContext);
}

export function setDaif(s: Builder, value: I64): void {
  s.setState(core.daif, value);
  noticeInterrupts(s);
}

/** Makes SP the stack pointer that PSTATE.SP chooses; 0 or 1. */
export function selectStack(s: Builder, wanted: I64): void {
  const current = s.zext32(s.state(core.spSel));
  const sp = s.get(SP);
  const [el0, el1] = [s.state(core.spEl0), s.state(core.spEl1)];
  const changes = s.ne(current, wanted);
  const isEl1 = s.ne(current, 0);
  s.setState(core.spEl0, s.select(s.both(changes, s.not(isEl1)), sp, el0));
  s.setState(core.spEl1, s.select(s.both(changes, isEl1), sp, el1));
  s.set(SP, s.select(changes, s.select(isEl1, el0, el1), sp));
  s.setState(core.spSel, s.wrap(wanted));
}

const bits = (value: number, width: number): string => value.toString(2).padStart(width, '0');

/** The pattern of MRS or MSR of a register. */
export const patternOf = ([op0, op1, crn, crm, op2]: Encoding, isRead: boolean): string =>
  `1101010100 ${isRead ? 1 : 0} ${bits(op0, 2)} ${bits(op1, 3)} ${bits(crn, 4)} ${bits(crm, 4)} ${bits(op2, 3)} .....`;

/** The specific part of the syndrome of a trapped access; Rt is added by the row. */
function trapIss([op0, op1, crn, crm, op2]: Encoding, isRead: boolean): bigint {
  const fields = (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (crm << 1);
  return BigInt(fields | (isRead ? 1 : 0));
}

/** Traps or refuses an access that the level may not make. */
function checkAccess(s: Builder, register: SystemRegister, way: 'read' | 'write', rt: I64): void {
  const allowed = register.user?.[way];
  if (allowed === always) return;
  const may = allowed === undefined ? atEl1(s) : s.either(atEl1(s), allowed(s));
  if (register.traps !== true) return require(s, may);
  const esr = syndrome(classes.systemRegister, trapIss(register.encoding, way === 'read'));
  s.rarely(s.not(may), () => raise(s, s.or(s.shl(rt, 5), esr)));
}

/** The register's number is part of the syndrome of a trap. */
const numbered = number('0:5');
const access = format({ rt: x.source('0:5'), number: numbered });
const result = format({ rt: x.destination('0:5'), number: numbered });

function rowsOf(name: string, register: SystemRegister): Row[] {
  const { read, write, encoding, sync } = register;
  const reading = read && {
    [`mrs_${name}`]: result(patternOf(encoding, true), `mrs {rt}, ${name}`, (s, f) => {
      checkAccess(s, register, 'read', f.number);
      const value = read(s);
      s.set(f.rt, typeof value === 'object' ? value : s.const64(value));
    }),
  };
  const writing = write && {
    [`msr_${name}`]: access(patternOf(encoding, false), `msr ${name}, {rt}`, (s, f) => {
      checkAccess(s, register, 'write', f.number);
      write(s, s.get(f.rt));
      if (sync === true) s.jump(s.pc(4), 'sync');
    }),
  };
  return instructions('System', { ...reading, ...writing });
}

export const rows: readonly Row[] = Object.entries(table).flatMap(([name, register]) =>
  rowsOf(name, register),
);
