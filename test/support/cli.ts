// Runs the command as a user does, in a process of its own.

import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

/** Far more than any run of a test takes. */
const TIMEOUT_MS = 300_000;
const launcher = join(resolve(import.meta.dirname, '../..'), 'bin/isola.js');

export interface CliResult {
  /** The exit code; undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** All of standard input; without it, standard input ends at once. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A signal that is sent when standard output has this text. */
  readonly kill?: { readonly on: string; readonly signal: NodeJS.Signals };
}

/** Runs `isola` with arguments to its end. Standard output and error are pipes, so nothing is coloured or animated. */
export function isola(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { input = '', env, kill } = options;
  return new Promise((fulfil, reject) => {
    const child = spawn(process.execPath, [launcher, ...args], {
      env: { ...process.env, ...env },
      timeout: TIMEOUT_MS,
    });
    let killed = false;
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text: string) => {
        output[name] += text;
        if (name !== 'stdout' || !kill || killed || !output.stdout.includes(kill.on)) return;
        killed = child.kill(kill.signal);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => fulfil({ code: code ?? undefined, ...output }));
    // A command that refuses its arguments has ended before it reads.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
