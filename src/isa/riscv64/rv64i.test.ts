import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { compute, execute, pc, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { rows } from './rv64i.ts';

const row = rowFinder(rows);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const min = 1n << 63n;
const all = u64(-1n);

// oxfmt-ignore
const registers: readonly (readonly [string, bigint, bigint, bigint])[] = [
  ['add', all, 2n, 1n],
  ['sub', 0n, 1n, all],
  ['sll', 3n, 127n, min],
  ['srl', min, 127n, 1n],
  ['sra', min, 127n, all],
  ['slt', all, 0n, 1n],
  ['slt', 0n, all, 0n],
  ['sltu', all, 0n, 0n],
  ['sltu', 0n, all, 1n],
  ['xor', 0xf0n, 0xffn, 0x0fn],
  ['or', 0xf0n, 0x0fn, 0xffn],
  ['and', 0xf3n, 0x3fn, 0x33n],
  ['addw', 0x7fff_ffffn, 1n, u64(-0x8000_0000n)],
  ['subw', 0x8000_0000n, 1n, 0x7fff_ffffn],
  ['sllw', 1n, 63n, u64(-0x8000_0000n)],
  ['srlw', 0xff_8000_0000n, 32n, u64(-0x8000_0000n)],
  ['srlw', 0xff_8000_0000n, 31n, 1n],
  ['sraw', 0xff_8000_0000n, 31n, all],
];

test('register operations', () => {
  for (const [name, a, b, expected] of registers) equal(compute(row(name), a, b), expected, name);
});

// oxfmt-ignore
const immediates: readonly (readonly [string, bigint, number, bigint])[] = [
  ['addi', 0n, -2048, u64(-2048n)],
  ['slti', all, 0, 1n],
  ['sltiu', 5n, -1, 1n],
  ['xori', 5n, -1, u64(-6n)],
  ['ori', 1n, -2048, u64(-2047n)],
  ['andi', all, 2047, 2047n],
  ['slli', 1n, 63, min],
  ['srli', min, 63, 1n],
  ['srai', min, 63, all],
  ['addiw', 0x7fff_ffffn, 1, u64(-0x8000_0000n)],
  ['slliw', 3n, 31, u64(-0x8000_0000n)],
  ['srliw', 0xf_8000_0000n, 31, 1n],
  ['sraiw', 0xf_8000_0000n, 31, all],
];

test('operations with a constant', () => {
  for (const [name, a, imm, expected] of immediates) {
    const { state } = execute(row(name), { rd: 7, rs1: 5, imm }, { state: { x5: a } });
    equal(state.get('x7'), expected, name);
  }
});

test('upper immediates are sign-extended', () => {
  equal(execute(row('lui'), { rd: 7, imm: 0x80000 }).state.get('x7'), u64(-0x8000_0000n));
  equal(execute(row('auipc'), { rd: 7, imm: 0xfffff }).state.get('x7'), pc - 0x1000n);
});

test('jumps link, even through the register they jump by', () => {
  const jal = execute(row('jal'), { rd: 1, imm: -8 });
  deepEqual(jal.outcome, { kind: 'jump', target: pc - 16n, via: 'direct' });
  equal(jal.state.get('x1'), pc + 4n);
  const jalr = execute(row('jalr'), { rd: 5, rs1: 5, imm: 4 }, { state: { x5: 0x1001n } });
  deepEqual(jalr.outcome, { kind: 'jump', target: 0x1004n, via: 'indirect' });
  equal(jalr.state.get('x5'), pc + 4n);
});

function taken(name: string, a: bigint, b: bigint): boolean {
  const before = { state: { x5: a, x6: b } };
  const { outcome } = execute(row(name), { rs1: 5, rs2: 6, imm: -2 }, before);
  if (outcome.kind === 'jump') equal(outcome.target, pc - 4n);
  return outcome.kind === 'jump';
}

test('branches compare as their names say', () => {
  const names = ['beq', 'bne', 'blt', 'bge', 'bltu', 'bgeu'];
  const of = (a: bigint, b: bigint) => names.map((name) => taken(name, a, b));
  deepEqual(of(1n, 1n), [true, false, false, true, false, true]);
  deepEqual(of(all, 1n), [false, true, true, false, false, true]);
  deepEqual(of(1n, all), [false, true, false, true, true, false]);
});

test('loads extend, stores truncate, both fault at their address', () => {
  const memory = [[0x100, 0x8182_8384_8586_8788n]] as const;
  const loaded = ['lb', 'lh', 'lw', 'ld', 'lbu', 'lhu', 'lwu'].map((name) => {
    const before = { state: { x5: 0x101 }, memory };
    return execute(row(name), { rd: 7, rs1: 5, imm: -1 }, before).state.get('x7');
  });
  const signed = [-0x78n, -0x7878n, -0x7a79_7878n].map(u64);
  deepEqual(loaded, [...signed, 0x8182_8384_8586_8788n, 0x88n, 0x8788n, 0x8586_8788n]);
  const stored = ['sb', 'sh', 'sw', 'sd'].map((name) => {
    const before = { state: { x5: 0x101, x6: 0x0102_0304_0506_0708n }, memory };
    return execute(row(name), { rs1: 5, rs2: 6, imm: -1 }, before).read(0x100);
  });
  deepEqual(stored, [
    0x8182_8384_8586_8708n,
    0x8182_8384_8586_0708n,
    0x8182_8384_0506_0708n,
    0x0102_0304_0506_0708n,
  ]);
  const { outcome, state } = execute(row('ld'), { rd: 7, rs1: 0, imm: -8 });
  equal(outcome.kind, 'raise');
  equal(state.get('pendingTval'), u64(-8n));
  equal(state.has('x7'), false);
});

test('x0 stays zero and fences go on', () => {
  equal(execute(row('addi'), { rd: 0, rs1: 0, imm: 5 }).state.size, 0);
  for (const name of ['fence', 'fence.tso', 'pause']) {
    deepEqual(execute(row(name), {}).outcome, { kind: 'next' });
  }
});
