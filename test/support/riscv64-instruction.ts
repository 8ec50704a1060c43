// Runs single riscv64 instructions by the reference evaluator: for unit tests of rows.
//
// Every instruction runs twice, with constant operands as a translator builds it and with operand slots as an
// interpreter does; both must do the same. Memory is bytes that read as zero until written; addresses from 2^63 on
// fault, as if no page were there.

import { deepEqual } from 'node:assert/strict';
import { buildBlock, constant } from '../../src/ir/builder.ts';
import { type Environment, evaluate, type Outcome } from '../../src/ir/evaluator.ts';
import type { AnyRegister, StateField, Value } from '../../src/ir/node.ts';
import { hart } from '../../src/isa/riscv64/state.ts';
import { fieldValue, insertField, type Row } from '../../src/isa/shared/row.ts';
import { assert } from '../../src/std/assert.ts';
import { unsigned } from '../../src/std/bits.ts';

export const pc = 0x1_0000_0000n;

type Numbers = Readonly<Record<string, bigint | number>>;

/** Registers and cells by name (`x5`, `f8`, `mstatus`), and bytes at addresses. */
export interface Before {
  readonly state?: Numbers;
  /** Address to a 64-bit value. */
  readonly memory?: readonly (readonly [address: number, value: bigint])[];
}

export interface After {
  readonly outcome: Outcome;
  readonly state: ReadonlyMap<string, bigint>;
  read(address: number): bigint;
}

/** The word of an instruction with its fields set to raw values. */
export function encode(row: Row, fields: Numbers): number {
  return Object.entries(fields).reduce((word, [name, value]) => {
    const field = row.fields[name];
    assert(field, `${row.name} has no field ${name}`);
    return insertField(field, word, Number(unsigned(field.width, BigInt(value))));
  }, row.value);
}

type Operand = AnyRegister | Value<'i64'>;

function operandsOf(row: Row, word: number, slots: boolean): Record<string, Operand> {
  const operands = Object.entries(row.fields).map(([slot, field]): [string, Operand] => {
    const value = fieldValue(field, word);
    if (field.kind === 'register') {
      return [slot, slots ? { file: field.file, slot } : { file: field.file, index: value }];
    }
    const operand = { op: 'operand', type: 'i64', args: [], slot } as const;
    return [slot, slots ? operand : constant('i64', BigInt(value))];
  });
  return Object.fromEntries(operands);
}

class World {
  readonly state: Map<string, bigint>;
  readonly #bytes = new Map<bigint, bigint>();

  constructor(before: Before) {
    const entries = Object.entries(before.state ?? {});
    this.state = new Map(entries.map(([name, value]) => [name, unsigned(64, BigInt(value))]));
    for (const [address, value] of before.memory ?? []) this.write(64, BigInt(address), value);
  }

  read(width: number, address: bigint): bigint {
    let value = 0n;
    for (let i = BigInt(width / 8) - 1n; i >= 0n; i--) {
      value = (value << 8n) | (this.#bytes.get(unsigned(64, address + i)) ?? 0n);
    }
    return value;
  }

  write(width: number, address: bigint, value: bigint): void {
    for (let i = 0n; i < width / 8; i++) {
      this.#bytes.set(unsigned(64, address + i), (value >> (8n * i)) & 0xffn);
    }
  }

  /** Whether the address can be accessed; else a pending page fault is recorded. */
  reach(kind: 'load' | 'store', address: bigint): boolean {
    if (address < 2n ** 63n) return true;
    this.state.set(hart.pendingCause.name, kind === 'load' ? 13n : 15n);
    this.state.set(hart.pendingTval.name, address);
    return false;
  }
}

const update = {
  add: (a: bigint, b: bigint) => a + b,
  and: (a: bigint, b: bigint) => a & b,
  or: (a: bigint, b: bigint) => a | b,
  xor: (a: bigint, b: bigint) => a ^ b,
  xchg: (_: bigint, b: bigint) => b,
};

function memoryOf(world: World): Pick<Environment, 'load' | 'store' | 'probe' | 'rmw' | 'cas'> {
  return {
    load: (width, at) => (world.reach('load', at) ? world.read(width, at) : undefined),
    store: (width, at, value) => {
      if (!world.reach('store', at)) return false;
      world.write(width, at, value);
      return true;
    },
    probe: (kind, at) => world.reach(kind, at),
    rmw: (kind, width, at, value) => {
      if (!world.reach('store', at)) return undefined;
      const old = world.read(width, at);
      world.write(width, at, update[kind](old, value));
      return old;
    },
    cas: (width, at, expected, replacement) => {
      if (!world.reach('store', at)) return undefined;
      const old = world.read(width, at);
      if (old === unsigned(width, expected)) world.write(width, at, replacement);
      return old;
    },
  };
}

/** What the instructions under test do not use. */
function unused(): never {
  throw new Error('not part of these tests');
}

function environmentOf(world: World, row: Row, word: number): Environment {
  const nameOf = (register: AnyRegister): string => {
    if ('index' in register) return `${register.file.name}${register.index}`;
    return `${register.file.name}${fieldValue(row.fields[register.slot]!, word)}`;
  };
  const get = (name: string): bigint => (name === 'x0' ? 0n : (world.state.get(name) ?? 0n));
  return {
    pc: () => pc,
    retired: () => 0n,
    operand: (slot) => BigInt(fieldValue(row.fields[slot]!, word)),
    getRegister: (register) => get(nameOf(register)),
    setRegister: (register, value) => {
      if (nameOf(register) !== 'x0') world.state.set(nameOf(register), value);
    },
    getState: (field: StateField) => get(field.name),
    setState: (field, value) => void world.state.set(field.name, value),
    ...memoryOf(world),
    physicalLoad: unused,
    physicalCas: unused,
    inRam: unused,
    fence: () => {},
    flushTlb: unused,
    flushTlbPage: unused,
    syncCode: () => {},
    helpers: {
      get: (field) => get(field.name),
      set: (field, value) => void world.state.set(field.name, value),
      time: unused,
    },
  };
}

/** Executes one instruction. `fields` are raw field values. */
export function execute(row: Row, fields: Numbers, before: Before = {}): After {
  const word = encode(row, fields);
  const [first, second] = [false, true].map((slots) => {
    const world = new World(before);
    const block = buildBlock((s) => row.meaning(s, operandsOf(row, word, slots)));
    const outcome = evaluate(block, environmentOf(world, row, word));
    return { outcome, world };
  });
  assert(first && second, 'two runs');
  deepEqual(first, second, `${row.name}: constant operands and slots differ`);
  const { outcome, world } = first;
  return { outcome, state: world.state, read: (address) => world.read(64, BigInt(address)) };
}

/** Finds rows by name. */
export function rowFinder(rows: readonly Row[]): (name: string) => Row {
  return (name) => {
    const row = rows.find((candidate) => candidate.name === name);
    assert(row, `there is no row ${name}`);
    return row;
  };
}

/** x7 after an instruction with x5 = a as rs1, x6 = b as rs2. */
export function compute(row: Row, a: bigint, b: bigint): bigint {
  const fields = row.fields['rs2'] ? { rd: 7, rs1: 5, rs2: 6 } : { rd: 7, rs1: 5 };
  return execute(row, fields, { state: { x5: a, x6: b } }).state.get('x7') ?? 0n;
}
