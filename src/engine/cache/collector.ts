// Keeps the code cache within its limit: chooses pages of code that are no longer used, a few at a time.
//
// Two generations, each with a hand that goes round. Pages are young when they get code, and old when they have
// survived or have regions, which were dear. What has not been used since the last look goes: a young page is evicted,
// an old one becomes young again. Old pages are looked at less often.
// Work is done in steps between slices of vCPUs, from a high-water mark down to a low one. A step ends after a time;
// only where the limit itself is reached it goes on, and then it evicts what it meets.
// Invariant: after `step`, use is within the limit.

import { Histogram } from '../../std/histogram.ts';
import type { CodePage } from './code-pages.ts';

/** Shares of the limit at which collection begins and ends. */
const HIGH = 0.85;
const LOW = 0.75;
/** How long a step may take, and how long vCPUs run at least between two, in nanoseconds. */
const STEP_NS = 200_000n;
const PAUSE_NS = 1_000_000n;
/** Pages in a step, at most. */
const LOOKS = 64;
/** Looks between two at the clock. */
const LOOKS_UNTIMED = 1;
/** Of so many looks one is at an old page. */
const OLD_SHARE = 4;
/** Looks after which a step that must free evicts what it meets. */
const PATIENCE = 32;
/** A young page that survives so many looks is old. */
const SURVIVALS = 2;

/** The cache, as its collector needs it. */
export interface Collected {
  /** The share of the limit in use: of all memory, or of the arena, whichever is greater. */
  readonly use: () => number;
  /** Whether vCPUs cannot go on before something has been freed. */
  readonly isFull: () => boolean;
  /** Pages that vCPUs are about to execute. */
  readonly running: () => ReadonlySet<CodePage>;
  /** Whether a page has been used since this was last asked. */
  readonly takeUses: (page: CodePage) => boolean;
  readonly evict: (page: CodePage) => void;
  /** The host's monotonic time in nanoseconds. */
  readonly now: () => bigint;
}

interface Step {
  readonly running: ReadonlySet<CodePage>;
  readonly ends: bigint;
  /** Pages of each generation that this step has not looked at. */
  youngLeft: number;
  oldLeft: number;
  looks: number;
}

export class Collector {
  readonly #cache: Collected;
  readonly #young = new Set<CodePage>();
  readonly #old = new Set<CodePage>();
  #youngHand = this.#young.values();
  #oldHand = this.#old.values();
  #isCollecting = false;
  #lastStep = 0n;
  /** Durations of steps in microseconds. */
  readonly pauses = new Histogram();
  collections = 0;

  constructor(cache: Collected) {
    this.#cache = cache;
  }

  add(page: CodePage): void {
    this.#young.add(page);
  }

  remove(page: CodePage): void {
    (page.isOld ? this.#old : this.#young).delete(page);
  }

  /** Makes a page old. */
  promote(page: CodePage): void {
    if (page.isOld) return;
    this.#young.delete(page);
    this.#old.add(page);
    page.isOld = true;
    page.survived = 0;
  }

  /** Evicts some pages if it is time. Only while no code of the VM is executing. */
  step(): void {
    const { use, isFull, now } = this.#cache;
    const mark = this.#isCollecting ? LOW : HIGH;
    if (use() <= mark) {
      this.#isCollecting = false;
      return;
    }
    const begun = now();
    if (begun !== 0n && begun - this.#lastStep < PAUSE_NS && !isFull()) return;
    if (!this.#isCollecting) this.collections++;
    this.#isCollecting = true;
    this.#collect(begun);
    this.#lastStep = now();
    this.pauses.record(Number(this.#lastStep - begun) / 1000);
  }

  #collect(begun: bigint): void {
    const { use, isFull, running } = this.#cache;
    const ends = begun + STEP_NS;
    const step: Step = { running: running(), ends, youngLeft: 0, oldLeft: 0, looks: 0 };
    this.#refill(step);
    while (use() > LOW && (!this.#isOver(step) || isFull())) {
      const page = this.#next(step);
      if (page === undefined) return;
      this.#look(page, step);
      step.looks++;
    }
  }

  #isOver({ looks, ends, youngLeft, oldLeft }: Step): boolean {
    if (looks >= LOOKS || youngLeft + oldLeft === 0) return true;
    return looks % LOOKS_UNTIMED === 0 && looks > 0 && this.#cache.now() > ends;
  }

  #refill(step: Step): void {
    step.youngLeft = this.#young.size;
    step.oldLeft = this.#old.size;
  }

  /** The next page to look at; undefined if there is none. */
  #next(step: Step): CodePage | undefined {
    if (step.youngLeft + step.oldLeft <= 0) this.#refill(step);
    const isOldsTurn = step.looks % OLD_SHARE === OLD_SHARE - 1;
    if (step.oldLeft > 0 && (isOldsTurn || step.youngLeft <= 0)) {
      step.oldLeft--;
      return this.#nextOld();
    }
    step.youngLeft--;
    return this.#nextYoung() ?? this.#nextOld();
  }

  #nextYoung(): CodePage | undefined {
    const { value } = this.#youngHand.next();
    if (value !== undefined) return value;
    this.#youngHand = this.#young.values();
    return this.#youngHand.next().value;
  }

  #nextOld(): CodePage | undefined {
    const { value } = this.#oldHand.next();
    if (value !== undefined) return value;
    this.#oldHand = this.#old.values();
    return this.#oldHand.next().value;
  }

  #look(page: CodePage, { running, looks }: Step): void {
    const { takeUses, isFull, evict } = this.#cache;
    if (looks >= PATIENCE && isFull()) return evict(page);
    if (takeUses(page) || running.has(page)) {
      page.survived++;
      if (page.survived >= SURVIVALS || page.regions > 0) this.promote(page);
      return undefined;
    }
    if (!page.isOld) return evict(page);
    this.remove(page);
    page.isOld = false;
    this.add(page);
    return undefined;
  }
}
