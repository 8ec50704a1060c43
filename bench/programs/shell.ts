// `node bench/programs/shell.ts`: an interactive shell in the disk image of the suite, for trying programs. Changes to
// the disk are kept in memory. Arguments go to `isola run` (--engine hybrid), or after --qemu to QEMU (-d in_asm).

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { qemuArguments, QEMU } from './machine.ts';
import { programsSoftware } from './programs.ts';

const software = await programsSoftware();
const [first, ...rest] = process.argv.slice(2);
const terminal = `TERM=${process.env['TERM'] ?? 'dumb'} ENV=/mnt/bench/shell.sh`;

function isola(args: readonly string[]): ReturnType<typeof spawn> {
  const { guest, image } = software;
  const boot = ['--kernel', guest.kernel, '--initrd', guest.initrd, '--append', terminal];
  const run = ['run', '--memory', '1024M', ...boot, '--disk', `${image},snapshot`, ...args];
  const cli = resolve(import.meta.dirname, '../../src/cli/main.ts');
  return spawn(process.execPath, [cli, ...run], { stdio: 'inherit' });
}

function qemu(args: readonly string[]): ReturnType<typeof spawn> {
  const machine = [...qemuArguments(software, terminal, 'snapshot'), ...args];
  const consoles = ['-display', 'none', '-serial', 'mon:stdio'];
  return spawn(QEMU, [...machine, ...consoles], { stdio: 'inherit' });
}

const child = first === '--qemu' ? qemu(rest) : isola(process.argv.slice(2));
// The guest takes the keys; Ctrl-C would end only this process.
process.on('SIGINT', () => undefined);
child.on('exit', (code) => (process.exitCode = code ?? 1));
