// Whatever a pass makes of random IR does what the IR did: outcome, registers, cells, and memory, also at faults.

import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert, nat, property } from 'fast-check';
import { randomContext, randomInstructions } from '../../../test/support/random-ir.ts';
import { type Environment, evaluate } from '../evaluator.ts';
import type { Block, AnyRegister } from '../node.ts';
import { verify } from '../verify.ts';
import { cse } from './cse.ts';
import { dce } from './dce.ts';
import { fold } from './fold.ts';
import { forward } from './forward.ts';
import { optimise, simplify } from './optimise.ts';

const passes = { forward, fold, cse, dce, simplify, optimise };

const nameOf = (register: AnyRegister): string =>
  `${register.file.name}${'index' in register ? register.index : 3}`;

/** A world whose registers, cells and memory hold numbers made from `seed`; some addresses fault. */
function world(seed: number) {
  const state = new Map<string, bigint>();
  const log: string[] = [];
  let hash = seed;
  const notable = [0n, 1n, 2n ** 64n - 1n, 0x6000n, 0xffff_ffffn, 2n ** 63n + 5n];
  const initial = (name: string, bits: number): bigint => {
    hash = seed;
    for (const character of name) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
    return BigInt.asUintN(bits, notable[(hash >>> 3) % notable.length]!);
  };
  const read = (name: string, bits = 64): bigint => state.get(name) ?? initial(name, bits);
  const faults = (address: bigint): boolean => (address + BigInt(seed)) % 5n === 0n;
  const access = (what: string, address: bigint, value?: bigint): bigint | undefined => {
    log.push(`${what} ${address} ${value}`);
    if (faults(address)) return undefined;
    const old = read(`at ${address}`);
    if (value !== undefined) state.set(`at ${address}`, value);
    return old;
  };
  const low = (width: number, value: bigint | undefined) =>
    value === undefined ? undefined : BigInt.asUintN(width, value);
  const environment: Environment = {
    pc: () => 0x8000_1000n,
    instruction: (distance) => void log.push(`instruction ${distance}`),
    retired: () => 42n,
    operand: () => 5n,
    getRegister: (register) => (nameOf(register) === 'x0' ? 0n : read(nameOf(register))),
    setRegister: (register, value) => void state.set(nameOf(register), value),
    getState: (field) => read(field.name, field.type === 'i32' ? 32 : 64),
    setState: (field, value) => void state.set(field.name, value),
    load: (width, address) => low(width, access(`load${width}`, address)),
    store: (width, address, value) =>
      access(`store${width}`, address, BigInt.asUintN(width, value)) !== undefined,
    probe: (kind, address) => access(`probe ${kind}`, address) !== undefined,
    rmw: (kind, width, address, value) => low(width, access(`${kind}${width}`, address, value)),
    cas: (width, address, expected, replacement) =>
      low(width, access(`cas${width} ${expected}`, address, replacement)),
    physicalLoad: (width, address) => BigInt.asUintN(width, read(`at ${address}`)),
    physicalCas: (width, address, expected, replacement) => {
      access(`physical ${expected}`, address, replacement);
      return BigInt.asUintN(width, read(`at ${address}`));
    },
    inRam: (address) => address < 100n,
    fence: () => void log.push('fence'),
    flushTlb: () => void log.push('flush'),
    flushTlbPage: (address) => void log.push(`flush ${address}`),
    syncCode: () => void log.push('sync'),
    helpers: {
      get: (field) => environment.getState(field),
      set: (field, value) => environment.setState(field, value),
      time: () => 99n,
    },
  };
  return { environment, log };
}

/** The outcome and all that can be seen afterwards. */
function run(block: Block, seed: number) {
  const { environment, log } = world(seed);
  const outcome = evaluate(block, environment);
  const names = [
    ...randomContext.files.flatMap((file) => [0, 1, 2, 3].map((index) => nameOf({ file, index }))),
    ...randomContext.cells.map(({ name }) => name),
  ];
  const seen = [
    ...randomContext.files.flatMap((file) =>
      [0, 1, 2, 3].map((index) => environment.getRegister({ file, index })),
    ),
    ...randomContext.cells.map((field) => environment.getState(field)),
  ];
  return { outcome, log, seen: seen.map((value, i) => `${names[i]}=${value}`) };
}

for (const [name, pass] of Object.entries(passes)) {
  test(`${name} changes nothing that can be seen`, () => {
    assert(
      property(array(nat(), { maxLength: 500, size: 'max' }), nat(1000), (tape, seed) => {
        const before = randomInstructions(tape);
        const after = pass(before);
        verify(after, 'instruction');
        deepEqual(run(after, seed), run(before, seed));
      }),
      { numRuns: 2000 },
    );
  });
}
