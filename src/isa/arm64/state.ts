// Registers and cells of an Arm core in AArch64 state, in the vCPU's record.
//
// Names are those of the Arm Architecture Reference Manual (DDI 0487), in camel case.
// Invariants: register 31 is SP in the file XSP, zero in X; SP is the stack pointer in use, spEl0 and spEl1 hold the
// one that is not; condition flags are kept as the values that they are computed from (flags.ts).

import { registerOffset } from '../../ir/node.ts';
import { isaCells, layout } from '../shared/vcpu.ts';
import { registerFields } from '../shared/row.ts';

const cells = layout(isaCells.start, isaCells.end);

/** General-purpose registers: number 31 is the zero register in X, the stack pointer in XSP. */
export const [X, XSP] = cells.registersOrZero(['x', 'xsp'], 32);
export const SP = { file: XSP, index: 31 } as const;
/** SIMD and floating-point registers. */
export const V = cells.vectors('v', 32);
/** Condition flags, as flags.ts describes. */
export const NZCV = cells.registers('nzcv', 4, false);

const numbered = (prefix: string, count = 32): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

/** Register fields of instructions, by how assembly text writes them. */
export const x = registerFields(X, [...numbered('x', 31), 'xzr']);
export const w = registerFields(X, [...numbered('w', 31), 'wzr']);
export const xsp = registerFields(XSP, [...numbered('x', 31), 'sp']);
export const wsp = registerFields(XSP, [...numbered('w', 31), 'wsp']);
export const v = registerFields(V, numbered('v'));
export const b = registerFields(V, numbered('b'));
export const h = registerFields(V, numbered('h'));
export const s = registerFields(V, numbered('s'));
export const d = registerFields(V, numbered('d'));
export const q = registerFields(V, numbered('q'));

const declared = cells.cells({
  /** Exception level: 0 or 1. */
  currentEl: 'i32',
  /** PSTATE.SP: 1 where SP is SP_EL1. */
  spSel: 'i32',
  /** PSTATE.D, A, I, F in bits 9 to 6, as DAIF has them. */
  daif: 'i64',
  /** PSTATE.PAN, UAO, SS and IL as bits of SPSR_EL1 (22, 23, 21, 20). */
  pstate: 'i64',
  spEl0: 'i64',
  spEl1: 'i64',
  /** Pending exception, recorded before `raise`: syndrome, fault address, and whether FAR_EL1 takes it. */
  pendingEsr: 'i64',
  pendingFar: 'i64',
  pendingHasFar: 'i32',
  /** Where the pending exception returns to; all ones: to its instruction. */
  pendingReturn: 'i64',
  /** Level of the IRQ input. */
  irqLine: 'i32',
  /** The exclusive monitor: the address (all ones: open), and what was read there. */
  exclusiveAddress: 'i64',
  exclusiveLow: 'i64',
  exclusiveHigh: 'i64',
  sctlr: 'i64',
  ttbr0: 'i64',
  ttbr1: 'i64',
  tcr: 'i64',
  mair: 'i64',
  contextidr: 'i64',
  vbar: 'i64',
  esr: 'i64',
  far: 'i64',
  elr: 'i64',
  spsr: 'i64',
  afsr0: 'i64',
  afsr1: 'i64',
  amair: 'i64',
  par: 'i64',
  cpacr: 'i64',
  tpidrEl0: 'i64',
  tpidrroEl0: 'i64',
  tpidrEl1: 'i64',
  mdscr: 'i64',
  oslsr: 'i64',
  csselr: 'i64',
  mpidr: 'i64',
  cntkctl: 'i64',
  cntvCtl: 'i64',
  cntvCval: 'i64',
  cntpCtl: 'i64',
  cntpCval: 'i64',
  /** Control of floating point; its status but for the flags that follow, which are numbered as in softfloat.ts. */
  fpcr: 'i64',
  fpsr: 'i64',
  fpFlags: 'i64',
  /** Rounding as in softfloat.ts, and what else of FPCR operations must know (fp-state.ts). */
  fpMode: 'i64',
  /** The page-walk cache (walk-cache.ts): for what it holds, and its entries. */
  walkGeneration: 'i32',
  walkTtbr0: 'i64',
  walkTtbr1: 'i64',
  walkRegion0: 'i64',
  walkTable0: 'i64',
  walkRegion1: 'i64',
  walkTable1: 'i64',
  walkRegion2: 'i64',
  walkTable2: 'i64',
  walkRegion3: 'i64',
  walkTable3: 'i64',
});

const registerCell = (name: string, offset: number) => ({ name, type: 'i64', offset }) as const;

/** The core's own cells. */
export const core = {
  ...declared,
  irqLine: { ...declared.irqLine, volatile: true },
  /** The stack pointer and the condition flags as cells: for routines, which no instruction calls. */
  sp: registerCell('sp', registerOffset(XSP, SP.index)),
  flagN: registerCell('flagN', registerOffset(NZCV, 0)),
  flagZ: registerCell('flagZ', registerOffset(NZCV, 1)),
  flagC: registerCell('flagC', registerOffset(NZCV, 2)),
  flagV: registerCell('flagV', registerOffset(NZCV, 3)),
} as const;
