// What the slow paths do with the TLBs, as their counters tell: misses by kind, walks, flushes.

import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
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

const load = word('ld', { rd: 6, rs1: 5, imm: 0 });
const store = word('sd', { rs2: 7, rs1: 5, imm: 0 });
const amo = word('amoadd.d', { rd: 6, rs1: 5, rs2: 0 });
const fence = word('sfence.vma', { rs1: 5, rs2: 0 });
const fenceAll = word('sfence.vma_all', { rs2: 0 });

const counters = [
  'tlbMissLoad',
  'tlbMissStore',
  'tlbMissFetch',
  'tlbFlushes',
  'tlbPageFlushes',
  'walks',
] as const;

/** A supervisor with its code mapped, and a page of data at `at`. */
function setUp(create: (typeof executors)[string]) {
  const h = createHart(create);
  const tables = createTables(h, 3);
  tables.map(codeAt, codeAt, V | R | X | A | D);
  tables.map(at, dataAt, V | R | W | A | D);
  /** Runs code and returns by how much the counters grew; the fetch of the code itself misses once. */
  const run = (code: readonly number[], cells: Record<string, bigint> = {}) => {
    const before = h.look(...counters);
    h.run(supervisor, code, { satp: tables.satp(), x5: at, ...cells });
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
      ['tlbPageFlushes', 1],
      ['walks', 3],
    ]);
  });
}
