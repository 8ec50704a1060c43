// What the core says of itself: the identification registers. DDI 0487, D19.2 (ID_AA64*_EL1).
//
// The choice keeps a stock kernel on its fast paths: no AArch32; CSV2, CSV3 and E0PD, so that it needs no page tables
// of its own for user mode; LSE, so that atomics are one instruction; an implementer for which no errata are known.

import type { Encoding } from './system-registers.ts';

/** Ticks a second of the system counter. */
export const TIMER_HZ = 62_500_000n;

interface Identification {
  readonly encoding: Encoding;
  readonly value: bigint;
}

/** A value made of four-bit fields, by the number of their lowest bit. */
const fields = (values: Readonly<Record<number, number>>): bigint =>
  Object.entries(values).reduce((all, [bit, value]) => all | (BigInt(value) << BigInt(bit)), 0n);

const id = (
  crm: number,
  op2: number,
  values: Readonly<Record<number, number>>,
): Identification => ({
  encoding: [3, 0, 0, crm, op2],
  value: fields(values),
});

/** EL0, EL1 in AArch64; GIC system registers; CSV2; CSV3. */
const PFR0 = { 0: 1, 4: 1, 24: 1, 56: 1, 60: 1 };
/** Debug architecture 8.0; two breakpoints, two watchpoints. */
const DFR0 = { 0: 6, 12: 1, 20: 1 };
/** AES with PMULL, SHA1, SHA256, CRC32, LSE, RDM, DotProd. */
const ISAR0 = { 4: 2, 8: 1, 12: 1, 16: 1, 20: 2, 28: 1, 44: 1 };
/** 40 bits of physical address, ASIDs of 8 bits, no granule of 16 or 64 KiB. */
const MMFR0 = { 0: 2, 24: 0xf };
/** Hardware update of access flag and dirty state, PAN. */
const MMFR1 = { 0: 2, 20: 1 };
/** E0PD. */
const MMFR2 = { 60: 1 };

const known: Readonly<Record<string, Identification>> = {
  midr_el1: { encoding: [3, 0, 0, 0, 0], value: 0x000f_0510n },
  revidr_el1: { encoding: [3, 0, 0, 0, 6], value: 0n },
  id_aa64pfr0_el1: id(4, 0, PFR0),
  id_aa64dfr0_el1: id(5, 0, DFR0),
  id_aa64isar0_el1: id(6, 0, ISAR0),
  id_aa64mmfr0_el1: id(7, 0, MMFR0),
  id_aa64mmfr1_el1: id(7, 1, MMFR1),
  id_aa64mmfr2_el1: id(7, 2, MMFR2),
  // Caches of one level, of data and instructions, coherent with each other.
  clidr_el1: { encoding: [3, 1, 0, 0, 1], value: 0x0920_0003n },
  aidr_el1: { encoding: [3, 1, 0, 0, 7], value: 0n },
};

const names: Readonly<Record<string, readonly [crm: number, op2: number]>> = {
  id_aa64pfr1_el1: [4, 1],
  id_aa64pfr2_el1: [4, 2],
  id_aa64zfr0_el1: [4, 4],
  id_aa64smfr0_el1: [4, 5],
  id_aa64fpfr0_el1: [4, 7],
  id_aa64dfr1_el1: [5, 1],
  id_aa64afr0_el1: [5, 4],
  id_aa64afr1_el1: [5, 5],
  id_aa64isar1_el1: [6, 1],
  id_aa64isar2_el1: [6, 2],
  id_aa64isar3_el1: [6, 3],
  id_aa64mmfr3_el1: [7, 3],
  id_aa64mmfr4_el1: [7, 4],
};

/**
 * Every register of the space reads as zero where nothing is known of it, so that kernels may look for new features.
 */
function reserved(): Readonly<Record<string, Identification>> {
  const name = (crm: number, op2: number): string =>
    Object.entries(names).find(([, [m, two]]) => m === crm && two === op2)?.[0] ??
    `s3_0_c0_c${crm}_${op2}`;
  const taken = new Set(Object.values(known).map(({ encoding }) => encoding.join()));
  const all = [1, 2, 3, 4, 5, 6, 7].flatMap((crm) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((op2) => [name(crm, op2), id(crm, op2, {})] as const),
  );
  return Object.fromEntries(all.filter(([, { encoding }]) => !taken.has(encoding.join())));
}

/** The read-only registers with values known from the beginning, by name. */
export const identification: Readonly<Record<string, Identification>> = { ...known, ...reserved() };
