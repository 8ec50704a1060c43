// What the slow paths do with both levels of the TLB, as their counters tell, and that nothing outlives a flush there.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { tlb, vcpuCounters } from '../../isa/shared/vcpu.ts';
import {
  codeAt,
  createHart,
  createTables,
  dataAt,
  executors,
  mode,
  pte,
  ramBase,
  word,
} from '../../../test/support/riscv64-hart.ts';

const { supervisor } = mode;
const { V, R, W, X, A, D } = pte;
const at = 0x12_3456_7000n;
/** Another page with the same place in the first level, and another one in the second. */
const rival = at + 4096n * BigInt(tlb.entries);

const load = word('ld', { rd: 6, rs1: 5, imm: 0 });
const store = word('sd', { rs2: 7, rs1: 5, imm: 0 });
const loadRival = word('ld', { rd: 9, rs1: 8, imm: 0 });
const storeRival = word('sd', { rs2: 7, rs1: 8, imm: 0 });
const amo = word('amoadd.d', { rd: 6, rs1: 5, rs2: 0 });
const fence = word('sfence.vma', { rs1: 5, rs2: 0 });
const fenceAll = word('sfence.vma_all', { rs2: 0 });

const fenceAsid = word('sfence.vma', { rs1: 5, rs2: 10 });
const fenceAllAsid = word('sfence.vma_all', { rs2: 10 });
const fenceRival = word('sfence.vma', { rs1: 8, rs2: 0 });

const counters = vcpuCounters.filter((name) => name.startsWith('tlb') || name === 'walks');

/** A supervisor with its code mapped, and a page of data at `at`. */
function setUp(create: (typeof executors)[string]) {
  const h = createHart(create);
  const tables = createTables(h, 3);
  tables.map(codeAt, codeAt, V | R | X | A | D);
  tables.map(at, dataAt, V | R | W | A | D);
  tables.map(rival, dataAt + 0x1000n, V | R | W | A | D);
  /** Runs code and returns by how much the counters grew; the fetch of the code itself misses once. */
  const run = (code: readonly number[], cells: Record<string, bigint> = {}) => {
    const before = h.look(...counters);
    h.run(supervisor, code, { satp: tables.satp(), x5: at, x8: rival, ...cells });
    return counters.flatMap((name) => {
      const grown = h.get(name) - before[name]!;
      return grown === 0n ? [] : [[name, Number(grown)]];
    });
  };
  // The prologue in machine mode and the supervisor's code.
  run([]);
  return { h, tables, run };
}

/** The evaluator caches no translations. */
const caching = Object.entries(executors).filter(([name]) => name !== 'evaluator');

for (const [name, create] of caching) {
  test(`${name}: the first access of each kind to a page misses, and walks`, () => {
    const { run } = setUp(create);
    deepEqual(run([load, load, store, amo, store]), [
      ['tlbMissLoad', 1],
      ['tlbMissStore', 1],
      ['walks', 2],
    ]);
    deepEqual(run([load, store]), []);
  });

  test(`${name}: flushes are counted, and make the next access walk again`, () => {
    const { run } = setUp(create);
    run([load]);
    deepEqual(run([load, fence, load]), [
      ['tlbMissLoad', 1],
      ['tlbPageFlushes', 1],
      ['walks', 1],
    ]);
    deepEqual(run([load, fenceAll, load]), [
      ['tlbMissLoad', 1],
      ['tlbMissFetch', 1],
      ['tlbFlushes', 1],
      ['walks', 2],
    ]);
  });

  test(`${name}: the fence of an address in a large mapping flushes everything`, () => {
    const { run, tables } = setUp(create);
    const virtual = 0x4000_0000n;
    tables.map(virtual, ramBase, V | R | A, 1);
    const x5 = virtual + (dataAt - ramBase);
    deepEqual(run([load, fence, load], { x5 }), [
      ['tlbMissLoad', 2],
      ['tlbMissFetch', 1],
      ['tlbFlushes', 1],
      ['tlbLargeFlushes', 1],
      ['tlbPageFlushes', 1],
      ['walks', 3],
    ]);
  });

  test(`${name}: a page that another one drove from the first level is found in the second`, () => {
    const { h, run } = setUp(create);
    h.write(dataAt, 5n);
    h.write(dataAt + 0x1000n, 7n);
    deepEqual(run([load, loadRival, load, loadRival, store, storeRival, amo]), [
      ['tlbMissLoad', 4],
      ['tlbMissStore', 3],
      ['tlbSecondHits', 3],
      ['walks', 4],
    ]);
    deepEqual(h.look('x6', 'x9'), { x6: 0n, x9: 7n });
    deepEqual(run([load]), [
      ['tlbMissLoad', 1],
      ['tlbSecondHits', 1],
    ]);
  });

  test(`${name}: the second level forgets what a fence forgets, and no other page`, () => {
    for (const [code, walks] of [
      [[fence], 1],
      [[fenceAsid], 1],
      [[fenceAll], 2],
      [[fenceAllAsid], 2],
      [[fenceRival], 0],
    ] as const) {
      const { h, tables, run } = setUp(create);
      h.write(dataAt, 5n);
      h.write(dataAt + 0x2000n, 6n);
      run([load, loadRival]);
      tables.map(at, dataAt + (walks === 0 ? 0n : 0x2000n), V | R | A);
      const counted = new Map(run([...code, load]).map(([key, value]) => [key, value]));
      equal(h.get('x6'), walks === 0 ? 5n : 6n);
      equal(counted.get('walks') ?? 0, walks);
      equal(counted.get('tlbSecondHits') ?? 0, walks === 0 ? 1 : 0);
    }
  });

  test(`${name}: the second level tells address spaces apart`, () => {
    const { h, tables, run } = setUp(create);
    h.write(dataAt, 5n);
    h.write(dataAt + 0x2000n, 6n);
    run([load, loadRival], { satp: tables.satp(1n) });
    tables.map(at, dataAt + 0x2000n, V | R | A);
    run([load, loadRival], { satp: tables.satp(2n) });
    equal(h.get('x6'), 6n);
  });

  test(`${name}: a fence in a large mapping empties the second level, too`, () => {
    const { h, tables, run } = setUp(create);
    const virtual = 0x4000_0000n;
    tables.map(virtual, ramBase, V | R | A, 1);
    const x5 = virtual + (dataAt - ramBase);
    const x8 = x5 + (rival - at);
    tables.map(x8, dataAt + 0x1000n, V | R | A);
    h.write(dataAt, 5n);
    run([load, loadRival], { x5, x8 });
    h.write(tables.entryAt(virtual, 1), 0n);
    const other = word('sfence.vma', { rs1: 10, rs2: 0 });
    run([other, load], { x5, x8, x10: virtual });
    deepEqual(h.look('mcause', 'mtval'), { mcause: 13n, mtval: x5 });
  });

  test(`${name}: stores by the second level still notice that a page has got code`, () => {
    const { h, tables, run } = setUp(create);
    const code = 0x20_0000n;
    const answer = (n: bigint): bigint =>
      BigInt(word('addi', { rd: 6, rs1: 0, imm: n })) |
      (BigInt(word('jalr', { rd: 0, rs1: 1, imm: 0 })) << 32n);
    tables.map(code, dataAt, V | R | X | A | D);
    const call = word('jalr', { rd: 1, rs1: 10, imm: 0 });
    const keep = word('addi', { rd: 11, rs1: 6, imm: 0 });
    const overwrite = word('sd', { rs2: 12, rs1: 5, imm: 0 });
    const fenceCode = word('fence.i');
    const words = [store, storeRival, call, keep, overwrite, fenceCode, call];
    const grown = run(words, { x7: answer(1n), x10: code, x12: answer(2n) });
    deepEqual(h.look('x11', 'x6'), { x11: 1n, x6: 2n });
    equal(new Map(grown.map(([key, value]) => [key, value])).get('tlbSecondHits'), 1);
  });

  test(`${name}: when generations are used up nothing of the first ones returns`, () => {
    const { h, tables, run } = setUp(create);
    h.write(dataAt + 0x2000n, 6n);
    run([fenceAll]);
    h.set({ tlbGeneration: 1n });
    run([load, loadRival]);
    h.set({ tlbGeneration: 0xffff_ffffn });
    tables.map(at, dataAt + 0x2000n, V | R | A);
    run([fenceAll, load]);
    equal(h.get('x6'), 6n);
    equal(h.get('tlbGeneration'), 1n);
  });
}
