// The package as users install it: built, packed, unpacked elsewhere, started, imported.

import { equal, match } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'isola-package-'));
after(() => rmSync(directory, { recursive: true }));

test('the packed package has its command and its library', () => {
  const run = (command: string, args: string[], cwd = directory): string =>
    execFileSync(command, args, { cwd, encoding: 'utf8' });
  run('npm', ['pack', '--silent', '--pack-destination', directory], root);
  run('tar', ['xzf', readdirSync(directory).find((name) => name.endsWith('.tgz'))!]);
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(directory, 'package'), join(modules, 'isola'));
  for (const name of ['commander', 'xz-decompress']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  const bin = join(directory, 'package/bin/isola.js');
  match(run(process.execPath, [bin, '--version']), /^\d+\.\d+\.\d+\n$/);
  match(run(process.execPath, [bin, 'run', '--help']), /--kernel <file>/);
  const script = "import { Vm } from 'isola'; console.log(typeof Vm.create);";
  equal(run(process.execPath, ['--input-type=module', '-e', script]), 'function\n');
});
