// The riscv64 board that boots Linux: the VM is the SBI, a kernel starts in S-mode.
// Contract: Linux Documentation/arch/riscv/boot.rst; RISC-V SBI v2.0. There is no M-mode for the
// guest, so the interrupt controller has one context per hart, its supervisor external interrupt.

import { machine } from './machine.ts';
import { riscv64Design } from './riscv64-common.ts';
import type { Riscv64Options } from './riscv64-common.ts';
import { hartInterrupt } from './riscv64-harts.ts';

export const riscv64Virt = machine(
  'riscv64-virt',
  'riscv64 with virtio devices; boots a Linux kernel over SBI',
  (options: Riscv64Options) =>
    riscv64Design(options, 'sbi-linux', [hartInterrupt.supervisorExternal]),
);
