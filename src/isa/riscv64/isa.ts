// The riscv64 guest architecture, put together: RV64GC and the extensions listed here, in three privilege modes.

import type { Isa, VcpuState } from '../shared/isa.ts';
import { decoderOf } from '../shared/decoder.ts';
import type { Row } from '../shared/row.ts';
import { vcpu } from '../shared/vcpu.ts';
import { rows as a } from './a.ts';
import { rows as c } from './c.ts';
import { rows as zicsr } from './csr.ts';
import { rows as d } from './d.ts';
import { rows as f } from './f.ts';
import { rows as m } from './m.ts';
import { rows as privileged } from './privileged.ts';
import { rows as i } from './rv64i.ts';
import { F, hart, pmpaddr, pmpcfg, X } from './state.ts';
import { accessFault, translate } from './translate.ts';
import { causes, deliver, interrupt, raise } from './trap.ts';
import { rows as zawrs } from './zawrs.ts';
import { rows as zba } from './zba.ts';
import { rows as zbb } from './zbb.ts';
import { rows as zbc } from './zbc.ts';
import { rows as zbs } from './zbs.ts';
import { zicbomRows } from './zicbom.ts';
import { rows as zicboz } from './zicboz.ts';
import { rows as zicond } from './zicond.ts';
import { rows as zifencei } from './zifencei.ts';

// oxfmt-ignore
const rows: readonly Row[] = [
  ...i, ...m, ...a, ...f, ...d, ...c, ...zicsr, ...zifencei, ...zba, ...zbb, ...zbc, ...zbs, ...zicond,
  ...zicbomRows(translate), ...zicboz, ...zawrs, ...privileged,
];

/** What the device tree announces (Linux Documentation/devicetree/bindings/riscv/extensions.yaml). */
// oxfmt-ignore
export const extensions = [
  'i', 'm', 'a', 'f', 'd', 'c', 'zicbom', 'zicboz', 'zicntr', 'zicond', 'zicsr', 'zifencei', 'zihintpause',
  'zawrs', 'zba', 'zbb', 'zbc', 'zbs', 'sstc', 'svinval', 'svnapot', 'svpbmt',
] as const;

/** The widest mode of translation. */
export const mmu = 'sv48';

const decodeShort = decoderOf(rows.filter((row) => row.length === 2));
const decodeLong = decoderOf(rows.filter((row) => row.length === 4));
const ALL_ONES = (1n << 64n) - 1n;

export const riscv64: Isa = {
  name: 'riscv64',
  rows,
  decode: (word) => ((word & 3) === 3 ? decodeLong(word) : decodeShort(word & 0xffff)),
  lengthOf: (halfword) => ((halfword & 3) === 3 ? 4 : 2),
  registerFiles: [X, F, pmpcfg, pmpaddr],
  // ra and t0 (Unprivileged ISA, table of return-address prediction hints).
  linkRegisters: [
    { file: X, index: 1 },
    { file: X, index: 5 },
  ],
  cells: { ...vcpu, ...hart },
  illegal: (s, word) => raise(s, causes.illegalInstruction, word),
  translate,
  accessFault,
  raise: deliver,
  interrupt,
  reset,
};

/** Reset: machine mode, translation off, nothing enabled (Privileged ISA, section 3.4). */
function reset(state: VcpuState, number: number): void {
  for (const cell of Object.values(hart)) state.set(cell, 0n);
  for (const file of [X, F, pmpcfg, pmpaddr]) {
    for (let index = 0; index < file.count; index++) state.setRegister(file, index, 0n);
  }
  state.set(hart.mhartid, BigInt(number));
  state.set(hart.reservation, ALL_ONES);
  state.set(hart.stimecmp, ALL_ONES);
  setMode(state, 3n);
}

/** Sets the mode with the TLB tags of a hart without translation. */
function setMode(state: VcpuState, mode: bigint): void {
  state.set(hart.mode, mode);
  const tag = mode === 3n ? 0n : 8n;
  state.set(vcpu.dataTag, tag);
  state.set(vcpu.fetchTag, tag);
}

const PMP_ENTRIES = 16n;

/** After reset: begins a bare-metal program in machine mode, with PMP. */
export function enterMachine(state: VcpuState, start: { readonly pc: bigint }): void {
  state.set(vcpu.pc, start.pc);
  state.set(hart.pmpEntries, PMP_ENTRIES);
  state.set(hart.pmpChecked, 1n);
}

/** SSI, STI, SEI. */
const SUPERVISOR_INTERRUPTS = 0x222n;

/** CY, TM, IR: firmware leaves them on for user mode, and kernels that use no PMU of the SBI count on it. */
const USER_COUNTERS = 7n;

/** STCE, PBMTE, CBZE, CBCFE, CBIE (flush). */
const MENVCFG = (1n << 63n) | (1n << 62n) | 0xd0n;

/**
 * After reset: begins a supervisor as SBI does (Linux Documentation/arch/riscv/boot.rst). Below it is the VM instead of
 * machine mode: every trap is the supervisor's own, and its calls leave the executor.
 */
export function enterSupervisor(
  state: VcpuState,
  start: { readonly pc: bigint; readonly a0: bigint; readonly a1: bigint },
): void {
  state.set(vcpu.pc, start.pc);
  state.setRegister(X, 10, start.a0);
  state.setRegister(X, 11, start.a1);
  state.set(hart.firmware, 1n);
  state.set(hart.medeleg, ALL_ONES);
  state.set(hart.mideleg, SUPERVISOR_INTERRUPTS);
  state.set(hart.mcounteren, 0xffff_ffffn);
  state.set(hart.scounteren, USER_COUNTERS);
  state.set(hart.menvcfg, MENVCFG);
  state.set(hart.satp, 0n);
  state.set(hart.mstatus, 0n);
  setMode(state, 1n);
}
