// Builds of the kernels: for machines without an operating system, and for the host, whose processor says what the
// checksum must be.
//
// A build is kept in the user's cache under a name made of everything that goes into it (sources, flags, compiler),
// so nothing is built twice and nothing stale is run. Invariant: a file of the cache is complete, for it is renamed
// into place.

import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../src/host/node/guest/cache.ts';

const run = promisify(execFile);
const root = import.meta.dirname;

export const guestCompilers = {
  riscv64: 'riscv64-linux-gnu-gcc',
  arm64: 'aarch64-linux-gnu-gcc',
} as const;
export const hostCompiler = 'gcc';

/** Names of the kernels, in the order of the alphabet. */
export const kernels: readonly string[] = globSync('kernels/*.c', { cwd: root })
  .map((file) => basename(file, '.c'))
  .toSorted();

/** Whether a program is installed. */
export const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** What both compilers must do alike, for the checksums to be the same: wrap, and fuse no products into sums. */
// oxfmt-ignore
const common = [
  '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O2', '-fwrapv', '-fno-strict-aliasing', '-ffp-contract=off',
  '-fno-math-errno', '-fno-tree-loop-distribute-patterns',
];

// oxfmt-ignore
const bare = [
  '-ffreestanding', '-fno-pic', '-no-pie', '-static', '-nostdlib', '-Wl,--build-id=none',
  '-Wl,--no-warn-rwx-segments',
];

interface Recipe {
  readonly compiler: string;
  readonly flags: readonly string[];
  /** Sources beside the kernel; a linker script among them is given to the linker by `link`. */
  readonly sources: readonly string[];
  readonly link: readonly string[];
  /** The program that makes an image of the executable, where the machine starts images. */
  readonly flatten?: string;
}

const recipes = {
  riscv64: {
    compiler: guestCompilers.riscv64,
    flags: ['-march=rv64gc', '-mabi=lp64d', '-mcmodel=medany', ...bare],
    sources: ['riscv64/start.S', 'riscv64/machine.c', 'guest.c'],
    link: ['-T', join(root, 'riscv64/link.ld'), '-lgcc'],
  },
  arm64: {
    compiler: guestCompilers.arm64,
    flags: ['-march=armv8-a', '-mno-outline-atomics', ...bare],
    sources: ['arm64/start.S', 'arm64/machine.c', 'guest.c'],
    link: ['-T', join(root, 'arm64/link.ld'), '-lgcc'],
    flatten: 'aarch64-linux-gnu-objcopy',
  },
  host: { compiler: hostCompiler, flags: [], sources: ['native.c'], link: [] },
} as const satisfies Record<string, Recipe>;

/**
 * The file of a kernel as a program, built if need be. `mostRounds`: how many rounds it has at most, for tests.
 * Rejects where the compiler is missing or fails.
 */
export async function buildKernel(
  kernel: string,
  target: keyof typeof recipes,
  mostRounds?: number,
): Promise<string> {
  const { compiler, flags, sources, link, flatten }: Recipe = recipes[target];
  const files = [...sources, join('kernels', `${kernel}.c`)];
  const rounds = mostRounds === undefined ? [] : [`-DFEW_ROUNDS=${mostRounds}`];
  const options = [...common, ...flags, ...rounds];
  const scripts = link.includes('-T') ? [`${target}/link.ld`] : [];
  const inputs = [...files, 'kernel.h', 'machine.h', ...scripts].map((file) =>
    readFile(join(root, file)),
  );
  const { stdout: version } = await run(compiler, ['--version']);
  const hash = createHash('sha256').update(JSON.stringify([version, options, link.slice(2)]));
  for (const content of await Promise.all(inputs)) hash.update(content).update('\0');
  const directory = join(cacheDirectory(), 'bench');
  const file = join(directory, `${kernel}-${target}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(file)) return file;
  await mkdir(directory, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  const paths = files.map((name) => join(root, name));
  await run(compiler, [...options, '-I', root, ...paths, ...link, '-o', unfinished]);
  if (flatten !== undefined) await run(flatten, ['-O', 'binary', unfinished]);
  await rename(unfinished, file);
  return file;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** What a kernel printed at its end. */
export interface Outcome {
  readonly checksum: string;
  readonly ms: number;
}

const TICKS_PER_MS = 10_000;

/** Reads `CHECKSUM TICKS`; throws where a program printed something else, a trap for example. */
export function parseOutcome(output: string): Outcome {
  const [, checksum, ticks] = /^([0-9a-f]{16}) ([0-9a-f]{16})\s*$/.exec(output) ?? [];
  if (checksum === undefined || ticks === undefined) {
    throw new Error(`a kernel ended without a result: ${JSON.stringify(output.slice(-300))}`);
  }
  return { checksum, ms: Number(BigInt(`0x${ticks}`)) / TICKS_PER_MS };
}

/** The checksum that the host's build of a kernel prints. */
export async function checksumOnHost(kernel: string, mostRounds?: number): Promise<string> {
  const { stdout } = await run(await buildKernel(kernel, 'host', mostRounds));
  return stdout.trim();
}
