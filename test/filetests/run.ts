// Runs filetests: on every executor, and once more with the inputs folded into the IR.
//
// RAM is 64 KiB at 0x8000_0000, the code lies at its start, and pc begins there. All other RAM holds 0xff, and
// the word 0xffff_ffff, which no guest has, leaves the executor: a run ends at the first instruction outside the
// code, wherever control went. A test fails with one line for each expectation that does not hold.

import { type Arg, type Builder, constant, createBuilder } from '../../src/ir/builder.ts';
import type { AnyRegister, Block, RegisterOperand } from '../../src/ir/node.ts';
import { print } from '../../src/ir/print.ts';
import { verify } from '../../src/ir/verify.ts';
import { createEvaluator, type MeaningOf } from '../../src/engine/evaluator/evaluator.ts';
import type { Executor, ExecutorOptions } from '../../src/engine/executor.ts';
import { createInterpreter } from '../../src/engine/interpreter/interpreter.ts';
import { createJit } from '../../src/engine/jit/hybrid.ts';
import { place } from '../../src/engine/places.ts';
import type { Isa } from '../../src/isa/shared/isa.ts';
import { constantOperands } from '../../src/isa/shared/operands.ts';
import { VcpuRecord } from '../../src/isa/shared/record.ts';
import { format, instructions, type Row } from '../../src/isa/shared/row.ts';
import { exitCode, vcpu, vcpuBytes } from '../../src/isa/shared/vcpu.ts';
import { createBus } from '../../src/memory/bus.ts';
import { type Filetest, FiletestError, type Item, parseNumber } from './format.ts';
import type { Guest } from './guests.ts';

const ramBase = 0x8000_0000;
const ramBytes = 0x1_0000;
const stopWord = 0xffff_ffff;
/** Instructions in a slice, and slices after which a run that does not stop is given up. */
const budget = 1000;
const maxSlices = 10;

const executors: Readonly<Record<string, (options: ExecutorOptions) => Executor>> = {
  evaluator: createEvaluator,
  folded: (options) => createEvaluator({ ...options, meaningOf: foldedMeanings(options.isa) }),
  interpreter: createInterpreter,
  jit: createJit,
};

/** One VM for each executor, used for one test after the other. */
export interface Bench {
  readonly guest: Guest;
  readonly machines: readonly Machine[];
}

interface Machine {
  readonly name: string;
  readonly record: VcpuRecord;
  readonly ram: Uint8Array;
  readonly reset: () => void;
  readonly run: () => string;
}

export function createBench(guest: Guest): Bench {
  const isa = withStop(guest.isa);
  const machines = Object.entries(executors).map(([name, create]) =>
    createMachine(name, isa, create),
  );
  return { guest, machines };
}

/** The architecture with one more instruction, which leaves for the debugger. */
function withStop(isa: Isa): Isa {
  const [stop] = instructions('filetests', {
    stop: format({})('1'.repeat(32), 'stop', (s) => s.exit(exitCode('debug'), s.pc())),
  }) as [Row];
  return {
    ...isa,
    rows: [...isa.rows, stop],
    decode: (word) => (word === stopWord ? stop : isa.decode(word)),
  };
}

function createMachine(
  name: string,
  isa: Isa,
  create: (options: ExecutorOptions) => Executor,
): Machine {
  const places = place(ramBytes, 1);
  const limits = { initial: places.pages, maximum: places.pages };
  const memory = new WebAssembly.Memory({ ...limits, shared: true });
  const cpu = places.vcpus[0]!;
  const executor = create({
    isa,
    memory,
    places,
    ramBase,
    bus: createBus([]),
    time: () => 0n,
  });
  const record = new VcpuRecord(memory.buffer, cpu);
  const ram = new Uint8Array(memory.buffer, places.ram, ramBytes);
  const bytes = new Uint8Array(memory.buffer, cpu, vcpuBytes);
  const fresh = bytes.slice();
  return {
    name,
    record,
    ram,
    reset() {
      bytes.set(fresh);
      isa.reset(record, 0);
      record.set(vcpu.pc, BigInt(ramBase));
      ram.fill(0xff);
      executor.wrote(places.ram, ramBytes);
    },
    run() {
      let exit = executor.run(cpu, budget);
      for (let n = 1; n < maxSlices && (exit === 'attention' || exit === 'budget'); n++) {
        exit = executor.run(cpu, budget);
      }
      return exit;
    },
  };
}

/** Builds each instruction with the values that its registers have now, so that what depends on them folds. */
function foldedMeanings(isa: Isa): MeaningOf {
  return (row, word, record) => {
    const s = createBuilder();
    foldGets(s, (register) =>
      'index' in register ? record.getRegister(register.file, register.index) : undefined,
    );
    if (row === undefined) isa.illegal(s, BigInt(word));
    else row.meaning(s, constantOperands(row, word));
    return verify(s.block, 'instruction');
  };
}

const nameOf = (register: AnyRegister): string =>
  `${register.file.name}${'index' in register ? register.index : register.slot}`;

/** Makes `get` give constants, as long as the register cannot have been written by this instruction. */
function foldGets(s: Builder, valueOf: (register: AnyRegister) => bigint | undefined): void {
  const written = new Set<string>();
  let unknown = false;
  const get = s.get.bind(s);
  const set = s.set.bind(s);
  s.get = ((register: RegisterOperand) => {
    const value = unknown || written.has(nameOf(register)) ? undefined : valueOf(register);
    return value === undefined ? get(register) : constant(register.file.type, value);
  }) as Builder['get'];
  s.set = ((register: RegisterOperand, value: Arg<'i64'>) => {
    written.add(nameOf(register));
    set(register, value);
  }) as Builder['set'];
  const forgetting =
    <A extends unknown[], R>(method: (...args: A) => R) =>
    (...args: A): R => {
      unknown = true;
      return method(...args);
    };
  s.call = forgetting(s.call.bind(s));
  s.perform = forgetting(s.perform.bind(s));
  s.loop = forgetting(s.loop.bind(s));
}

interface Word {
  readonly bits: number;
  readonly length: 2 | 4;
}

const failAt = (file: string, line: number) => (problem: string) =>
  new FiletestError(`${file}:${line}: ${problem}`);

/** The code's instructions, in order. */
export function assemble({ file, code }: Filetest, guest: Guest): Word[] {
  let address = BigInt(ramBase);
  return code.map(({ line, text }) => {
    const fail = failAt(file, line);
    const [first, rest] = [text.split(' ', 1)[0], text.slice(text.indexOf(' ')).trim()];
    const literal = first === 'word' ? 4 : first === 'half' ? 2 : undefined;
    const word: Word | undefined =
      literal === undefined
        ? guest.assemble?.(text, address)
        : { bits: Number(parseNumber(rest, fail)), length: literal };
    if (word === undefined) throw fail(`no assembler knows '${text}': write word or half`);
    address += BigInt(word.length);
    return word;
  });
}

/** The printed IR of the code, one instruction after the other. */
export function printedIr(test: Filetest, guest: Guest): string[] {
  return assemble(test, guest).flatMap(({ bits }, i) => {
    const text = print(verify(meaning(guest.isa, bits), 'instruction'));
    return [...(i > 0 ? ['---'] : []), ...text.trimEnd().split('\n')];
  });
}

function meaning(isa: Isa, word: number): Block {
  const s = createBuilder();
  const row = isa.decode(word);
  if (row === undefined) isa.illegal(s, BigInt(word));
  else row.meaning(s, constantOperands(row, word));
  return s.block;
}

/** What a test expects and does not get, one line each. */
export function runFiletest(test: Filetest, bench: Bench): string[] {
  const words = assemble(test, bench.guest);
  return bench.machines.flatMap((machine) => runOn(machine, test, bench.guest.isa, words));
}

function runOn(machine: Machine, test: Filetest, isa: Isa, words: readonly Word[]): string[] {
  machine.reset();
  const view = new DataView(machine.ram.buffer, machine.ram.byteOffset, ramBytes);
  let at = 0;
  for (const { bits, length } of words) {
    if (length === 4) view.setUint32(at, bits, true);
    else view.setUint16(at, bits, true);
    at += length;
  }
  for (const item of test.inputs) enter(machine, test, isa, item);
  const before = registersOf(machine, isa);
  const exit = machine.run();
  return compare(machine, test, isa, before, exit);
}

interface Cell {
  readonly width: number;
  get(): bigint;
  set(value: bigint): void;
}

/** What a name in `in` or `out` stands for. */
function cellOf({ record }: Machine, test: Filetest, isa: Isa, line: number, name: string): Cell {
  const field = name === 'pc' ? vcpu.pc : isa.cells[name];
  if (field !== undefined) {
    const set = (value: bigint): void => record.set(field, BigInt.asUintN(64, value));
    return { width: field.type === 'i32' ? 32 : 64, get: () => record.get(field), set };
  }
  const match = /^([a-z]+)(\d+)$/.exec(name);
  const file = isa.registerFiles.find((each) => each.name === match?.[1]);
  const index = Number(match?.[2]);
  if (file === undefined || index >= file.count) {
    throw failAt(test.file, line)(`${isa.name} has no register or cell '${name}'`);
  }
  return {
    width: 64,
    get: () => record.getRegister(file, index),
    set: (value) => record.setRegister(file, index, BigInt.asUintN(64, value)),
  };
}

/** The bytes that an item names. */
function bytesOf(machine: Machine, test: Filetest, item: Item & { kind: 'memory' }): Uint8Array {
  const offset = item.address - ramBase;
  if (offset < 0 || offset + item.bytes.length > ramBytes) {
    throw failAt(test.file, item.line)('memory is 0x80000000 to 0x8000ffff');
  }
  return machine.ram.subarray(offset, offset + item.bytes.length);
}

function enter(machine: Machine, test: Filetest, isa: Isa, item: Item): void {
  if (item.kind === 'memory') bytesOf(machine, test, item).set(item.bytes);
  else if (item.kind === 'value') {
    cellOf(machine, test, isa, item.line, item.name).set(item.value);
  } else throw failAt(test.file, item.line)('exit is an outcome, not an input');
}

const registersOf = ({ record }: Machine, isa: Isa): Map<string, bigint> =>
  new Map(
    isa.registerFiles.flatMap((file) =>
      Array.from({ length: file.count }, (_, i) => [
        `${file.name}${i}`,
        record.getRegister(file, i),
      ]),
    ),
  );

const shown = (value: bigint): string => (value < 65536n ? `${value}` : `0x${value.toString(16)}`);
const shownBytes = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

function compare(
  machine: Machine,
  test: Filetest,
  isa: Isa,
  before: ReadonlyMap<string, bigint>,
  exit: string,
): string[] {
  const failures: string[] = [];
  const expect = (line: number, what: string, expected: string, actual: string): void => {
    if (expected === actual) return;
    const where = `${test.file}:${line}: ${machine.name}`;
    failures.push(`${where}: ${what}: expected ${expected}, actual ${actual}`);
  };
  const expected = new Map(before);
  let expectedExit = 'debug';
  let exitLine = test.line;
  for (const item of test.outputs) {
    if (item.kind === 'memory') {
      const actual = shownBytes(bytesOf(machine, test, item));
      expect(item.line, `mem 0x${item.address.toString(16)}`, shownBytes(item.bytes), actual);
    } else if (item.kind === 'exit') {
      [expectedExit, exitLine] = [item.exit, item.line];
    } else {
      const cell = cellOf(machine, test, isa, item.line, item.name);
      const value = BigInt.asUintN(cell.width, item.value);
      expect(item.line, item.name, shown(value), shown(cell.get()));
      expected.delete(item.name);
    }
  }
  expect(exitLine, 'exit', expectedExit, exit);
  const after = registersOf(machine, isa);
  for (const [name, value] of expected) {
    expect(test.line, `${name} (not named in out)`, shown(value), shown(after.get(name)!));
  }
  return failures;
}
