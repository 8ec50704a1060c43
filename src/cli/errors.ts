// How the command ends: its exit codes, and errors told in one line.

import { styleText } from 'node:util';
import { IsolaError } from '../std/error.ts';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  timeout: 124,
  interrupted: 130,
  closed: 141,
} as const;

/** Prints one line for people on standard error; coloured on a terminal, unless NO_COLOR says otherwise. */
export function say(text: string, kind: 'note' | 'warning' | 'error' = 'note'): void {
  const colours = { note: 'bold', warning: 'yellow', error: 'red' } as const;
  const name = styleText(colours[kind], 'isola:', { stream: process.stderr });
  const label = kind === 'note' ? '' : `${kind}: `;
  process.stderr.write(`${name} ${label}${text}\n`);
}

/** Tells an error and gives the exit code for it. */
export function explain(error: unknown): number {
  if (error instanceof IsolaError) {
    say(error.message, 'error');
    return exitCodes.failed;
  }
  if (error instanceof Error && error.name === 'AbortError') return exitCodes.interrupted;
  say(`a mistake in Isola, please report it: ${String(error)}`, 'error');
  if (error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCodes.failed;
}

/** A signal may come twice at once, from the terminal and from npm: only a later one is impatience. */
const IMPATIENCE_MS = 500;

/** Aborts with an AbortError when the user or the system wants this process to end; asked again, it ends at once. */
export function interruption(): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  let asked = 0;
  const interrupt = (): void => {
    if (!controller.signal.aborted) asked = performance.now();
    else if (performance.now() - asked > IMPATIENCE_MS) process.exit(exitCodes.interrupted);
    controller.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, interrupt);
  const dispose = (): void => {
    for (const name of names) process.off(name, interrupt);
  };
  return { signal: controller.signal, dispose };
}
