// Compressed instructions against their expansions in the manual, and against words that binutils made.

import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { execute, pc, rowFinder } from '../../../test/support/riscv64-instruction.ts';
import { decoderOf } from '../shared/decoder.ts';
import { fieldValue, rawField, type Row } from '../shared/row.ts';
import { rows } from './c.ts';
import { rows as base } from './rv64i.ts';

const decode = decoderOf(rows);
const row = rowFinder(rows);
const expansion = rowFinder(base);

type Values = Readonly<Record<string, number>>;
type Expansion = (f: Values) => readonly [name: string, fields: Values];

const update =
  (name: string): Expansion =>
  ({ rd, rs2 }) => [name, { rd: rd!, rs1: rd!, rs2: rs2! }];
const updateBy =
  (name: string): Expansion =>
  ({ rd, imm }) => [name, { rd: rd!, rs1: rd!, imm: imm! }];
const same =
  (name: string): Expansion =>
  (f) => [name, f];
const onStack =
  (name: string): Expansion =>
  (f) => [name, { ...f, rs1: 2 }];

const expansions: Record<string, Expansion> = {
  'c.addi4spn': ({ rd, imm }) => ['addi', { rd: rd!, rs1: 2, imm: imm! }],
  'c.lw': same('lw'),
  'c.ld': same('ld'),
  'c.sw': same('sw'),
  'c.sd': same('sd'),
  'c.nop': () => ['addi', { rd: 0, rs1: 0, imm: 0 }],
  'c.addi': updateBy('addi'),
  'c.addiw': updateBy('addiw'),
  'c.li': ({ rd, imm }) => ['addi', { rd: rd!, rs1: 0, imm: imm! }],
  'c.addi16sp': ({ imm }) => ['addi', { rd: 2, rs1: 2, imm: imm! }],
  'c.lui': same('lui'),
  'c.srli': updateBy('srli'),
  'c.srai': updateBy('srai'),
  'c.andi': updateBy('andi'),
  'c.sub': update('sub'),
  'c.xor': update('xor'),
  'c.or': update('or'),
  'c.and': update('and'),
  'c.subw': update('subw'),
  'c.addw': update('addw'),
  'c.j': ({ imm }) => ['jal', { rd: 0, imm: imm! / 2 }],
  'c.beqz': ({ rs1, imm }) => ['beq', { rs1: rs1!, rs2: 0, imm: imm! / 2 }],
  'c.bnez': ({ rs1, imm }) => ['bne', { rs1: rs1!, rs2: 0, imm: imm! / 2 }],
  'c.slli': updateBy('slli'),
  'c.lwsp': onStack('lw'),
  'c.ldsp': onStack('ld'),
  'c.jr': ({ rs1 }) => ['jalr', { rd: 0, rs1: rs1!, imm: 0 }],
  'c.mv': ({ rd, rs2 }) => ['add', { rd: rd!, rs1: 0, rs2: rs2! }],
  'c.jalr': ({ rs1 }) => ['jalr', { rd: 1, rs1: rs1!, imm: 0 }],
  'c.add': update('add'),
  'c.swsp': onStack('sw'),
  'c.sdsp': onStack('sd'),
};

const fieldsOf = (of: Row, word: number, read: typeof rawField): Values =>
  Object.fromEntries(Object.entries(of.fields).map(([name, field]) => [name, read(field, word)]));

/** Every register holds something of its own. */
const state = Object.fromEntries(
  Array.from({ length: 31 }, (_, i) => [`x${i + 1}`, 0x1_8000_0000n * BigInt(i + 1) + 8n]),
);
const memory = Array.from({ length: 128 }, (_, i) => {
  return [Number(state['x2']) + 8 * i, 0x8182_8384_8586_8780n + BigInt(i)] as const;
});

test('each of a thousand words does what its expansion does', () => {
  const seen = new Set<string>();
  for (let word = 1; word < 0x1_0000; word += 29) {
    const compressed = (word & 3) === 3 ? undefined : decode(word);
    const expand = compressed && expansions[compressed.name];
    if (!expand) continue;
    seen.add(compressed.name);
    const [name, fields] = expand(fieldsOf(compressed, word, fieldValue));
    const before = { state, memory };
    const short = execute(compressed, fieldsOf(compressed, word, rawField), before);
    const long = execute(expansion(name), fields, before);
    deepEqual(short.outcome, long.outcome, `${compressed.name} ${word.toString(16)}`);
    const expected = new Map(long.state);
    if (compressed.name === 'c.jalr') expected.set('x1', pc + 2n);
    deepEqual(short.state, expected, `${compressed.name} ${word.toString(16)}`);
    if (fields['rs2'] !== undefined && compressed.name.startsWith('c.s')) {
      const at = Number((state[`x${fields['rs1']!}`] ?? 0n) + BigInt(fields['imm'] ?? 0));
      equal(short.read(at), long.read(at), compressed.name);
    }
  }
  const rare = ['c.nop', 'c.jr', 'c.jalr', 'c.addi16sp'];
  const missing = Object.keys(expansions).filter((name) => !seen.has(name));
  deepEqual(
    missing.filter((name) => !rare.includes(name)),
    [],
  );
});

// oxfmt-ignore
const words: readonly (readonly [number, string, Values])[] = [
  [0x0001, 'c.nop', {}],
  [0x7139, 'c.addi16sp', { imm: -64 }],
  [0x0804, 'c.addi4spn', { rd: 9, imm: 16 }],
  [0x8082, 'c.jr', { rs1: 1 }],
  [0x9782, 'c.jalr', { rs1: 15 }],
  [0xfc06, 'c.sdsp', { rs2: 1, imm: 56 }],
  [0x70e2, 'c.ldsp', { rd: 1, imm: 56 }],
  [0x77e1, 'c.lui', { rd: 15, imm: -8 }],
  [0xac4d, 'c.j', { imm: 690 }],
  [0xc8b5, 'c.beqz', { rs1: 9, imm: 116 }],
  [0xfb31, 'c.bnez', { rs1: 14, imm: -172 }],
];

test('words decode as binutils decodes them', () => {
  for (const [word, name, fields] of words) {
    equal(decode(word)?.name, name);
    deepEqual(fieldsOf(row(name), word, fieldValue), fields);
  }
});

test('reserved encodings have no row', () => {
  for (const word of [
    0x0000, 0x2001, 0x6101, 0x6281, 0x8002, 0x4002, 0x6002, 0x9c41, 0x9c61, 0x8000,
  ]) {
    equal(decode(word), undefined, word.toString(16));
  }
});

test('floating-point loads and stores need the unit to be on, and loads dirty it', () => {
  const clean = 0x4000;
  const fields = { rd: 0, rs1: 0, imm: 1 };
  const at = { x8: 0x100, x2: 0x100, f8: 0x1122n, f0: 0x3344n };
  const data = [[0x108, 0x5566n]] as const;
  const off = execute(row('c.fld'), fields, { state: at });
  deepEqual(off.outcome, { kind: 'raise' });
  equal(off.state.get('pendingCause'), 2n);
  equal(execute(row('c.fsd'), { rs1: 0, rs2: 0, imm: 1 }, { state: at }).outcome.kind, 'raise');
  const on = { state: { ...at, mstatus: clean }, memory: data };
  const loaded = execute(row('c.fld'), fields, on);
  equal(loaded.state.get('f8'), 0x5566n);
  equal(loaded.state.get('mstatus'), 0x6000n);
  equal(execute(row('c.fldsp'), { rd: 31, imm: 1 }, on).state.get('f31'), 0x5566n);
  const stored = execute(row('c.fsd'), { rs1: 0, rs2: 0, imm: 1 }, on);
  equal(stored.read(0x108), 0x1122n);
  equal(stored.state.get('mstatus'), BigInt(clean));
  equal(execute(row('c.fsdsp'), { rs2: 0, imm: 1 }, on).read(0x108), 0x3344n);
});
