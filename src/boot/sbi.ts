// The supervisor execution environment: what answers a guest kernel's `ecall` from S-mode.
// RISC-V Supervisor Binary Interface Specification v2.0.
//
// There is no firmware in guest memory: the VM itself is the SBI, so no M-mode, PMP or CLINT is
// needed. Offered: BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN. The legacy extensions (0x00-0x08) and
// everything else answer NOT_SUPPORTED. Pure logic: what a call does to harts, time and console
// goes through `SbiHost`. Invariants: a call never throws whatever the guest passes; only a0 and a1
// of the caller change; effects on the calling hart itself (stop, suspend, reset) are returned as
// an outcome, never done behind its back.

import type { GuestMemory } from '../memory/guest-memory.ts';

/** HSM state ids (ch. 9, table "HSM hart states"). */
export const hartState = {
  started: 0,
  stopped: 1,
  startPending: 2,
  stopPending: 3,
  suspended: 4,
  suspendPending: 5,
  resumePending: 6,
} as const;
export type HartState = (typeof hartState)[keyof typeof hartState];

/** Standard error codes (ch. 3). */
const sbiError = {
  success: 0n,
  failed: -1n,
  notSupported: -2n,
  invalidParam: -3n,
  denied: -4n,
  invalidAddress: -5n,
  alreadyAvailable: -6n,
} as const;

/** A range of virtual addresses in bytes; never empty, never wraps. */
export interface FenceRange {
  readonly start: bigint;
  readonly size: bigint;
}

/**
 * What the environment does for the guest. Harts are numbered from 0; ids passed here always exist.
 */
export interface SbiHost {
  readonly hartCount: number;
  readonly memory: GuestMemory;
  /**
   * The values of mvendorid, marchid and mimpid that supervisors are told; 0 when not implemented.
   */
  readonly machineIds: { readonly vendor: bigint; readonly arch: bigint; readonly impl: bigint };
  /** Arms the timer for `time` (in units of that CSR) and clears its pending interrupt. */
  setTimer(hart: number, time: bigint): void;
  /** Makes a supervisor software interrupt pending. */
  sendIpi(hart: number): void;
  remoteFenceI(harts: readonly number[]): void;
  /** `range` undefined: the whole address space. `asid` undefined: every address space. */
  remoteSfenceVma(
    harts: readonly number[],
    range: FenceRange | undefined,
    asid: number | undefined,
  ): void;
  hartStatus(hart: number): HartState;
  /** Starts a stopped hart: pc = address, a0 = hart, a1 = opaque, satp = 0, sstatus.SIE = 0. */
  hartStart(hart: number, address: number, opaque: bigint): void;
  /**
   * Takes bytes for the console; answers how many it accepted now, undefined after an I/O error.
   */
  consoleWrite(bytes: Uint8Array): number | undefined;
  /** Fills `into` from the front with console input that is there; answers how many bytes. */
  consoleRead(into: Uint8Array): number | undefined;
}

/** The argument registers of the calling hart, as unsigned 64-bit numbers. */
export interface SbiCall {
  readonly a0: bigint;
  readonly a1: bigint;
  readonly a2: bigint;
  readonly a3: bigint;
  readonly a4: bigint;
  /** Function id. */
  readonly a6: bigint;
  /** Extension id. */
  readonly a7: bigint;
}

export type ResetKind = 'shutdown' | 'cold-reboot' | 'warm-reboot';

/** What happens to the calling hart. Closed union. */
export type SbiOutcome =
  /** Continue after the ecall with a0 = error and a1 = value (both already unsigned 64-bit). */
  | { readonly kind: 'return'; readonly error: bigint; readonly value: bigint }
  /** The hart is stopped until another one starts it. */
  | { readonly kind: 'stop' }
  /**
   * The hart sleeps until an interrupt that is enabled in sie becomes pending. Then, if `resume` is
   * undefined, it continues after the ecall with a0 = a1 = 0; otherwise it restarts as from
   * `hartStart`.
   */
  | {
      readonly kind: 'suspend';
      readonly resume: { readonly address: number; readonly opaque: bigint } | undefined;
    }
  /**
   * The whole machine ends or restarts. `failure`: the guest gave "system failure" as its reason.
   */
  | { readonly kind: 'reset'; readonly reset: ResetKind; readonly failure: boolean };

const SPECIFICATION_VERSION = 0x0200_0000n; // major 2 in bits 30:24, minor 0
const IMPLEMENTATION_ID = 0x4953_4f4cn; // "ISOL": outside the registered ids (0-11)
const IMPLEMENTATION_VERSION = 1n;

const ALL_ONES = (1n << 64n) - 1n;
const ASID_MAX = 0xffffn;

/**
 * Bytes one console call may move; a larger request is answered with a partial count, as allowed.
 */
export const CONSOLE_BYTES_MAX = 0x1_0000;

type SbiFunction = (host: SbiHost, hart: number, call: SbiCall) => SbiOutcome;

/** A function by its name in the specification, and how many of a0 to a4 are its parameters. */
type Entry = readonly [name: string, parameters: number, serve: SbiFunction];

/** Functions by extension id, and within it by function id. */
const extensions: ReadonlyMap<bigint, readonly Entry[]> = new Map<bigint, readonly Entry[]>([
  [
    0x10n,
    [
      ['get_spec_version', 0, () => success(SPECIFICATION_VERSION)],
      ['get_impl_id', 0, () => success(IMPLEMENTATION_ID)],
      ['get_impl_version', 0, () => success(IMPLEMENTATION_VERSION)],
      ['probe_extension', 1, (_host, _hart, { a0 }) => success(extensions.has(a0) ? 1n : 0n)],
      ['get_mvendorid', 0, (host) => success(host.machineIds.vendor)],
      ['get_marchid', 0, (host) => success(host.machineIds.arch)],
      ['get_mimpid', 0, (host) => success(host.machineIds.impl)],
    ],
  ],
  [0x5449_4d45n, [['set_timer', 1, setTimer]]],
  [0x73_5049n, [['send_ipi', 2, sendIpi]]],
  // Functions 3 to 6 are the hypervisor fences, which need the H extension.
  [
    0x5246_4e43n,
    [
      ['remote_fence_i', 2, remoteFenceI],
      ['remote_sfence_vma', 4, remoteSfenceVma],
      ['remote_sfence_vma_asid', 5, remoteSfenceVmaAsid],
    ],
  ],
  [
    0x48_534dn,
    [
      ['hart_start', 3, hartStart],
      ['hart_stop', 0, () => ({ kind: 'stop' })],
      ['hart_get_status', 1, hartGetStatus],
      ['hart_suspend', 3, hartSuspend],
    ],
  ],
  [0x5352_5354n, [['system_reset', 2, systemReset]]],
  [
    0x4442_434en,
    [
      ['debug_console_write', 3, consoleWrite],
      ['debug_console_read', 3, consoleRead],
      ['debug_console_write_byte', 1, consoleWriteByte],
    ],
  ],
]);

function entryOfCall({ a6, a7 }: SbiCall): Entry | undefined {
  return a6 < 64n ? extensions.get(a7)?.[Number(a6)] : undefined;
}

/** A call as text for traces: `set_timer(0x1234)`. */
export function describeSbiCall(call: SbiCall): string {
  const { a0, a1, a2, a3, a4, a6, a7 } = call;
  const [name, parameters] = entryOfCall(call) ?? [`extension ${hex64(a7)} function ${a6}`, 3];
  return `${name}(${[a0, a1, a2, a3, a4].slice(0, parameters).map(hex64).join(', ')})`;
}

/** What a call returned, as text for traces. */
export function describeSbiResult(error: bigint, value: bigint): string {
  const code = BigInt.asIntN(64, error);
  if (code === sbiError.success) return hex64(value);
  return Object.entries(sbiError).find(([, known]) => known === code)?.[0] ?? `error ${code}`;
}

const hex64 = (value: bigint): string => `0x${value.toString(16)}`;

/** Serves one call of `hart`. Never throws for anything a guest can pass. */
export function sbiCall(host: SbiHost, hart: number, call: SbiCall): SbiOutcome {
  const serve = entryOfCall(call)?.[2];
  return serve === undefined ? failure(sbiError.notSupported) : serve(host, hart, call);
}

function success(value: bigint = 0n): SbiOutcome {
  return { kind: 'return', error: sbiError.success, value: BigInt.asUintN(64, value) };
}

function failure(error: bigint): SbiOutcome {
  return { kind: 'return', error: BigInt.asUintN(64, error), value: 0n };
}

/**
 * The harts of a hart mask, or undefined if it names one that does not exist. A base of all ones
 * means every hart. A base beyond the last hart is invalid even with an empty mask.
 */
function hartsOf(host: SbiHost, mask: bigint, base: bigint): number[] | undefined {
  if (base === ALL_ONES) return Array.from({ length: host.hartCount }, (_, hart) => hart);
  if (base >= BigInt(host.hartCount)) return undefined;
  const first = Number(base);
  if (mask >> BigInt(host.hartCount - first) !== 0n) return undefined;
  const harts: number[] = [];
  for (let hart = first; hart < host.hartCount; hart++) {
    if ((mask >> BigInt(hart - first)) & 1n) harts.push(hart);
  }
  return harts;
}

function hartOf(host: SbiHost, id: bigint): number | undefined {
  return id < BigInt(host.hartCount) ? Number(id) : undefined;
}

/** An address a hart can be started at: aligned for an instruction, and in RAM. */
function entryOf(host: SbiHost, address: bigint): number | undefined {
  if (address & 1n) return undefined;
  return ramBytes(host, address, 2) === undefined ? undefined : Number(address);
}

function ramBytes(host: SbiHost, address: bigint, length: number): Uint8Array | undefined {
  if (address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return host.memory.bytes(Number(address), length);
}

function setTimer(host: SbiHost, hart: number, { a0 }: SbiCall): SbiOutcome {
  host.setTimer(hart, a0);
  return success();
}

function sendIpi(host: SbiHost, _hart: number, { a0, a1 }: SbiCall): SbiOutcome {
  const harts = hartsOf(host, a0, a1);
  if (harts === undefined) return failure(sbiError.invalidParam);
  for (const hart of harts) {
    // A stopped hart takes no interrupts and starts with none pending.
    if (host.hartStatus(hart) !== hartState.stopped) host.sendIpi(hart);
  }
  return success();
}

function remoteFenceI(host: SbiHost, _hart: number, { a0, a1 }: SbiCall): SbiOutcome {
  const harts = hartsOf(host, a0, a1);
  if (harts === undefined) return failure(sbiError.invalidParam);
  host.remoteFenceI(harts);
  return success();
}

function remoteSfenceVma(host: SbiHost, _hart: number, call: SbiCall): SbiOutcome {
  return fenceAddresses(host, call, undefined);
}

function remoteSfenceVmaAsid(host: SbiHost, _hart: number, call: SbiCall): SbiOutcome {
  if (call.a4 > ASID_MAX) return failure(sbiError.invalidParam);
  return fenceAddresses(host, call, Number(call.a4));
}

function fenceAddresses(
  host: SbiHost,
  { a0, a1, a2: start, a3: size }: SbiCall,
  asid: number | undefined,
): SbiOutcome {
  const harts = hartsOf(host, a0, a1);
  if (harts === undefined) return failure(sbiError.invalidParam);
  const everything = (start === 0n && size === 0n) || size === ALL_ONES;
  // A range past the end of the address space fences everything: kernels do not look at the error,
  // and a fence that did not happen would leave them with stale translations.
  if (everything || start + size > 1n << 64n) host.remoteSfenceVma(harts, undefined, asid);
  else if (size > 0n) host.remoteSfenceVma(harts, { start, size }, asid);
  return success();
}

function hartStart(host: SbiHost, _hart: number, { a0, a1, a2 }: SbiCall): SbiOutcome {
  const target = hartOf(host, a0);
  if (target === undefined) return failure(sbiError.invalidParam);
  const address = entryOf(host, a1);
  if (address === undefined) return failure(sbiError.invalidAddress);
  if (host.hartStatus(target) !== hartState.stopped) return failure(sbiError.alreadyAvailable);
  host.hartStart(target, address, a2);
  return success();
}

function hartGetStatus(host: SbiHost, _hart: number, { a0 }: SbiCall): SbiOutcome {
  const target = hartOf(host, a0);
  if (target === undefined) return failure(sbiError.invalidParam);
  return success(BigInt(host.hartStatus(target)));
}

const SUSPEND_RETENTIVE = 0n;
const SUSPEND_NON_RETENTIVE = 0x8000_0000n;

function hartSuspend(host: SbiHost, _hart: number, { a0, a1, a2 }: SbiCall): SbiOutcome {
  const type = BigInt.asUintN(32, a0); // the calling convention sign-extends 32-bit parameters
  if (type === SUSPEND_RETENTIVE) return { kind: 'suspend', resume: undefined };
  if (type !== SUSPEND_NON_RETENTIVE) return failure(sbiError.invalidParam);
  const address = entryOf(host, a1);
  if (address === undefined) return failure(sbiError.invalidAddress);
  return { kind: 'suspend', resume: { address, opaque: a2 } };
}

const resetKinds: readonly ResetKind[] = ['shutdown', 'cold-reboot', 'warm-reboot'];
const SYSTEM_FAILURE = 1n;

function systemReset(_host: SbiHost, _hart: number, { a0, a1 }: SbiCall): SbiOutcome {
  const reset = resetKinds[Number(BigInt.asUintN(32, a0))];
  const reason = BigInt.asUintN(32, a1);
  if (reset === undefined || reason > SYSTEM_FAILURE) return failure(sbiError.invalidParam);
  return { kind: 'reset', reset, failure: reason === SYSTEM_FAILURE };
}

/** The first `CONSOLE_BYTES_MAX` bytes a console call names; undefined unless all are RAM. */
function consoleBytes(host: SbiHost, { a0, a1, a2 }: SbiCall): Uint8Array | undefined {
  // a2 is the upper half of a 128-bit address: there is no RAM up there.
  if (a2 !== 0n || a0 > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return ramBytes(host, a1, Number(a0))?.subarray(0, CONSOLE_BYTES_MAX);
}

function consoleWrite(host: SbiHost, _hart: number, call: SbiCall): SbiOutcome {
  if (call.a0 === 0n) return success();
  const bytes = consoleBytes(host, call);
  if (bytes === undefined) return failure(sbiError.invalidParam);
  // A copy: the console may hold on to it, while the guest goes on writing to its memory.
  const written = host.consoleWrite(bytes.slice());
  return written === undefined ? failure(sbiError.failed) : success(BigInt(written));
}

function consoleRead(host: SbiHost, _hart: number, call: SbiCall): SbiOutcome {
  if (call.a0 === 0n) return success();
  const bytes = consoleBytes(host, call);
  if (bytes === undefined) return failure(sbiError.invalidParam);
  const count = host.consoleRead(bytes);
  if (count === undefined) return failure(sbiError.failed);
  if (count > 0) host.memory.wrote(Number(call.a1), count);
  return success(BigInt(count));
}

function consoleWriteByte(host: SbiHost, _hart: number, { a0 }: SbiCall): SbiOutcome {
  const written = host.consoleWrite(Uint8Array.of(Number(a0 & 0xffn)));
  return written === 1 ? success() : failure(sbiError.failed);
}
