// What became of a region's code on its way to WebAssembly, step by step, for people: its instructions, the IR of each
// basic block as it was decoded and after each pass that changed it, the text of the function.
//
// Notes are taken only where somebody has asked for them: a translator that nobody listens to does nothing here.
// Addresses are distances from the region's entry in bytes, as in the region itself.

import { print } from '../../ir/print.ts';
import type { Block } from '../../ir/node.ts';
import { disassemble } from '../../isa/shared/disassembler.ts';
import type { Isa } from '../../isa/shared/isa.ts';
import type { End, Region } from './discover.ts';
import type { RegionRequest } from './plan.ts';

/** How one region was made. */
export interface RegionExplanation {
  /** Host offset of its entry. */
  readonly host: number;
  /** Virtual address of its entry where it was asked for; the region does not depend on it. */
  readonly pc: bigint | undefined;
  readonly blocks: readonly BlockExplanation[];
  /** Bytes of its instructions in WebAssembly. */
  readonly bytes: number;
  /** Its function in the text format of WebAssembly. */
  readonly wasm: string;
}

/** A basic block; its place in the list is its number. */
export interface BlockExplanation {
  readonly distance: number;
  readonly instructions: readonly InstructionExplanation[];
  /** The IR's text under the name of what made it: first `decoded`, then passes in the order in which they ran. */
  readonly stages: readonly { readonly name: string; readonly ir: string }[];
  readonly end: End;
}

export interface InstructionExplanation {
  readonly distance: number;
  readonly word: number;
  /** Bytes. */
  readonly length: 2 | 4;
  /** Assembly; undefined if there is no such instruction. */
  readonly text: string | undefined;
}

/** Notes on one region while it is being made. */
export interface Notes {
  /** A pass has done a block. What did not change it is not noted. */
  after(block: number, pass: string, code: Block): void;
  finish(bytes: number, wasm: string): RegionExplanation;
}

/** What notes are taken on: a request, and the offset in its page where the region made for it begins. */
type Subject = RegionRequest & { readonly entry: number };

/** Begins notes on a region, before any pass. */
export function takeNotes(
  isa: Isa,
  memory: WebAssembly.Memory,
  { host, pc, entry }: Subject,
  region: Region,
): Notes {
  const page = host - (host % 4096);
  const u16 = new Uint16Array(memory.buffer);
  const halfword = (offset: number): number => u16[(page + offset) >>> 1]!;
  const entryPc = pc === undefined ? pc : pc + BigInt(page + entry - host);
  const blocks = region.blocks.map(({ distance, code, end }) => {
    const instructions = code.nodes.flatMap((node) =>
      node.op === 'instruction'
        ? [instructionAt(isa, halfword, entry, node.distance, entryPc)]
        : [],
    );
    return { distance, instructions, stages: [{ name: 'decoded', ir: print(code) }], end };
  });
  return {
    after(block, pass, code) {
      const { stages } = blocks[block]!;
      const ir = print(code);
      if (ir !== stages.at(-1)!.ir) stages.push({ name: pass, ir });
    },
    finish: (bytes, wasm) => ({ host: page + entry, pc: entryPc, blocks, bytes, wasm }),
  };
}

function instructionAt(
  isa: Isa,
  halfword: (offset: number) => number,
  entry: number,
  distance: number,
  pc: bigint | undefined,
): InstructionExplanation {
  const low = halfword(entry + distance);
  const length = isa.lengthOf(low);
  const word = length === 2 ? low : (low | (halfword(entry + distance + 2) << 16)) >>> 0;
  const row = isa.decode(word);
  const at = pc === undefined ? undefined : pc + BigInt(distance);
  return { distance, word, length, text: row && disassemble(row, word, at) };
}

/** The name of the register at an offset in the vCPU's record. */
export function registerName(isa: Isa, offset: number): string | undefined {
  const file = isa.registerFiles.find(
    (each) => offset >= each.offset && offset < each.offset + 8 * each.count,
  );
  return file && `${file.name}${(offset - file.offset) / 8}`;
}
