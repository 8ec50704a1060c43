// Bits of SPSR_EL1 and of the system control registers. DDI 0487, C5.2.18 (SPSR_EL1), D19.2 (SCTLR_EL1, TCR_EL1).

export const PAN = 1n << 22n;
export const IL = 1n << 20n;
/** D, A, I and F together; I alone. */
export const DAIF = 0xfn << 6n;
export const I_MASK = 1n << 7n;

export const sctlr = {
  M: 1n << 0n,
  /** EL0 may use DAIF. */
  UMA: 1n << 9n,
  /** EL0 may use DC ZVA, CTR_EL0, WFI, WFE, and clean and invalidate caches. */
  DZE: 1n << 14n,
  UCT: 1n << 15n,
  nTWI: 1n << 16n,
  nTWE: 1n << 18n,
  UCI: 1n << 26n,
  WXN: 1n << 19n,
  /** An exception leaves PAN as it is. */
  SPAN: 1n << 23n,
  /** RES1 and what else is set at reset. */
  RESET: 0x30d0_0800n,
} as const;

export const tcr = {
  T0SZ: 0n,
  EPD0: 1n << 7n,
  T1SZ: 16n,
  A1: 1n << 22n,
  EPD1: 1n << 23n,
  TBI0: 1n << 37n,
  TBI1: 1n << 38n,
  HA: 1n << 39n,
  HD: 1n << 40n,
  E0PD0: 1n << 55n,
  E0PD1: 1n << 56n,
} as const;
