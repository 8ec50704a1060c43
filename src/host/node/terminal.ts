// Joins the console of a VM to this process's standard input and output, be they a terminal or pipes.
//
// On a terminal every key goes to the guest, except those of escapes.ts; the terminal is in raw mode meanwhile and
// is given back as it was however the process ends. From a pipe every byte goes to the guest, and its end means
// nothing. Output is written in order and completely: a slow reader makes the guest wait. Typed keys never wait
// behind input that the guest does not take, so that the escapes always work.

import type { ReadStream } from 'node:tty';
import type { VmConsole } from '../../vm/console.ts';
import type { TerminalShape } from './command-line.ts';
import { createEscapes, type EscapeCommand } from './escapes.ts';

export interface TerminalEvents {
  readonly onCommand: (command: EscapeCommand) => void;
  /** The output cannot be written: EPIPE if nobody reads it any more. */
  readonly onClosed: (error: NodeJS.ErrnoException) => void;
}

export interface Terminal {
  /** Takes no more input and gives the terminal back. Resolves when all output is written; the VM must have ended. */
  detach(): Promise<void>;
}

/** The terminal this process has, if both its input and output are one. */
export function terminalShape(): TerminalShape | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return { type: process.env['TERM'] ?? 'dumb', lines: stdout.rows, columns: stdout.columns };
}

/** Joins a console to standard input and output. Input from a pipe waits until `ready` has settled. */
export function attachTerminal(
  console: VmConsole,
  events: TerminalEvents,
  ready: Promise<unknown> = Promise.resolve(),
): Terminal {
  const release = attachInput(console, events, ready);
  const written = copyOutput(console.readable, events.onClosed);
  return {
    async detach() {
      release();
      await written;
    },
  };
}

/** Copies input to the guest until the returned function is called. */
function attachInput(
  console: VmConsole,
  { onCommand }: TerminalEvents,
  ready: Promise<unknown>,
): () => void {
  const { stdin } = process;
  const writer = console.writable.getWriter();
  const escapes = createEscapes();
  const typed = (bytes: Uint8Array): void => {
    for (const part of escapes(bytes)) {
      if (typeof part === 'string') onCommand(part);
      else writer.write(part).catch(ended);
    }
  };
  const piped = (bytes: Uint8Array): void => {
    stdin.pause();
    const resume = (): void => void (released || stdin.resume());
    const deliver = (): Promise<void> => writer.write(bytes);
    ready.then(deliver, deliver).then(resume, ended);
  };
  // The VM has ended, and whoever runs it knows.
  const ended = (): void => undefined;
  let released = false;
  const listener = stdin.isTTY ? typed : piped;
  const restore = stdin.isTTY ? enterRawMode(stdin) : () => undefined;
  stdin.on('data', listener);
  stdin.on('error', ended);
  return () => {
    released = true;
    stdin.off('data', listener);
    stdin.pause();
    // Reading a pipe that nobody writes to must not keep the process alive.
    stdin.unref?.();
    restore();
    writer.releaseLock();
  };
}

/** Puts the terminal into raw mode until the returned function is called, or the process ends or is suspended. */
function enterRawMode(stdin: ReadStream): () => void {
  const raw = (): void => void stdin.setRawMode(true);
  const cooked = (): void => void stdin.setRawMode(false);
  const continued = (): void => {
    // The shell has set its own mode while we were suspended; Node believes that nothing has changed.
    cooked();
    raw();
  };
  raw();
  process.on('exit', cooked);
  process.on('SIGCONT', continued);
  return () => {
    process.off('exit', cooked);
    process.off('SIGCONT', continued);
    cooked();
  };
}

async function copyOutput(
  output: ReadableStream<Uint8Array>,
  onClosed: TerminalEvents['onClosed'],
): Promise<void> {
  const { stdout } = process;
  // Each write hears of its own error; without a listener the stream would throw it as well.
  stdout.on('error', () => undefined);
  try {
    for await (const bytes of output) await write(bytes);
  } catch (error) {
    onClosed(error as Error);
  }
}

/** Resolves when the bytes are in the hands of the system. */
function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
