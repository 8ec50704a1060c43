// Programs of others that judge this one: cross compiler, binutils, QEMU. Tests that need them are skipped where they
// are absent, but fail if ISOLA_REQUIRE_JUDGES=1, so that a machine meant to have them cannot lose them unnoticed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** False if all commands run, else why a test must be skipped: for `skip` of a test's options. */
export function withoutJudges(...commands: readonly string[]): false | string {
  const absent = commands.find((command) => spawnSync(command, ['--version']).status !== 0);
  return absent === undefined ? false : missing(`${absent} is not installed`);
}

/** The same for a file. */
export const withoutFile = (path: string): false | string =>
  existsSync(path) ? false : missing(`there is no ${path}`);

function missing(reason: string): string {
  if (process.env['ISOLA_REQUIRE_JUDGES'] === '1') {
    throw new Error(`${reason}, and ISOLA_REQUIRE_JUDGES=1 asks for it`);
  }
  return reason;
}
