// Programs in C have the same output on a bare guest machine as on the host: whole programs as a compiler makes them,
// through the whole VM with its console, on every engine. The host's processor is the judge.
// Skipped where a compiler is absent; with ISOLA_REQUIRE_JUDGES=1 that is a failure.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { createServices } from '../../src/host/node/services.ts';
import type { Architecture } from '../../src/vm/machines.ts';
import { type EngineName, Vm, type VmEnd } from '../../src/vm/vm.ts';
import {
  createBuilder,
  type Guest,
  guests,
  hostCompiler,
  outputOnHost,
  programs,
  sourceOf,
} from './build.ts';

const MEMORY_BYTES = 16 * 1024 * 1024;

/** Which engines run which builds: each build the interpreter, each engine every program. */
const engines: Readonly<Record<Architecture, Readonly<Record<string, readonly EngineName[]>>>> = {
  riscv64: {
    rv64gc: ['interpreter', 'hybrid'],
    'rv64gc-small': ['interpreter', 'jit'],
    'rv64gc-zb': ['interpreter', 'jit', 'evaluator'],
  },
  arm64: {
    'armv8-a': ['interpreter', 'hybrid'],
    'armv8-a-small': ['interpreter', 'jit'],
    'armv8.2-a': ['interpreter', 'jit', 'evaluator'],
  },
};
/** The evaluator is the slowest by far: it runs programs of so many instructions at most. */
const EVALUATOR_INSTRUCTIONS = 100_000;

const compilers = Object.values(guests).map(({ compiler }) => compiler);
const absent = [hostCompiler, ...compilers].filter(
  (compiler) => spawnSync(compiler, ['--version']).status !== 0,
);
const required = process.env['ISOLA_REQUIRE_JUDGES'] === '1';
const skip = absent.length === 0 || required ? false : `not installed: ${absent.join(', ')}`;

test('the judges of conformance are there', { skip }, () => {
  deepEqual(absent, []);
});

interface Prepared {
  /** What the program prints on the host. */
  readonly want: string;
  readonly kernels: readonly {
    readonly guest: Guest;
    readonly variant: string;
    readonly file: string;
  }[];
}

suite('conformance programs', { skip: skip || absent.length > 0 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'isola-conformance-'));
  after(() => rmSync(directory, { recursive: true }));
  const builders = Object.values(guests).flatMap((guest: Guest) =>
    Object.keys(guest.variants).map((variant) => {
      return { guest, variant, builder: createBuilder(guest, variant, directory) };
    }),
  );

  const prepare = async (program: string): Promise<Prepared> => {
    const kernels = builders.map(async ({ guest, variant, builder }) => {
      const build = await builder;
      return { guest, variant, file: await build(sourceOf(program)) };
    });
    const [want, ...built] = await Promise.all([outputOnHost(program, directory), ...kernels]);
    return { want, kernels: built };
  };
  // One program is compiled while the one before it runs.
  const prepared = new Map<string, Promise<Prepared>>();
  const begin = (program: string | undefined): Promise<Prepared> | undefined => {
    if (program === undefined) return undefined;
    const preparation = prepared.get(program) ?? prepare(program);
    preparation.catch(() => undefined); // The test of the program hears of it.
    prepared.set(program, preparation);
    return preparation;
  };

  for (const [number, program] of programs.entries()) {
    test(program, async (t) => {
      const { want, kernels } = await begin(program)!;
      void begin(programs[number + 1]);
      ok(want.length > 0, 'the program prints something');
      for (const { guest, variant, file } of kernels) {
        const kernel = readFileSync(file);
        let instructions = 0;
        for (const engine of engines[guest.name][variant]!) {
          if (engine === 'evaluator' && instructions > EVALUATOR_INSTRUCTIONS) continue;
          await t.test(`${variant}, ${engine}`, async () => {
            const { output, end, retired } = await runBare(guest, kernel, engine);
            equal(firstDifference(output, want), undefined);
            deepEqual(end, { reason: 'poweroff', code: 0 });
            instructions = retired;
          });
        }
      }
    });
  }
});

/** Runs a program on its machine to its end. */
async function runBare(
  { name: arch, machine }: Guest,
  kernel: Uint8Array,
  engine: EngineName,
): Promise<{ output: string; end: VmEnd; retired: number }> {
  const vm = await Vm.create(
    { arch, machine, engine, memoryBytes: MEMORY_BYTES, kernel },
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
