// The command with bare-metal programs, which need no guest: how runs end, and what is printed about them.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { isola } from '../support/cli.ts';
import { programs } from '../support/riscv64-programs.ts';

const root = resolve(import.meta.dirname, '../..');
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isola-cli-'));
  for (const [name, bytes] of Object.entries(programs))
    await writeFile(join(directory, name), bytes);
});
after(() => rm(directory, { recursive: true }));

const bare = (program: keyof typeof programs, ...more: string[]): string[] => {
  return [
    'run',
    '--machine',
    'bare',
    '--memory',
    '4M',
    '--kernel',
    join(directory, program),
    ...more,
  ];
};

test('success and failure of the program are those of the command', async () => {
  assert.deepEqual(await isola(bare('success')), { code: 0, stdout: '', stderr: '' });
  const failed = { code: 1, stdout: '', stderr: 'isola: error: the program failed: test 7\n' };
  assert.deepEqual(await isola(bare('failure')), failed);
});

test('--json ends standard output with one line', async () => {
  const { stdout } = await isola(bare('failure', '--json'));
  const { reason, code, instructions, seconds } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([reason, code], ['poweroff', 7]);
  assert.ok(Number(instructions) >= 4 && Number(seconds) > 0);
});

test('--stats prints sections, or the counters themselves as JSON', async () => {
  const { stdout, stderr } = await isola(bare('success', '--stats'));
  assert.equal(stdout, '');
  assert.match(stderr, /^Guest instructions\n {2}all +\d+\n {2}interpreted +\d+ +100\.0 %\n/);
  assert.match(stderr, /^Devices\n {2}power writes +1$/m);
  const both = await isola(bare('success', '--stats', '--json'));
  assert.equal(both.stderr, '');
  const { stats } = JSON.parse(both.stdout) as { stats: Record<string, number> };
  assert.deepEqual([stats['device.power.writes'], stats['regionRetired']], [1, 0]);
});

test('--timeout stops it with 124, and a signal with 130', async () => {
  const late = await isola(bare('spin', '--timeout', '0.2', '--json'));
  assert.equal(late.code, 124);
  assert.match(late.stdout, /^\{"reason":"timeout",/);
  assert.match(late.stderr, /^isola: error: stopped: not done after 0.2 s\n$/);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const { code, stderr } = await isola(bare('print'), { kill: { on: 'AAAA', signal } });
    assert.deepEqual([code, stderr], [130, '']);
  }
});

test('a guest that waits for ever keeps the command alive, without using the processor', async () => {
  const { code, stderr } = await isola(bare('wait', '--timeout', '1', '--stats'));
  assert.equal(code, 124);
  const instructions = Number(/^Guest instructions\n {2}all +(\d+)$/m.exec(stderr)?.[1]);
  assert.ok(instructions < 1000, `${instructions} instructions`);
});

test('--trace tells of devices on standard error', async () => {
  const { stderr } = await isola(bare('success', '--trace', 'devices'));
  assert.match(stderr, /^devices: power\.\w+ <- 0x5555 \(4\)\n$/);
});

test('--trace tells how code is translated, among other kinds', async () => {
  const { stderr, code } = await isola(
    bare('success', '--engine', 'jit', '--trace', 'devices,translate'),
  );
  assert.equal(code, 0);
  assert.match(stderr, /^translate: region at 0x80000000, physical 0x80000000: 5 instructions, /);
  assert.match(stderr, /^ {7}\+0 {2}80000000 {2}001002b7 {2}lui t0, 256$/m);
  assert.match(stderr, /^ {4}IR\n {6}instruction 0\n/m);
  assert.match(stderr, /^ {2}WebAssembly, \d+ bytes\n {4}\(func /m);
  assert.match(stderr, /\n {4}\)\n\n/);
  assert.match(stderr, /^devices: power\.\w+ <- 0x5555 \(4\)$/m);
});

test('when nobody reads the output any more, it ends with 141 and says nothing', async () => {
  const launcher = join(root, 'bin/isola.js');
  const child = spawn(process.execPath, [launcher, ...bare('print')]);
  let stderr = '';
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((fulfil) => child.on('close', fulfil));
  assert.deepEqual([code, stderr], [141, '']);
});

test('output that cannot be written is one line and a failure', () => {
  const launcher = join(root, 'bin/isola.js');
  for (const args of [bare('print'), ['run', '--help'], ['guest', 'path']]) {
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', '"$@" >/dev/full', 'sh', process.execPath, launcher, ...args],
      { encoding: 'utf8' },
    );
    assert.match(stderr, /^isola: error: the output cannot be written: .*no space.*\n$/i);
    assert.equal(status, 1);
  }
});

test('help and version go to standard output', async () => {
  for (const args of [
    ['--help'],
    ['run', '--help'],
    ['guest', '--help'],
    ['guest', 'fetch', '-h'],
  ]) {
    const { code, stdout, stderr } = await isola(args);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Usage: isola /);
  }
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
  const { stdout } = await isola(['--version']);
  assert.ok('version' in manifest && stdout === `${String(manifest.version)}\n`);
});

test('every option of run is in its help', async () => {
  const { stdout } = await isola(['run', '--help']);
  const options =
    'arch machine memory kernel initrd append disk engine trace timeout no-reboot json stats';
  for (const name of options.split(' ')) assert.match(stdout, new RegExp(`^ +--${name}\\b`, 'm'));
});

test('isola without arguments shows its help and is wrong usage', async () => {
  const { code, stdout, stderr } = await isola([]);
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /^Usage: isola /);
});

test('guest list of an empty cache', async () => {
  const env = { ISOLA_CACHE: join(directory, 'cache') };
  assert.equal((await isola(['guest', 'list', '--json'], { env })).stdout, '[]\n');
  assert.match((await isola(['guest', 'list'], { env })).stderr, /no guest has been fetched/);
  assert.equal((await isola(['guest', 'path'], { env })).stdout, `${directory}/cache\n`);
});
