// The machines by architecture and name: a Linux board, and one that runs an ELF executable from its entry.

import { arm64Virt } from '../machine/arm64-virt.ts';
import { riscv64Bare } from '../machine/riscv64-bare.ts';
import { riscv64Virt } from '../machine/riscv64-virt.ts';
import { VmOptionsError } from './errors.ts';

export const machines = {
  riscv64: { virt: riscv64Virt, bare: riscv64Bare },
  arm64: { virt: arm64Virt },
} as const;

export type Architecture = keyof typeof machines;
export type MachineName = 'virt' | 'bare';

export const architectures = Object.keys(machines) as readonly Architecture[];
export const machineNames: readonly MachineName[] = ['virt', 'bare'];
export const defaultArchitecture: Architecture = 'riscv64';

type Options = Parameters<typeof riscv64Virt.build>[0];
type AnyMachine = {
  readonly summary: string;
  build(options: Options): ReturnType<typeof riscv64Virt.build>;
};

/** The machine of an architecture. Throws VmOptionsError if it has none of that name. */
export function machineOf(architecture: Architecture, name: MachineName): AnyMachine {
  const all: { readonly [K in MachineName]?: AnyMachine } | undefined = machines[architecture];
  if (all === undefined) {
    throw new VmOptionsError(
      `there is no architecture '${architecture}'; there are ${architectures.join(', ')}`,
    );
  }
  const found = all[name];
  if (found !== undefined) return found;
  throw new VmOptionsError(
    `there is no machine '${name}' for ${architecture}; there is ${Object.keys(all).join(', ')}`,
  );
}
