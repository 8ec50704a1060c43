// A host disk that is full under an overlay: the guest sees I/O errors and lives; the user gets one line and code 1.

import { equal, match } from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { withoutJudges } from '../support/judges.ts';

const bin = resolve(import.meta.dirname, '../../bin/isola.js');
const directory = mkdtempSync(join(tmpdir(), 'isola-full-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]);
after(() => {
  spawnSync('umount', [directory]);
  rmSync(directory, { recursive: true });
});
const skip =
  mounted.status === 0
    ? withoutJudges('apt-get', 'dpkg-deb')
    : 'a small file system cannot be mounted';

test('writes to a full host disk fail in the guest and are reported', { skip }, async () => {
  const base = join(tmpdir(), `isola-base-${process.pid}.img`);
  writeFileSync(base, new Uint8Array(16 * 1024 * 1024));
  const disk = `${base},overlay=${join(directory, 'overlay')}`;
  const run = ['run', '--engine', 'hybrid', '--timeout', '120', '--disk', disk];
  const child = spawn(process.execPath, [bin, ...run]);
  child.stdin.end(
    'dd if=/dev/urandom of=/dev/vda bs=64k count=64 conv=fsync\necho alive $?\npoweroff\n',
  );
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await closed) as [number];
  rmSync(base);
  match(output, /dd: .*Input\/output error/);
  match(output, /alive 1/);
  match(errors, /^isola: [^\n]*cannot be written: no space is left[^\n]*\n$/);
  equal(status, 1);
});
