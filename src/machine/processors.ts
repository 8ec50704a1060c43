// The guest architectures by name.

import type { Processor } from './processor.ts';
import { arm64Processor } from './arm64-processor.ts';
import { riscv64Processor } from './riscv64-processor.ts';

export const processors = {
  arm64: arm64Processor,
  riscv64: riscv64Processor,
} as const satisfies Record<string, Processor>;
