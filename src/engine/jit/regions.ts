// The regions of a VM: which blocks are hot, which are being translated, which have been, their places in the table.
//
// A region takes the place of the handler of its entry's record: links and the jump cache lead to it as before, even
// from a loop that is already running. Requests wait for each other so that several share a module; with a translator
// on another thread one batch is under way while the next gathers, and the vCPU goes on interpreting.
// The code cache is charged with a module from its making until its last region is dropped, since V8 frees it as a
// whole; when most of a module is dropped, so is the rest, so that the little in use does not hold much that is not.
// Invariants: a region covers one page and is dropped with its entry's block, which every change of the page forgets; a
// slot of the table is used again only when no code under way can still be put there.

import { vcpu } from '../../isa/shared/vcpu.ts';
import type { ExecutorOptions } from '../executor.ts';
import { helperImports } from '../helpers.ts';
import type { Interpreter } from '../interpreter/interpreter.ts';
import type { Neighbour, RegionRequest } from './plan.ts';
import {
  createTranslator,
  type RegionMade,
  type RemoteTranslator,
  type Translate,
  type Translation,
} from './translator.ts';

/** Slots by which the table grows. */
const SLOTS = 256;

/**
 * Memory that V8 takes for a byte of a region's WebAssembly: its machine code, and about as much again for the module's
 * bytes and tables; and for a module as such. Measured over a boot: 5.1 MB in 340 modules took 26.8 MB.
 */
const MEMORY_PER_BYTE = 5;
const MEMORY_PER_MODULE = 8192;
/** A module is dropped when less than this share of it is in use. */
const LEAST_SHARE = 0.25;

/** A module in use. */
interface Module {
  /** Charged to the cache. */
  readonly memory: number;
  readonly bytes: number;
  /** Bytes of its regions that have not been dropped, and their blocks. */
  bytesInUse: number;
  readonly blocks: Set<number>;
}

/** Samples after which what has been sampled counts half. */
const AGEING = 8192;

/** A region in use. */
interface Installed extends Neighbour {
  readonly slot: number;
  /** The block for which it stands, and the host offset of its page. */
  readonly ip: number;
  readonly page: number;
  readonly bytes: number;
  readonly module: Module;
  /** The handler that the region replaces. */
  readonly handler: number;
}

interface Pending {
  readonly ip: number;
  readonly request: RegionRequest;
  readonly neighbours: readonly Installed[];
  /** The block was forgotten meanwhile. */
  isDropped: boolean;
}

export class Regions {
  readonly #interpreter: Interpreter;
  readonly #translate: Translate;
  /** By the blocks for which they stand, and by pages. */
  readonly #installed = new Map<number, Installed>();
  readonly #byPage = new Map<number, Set<Installed>>();
  readonly #pending = new Map<number, Pending>();
  readonly #refused = new Set<number>();
  readonly #samples = new Map<number, number>();
  #sampled = 0;
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
    const { isa, memory, time, now, statistics, explain } = options;
    this.#interpreter = interpreter;
    this.#table = interpreter.wasm.table;
    this.#view = new DataView(memory.buffer);
    this.#translate = createTranslator(isa, memory, { now, statistics, explain });
    this.#remote = options.translator;
    this.#imports = {
      env: { memory },
      engine: interpreter.wasm as unknown as WebAssembly.Imports[string],
      helpers: helperImports(interpreter.handlers.helpers, memory, time, options.controllerOf),
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
    if (++this.#sampled % AGEING === 0) this.#age();
    const samples = (this.#samples.get(ip) ?? 0) + 1;
    if (samples === 1) blocks.watch(ip);
    this.#samples.set(ip, samples);
    if (samples < hot) return false;
    this.#samples.delete(ip);
    this.#ask(ip, page, this.#view.getBigUint64(cpu + vcpu.pc.offset, true), hot > 1);
    return false;
  }

  /** What is sampled seldom in a long time is not hot. */
  #age(): void {
    for (const [ip, samples] of this.#samples) {
      if (samples > 1) this.#samples.set(ip, samples >>> 1);
      else this.#samples.delete(ip);
    }
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

  #ask(ip: number, page: number, pc: bigint, isProfiled: boolean): void {
    const arrivals = isProfiled ? this.#interpreter.blocks.arrivals(ip) : undefined;
    const known = isProfiled ? [...(this.#byPage.get(page) ?? [])] : [];
    const neighbours = known.map(({ entry, blocks }) => ({ entry, blocks }));
    const host = page + Number(pc % 4096n);
    const request = { host, arrivals, neighbours, slot: this.#takeSlot(), pc };
    const pending = { ip, request, neighbours: known, isDropped: false };
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
    const bytes = regions.reduce((sum, region) => sum + region.bytes, 0);
    const memory = bytes * MEMORY_PER_BYTE + MEMORY_PER_MODULE;
    const holder: Module = { memory, bytes, bytesInUse: 0, blocks: new Set() };
    if (module !== undefined) {
      this.counts.regionModules++;
      void new WebAssembly.Instance(module, this.#imports);
      this.#interpreter.blocks.charge(memory);
    }
    for (const [index, pending] of batch.entries()) {
      this.#settleOne(pending, regions[index]!, holder);
    }
    if (module !== undefined) this.#lessen(holder);
  }

  #settleOne(pending: Pending, made: RegionMade, module: Module): void {
    const { ip, isDropped, request, neighbours } = pending;
    if (!isDropped) this.#pending.delete(ip);
    const page = request.host - (request.host % 4096);
    const { blocks } = this.#interpreter;
    // It may be that of a neighbour, whose block may have been forgotten.
    const at = isDropped || made.instructions === 0 ? 0 : blocks.at(page + made.entry);
    if (at === 0) {
      this.#giveSlot(made.slot);
      if (!isDropped && !made.isPart) this.#refused.add(ip);
      return;
    }
    const replaced = made.replaced === undefined ? undefined : neighbours[made.replaced];
    // Another block may stand where the neighbour's did.
    if (replaced && this.#installed.get(replaced.ip) === replaced) this.#dropRegion(replaced.ip);
    this.#dropRegion(at);
    blocks.watch(at);
    const { slot, bytes, entry } = made;
    const handler = blocks.handlerOf(at);
    const region = { slot, bytes, entry, blocks: made.blocks, module, handler, ip: at, page };
    this.#installed.set(at, region);
    this.#keepIn(page, region);
    module.blocks.add(at);
    module.bytesInUse += bytes;
    blocks.setHandler(at, slot);
    blocks.attach(at);
    this.counts.regions++;
    this.counts.regionInstructions += made.instructions;
    this.counts.regionBlocks += made.blocks.length;
    this.counts.regionBytes += bytes;
  }

  #keepIn(page: number, region: Installed): void {
    const regions = this.#byPage.get(page);
    if (regions === undefined) this.#byPage.set(page, new Set([region]));
    else regions.add(region);
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
    this.#dropRegion(ip);
  }

  /** The region of a block is used no more, if there is one. */
  #dropRegion(ip: number): void {
    const module = this.#uninstall(ip);
    if (module !== undefined) this.#lessen(module);
  }

  /** The region of a block is used no more; gives the module that it was in. */
  #uninstall(ip: number): Module | undefined {
    const installed = this.#installed.get(ip);
    if (installed === undefined) return undefined;
    const { module, bytes, slot, handler, page } = installed;
    this.#installed.delete(ip);
    const regions = this.#byPage.get(page)!;
    regions.delete(installed);
    if (regions.size === 0) this.#byPage.delete(page);
    const { blocks } = this.#interpreter;
    blocks.setHandler(ip, handler);
    blocks.detach(ip);
    this.#giveSlot(slot);
    module.blocks.delete(ip);
    module.bytesInUse -= bytes;
    this.counts.regionsDropped++;
    return module;
  }

  /** Gives back a module's memory if hardly anything of it is in use. */
  #lessen(module: Module): void {
    if (module.bytesInUse > module.bytes * LEAST_SHARE) return;
    for (const ip of module.blocks) this.#uninstall(ip);
    this.#interpreter.blocks.charge(-module.memory);
  }
}
