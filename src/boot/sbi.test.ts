import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { GuestMemory } from '../memory/guest-memory.ts';
import { CONSOLE_BYTES_MAX, hartState, sbiCall } from './sbi.ts';
import type { HartState, SbiCall, SbiHost, SbiOutcome } from './sbi.ts';

const BASE = 0x10;
const TIME = 0x54494d45;
const IPI = 0x735049;
const RFENCE = 0x52464e43;
const HSM = 0x48534d;
const SRST = 0x53525354;
const DBCN = 0x4442434e;
const ALL = (1n << 64n) - 1n;
const RAM = 0x8000_0000n;

const error = (code: bigint): SbiOutcome => ({
  kind: 'return',
  error: BigInt.asUintN(64, code),
  value: 0n,
});
const value = (result: bigint): SbiOutcome => ({ kind: 'return', error: 0n, value: result });
const ok = value(0n);
const notSupported = error(-2n);
const invalidParam = error(-3n);
const invalidAddress = error(-5n);
const alreadyAvailable = error(-6n);

/** A host that writes down what it is asked, with 4 harts of which 0 and 1 are started. */
function createHost() {
  const log: string[] = [];
  const show = (...parts: unknown[]): void => void log.push(parts.map(String).join(' '));
  const states: HartState[] = [hartState.started, hartState.suspended, hartState.stopped, 1];
  const input: number[] = [];
  const ram = new SharedArrayBuffer(0x2_0000);
  const memory = new GuestMemory(ram, 0, Number(RAM), ram.byteLength, (at, length) =>
    show('wrote', at.toString(16), length),
  );
  const host: SbiHost = {
    hartCount: states.length,
    memory,
    machineIds: { vendor: 1n, arch: ALL, impl: 3n },
    setTimer: (hart, time) => show('timer', hart, time),
    sendIpi: (hart) => show('ipi', hart),
    remoteFenceI: (harts) => show('fence.i', harts),
    remoteSfenceVma: (harts, range, asid) =>
      show('sfence', harts, range && `${range.start}+${range.size}`, asid),
    hartStatus: (hart) => states[hart] ?? hartState.stopped,
    hartStart(hart, address, opaque) {
      states[hart] = hartState.startPending;
      show('start', hart, address.toString(16), opaque);
    },
    consoleWrite(bytes) {
      show('console', new TextDecoder().decode(bytes).slice(0, 8), bytes.length);
      return bytes.length;
    },
    consoleRead(into) {
      const taken = input.splice(0, into.length);
      into.set(taken);
      return taken.length;
    },
  };
  const call = (extension: number, id: number, ...args: (bigint | number)[]): SbiOutcome => {
    const [a0 = 0n, a1 = 0n, a2 = 0n, a3 = 0n, a4 = 0n] = args.map(BigInt);
    return sbiCall(host, 0, { a0, a1, a2, a3, a4, a6: BigInt(id), a7: BigInt(extension) });
  };
  return { host, log, input, memory, call };
}

test('BASE tells the version, the implementation, the extensions and the machine', () => {
  const { call } = createHost();
  assert.deepEqual(call(BASE, 0), value(0x0200_0000n));
  for (const extension of [BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN]) {
    assert.deepEqual(call(BASE, 3, extension), value(1n));
  }
  for (const absent of [0, 1, 8, 0x504d55, 0x53555350]) {
    assert.deepEqual(call(BASE, 3, absent), value(0n));
  }
  assert.deepEqual(
    [4, 5, 6].map((id) => call(BASE, id)),
    [value(1n), value(ALL), value(3n)],
  );
});

test('an unknown extension or function, and every legacy one, is not supported', () => {
  const { call, log } = createHost();
  for (let legacy = 0; legacy <= 8; legacy++) assert.deepEqual(call(legacy, 0), notSupported);
  assert.deepEqual(call(0x504d55, 0), notSupported);
  assert.deepEqual(call(BASE, 7), notSupported);
  assert.deepEqual(call(RFENCE, 3, 1, 0), notSupported); // needs the H extension
  assert.deepEqual(call(DBCN, 3), notSupported);
  assert.deepEqual(log, []);
});

test('TIME arms the timer of the calling hart', () => {
  const { call, log } = createHost();
  assert.deepEqual(call(TIME, 0, ALL), ok);
  assert.deepEqual(log, [`timer 0 ${ALL}`]);
});

test('IPI reaches the harts of the mask that are not stopped', () => {
  const { call, log } = createHost();
  assert.deepEqual(call(IPI, 0, 0b11, 0), ok);
  assert.deepEqual(call(IPI, 0, 0b1, 1), ok);
  assert.deepEqual(call(IPI, 0, 0, ALL), ok);
  assert.deepEqual(log, ['ipi 0', 'ipi 1', 'ipi 1', 'ipi 0', 'ipi 1']);
});

test('a hart mask that names a missing hart is refused as a whole', () => {
  const { call, log } = createHost();
  assert.deepEqual(call(IPI, 0, 0b1_0001, 0), invalidParam);
  assert.deepEqual(call(IPI, 0, 0b10, 3), invalidParam);
  assert.deepEqual(call(IPI, 0, 1, 4), invalidParam);
  assert.deepEqual(call(IPI, 0, 0, 4), invalidParam);
  assert.deepEqual(call(RFENCE, 0, ALL, 0), invalidParam);
  assert.deepEqual(call(RFENCE, 1, 1, ALL - 1n, 0, 0), invalidParam);
  assert.deepEqual(log, []);
});

test('RFENCE fences a range, an address space, or everything', () => {
  const { call, log } = createHost();
  assert.deepEqual(call(RFENCE, 0, 0b1010, 0), ok);
  assert.deepEqual(call(RFENCE, 1, 1, 2, 0x1000, 0x2000), ok);
  assert.deepEqual(call(RFENCE, 1, 1, 2, 0, 0), ok);
  assert.deepEqual(call(RFENCE, 1, 1, 2, 0x1000, ALL), ok);
  assert.deepEqual(call(RFENCE, 2, 1, 0, 0x1000, 0x1000, 7), ok);
  assert.deepEqual(call(RFENCE, 1, 1, 0, ALL, 0x1000), ok); // wraps: everything
  assert.deepEqual(call(RFENCE, 1, 1, 0, 0x1000, 0), ok); // empty: nothing
  assert.deepEqual(call(RFENCE, 2, 1, 0, 0, 0, 0x1_0000), invalidParam);
  assert.deepEqual(log, [
    'fence.i 1,3',
    'sfence 2 4096+8192 undefined',
    'sfence 2 undefined undefined',
    'sfence 2 undefined undefined',
    'sfence 0 4096+4096 7',
    'sfence 0 undefined undefined',
  ]);
});

test('HSM starts a stopped hart once, at an instruction in RAM', () => {
  const { call, log } = createHost();
  assert.deepEqual(call(HSM, 0, 4, RAM, 0), invalidParam);
  assert.deepEqual(call(HSM, 0, 2, 0x1000, 0), invalidAddress);
  assert.deepEqual(call(HSM, 0, 2, RAM + 1n, 0), invalidAddress);
  assert.deepEqual(call(HSM, 0, 2, ALL - 1n, 0), invalidAddress);
  assert.deepEqual(call(HSM, 0, 0, RAM, 0), alreadyAvailable);
  assert.deepEqual(call(HSM, 0, 2, RAM + 2n, ALL), ok);
  assert.deepEqual(call(HSM, 0, 2, RAM, 0), alreadyAvailable);
  assert.deepEqual(log, [`start 2 80000002 ${ALL}`]);
});

test('HSM tells the state of each hart', () => {
  const { call } = createHost();
  assert.deepEqual(call(HSM, 2, 0), value(0n));
  assert.deepEqual(call(HSM, 2, 1), value(4n));
  assert.deepEqual(call(HSM, 2, 3), value(1n));
  assert.deepEqual(call(HSM, 2, 4), invalidParam);
});

test('HSM stop and suspend are outcomes for the calling hart', () => {
  const { call } = createHost();
  assert.deepEqual(call(HSM, 1), { kind: 'stop' });
  assert.deepEqual(call(HSM, 3, 0), { kind: 'suspend', resume: undefined });
  const resume = { address: Number(RAM), opaque: 9n };
  assert.deepEqual(call(HSM, 3, 0x8000_0000, RAM, 9), { kind: 'suspend', resume });
  assert.deepEqual(call(HSM, 3, 0xffff_ffff_8000_0000n, RAM, 9), { kind: 'suspend', resume });
  assert.deepEqual(call(HSM, 3, 0x8000_0000, 0, 0), invalidAddress);
  for (const type of [1, 0x1000_0000, 0x8000_0001, 0x9000_0000]) {
    assert.deepEqual(call(HSM, 3, type, RAM, 0), invalidParam);
  }
});

test('SRST resets for the kinds and reasons the specification names', () => {
  const { call } = createHost();
  assert.deepEqual(call(SRST, 0, 0, 0), { kind: 'reset', reset: 'shutdown', failure: false });
  assert.deepEqual(call(SRST, 0, 1, 1), { kind: 'reset', reset: 'cold-reboot', failure: true });
  assert.deepEqual(call(SRST, 0, 2, 0), { kind: 'reset', reset: 'warm-reboot', failure: false });
  assert.deepEqual(call(SRST, 0, 3, 0), invalidParam);
  assert.deepEqual(call(SRST, 0, 0xf000_0000, 0), invalidParam);
  assert.deepEqual(call(SRST, 0, 0, 2), invalidParam);
});

test('DBCN writes memory to the console, in pieces when it is much', () => {
  const { call, log, memory } = createHost();
  memory.bytes(Number(RAM), 5)?.set(new TextEncoder().encode('hello'));
  assert.deepEqual(call(DBCN, 0, 5, RAM, 0), value(5n));
  assert.deepEqual(call(DBCN, 0, 0x1_8000, RAM, 0), value(BigInt(CONSOLE_BYTES_MAX)));
  assert.deepEqual(call(DBCN, 0, 0, 0, 0), ok);
  assert.deepEqual(call(DBCN, 2, 0xffff_ff41), ok);
  assert.deepEqual([log[0], log[2]], ['console hello 5', 'console A 1']);
});

test('DBCN reads what is there and tells that memory changed', () => {
  const { call, input, log, memory } = createHost();
  input.push(104, 105);
  assert.deepEqual(call(DBCN, 1, 8, RAM + 16n, 0), value(2n));
  assert.deepEqual(call(DBCN, 1, 8, RAM + 16n, 0), value(0n));
  assert.equal(memory.read16(Number(RAM) + 16), 0x6968);
  assert.deepEqual(log, ['wrote 80000010 2']);
});

test('DBCN refuses memory that is not all RAM', () => {
  const { call, log } = createHost();
  for (const id of [0, 1]) {
    assert.deepEqual(call(DBCN, id, 1, 0, 0), invalidParam);
    assert.deepEqual(call(DBCN, id, 1, RAM, 1), invalidParam);
    assert.deepEqual(call(DBCN, id, 0x2_0001, RAM, 0), invalidParam);
    assert.deepEqual(call(DBCN, id, ALL, RAM, 0), invalidParam);
    assert.deepEqual(call(DBCN, id, 1, ALL, 0), invalidParam);
  }
  assert.deepEqual(log, []);
});

test('a console that fails gives an error', () => {
  const { host } = createHost();
  const failing: SbiHost = {
    ...host,
    consoleWrite: () => undefined,
    consoleRead: () => undefined,
  };
  const call: SbiCall = { a0: 1n, a1: RAM, a2: 0n, a3: 0n, a4: 0n, a6: 0n, a7: BigInt(DBCN) };
  for (const a6 of [0n, 1n, 2n]) assert.deepEqual(sbiCall(failing, 0, { ...call, a6 }), error(-1n));
});

test('no call of a guest throws, and every answer fits its registers', () => {
  const interesting = fc.constantFrom(0n, 1n, 2n, 4n, RAM, RAM + 0x1_ffffn, ALL, 1n << 63n);
  const argument = fc.oneof(interesting, fc.bigInt({ min: 0n, max: ALL }));
  const id = fc.oneof(fc.bigInt({ min: 0n, max: 8n }), argument);
  const extension = fc.constantFrom(BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN);
  fc.assert(
    fc.property(
      fc.tuple(argument, argument, argument, argument, argument),
      id,
      extension,
      ([a0, a1, a2, a3, a4], a6, a7) => {
        const { host } = createHost();
        const outcome = sbiCall(host, 0, { a0, a1, a2, a3, a4, a6, a7: BigInt(a7) });
        if (outcome.kind !== 'return') return;
        assert.ok(outcome.error >= 0n && outcome.error <= ALL);
        assert.ok(outcome.value >= 0n && outcome.value <= ALL);
      },
    ),
    { numRuns: 500 },
  );
});
