// The stock Debian kernel at its shell with hot code translated: commands, a disk, power-off.

import { equal, match } from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Vm } from '../../src/host/node/index.ts';
import { withoutJudges } from '../support/judges.ts';

const PROMPT = 'isola:~# ';
const BOOT_MS = 120_000;
const COMMAND_MS = 60_000;
const DISK_BYTES = 8 * 1024 * 1024;
const skip = withoutJudges('apt-get', 'dpkg-deb');
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isola-boot-'));
});
after(() => rm(directory, { recursive: true }));

test('the default guest on the hybrid executor', { skip }, async () => {
  const disk = join(directory, 'disk.img');
  const content = randomBytes(DISK_BYTES);
  await writeFile(disk, content);
  await using vm = await Vm.create({ engine: 'hybrid', memory: '256M', disks: [{ path: disk }] });
  vm.start();
  await vm.waitFor(PROMPT, { timeout: BOOT_MS });
  const shell = async (command: string): Promise<string> => {
    await vm.write(`${command}\n`);
    return vm.waitFor(PROMPT, { timeout: COMMAND_MS });
  };
  match(await shell('uname -a'), /Linux isola 6\.\S+ .*riscv64 GNU\/Linux/);
  match(await shell('cat /proc/cpuinfo'), /isa\s*: rv64imafdc_zicbom_/);
  match(await shell('dmesg | head -3'), /Linux version 6\./);
  match(await shell("seq 1 1000 | awk '{ s += $1 } END { print s }' | tr 0-9 a-j"), /faafaa/);
  match(await shell('dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c'), /\r\n64\r\n/);
  match(await shell('md5sum /dev/vda'), new RegExp(`${md5(content)}  /dev/vda`));
  await shell('dd if=/dev/urandom of=/tmp/r bs=64k count=16 2>/dev/null');
  await shell('dd if=/tmp/r of=/dev/vda bs=64k seek=32 conv=fsync 2>/dev/null');
  const sum = /([0-9a-f]{32}) {2}\/tmp\/r/.exec(await shell('md5sum /tmp/r'))?.[1];
  await vm.write('poweroff\n');
  const { reason, code } = await vm.ended;
  equal(`${reason} ${code}`, 'poweroff 0');
  const written = (await readFile(disk)).subarray(32 * 65536, 48 * 65536);
  equal(md5(written), sum);
});
