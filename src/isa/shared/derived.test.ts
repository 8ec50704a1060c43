// Generator and disassembler, on the rows of every guest architecture that has filetests.

import { equal, notEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../std/random.ts';
import { riscv64 } from '../riscv64/isa.ts';
import { disassemble } from './disassembler.ts';
import { generate } from './generator.ts';
import { fieldValue } from './row.ts';

const { decode, rows } = riscv64;
const named = (name: string) => rows.find((row) => row.name === name)!;
const textOf = (word: number, pc?: bigint): string => disassemble(decode(word)!, word, pc);

test('every row gives words that decode to it', () => {
  const random = createRandom(1n);
  for (const row of rows) {
    for (let i = 0; i < 20; i++) {
      const word = generate(row, random, decode);
      equal(decode(word), row);
      ok(word >= 0 && word < 2 ** (8 * row.length));
      notEqual(disassemble(row, word).split(' ', 1)[0], '');
    }
  }
});

test('interesting numbers are frequent, free bits vary', () => {
  const random = createRandom(2n);
  const addi = named('addi');
  const words = Array.from({ length: 400 }, () => generate(addi, random, decode));
  for (const value of [0, -1, 1, 2047, -2048]) {
    const count = words.filter((word) => fieldValue(addi.fields['imm']!, word) === value).length;
    ok(count >= 2, `${value} came up ${count} times`);
  }
  const fences = Array.from({ length: 50 }, () => generate(named('fence.i'), random, decode));
  ok(new Set(fences).size > 40);
});

test('text has registers by name and numbers in decimal', () => {
  equal(textOf(0xfff2_8293), 'addi t0, t0, -1');
  equal(textOf(0xfe62_8ee3), 'beq t0, t1, -4');
  equal(textOf(0xfe62_8ee3, 0x8000_0000n), 'beq t0, t1, 0x7ffffffc');
  equal(textOf(0xfe62_8ee3, 0n), 'beq t0, t1, 0xfffffffffffffffc');
  equal(textOf(0x1401_1173), 'csrrw sp, sscratch, sp');
  equal(textOf(0x7105), 'c.addi16sp sp, -480');
  equal(textOf(0x02b5_7553), 'fadd.d fa0, fa0, fa1, dyn');
});
