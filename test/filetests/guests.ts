// The guest architectures that have filetests: a folder of the same name holds them.

import { riscv64 } from '../../src/isa/riscv64/isa.ts';
import { createAssembler } from '../../src/isa/shared/assembler.ts';
import type { Isa } from '../../src/isa/shared/isa.ts';
import { toy } from '../support/toy-isa.ts';

export interface Guest {
  readonly isa: Isa;
  /**
   * The bits of an instruction in assembly text, at an address; `length` in bytes. Without it, or where it answers
   * undefined, code is written as `word` and `half`.
   */
  readonly assemble?: (
    text: string,
    address: bigint,
  ) => { readonly bits: number; readonly length: 2 | 4 } | undefined;
}

export const guests: Readonly<Record<string, Guest>> = {
  toy: { isa: toy },
  riscv64: { isa: riscv64, assemble: createAssembler(riscv64).assemble },
};
