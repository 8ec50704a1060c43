// The riscv64 board for programs without an operating system: an ELF executable starts in M-mode at
// its entry point, on the devices of riscv64-virt and without SBI. A program ends by its `tohost`
// symbol (the convention of riscv-tests) or by the power device. The interrupt controller has two
// contexts per hart, machine and supervisor external interrupt in this order, as QEMU's `virt`
// board has.

import { machine } from './machine.ts';
import { riscv64Design } from './riscv64-common.ts';
import type { Riscv64Options } from './riscv64-common.ts';
import { hartInterrupt } from './riscv64-harts.ts';

export const riscv64Bare = machine(
  'riscv64-bare',
  'riscv64 without firmware; runs an ELF executable in M-mode',
  (options: Riscv64Options) =>
    riscv64Design(options, 'bare-elf', [
      hartInterrupt.machineExternal,
      hartInterrupt.supervisorExternal,
    ]),
);
