// Fetches the default guest of an architecture: Debian's kernel, the modules it needs and busybox,
// from Debian's packages through the system's apt, kept in the user's cache with versions and
// checksums.
//
// Invariants: only a complete, verified guest ever becomes the current one (cache.ts); an
// interrupted or failed fetch leaves nothing but downloaded packages, with which a repeat goes on;
// one process fetches at a time.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApt, type Apt, type AptPackage } from './apt.ts';
import {
  BUSYBOX_PACKAGE,
  GUEST_SUITE,
  guestArchitectures,
  type GuestArchitecture,
} from './architectures.ts';
import {
  cacheDirectory,
  commitGuest,
  guestPlaces,
  loadGuest,
  withLock,
  type Guest,
} from './cache.ts';
import { bringYourOwn, GuestUnavailableError } from './errors.ts';
import { buildInitramfs } from './initramfs.ts';
import { readModules } from './modules.ts';

export interface FetchProgress {
  readonly phase: 'wait' | 'index' | 'download' | 'unpack' | 'build' | 'done';
  /** One line for people. */
  readonly message: string;
  /** The part of this phase that is done, 0 to 1, where it is known. */
  readonly fraction?: number;
}

export interface FetchOptions {
  /** As given to `--arch`. */
  readonly arch: string;
  /** Aborting ends every child process; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FetchProgress) => void;
  /** The cache directory; default cacheDirectory(). */
  readonly directory?: string;
}

/** The cached guest of an architecture, after checking it; undefined if it has to be fetched. */
export async function findGuest({
  arch,
  directory = cacheDirectory(),
}: Pick<FetchOptions, 'arch' | 'directory'>): Promise<Guest | undefined> {
  return loadGuest(directory, arch, await recipeOf(factsOf(arch)));
}

/**
 * Makes sure that the cache holds the newest guest of an architecture and returns it. Throws
 * GuestUnavailableError with one line that says what to do.
 */
export async function fetchGuest(options: FetchOptions): Promise<Guest> {
  const { arch, signal, onProgress, directory = cacheDirectory() } = options;
  const report = onProgress ?? (() => undefined);
  const facts = factsOf(arch);
  const recipe = await recipeOf(facts);
  let waited = false;
  const onWait = () => {
    waited = true;
    report({ phase: 'wait', message: 'another process is fetching this guest; waiting for it' });
  };
  return withLock(directory, arch, { signal, onWait }, async () => {
    // Whoever held the lock has just fetched the newest guest.
    const fresh = waited ? await loadGuest(directory, arch, recipe) : undefined;
    const guest =
      fresh ?? (await fetchLocked({ arch, facts, recipe, cache: directory, signal, report }));
    report({ phase: 'done', message: `Linux ${guest.release} is ready`, fraction: 1 });
    return guest;
  });
}

interface FetchContext {
  readonly arch: string;
  readonly facts: GuestArchitecture;
  readonly recipe: string;
  readonly cache: string;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: FetchProgress) => void;
}

/** apt's index, the packages, the unpacked kernel and the result, with some room. */
const NEEDED_BYTES = 400e6;

async function fetchLocked(context: FetchContext): Promise<Guest> {
  const { arch, facts, recipe, cache, signal, report } = context;
  const { work, root } = guestPlaces(cache, arch);
  const packagesDirectory = join(work, 'packages');
  const unpacked = join(work, 'unpacked');
  const result = join(work, 'result');
  const discard = async () => {
    await rm(unpacked, { recursive: true, force: true });
    await rm(result, { recursive: true, force: true });
  };
  await discard();
  await mkdir(packagesDirectory, { recursive: true });
  await checkSpace(root);
  try {
    const apt = await openApt({
      directory: join(work, 'apt'),
      architecture: facts.debian,
      suite: GUEST_SUITE,
      signal,
    });
    const message = `reading the package index of Debian ${GUEST_SUITE}`;
    report({ phase: 'index', message });
    await apt.update((fraction) => report({ phase: 'index', message, fraction }));
    const packages = await resolvePackages(apt, facts);
    const current = await loadGuest(cache, arch, recipe);
    if (current !== undefined && samePackages(current.manifest.packages, packages)) {
      await rm(work, { recursive: true, force: true });
      return current;
    }
    await download(apt, packages, packagesDirectory, report);
    for (const file of await packageFiles(packagesDirectory, packages)) {
      report({ phase: 'unpack', message: `unpacking ${file}` });
      await apt.unpack(join(packagesDirectory, file), unpacked);
    }
    signal?.throwIfAborted();
    report({ phase: 'build', message: 'building the initial RAM file system' });
    const release = await buildGuest(facts, unpacked, result);
    signal?.throwIfAborted();
    const guest = await commitGuest(cache, result, {
      arch,
      release,
      recipe,
      packages: packages.map(({ name, version, sha256 }) => ({ name, version, sha256 })),
    });
    await rm(work, { recursive: true, force: true });
    return guest;
  } catch (error) {
    const isFull = error instanceof GuestUnavailableError && error.reason === 'no-space';
    if (isFull) await rm(work, { recursive: true, force: true });
    throw error;
  } finally {
    await discard();
  }
}

function factsOf(arch: string): GuestArchitecture {
  const facts = Object.hasOwn(guestArchitectures, arch) ? guestArchitectures[arch] : undefined;
  if (facts === undefined) {
    const known = Object.keys(guestArchitectures).join(', ');
    const message = `there is no default guest for "${arch}" (there is for ${known}): ${bringYourOwn}`;
    throw new GuestUnavailableError('architecture', message);
  }
  return facts;
}

/**
 * Changes when our part of the guest does: the packages' names, and an archive without their files.
 */
async function recipeOf(facts: GuestArchitecture): Promise<string> {
  const init = await readInit();
  const { bootModules } = facts;
  const busybox = new Uint8Array(0);
  const archive = buildInitramfs({ busybox, init, release: 'any', modules: [], bootModules });
  const names = JSON.stringify([GUEST_SUITE, BUSYBOX_PACKAGE, facts]);
  return createHash('sha256').update(names).update(archive).digest('hex').slice(0, 16);
}

function readInit(): Promise<string> {
  return readFile(new URL('init.sh', import.meta.url), 'utf8');
}

async function checkSpace(root: string): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return;
  const need = `fetching a guest takes ${megabytes(NEEDED_BYTES)}`;
  const message = `${need}, and ${root} has ${megabytes(free)} free`;
  throw new GuestUnavailableError('no-space', message);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1e6)} MB`;
}

/** busybox, the kernel's meta package, and what of the kernel it depends on. */
async function resolvePackages(apt: Apt, facts: GuestArchitecture): Promise<AptPackage[]> {
  const packages = new Map<string, AptPackage>();
  const pending = [BUSYBOX_PACKAGE, facts.kernelPackage];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (packages.has(name)) continue;
    const found = await apt.show(name);
    packages.set(name, found);
    pending.push(...found.depends.filter((item) => /^linux-(image|modules|binary)-/.test(item)));
  }
  return [...packages.values()];
}

function samePackages(
  a: readonly { name: string; sha256: string }[],
  b: readonly { name: string; sha256: string }[],
): boolean {
  const keys = (list: typeof a) => list.map(({ name, sha256 }) => `${name} ${sha256}`).toSorted();
  return keys(a).join('\n') === keys(b).join('\n');
}

async function download(
  apt: Apt,
  packages: readonly AptPackage[],
  directory: string,
  report: (progress: FetchProgress) => void,
): Promise<void> {
  const size = packages.reduce((sum, item) => sum + item.size, 0);
  const message = `downloading ${packages.length} packages, ${Math.ceil(size / 1e6)} MB`;
  report({ phase: 'download', message, fraction: 0 });
  await apt.download(
    packages.map(({ name }) => name),
    directory,
    (fraction) => report({ phase: 'download', message, fraction }),
  );
}

/**
 * The packages' files (NAME_VERSION_ARCH.deb); older versions may lie there from an earlier try.
 */
export async function packageFiles(
  directory: string,
  packages: readonly Pick<AptPackage, 'name' | 'version'>[],
): Promise<string[]> {
  const files = await readdir(directory);
  return packages.map(({ name, version }) => {
    const start = `${name}_${version.replaceAll(':', '%3a')}_`;
    const file = files.find((item) => item.startsWith(start) && item.endsWith('.deb'));
    if (file === undefined) {
      throw new GuestUnavailableError('package', `apt left no file of ${name} ${version}`);
    }
    return file;
  });
}

/** Writes "kernel" and "initrd" into `result`; returns the kernel's release. */
async function buildGuest(
  facts: GuestArchitecture,
  unpacked: string,
  result: string,
): Promise<string> {
  const boot = await readdir(join(unpacked, 'boot')).catch(() => []);
  const kernel = boot.find((name) => /^vmlinu[xz]-/.test(name));
  if (kernel === undefined) {
    throw new GuestUnavailableError('package', `${facts.kernelPackage} brought no kernel`);
  }
  const release = kernel.replace(/^vmlinu[xz]-/, '');
  const modules = await readModules(join(unpacked, 'usr/lib/modules', release), [
    ...facts.bootModules,
    ...facts.modules,
  ]);
  const initrd = buildInitramfs({
    busybox: await readFile(join(unpacked, 'usr/bin/busybox')),
    init: await readInit(),
    release,
    modules,
    bootModules: facts.bootModules,
  });
  await mkdir(result, { recursive: true });
  await copyFile(join(unpacked, 'boot', kernel), join(result, 'kernel'));
  await writeFile(join(result, 'initrd'), initrd);
  return release;
}
