// Random blocks of instructions on our executors and on QEMU's user mode: `node test/differential/blocks.ts`.
//
//   --blocks N    how many (default 200000)
//   --seed S      which; each batch of 4096 counts on from it, so a difference names the seed that shows it again
//   --engines L   names, separated by commas (default all)

import { parseArgs } from 'node:util';
import { type EngineName, engines } from '../../src/engine/engines.ts';
import { mostBlocks } from './blocks/block.ts';
import { compareBlocks, minimise } from './blocks/compare.ts';
import { createBlocks } from './blocks/generate.ts';
import { isola } from './blocks/isola.ts';
import { qemu } from './blocks/qemu.ts';
import { report } from './blocks/report.ts';

export interface BlocksOptions {
  readonly blocks: number;
  readonly seed: number;
  readonly engines: readonly EngineName[];
  /** Told after each batch how many blocks are done. */
  readonly progress?: (done: number) => void;
}

const engineNames = Object.keys(engines) as EngineName[];

export const defaults: BlocksOptions = { blocks: 200_000, seed: 20_261_123, engines: engineNames };

/** Compares; the first difference of each executor in the first batch that has any, as text. */
export async function differences(options: BlocksOptions): Promise<string[]> {
  const executors = options.engines.map((name) => isola(name));
  for (let done = 0; done < options.blocks;) {
    const seed = options.seed + done / mostBlocks;
    const count = Math.min(mostBlocks, options.blocks - done);
    const found = await compareBlocks(createBlocks(seed, count), qemu, executors);
    if (found.length > 0) {
      const again = `seed ${seed}: node test/differential/blocks.ts --seed ${seed} --blocks ${count}`;
      const smallest = await Promise.all(found.map((each) => minimise(each, qemu)));
      return smallest.map((each) => `${again}\n${report(each)}`);
    }
    done += count;
    options.progress?.(done);
  }
  return [];
}

function parseOptions(): BlocksOptions {
  const { values } = parseArgs({
    options: {
      blocks: { type: 'string' },
      seed: { type: 'string' },
      engines: { type: 'string' },
    },
  });
  const chosen = values.engines?.split(',') ?? engineNames;
  const unknown = chosen.find((name) => !engineNames.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`no engine '${unknown}'; there are ${engineNames.join(', ')}`);
  return {
    blocks: Number(values.blocks ?? defaults.blocks),
    seed: Number(values.seed ?? defaults.seed),
    engines: chosen as EngineName[],
  };
}

if (import.meta.main) {
  const begun = performance.now();
  const progress = (done: number): void => {
    const seconds = (performance.now() - begun) / 1000;
    process.stderr.write(`\r${done} blocks, ${Math.round(done / seconds)} per second `);
  };
  const found = await differences({ ...parseOptions(), progress });
  console.log(found.length === 0 ? '\nno difference' : `\n${found.join('\n\n')}`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
