// What rows of F and D do besides computing: the unit's state, rounding modes, boxing, loads. The values they
// compute are judged in test/differential/float.test.ts.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { type After, execute, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { rows as rowsD } from './d.ts';
import { rows as rowsF } from './f.ts';

const boxed = 0xffff_ffff_0000_0000n;
const one = 0x3f80_0000n;
const canonicalNaN = 0x7fc0_0000n;
const INITIAL = 0x2000n;
const DIRTY = 0x6000n;
const rows = [...rowsF, ...rowsD];
const rowOf = rowFinder(rows);

type Fields = Parameters<typeof execute>[1];
type State = Readonly<Record<string, bigint>>;

/** Runs a row with rd 10, rs1 11, rs2 12, rs3 13 and other fields as given; FS is initial unless said otherwise. */
function run(name: string, fields: Fields, state: State = {}): After {
  const row = rowOf(name);
  const registers = { rd: 10, rs1: 11, rs2: 12, rs3: 13 };
  const known = Object.entries({ ...registers, ...fields }).filter(([slot]) => row.fields[slot]);
  const before = { state: { mstatus: INITIAL, ...state }, memory: [[16, one]] } as const;
  return execute(row, Object.fromEntries(known), before);
}

const pending = ({ outcome, state }: After) => [
  outcome.kind,
  state.get('pendingCause'),
  state.get('pendingTval'),
];

test('every instruction is illegal while the unit is off', () => {
  for (const { name } of rows) {
    const after = run(name, {}, { mstatus: 0n });
    deepEqual(pending(after), ['raise', 2n, 0n], name);
    equal(after.state.get('mstatus'), 0n, name);
  }
});

test('reserved rounding modes are illegal, static or dynamic', () => {
  const cases = [
    [5, 0n, 'raise'],
    [6, 0n, 'raise'],
    [7, 5n, 'raise'],
    [7, 7n, 'raise'],
    [7, 4n, 'next'],
    [0, 7n, 'next'],
  ] as const;
  for (const row of rows.filter(({ fields }) => fields['rm'])) {
    for (const [rm, frm, wanted] of cases) {
      const after = run(row.name, { rm }, { frm });
      equal(after.outcome.kind, wanted, `${row.name} rm ${rm} frm ${frm}`);
      if (wanted === 'raise') deepEqual(pending(after), ['raise', 2n, 0n], row.name);
    }
  }
});

test('a value that is not boxed reads as the canonical NaN; results are boxed', () => {
  const cases = [
    [boxed, 0x4000_0000n],
    [0n, canonicalNaN],
    [0xffff_fffe_0000_0000n, canonicalNaN],
  ] as const;
  for (const [upper, wanted] of cases) {
    const { state } = run('fadd.s', {}, { f11: upper | one, f12: boxed | one });
    equal(state.get('f10'), boxed | wanted);
    equal(state.get('mstatus'), DIRTY);
    equal(state.get('fflags') ?? 0n, 0n);
  }
});

test('moves and stores pass bits that are not boxed', () => {
  const unboxed = 0x1234_5678_9abc_def0n;
  const moved = run('fmv.x.w', {}, { f11: unboxed });
  equal(moved.state.get('x10'), 0xffff_ffff_9abc_def0n);
  equal(moved.state.get('mstatus'), INITIAL);
  equal(run('fsw', { imm: 8 }, { f12: unboxed }).read(8), 0x9abc_def0n);
  equal(run('fsd', { imm: 8 }, { f12: unboxed }).read(8), unboxed);
});

test('loads box single precision; a load that faults changes nothing', () => {
  const loaded = run('flw', { imm: 16 });
  equal(loaded.state.get('f10'), boxed | one);
  equal(loaded.state.get('mstatus'), DIRTY);
  const faulted = run('fld', { imm: 16 }, { x11: 1n << 63n });
  equal(faulted.outcome.kind, 'raise');
  equal(faulted.state.get('mstatus'), INITIAL);
});

test('classes', () => {
  const values = [
    0xff80_0000n,
    0xbf80_0000n,
    0x8000_0001n,
    0x8000_0000n,
    0n,
    1n,
    one,
    0x7f80_0000n,
    0x7f80_0001n,
    canonicalNaN,
  ];
  for (const [bit, value] of values.entries()) {
    const { state } = run('fclass.s', {}, { f11: boxed | value });
    equal(state.get('x10'), 1n << BigInt(bit));
  }
});
