// Runs a vCPU in slices until the machine ends: timer and interrupts between slices, sleep while the guest waits.
//
// The loop never blocks the host's event loop for longer than about TURN_NS, and never spins while the guest waits: it
// sleeps until the guest's timer or until `wake`. A slice is shortened when the timer is due before its end.
// Invariant: every change that can make a waiting guest go on (an interrupt input, a stop) calls `wake`.

import type { Clock, InterruptLine } from '../device/device.ts';
import type { Executor } from '../engine/executor.ts';
import type { VcpuRecord } from '../isa/shared/record.ts';
import { type Exit, vcpu as cells } from '../isa/shared/vcpu.ts';
import type { Ending, FirmwareHost, Processor } from '../machine/processor.ts';
import { VmFailedError } from './errors.ts';

/** How long slices run before the host's event loop gets a turn. */
const TURN_NS = 4_000_000n;
/** Instructions in a slice: about a millisecond. */
const SLICE = 400_000;
const SHORTEST_SLICE = 10_000;
/** A wait shorter than this is passed by giving turns to the event loop: its timers are no finer. */
const FINE_WAIT_NS = 1_500_000n;
/** How often the loop looks whether output may go on. */
const CONGESTION_NS = 10_000_000n;
/** The event loop must have something to wait for while the guest sleeps, or the host would think that all is done. */
const LONGEST_SLEEP_NS = 3_600_000_000_000n;
/** Instructions in a microsecond, for shortening slices; a guess is enough. */
const INSTRUCTIONS_PER_MICROSECOND = 300n;

export interface RunLoopOptions {
  readonly processor: Processor;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly timebaseHz: number;
  readonly firmware: FirmwareHost;
  readonly vcpus: readonly VcpuRecord[];
  /** Host offsets of the vCPUs' records. */
  readonly bases: readonly number[];
  /** An input of the interrupt controller that belongs to a vCPU, where there are such. */
  readonly ownInput?: (vcpu: number, number: number) => InterruptLine | undefined;
  /** Gives the host's event loop a turn. */
  readonly turn: () => Promise<void>;
  /** Called after each slice; an ending ends the run. */
  readonly poll: () => Ending | undefined;
  /** Whether the guest must wait until its output has been read. */
  readonly congested: () => boolean;
}

/** The guest's time in ticks, from the clock. */
export const ticksOf = (clock: Clock, timebaseHz: number): bigint =>
  (clock.monotonic() * BigInt(timebaseHz)) / 1_000_000_000n;

/** Drives the vCPU of a VM. */
export class RunLoop {
  readonly #options: RunLoopOptions;
  #ending: Ending | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  /** For statistics: slices run, nanoseconds asleep, times asleep, and why slices ended. */
  readonly counts = { slices: 0, sleeps: 0, sleptNs: 0n, ends: new Map<Exit, number>() };

  constructor(options: RunLoopOptions) {
    this.#options = options;
  }

  /** Interrupts a sleep and makes the running slice look at its interrupts. */
  wake(): void {
    for (const vcpu of this.#options.vcpus) vcpu.set(cells.attention, 1n);
    this.#wake?.();
  }

  /** Ends the run as soon as the current slice is over. */
  end(ending: Ending | undefined): void {
    this.#ending ??= ending;
    this.#stopped = true;
    this.wake();
  }

  /** Runs until the machine ends. Resolves with undefined if it was stopped from outside. */
  async run(): Promise<Ending | undefined> {
    const { clock, turn } = this.#options;
    let turnEnds = clock.monotonic() + TURN_NS;
    while (!this.#stopped) {
      const waits = this.#slice();
      const ending = this.#options.poll();
      if (ending !== undefined) this.end(ending);
      if (this.#stopped) break;
      if (waits) await this.#sleep();
      else if (clock.monotonic() < turnEnds && !this.#options.congested()) continue;
      else await turn();
      while (this.#options.congested() && !this.#stopped) {
        await this.#wakeOrTimer(clock.monotonic() + CONGESTION_NS);
      }
      turnEnds = clock.monotonic() + TURN_NS;
    }
    return this.#ending;
  }

  /** Runs one slice; true if the guest waits for an interrupt. */
  #slice(): boolean {
    const { executor, bases, processor, firmware } = this.#options;
    const { counts } = this;
    counts.slices++;
    const exit = executor.run(bases[0]!, this.#budget(this.#updateTimer()));
    counts.ends.set(exit, (counts.ends.get(exit) ?? 0) + 1);
    switch (exit) {
      case 'budget':
      case 'attention':
        return false;
      case 'wait':
        return true;
      case 'firmware': {
        const outcome = processor.firmware(firmware, 0);
        if (outcome.kind === 'end') this.end(outcome.ending);
        return outcome.kind === 'wait' || outcome.kind === 'stop';
      }
      case 'halt':
      case 'debug':
        throw new VmFailedError(`the processor stopped (${exit}); the guest cannot go on`);
    }
  }

  /** The time in nanoseconds at which the guest's timer can fire next, if it is armed. */
  #updateTimer(): bigint | undefined {
    const { processor, vcpus, clock, timebaseHz, ownInput } = this.#options;
    const now = ticksOf(clock, timebaseHz);
    const due = processor.updateTimer(vcpus[0]!, now, (number) => ownInput?.(0, number));
    if (due === undefined) return undefined;
    const hz = BigInt(timebaseHz);
    return (due * 1_000_000_000n + hz - 1n) / hz;
  }

  #budget(timerNs: bigint | undefined): number {
    if (timerNs === undefined) return SLICE;
    const left =
      ((timerNs - this.#options.clock.monotonic()) * INSTRUCTIONS_PER_MICROSECOND) / 1000n;
    if (left > BigInt(SLICE)) return SLICE;
    return left < BigInt(SHORTEST_SLICE) ? SHORTEST_SLICE : Number(left);
  }

  /** Sleeps until an interrupt is there, the timer fires or somebody wakes the loop. */
  async #sleep(): Promise<void> {
    const { processor, vcpus, clock, turn } = this.#options;
    const begun = clock.monotonic();
    this.counts.sleeps++;
    for (;;) {
      const timerNs = this.#updateTimer();
      if (this.#stopped || processor.wakes(vcpus[0]!)) break;
      const left = timerNs === undefined ? undefined : timerNs - clock.monotonic();
      if (left !== undefined && left < FINE_WAIT_NS) await turn();
      else {
        const latest = clock.monotonic() + LONGEST_SLEEP_NS;
        await this.#wakeOrTimer(timerNs === undefined ? latest : timerNs - FINE_WAIT_NS / 2n);
      }
    }
    this.counts.sleptNs += clock.monotonic() - begun;
  }

  #wakeOrTimer(atNs: bigint): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.schedule(atNs, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }
}
