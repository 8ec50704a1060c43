// The user's cache of fetched guests, laid out so that a reader never sees half a guest:
//
//     CACHE/guest/ARCH.json                 the manifest: which guest is current, sizes, checksums
//     CACHE/guest/ARCH-VERSION-HASH/        kernel and initrd of that guest
//     CACHE/guest/ARCH.work/                packages and work in progress
//     CACHE/guest/ARCH.lock                 held by the one process that is changing any of these
//
// Invariants: a guest's directory is complete before the manifest names it, and the manifest is
// replaced by one rename; whatever the manifest does not name may be removed by the lock's holder.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringYourOwn, errorCode, GuestUnavailableError } from './errors.ts';

/** A guest that is ready to boot; paths are absolute. */
export interface Guest {
  readonly arch: string;
  readonly kernel: string;
  readonly initrd: string;
  /** The kernel's release, as in `uname -r`. */
  readonly release: string;
  readonly manifest: GuestManifest;
}

export interface GuestManifest {
  /** Of this file's own layout. */
  readonly format: 1;
  readonly arch: string;
  readonly release: string;
  /** Identifies the way the guest was put together: a guest of another recipe is out of date. */
  readonly recipe: string;
  /** Name of the guest's directory beside the manifest. */
  readonly directory: string;
  readonly packages: readonly GuestPackage[];
  readonly files: Readonly<Record<'kernel' | 'initrd', FileFacts>>;
}

interface GuestPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** `size` in bytes, `sha256` in hexadecimal. */
interface FileFacts {
  readonly size: number;
  readonly sha256: string;
}

/** The cache directory of Isola: $ISOLA_CACHE, else $XDG_CACHE_HOME/isola, else ~/.cache/isola. */
export function cacheDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { ISOLA_CACHE: own, XDG_CACHE_HOME: shared } = environment;
  if (own !== undefined && own !== '') return own;
  // The XDG base directory specification: a relative path is to be ignored.
  if (shared?.startsWith('/') === true) return join(shared, 'isola');
  return join(homedir(), '.cache', 'isola');
}

/** The paths that belong to the guest `arch` in a cache directory. */
export function guestPlaces(cache: string, arch: string) {
  const root = join(cache, 'guest');
  return {
    root,
    manifest: join(root, `${arch}.json`),
    work: join(root, `${arch}.work`),
    lock: join(root, `${arch}.lock`),
  };
}

/**
 * The current guest, or undefined if there is none, if it was made by another recipe, or if any
 * file differs from its checksum.
 */
export async function loadGuest(
  cache: string,
  arch: string,
  recipe: string,
): Promise<Guest | undefined> {
  const places = guestPlaces(cache, arch);
  const manifest = await readManifest(places.manifest);
  if (manifest === undefined || manifest.recipe !== recipe) return undefined;
  const guest = guestOf(places.root, manifest);
  for (const name of ['kernel', 'initrd'] as const) {
    const facts = await fileFacts(guest[name]).catch(() => undefined);
    const expected = manifest.files[name];
    if (facts?.size !== expected.size || facts.sha256 !== expected.sha256) return undefined;
  }
  return guest;
}

/**
 * Makes the guest in `directory` (files "kernel" and "initrd", in the cache's file system) the
 * current one, and removes the ones before it. The caller holds the lock.
 */
export async function commitGuest(
  cache: string,
  directory: string,
  facts: Pick<GuestManifest, 'arch' | 'release' | 'recipe' | 'packages'>,
): Promise<Guest> {
  const places = guestPlaces(cache, facts.arch);
  const kernel = await fileFacts(join(directory, 'kernel'));
  const initrd = await fileFacts(join(directory, 'initrd'));
  const hash = createHash('sha256').update(kernel.sha256 + initrd.sha256);
  const name = `${facts.arch}-${facts.release}-${hash.digest('hex').slice(0, 8)}`;
  const manifest: GuestManifest = {
    format: 1,
    ...facts,
    directory: name,
    files: { kernel, initrd },
  };
  // A directory of that name has been found damaged, or is left from an interrupted commit.
  await rm(join(places.root, name), { recursive: true, force: true });
  await rename(directory, join(places.root, name));
  await writeFile(`${places.manifest}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(`${places.manifest}.new`, places.manifest);
  for (const other of await readdir(places.root)) {
    if (other.startsWith(`${facts.arch}-`) && other !== name) {
      await rm(join(places.root, other), { recursive: true, force: true });
    }
  }
  return guestOf(places.root, manifest);
}

/** Size and checksum of a file. */
async function fileFacts(path: string): Promise<FileFacts> {
  const hash = createHash('sha256');
  let size = 0;
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: 1 << 20 });
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest('hex') };
}

/** How often the holder of a lock shows that it is alive, and when it is taken for dead. */
const LOCK_BEAT_MS = 1_000;
const LOCK_STALE_MS = 10_000;

/**
 * Runs `action` while holding the lock of `arch`; waits for another holder first. A holder touches
 * its lock file every second, so that the lock of a process that died is seen as such, whichever
 * machine or container shares the cache. `onWait` is called once if there is another holder.
 */
export async function withLock<T>(
  cache: string,
  arch: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait: () => void },
  action: () => Promise<T>,
): Promise<T> {
  const places = guestPlaces(cache, arch);
  try {
    await mkdir(places.root, { recursive: true });
    await takeLock(places.lock, signal, onWait);
  } catch (error) {
    throw explainCacheError(error, places.root);
  }
  const beat = setInterval(() => {
    utimes(places.lock, new Date(), new Date()).catch(() => undefined);
  }, LOCK_BEAT_MS);
  try {
    return await action();
  } catch (error) {
    throw explainCacheError(error, places.root);
  } finally {
    clearInterval(beat);
    await rm(places.lock, { force: true });
  }
}

async function takeLock(
  lock: string,
  signal: AbortSignal | undefined,
  onWait: () => void,
): Promise<void> {
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    try {
      return await writeFile(lock, `${process.pid}\n`, { flag: 'wx' });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    if (await isStale(lock)) {
      // Renaming lets only one of several waiting processes remove it.
      const grave = `${lock}.${process.pid}`;
      await rename(lock, grave).catch(() => undefined);
      await rm(grave, { force: true });
      continue;
    }
    if (!waited) onWait();
    await sleep(200, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

async function isStale(lock: string): Promise<boolean> {
  const facts = await stat(lock).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > LOCK_STALE_MS;
}

async function readManifest(path: string): Promise<GuestManifest | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isManifest(value) ? value : undefined;
  } catch {
    return undefined; // Missing or damaged: as good as no guest.
  }
}

function isManifest(value: unknown): value is GuestManifest {
  if (!isRecord(value) || !isRecord(value['files'])) return false;
  const { format, arch, release, recipe, directory, packages, files } = value;
  const texts = [arch, release, recipe, directory];
  return (
    format === 1 &&
    texts.every((text) => typeof text === 'string') &&
    Array.isArray(packages) &&
    packages.every((item) => hasTexts(item, ['name', 'version', 'sha256'])) &&
    hasTexts(files['kernel'], ['sha256']) &&
    hasTexts(files['initrd'], ['sha256'])
  );
}

function hasTexts(value: unknown, names: readonly string[]): boolean {
  return isRecord(value) && names.every((name) => typeof value[name] === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function guestOf(root: string, manifest: GuestManifest): Guest {
  const { arch, release, directory } = manifest;
  const file = (name: string) => join(root, directory, name);
  return { arch, release, manifest, kernel: file('kernel'), initrd: file('initrd') };
}

function explainCacheError(error: unknown, root: string): unknown {
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new GuestUnavailableError('no-space', `no space left for the guest in ${root}`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
    case 'EEXIST': {
      const message = `cannot write to ${root}: set ISOLA_CACHE to a directory of yours, or ${bringYourOwn}`;
      return new GuestUnavailableError('cache', message, { cause: error });
    }
    default:
      return error;
  }
}
