// Fields of mstatus. Privileged ISA, section 3.1.6.

export const SIE = 1n << 1n;
export const MIE = 1n << 3n;
export const SPIE = 1n << 5n;
export const MPIE = 1n << 7n;
export const SPP_SHIFT = 8n;
export const MPP_SHIFT = 11n;
export const FS = 3n << 13n;
export const MPRV = 1n << 17n;
export const SUM = 1n << 18n;
export const MXR = 1n << 19n;
export const TVM = 1n << 20n;
export const TW = 1n << 21n;
export const TSR = 1n << 22n;
/** UXL and SXL: both 64-bit, fixed. */
export const UXL = 2n << 32n;
export const SXL = 2n << 34n;
export const SD = 1n << 63n;
