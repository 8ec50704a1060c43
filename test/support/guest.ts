// The default guest for tests: fetched if need be; tests are skipped where it cannot be had, but fail if
// ISOLA_REQUIRE_JUDGES=1.

import { fetchGuest, findGuest, type Vm } from '../../src/host/node/index.ts';

/** False if there is a guest, else why a test must be skipped. */
export async function withoutGuest(): Promise<false | string> {
  try {
    const arch = 'riscv64';
    await ((await findGuest({ arch })) ?? fetchGuest({ arch }));
    return false;
  } catch (error) {
    if (process.env['ISOLA_REQUIRE_JUDGES'] === '1') throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a command at the guest's shell printed, and its status. */
export interface ShellResult {
  readonly output: string;
  readonly status: number;
}

/** A shell on the console of a VM, one command after another. */
export function shell(vm: Vm, timeout = 120_000) {
  let number = 0;
  return {
    /** Resolves when the shell is there. */
    ready: () => vm.waitFor(/^isola:.*[#] /m, { timeout }),
    async run(command: string): Promise<ShellResult> {
      number++;
      // The shell shows what it reads, in which the mark is not yet put together.
      await vm.write(`${command}; echo "[$?:mark"${number}]\n`);
      await vm.waitFor(`:mark"${number}]\r\n`, { timeout });
      const text = await vm.waitFor(`:mark${number}]\r\n`, { timeout });
      const match = /^([\s\S]*)\[(\d+):mark\d+\]\r\n$/.exec(text);
      return { output: (match?.[1] ?? '').replaceAll('\r\n', '\n'), status: Number(match?.[2]) };
    },
  };
}
