import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { decompress } from '../host/node/codecs.ts';
import { GuestMemory } from '../memory/guest-memory.ts';
import {
  checkCommandLine,
  DEVICE_TREE_BYTES_MAX,
  KernelError,
  placeLinux,
  planLinux,
  readLinuxImage,
} from './linux-image.ts';
import type { LinuxImage } from './linux-image.ts';

const MIB = 0x10_0000;
const FILE_BYTES = 0x400;

interface Header {
  magic?: string;
  textOffset?: bigint;
  imageSize?: bigint;
  flags?: bigint;
}

/** A kernel Image that is a PE file of one section, as the EFI stub makes it. */
function buildImage(header: Header = {}): Uint8Array {
  const { magic = 'RSC\x05', textOffset = 0x20_0000n, imageSize = 0x1000n, flags = 0n } = header;
  const bytes = new Uint8Array(FILE_BYTES).fill(0x5a);
  const view = new DataView(bytes.buffer);
  put(bytes, 0, 'MZ');
  view.setBigUint64(8, textOffset, true);
  view.setBigUint64(16, imageSize, true);
  view.setBigUint64(24, flags, true);
  put(bytes, 56, magic);
  view.setUint32(60, 64, true);
  put(bytes, 64, 'PE\0\0');
  view.setUint16(68, 0x5064, true);
  view.setUint16(70, 1, true); // sections
  view.setUint16(84, 0, true); // bytes of optional header
  view.setUint32(88 + 16, 0x300, true); // raw size and offset of the section
  view.setUint32(88 + 20, 0x100, true);
  return bytes;
}

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(
    Array.from(text, (character) => character.charCodeAt(0)),
    at,
  );
}

/** A file that begins with these characters, one byte each. */
function file(text: string, at = 0, length = 0x1000): Uint8Array {
  const bytes = new Uint8Array(Math.max(length, at + text.length));
  put(bytes, at, text);
  return bytes;
}

const read = (bytes: Uint8Array): Promise<LinuxImage> =>
  readLinuxImage(bytes, 'riscv64', decompress);

test('the header says where the kernel goes and how much memory it needs', async () => {
  const bytes = buildImage();
  assert.deepEqual(await read(bytes), {
    architecture: 'riscv64',
    bytes,
    textOffset: 0x20_0000,
    imageSize: 0x1000,
  });
});

test('an image larger than it says gets the room of its file', async () => {
  assert.equal((await read(buildImage({ imageSize: 1n }))).imageSize, FILE_BYTES);
});

for (const [kind, pack] of [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const) {
  test(`a kernel packed with ${kind} is unpacked`, async () => {
    const image = await read(pack(buildImage()));
    assert.deepEqual(new Uint8Array(image.bytes), buildImage());
  });

  test(`a kernel packed with ${kind} and truncated is refused`, async () => {
    const packed = pack(buildImage());
    await assert.rejects(read(packed.subarray(0, packed.length - 9)), {
      name: 'KernelError',
      message:
        `the kernel is packed with ${kind} and cannot be unpacked: ` +
        'it is damaged or truncated; fetch it again',
    });
  });

  test(`an EFI zboot kernel packed with ${kind} is unpacked`, async () => {
    const packed = pack(buildImage());
    const zboot = new Uint8Array(0x80 + packed.length + 4);
    put(zboot, 0, 'MZ\0\0zimg');
    new DataView(zboot.buffer).setUint32(8, 0x80, true);
    new DataView(zboot.buffer).setUint32(12, packed.length, true);
    zboot.set(packed, 0x80);
    assert.equal((await read(zboot)).textOffset, 0x20_0000);
    await assert.rejects(read(zboot.subarray(0, 0x90)), /truncated/);
  });
}

const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    'an empty file',
    new Uint8Array(),
    /^the kernel file is empty; give the Image or vmlinuz of a riscv64/,
  ],
  ['a few bytes', buildImage().subarray(0, 40), /has only 40 bytes: it is truncated/],
  ['a truncated image', buildImage().subarray(0, FILE_BYTES - 1), /^the kernel is truncated/],
  ['an image cut in its PE header', buildImage().subarray(0, 70), /^the kernel is truncated/],
  [
    'an arm64 image',
    buildImage({ magic: 'ARM\x64' }),
    /^this kernel is for arm64; the machine is riscv64/,
  ],
  ['a bzImage', file('HdrS', 0x202), /a bzImage, a kernel for x86-64; give/],
  ['an EFI program', buildImage({ magic: '....' }), /an EFI program for riscv64; give/],
  [
    'a vmlinux',
    file('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0'),
    /an ELF file for riscv64 \(a vmlinux\?\)/,
  ],
  ['half a vmlinux', file('\x7fELF', 0, 4), /an ELF file/],
  ['an initramfs', file('070701'), /an initramfs archive; give it as the initrd/],
  ['a file packed with xz', file('\xfd7zXZ\0'), /packed with xz; unpack it with `xz -d`/],
  ['a Debian package', file('!<arch>\n'), /an archive \(a .deb\?\); give the vmlinuz inside/],
  ['a CD', file('CD001', 0x8001), /a CD image/],
  ['something else', file('hello'), /neither an Image nor anything else/],
  ['a big-endian kernel', buildImage({ flags: 1n }), /^a big-endian riscv64 kernel/],
  ['a kernel without a size', buildImage({ imageSize: 0n }), /does not say how much memory/],
  ['an absurd header', buildImage({ textOffset: 1n << 60n }), /makes no sense/],
];

for (const [what, bytes, message] of refused) {
  test(`${what} is refused`, async () => {
    await assert.rejects(read(bytes), { name: 'KernelError', message });
  });
}

test('whatever the file holds, reading gives an image or a KernelError', async () => {
  const start = fc.constantFrom('', 'MZ', 'MZ\0\0zimg', '\x1f\x8b', '(\xb5/\xfd', '\x7fELF');
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (magic, bytes) => {
      put(bytes, 0, magic.slice(0, bytes.length));
      if (bytes.length >= 60) put(bytes, 56, 'RSC\x05');
      await read(bytes).catch((error: unknown) => assert.ok(error instanceof KernelError));
    }),
    { numRuns: 200 },
  );
});

const image: LinuxImage = {
  architecture: 'riscv64',
  bytes: buildImage(),
  textOffset: 2 * MIB,
  imageSize: 3 * MIB,
};

test('kernel, device tree and initramfs lie apart, aligned and inside RAM', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: FILE_BYTES, max: 40 * MIB }),
      fc.integer({ min: 1, max: DEVICE_TREE_BYTES_MAX }),
      fc.nat(40 * MIB),
      fc.integer({ min: 1, max: 100 }),
      (imageSize, treeBytes, initrdBytes, ramMib) => {
        const ram = { address: 0x8000_0000, size: ramMib * MIB };
        const plan = () => planLinux({ ...image, imageSize }, ram, treeBytes, initrdBytes);
        const needed = 2 * MIB + imageSize + treeBytes + initrdBytes;
        if (needed > ram.size) {
          assert.throws(plan, KernelError);
          return;
        }
        if (needed + 2 * MIB + 0x1000 > ram.size) return; // alignment decides
        const { kernel, deviceTree, initrd } = plan();
        assert.equal(kernel.address, 0x8020_0000);
        assert.ok(deviceTree.address >= kernel.address + kernel.size);
        assert.equal(deviceTree.address % (2 * MIB), 0);
        assert.equal(initrd === undefined, initrdBytes === 0);
        const last = initrd ?? deviceTree;
        if (initrd) assert.ok(initrd.address >= deviceTree.address + treeBytes);
        assert.equal((initrd?.address ?? 0) % 0x1000, 0);
        assert.ok(last.address + last.size <= ram.address + ram.size);
      },
    ),
  );
});

test('RAM that is too small is refused with what would do', () => {
  assert.throws(() => planLinux(image, { address: 0x8000_0000, size: 4 * MIB }, 2000, 0), {
    name: 'KernelError',
    message:
      'the kernel takes 7 MiB, and the machine has 4 MiB of memory; ' +
      'give it more (twice as much is a good start: 14 MiB)',
  });
});

test('an initramfs that does not fit is named', () => {
  const ram = { address: 0x8000_0000, size: 64 * MIB };
  assert.throws(
    () => planLinux(image, ram, 2000, 100 * MIB),
    /kernel and its initramfs take 107 MiB/,
  );
});

test('a kernel off the 2 MiB grid and a huge device tree are refused', () => {
  const ram = { address: 0x8000_0000, size: 64 * MIB };
  assert.throws(
    () => planLinux({ ...image, textOffset: 0x1000 }, ram, 2000, 0),
    /multiple of 2 MiB/,
  );
  assert.throws(() => planLinux(image, ram, DEVICE_TREE_BYTES_MAX + 1, 0), /device tree has/);
});

test('placing copies every part and clears the .bss', () => {
  const ram = new Uint8Array(8 * MIB).fill(0xff);
  const memory = new GuestMemory(ram.buffer, 0, 0x8000_0000, ram.length);
  const tree = Uint8Array.of(1, 2, 3);
  const initrd = Uint8Array.of(4, 5);
  const layout = planLinux(image, { address: memory.base, size: memory.size }, 3, 2);
  placeLinux(memory, layout, image, tree, initrd);
  assert.deepEqual(ram.slice(2 * MIB, 2 * MIB + FILE_BYTES), image.bytes);
  assert.deepEqual([ram[2 * MIB + FILE_BYTES], ram[5 * MIB - 1], ram[5 * MIB]], [0, 0, 0xff]);
  assert.deepEqual(memory.bytes(layout.deviceTree.address, 3), tree);
  assert.deepEqual(memory.bytes(layout.initrd?.address ?? 0, 2), initrd);
});

test('a command line is refused when a kernel would cut it off', () => {
  checkCommandLine('x'.repeat(1023), 'riscv64');
  assert.throws(
    () => checkCommandLine('x'.repeat(1024), 'riscv64'),
    /1024 bytes.*only 1023; shorten/,
  );
  assert.throws(() => checkCommandLine('é'.repeat(512), 'riscv64'), /1024 bytes/);
  checkCommandLine('x'.repeat(2047), 'arm64');
  assert.throws(() => checkCommandLine('a\0b', 'riscv64'), /NUL/);
});
