import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../std/random.ts';
import { riscv64 } from '../riscv64/isa.ts';
import { AssemblyError, createAssembler } from './assembler.ts';
import { disassemble } from './disassembler.ts';
import { generate } from './generator.ts';

const { decode, rows } = riscv64;
const { assemble, assembleProgram } = createAssembler(riscv64);
const bitsOf = (text: string): number | undefined => assemble(text, 0n)?.bits;

test('what the disassembler prints assembles to an instruction that prints the same', () => {
  const random = createRandom(5n);
  for (const row of rows) {
    for (let i = 0; i < 20; i++) {
      const text = disassemble(row, generate(row, random, decode));
      const made = assemble(text, 0n);
      equal(made && disassemble(decode(made.bits)!, made.bits), text);
      equal(made?.length, row.length);
      equal(decode(made.bits), row);
    }
  }
});

test('registers by either name, numbers in either base, spaces anywhere', () => {
  equal(bitsOf('addi t0, t0, -1'), 0xfff2_8293);
  equal(bitsOf('  addi x5 ,t0,-0x1 '), 0xfff2_8293);
  equal(bitsOf('lw a0, 8 ( sp )'), 0x0081_2503);
  equal(bitsOf('fadd.d f10, fa0, f11, dyn'), 0x02b5_7553);
  equal(bitsOf('fadd.d f10, fa0, f11, 7'), 0x02b5_7553);
});

test('the row that an encoding belongs to wins over one that merely has its text', () => {
  equal(decode(bitsOf('csrrs a0, sscratch, zero')!)?.name, 'csrrs_sscratch_read');
  equal(decode(bitsOf('csrrs a0, sscratch, x1')!)?.name, 'csrrs_sscratch');
  equal(decode(bitsOf('sfence.vma zero, a0')!)?.name, 'sfence.vma_all');
});

test('what no instruction can hold is refused', () => {
  const texts = [
    'nop',
    'addi x5, x5',
    'addi x5, x5, 2048',
    'addi x5, x5, -2049',
    'addi x32, x5, 0',
  ];
  texts.push('beq x1, x2, 3', 'c.lw x7, 0(x8)', 'c.addi4spn x8, sp, 0', 'c.ld x8, 4(x8)');
  texts.push('addi x05, x5, 1', 'addi x5, x5, one', 'slli x5, x5, -1', '');
  for (const text of texts) equal(bitsOf(text), undefined, text);
});

test('a program has labels, data and comments', () => {
  const { bytes, labels } = assembleProgram(
    `
    # counts down
    start:  addi x5, zero, 3
    again:  c.addi x5, -1      ; one less
            bne x5, zero, again
            jal zero, end
    data:   .word 1, 0xdeadbeef
            .dword -2
            .half 0x1234
            .byte 1, 2
    end:`,
    0x8000_0000n,
  );
  const at = (name: string) => Number(labels.get(name)! - 0x8000_0000n);
  deepEqual(['start', 'again', 'data', 'end'].map(at), [0, 4, 14, 34]);
  const view = new DataView(bytes.buffer);
  equal(view.getUint32(6, true), assemble('bne x5, zero, -2', 0n)?.bits);
  equal(view.getUint32(10, true), assemble('jal zero, 24', 0n)?.bits);
  deepEqual([...bytes.subarray(14, 22)], [1, 0, 0, 0, 0xef, 0xbe, 0xad, 0xde]);
  deepEqual(
    [...bytes.subarray(22)],
    [0xfe, ...Array.from({ length: 7 }, () => 0xff), 0x34, 0x12, 1, 2],
  );
});

test('a mistake in a program is an error with its line', () => {
  const errors: [text: string, message: string][] = [
    ['\n nop', '2: no instruction is called: nop'],
    ['a:\na: ecall', '2: there are two labels a'],
    ['jal zero, nowhere', '1: cannot assemble: jal zero, nowhere'],
    ['.word one', '1: cannot assemble: .word one'],
  ];
  for (const [text, message] of errors) {
    throws(
      () => assembleProgram(text, 0n),
      (error) => error instanceof AssemblyError && error.message === message,
    );
  }
});
