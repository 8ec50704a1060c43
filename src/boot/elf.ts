// ELF64 executables for bare-metal machines: parsing, and loading by physical address.
// System V ABI, chapters 4 (object files, symbol table) and 5 (program header); e_machine values as
// registered with the ABI.
//
// Only what a machine without a loader of its own can run is accepted: 64-bit, little-endian,
// linked at a fixed address. Invariant: every offset and count of the file is checked before use,
// so a damaged or hostile file gives an `ElfError` and nothing else.

import { IsolaError } from '../std/error.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { hex } from '../std/range.ts';

/** A file that is no executable this machine can run; the message says what to do. */
export class ElfError extends IsolaError {
  override readonly name = 'ElfError';
}

/** A PT_LOAD program header. Addresses are guest physical ones, sizes bytes. */
interface ElfSegment {
  readonly physicalAddress: number;
  readonly virtualAddress: bigint;
  readonly fileOffset: number;
  readonly fileSize: number;
  /** At least `fileSize`; the rest is zero. */
  readonly memorySize: number;
}

interface ElfSymbol {
  readonly value: bigint;
  readonly size: bigint;
}

export interface ElfFile {
  /** e_machine. */
  readonly machine: number;
  /** e_entry as it stands in the file. */
  readonly entry: bigint;
  readonly segments: readonly ElfSegment[];
  /** Named, defined symbols of .symtab; global ones hide local ones. Empty if stripped. */
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
}

/** An executable in guest memory. Addresses are guest physical ones. */
export interface LoadedElf {
  readonly entry: number;
  /** Physical addresses of the symbols that lie in a loaded segment. */
  readonly symbols: ReadonlyMap<string, number>;
}

/** e_machine of the guests there are, and of files users are likely to confuse them with. */
export const elfMachine = {
  i386: 3,
  arm: 40,
  'x86-64': 62,
  arm64: 183,
  riscv64: 243,
  loongarch: 258,
} as const;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const MAGIC = 0x7f454c46; // "\x7fELF", big-endian
const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const TYPE_EXECUTABLE = 2;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;
const SHN_ABS = 0xfff1;
const STB_LOCAL = 0;
const SYMBOL_TYPES_NAMED = 2; // no type, object, function; above: section, file, …

/** Whether the bytes begin like an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && viewOf(bytes).getUint32(0) === MAGIC;
}

/** The name of an e_machine value, for messages. */
export function elfMachineName(machine: number): string {
  const known = Object.entries(elfMachine).find(([, value]) => value === machine);
  return known === undefined ? `machine number ${machine}` : known[0];
}

/** Parses an executable. Throws `ElfError`. */
export function readElf(bytes: Uint8Array): ElfFile {
  if (!isElf(bytes))
    throw new ElfError('not an ELF file; give an executable linked for the machine');
  const file = new ElfReader(bytes);
  checkIdentification(file);
  return {
    machine: file.u16(18),
    entry: file.u64(24),
    segments: readSegments(file),
    symbols: readSymbols(file),
  };
}

/**
 * Copies the segments of an executable for `machine` into guest memory, zeroes what the file leaves
 * out, and finds the physical entry point. Throws `ElfError` before anything is written.
 */
export function loadElf(memory: GuestMemory, file: Uint8Array, machine: number): LoadedElf {
  const elf = readElf(file);
  if (elf.machine !== machine) {
    throw new ElfError(
      `an executable for ${elfMachineName(elf.machine)}, and this machine is ` +
        `${elfMachineName(machine)}; give one built for it`,
    );
  }
  const targets = elf.segments.map((segment) => {
    const target = memory.bytes(segment.physicalAddress, segment.memorySize);
    if (target !== undefined) return { segment, target };
    throw new ElfError(
      `a segment occupies ${hex(segment.physicalAddress)} to ` +
        `${hex(segment.physicalAddress + segment.memorySize)}, which is not all RAM; ` +
        'link it where the machine has RAM, or give the machine more memory',
    );
  });
  const entry = physicalAddress(elf, elf.entry);
  if (entry === undefined) {
    throw new ElfError(`its entry point ${hex(elf.entry)} lies in none of its segments; relink it`);
  }
  for (const { segment, target } of targets) {
    target.set(file.subarray(segment.fileOffset, segment.fileOffset + segment.fileSize));
    target.fill(0, segment.fileSize);
    memory.wrote(segment.physicalAddress, segment.memorySize);
  }
  const symbols = new Map<string, number>();
  for (const [name, { value }] of elf.symbols) {
    const address = physicalAddress(elf, value);
    if (address !== undefined) symbols.set(name, address);
  }
  return { entry, symbols };
}

/**
 * Where a link address is in physical memory. A value that already is a physical address of the
 * file stays what it is: boot code linked high often gives its entry point so.
 */
function physicalAddress(elf: ElfFile, value: bigint): number | undefined {
  for (const segment of elf.segments) {
    const start = BigInt(segment.physicalAddress);
    if (value >= start && value < start + BigInt(segment.memorySize)) return Number(value);
  }
  for (const segment of elf.segments) {
    const offset = value - segment.virtualAddress;
    if (offset >= 0n && offset < BigInt(segment.memorySize)) {
      return segment.physicalAddress + Number(offset);
    }
  }
  return undefined;
}

const typeAdvice: Readonly<Record<number, string>> = {
  1: 'an object file, not yet linked; link it into an executable',
  3: 'a position-independent executable or shared library; link it with -static -no-pie',
  4: 'a core dump; give an executable',
};

function checkIdentification(file: ElfReader): void {
  if (file.u8(4) !== CLASS_64) throw new ElfError('a 32-bit ELF file; give a 64-bit executable');
  if (file.u8(5) !== DATA_LITTLE_ENDIAN) {
    throw new ElfError('a big-endian ELF file; give a little-endian executable');
  }
  const type = file.u16(16);
  if (type !== TYPE_EXECUTABLE) {
    throw new ElfError(
      typeAdvice[type] ?? `an ELF file of unknown type ${type}; give an executable`,
    );
  }
}

function readSegments(file: ElfReader): ElfSegment[] {
  const segments: ElfSegment[] = [];
  for (const at of file.table('program header', file.u64(32), file.u16(54), file.u16(56))) {
    if (file.u32(at) !== PT_LOAD || file.u64(at + 40) === 0n) continue;
    const segment = {
      fileOffset: file.size(at + 8),
      virtualAddress: file.u64(at + 16),
      physicalAddress: file.size(at + 24),
      fileSize: file.size(at + 32),
      memorySize: file.size(at + 40),
    };
    if (segment.fileSize > segment.memorySize) {
      throw new ElfError('a segment is larger in the file than in memory; the file is damaged');
    }
    file.need(segment.fileOffset, segment.fileSize, 'a segment');
    segments.push(segment);
  }
  if (segments.length === 0) throw new ElfError('there is nothing to load in it; link it again');
  return segments;
}

function readSymbols(file: ElfReader): Map<string, ElfSymbol> {
  const symbols = new Map<string, ElfSymbol>();
  const sections = file.table('section header', file.u64(40), file.u16(58), file.u16(60));
  const symtab = sections.find((at) => file.u32(at + 4) === SHT_SYMTAB);
  if (symtab === undefined) return symbols;
  const strtab = sections[file.u32(symtab + 40)]; // sh_link
  if (strtab === undefined)
    throw new ElfError('its symbol table has no names; the file is damaged');

  const namesAt = file.size(strtab + 24);
  const namesEnd = namesAt + file.need(namesAt, file.size(strtab + 32), 'the symbol names');
  const tableAt = file.size(symtab + 24);
  const tableEnd = tableAt + file.need(tableAt, file.size(symtab + 32), 'the symbol table');
  const globals = new Set<string>();
  for (let at = tableAt; at + SYMBOL_BYTES <= tableEnd; at += SYMBOL_BYTES) {
    const nameAt = namesAt + file.u32(at);
    const section = file.u16(at + 6);
    const defined = section !== SHN_UNDEF && (section < SHN_LORESERVE || section === SHN_ABS);
    const info = file.u8(at + 4);
    if (!defined || (info & 0xf) > SYMBOL_TYPES_NAMED || nameAt >= namesEnd) continue;
    const name = file.text(nameAt, namesEnd);
    const local = info >> 4 === STB_LOCAL;
    if (name === '' || (local && globals.has(name))) continue;
    if (!local) globals.add(name);
    symbols.set(name, { value: file.u64(at + 8), size: file.u64(at + 16) });
  }
  return symbols;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Little-endian reads that end in an `ElfError` outside the file. */
class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.need(0, HEADER_BYTES, 'the header');
  }

  /** Checks that a part of the file is there, and answers its length. */
  need(offset: number, length: number, what: string): number {
    if (offset + length > this.#bytes.length) {
      throw new ElfError(`truncated: ${what} ends beyond the file; fetch or build it again`);
    }
    return length;
  }

  u8(offset: number): number {
    this.need(offset, 1, 'a field');
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.need(offset, 2, 'a field');
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.need(offset, 4, 'a field');
    return this.#view.getUint32(offset, true);
  }

  u64(offset: number): bigint {
    this.need(offset, 8, 'a field');
    return this.#view.getBigUint64(offset, true);
  }

  /** A 64-bit offset, size or physical address, which no sensible file has beyond 2^52. */
  size(offset: number): number {
    const value = this.u64(offset);
    if (value >= 1n << 52n) {
      throw new ElfError(`${hex(value)} is beyond any machine's memory; the file is damaged`);
    }
    return Number(value);
  }

  /** File offsets of the entries of a header table. */
  table(what: string, tableAt: bigint, entryBytes: number, count: number): number[] {
    if (count === 0) return [];
    const least = what === 'section header' ? SECTION_HEADER_BYTES : PROGRAM_HEADER_BYTES;
    if (entryBytes < least) throw new ElfError(`its ${what}s are too short; the file is damaged`);
    const start = tableAt < 1n << 52n ? Number(tableAt) : Number.MAX_SAFE_INTEGER / 2;
    this.need(start, entryBytes * count, `the ${what} table`);
    return Array.from({ length: count }, (_, index) => start + index * entryBytes);
  }

  text(offset: number, end: number): string {
    const terminator = this.#bytes.subarray(offset, end).indexOf(0);
    const stop = terminator < 0 ? end : offset + terminator;
    let text = '';
    for (const byte of this.#bytes.subarray(offset, stop)) text += String.fromCharCode(byte);
    return text;
  }
}
