// The arm64 core as a VM sees it: how it starts, its IRQ input, the generic timers, and PSCI.
// Linux Documentation/arch/arm64/booting.rst; DDI 0487, D12 (the generic timer).

import { describePsciCall, type PsciCall, psciCall, type PsciHost } from '../boot/psci.ts';
import { arm64, enterKernel } from '../isa/arm64/isa.ts';
import { core, X } from '../isa/arm64/state.ts';
import type { VcpuRecord } from '../isa/shared/record.ts';
import type { FirmwareHost, FirmwareOutcome, Processor } from './processor.ts';

/** The private interrupts of the timers. */
export const timerInterrupts = { virtual: 27, physical: 30 } as const;

const timers = [
  { number: timerInterrupts.virtual, ctl: core.cntvCtl, cval: core.cntvCval },
  { number: timerInterrupts.physical, ctl: core.cntpCtl, cval: core.cntpCval },
] as const;

/** CNTx_CTL: enabled, and interrupt not masked. */
const CTL = { enable: 1n, mask: 2n } as const;
const NEVER = (1n << 64n) - 1n;

export const arm64Processor: Processor = {
  isa: arm64,
  start(vcpu, number, start) {
    arm64.reset(vcpu, number);
    const x0 = 'deviceTree' in start ? BigInt(start.deviceTree) : 0n;
    enterKernel(vcpu, { pc: BigInt(start.entry), x0 });
  },
  setInput: (vcpu, _input, level) => vcpu.set(core.irqLine, level ? 1n : 0n),
  updateTimer(vcpu, now, ownInput) {
    let next: bigint | undefined;
    for (const { number, ctl, cval } of timers) {
      const control = vcpu.get(ctl);
      const due = vcpu.get(cval);
      const isOn = (control & CTL.enable) !== 0n;
      const met = isOn && now >= due;
      ownInput?.(number)?.set(met && (control & CTL.mask) === 0n);
      const waits = isOn && !met && due !== NEVER && (control & CTL.mask) === 0n;
      if (waits && (next === undefined || due < next)) next = due;
    }
    return next;
  },
  wakes: (vcpu) => vcpu.get(core.irqLine) !== 0n,
  firmware(host, number) {
    const vcpu = host.vcpus[number]!;
    return finish(vcpu, psciCall(psciHost(host), callOf(vcpu)));
  },
  describeFirmwareCall: (vcpu) => describePsciCall(callOf(vcpu)),
  describeFirmwareResult: (vcpu) => `0x${vcpu.getRegister(X, 0).toString(16)}`,
};

function callOf(vcpu: VcpuRecord): PsciCall {
  const x = (index: number): bigint => vcpu.getRegister(X, index);
  return { x0: x(0), x1: x(1), x2: x(2), x3: x(3) };
}

function finish(vcpu: VcpuRecord, outcome: ReturnType<typeof psciCall>): FirmwareOutcome {
  switch (outcome.kind) {
    case 'return':
      vcpu.setRegister(X, 0, outcome.value);
      return { kind: 'continue' };
    case 'off':
      return { kind: 'stop' };
    case 'suspend':
      vcpu.setRegister(X, 0, 0n);
      return { kind: 'wait' };
    case 'poweroff':
      return { kind: 'end', ending: { kind: 'poweroff', code: 0 } };
    case 'reset':
      return { kind: 'end', ending: { kind: 'reboot' } };
  }
}

const psciHost = ({ vcpus }: FirmwareHost): PsciHost => ({
  coreCount: vcpus.length,
  isOn: () => true,
  start: () => undefined,
});
