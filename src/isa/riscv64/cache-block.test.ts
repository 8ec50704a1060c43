// Zicbom, Zicboz, Zawrs and Zifencei: what they permit, what they touch, where they go on.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { execute, pc, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { routine } from '../../ir/builder.ts';
import type { Row } from '../shared/row.ts';
import { exitCode } from '../shared/vcpu.ts';
import { hart } from './state.ts';
import { rows as zawrs } from './zawrs.ts';
import { zicbomRows } from './zicbom.ts';
import { rows as zicboz } from './zicboz.ts';
import { rows as zifencei } from './zifencei.ts';

/** Translates nothing at or above 2^63. */
const translate = routine('translate', ['i64', 'i32'], 'i64', (s, address, _kind) => {
  s.when(s.lt_s(address, 0n), () => {
    s.setState(hart.pendingCause, 13n);
    s.setState(hart.pendingTval, address);
    s.return(s.const64(-1));
  });
  s.return(address);
});

const row = rowFinder([...zawrs, ...zicbomRows(translate), ...zicboz, ...zifencei]);
const fields = { rs1: 5 };

// oxfmt-ignore
const enables: readonly (readonly [string, number])[] = [
  ['cbo.inval', 0x10], ['cbo.inval', 0x30], ['cbo.clean', 0x40], ['cbo.flush', 0x40], ['cbo.zero', 0x80],
];

const outcome = (of: Row, mode: number, menvcfg: number, senvcfg: number): string => {
  const after = execute(of, fields, { state: { x5: 0x1000, mode, menvcfg, senvcfg } });
  if (after.outcome.kind === 'raise') equal(after.state.get('pendingCause'), 2n);
  return after.outcome.kind;
};

test('machine mode always may; supervisor needs menvcfg, user senvcfg too', () => {
  for (const [name, enable] of enables) {
    const of = row(name);
    equal(outcome(of, 3, 0, 0), 'next');
    equal(outcome(of, 1, 0, enable), 'raise');
    equal(outcome(of, 1, enable, 0), 'next');
    equal(outcome(of, 0, enable, 0), 'raise');
    equal(outcome(of, 0, 0, enable), 'raise');
    equal(outcome(of, 0, enable, enable), 'next');
    const others = 0xf0 & ~(name === 'cbo.inval' ? 0x30 : enable);
    equal(outcome(of, 1, others, others), 'raise');
  }
});

test('faults are those of stores, at rs1', () => {
  const x5 = 2n ** 64n - 27n;
  for (const [name] of enables) {
    const { state } = execute(row(name), fields, { state: { x5, mode: 3 } });
    equal(state.get('pendingCause'), 15n);
    equal(state.get('pendingTval'), x5);
  }
});

test('cbo.zero clears exactly its block', () => {
  const ones = 2n ** 64n - 1n;
  const memory = Array.from({ length: 10 }, (_, i) => [0xff8 + 8 * i, ones] as const);
  const after = execute(row('cbo.zero'), fields, { state: { x5: 0x1023, mode: 3 }, memory });
  deepEqual(
    memory.map(([at]) => after.read(at)),
    [ones, ...Array.from({ length: 8 }, () => 0n), ones],
  );
});

test('waits end at once and give the slice away; fence.i goes on in a new context', () => {
  for (const name of ['wrs.nto', 'wrs.sto']) {
    const expected = { kind: 'exit', code: exitCode('budget'), target: pc + 4n } as const;
    deepEqual(execute(row(name), {}).outcome, expected);
  }
  deepEqual(execute(row('fence.i'), {}).outcome, { kind: 'jump', target: pc + 4n, via: 'sync' });
});
