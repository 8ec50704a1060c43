// What a VM tells of its inner life: calls to firmware and accesses to device registers, one line of text each, and how
// many accesses there were; translations, with all that became of the code.
//
// Wrappers around what is traced, made only when somebody listens, so that a VM without trace pays nothing.

import type { DeviceInstance } from '../device/device.ts';
import type { RegionExplanation } from '../engine/jit/explain.ts';
import type { Processor } from '../machine/processor.ts';
import type { BusRange } from '../memory/bus.ts';
import { hex } from '../std/range.ts';
import { explanationText } from './translation-text.ts';

/** Kinds of events, each with what a user sees of it. */
export const traceKinds = {
  firmware: 'calls that the guest makes to firmware, with their results',
  devices: 'reads and writes of device registers, by name',
  translate: 'guest code that is translated: its assembly, IR and WebAssembly',
} as const;
export type TraceKind = keyof typeof traceKinds;

/** Something that happened: one line for people, or several, of which all but the first are indented. */
export interface TraceEvent {
  readonly kind: TraceKind;
  readonly text: string;
}

/** Which kinds to tell, and whom. */
export interface Trace {
  readonly kinds: ReadonlySet<TraceKind>;
  readonly tell: (event: TraceEvent) => void;
}

/** A processor that tells its firmware calls. */
export function traceFirmware(processor: Processor, trace: Trace | undefined): Processor {
  if (trace?.kinds.has('firmware') !== true) return processor;
  return {
    ...processor,
    firmware(host, vcpu) {
      const call = processor.describeFirmwareCall(host.vcpus[vcpu]!);
      const outcome = processor.firmware(host, vcpu);
      const result =
        outcome.kind === 'continue'
          ? processor.describeFirmwareResult(host.vcpus[vcpu]!)
          : outcome.kind;
      trace.tell({ kind: 'firmware', text: `vcpu ${vcpu}: ${call} = ${result}` });
      return outcome;
    },
  };
}

/** Hears how regions are made, if somebody asks. `physical`: the guest-physical address of a host offset. */
export function traceTranslations(
  trace: Trace | undefined,
  physical: (host: number) => number,
): ((explanation: RegionExplanation) => void) | undefined {
  if (trace?.kinds.has('translate') !== true) return undefined;
  return (explanation) => {
    const text = explanationText(explanation, physical(explanation.host));
    trace.tell({ kind: 'translate', text });
  };
}

interface TracedRange extends BusRange {
  readonly target: BusRange['target'] & Pick<DeviceInstance, 'registers'>;
}

/** Ranges whose targets tell how their registers are read and written. */
export function traceDevices(
  ranges: readonly TracedRange[],
  trace: Trace | undefined,
): readonly BusRange[] {
  if (trace?.kinds.has('devices') !== true) return ranges;
  return ranges.map((range) => {
    const { target, name } = range;
    // The name is asked for before the access, which may change the bank that is shown.
    const register = (offset: number, direction: 'read' | 'write'): string =>
      `${name}.${target.registers.nameAt(offset, direction) ?? hex(offset)}`;
    const tell = (text: string): void => trace.tell({ kind: 'devices', text });
    return {
      ...range,
      target: {
        read(offset, size) {
          const what = register(offset, 'read');
          const value = target.read(offset, size);
          tell(`${what} -> ${hex(value)} (${size})`);
          return value;
        },
        write(offset, size, value) {
          tell(`${register(offset, 'write')} <- ${hex(value)} (${size})`);
          target.write(offset, size, value);
        },
      },
    };
  });
}

/** Counts accesses in `counts` under the names `device.NAME.reads` and `device.NAME.writes`. */
export function countDevices(
  ranges: readonly BusRange[],
  counts: Record<string, number>,
): readonly BusRange[] {
  return ranges.map((range) => {
    const { target, name } = range;
    const [reads, writes] = [`device.${name}.reads`, `device.${name}.writes`] as const;
    counts[reads] = 0;
    counts[writes] = 0;
    return {
      ...range,
      target: {
        read(offset, size) {
          counts[reads]!++;
          return target.read(offset, size);
        },
        write(offset, size, value) {
          counts[writes]!++;
          target.write(offset, size, value);
        },
      },
    };
  });
}
