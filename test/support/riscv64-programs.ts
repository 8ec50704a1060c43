// Small bare-metal programs for tests of whole VMs, instruction by instruction.

import { elfMachine } from '../../src/boot/elf.ts';
import { writeElf } from './elf-writer.ts';

const RAM_BASE = 0x8000_0000;

function program(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  return writeElf(elfMachine.riscv64, RAM_BASE, [
    { address: RAM_BASE, bytes, memoryBytes: bytes.length },
  ]);
}

// oxfmt-ignore
export const programs = {
  /** Asks the power device for the end, with success. */
  success: program([
    0x0010_02b7, // lui  t0, 0x100      the power device
    0x0000_5337, // lui  t1, 0x5
    0x5553_0313, // addi t1, t1, 0x555  success
    0x0062_a023, // sw   t1, 0(t0)
    0x0000_006f, // j    .
  ]),
  /** The same with failure code 7. */
  failure: program([
    0x0010_02b7, // lui  t0, 0x100
    0x0007_3337, // lui  t1, 0x73       failure, code 7
    0x3333_0313, // addi t1, t1, 0x333
    0x0062_a023, // sw   t1, 0(t0)
    0x0000_006f, // j    .
  ]),
  /** Prints the letter A without end. */
  print: program([
    0x1000_02b7, // lui  t0, 0x10000    the serial port
    0x0410_0313, // addi t1, x0, 'A'
    0x0062_8023, // sb   t1, 0(t0)
    0xffdf_f06f, // j    -4
  ]),
  /** Computes without end. */
  spin: program([
    0x0000_006f, // j    .
  ]),
  /** Waits for an interrupt that never comes. */
  wait: program([
    0x1050_0073, // wfi
    0xffdf_f06f, // j    -4
  ]),
} as const;
