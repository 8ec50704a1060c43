// Random arm64 blocks on our executors and on QEMU's user mode: `node test/differential/arm64-blocks.ts`.
//
//   --blocks N    how many (default 20000)
//   --seed S      the first; each block has the next one
//   --engines L   names, separated by commas (default interpreter)
//   --rows R      a regular expression of row names (default: all that can be judged)

import { parseArgs } from 'node:util';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import { arm64 } from '../../src/isa/arm64/isa.ts';
import { disassemble } from '../../src/isa/shared/disassembler.ts';
import { type Arm64Block, at, differencesOf } from './arm64/block.ts';
import { createBlock, usable } from './arm64/generate.ts';
import { isola } from './arm64/isola.ts';
import { judge } from './arm64/judge.ts';

const BATCH = 2000;

export interface Options {
  readonly blocks: number;
  readonly seed: number;
  readonly engines: readonly EngineName[];
  readonly rows?: RegExp;
  /** Differences after which it stops. */
  readonly most?: number;
}

/** A signal ends the comparison: registers are the same up to where it came, and both must have one. */
function differ(ours: Uint8Array, theirs: Uint8Array): string[] {
  const signal = (bytes: Uint8Array): boolean => bytes[at.signal] !== 0;
  if (signal(ours) !== signal(theirs))
    return [`signal: ${ours[at.signal]}, judge ${theirs[at.signal]}`];
  return signal(ours) ? [] : differencesOf(ours, theirs);
}

/** The same block without instructions that do not matter to a difference. */
function minimise(block: Arm64Block, isDifferent: (block: Arm64Block) => boolean): Arm64Block {
  const nop = { row: arm64.decode(0xd503_201f)!, word: 0xd503_201f };
  let best = block;
  for (const index of block.instructions.keys()) {
    const instructions = best.instructions.with(index, nop);
    const candidate = { ...best, instructions };
    if (isDifferent(candidate)) best = candidate;
  }
  return best;
}

function report(engine: string, block: Arm64Block, lines: readonly string[]): string {
  const code = block.instructions
    .filter(({ word }) => word !== 0xd503_201f)
    .map(
      ({ row, word }) =>
        `  ${word.toString(16).padStart(8, '0')}  ${row.name}: ${disassemble(row, word)}`,
    );
  const view = new DataView(block.before.buffer);
  const fpcr = view.getBigUint64(at.fpcr, true).toString(16);
  const fpsr = view.getBigUint64(at.fpsr, true).toString(16);
  return [
    `${engine}, seed ${block.seed}, fpcr ${fpcr}, fpsr ${fpsr}`,
    ...code,
    ...lines.slice(0, 6).map((l) => `    ${l}`),
  ].join('\n');
}

/** Compares; differences as text, none if all is well. */
export function differences({ blocks, seed, engines: names, rows, most = 1 }: Options): string[] {
  const pool = arm64.rows.filter(
    (row) => usable(row) && (rows === undefined || rows.test(row.name)),
  );
  const found: string[] = [];
  const executors = names.map((name) => ({ name, run: isola(name) }));
  for (let done = 0; done < blocks && found.length < most; done += BATCH) {
    const count = Math.min(BATCH, blocks - done);
    const batch = Array.from({ length: count }, (_, i) => createBlock(seed + done + i, pool));
    const expected = judge(batch);
    for (const { name, run } of executors) {
      const ours = run(batch);
      for (const [i, block] of batch.entries()) {
        if (found.length >= most || differ(ours[i]!, expected[i]!).length === 0) continue;
        const isDifferent = (candidate: Arm64Block): boolean =>
          differ(run([candidate])[0]!, judge([candidate])[0]!).length > 0;
        const smallest = minimise(block, isDifferent);
        const lines = differ(run([smallest])[0]!, judge([smallest])[0]!);
        found.push(report(name, smallest, lines));
      }
    }
  }
  return found;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      blocks: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      engines: { type: 'string', default: 'interpreter' },
      rows: { type: 'string' },
      most: { type: 'string', default: '5' },
    },
  });
  const unknown = values.engines.split(',').find((name) => !(name in engines));
  if (unknown !== undefined) throw new Error(`no engine '${unknown}'`);
  const found = differences({
    blocks: Number(values.blocks),
    seed: Number(values.seed),
    engines: values.engines.split(',') as EngineName[],
    most: Number(values.most),
    ...(values.rows !== undefined && { rows: new RegExp(values.rows) }),
  });
  console.log(found.length === 0 ? 'no difference' : found.join('\n\n'));
  process.exitCode = found.length === 0 ? 0 : 1;
}
