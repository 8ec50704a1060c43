// The evaluator as an executor: runs vCPUs one instruction at a time by evaluating meanings and the guest
// architecture's own routines. Nothing is cached but built IR: every fetch and access is translated anew.
//
// It is the reference for executors that generate code, so it follows their contracts to the letter (what an access
// across pages does, what counts as retired), except that it stops exactly at the budget and notices attention at
// every instruction, where they may run on to the end of a block.
// Invariant: the vCPU's record is up to date between any two instructions.

import { assert } from '../../std/assert.ts';
import { buildBlock } from '../../ir/builder.ts';
import { type Environment, evaluate, evaluateRoutine, type Outcome } from '../../ir/evaluator.ts';
import type {
  Block,
  HelperContext,
  AnyRegister,
  RmwKind,
  StateField,
  Width,
} from '../../ir/node.ts';
import { access } from '../../isa/shared/isa.ts';
import { constantOperands } from '../../isa/shared/operands.ts';
import { VcpuRecord } from '../../isa/shared/record.ts';
import type { Row } from '../../isa/shared/row.ts';
import { type Exit, exits, vcpu } from '../../isa/shared/vcpu.ts';
import type { BusAccessSize } from '../../memory/bus.ts';
import type { Executor, ExecutorOptions } from '../executor.ts';
import { PhysicalMemory } from './physical.ts';

const PAGE = 4096;
/** What `translate` answers after recording a pending exception. */
const FAULT = 0xffff_ffff_ffff_ffffn;

/** Builds the IR of an instruction; `row` is undefined for a word without one. */
export type MeaningOf = (row: Row | undefined, word: number, record: VcpuRecord) => Block;

export interface EvaluatorOptions extends ExecutorOptions {
  /** How instructions become IR; by default with constant operands, each word once. */
  readonly meaningOf?: MeaningOf;
}

/** Makes an evaluator for a VM whose vCPU records are zero or reset. */
export function createEvaluator(options: EvaluatorOptions): Executor {
  const counts = { instructions: 0 };
  const meaningOf = options.meaningOf ?? constantMeanings(options);
  const harts = new Map(
    options.places.vcpus.map((cpu) => [cpu, new Hart(options, cpu, meaningOf)]),
  );
  return {
    counts,
    run(cpu, budget) {
      const hart = harts.get(cpu);
      assert(hart !== undefined, `there is no vCPU at ${cpu}`);
      hart.begin(budget);
      let exit: Exit | undefined;
      while (exit === undefined) {
        exit = hart.due() ?? hart.step();
        counts.instructions++;
      }
      hart.end();
      return exit;
    },
    wrote() {},
    flushTlb: (cpu) => harts.get(cpu)?.flushTlb(),
  };
}

function constantMeanings({ isa }: ExecutorOptions): MeaningOf {
  const known = new Map<number, Block>();
  return (row, word) => {
    let block = known.get(word);
    if (block === undefined) {
      block = buildBlock((s) => {
        if (row === undefined) isa.illegal(s, BigInt(word));
        else row.meaning(s, constantOperands(row, word));
      });
      known.set(word, block);
    }
    return block;
  };
}

/** One vCPU: the environment of its instructions. */
class Hart implements Environment {
  readonly #options: ExecutorOptions;
  readonly #meaningOf: MeaningOf;
  readonly #record: VcpuRecord;
  readonly #memory: PhysicalMemory;
  readonly helpers: HelperContext;

  constructor(options: ExecutorOptions, cpu: number, meaningOf: MeaningOf) {
    const { memory, places, ramBase, time } = options;
    const record = new VcpuRecord(memory.buffer, cpu);
    this.#options = options;
    this.#meaningOf = meaningOf;
    this.#record = record;
    this.#memory = new PhysicalMemory(options);
    const number = (): number => Number(record.get(vcpu.number));
    this.helpers = {
      time,
      get controller() {
        return options.controllerOf?.(number());
      },
      get: (field) => record.get(field),
      set: (field, value) => record.set(field, value),
    };
    record.set(vcpu.ramBase, BigInt(ramBase));
    record.set(vcpu.ramSize, BigInt(places.ramBytes));
    record.set(vcpu.ramHost, BigInt(places.ram));
  }

  /** Begins a slice and takes a pending interrupt. */
  begin(budget: number): void {
    this.#record.set(vcpu.attention, 0n);
    this.#record.set(vcpu.slice, BigInt(budget));
    this.#record.set(vcpu.budget, BigInt(budget));
    evaluateRoutine(this.#options.isa.interrupt, [], this);
  }

  /** Ends a slice: its instructions move into the count of retired ones. */
  end(): void {
    this.#record.set(vcpu.retired, this.retired());
    this.#record.set(vcpu.slice, 0n);
    this.#record.set(vcpu.budget, 0n);
  }

  /** Why the slice is over, if it is. */
  due(): Exit | undefined {
    if (this.#record.get(vcpu.attention) !== 0n) return 'attention';
    return BigInt.asIntN(32, this.#record.get(vcpu.budget)) <= 0n ? 'budget' : undefined;
  }

  /** Runs the instruction at pc. */
  step(): Exit | undefined {
    const word = this.#fetch();
    const row = word === undefined ? undefined : this.#options.isa.decode(word);
    const outcome: Outcome =
      word === undefined
        ? { kind: 'raise' }
        : evaluate(this.#meaningOf(row, word, this.#record), this);
    if (outcome.kind === 'raise') {
      // Charged to the budget, so that no loop of exceptions is endless, but not retired.
      this.#record.set(vcpu.retired, this.#record.get(vcpu.retired) - 1n);
      evaluateRoutine(this.#options.isa.raise, [], this);
    } else if (outcome.kind === 'next') {
      this.#record.set(vcpu.pc, this.pc() + BigInt(this.#lengthOf(word!)));
    } else {
      this.#record.set(vcpu.pc, outcome.target);
    }
    this.#record.set(vcpu.budget, this.#record.get(vcpu.budget) - 1n);
    return outcome.kind === 'exit' ? exits[outcome.code] : undefined;
  }

  #lengthOf(word: number): 2 | 4 {
    return this.#options.isa.lengthOf(word & 0xffff);
  }

  /** The instruction at pc, its upper half 0 if it is short; `undefined` for a pending exception. */
  #fetch(): number | undefined {
    const pc = this.pc();
    const low = this.#fetchHalf(pc, this.#translate(pc, access.fetch));
    if (low === undefined || this.#lengthOf(low.half) === 2) return low?.half;
    const crosses = pageOffset(pc) === PAGE - 2;
    const physical = crosses ? this.#translate(pc + 2n, access.fetch) : low.physical + 2;
    const high = this.#fetchHalf(pc + 2n, physical);
    return high === undefined ? undefined : (low.half | (high.half << 16)) >>> 0;
  }

  #fetchHalf(
    address: bigint,
    physical: number | undefined,
  ): { half: number; physical: number } | undefined {
    if (physical === undefined) return undefined;
    if (!this.#memory.isRam(physical)) return this.#fault(address, access.fetch);
    return { half: Number(this.#memory.load(physical, 2)), physical };
  }

  /** The guest-physical address (inexact above 2^53, where nothing is); `undefined` for a pending exception. */
  #translate(address: bigint, kind: number): number | undefined {
    this.#record.set(vcpu.uncached, 0n);
    const virtual = BigInt.asUintN(64, address);
    const physical = evaluateRoutine(this.#options.isa.translate, [virtual, BigInt(kind)], this);
    return physical === FAULT ? undefined : Number(physical);
  }

  #fault(address: bigint, kind: number): undefined {
    const virtual = BigInt.asUintN(64, address);
    evaluateRoutine(this.#options.isa.accessFault, [virtual, BigInt(kind)], this);
  }

  pc(): bigint {
    return this.#record.get(vcpu.pc);
  }

  retired(): bigint {
    const done = this.#record.get(vcpu.slice) - this.#record.get(vcpu.budget);
    return this.#record.get(vcpu.retired) + done;
  }

  operand(slot: string): bigint {
    assert(false, `operand ${slot} is not a constant`);
  }

  getRegister(register: AnyRegister): bigint {
    assert('index' in register, 'the register is not a constant');
    return this.#record.getRegister(register.file, register.index);
  }

  setRegister(register: AnyRegister, value: bigint): void {
    assert('index' in register, 'the register is not a constant');
    this.#record.setRegister(register.file, register.index, value);
  }

  getState(field: StateField): bigint {
    return this.#record.get(field);
  }

  setState(field: StateField, value: bigint): void {
    this.#record.set(field, value);
  }

  load(width: Width | 128, address: bigint, asUser = false): bigint | undefined {
    const kind = asUser ? access.loadAsUser : access.load;
    const size = width / 8;
    if (pageOffset(address) + size > PAGE) return this.#loadAcross(size, address, kind);
    const physical = this.#translate(address, kind);
    if (physical === undefined) return undefined;
    if (!this.#memory.has(physical, size)) return this.#fault(address, access.load);
    if (size <= 8) return this.#memory.load(physical, size as BusAccessSize);
    return this.#memory.load(physical, 8) | (this.#memory.load(physical + 8, 8) << 64n);
  }

  store(width: Width | 128, address: bigint, value: bigint, asUser = false): boolean {
    const kind = asUser ? access.storeAsUser : access.store;
    const size = width / 8;
    if (pageOffset(address) + size > PAGE) return this.#storeAcross(size, address, value, kind);
    const physical = this.#translate(address, kind);
    if (physical === undefined) return false;
    if (this.#memory.has(physical, size)) {
      this.#memory.store(physical, Math.min(size, 8) as BusAccessSize, value);
      if (size > 8) this.#memory.store(physical + 8, 8, value >> 64n);
      return true;
    }
    this.#fault(address, access.store);
    return false;
  }

  /**
   * Physical addresses of the bytes of an access that crosses a page, after both pages have been translated and every
   * byte has been found; `undefined` for a pending exception of the page or byte that is missing.
   */
  #bytesAcross(size: number, address: bigint, kind: number): readonly number[] | undefined {
    const head = PAGE - pageOffset(address);
    const first = this.#translate(address, kind);
    if (first === undefined) return undefined;
    const second = this.#translate(address + BigInt(head), kind);
    if (second === undefined) return undefined;
    const bytes = Array.from({ length: size }, (_, i) =>
      i < head ? first + i : second + i - head,
    );
    const missing = bytes.findIndex((byte) => !this.#memory.has(byte, 1));
    return missing < 0 ? bytes : this.#fault(address + BigInt(missing), kind);
  }

  #loadAcross(size: number, address: bigint, kind: number): bigint | undefined {
    const bytes = this.#bytesAcross(size, address, kind);
    return bytes?.reduce(
      (value, byte, i) => value | (this.#memory.load(byte, 1) << BigInt(8 * i)),
      0n,
    );
  }

  #storeAcross(size: number, address: bigint, value: bigint, kind: number): boolean {
    const bytes = this.#bytesAcross(size, address, kind);
    for (const [i, byte] of bytes?.entries() ?? []) {
      this.#memory.store(byte, 1, value >> BigInt(8 * i));
    }
    return bytes !== undefined;
  }

  probe(kind: 'load' | 'store', address: bigint): boolean {
    return this.#translate(address, access[kind]) !== undefined;
  }

  /** Atomics reach RAM only: elsewhere they are access faults. */
  #atomic(address: bigint): number | undefined {
    const physical = this.#translate(address, access.store);
    if (physical === undefined || this.#memory.isRam(physical)) return physical;
    return this.#fault(address, access.store);
  }

  rmw(kind: RmwKind, width: Width, address: bigint, value: bigint): bigint | undefined {
    const physical = this.#atomic(address);
    return physical === undefined ? undefined : this.#memory.rmw(kind, width, physical, value);
  }

  cas(width: Width, address: bigint, expected: bigint, replacement: bigint): bigint | undefined {
    const physical = this.#atomic(address);
    if (physical === undefined) return undefined;
    return this.#memory.cas(width, physical, expected, replacement);
  }

  physicalLoad(width: Width, address: bigint): bigint {
    assert(this.#memory.isRam(Number(address)), `no RAM at ${address}`);
    return this.#memory.load(Number(address), (width / 8) as BusAccessSize);
  }

  physicalCas(width: Width, address: bigint, expected: bigint, replacement: bigint): bigint {
    assert(this.#memory.isRam(Number(address)), `no RAM at ${address}`);
    return this.#memory.cas(width, Number(address), expected, replacement);
  }

  inRam(address: bigint): boolean {
    const { ramBase, places } = this.#options;
    const distance = BigInt.asUintN(64, address - BigInt(ramBase));
    return distance < BigInt(places.ramBytes - 7);
  }

  fence(): void {
    this.#memory.fence();
  }

  /** No translation is cached here, but the guest's walks may have kept something (vcpu.tlbGeneration). */
  flushTlb(): void {
    this.#record.set(vcpu.tlbGeneration, this.#record.get(vcpu.tlbGeneration) + 1n);
  }

  // Nothing else is cached, so there is nothing to forget.
  flushTlbPage(): void {}
  syncCode(): void {}
}

const pageOffset = (address: bigint): number => Number(address & BigInt(PAGE - 1));
