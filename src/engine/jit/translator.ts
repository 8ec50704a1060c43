// Turns requests for regions into one compiled module: discovery, IR, encoding, compilation. It reads guest memory and
// keeps nothing, so it may run on the vCPU's thread or on another one.
//
// The module puts its functions into the slots of the table that the requests name when it is instantiated.
// Invariant: the bytes of a requested page do not change until the reply is used, or the reply is not used: whoever
// asks must notice stores to the page.

import type { Block } from '../../ir/node.ts';
import { optimise } from '../../ir/passes/optimise.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import { Code } from '../../wasm/code.ts';
import { type Region, shape } from './discover.ts';
import { type Notes, type RegionExplanation, takeNotes } from './explain.ts';
import { RegionModule } from './module.ts';
import { type Neighbour, offsetsOf, planBatch, type RegionRequest } from './plan.ts';
import { lowerRegion } from './region.ts';

/** A region that was made; no instructions: it could not be, or is part of another of the batch. */
export interface RegionMade extends Neighbour {
  readonly slot: number;
  /** Index of the neighbour whose place it takes. */
  readonly replaced?: number | undefined;
  readonly isPart: boolean;
  readonly instructions: number;
  readonly bytes: number;
}

export interface Translation {
  /** Undefined if no region could be made. */
  readonly module: WebAssembly.Module | undefined;
  /** In the order of the requests. */
  readonly regions: readonly RegionMade[];
  /** Time that IR and encoding took, and compilation, in microseconds. */
  readonly encodeUs: number;
  readonly compileUs: number;
}

export type Translate = (batch: readonly RegionRequest[]) => Translation;

/** A translator on another thread. */
export interface RemoteTranslator {
  /** Takes a batch; only after the one before has been given back. */
  post(batch: readonly RegionRequest[]): void;
  /** What became of the batch: undefined if it is still being made, 'failed' if there will be nothing any more. */
  poll(): Translation | 'failed' | undefined;
}

export interface TranslatorOptions {
  /** The host's monotonic time in nanoseconds. */
  readonly now?: (() => bigint) | undefined;
  /** Whether translated code counts what it does. */
  readonly statistics?: boolean | undefined;
  /** Hears how each region was made. */
  readonly explain?: ((explanation: RegionExplanation) => void) | undefined;
}

/** Makes a translator over a VM's memory. */
export function createTranslator(
  isa: Isa,
  memory: WebAssembly.Memory,
  { now = () => 0n, statistics = false, explain }: TranslatorOptions = {},
): Translate {
  const u16 = new Uint16Array(memory.buffer);
  /** Used again by one batch after another. */
  const codes: Code[] = [];
  return (batch) => {
    const begun = now();
    const writer = new RegionModule(isa, statistics);
    const plans = planBatch(isa, u16, batch);
    const regions = batch.map((request, number): RegionMade => {
      const { slot } = request;
      const planned = plans[number]!;
      const { blocks, entry, replaced, isPart } = planned;
      const made = { slot, entry, replaced, isPart, blocks: offsetsOf(planned) };
      if (blocks.length === 0 || isPart) return { ...made, instructions: 0, bytes: 0 };
      const code = codes[writer.count] ?? new Code();
      codes[writer.count] = code;
      code.reset(2);
      const region = shape(blocks);
      const notes = explain && takeNotes(isa, memory, { ...request, entry }, region);
      const localUses = lowerRegion(code, optimised(region, notes), writer.functions);
      if (notes) explain(notes.finish(code.length, writer.text(code, localUses())));
      writer.add(slot, code);
      const instructions = blocks.reduce((sum, block) => sum + block.instructions, 0);
      return { ...made, instructions, bytes: code.length };
    });
    const bytes = writer.bytes();
    const encoded = now();
    const module = bytes && new WebAssembly.Module(bytes);
    const us = (from: bigint, to: bigint): number => Number(to - from) / 1000;
    return { module, regions, encodeUs: us(begun, encoded), compileUs: us(encoded, now()) };
  };
}

/** The region after the passes, of which notes hear. Only what loops may do often is worth them. */
function optimised(region: Region, notes: Notes | undefined): Region {
  const blocks = region.blocks.map((block, number) => {
    if (!region.inLoops.has(number)) return block;
    const note = notes && ((pass: string, after: Block) => notes.after(number, pass, after));
    return { ...block, code: optimise(block.code, note) };
  });
  return { ...region, blocks };
}
