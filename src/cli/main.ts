// The command `isola`: reads the command line, does what it says, and ends with its exit code.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 124 out of time, 130 interrupted, 141 nobody reads the output.
// Invariant: what goes wrong is one line on standard error; a stack is shown only for a mistake in Isola itself.

import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodes, explain, say } from './errors.ts';
import { guestCommand } from './guest.ts';
import { runCommand } from './run.ts';

const manifest = new URL('../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

function createProgram(done: (code: number) => void): Command {
  const program = new Command('isola')
    .description(
      'Runs 64-bit Linux of other architectures in a virtual machine, without privileges.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addCommand(runCommand(done))
    .addCommand(guestCommand())
    .addHelpText(
      'after',
      `
Examples:
  isola run                                  boot the default guest to a shell
  isola run --disk data.img --memory 1G      with a disk and more memory
  echo 'uname -a; poweroff' | isola run      a script for the guest, its output on standard output`,
    );
  prepare(program, 'isola');
  return program;
}

/** Settings that commander does not hand down to commands added to it: errors are one line, in our words. */
function prepare(command: Command, name: string): void {
  command
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError(text) {
        const line = text
          .replace(/^error: /, '')
          .trim()
          .replaceAll(/\s*\n\s*/g, ' ');
        say(`${line} (${name} --help tells more)`, 'error');
      },
    });
  for (const child of command.commands) prepare(child, `${name} ${child.name()}`);
}

async function main(): Promise<number> {
  let code: number = exitCodes.done;
  try {
    await createProgram((result) => (code = result)).parseAsync();
    return code;
  } catch (error) {
    // Commander has said what was wrong, or printed the help that was asked for.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    }
    return explain(error);
  }
}

/** Watches standard output; gives the exit code for what could not be written, if anything could not. */
function watchOutput(): () => number | undefined {
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error) => (failure ??= error));
  return () => {
    if (failure === undefined) return undefined;
    if (failure.code === 'EPIPE') return exitCodes.closed;
    say(`the output cannot be written: ${failure.message}`, 'error');
    return exitCodes.failed;
  };
}

const outputFailure = watchOutput();
process.exitCode = await main();
// By now all output is written or has failed. A run has told of its own failure.
process.on('exit', (code) => {
  if (code === exitCodes.done) process.exitCode = outputFailure() ?? code;
});
