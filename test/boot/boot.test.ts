// Boots the stock Debian kernel to a shell through the library, and uses the guest as a user does.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { memoryStore } from '../../src/device/virtio/block/memory-store.ts';
import { Vm, type VmOptions } from '../../src/host/node/index.ts';
import { isola } from '../support/cli.ts';
import { shell, withoutGuest } from '../support/guest.ts';
import { withoutFile } from '../support/judges.ts';

const MIB = 1024 * 1024;
const skip = await withoutGuest();
const options = { skip, timeout: 600_000 };

async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'isola-boot-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A VM at its shell, stopped when the test is over. */
async function boot(t: TestContext, vmOptions: VmOptions = {}) {
  const vm = await Vm.create(vmOptions);
  t.after(() => vm.stop());
  vm.start();
  const sh = shell(vm);
  await sh.ready();
  return { vm, sh };
}

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

test(
  'boots to a shell whose commands work, with a raw disk, and powers off',
  options,
  async (t) => {
    const directory = await makeDirectory(t);
    const path = join(directory, 'raw.img');
    const contents = randomBytes(8 * MIB);
    await writeFile(path, contents);
    const { vm, sh } = await boot(t, { disks: [{ path }] });

    const uname = await sh.run('uname -a');
    assert.match(uname.output, /^Linux isola 6\.\d+\.\S* .* riscv64 GNU\/Linux\n$/);
    const cpu = await sh.run('cat /proc/cpuinfo');
    assert.match(cpu.output, /^isa\t+: rv64imafdc_.*zba_zbb_.*sstc_/m);
    assert.match(cpu.output, /^mmu\t+: sv48$/m);
    const dmesg = await sh.run('dmesg');
    assert.match(dmesg.output, /Linux version 6\./);
    assert.match(dmesg.output, /Isola/);
    assert.match(dmesg.output, /random: crng init done/);
    assert.doesNotMatch(dmesg.output, /\b(BUG|WARNING|Oops)\b/);
    const pipe = await sh.run('seq 1 1000 | grep 7 | sort -rn | head -3 | tr "\\n" " "');
    assert.equal(pipe.output, '997 987 979 ');
    assert.deepEqual(await sh.run('false'), { output: '', status: 1 });

    const entropy = await sh.run('cat /sys/class/misc/hw_random/rng_current');
    assert.match(entropy.output, /^virtio_rng/);
    const random = await sh.run('dd if=/dev/hwrng bs=16 count=1 2>/dev/null | xxd -p');
    assert.match(random.output, /^[0-9a-f]{32}\n$/);

    assert.match((await sh.run('md5sum < /dev/vda')).output, new RegExp(`^${md5(contents)} `));
    await sh.run('dd if=/dev/urandom of=/tmp/data bs=64k count=40 2>/dev/null');
    await sh.run('dd if=/tmp/data of=/dev/vda bs=4k seek=100 conv=fsync 2>/dev/null');
    const sum = (await sh.run('md5sum < /tmp/data')).output.slice(0, 32);
    const whole = (await sh.run('md5sum < /dev/vda')).output.slice(0, 32);
    const written = await readFile(path);
    const start = 100 * 4096;
    assert.equal(md5(written.subarray(start, start + 40 * 65536)), sum);
    assert.equal(md5(written), whole);
    assert.deepEqual(written.subarray(0, start), contents.subarray(0, start));

    await vm.write('poweroff\n');
    assert.deepEqual(await vm.ended, { reason: 'poweroff', code: 0 });
  },
);

/** Programs of e2fsprogs, which an ordinary user's PATH need not have. */
const [mke2fs, debugfs, e2fsck] = ['/sbin/mke2fs', '/sbin/debugfs', '/sbin/e2fsck'] as const;
const needsExt4 = { ...options, skip: skip || withoutFile(mke2fs) };

test('an ext4 disk is mounted, and what the guest writes is there', needsExt4, async (t) => {
  const directory = await makeDirectory(t);
  const path = join(directory, 'ext4.img');
  await writeFile(join(directory, 'hello'), 'from the host\n');
  await writeFile(path, new Uint8Array(16 * MIB));
  const edit = (commands: string): string => {
    const { stdout } = spawnSync(debugfs, ['-w', '-f', '-', path], {
      input: commands,
      encoding: 'utf8',
    });
    return stdout;
  };
  assert.equal(spawnSync(mke2fs, ['-q', '-t', 'ext4', path]).status, 0);
  edit(`write ${join(directory, 'hello')} hello\n`);
  const { vm, sh } = await boot(t, { disks: [{ path }] });
  assert.equal((await sh.run('cat /mnt/hello')).output, 'from the host\n');
  assert.match((await sh.run('grep /mnt /proc/mounts')).output, /^\/dev\/vda \/mnt ext4 rw/);
  await sh.run('echo from the guest > /mnt/answer');
  await vm.write('exit\n');
  assert.equal((await vm.ended).reason, 'poweroff', 'leaving the shell powers off');
  assert.match(edit('cat answer\n'), /from the guest/);
  assert.equal(spawnSync(e2fsck, ['-f', '-n', path]).status, 0, 'unmounted cleanly');
});

test('a read-only disk stays as it is, and changes in memory are lost', options, async (t) => {
  const directory = await makeDirectory(t);
  const contents = randomBytes(MIB);
  const [a, b] = [join(directory, 'a'), join(directory, 'b')];
  for (const path of [a, b]) await writeFile(path, contents);
  const disks = [
    { path: a, readOnly: true },
    { path: b, overlay: 'memory' as const },
  ];
  const { vm, sh } = await boot(t, { disks });
  assert.equal((await sh.run('cat /sys/block/vda/ro /sys/block/vdb/ro')).output, '1\n0\n');
  assert.notEqual((await sh.run('echo x > /dev/vda')).status, 0);
  await sh.run('dd if=/dev/zero of=/dev/vdb bs=1k count=1 conv=fsync 2>/dev/null');
  const head = await sh.run('dd if=/dev/vdb bs=1k count=1 2>/dev/null | md5sum');
  assert.equal(head.output.slice(0, 32), md5(new Uint8Array(1024)));
  await vm.stop();
  for (const path of [a, b]) assert.deepEqual(await readFile(path), contents);
});

test(
  'a host disk that is full: I/O errors for the guest, one line for the user',
  options,
  async (t) => {
    const noSpace = () => Promise.reject(new Error('no space is left on its file system'));
    const store = { ...memoryStore(new Uint8Array(MIB)), write: noSpace };
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    const { vm, sh } = await boot(t, { disks: [{ store }], onWarning });
    const { output, status } = await sh.run('dd if=/dev/zero of=/dev/vda bs=4k count=8 conv=fsync');
    assert.match(output, /I\/O error|Input\/output error/);
    assert.equal(status, 1);
    await vm.write('poweroff\n');
    const end = await vm.ended;
    assert.equal(end.reason, 'poweroff');
    assert.equal(end.error?.name, 'VmFailedError');
    assert.deepEqual(warnings, ['no space is left on its file system']);
  },
);

test('a full file system under an overlay file, with the command', options, async (t) => {
  const directory = await makeDirectory(t);
  const full = join(directory, 'full');
  const mounted =
    spawnSync('mkdir', [full]).status === 0 &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', full]).status === 0;
  if (!mounted) return t.skip('only root can make a small file system');
  const image = join(directory, 'disk.img');
  await writeFile(image, new Uint8Array(4 * MIB));
  const input =
    'dd if=/dev/zero of=/dev/vda bs=64k count=64 conv=fsync; echo status $?\npoweroff\n';
  const disk = `${image},overlay=${full}/delta`;
  const result = await isola(['run', '--disk', disk], { input }).finally(() => {
    spawnSync('umount', [full]);
  });
  assert.match(result.stdout, /status 1/);
  assert.match(result.stderr, /^isola: warning: [^\n]*no space is left on its file system\n$/);
  assert.equal(result.code, 1);
  return undefined;
});

test('a script through standard input is shown as a session', options, async () => {
  const { code, stdout, stderr } = await isola(['run'], { input: 'uname -m\npoweroff\n' });
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /^isola: Linux 6\.\S+ on riscv64\./);
  assert.match(stdout, /^isola:~# uname -m\r\nriscv64\r\nisola:~# poweroff\r\n/m);
});

test('much input at once reaches a program that begins to read late', options, async () => {
  const lines = Array.from({ length: 10_000 }, (_, i) => `line number ${i}\n`).join('');
  const command = `sleep 1; head -c ${lines.length} | md5sum\n`;
  const { stdout } = await isola(['run'], { input: `${command}${lines}poweroff\n` });
  assert.ok(stdout.includes(md5(Buffer.from(lines))), stdout.slice(-500));
});

test('a guest that reboots starts again, or ends with --no-reboot', options, async () => {
  const once = await isola(['run', '--no-reboot', '--json'], { input: 'reboot\n' });
  assert.equal(once.code, 0);
  assert.match(once.stdout, /\{"reason":"reboot",.*\}\n$/);
  const again = await isola(['run', '--timeout', '300'], {
    input: 'reboot\n',
    kill: { on: 'Restarting system\r\nisola: Linux', signal: 'SIGINT' },
  });
  assert.equal(again.code, 130);
});
