// A guest that writes code, runs it, and writes other code in its place, thousands of times: results are right on every
// executor, and what was made of the old code goes.

import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServices } from '../../src/host/node/services.ts';
import { Vm } from '../../src/vm/vm.ts';
import { createBuilder, guests } from '../conformance/build.ts';
import { withoutJudges } from '../support/judges.ts';

const MIB = 1024 * 1024;
const LIMIT = 2 * MIB;

test(
  'a guest that rewrites its code',
  { skip: withoutJudges(guests.riscv64.compiler) },
  async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'isola-guest-jit-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const build = await createBuilder(guests.riscv64, 'rv64gc', directory);
    const kernel = readFileSync(await build(join(import.meta.dirname, 'guest-jit.c')));
    const outputs = new Set<string>();
    for (const engine of ['interpreter', 'jit', 'hybrid'] as const) {
      await t.test(engine, async () => {
        const vm = await Vm.create(
          { machine: 'bare', engine, memoryBytes: 8 * MIB, kernel, codeCacheBytes: LIMIT },
          createServices(),
        );
        const output = new Response(vm.console.readable).text();
        vm.start();
        const text = await output;
        match(text, /^done, /m);
        outputs.add(text);
        deepEqual(await vm.ended, { reason: 'poweroff', code: 0 });
        const counts = vm.stats();
        ok(counts['invalidations']! > 2500, 'code has been forgotten');
        ok(counts['cacheBytesMax']! <= LIMIT, 'the cache stays within its limit');
        if (engine !== 'interpreter')
          ok(counts['regionsDropped']! > 100, 'regions have been dropped');
      });
    }
    equal(outputs.size, 1);
  },
);
