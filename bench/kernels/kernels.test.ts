// The kernels compute what the host's build of the same source computes, on every executor: so that a figure is one
// of right code. Few rounds only.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { withoutJudges } from '../../test/support/judges.ts';
import {
  buildKernel,
  checksumOnHost,
  guestCompiler,
  hostCompiler,
  kernels,
  parseOutcome,
} from '../guest/build.ts';

const run = promisify(execFile);
const runner = join(import.meta.dirname, '../guest/run.ts');
const skip = withoutJudges(guestCompiler, hostCompiler);
const ROUNDS = 1;

for (const kernel of kernels) {
  test(`kernel ${kernel} gives the host's checksum`, { skip }, async () => {
    const expected = await checksumOnHost(kernel, ROUNDS);
    const file = await buildKernel(kernel, 'riscv64', ROUNDS);
    for (const engine of ['interpreter', 'jit', 'hybrid']) {
      const { stdout } = await run(process.execPath, [runner, file, engine]);
      assert.equal(parseOutcome(stdout).checksum, expected, engine);
    }
  });
}
