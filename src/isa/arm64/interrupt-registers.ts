// The system registers of the GIC's CPU interface (ICC_*): the interrupt controller answers them. GICv3 architecture
// specification (IHI 0069), 12.2.

import { type Builder, helper } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import type { SystemRegister } from './system-registers.ts';

// oxfmt-ignore
const encodings = {
  ICC_PMR_EL1: [4, 6, 0], ICC_IAR0_EL1: [12, 8, 0], ICC_EOIR0_EL1: [12, 8, 1], ICC_HPPIR0_EL1: [12, 8, 2],
  ICC_BPR0_EL1: [12, 8, 3], ICC_AP0R0_EL1: [12, 8, 4], ICC_AP1R0_EL1: [12, 9, 0], ICC_DIR_EL1: [12, 11, 1],
  ICC_RPR_EL1: [12, 11, 3], ICC_SGI1R_EL1: [12, 11, 5], ICC_ASGI1R_EL1: [12, 11, 6], ICC_SGI0R_EL1: [12, 11, 7],
  ICC_IAR1_EL1: [12, 12, 0], ICC_EOIR1_EL1: [12, 12, 1], ICC_HPPIR1_EL1: [12, 12, 2], ICC_BPR1_EL1: [12, 12, 3],
  ICC_CTLR_EL1: [12, 12, 4], ICC_SRE_EL1: [12, 12, 5], ICC_IGRPEN0_EL1: [12, 12, 6], ICC_IGRPEN1_EL1: [12, 12, 7],
} as const;

const readOnly = /IAR|HPPIR|RPR/;
const writeOnly = /EOIR|DIR|SGI/;

function register(
  name: string,
  [crn, crm, op2]: readonly [number, number, number],
): SystemRegister {
  const read = helper(
    `read_${name}`,
    [],
    'i64',
    ({ controller }) => controller?.read(name) ?? 0n,
    [],
  );
  const write = helper(
    `write_${name}`,
    ['i64'],
    null,
    ({ controller }, value) => {
      controller?.write(name, value);
      return 0n;
    },
    [],
  );
  return {
    encoding: [3, 0, crn, crm, op2],
    read: writeOnly.test(name) ? undefined : (s: Builder) => s.call(read, 'i64'),
    write:
      readOnly.test(name) && !writeOnly.test(name)
        ? undefined
        : (s: Builder, value: Value<'i64'>) => s.perform(write, value),
    sync: true,
  };
}

export const interruptRegisters: Readonly<Record<string, SystemRegister>> = Object.fromEntries(
  Object.entries(encodings).map(([name, at]) => [name.toLowerCase(), register(name, at)]),
);
