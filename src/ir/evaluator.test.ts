import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { type Builder, buildBlock, helper, routine } from './builder.ts';
import { type Environment, evaluate, evaluateRoutine } from './evaluator.ts';
import type { RegisterFile, StateField } from './node.ts';

const X: RegisterFile = {
  name: 'x',
  type: 'i64',
  offset: 0,
  count: 8,
  zero: 0,
  zeroOffset: 0,
  sinkOffset: 64,
};
const x = (index: number) => ({ file: X, index });
const cell: StateField = { name: 'cell', type: 'i32', offset: 72 };

const indexOf = (register: { index: number } | { slot: string }): number =>
  'index' in register ? register.index : 7;

/** A world of registers and one readable, one writable address. */
function world() {
  const registers = new Map<number, bigint>();
  const cells = new Map<string, bigint>();
  const log: string[] = [];
  const environment: Environment = {
    pc: () => 0x1000n,
    retired: () => 42n,
    operand: (slot) => (slot === 'imm' ? -3n : 0n),
    getRegister: (register) => registers.get(indexOf(register)) ?? 0n,
    setRegister: (register, value) => void registers.set(indexOf(register), value),
    getState: (field) => cells.get(field.name) ?? 0n,
    setState: (field, value) => void cells.set(field.name, value),
    load: (width, address) => (address === 8n ? (1n << BigInt(width)) - 2n : undefined),
    store: (width, address, value) => {
      log.push(`store${width} ${address} ${value}`);
      return address === 16n;
    },
    probe: (kind, address) => kind === 'load' && address === 8n,
    rmw: (kind, width, address, value) => {
      log.push(`${kind}${width} ${address} ${value}`);
      return address === 16n ? 5n : undefined;
    },
    cas: (_, address) => (address === 16n ? 6n : undefined),
    physicalLoad: (_, address) => address,
    physicalCas: (_, address) => address + 1n,
    inRam: (address) => address < 100n,
    fence: () => void log.push('fence'),
    flushTlb: () => void log.push('flush'),
    flushTlbPage: (address) => void log.push(`flush ${address}`),
    syncCode: () => void log.push('sync'),
    helpers: { get: () => 0n, set: () => {}, time: () => 99n },
  };
  return { registers, cells, log, environment };
}

function run(build: (s: Builder) => void) {
  const { environment, ...rest } = world();
  return { outcome: evaluate(buildBlock(build), environment), ...rest };
}

test('values flow through registers, cells and variables', () => {
  const { outcome, registers, cells } = run((s) => {
    const total = s.variable('i64', 0n);
    s.set(x(1), s.add(s.pc(4), 1n));
    s.assign(total, s.add(s.get(x(1)), s.retired()));
    s.set(x(2), s.read(total));
    s.setState(cell, s.wrap(s.sub(s.get(x(3)), 1n)));
  });
  deepEqual(outcome, { kind: 'next' });
  deepEqual(
    [...registers],
    [
      [1, 0x1005n],
      [2, 0x1005n + 42n],
    ],
  );
  equal(cells.get('cell'), 0xffff_ffffn);
});

test('an operand is a 64-bit value', () => {
  const { registers } = run((s) => {
    const imm = { op: 'operand', type: 'i64', args: [], slot: 'imm' } as const;
    s.set({ file: X, slot: 'rd' }, s.add(imm, 1n));
  });
  equal(registers.get(7), 2n ** 64n - 2n);
});

test('loads extend as they say', () => {
  const { registers } = run((s) => {
    s.set(x(1), s.load(8, 8n));
    s.set(x(2), s.load(8, 8n, 'signed'));
    s.set(x(3), s.load(64, 8n, 'signed'));
    s.set(x(4), s.physicalLoad(32, 9n));
    s.set(x(5), s.zext1(s.inRam(99n)));
    s.set(x(6), s.add(s.cas(32, 16n, 1n, 2n), s.physicalCas(64, 1n, 2n, 3n)));
  });
  const all = (2n ** 64n - 2n).toString();
  deepEqual([...registers.values()].map(String), ['254', all, all, '9', '1', '8']);
});

test('a fault ends the instruction where it stands', () => {
  for (const access of [
    (s: Builder) => s.load(64, 0n),
    (s: Builder) => s.store(64, 0n, 1n),
    (s: Builder) => s.probeLoad(0n),
    (s: Builder) => s.probeStore(8n),
    (s: Builder) => s.rmw('add', 64, 0n, 1n),
    (s: Builder) => s.cas(64, 0n, 1n, 1n),
  ]) {
    const { outcome, registers } = run((s) => {
      s.probeLoad(8n);
      s.set(x(1), s.rmw('xor', 32, 16n, 1n));
      access(s);
      s.set(x(2), 1n);
    });
    deepEqual(outcome, { kind: 'raise' });
    deepEqual([...registers], [[1, 5n]]);
  }
});

test('control leaves by jumps, branches, exits and raise', () => {
  const target = 0x2000n;
  const outcomes = [true, false].map(
    (taken) => run((s) => s.branch(s.eq(s.get(x(1)), taken ? 0n : 1n), target)).outcome,
  );
  deepEqual(outcomes, [{ kind: 'jump', target, via: 'direct' }, { kind: 'next' }]);
  deepEqual(run((s) => s.jump(target, 'sync')).outcome, { kind: 'jump', target, via: 'sync' });
  deepEqual(run((s) => s.exit(3, s.pc(4))).outcome, { kind: 'exit', code: 3, target: 0x1004n });
  const raised = run((s) => s.rarely(s.eqz(s.get(x(1))), () => s.raise()));
  deepEqual(raised.outcome, { kind: 'raise' });
});

const factorial = routine('factorial', ['i64'], 'i64', (s, n) => {
  const product = s.variable('i64', 1n);
  const factor = s.variable('i64', n);
  s.loop(() => {
    s.when(s.eqz(s.read(factor)), () => s.return(s.read(product)));
    s.assign(product, s.mul(s.read(product), s.read(factor)));
    s.assign(factor, s.sub(s.read(factor), 1n));
  });
});

test('routines loop, return and recur', () => {
  equal(evaluateRoutine(factorial, [20n], world().environment), 2432902008176640000n);
  const leave = routine('leave', [], null, (s) => s.loop(() => s.break()));
  equal(evaluateRoutine(leave, [], world().environment), undefined);
});

test('helpers get the context and unsigned arguments', () => {
  const clock = helper('clock', ['i64'], 'i32', (context, delta) => context.time() - delta);
  const note = helper('note', [], null, () => 0n);
  const { registers } = run((s) => {
    s.perform(note);
    s.set(x(1), s.zext32(s.call(clock, 'i32', 100n)));
  });
  equal(registers.get(1), 0xffff_ffffn);
});

test('barriers and flushes reach the environment in order', () => {
  const { log } = run((s) => {
    s.fence();
    s.flushTlb();
    s.flushTlbPage(0x1000n);
    s.syncCode();
    s.store(16, 16n, 3n);
  });
  deepEqual(log, ['fence', 'flush', 'flush 4096', 'sync', 'store16 16 3']);
});

test('IR that breaks its own rules is an assertion', () => {
  throws(() => run((s) => s.loop(() => {})), /did not end/);
  throws(() => run((s) => s.div_u(1n, s.get(x(1)))), /guard the divisor/);
  const least = 1n << 63n;
  throws(() => run((s) => s.div_s(s.add(s.get(x(1)), least), -1n)), /overflows/);
  throws(() => run((s) => s.return()), /return leaves an instruction/);
  const peek = routine('peek', ['i64'], 'i64', (s, address) => s.return(s.load(8, address)));
  throws(() => run((s) => s.call(peek, 'i64', 0n)), /raise leaves routine peek/);
  const half = routine('half', ['i64'], 'i64', () => {});
  throws(() => run((s) => s.call(half, 'i64', 1n)), /ends without its result/);
  throws(() => evaluateRoutine(half, [], world().environment), /takes 1 arguments/);
});
