// Source trees of git revisions, side by side, to run each with its own benchmarks.
//
// `.` is the working tree as it is. Any other revision is checked out in a temporary work tree that shares the
// repository, with the dependencies of the working tree if it asks for the same ones, else with its own.
// Invariant: what was checked out is removed by `close`, which is safe to call at any time and more than once.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** A revision that cannot be had; the message says why. */
export class RevisionError extends Error {
  override readonly name = 'RevisionError';
}

/** A revision's files. */
export interface Tree {
  /** What the user called it, and its commit. */
  readonly label: string;
  readonly directory: string;
  readonly close: () => Promise<void>;
}

export interface Finished {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program in a process group of its own, so that an abort ends also what it has started. Rejects with the
 * signal's reason if aborted, and where the program is missing.
 */
export function execute(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly signal?: AbortSignal },
): Promise<Finished> {
  const { cwd, signal } = options;
  return new Promise((fulfil, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text: string) => (output[name] += text));
    }
    const abort = (): void => endGroup(child.pid);
    signal?.addEventListener('abort', abort);
    child.on('error', reject);
    child.on('close', (status) => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted === true) reject(signal.reason);
      else fulfil({ status: status ?? undefined, ...output });
    });
  });
}

function endGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** What a git command prints. Throws RevisionError with git's own words where it fails. */
async function git(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await execute('git', args, { cwd: root });
  if (status === 0) return stdout.trim();
  throw new RevisionError(`git ${args[0]} failed: ${lastLine(stderr)}`);
}

/** The last line of a program's complaint. */
export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** The commit of a revision. Throws RevisionError if there is none. */
async function commitOf(revision: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const { status, stdout } = await execute('git', args, { cwd: root });
  if (status === 0) return stdout.trim();
  throw new RevisionError(
    `there is no revision '${revision}': give a commit, a branch, a tag, or . for the working tree`,
  );
}

/** The commit of the working tree, and whether files differ from it. Undefined outside of a repository. */
export async function workingTree(): Promise<{ commit: string; isChanged: boolean } | undefined> {
  try {
    const commit = await commitOf('HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no');
    return { commit, isChanged: changes !== '' };
  } catch {
    return undefined;
  }
}

/** Checks that all revisions exist before any is checked out. Throws RevisionError. */
export async function checkRevisions(revisions: readonly string[]): Promise<void> {
  for (const revision of revisions) if (revision !== '.') await commitOf(revision);
}

/** The files of a revision. Throws RevisionError; leaves nothing behind then. */
export async function openTree(revision: string, signal?: AbortSignal): Promise<Tree> {
  if (revision === '.') {
    return { label: 'working tree', directory: root, close: () => Promise.resolve() };
  }
  const commit = await commitOf(revision);
  const directory = await mkdtemp(join(tmpdir(), 'isola-bench-'));
  const close = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    await git('worktree', 'prune');
  };
  try {
    await git('worktree', 'add', '--quiet', '--detach', '--force', directory, commit);
    await provideDependencies(directory, signal);
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
  const short = commit.slice(0, 10);
  const label = commit.startsWith(revision) ? short : `${revision} (${short})`;
  return { label, directory, close };
}

async function provideDependencies(directory: string, signal?: AbortSignal): Promise<void> {
  const lockOf = (tree: string): Promise<string> =>
    readFile(join(tree, 'package-lock.json'), 'utf8').catch(() => '');
  if ((await lockOf(directory)) === (await lockOf(root))) {
    // Of a link the target: the link itself would be followed from another directory.
    return symlink(await realpath(join(root, 'node_modules')), join(directory, 'node_modules'));
  }
  const args = ['ci', '--no-audit', '--no-fund'];
  const { status, stderr } = await execute('npm', args, {
    cwd: directory,
    ...(signal && { signal }),
  });
  if (status !== 0) throw new RevisionError(`npm ci failed: ${lastLine(stderr)}`);
}
