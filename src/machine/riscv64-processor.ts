// The riscv64 hart as a VM sees it: start states, interrupt bits in mip, the Sstc timer, and the SBI.
// Privileged Architecture, "Machine Interrupt Registers" and "Sstc"; SBI v2.0; Linux Documentation/arch/riscv/boot.rst.

import {
  describeSbiCall,
  describeSbiResult,
  hartState,
  type SbiCall,
  sbiCall,
  type SbiHost,
  type SbiOutcome,
} from '../boot/sbi.ts';
import { enterMachine, enterSupervisor, riscv64 } from '../isa/riscv64/isa.ts';
import { hart, X } from '../isa/riscv64/state.ts';
import type { VcpuRecord } from '../isa/shared/record.ts';
import { vcpu as common } from '../isa/shared/vcpu.ts';
import type { FirmwareHost, FirmwareOutcome, Processor } from './processor.ts';

const SSIP = 1n << 1n;
const STIP = 1n << 5n;
/** menvcfg.STCE. */
const STCE = 1n << 63n;
const NEVER = (1n << 64n) - 1n;
const [a0, a1] = [10, 11];

export const riscv64Processor: Processor = {
  isa: riscv64,
  start(vcpu, number, start) {
    riscv64.reset(vcpu, number);
    if (start.protocol === 'bare-elf') enterMachine(vcpu, { pc: BigInt(start.entry) });
    else {
      enterSupervisor(vcpu, {
        pc: BigInt(start.entry),
        a0: BigInt(number),
        a1: BigInt(start.deviceTree),
      });
    }
  },
  setInput: (vcpu, input, level) => vcpu.setBits(hart.mip, 1n << BigInt(input), level),
  updateTimer(vcpu, now) {
    // Without Sstc, STIP is machine mode's to set.
    if ((vcpu.get(hart.menvcfg) & STCE) === 0n) return undefined;
    const due = vcpu.get(hart.stimecmp);
    if (due === NEVER && (vcpu.get(hart.mip) & STIP) === 0n) return undefined;
    vcpu.setBits(hart.mip, STIP, now >= due);
    return now >= due || due === NEVER ? undefined : due;
  },
  wakes: (vcpu) => (vcpu.get(hart.mip) & vcpu.get(hart.mie)) !== 0n,
  firmware(host, number) {
    const vcpu = host.vcpus[number]!;
    return finish(vcpu, number, sbiCall(sbiHost(host), number, callOf(vcpu)));
  },
  describeFirmwareCall: (vcpu) => describeSbiCall(callOf(vcpu)),
  describeFirmwareResult(vcpu) {
    const [error, value] = [vcpu.getRegister(X, a0), vcpu.getRegister(X, a1)];
    return describeSbiResult(error, value);
  },
};

function callOf(vcpu: VcpuRecord): SbiCall {
  const x = (index: number): bigint => vcpu.getRegister(X, index);
  return { a0: x(10), a1: x(11), a2: x(12), a3: x(13), a4: x(14), a6: x(16), a7: x(17) };
}

/** Applies what the SBI answered to the calling hart. */
function finish(vcpu: VcpuRecord, number: number, outcome: SbiOutcome): FirmwareOutcome {
  switch (outcome.kind) {
    case 'return':
      vcpu.setRegister(X, a0, outcome.error);
      vcpu.setRegister(X, a1, outcome.value);
      return { kind: 'continue' };
    case 'stop':
      return { kind: 'stop' };
    case 'suspend':
      if (outcome.resume === undefined) {
        vcpu.setRegister(X, a0, 0n);
        vcpu.setRegister(X, a1, 0n);
      } else {
        const { address, opaque } = outcome.resume;
        enterSupervisor(vcpu, { pc: BigInt(address), a0: BigInt(number), a1: opaque });
      }
      return { kind: 'wait' };
    case 'reset': {
      const off = outcome.reset === 'shutdown';
      const code = outcome.failure ? 1 : 0;
      return { kind: 'end', ending: off ? { kind: 'poweroff', code } : { kind: 'reboot' } };
    }
  }
}

function sbiHost(host: FirmwareHost): SbiHost {
  const { vcpus } = host;
  return {
    hartCount: vcpus.length,
    memory: host.memory,
    machineIds: { vendor: 0n, arch: 0n, impl: 0n },
    setTimer(number, time) {
      vcpus[number]!.set(hart.stimecmp, time);
      vcpus[number]!.setBits(hart.mip, STIP, false);
    },
    sendIpi(number) {
      vcpus[number]!.setBits(hart.mip, SSIP, true);
      vcpus[number]!.set(common.attention, 1n);
    },
    // Stores to code are noticed as they happen, so that instruction fetch needs no fence.
    remoteFenceI: () => undefined,
    remoteSfenceVma: (harts) => {
      for (const number of harts) host.flushTlb(number);
    },
    hartStatus: () => hartState.started,
    hartStart: () => undefined,
    consoleWrite(bytes) {
      host.consoleWrite(bytes);
      return bytes.length;
    },
    consoleRead: () => 0,
  };
}
