// The regions of a VM: which blocks are hot, which are being translated, which have been, their places in the table.
//
// A region takes the place of the handler of its entry's record: links and the jump cache lead to it as before, even
// from a loop that is already running. Requests wait for each other so that several share a module; with a translator
// on another thread one batch is under way while the next gathers, and the vCPU goes on interpreting.
// Invariants: a region covers one page and is dropped with its entry's block, which every change of the page forgets; a
// slot of the table is used again only when no code under way can still be put there.

import { vcpu } from '../../isa/shared/vcpu.ts';
import type { ExecutorOptions } from '../executor.ts';
import { helperImports } from '../helpers.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import {
  createTranslator,
  type RegionMade,
  type RegionRequest,
  type RemoteTranslator,
  type Translate,
  type Translation,
} from './translator.ts';

/** Slots by which the table grows. */
const SLOTS = 256;

interface Installed {
  readonly slot: number;
  /** The handler that the region replaces. */
  readonly handler: number;
}

interface Pending {
  readonly ip: number;
  readonly request: RegionRequest;
  /** The block was forgotten meanwhile. */
  isDropped: boolean;
}

export class Regions {
  readonly #interpreter: Interpreter;
  readonly #translate: Translate;
  readonly #installed = new Map<number, Installed>();
  readonly #pending = new Map<number, Pending>();
  readonly #refused = new Set<number>();
  readonly #samples = new Map<number, number>();
  readonly #freeSlots: number[] = [];
  readonly #table: WebAssembly.Table;
  readonly #imports: WebAssembly.Imports;
  readonly #view: DataView;
  #remote: RemoteTranslator | undefined;
  #queue: Pending[] = [];
  #underWay: readonly Pending[] = [];
  readonly counts = {
    regions: 0,
    regionsDropped: 0,
    regionInstructions: 0,
    regionBlocks: 0,
    regionBytes: 0,
    regionModules: 0,
    encodeUs: 0,
    compileUs: 0,
  };

  constructor(options: ExecutorOptions, interpreter: Interpreter) {
    const { isa, memory, time, now, statistics } = options;
    this.#interpreter = interpreter;
    this.#table = interpreter.wasm.table;
    this.#view = new DataView(memory.buffer);
    this.#translate = createTranslator(isa, memory, { now, statistics });
    this.#remote = options.translator;
    this.#imports = {
      env: { memory },
      engine: interpreter.wasm as unknown as WebAssembly.Imports[string],
      helpers: helperImports(interpreter.handlers.helpers, memory, time),
    };
    interpreter.blocks.onForget = (ip) => this.#drop(ip);
  }

  /** Charges the block at vcpu.pc, and asks for its region at its `hot`th sample; true if it has one. */
  sample(cpu: number, hot: number): boolean {
    const { blocks } = this.#interpreter;
    const ip = blocks.find(cpu);
    if (ip === 0) return false;
    if (this.#installed.has(ip)) return true;
    const page = blocks.pageOf(ip);
    if (page === 0) return false;
    if (this.#refused.has(ip) || this.#pending.has(ip)) return false;
    const samples = (this.#samples.get(ip) ?? 0) + 1;
    if (samples === 1) blocks.watch(ip);
    this.#samples.set(ip, samples);
    if (samples < hot) return false;
    this.#samples.delete(ip);
    this.#ask(ip, page + (this.#view.getUint32(cpu + vcpu.pc.offset, true) % 4096), hot > 1);
    return false;
  }

  /** Regions that wait for a translator. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Brings what waits to a translator, and what is made into the table. */
  settle(): void {
    if (this.#remote !== undefined) return this.#settleRemote(this.#remote);
    if (this.#queue.length === 0) return;
    const batch = this.#queue;
    this.#queue = [];
    this.#install(batch, this.#translate(batch.map(({ request }) => request)));
  }

  #settleRemote(remote: RemoteTranslator): void {
    if (this.#underWay.length > 0) {
      const made = remote.poll();
      if (made === undefined) return;
      const batch = this.#underWay;
      this.#underWay = [];
      if (made === 'failed') {
        this.#remote = undefined;
        this.#queue = [...batch, ...this.#queue].filter(({ isDropped }) => !isDropped);
        return;
      }
      this.#install(batch, made);
    }
    if (this.#queue.length === 0) return;
    this.#underWay = this.#queue;
    this.#queue = [];
    remote.post(this.#underWay.map(({ request }) => request));
  }

  #ask(ip: number, host: number, isProfiled: boolean): void {
    const arrivals = isProfiled ? this.#interpreter.blocks.arrivals(ip) : undefined;
    const request = { host, arrivals, slot: this.#takeSlot() };
    const pending = { ip, request, isDropped: false };
    this.#pending.set(ip, pending);
    this.#queue.push(pending);
  }

  #takeSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    const first = this.#table.grow(SLOTS);
    for (let slot = first + SLOTS - 1; slot > first; slot--) this.#freeSlots.push(slot);
    return first;
  }

  #install(batch: readonly Pending[], { module, regions, encodeUs, compileUs }: Translation): void {
    this.counts.encodeUs += encodeUs;
    this.counts.compileUs += compileUs;
    if (module !== undefined) {
      this.counts.regionModules++;
      void new WebAssembly.Instance(module, this.#imports);
    }
    for (const [index, pending] of batch.entries()) this.#settleOne(pending, regions[index]!);
  }

  #settleOne({ ip, isDropped }: Pending, made: RegionMade): void {
    if (!isDropped) this.#pending.delete(ip);
    if (made.instructions === 0 || isDropped) {
      this.#giveSlot(made.slot);
      if (!isDropped) this.#refused.add(ip);
      return;
    }
    const { blocks } = this.#interpreter;
    this.#installed.set(ip, { slot: made.slot, handler: blocks.handlerOf(ip) });
    blocks.setHandler(ip, made.slot);
    this.counts.regions++;
    this.counts.regionInstructions += made.instructions;
    this.counts.regionBlocks += made.blocks;
    this.counts.regionBytes += made.bytes;
  }

  #giveSlot(slot: number): void {
    this.#table.set(slot, null);
    this.#freeSlots.push(slot);
  }

  #drop(ip: number): void {
    this.#refused.delete(ip);
    this.#samples.delete(ip);
    const pending = this.#pending.get(ip);
    if (pending !== undefined) {
      pending.isDropped = true;
      this.#pending.delete(ip);
    }
    const installed = this.#installed.get(ip);
    if (installed === undefined) return;
    this.#installed.delete(ip);
    this.#interpreter.blocks.setHandler(ip, installed.handler);
    this.#giveSlot(installed.slot);
    this.counts.regionsDropped++;
  }
}
