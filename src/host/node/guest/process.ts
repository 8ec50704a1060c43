// Runs a child process to its end and collects what it writes.
//
// Invariants: the child leads its own process group, and an abort ends the whole group (apt starts
// a helper per transport); messages are in English, since callers read them; the promise settles
// only after the child is gone.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Receives each line that the child writes to its file descriptor 3. */
  readonly onStatus?: (line: string) => void;
}

export interface RunResult {
  /** The exit code; 128 if a signal ended the child. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `command`. Rejects with the signal's reason if aborted, and with Node's error if the command
 * cannot be started (ENOENT where it does not exist).
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env, signal, onStatus }: RunOptions = {},
): Promise<RunResult> {
  signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', onStatus === undefined ? 'ignore' : 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  collect(child.stdout, (text) => (output.stdout += text));
  collect(child.stderr, (text) => (output.stderr += text));
  const status = child.stdio[3];
  if (onStatus !== undefined && status instanceof Readable) {
    createInterface({ input: status }).on('line', onStatus);
  }
  const abort = () => endGroup(child.pid);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve(exitCode ?? 128));
    });
    signal?.throwIfAborted();
    return { code, ...output };
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function collect(stream: Readable | null, add: (text: string) => void): void {
  stream?.setEncoding('utf8');
  stream?.on('data', add);
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // The group is already gone.
  }
}
