// cpio.ts against GNU cpio, which wrote and reads this format long before us, and its own rules.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CpioError, writeCpio, type CpioEntry } from './cpio.ts';

const hasCpio = spawnSync('cpio', ['--version']).status === 0;
const needsCpio = { skip: hasCpio ? false : 'the program cpio is not installed' };

function cpio(args: readonly string[], archive: Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync('cpio', ['--quiet', ...args], {
    input: archive,
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

const directory = (path: string): CpioEntry => ({ type: 'directory', path, mode: 0o755 });
const file = (path: string, data: Uint8Array): CpioEntry => ({
  type: 'file',
  path,
  mode: 0o644,
  data,
});

test(
  'GNU cpio lists every type of entry with its mode, size, numbers and target',
  needsCpio,
  () => {
    const archive = writeCpio([
      { type: 'directory', path: 'dev', mode: 0o755 },
      { type: 'directory', path: 'tmp', mode: 0o1777 },
      { type: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
      { type: 'block-device', path: 'dev/vda', mode: 0o660, major: 254, minor: 16 },
      { type: 'file', path: 'init', mode: 0o755, data: new Uint8Array(1234) },
      { type: 'symlink', path: 'sh', target: '/bin/busybox' },
    ]);
    const lines = cpio(['-itv', '--numeric-uid-gid'], archive).toString().trim().split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(/\s+/g, ' ')),
      [
        'drwxr-xr-x 2 0 0 0 Jan 1 1970 dev',
        'drwxrwxrwt 2 0 0 0 Jan 1 1970 tmp',
        'crw------- 1 0 0 5, 1 Jan 1 1970 dev/console',
        'brw-rw---- 1 0 0 254, 16 Jan 1 1970 dev/vda',
        '-rwxr-xr-x 1 0 0 1234 Jan 1 1970 init',
        'lrwxrwxrwx 1 0 0 12 Jan 1 1970 sh -> /bin/busybox',
      ],
    );
  },
);

test('GNU cpio gets the same bytes back, whatever the lengths', needsCpio, () => {
  const contents = fc.uint8Array({ maxLength: 40 });
  const paths = fc.stringMatching(/^[a-zé]{1,12}$/);
  fc.assert(
    fc.property(fc.dictionary(paths, contents, { minKeys: 1, maxKeys: 5 }), (files) => {
      const entries = Object.entries(files).map(([path, data]) => file(path, data));
      const read = cpio(['-i', '--to-stdout'], writeCpio(entries));
      assert.deepEqual(read, Buffer.concat(Object.values(files)));
    }),
    { numRuns: 25 },
  );
});

test('the archive depends on the entries alone and ends on a block boundary', () => {
  const entries = [directory('a'), file('a/b', Uint8Array.of(1, 2, 3))];
  assert.deepEqual(writeCpio(entries), writeCpio(entries));
  assert.equal(writeCpio(entries).length % 512, 0);
});

test('an entry that cannot be unpacked is refused', () => {
  const nothing = new Uint8Array(0);
  for (const path of ['', '/a', 'a/', 'a//b', './a', '../a', 'a\0b']) {
    assert.throws(() => writeCpio([file(path, nothing)]), CpioError, JSON.stringify(path));
  }
  assert.throws(() => writeCpio([file('a/b', nothing)]), /before its directory "a"/);
  assert.throws(() => writeCpio([file('a', nothing), file('a', nothing)]), /twice/);
  assert.throws(() => writeCpio([{ type: 'directory', path: 'a', mode: 0o40755 }]), /mode/);
});
