// Linux kernels: recognising what a user gave, unpacking it, and placing kernel, initramfs and
// device tree in RAM. Linux Documentation/arch/riscv/{boot,boot-image-header}.rst,
// Documentation/arch/arm64/booting.rst; PE/COFF for the section table of EFI-stub images.
//
// Layout, from low to high: kernel at RAM base + text_offset (its image_size includes .bss), device
// tree in its own 2 MiB slot, initramfs on a page. Invariants: the parts do not overlap, lie in
// RAM, and nothing is written before all of them have a place. Every refusal is a `KernelError` of
// one line that says what the file is and what to do.

import { IsolaError } from '../std/error.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { hex } from '../std/range.ts';
import type { AddressRange } from '../std/range.ts';
import { elfMachineName, isElf } from './elf.ts';

/**
 * A kernel, initramfs or command line that cannot be booted; one line: what it is, and what to do.
 */
export class KernelError extends IsolaError {
  override readonly name = 'KernelError';
}

export type KernelArchitecture = 'riscv64' | 'arm64';
type Compression = 'gzip' | 'zstd';
/**
 * Unpacks a whole file; injected, because the platform has the codecs. Rejects when it is damaged.
 */
export type Decompress = (kind: Compression, bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface LinuxImage {
  readonly architecture: KernelArchitecture;
  /** The unpacked Image file. */
  readonly bytes: Uint8Array;
  /** Where it must lie, in bytes above a 2 MiB boundary of RAM. */
  readonly textOffset: number;
  /** Bytes of RAM it needs from there, .bss included; at least the length of the file. */
  readonly imageSize: number;
}

export interface LinuxLayout {
  readonly kernel: AddressRange;
  readonly deviceTree: AddressRange;
  /** Absent without an initramfs. */
  readonly initrd?: AddressRange;
}

const MIB = 0x10_0000;
const PAGE = 0x1000;
/** The granule kernels map themselves and their device tree with, before they have page tables. */
const HUGE_PAGE = 2 * MIB;
/** Kernels of both architectures map at most this much of device tree early. */
export const DEVICE_TREE_BYTES_MAX = 2 * MIB;

const IMAGE_HEADER_BYTES = 64;
const MAGIC_AT = 56;
const FLAG_BIG_ENDIAN = 1n;

/**
 * Bytes of command line a kernel keeps, terminating NUL included; it silently cuts off the rest.
 */
const commandLineBytes: Readonly<Record<KernelArchitecture, number>> = {
  riscv64: 1024,
  arm64: 2048,
};

/**
 * Reads a kernel file: an Image, one packed with gzip or zstd, or an EFI zboot image.
 * Throws `KernelError` unless it is a whole kernel for `architecture`.
 */
export async function readLinuxImage(
  file: Uint8Array,
  architecture: KernelArchitecture,
  decompress: Decompress,
): Promise<LinuxImage> {
  const bytes = await unpack(file, decompress);
  const found = imageArchitecture(bytes);
  if (found === undefined) throw new KernelError(describeForeignFile(bytes, architecture));
  if (found !== architecture) {
    throw new KernelError(
      `this kernel is for ${found}; the machine is ${architecture}: give a kernel for it, ` +
        'or choose another machine',
    );
  }
  checkWhole(bytes);
  return readHeader(bytes, architecture);
}

/**
 * Throws `KernelError` if the kernel would cut the command line off, or could not see all of it.
 */
export function checkCommandLine(commandLine: string, architecture: KernelArchitecture): void {
  if (commandLine.includes('\0')) {
    throw new KernelError('the kernel command line contains a NUL character; remove it');
  }
  const length = new TextEncoder().encode(commandLine).length;
  const most = commandLineBytes[architecture] - 1;
  if (length > most) {
    throw new KernelError(
      `the kernel command line has ${length} bytes, and a ${architecture} kernel keeps ` +
        `only ${most}; shorten it`,
    );
  }
}

/**
 * Decides where everything goes. `deviceTreeBytes` is the size of the tree with the initramfs range
 * in it (which does not depend on the values). Throws `KernelError` when RAM is too small.
 */
export function planLinux(
  image: LinuxImage,
  ram: AddressRange,
  deviceTreeBytes: number,
  initrdBytes: number,
): LinuxLayout {
  const kernel = { address: ram.address + image.textOffset, size: image.imageSize };
  if (image.architecture === 'riscv64' && kernel.address % HUGE_PAGE !== 0) {
    throw new KernelError(
      `the kernel asks to be loaded at offset ${hex(image.textOffset)}, which is not a ` +
        'multiple of 2 MiB; the file is damaged: fetch it again',
    );
  }
  if (deviceTreeBytes > DEVICE_TREE_BYTES_MAX) {
    throw new KernelError(
      `the device tree has ${deviceTreeBytes} bytes, and a kernel can take ` +
        `${DEVICE_TREE_BYTES_MAX}; give the machine fewer devices`,
    );
  }
  const deviceTree = { address: align(end(kernel), HUGE_PAGE), size: deviceTreeBytes };
  const initrd = { address: align(end(deviceTree), PAGE), size: initrdBytes };
  const last = initrdBytes > 0 ? initrd : deviceTree;
  if (end(last) > end(ram)) {
    const needed = Math.ceil((end(last) - ram.address) / MIB);
    const packed = initrdBytes > 0 ? 'the kernel and its initramfs take' : 'the kernel takes';
    throw new KernelError(
      `${packed} ${needed} MiB, and the machine has ${Math.floor(ram.size / MIB)} MiB of memory; ` +
        `give it more (twice as much is a good start: ${2 * needed} MiB)`,
    );
  }
  return { kernel, deviceTree, ...(initrdBytes > 0 && { initrd }) };
}

/** Copies the parts to their places. The sizes must be those the layout was made with. */
export function placeLinux(
  memory: GuestMemory,
  layout: LinuxLayout,
  image: LinuxImage,
  deviceTree: Uint8Array,
  initrd: Uint8Array = new Uint8Array(),
): void {
  const place = (extent: AddressRange, bytes: Uint8Array, what: string): void => {
    const target = memory.bytes(extent.address, extent.size);
    if (target === undefined || bytes.length > extent.size) {
      throw new KernelError(`the ${what} does not fit the place planned for it`);
    }
    target.set(bytes);
    target.fill(0, bytes.length); // .bss of a kernel loaded over an earlier one
    memory.wrote(extent.address, extent.size);
  };
  place(layout.kernel, image.bytes, 'kernel');
  place(layout.deviceTree, deviceTree, 'device tree');
  if (layout.initrd !== undefined) place(layout.initrd, initrd, 'initramfs');
}

function align(address: number, granule: number): number {
  return Math.ceil(address / granule) * granule;
}

function end(extent: AddressRange): number {
  return extent.address + extent.size;
}

async function unpack(file: Uint8Array, decompress: Decompress): Promise<Uint8Array> {
  const packed = zbootPayload(file) ?? file;
  const kind = compressionOf(packed);
  if (kind === undefined) return packed;
  try {
    return await decompress(kind, packed);
  } catch (cause) {
    throw new KernelError(
      `the kernel is packed with ${kind} and cannot be unpacked: it is damaged or truncated; ` +
        'fetch it again',
      { cause },
    );
  }
}

function compressionOf(bytes: Uint8Array): Compression | undefined {
  if (startsWith(bytes, [0x1f, 0x8b])) return 'gzip';
  if (startsWith(bytes, [0x28, 0xb5, 0x2f, 0xfd])) return 'zstd';
  return undefined;
}

/** What an EFI zboot image carries (Linux include/linux/efi.h, `struct linux_efi_zboot_header`). */
function zbootPayload(file: Uint8Array): Uint8Array | undefined {
  if (!startsWith(file, text('MZ')) || !startsWith(file, text('zimg'), 4)) return undefined;
  if (file.length < IMAGE_HEADER_BYTES) throw truncated();
  const view = viewOf(file);
  const offset = view.getUint32(8, true);
  const size = view.getUint32(12, true);
  if (offset + size > file.length) throw truncated();
  const payload = file.subarray(offset, offset + size);
  if (compressionOf(payload) !== undefined) return payload;
  throw new KernelError(
    'an EFI zboot kernel packed with neither gzip nor zstd; unpack it and give the Image inside',
  );
}

function imageArchitecture(bytes: Uint8Array): KernelArchitecture | undefined {
  if (bytes.length < IMAGE_HEADER_BYTES) return undefined;
  if (startsWith(bytes, text('RSC\x05'), MAGIC_AT)) return 'riscv64';
  if (startsWith(bytes, text('ARM\x64'), MAGIC_AT)) return 'arm64';
  return undefined;
}

function readHeader(bytes: Uint8Array, architecture: KernelArchitecture): LinuxImage {
  const view = viewOf(bytes);
  const textOffset = view.getBigUint64(8, true);
  const imageSize = view.getBigUint64(16, true);
  const flags = view.getBigUint64(24, true);
  if (flags & FLAG_BIG_ENDIAN) {
    throw new KernelError(`a big-endian ${architecture} kernel; give a little-endian one`);
  }
  if (imageSize === 0n) {
    throw new KernelError('the kernel does not say how much memory it needs; give a newer one');
  }
  // Far beyond any kernel, and far below where numbers stop being exact.
  if (textOffset >= 1n << 40n || imageSize >= 1n << 40n) {
    throw new KernelError(
      'the header of the kernel makes no sense; the file is damaged: fetch it again',
    );
  }
  return {
    architecture,
    bytes,
    textOffset: Number(textOffset),
    imageSize: Math.max(Number(imageSize), bytes.length),
  };
}

/**
 * An Image does not give its own length in the file, but one with an EFI stub is a PE file too, and
 * its section table says where each section ends.
 */
function checkWhole(bytes: Uint8Array): void {
  if (!startsWith(bytes, text('MZ'))) return;
  const view = viewOf(bytes);
  const header = view.getUint32(60, true);
  if (header + 24 > bytes.length) throw truncated();
  if (!startsWith(bytes, text('PE\0\0'), header)) return;
  const count = view.getUint16(header + 6, true);
  const table = header + 24 + view.getUint16(header + 20, true);
  if (table + 40 * count > bytes.length) throw truncated();
  for (let at = table; at < table + 40 * count; at += 40) {
    const sectionEnd = view.getUint32(at + 16, true) + view.getUint32(at + 20, true);
    if (sectionEnd > bytes.length) throw truncated();
  }
}

function truncated(): KernelError {
  return new KernelError('the kernel is truncated: its end is missing; fetch it again');
}

const peMachines: Readonly<Record<number, string>> = {
  0x14c: 'i386',
  0x1c2: 'arm',
  0x5064: 'riscv64',
  0x6264: 'loongarch64',
  0x8664: 'x86-64',
  0xaa64: 'arm64',
};

/** Files with these bytes at the offset, and what to do; without advice: give a kernel instead. */
const foreignFiles: readonly {
  magic: readonly number[];
  at?: number;
  what: string;
  advice?: string;
}[] = [
  { magic: text('HdrS'), at: 0x202, what: 'a bzImage, a kernel for x86-64' },
  {
    magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a],
    what: 'packed with xz',
    advice: 'unpack it with `xz -d`',
  },
  { magic: text('BZh'), what: 'packed with bzip2', advice: 'unpack it with `bzip2 -d`' },
  { magic: [0x02, 0x21, 0x4c, 0x18], what: 'packed with lz4', advice: 'unpack it with `lz4 -d`' },
  { magic: [0x04, 0x22, 0x4d, 0x18], what: 'packed with lz4', advice: 'unpack it with `lz4 -d`' },
  { magic: [0x5d, 0x00, 0x00], what: 'packed with lzma', advice: 'unpack it with `unlzma`' },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], what: 'packed with lzop', advice: 'unpack it with `lzop -d`' },
  {
    magic: text('0707'),
    what: 'an initramfs archive',
    advice: 'give it as the initrd, not as the kernel',
  },
  { magic: [0x27, 0x05, 0x19, 0x56], what: 'a U-Boot uImage', advice: 'give the Image inside it' },
  { magic: [0xd0, 0x0d, 0xfe, 0xed], what: 'a device tree or FIT image' },
  { magic: text('ANDROID!'), what: 'an Android boot image', advice: 'give the Image inside it' },
  { magic: text('!<arch>'), what: 'an archive (a .deb?)', advice: 'give the vmlinuz inside it' },
  { magic: text('CD001'), at: 0x8001, what: 'a CD image', advice: 'give the vmlinuz inside it' },
  { magic: text('QFI\xfb'), what: 'a qcow2 disk', advice: 'give it as a disk, not as the kernel' },
];

/** One line for a file that is no kernel we know. */
function describeForeignFile(bytes: Uint8Array, wanted: KernelArchitecture): string {
  const give = `give the Image or vmlinuz of a ${wanted} Linux kernel`;
  if (bytes.length === 0) return `the kernel file is empty; ${give}`;
  if (isElf(bytes)) {
    const machine = bytes.length >= 20 ? viewOf(bytes).getUint16(18, true) : 0;
    const name = elfMachineName(machine);
    return `not a bootable kernel: an ELF file for ${name} (a vmlinux?); ${give}`;
  }
  for (const { magic, at, what, advice } of foreignFiles) {
    if (startsWith(bytes, magic, at)) return `not a bootable kernel: ${what}; ${advice ?? give}`;
  }
  const machine = peMachine(bytes);
  if (machine !== undefined) {
    const name = peMachines[machine] ?? 'an unknown machine';
    return `not a bootable kernel: an EFI program for ${name}; ${give}`;
  }
  if (bytes.length < IMAGE_HEADER_BYTES) {
    return `the kernel file has only ${bytes.length} bytes: it is truncated; ${give}`;
  }
  return `not a bootable kernel: neither an Image nor anything else that is known; ${give}`;
}

function peMachine(bytes: Uint8Array): number | undefined {
  if (bytes.length < IMAGE_HEADER_BYTES || !startsWith(bytes, text('MZ'))) return undefined;
  const header = viewOf(bytes).getUint32(60, true);
  if (header + 6 > bytes.length || !startsWith(bytes, text('PE\0\0'), header)) return undefined;
  return viewOf(bytes).getUint16(header + 4, true);
}

function startsWith(bytes: Uint8Array, magic: readonly number[], at = 0): boolean {
  return magic.every((byte, index) => bytes[at + index] === byte);
}

/** The bytes of Latin-1 text. */
function text(characters: string): number[] {
  return Array.from(characters, (character) => character.charCodeAt(0));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
