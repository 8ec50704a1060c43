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
  guestCompilers,
  hostCompiler,
  kernels,
  parseOutcome,
} from '../guest/build.ts';

const run = promisify(execFile);
const runner = join(import.meta.dirname, '../guest/run.ts');
const ROUNDS = 1;

for (const arch of ['riscv64', 'arm64'] as const) {
  const skip = withoutJudges(guestCompilers[arch], hostCompiler);
  for (const kernel of kernels) {
    test(`kernel ${kernel} for ${arch} gives the host's checksum`, { skip }, async () => {
      const expected = await checksumOnHost(kernel, ROUNDS);
      const file = await buildKernel(kernel, arch, ROUNDS);
      for (const engine of ['interpreter', 'jit', 'hybrid']) {
        const { stdout } = await run(process.execPath, [runner, arch, file, engine]);
        assert.equal(parseOutcome(stdout).checksum, expected, engine);
      }
    });
  }
}
