// The code cache under a limit that a guest's code does not fit: results are those of an unbounded run, and use stays
// within the limit.
//
// The guest goes through many pages in rounds. Each page computes in a loop, and its last instruction lies across the
// end of the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import { place } from '../../src/engine/places.ts';
import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { X } from '../../src/isa/riscv64/state.ts';
import { createAssembler } from '../../src/isa/shared/assembler.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { vcpu } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';

const RAM = 0x8000_0000;
const PAGE = 4096;
const PAGES = 600;
const LIMIT = 1024 * 1024;
const { assembleProgram } = createAssembler(riscv64);

const assemble = (text: string, address: number): Uint8Array =>
  assembleProgram(text, BigInt(address)).bytes;

/** x5 gathers, x7 counts straddling instructions; the page is entered two bytes behind its start. */
const pageText = (number: number): string => `
  addi x6, x0, ${20 + (number % 7)}
again:
  add x5, x5, x6
  xori x5, x5, ${number}
  addi x6, x6, -1
  bne x6, x0, again
  jal x0, end
  ${'.word 0\n'.repeat(1017)}
end:
  addi x7, x7, 1
`;

/** Back to the first page while x8 lasts; then it waits. */
const lastText = `
  addi x8, x8, -1
  beq x8, x0, over
  jalr x0, 0(x9)
over:
  wfi
`;

interface Run {
  readonly x5: bigint;
  readonly x7: bigint;
  readonly counts: Readonly<Record<string, number>>;
}

function createGuest(engine: EngineName, codeCacheBytes?: number) {
  const places = place((PAGES + 1) * PAGE, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const ram = new Uint8Array(memory.buffer, places.ram);
  const executor = engines[engine]({
    isa: riscv64,
    memory,
    places,
    ramBase: RAM,
    bus: createBus([]),
    time: () => 0n,
    now: () => process.hrtime.bigint(),
    codeCacheBytes,
  });
  const cpu = places.vcpus[0]!;
  const record = new VcpuRecord(memory.buffer, cpu);
  for (let page = 0; page < PAGES; page++) {
    ram.set(assemble(pageText(page), RAM + page * PAGE + 2), page * PAGE + 2);
  }
  ram.set(assemble(lastText, RAM + PAGES * PAGE + 2), PAGES * PAGE + 2);
  return {
    ram,
    executor,
    run(rounds: number): Run {
      riscv64.reset(record, 0);
      record.set(vcpu.pc, BigInt(RAM + 2));
      for (const register of [5, 7]) record.setRegister(X, register, 0n);
      record.setRegister(X, 8, BigInt(rounds));
      record.setRegister(X, 9, BigInt(RAM + 2));
      for (let exit = 'budget'; exit !== 'wait';) {
        exit = executor.run(cpu, 20_000);
        assert.ok(['budget', 'attention', 'wait'].includes(exit), exit);
      }
      const [x5, x7] = [record.getRegister(X, 5), record.getRegister(X, 7)];
      return { x5, x7, counts: executor.counts };
    },
  };
}

function expected(rounds: number, changed?: number): bigint {
  let x5 = 0n;
  for (let round = 0; round < rounds; round++) {
    for (let page = 0; page < PAGES; page++) {
      for (let x6 = 20 + (page % 7); x6 > 0; x6--) {
        x5 = BigInt.asUintN(64, (x5 + BigInt(x6)) ^ BigInt(page === changed ? 1 : page));
      }
    }
  }
  return x5;
}

const rounds = { interpreter: 20, hybrid: 20, jit: 4 } as const;

for (const engine of ['interpreter', 'hybrid', 'jit'] as const) {
  test(`${engine}: code that does not fit the cache runs all the same`, () => {
    const { x5, x7, counts } = createGuest(engine, LIMIT).run(rounds[engine]);
    assert.equal(x5, expected(rounds[engine]));
    assert.equal(x7, BigInt(PAGES * rounds[engine]));
    assert.ok(counts['evictedPages']! > PAGES, `${counts['evictedPages']} pages evicted`);
    assert.ok(counts['cacheBytesMax']! <= LIMIT, `${counts['cacheBytesMax']} bytes in use`);
  });

  test(`${engine}: code that was evicted is forgotten when it changes`, () => {
    const guest = createGuest(engine, LIMIT);
    assert.equal(guest.run(2).x5, expected(2));
    const changed = 7;
    const text = pageText(changed).replace(`xori x5, x5, ${changed}`, 'xori x5, x5, 1');
    guest.ram.set(assemble(text, RAM + changed * PAGE + 2), changed * PAGE + 2);
    // The host offset of RAM is where its view begins.
    guest.executor.wrote(guest.ram.byteOffset + changed * PAGE + 2, 64);
    assert.equal(guest.run(2).x5, expected(2, changed));
  });
}

test('without need nothing is evicted', () => {
  const { x5, counts } = createGuest('interpreter').run(3);
  assert.equal(x5, expected(3));
  assert.equal(counts['evictedPages'], 0);
  assert.equal(counts['collectorSteps'], 0);
});
