import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { execute, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { rows } from './a.ts';

const row = rowFinder(rows);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const none = u64(-1n);

/** Memory after an AMO on 0xffffffff_80000001 (w: 0x80000001) with rs2 = 3, as doubleword and as word. */
// oxfmt-ignore
const amos: readonly (readonly [string, bigint, bigint])[] = [
  ['amoswap', 3n, 0xffff_ffff_0000_0003n],
  ['amoadd', 0xffff_ffff_8000_0004n, 0xffff_ffff_8000_0004n],
  ['amoxor', 0xffff_ffff_8000_0002n, 0xffff_ffff_8000_0002n],
  ['amoand', 1n, 0xffff_ffff_0000_0001n],
  ['amoor', 0xffff_ffff_8000_0003n, 0xffff_ffff_8000_0003n],
  ['amomin', 0xffff_ffff_8000_0001n, 0xffff_ffff_8000_0001n],
  ['amomax', 3n, 0xffff_ffff_0000_0003n],
  ['amominu', 3n, 0xffff_ffff_0000_0003n],
  ['amomaxu', 0xffff_ffff_8000_0001n, 0xffff_ffff_8000_0001n],
];

test('AMOs give the old value and leave the new one', () => {
  const fields = { rd: 7, rs1: 5, rs2: 6 };
  const memory = [[0x100, 0xffff_ffff_8000_0001n]] as const;
  for (const [name, double, word] of amos) {
    for (const suffix of ['', '.aq', '.rl', '.aqrl']) {
      const d = execute(row(`${name}.d${suffix}`), fields, { state: { x5: 0x100, x6: 3 }, memory });
      equal(d.read(0x100), double, `${name}.d`);
      equal(d.state.get('x7'), 0xffff_ffff_8000_0001n);
      const before = { state: { x5: 0x100, x6: 0xf_0000_0003n }, memory };
      const w = execute(row(`${name}.w${suffix}`), fields, before);
      equal(w.read(0x100), word, `${name}.w`);
      equal(w.state.get('x7'), 0xffff_ffff_8000_0001n);
    }
  }
});

test('misaligned addresses and faults raise before anything happens', () => {
  for (const candidate of rows) {
    const isLoad = candidate.name.startsWith('lr');
    const wide = candidate.name.includes('.d');
    const fields = isLoad ? { rd: 7, rs1: 5 } : { rd: 7, rs1: 5, rs2: 6 };
    const at = wide ? 0x104n : 0x102n;
    const misaligned = execute(candidate, fields, { state: { x5: at, reservation: at } });
    deepEqual(misaligned.outcome, { kind: 'raise' });
    equal(misaligned.state.get('pendingCause'), isLoad ? 4n : 6n);
    equal(misaligned.state.get('pendingTval'), at);
    const far = u64(-64n);
    const fault = execute(candidate, fields, { state: { x5: far, reservation: far } });
    deepEqual(fault.outcome, { kind: 'raise' });
    equal(fault.state.get('pendingCause'), isLoad ? 13n : 15n, candidate.name);
    equal(fault.state.has('x7'), false);
  }
});

test('LR reserves, SC succeeds once and only there and with the value unchanged', () => {
  const memory = [[0x100, 0xffff_ffff_8000_0001n]] as const;
  const lr = execute(row('lr.w.aq'), { rd: 7, rs1: 5 }, { state: { x5: 0x100 }, memory });
  equal(lr.state.get('x7'), 0xffff_ffff_8000_0001n);
  equal(lr.state.get('reservation'), 0x100n);
  equal(lr.state.get('reservedValue'), 0x8000_0001n);
  const sc = (reservation: bigint, reservedValue: bigint) => {
    const state = { x5: 0x100, x6: 9, reservation, reservedValue };
    const after = execute(row('sc.w.rl'), { rd: 7, rs1: 5, rs2: 6 }, { state, memory });
    equal(after.state.get('reservation'), none);
    return [after.state.get('x7'), after.read(0x100)];
  };
  const unchanged = 0xffff_ffff_8000_0001n;
  deepEqual(sc(0x100n, 0x8000_0001n), [0n, 0xffff_ffff_0000_0009n]);
  deepEqual(sc(0x100n, 0x8000_0002n), [1n, unchanged]);
  deepEqual(sc(0x108n, 0x8000_0001n), [1n, unchanged]);
  deepEqual(sc(none, 0x8000_0001n), [1n, unchanged]);
});
