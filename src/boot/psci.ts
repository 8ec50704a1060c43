// What answers a guest kernel's HVC: PSCI 1.1 (DEN0022) and SMCCC 1.1 (DEN0028). The VM itself is the firmware.
//
// Pure logic: what a call does to cores goes through `PsciHost`. Invariants: a call never throws whatever the guest
// passes; only x0 of the caller changes; effects on the calling core itself are returned as an outcome.

/** What the environment does for the guest. Cores are numbered from 0. */
export interface PsciHost {
  readonly coreCount: number;
  /** Whether a core runs or is about to. */
  isOn(core: number): boolean;
  /** Starts a core that is off: pc = entry, x0 = context. */
  start(core: number, entry: bigint, context: bigint): void;
}

/** The argument registers of the calling core, unsigned. */
export interface PsciCall {
  readonly x0: bigint;
  readonly x1: bigint;
  readonly x2: bigint;
  readonly x3: bigint;
}

/** What happens to the calling core. Closed union. */
export type PsciOutcome =
  /** Continue behind the call with x0. */
  | { readonly kind: 'return'; readonly value: bigint }
  /** The core is off until another one starts it. */
  | { readonly kind: 'off' }
  /** The core sleeps until an interrupt, then continues with x0 = 0. */
  | { readonly kind: 'suspend' }
  | { readonly kind: 'poweroff' }
  | { readonly kind: 'reset' };

const status = {
  success: 0n,
  notSupported: -1n,
  invalidParameters: -2n,
  alreadyOn: -4n,
} as const;

/** Function identifiers of 32-bit calls; those that take addresses exist as 64-bit calls too, with bit 30 set. */
const functions = {
  smcccVersion: 0x8000_0000n,
  archFeatures: 0x8000_0001n,
  version: 0x8400_0000n,
  cpuSuspend: 0x8400_0001n,
  cpuOff: 0x8400_0002n,
  cpuOn: 0x8400_0003n,
  affinityInfo: 0x8400_0004n,
  migrateInfoType: 0x8400_0006n,
  systemOff: 0x8400_0008n,
  systemReset: 0x8400_0009n,
  features: 0x8400_000an,
  systemReset2: 0x8400_0012n,
} as const;
type FunctionName = keyof typeof functions;

const CALL_64 = 1n << 30n;
const with64 = new Set<FunctionName>(['cpuSuspend', 'cpuOn', 'affinityInfo', 'systemReset2']);
const VERSION_1_1 = 0x1_0001n;
/** There is no trusted operating system to migrate. */
const NO_TRUSTED_OS = 2n;

const names = new Map<bigint, FunctionName>(
  (Object.keys(functions) as FunctionName[]).flatMap((name) => {
    const both = [functions[name], functions[name] | CALL_64];
    return (with64.has(name) ? both : both.slice(0, 1)).map((id) => [id, name] as const);
  }),
);

const give = (value: bigint): PsciOutcome => ({ kind: 'return', value: BigInt.asUintN(64, value) });

/** The core that an affinity (aff0 in bits 7 to 0) names, if there is one. */
function coreOf(host: PsciHost, affinity: bigint): number | undefined {
  return affinity < BigInt(host.coreCount) ? Number(affinity) : undefined;
}

/** Serves a call. */
export function psciCall(host: PsciHost, call: PsciCall): PsciOutcome {
  const name = names.get(BigInt.asUintN(32, call.x0));
  switch (name) {
    case 'smcccVersion':
    case 'version':
      return give(VERSION_1_1);
    case 'features':
      return give(names.has(BigInt.asUintN(32, call.x1)) ? status.success : status.notSupported);
    case 'migrateInfoType':
      return give(NO_TRUSTED_OS);
    case 'cpuOn':
      return turnOn(host, call);
    case 'affinityInfo': {
      const core = coreOf(host, call.x1);
      // 0: on; 1: off.
      return give(core === undefined ? status.invalidParameters : host.isOn(core) ? 0n : 1n);
    }
    case 'cpuOff':
      return { kind: 'off' };
    case 'cpuSuspend':
      return { kind: 'suspend' };
    case 'systemOff':
      return { kind: 'poweroff' };
    case 'systemReset':
    case 'systemReset2':
      return { kind: 'reset' };
    case 'archFeatures':
    case undefined:
      return give(status.notSupported);
  }
}

function turnOn(host: PsciHost, { x1, x2, x3 }: PsciCall): PsciOutcome {
  const core = coreOf(host, x1);
  if (core === undefined) return give(status.invalidParameters);
  if (host.isOn(core)) return give(status.alreadyOn);
  host.start(core, x2, x3);
  return give(status.success);
}

/** For traces: the call by name with its arguments. */
export function describePsciCall({ x0, x1, x2, x3 }: PsciCall): string {
  const name = names.get(BigInt.asUintN(32, x0)) ?? `function 0x${x0.toString(16)}`;
  return `${name}(${[x1, x2, x3].map((x) => `0x${x.toString(16)}`).join(', ')})`;
}
