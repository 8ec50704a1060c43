// What a guest architecture is to the rest of Isola. The engine runs any value of this type and names none.

import type { RegisterOperand, Routine, StateField } from '../../ir/node.ts';
import type { Builder } from '../../ir/builder.ts';
import type { AnyRegisterFile } from '../../ir/node.ts';
import type { Row } from './row.ts';

/** Kinds of access, as `translate` and `accessFault` number them. */
export const access = { load: 0, store: 1, fetch: 2, loadAsUser: 3, storeAsUser: 4 } as const;

/** Reads and writes cells of one vCPU's record. */
export interface VcpuState {
  get(field: StateField): bigint;
  set(field: StateField, value: bigint): void;
  getRegister(file: AnyRegisterFile, index: number): bigint;
  setRegister(file: AnyRegisterFile, index: number, value: bigint): void;
}

export interface Isa {
  readonly name: string;
  readonly rows: readonly Row[];
  /** Finds the row of the instruction that begins with these bytes (little-endian word; the upper half may be 0). */
  readonly decode: (word: number) => Row | undefined;
  /** Bytes of the instruction that begins with this halfword. */
  readonly lengthOf: (halfword: number) => 2 | 4;
  readonly registerFiles: readonly AnyRegisterFile[];
  /** Registers that calls set to the address they return to, by convention. */
  readonly linkRegisters: readonly RegisterOperand[];
  /** Cells by name, for traces, tests and snapshots. */
  readonly cells: Readonly<Record<string, StateField>>;
  /** What a word without a row does. */
  readonly illegal: (s: Builder, word: bigint | ReturnType<Builder['const64']>) => void;
  /**
   * `(virtual: i64, access: i32) → i64`: the guest-physical address, or all ones after recording a pending exception.
   * Sets vcpu.uncached where the result holds for this access only.
   */
  readonly translate: Routine;
  /** `(virtual: i64, access: i32)`: records the pending exception of an access that no memory or device answers. */
  readonly accessFault: Routine;
  /** `()`: delivers the pending exception of the instruction at vcpu.pc; sets vcpu.pc to its handler. */
  readonly raise: Routine;
  /** `() → i32`: delivers an interrupt if one is pending and enabled; 1 if so. */
  readonly interrupt: Routine;
  /** Puts a vCPU into its reset state. `hart`: its number. */
  readonly reset: (state: VcpuState, hart: number) => void;
}
