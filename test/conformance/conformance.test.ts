// Programs in C have the same output on a bare guest machine as on the host: whole programs as a compiler makes them,
// through the whole VM with its console, on every engine. The host's processor is the judge.
// Skipped where a compiler is absent; with ISOLA_REQUIRE_JUDGES=1 that is a failure.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createServices } from '../../src/host/node/services.ts';
import { type EngineName, Vm, type VmEnd } from '../../src/vm/vm.ts';
import { createBuilder, guests, hostCompiler, outputOnHost, programs } from './build.ts';

const MEMORY_BYTES = 8 * 1024 * 1024;

const engines: readonly EngineName[] = ['interpreter', 'jit', 'hybrid'];
/** The evaluator is the slowest by far: it runs programs of so many instructions at most. */
const EVALUATOR_INSTRUCTIONS = 150_000;

const guest = guests.riscv64;
const absent = [hostCompiler, guest.compiler].filter(
  (compiler) => spawnSync(compiler, ['--version']).status !== 0,
);
const required = process.env['ISOLA_REQUIRE_JUDGES'] === '1';
const skip = absent.length === 0 || required ? false : `not installed: ${absent.join(', ')}`;

test('the judges of conformance are there', { skip }, () => {
  deepEqual(absent, []);
});

suite('conformance programs', { skip: skip || absent.length > 0 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'isola-conformance-'));
  const builders = new Map<string, (program: string) => Promise<string>>();

  before(async () => {
    for (const variant of Object.keys(guest.variants)) {
      builders.set(variant, await createBuilder(guest, variant, directory));
    }
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const program of programs) {
    test(program, async (t) => {
      const want = await outputOnHost(program, directory);
      ok(want.length > 0, 'the program prints something');
      for (const [variant, build] of builders) {
        const kernel = readFileSync(await build(program));
        let instructions = Infinity;
        const check = (engine: EngineName): Promise<void> =>
          t.test(`${variant}, ${engine}`, async () => {
            const { output, end, retired } = await runBare(kernel, engine);
            equal(firstDifference(output, want), undefined);
            deepEqual(end, { reason: 'poweroff', code: 0 });
            instructions = retired;
          });
        for (const engine of engines) await check(engine);
        if (instructions <= EVALUATOR_INSTRUCTIONS) await check('evaluator');
      }
    });
  }
});

/** Runs an executable on the bare machine to its end. */
async function runBare(
  kernel: Uint8Array,
  engine: EngineName,
): Promise<{ output: string; end: VmEnd; retired: number }> {
  const vm = await Vm.create(
    { machine: 'bare', engine, memoryBytes: MEMORY_BYTES, kernel },
    createServices(),
  );
  const output = new Response(vm.console.readable).text();
  vm.start();
  return { output: await output, end: await vm.ended, retired: vm.stats().instructions };
}

/** The first line in which two texts differ; undefined if they are the same. */
function firstDifference(got: string, want: string): string | undefined {
  if (got === want) return undefined;
  const [gotLines, wantLines] = [got.split('\n'), want.split('\n')];
  const at = wantLines.findIndex((line, i) => line !== gotLines[i]);
  const index = at < 0 ? wantLines.length : at;
  return `line ${index + 1}: '${gotLines[index] ?? 'end'}' instead of '${wantLines[index] ?? 'end'}'`;
}
