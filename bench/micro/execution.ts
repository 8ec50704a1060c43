// What running costs, part by part: instructions, going from one translated block to another, addresses that the TLB
// knows and that it does not. A part's cost is the difference of two loops that differ in nothing else.

import { type EngineName } from '../../src/engine/engines.ts';
import type { Benchmark } from '../harness.ts';
import { createMicroMachine, DATA, type MicroMachine, RAM, word } from './machine.ts';

const [zero, t0, t1, t2, s0, a0, a1, a2, a3, a4, a5, a6] = [
  0, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16,
] as const;
/** s2 to s9. */
const saved = [18, 19, 20, 21, 22, 23, 24, 25] as const;

const PAGE = 4096;
const wfi = word('wfi');
const addi = (rd: number, rs1: number, imm: number): number => word('addi', { rd, rs1, imm });
const add = (rd: number, rs1: number, rs2: number): number => word('add', { rd, rs1, rs2 });
const xor = (rd: number, rs1: number, rs2: number): number => word('xor', { rd, rs1, rs2 });
const and = (rd: number, rs1: number, rs2: number): number => word('and', { rd, rs1, rs2 });
const ld = (rd: number, rs1: number): number => word('ld', { rd, rs1, imm: 0 });
/** Distances in bytes. */
const bne = (rs1: number, rs2: number, to: number): number =>
  word('bne', { rs1, rs2, imm: to / 2 });
const jump = (to: number): number => word('jal', { rd: zero, imm: to / 2 });

/** A loop that counts a1 down, in the program's first page. */
function countingLoop(body: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const words = [...body, addi(a1, a1, -1)];
  return new Map([[0, [...words, bne(a1, zero, -4 * words.length), wfi]]]);
}

/** Ten instructions: a load, a store, seven of arithmetic, a branch back to the first. */
export const mixedLoop: ReadonlyMap<number, readonly number[]> = countingLoop([
  ld(a2, a0),
  add(a3, a3, a2),
  addi(a2, a2, 3),
  word('sd', { rs1: a0, rs2: a2, imm: 0 }),
  xor(a4, a4, a3),
  word('andi', { rd: a5, rs1: a3, imm: 255 }),
  add(a4, a4, a5),
  addi(a6, a6, 1),
]);

/** Made when it is first used: memory for all at once would be much. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

const countsOf = (machine: MicroMachine): Readonly<Record<string, number>> => {
  return { ...machine.executor.counts };
};

function integerMemoryLoop(engine: EngineName): Benchmark {
  const registers = { [a0]: DATA, [a1]: 10_000_000 };
  const machine = lazily(() => {
    const made = createMicroMachine({ engine, program: mixedLoop, mapping: 'gigabyte' });
    if (engine !== 'interpreter') made.warm(registers);
    return made;
  });
  return {
    name: `micro/${engine}/integer-memory-loop`,
    unit: 'MIPS',
    better: 'higher',
    explain: () => countsOf(machine()),
    run() {
      const { seconds, instructions } = machine().run(registers);
      return instructions / 1e6 / seconds;
    },
  };
}

/** Blocks of the rings below; odd, so that samples at regular distances find all of them. */
export const RING = 61;
const RING_ROUNDS = 100_000;
/** From one block of a ring to the next; not a multiple of the page, for else they would share places in caches. */
const RING_STRIDE = PAGE + 64;

type Ring = (last: boolean) => readonly number[];

/** Blocks that go round a1 times: the first of them counts. */
function ring(stride: number, next: Ring): ReadonlyMap<number, readonly number[]> {
  const first = [addi(a1, a1, -1), bne(a1, zero, 8), wfi];
  const blocks = Array.from({ length: RING }, (_, at) => {
    const work = [addi(a2, a2, 1), ...next(at === RING - 1)];
    return [at * stride, at === 0 ? [...first, ...work] : work] as const;
  });
  return new Map(blocks);
}

/** From each block by `jal`. The words before a block's jump are 4, and 16 in the first block. */
export const directRing = (stride: number): ReadonlyMap<number, readonly number[]> => {
  let at = 0;
  return ring(stride, (last) => {
    const before = at++ * stride + 4 + (at === 1 ? 12 : 0);
    return [jump((last ? 0 : at * stride) - before)];
  });
};

/** From each block by `jalr` to an address in t1 that grows, and begins anew with the last. */
export const indirectRing = (stride: number): ReadonlyMap<number, readonly number[]> =>
  ring(stride, (last) => [
    last ? addi(t1, s0, 0) : add(t1, t1, t2),
    word('jalr', { rd: zero, rs1: t1, imm: 0 }),
  ]);

/**
 * From one cached block to the next in another page, for each of `kind`'s jumps. The instructions themselves are
 * paid for by the same blocks in one page, jumping directly.
 */
function dispatch(kind: 'direct' | 'indirect', engine: EngineName): Benchmark {
  const program = kind === 'direct' ? directRing(RING_STRIDE) : indirectRing(RING_STRIDE);
  const registers = { [a1]: RING_ROUNDS, [s0]: RAM, [t1]: RAM, [t2]: RING_STRIDE };
  const mapping = 'gigabyte';
  const make = (words: typeof program): MicroMachine => {
    const machine = createMicroMachine({ engine, program: words, mapping });
    machine.warm(registers);
    return machine;
  };
  const machines = lazily(() => ({ far: make(program), near: make(directRing(20)) }));
  return {
    name: `micro/dispatch/${kind}`,
    unit: 'ns',
    better: 'lower',
    explain: () => countsOf(machines().far),
    run() {
      const { far, near } = machines();
      const seconds = far.run(registers).seconds - near.run(registers).seconds;
      return (seconds * 1e9) / (RING_ROUNDS * RING);
    },
  };
}

/**
 * Loads whose bases no translator can know to be in the page of the access before, for each adds what it loaded. In
 * t2 is by how much the base moves to and fro.
 */
const loads = countingLoop(
  saved.flatMap((base) => [ld(t0, base), add(base, base, t0), xor(base, base, t2)]),
);
/** The same with arithmetic for the loads: t1 is 0, as is what they load. */
const arithmetic = countingLoop(
  saved.flatMap((base) => [and(t0, base, t1), add(base, base, t0), xor(base, base, t2)]),
);

/**
 * A load from a page that the first-level TLB knows, beyond what arithmetic takes. `distance`: from where the same
 * instruction loaded before; within a page, translated code may remember it.
 */
function tlbHit(name: string, distance: number, engine: EngineName): Benchmark {
  const times = 5_000_000;
  const registers: Record<number, number> = { [a1]: times, [t2]: distance };
  for (const [at, register] of saved.entries()) registers[register] = DATA + 64 * at;
  const make = (program: typeof loads): MicroMachine => {
    const machine = createMicroMachine({ engine, program, mapping: 'pages' });
    machine.warm(registers);
    return machine;
  };
  const machines = lazily(() => ({ loading: make(loads), computing: make(arithmetic) }));
  return {
    name: `micro/tlb/${name}`,
    unit: 'ns',
    better: 'lower',
    explain: () => countsOf(machines().loading),
    run() {
      const { loading, computing } = machines();
      const seconds = loading.run(registers).seconds - computing.run(registers).seconds;
      return (seconds * 1e9) / (times * saved.length);
    },
  };
}

/** Loads that go through memory page by page, and from line to line: a4 is a mask that brings them back. */
const walk = countingLoop([add(a3, a3, a2), and(a3, a3, a4), add(a5, a0, a3), ld(t0, a5)]);

/**
 * A load from one of so many pages that the first-level TLB does not know it, beyond one from a page that it knows.
 * `step`: bytes from one load to the next.
 */
function tlbMiss(name: string, pages: number, step: number, engine: EngineName): Benchmark {
  const times = 500_000;
  const registers = { [a0]: DATA, [a1]: times, [a2]: step };
  const [missing, hitting] = [pages * PAGE - 1, PAGE - 1].map((mask) => {
    return { ...registers, [a4]: mask - (mask % 8) };
  });
  const machine = lazily(() => {
    const made = createMicroMachine({ engine, program: walk, mapping: 'pages' });
    made.warm(missing!);
    return made;
  });
  return {
    name: `micro/tlb/${name}`,
    unit: 'ns',
    better: 'lower',
    explain: () => countsOf(machine()),
    run() {
      const seconds = machine().run(missing!).seconds - machine().run(hitting!).seconds;
      return (seconds * 1e9) / times;
    },
  };
}

/** All of them; `engine` runs those that are not about one executor. */
export const execution = (engine: EngineName): Benchmark[] => [
  integerMemoryLoop('interpreter'),
  ...(engine === 'interpreter' ? [] : [integerMemoryLoop(engine)]),
  dispatch('direct', engine),
  dispatch('indirect', engine),
  tlbHit('hit', PAGE, engine),
  tlbHit('hit-same-page', 8, engine),
  tlbMiss('second-level-hit', 2048, PAGE + 64, engine),
  tlbMiss('walk', 16384, PAGE + 64, engine),
  tlbMiss('walk-far', 16384, 513 * PAGE + 64, engine),
];
