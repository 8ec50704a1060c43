// Conformance programs from C: for a guest with a cross compiler, bare of any operating system, and for the host with
// its own compiler, whose processor and C library say what the output must be. A guest architecture is a row of
// `guests` and a folder of support/ with start code, platform and linker script.

import { execFile } from 'node:child_process';
import { globSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Architecture, MachineName } from '../../src/vm/machines.ts';

/** How programs are built for one guest architecture. */
export interface Guest {
  readonly name: Architecture;
  /** The machine that runs the programs. */
  readonly machine: MachineName;
  readonly compiler: string;
  /** The program that makes an image of an executable, where the machine starts images. */
  readonly flatten?: string;
  /** Flags of the code model and of the linker. */
  readonly flags: readonly string[];
  /** Every program is built once for each of these. */
  readonly variants: Readonly<Record<string, readonly string[]>>;
}

export const guests = {
  riscv64: {
    name: 'riscv64',
    machine: 'bare',
    compiler: 'riscv64-linux-gnu-gcc',
    flags: ['-mabi=lp64d', '-mcmodel=medany', '-Wl,--no-warn-rwx-segments'],
    variants: {
      rv64gc: ['-march=rv64gc', '-O2'],
      'rv64gc-small': ['-march=rv64gc', '-Os', '-msave-restore'],
      'rv64gc-zb': ['-march=rv64gc_zba_zbb_zbs_zbc', '-O2'],
    },
  },
  arm64: {
    name: 'arm64',
    machine: 'virt',
    compiler: 'aarch64-linux-gnu-gcc',
    flatten: 'aarch64-linux-gnu-objcopy',
    flags: ['-Wl,--no-warn-rwx-segments'],
    variants: {
      'armv8-a': ['-march=armv8-a', '-mno-outline-atomics', '-O2'],
      'armv8-a-small': ['-march=armv8-a', '-mno-outline-atomics', '-Os'],
      'armv8.2-a': ['-march=armv8-a+lse+rdma+crc+dotprod', '-O3'],
    },
  },
} as const satisfies Record<string, Guest>;

export const hostCompiler = 'gcc';

const root = import.meta.dirname;
const support = join(root, 'support');

/** Names of the programs, in the order of the alphabet. */
export const programs: readonly string[] = globSync('*.c', { cwd: join(root, 'programs') })
  .map((file) => basename(file, '.c'))
  .toSorted();

/** The file of a program. */
export const sourceOf = (program: string): string => join(root, 'programs', `${program}.c`);

/** What both compilers must do alike: wrap, obey the rounding mode, fuse only where a program says so. */
// oxfmt-ignore
const common = [
  '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fwrapv', '-fno-strict-aliasing', '-ffp-contract=off',
  '-frounding-math', '-fno-math-errno', '-I', support,
];

// oxfmt-ignore
const bare = [
  '-ffreestanding', '-fno-pic', '-fno-tree-loop-distribute-patterns', '-nostdlib', '-nostartfiles', '-static',
  '-no-pie', '-Wl,--build-id=none',
];

const run = promisify(execFile);

/** Runs the program as the host's compiler makes it; its output. */
export async function outputOnHost(program: string, directory: string): Promise<string> {
  const file = join(directory, program);
  const sources = [sourceOf(program), join(support, 'host.c')];
  await run(hostCompiler, ['-O2', ...common, ...sources, '-o', file, '-lm']);
  return (await run(file)).stdout;
}

/** Builds for a guest: what the programs of a variant share, once, and a program each time it is called. */
export async function createBuilder(
  guest: Guest,
  variant: string,
  directory: string,
): Promise<(source: string) => Promise<string>> {
  const place = join(directory, guest.name, variant);
  mkdirSync(place, { recursive: true });
  const flags = [...common, ...guest.flags, ...bare, ...(guest.variants[variant] ?? [])];
  const parts = ['start.S', 'platform.c'].map((file) => join(support, guest.name, file));
  const shared = join(place, 'support.o');
  // One relocatable file of the three.
  const sources = [...parts, join(support, 'guest.c')];
  await run(guest.compiler, [...flags, '-r', ...sources, '-o', shared]);
  return async (source) => {
    const file = join(place, `${basename(source, '.c')}.elf`);
    const script = join(support, guest.name, 'program.ld');
    const inputs = ['-T', script, shared, source, '-lgcc'];
    await run(guest.compiler, [...flags, ...inputs, '-o', file]);
    if (guest.flatten !== undefined) await run(guest.flatten, ['-O', 'binary', file]);
    return file;
  };
}
