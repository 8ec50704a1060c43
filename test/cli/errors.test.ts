// Bad input to the command: each gives one clear line on standard error, nothing on standard output, and the exit
// code for it.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isola } from '../support/cli.ts';
import { programs } from '../support/riscv64-programs.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isola-cli-'));
  await writeFile(at('riscv64'), image('RSC\x05'));
  await writeFile(at('arm64'), image('ARM\x64'));
  await writeFile(at('truncated'), image('RSC\x05', 0x100_0000));
  await writeFile(at('truncated.gz'), gzipSync(image('RSC\x05')).subarray(0, -9));
  await writeFile(at('program'), programs.success);
  await writeFile(at('empty'), '');
  await writeFile(at('disk.img'), new Uint8Array(4096));
});
after(() => rm(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);

/** A kernel Image that is as little as a kernel can be: its headers, with one section of `sectionBytes`. */
function image(magic: string, sectionBytes = 0): Uint8Array {
  const bytes = Buffer.alloc(512);
  bytes.write('MZ');
  bytes.writeBigUInt64LE(1n << 21n, 8);
  bytes.writeBigUInt64LE(4096n, 16);
  bytes.write(magic, 56, 'latin1');
  bytes.writeUInt32LE(64, 60);
  bytes.write('PE', 64);
  bytes.writeUInt16LE(1, 70);
  bytes.writeUInt32LE(sectionBytes, 88 + 16);
  return bytes;
}

/** Arguments to `isola`, where @name is a file of the test; the exit code; what the line says. */
const cases: readonly [args: string, code: number, line: RegExp][] = [
  ['run --kernel @truncated', 1, /the kernel is truncated: its end is missing; fetch it again/],
  ['run --kernel @truncated.gz', 1, /packed with gzip.*damaged or truncated/],
  ['run --kernel @arm64', 1, /this kernel is for arm64; the machine is riscv64/],
  ['run --kernel @program', 1, /an ELF file for riscv64/],
  ['run --kernel @empty', 1, /the kernel file is empty/],
  ['run --kernel @nothing', 1, /the kernel .*nothing does not exist; check the path/],
  ['run --kernel /', 1, /the kernel \/ is a directory/],
  ['run --kernel @riscv64 --initrd @nothing', 1, /the initrd .*nothing does not exist/],
  ['run --kernel @riscv64 --disk @nothing', 1, /there is no disk image .*nothing/],
  ['run --kernel @riscv64 --disk /', 1, /\/ is a directory: give a raw disk image/],
  ['run --kernel @riscv64 --disk @empty', 1, /empty has 0 bytes/],
  ['run --kernel @riscv64 --disk @disk.img,overlay=/nowhere/delta', 1, /\/nowhere\/delta/],
  ['run --kernel @riscv64 --memory 100G', 1, /more than a VM can have; give at most \d+M/],
  ['run --kernel @riscv64 --memory 1001K', 1, /give a positive multiple of 4096/],
  ['run --kernel @riscv64 --memory 2M', 1, /the machine has 2 MiB of memory; give it more/],
  ['run --machine bare', 1, /the bare machine runs an ELF executable: give one/],
  ['run --machine bare --kernel @riscv64', 1, /ELF/],
  ['run --memory much', 2, /'much' is no size of memory; give one like 512M or 2G/],
  ['run --memory -5', 2, /no size of memory/],
  ['run --memory', 2, /argument missing/],
  ['run --disk @disk.img,readonly,snapshot', 2, /one of readonly, snapshot and overlay/],
  ['run --disk @disk.img,overlay=', 2, /not understood/],
  ['run --trace everything', 2, /there is no trace 'everything'/],
  ['run --timeout soon', 2, /a number of seconds/],
  ['run --engine steam', 2, /Allowed choices are/],
  ['run --arch sparc', 2, /Allowed choices are/],
  ['run --frobnicate', 2, /unknown option '--frobnicate' .*isola run --help/],
  ['run --memroy 1G', 2, /Did you mean --memory\?/],
  ['run something', 2, /too many arguments/],
  ['walk', 2, /unknown command 'walk' .*isola --help/],
  ['guest fetch', 2, /missing required argument 'arch'/],
  ['guest fetch sparc', 1, /there is no default guest for "sparc"/],
  ['guest path sparc', 1, /there is no default guest for "sparc"/],
];

for (const [args, code, line] of cases) {
  test(`isola ${args}`, async () => {
    const result = await isola(args.split(' ').map((arg) => arg.replace(/^@/, `${directory}/`)));
    assert.match(result.stderr, /^isola: error: [^\n]*\n$/);
    assert.match(result.stderr, line);
    assert.equal(result.stdout, '');
    assert.equal(result.code, code);
  });
}

test('a disk that may not be read', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may read every file');
  await chmod(at('disk.img'), 0);
  const result = await isola(['run', '--kernel', at('riscv64'), '--disk', at('disk.img')]);
  assert.match(result.stderr, /^isola: error: .*may not be read: check its permissions\n$/);
  assert.equal(result.code, 1);
  return undefined;
});

test('a machine without apt, and no guest in the cache', async () => {
  const env = { PATH: '/nonexistent', ISOLA_CACHE: at('cache') };
  const result = await isola(['run'], { env });
  assert.match(result.stderr, /no apt-config: pass .* --kernel and --initrd\n$/);
  assert.equal(result.code, 1);
});
