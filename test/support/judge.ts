// Programs that judge us: QEMU, binutils, compilers. A test that needs one is skipped where it is not installed, with
// that as reason; with ISOLA_REQUIRE_JUDGES=1, as continuous integration sets it, it fails instead.

import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const required = process.env['ISOLA_REQUIRE_JUDGES'] === '1';

/** For `skip` of a test: why it cannot run here, or false. Names with a slash are files. */
export function missing(...needed: readonly string[]): string | false {
  if (required) return false;
  const absent = needed.find((name) =>
    name.includes('/') ? !existsSync(name) : spawnSync(name, ['--version']).error !== undefined,
  );
  return absent === undefined ? false : `${absent} is not installed`;
}

/** Runs a program to its end and gives its standard output. Throws if it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: SpawnSyncOptions = {},
): Buffer {
  const result = spawnSync(command, args, { maxBuffer: 2 ** 30, ...options });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    const how = result.signal ?? `status ${result.status}`;
    throw new Error(`${command} ${args.join(' ')}: ${how}: ${String(result.stderr)}`);
  }
  return result.stdout as Buffer;
}

/** Calls `use` with the path of a new folder, which is removed afterwards. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'isola-test-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
