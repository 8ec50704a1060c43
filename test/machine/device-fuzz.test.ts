// Every device of the board survives a guest that writes anything anywhere: through the bus (see device-fuzz.ts), and
// from guest code that runs on each engine. The first runs for a few seconds and a million accesses, or as many seconds
// as ISOLA_FUZZ_SECONDS says; ISOLA_FUZZ_SEED begins with another seed.

import { deepEqual, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { virtioBlock } from '../../src/device/virtio/block/device.ts';
import { memoryStore } from '../../src/device/virtio/block/memory-store.ts';
import { virtioConsole } from '../../src/device/virtio/console/device.ts';
import { virtioMmio } from '../../src/device/virtio/mmio.ts';
import { virtioRng } from '../../src/device/virtio/rng/device.ts';
import { createServices } from '../../src/host/node/services.ts';
import { Vm } from '../../src/vm/vm.ts';
import { createBuilder, guests } from '../conformance/build.ts';
import { fuzzRound, noCounts } from './device-fuzz.ts';

const seconds = Number(process.env['ISOLA_FUZZ_SECONDS'] ?? 4);
const firstSeed = BigInt(process.env['ISOLA_FUZZ_SEED'] ?? 20_260_714);
const ACCESSES_EACH = 20_000;
const ACCESSES_LEAST = 1_000_000;

test('devices survive random accesses', async (t) => {
  const counts = noCounts();
  const end = performance.now() + seconds * 1000;
  let seed = firstSeed;
  for (; performance.now() < end || counts.accesses < ACCESSES_LEAST; seed++) {
    try {
      await fuzzRound(seed, ACCESSES_EACH, counts);
    } catch (cause) {
      throw new Error(`repeat with ISOLA_FUZZ_SEED=${seed}`, { cause });
    }
  }
  t.diagnostic(JSON.stringify({ seeds: Number(seed - firstSeed), ...counts }));
  ok(counts.requests > 1000, 'the disks have had work');
  ok(counts.interrupts > 1000, 'the devices have interrupted');
  ok(counts.restores > 100, 'the devices have been saved and restored');
});

const { compiler } = guests.riscv64;
const absent = spawnSync(compiler, ['--version']).status !== 0;
const required = process.env['ISOLA_REQUIRE_JUDGES'] === '1';
const skip = absent && !required ? `not installed: ${compiler}` : false;

test('devices survive random accesses of guest code', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'isola-devices-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const build = await createBuilder(guests.riscv64, 'rv64gc', directory);
  const kernel = readFileSync(await build(join(import.meta.dirname, 'devices.c')));
  for (const engine of ['interpreter', 'jit'] as const) {
    await t.test(engine, async () => {
      const devices = [
        virtioBlock(memoryStore(new Uint8Array(64 * 512))),
        virtioRng(),
        virtioConsole({ output: () => undefined }),
      ].map((device) => virtioMmio(device));
      const vm = await Vm.create(
        { machine: 'bare', engine, memoryBytes: 8 * 1024 * 1024, kernel, devices },
        createServices(),
      );
      const output = new Response(vm.console.readable).text();
      vm.start();
      match(await output, /\ndone, some accesses trapped\n$/);
      deepEqual(await vm.ended, { reason: 'poweroff', code: 0 });
    });
  }
});
