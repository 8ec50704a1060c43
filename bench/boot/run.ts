// Boots the default guest in a process of its own, and prints what it took as one line of JSON:
// `node run.ts ARCHITECTURE ENGINE [COMMAND]`. With a command, the guest runs it after the prompt, and that is counted
// too.

import { readFile } from 'node:fs/promises';
import { type Architecture, type EngineName, Vm } from '../../src/host/node/index.ts';
import { engineNames } from '../../src/vm/vm.ts';

const PROMPT = 'isola:~#';
const RAM_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

const [arch, name, command] = process.argv.slice(2);
const engine: EngineName | undefined = engineNames.find((known) => known === name);
if (engine === undefined) throw new Error(`give an engine: ${engineNames.join(', ')}`);

/**
 * Bytes that the process has in memory, and how many of them are the VM's memory: the mapping that is at least as large
 * as the guest's RAM and has most in memory. Zero where the system does not tell.
 */
async function residentBytes(): Promise<{ rss: number; guest: number }> {
  const rss = process.memoryUsage.rss();
  const maps = await readFile('/proc/self/smaps', 'utf8').catch(() => '');
  const sizes = maps.matchAll(/^Size: +(\d+) kB(?:\n\w+: .*)*?\nRss: +(\d+) kB/gm);
  const large = [...sizes].filter(([, size]) => Number(size) * 1024 >= RAM_BYTES);
  const guest = Math.max(0, ...large.map(([, , resident]) => Number(resident) * 1024));
  return { rss, guest };
}

await using vm = await Vm.create({
  arch: arch as Architecture,
  engine,
  statistics: true,
  memory: RAM_BYTES,
});
vm.start();
await vm.waitFor(PROMPT, { timeout: TIMEOUT_MS });
const boot = { stats: vm.stats(), ...(await residentBytes()) };
if (command === undefined) console.log(JSON.stringify({ boot }));
else {
  const begun = performance.now();
  await vm.write(`${command}\n`);
  await vm.waitFor(PROMPT, { timeout: TIMEOUT_MS });
  const busy = { ms: performance.now() - begun, stats: vm.stats() };
  console.log(JSON.stringify({ boot, busy }));
}
