// Random sound IR for property tests. Every decision is read from a tape of numbers, and a tape that has ended reads
// as zeros, so that shrinking the tape shrinks the IR.

import { type Arg, type Builder, buildBlock, helper, routine } from '../../src/ir/builder.ts';
import type { Block, Node, RegisterFile, Value } from '../../src/ir/node.ts';
import { type PureOpName, pureOps, type Type, widthOf } from '../../src/ir/ops.ts';
import type { ParseContext } from '../../src/ir/parse.ts';

const file = (name: string, offset: number, zero: number | undefined): RegisterFile => ({
  name,
  type: 'i64',
  offset,
  count: 32,
  zero,
  zeroOffset: offset,
  sinkOffset: offset + 8 * 32,
});
const X = file('x', 512, 0);
const F = file('f', 1024, undefined);
const mode = { name: 'mode', type: 'i32', offset: 2048 } as const;
const status = { name: 'status', type: 'i64', offset: 2056 } as const;
const twice = routine('twice', ['i64'], 'i64', (s, a) => s.return(s.add(a, a)));
const note = helper('note', ['i32', 'i1'], null, () => 0n);
const advance = routine('advance', [], null, (s) => {
  s.setState(status, s.add(s.state(status), 1n));
  s.return();
});
const disturb = helper(
  'disturb',
  [],
  null,
  (context) => {
    context.set(mode, context.get(mode) ^ 1n);
    return 0n;
  },
  [mode],
);

/** What the names in random IR stand for. */
export const randomContext = {
  files: [X, F],
  cells: [mode, status],
  callees: [twice, note, advance, disturb],
} as const satisfies ParseContext;

type Choose = (count: number) => number;

function tapeReader(tape: readonly number[]): Choose {
  let at = 0;
  return (count) => (tape[at++] ?? 0) % count;
}

const types = Object.keys(widthOf) as Type[];
const opNames = (Object.keys(pureOps) as PureOpName[]).filter((name) => !/^(div|rem)_/.test(name));

/** Constants that identities of operations are about. */
const notable: readonly bigint[] = [
  0n,
  1n,
  -1n,
  2n,
  8n,
  31n,
  32n,
  63n,
  0xffff_ffffn,
  -(1n << 32n),
  0x6000n,
];

/** Operations of which most code is made. */
// oxfmt-ignore
const commonOps: readonly PureOpName[] = [
  'add', 'sub', 'and', 'or', 'shl', 'shr_u', 'shr_s', 'ext32_s', 'eqz', 'ne', 'ge_u', 'not', 'wrap', 'zext32',
  'sext32', 'zext1', 'int1', 'select', 'f64_of_bits', 'bits_of_f64',
];

interface Shape {
  /** Registers of each file that are named. */
  readonly registers: number;
  /** Whether constants are notable ones. */
  readonly notable: boolean;
}

class Generator {
  readonly #s: Builder;
  readonly #choose: Choose;
  readonly #shape: Shape;
  #values: Value[] = [];

  constructor(s: Builder, choose: Choose, shape: Shape) {
    this.#s = s;
    this.#choose = choose;
    this.#shape = shape;
  }

  #register(): { file: RegisterFile; index: number } {
    return { file: this.#pick([X, F]), index: this.#choose(this.#shape.registers) };
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#choose(items.length)]!;
  }

  #literal(type: Type): Arg<Type> {
    const bits = this.#bits();
    const s = this.#s;
    const i32 = s.wrap(BigInt.asIntN(64, bits));
    switch (type) {
      case 'i1':
        return this.#choose(2) === 1;
      case 'f32':
        return s.f32_of_bits(i32);
      case 'f64':
        return s.f64_of_bits(bits);
      case 'i32':
        return i32;
      default:
        return this.#choose(2) === 1 ? bits : -BigInt(this.#choose(5000));
    }
  }

  #bits(): bigint {
    if (this.#shape.notable) return this.#pick(notable);
    return BigInt(this.#choose(2 ** 31)) << BigInt(this.#choose(34));
  }

  #value(type: Type): Arg<Type> {
    const known = this.#values.filter((value) => value.type === type);
    return known.length > 0 && this.#choose(4) > 0 ? this.#pick(known) : this.#literal(type);
  }

  #i64(): Arg<'i64'> {
    return this.#value('i64') as Arg<'i64'>;
  }

  #keep(value: Node): void {
    if (value.type !== null && value.op !== 'const') this.#values.push(value as Value);
  }

  #scope(build: () => void): void {
    const outer = this.#values;
    this.#values = [...outer];
    build();
    this.#values = outer;
  }

  /** Statements of a block. */
  block(depth: number, loops: number): void {
    const most = this.#shape.notable ? 12 : 6;
    for (let count = this.#choose(most); count > 0; count--) this.#statement(depth, loops);
    if (loops > 0 && this.#choose(2) === 1) this.#s.break();
  }

  #statement(depth: number, loops: number): void {
    const s = this.#s;
    const width = this.#pick([8, 16, 32, 64] as const);
    const wide = this.#pick([32, 64] as const);
    const statements: (() => void)[] = [
      () => this.#pure(),
      () => this.#pure(),
      () => this.#keep(s.get(this.#register())),
      () => this.#keep(s.get({ file: F, slot: 'rs1' })),
      () => s.set(this.#register(), this.#i64()),
      () =>
        s.set(
          { file: X, slot: 'rd' },
          s.add({ op: 'operand', type: 'i64', args: [], slot: 'imm' }, this.#i64()),
        ),
      () => this.#keep(s.state(this.#pick([mode, status]))),
      () => s.setState(status, this.#i64()),
      () => s.setState(mode, this.#value('i32') as Arg<'i32'>),
      () => this.#keep(s.pc(this.#choose(20) - 10)),
      () => this.#keep(s.retired()),
      () => this.#keep(s.load(width, this.#i64(), this.#pick(['signed', 'unsigned']))),
      () => s.store(width, this.#i64(), this.#i64()),
      () =>
        this.#keep(
          s.rmw(this.#pick(['add', 'and', 'or', 'xor', 'xchg']), wide, this.#i64(), this.#i64()),
        ),
      () => this.#keep(s.cas(wide, this.#i64(), this.#i64(), this.#i64())),
      () => this.#keep(s.physicalCas(wide, this.#i64(), this.#i64(), this.#i64())),
      () => this.#keep(s.physicalLoad(width, this.#i64())),
      () => this.#keep(s.inRam(this.#i64())),
      () => this.#keep(s.call(twice, 'i64', this.#i64())),
      () => s.perform(note, this.#value('i32'), this.#value('i1')),
      () => s.perform(this.#pick([advance, disturb])),
      () => this.#pick([() => s.fence(), () => s.flushTlb(), () => s.syncCode()])(),
      () => this.#pick([() => s.probeLoad(this.#i64()), () => s.flushTlbPage(this.#i64())])(),
      () => this.#variable(),
      () => this.#if(depth, loops),
      () => this.#requirement(),
      () => this.#loop(depth, loops),
    ];
    this.#pick(statements)();
  }

  #pure(): void {
    const isCommon = this.#shape.notable && this.#choose(2) === 1;
    const op = this.#pick(isCommon ? commonOps : opNames);
    this.#keep(
      this.#s.pure(
        op,
        pureOps[op].args.map((type) => this.#value(type)),
      ),
    );
  }

  #variable(): void {
    const type = this.#pick(types);
    const variable = this.#s.variable(type, this.#value(type));
    this.#keep(this.#s.read(variable));
    this.#s.assign(variable, this.#value(type));
  }

  #loop(depth: number, loops: number): void {
    if (depth === 0) return;
    const s = this.#s;
    const turns = this.#shape.notable ? s.variable('i64', BigInt(this.#choose(4))) : undefined;
    s.loop(() =>
      this.#scope(() => {
        if (turns !== undefined) {
          s.when(s.eqz(s.read(turns)), () => s.break());
          s.assign(turns, s.sub(s.read(turns), 1n));
        }
        this.block(depth - 1, loops + 1);
      }),
    );
  }

  /** What is required of a cell or of a value, as a unit requires to be on. */
  #requirement(): void {
    const s = this.#s;
    const bits = this.#pick([
      () => s.and(s.state(status), 0x6000n),
      () => s.zext32(s.state(mode)),
      () => s.and(this.#i64(), 1n),
    ])();
    s.rarely(this.#pick([() => s.eqz(bits), () => s.ne(bits, 0n)])(), () => {
      s.setState(mode, 2n);
      s.raise();
    });
  }

  #if(depth: number, loops: number): void {
    if (depth === 0) return;
    const arm = () => this.#scope(() => this.block(depth - 1, loops));
    const hint = this.#pick(['none', 'likely', 'unlikely'] as const);
    // A constant condition would build one arm in place, with its break.
    const condition = this.#s.ne(this.#s.get({ file: F, index: 1 }), this.#i64());
    this.#s.when(condition, arm, this.#choose(2) === 1 ? arm : undefined, hint);
  }

  /** What may end an instruction. */
  end(): void {
    const s = this.#s;
    const ends: (() => void)[] = [
      () => {},
      () => s.jump(this.#i64(), this.#pick(['direct', 'indirect', 'sync'])),
      () => s.branch(this.#value('i1') as Arg<'i1'>, this.#i64()),
      () => s.raise(),
      () => s.exit(this.#choose(5), this.#i64()),
      () => s.rarely(s.ne(s.get({ file: F, index: 2 }), 0n), () => s.raise()),
    ];
    this.#pick(ends)();
  }
}

/** The meaning of an imaginary instruction. */
export function randomInstruction(tape: readonly number[]): Block {
  return buildBlock((s) => {
    const generator = new Generator(s, tapeReader(tape), { registers: 32, notable: false });
    generator.block(3, 0);
    generator.end();
  });
}

/** The meanings of several imaginary instructions that have much to do with one another. */
export function randomInstructions(tape: readonly number[]): Block {
  const choose = tapeReader(tape);
  return buildBlock((s) => {
    const generator = new Generator(s, choose, { registers: 4, notable: true });
    const count = 1 + choose(6);
    for (let i = 0; i < count; i++) {
      s.instruction(4 * i);
      generator.block(2, 0);
    }
    generator.end();
  });
}
