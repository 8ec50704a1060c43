// Bad input to the command: one clear line on standard error, and an exit code that is not zero.

import { equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const bin = resolve(import.meta.dirname, '../../bin/isola.js');
const directory = mkdtempSync(join(tmpdir(), 'isola-cli-'));
after(() => rmSync(directory, { recursive: true }));

function isola(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

/** An Image header of Linux (Documentation/arch/riscv/boot.rst) that promises more than the file holds. */
function image(magic: number, bytes: number): Uint8Array {
  const whole = new Uint8Array(4096);
  const view = new DataView(whole.buffer);
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, 0x100_0000n, true);
  view.setUint32(56, magic, true);
  return whole.subarray(0, bytes);
}

function file(name: string, content: Uint8Array | string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const RISCV = 0x0543_5352;
const ARM64 = 0x644d_5241;
const kernel = file('Image', image(RISCV, 4096));

const cases: readonly [what: string, args: readonly string[], status: number, message: RegExp][] = [
  ['no kernel there', ['--kernel', join(directory, 'none')], 1, /does not exist/],
  [
    'a text file as kernel',
    ['--kernel', file('text', 'hello\n'.repeat(1000))],
    1,
    /not a bootable kernel/,
  ],
  ['a kernel for arm64', ['--kernel', file('arm', image(ARM64, 4096))], 1, /arm64/],
  ['a kernel cut short', ['--kernel', file('short', image(RISCV, 40))], 1, /kernel/],
  ['no disk there', ['--kernel', kernel, '--disk', join(directory, 'none')], 1, /no disk image/],
  ['a directory as disk', ['--kernel', kernel, '--disk', directory], 1, /is a directory/],
  ['more memory than possible', ['--kernel', kernel, '--memory', '64G'], 1, /at most \d+M/],
  ['too little memory', ['--kernel', kernel, '--memory', '4M'], 1, /give it more/],
  ['memory that is no size', ['--memory', 'lots'], 2, /no size of memory/],
  ['an unknown option', ['--frobnicate'], 2, /unknown option/],
  ['an unknown engine', ['--engine', 'steam'], 2, /Allowed choices/],
  ['an unknown architecture', ['--arch', 'vax'], 2, /Allowed choices/],
];

for (const [what, args, status, message] of cases) {
  test(`${what}: one line, exit code ${status}`, () => {
    const result = isola('run', ...args);
    equal(result.status, status);
    match(result.stderr, message);
    match(result.stderr, /^isola: [^\n]*\n$/);
    equal(result.stdout, '');
  });
}
