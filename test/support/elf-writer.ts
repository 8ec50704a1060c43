// Writes executables for tests: what the ELF specification asks for at least, one program header for each segment.

/** Bytes at an address, followed by zeros up to `memoryBytes`. All segments may be read, written and executed. */
export interface Segment {
  /** A multiple of 4096. */
  readonly address: number;
  readonly bytes: Uint8Array;
  /** At least the length of `bytes`. */
  readonly memoryBytes: number;
}

const HEADER = 64;
const PROGRAM_HEADER = 56;
const PAGE = 4096;
const EXECUTABLE = 2;
const LOAD = 1;
const READ_WRITE_EXECUTE = 7;
/** e_flags: compressed instructions, double-precision arguments in registers. */
const RISCV_RVC_DOUBLE = 5;

/** A statically linked 64-bit little-endian executable for `machine` (e_machine). */
export function writeElf(machine: number, entry: number, segments: readonly Segment[]): Uint8Array {
  const headers = HEADER + segments.length * PROGRAM_HEADER;
  let end = Math.ceil(headers / PAGE) * PAGE;
  const placed = segments.map((segment) => {
    const offset = end;
    end += Math.ceil(segment.bytes.length / PAGE) * PAGE;
    return { ...segment, offset };
  });
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // class 64, little-endian, version 1
  view.setUint16(16, EXECUTABLE, true);
  view.setUint16(18, machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(HEADER), true); // program headers follow
  view.setUint32(48, RISCV_RVC_DOUBLE, true);
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, segments.length, true);
  for (const [i, { address, bytes, memoryBytes, offset }] of placed.entries()) {
    const at = HEADER + i * PROGRAM_HEADER;
    view.setUint32(at, LOAD, true);
    view.setUint32(at + 4, READ_WRITE_EXECUTE, true);
    for (const [j, value] of [
      offset,
      address,
      address,
      bytes.length,
      memoryBytes,
      PAGE,
    ].entries()) {
      view.setBigUint64(at + 8 + 8 * j, BigInt(value), true);
    }
    file.set(bytes, offset);
  }
  return file;
}
