// Registers and cells of a RISC-V hart, in the vCPU's record.
// Invariants: x[0] is 0; f registers are 64 bits with single precision NaN-boxed (Unprivileged ISA, section 21.2);
// a CSR's cell holds only bits that the CSR can hold (WARL values are made legal when written).

import { isaCells, layout } from '../shared/vcpu.ts';
import { registerFields } from '../shared/row.ts';

const cells = layout(isaCells.start, isaCells.end);

/** Integer registers. */
export const X = cells.registers('x', 32, true);
/** Floating-point registers, as bits. */
export const F = cells.registers('f', 32, false);

// oxfmt-ignore
export const xNames = [
  'zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5',
  'a6', 'a7', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6',
] as const;
// oxfmt-ignore
export const fNames = [
  'ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1', 'fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5',
  'fa6', 'fa7', 'fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9', 'ft10', 'ft11',
] as const;

/** Register fields of instructions. */
export const x = registerFields(X, xNames);
export const f = registerFields(F, fNames);

const declared = cells.cells({
  /** Privilege mode: 0 user, 1 supervisor, 3 machine. */
  mode: 'i32',
  /** Pending exception: cause and trap value, recorded before `raise`. */
  pendingCause: 'i64',
  pendingTval: 'i64',
  /** Load reservation: address (all ones: none) and the value read, zero-extended. */
  reservation: 'i64',
  reservedValue: 'i64',
  /** Accrued exceptions (NV DZ OF UF NX from bit 4 down) and dynamic rounding mode. */
  fflags: 'i64',
  frm: 'i64',
  /** Includes FS in bits 14:13; SD is computed when read. sstatus is a view of it. */
  mstatus: 'i64',
  mtvec: 'i64',
  medeleg: 'i64',
  mideleg: 'i64',
  mie: 'i64',
  /** Interrupt lines as seen in mip. Devices set bits from outside by atomic operations. */
  mip: 'i64',
  mcounteren: 'i64',
  mcountinhibit: 'i64',
  mscratch: 'i64',
  mepc: 'i64',
  mcause: 'i64',
  mtval: 'i64',
  menvcfg: 'i64',
  mhartid: 'i64',
  stvec: 'i64',
  scounteren: 'i64',
  sscratch: 'i64',
  sepc: 'i64',
  scause: 'i64',
  stval: 'i64',
  senvcfg: 'i64',
  satp: 'i64',
  stimecmp: 'i64',
  /** Added to the retired count to give mcycle and minstret, which machine mode may write. */
  cycleOffset: 'i64',
  instretOffset: 'i64',
  /** Not zero: ecall from supervisor mode leaves to the VM, which is the SBI. */
  firmware: 'i32',
  /** Number of PMP entries that exist: 0 (no PMP, everything allowed) or 16. */
  pmpEntries: 'i32',
  /** Whether some access might be denied by PMP: 0 where there are no entries, or the first permits everything. */
  pmpChecked: 'i32',
  /** The page-walk cache (walk-cache.ts): for what it holds, and its entries. */
  walkGeneration: 'i32',
  walkSatp: 'i64',
  walkRegion0: 'i64',
  walkTable0: 'i64',
  walkRegion1: 'i64',
  walkTable1: 'i64',
  walkRegion2: 'i64',
  walkTable2: 'i64',
  walkRegion3: 'i64',
  walkTable3: 'i64',
});

/** The hart's own cells; CSRs carry their manual's names. */
export const hart = { ...declared, mip: { ...declared.mip, volatile: true } } as const;

/** Physical memory protection entries: configuration bytes and addresses. */
export const pmpcfg = cells.registers('pmpcfg', 16, false);
export const pmpaddr = cells.registers('pmpaddr', 16, false);
