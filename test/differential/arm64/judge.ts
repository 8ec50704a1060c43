// QEMU's user mode as the judge of arm64 blocks, by the program in judge.c.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Arm64Block, at, recordBytes, WORDS } from './block.ts';

export const compiler = 'aarch64-linux-gnu-gcc';
export const emulator = 'qemu-aarch64-static';

const source = fileURLToPath(new URL('judge.c', import.meta.url));
let program: string | undefined;

/** The program, built once for a process. Its text lies near the code that it branches to. */
function build(): string {
  if (program !== undefined) return program;
  const path = join(mkdtempSync(join(tmpdir(), 'isola-judge-')), 'judge');
  const link = ['-Wl,-Ttext-segment=0x7c000000', '-Wl,--defsym=block_code=0x80000000'];
  execFileSync(compiler, ['-O1', '-static', '-no-pie', ...link, '-o', path, source]);
  program = path;
  return path;
}

/** The records after. */
export function judge(blocks: readonly Arm64Block[]): Uint8Array[] {
  const inputBytes = recordBytes + 4 * WORDS;
  const input = new Uint8Array(blocks.length * inputBytes);
  for (const [i, block] of blocks.entries()) {
    const start = i * inputBytes;
    input.set(block.before.subarray(0, at.window), start);
    const words = new DataView(input.buffer, start + at.window, 4 * WORDS);
    for (let n = 0; n < WORDS; n++) {
      words.setUint32(4 * n, block.instructions[n]?.word ?? 0xffff_ffff, true);
    }
    input.set(block.before.subarray(at.window), start + at.window + 4 * WORDS);
  }
  const run = spawnSync(emulator, ['-cpu', 'max,pauth=off', build()], {
    input,
    maxBuffer: 2 ** 30,
  });
  if (run.status !== 0 || run.stdout.length !== blocks.length * recordBytes) {
    throw new Error(`the judge failed: ${run.stderr.toString()} (signal ${run.signal})`);
  }
  return blocks.map((_, i) => run.stdout.subarray(i * recordBytes, (i + 1) * recordBytes));
}
