// The disk image of the suite: a small Debian riscv64 with the programs that are measured, made once and kept in the
// user's cache.
//
// Packages come from the mirror that the system's apt uses, verified by it, and are only unpacked: no script of theirs
// runs, so that no emulator is needed to make the image. What such scripts would have made and the programs need is
// made here. Invariant: the manifest names an image only once it is complete; an image of another recipe (other
// packages, other files in guest/) is not used.

import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openApt } from '../../src/host/node/guest/apt.ts';
import { GUEST_SUITE } from '../../src/host/node/guest/architectures.ts';
import { cacheDirectory, guestPlaces, withLock } from '../../src/host/node/guest/cache.ts';
import { packageFiles } from '../../src/host/node/guest/fetch.ts';
import { run } from '../../src/host/node/guest/process.ts';

const NAME = 'programs-riscv64';
const SIZE = '1500M';
const guestFiles = resolve(import.meta.dirname, 'guest');

const wanted: readonly string[] = [
  'base-files',
  'dash',
  'grep',
  'sed',
  'coreutils',
  'libc-bin',
  'openssl',
  '7zip',
  'python3',
  'sqlite3',
  'gcc',
  'libc6-dev',
  'stress-ng',
];

/** Drivers of graphics cards, which stress-ng brings along and runs without. */
const unwanted = /^(mesa-libgallium|libllvm\d+|libegl-mesa0|libz3-4)$/;

const links: Readonly<Record<string, string>> = {
  'etc/mtab': '/proc/mounts',
  'usr/bin/awk': 'mawk',
  'usr/bin/cc': 'gcc',
};

const texts: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
  'etc/hosts': '127.0.0.1\tlocalhost isola\n',
  'etc/hostname': 'isola\n',
};

const directories: readonly string[] = ['dev', 'proc', 'root', 'run', 'sys', 'tmp', 'var/tmp'];

/** An image that is ready to be attached. */
export interface ProgramsImage {
  /** Of a raw ext4 file system. */
  readonly path: string;
  /** Of each package, its version. */
  readonly packages: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly recipe: string;
  readonly file: string;
  readonly packages: Readonly<Record<string, string>>;
}

/**
 * The image, made if there is none. `report` hears what is being done. Throws GuestUnavailableError or an Error that
 * says what is missing.
 */
export async function programsImage(report: (message: string) => void): Promise<ProgramsImage> {
  const cache = cacheDirectory();
  const recipe = await recipeOf();
  const onWait = (): void => report('waiting for another process that makes the image');
  const ready = await loadImage(cache, recipe);
  if (ready !== undefined) return ready;
  return withLock(
    cache,
    NAME,
    { onWait },
    async () => (await loadImage(cache, recipe)) ?? (await makeImage(cache, recipe, report)),
  );
}

async function loadImage(cache: string, recipe: string): Promise<ProgramsImage | undefined> {
  const places = guestPlaces(cache, NAME);
  try {
    const manifest = JSON.parse(await readFile(places.manifest, 'utf8')) as Manifest;
    const files = await readdir(places.root);
    if (manifest.recipe !== recipe || !files.includes(manifest.file)) return undefined;
    return { path: join(places.root, manifest.file), packages: manifest.packages };
  } catch {
    return undefined; // Missing or damaged: as good as no image.
  }
}

async function recipeOf(): Promise<string> {
  const parts = [GUEST_SUITE, SIZE, wanted, String(unwanted), links, texts, directories];
  const hash = createHash('sha256').update(JSON.stringify(parts));
  for (const name of (await readdir(guestFiles)).toSorted()) {
    hash.update(name).update(await readFile(join(guestFiles, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function makeImage(
  cache: string,
  recipe: string,
  report: (message: string) => void,
): Promise<ProgramsImage> {
  // Known before anything is downloaded.
  await tool('mke2fs', ['-V']);
  const places = guestPlaces(cache, NAME);
  const root = join(places.work, 'root');
  const image = join(places.work, 'image');
  const packages = await unpackPackages(places.work, root, report);
  report('making the file system');
  await furnish(root);
  await rm(image, { force: true });
  await tool('mke2fs', ['-q', '-t', 'ext4', '-L', 'programs', '-d', root, image, SIZE]);
  const manifest: Manifest = { recipe, packages, file: fileName(recipe, packages) };
  await removeImages(places.root);
  await rename(image, join(places.root, manifest.file));
  await writeFile(`${places.manifest}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(`${places.manifest}.new`, places.manifest);
  await rm(places.work, { recursive: true, force: true });
  return { path: join(places.root, manifest.file), packages };
}

function fileName(recipe: string, packages: Readonly<Record<string, string>>): string {
  const versions = createHash('sha256').update(recipe).update(JSON.stringify(packages));
  return `${NAME}-${versions.digest('hex').slice(0, 8)}.ext4`;
}

async function removeImages(directory: string): Promise<void> {
  for (const file of await readdir(directory)) {
    if (file.startsWith(`${NAME}-`)) await rm(join(directory, file));
  }
}

/** Fetches what is wanted and all that it depends on, and unpacks it; returns the versions. */
async function unpackPackages(
  work: string,
  root: string,
  report: (message: string) => void,
): Promise<Record<string, string>> {
  const archives = join(work, 'packages');
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  await mkdir(archives, { recursive: true });
  const directory = join(work, 'apt');
  const apt = await openApt({ directory, architecture: 'riscv64', suite: GUEST_SUITE });
  report(`reading the package index of Debian ${GUEST_SUITE}`);
  await apt.update(() => undefined);
  const packages = (await apt.resolve(wanted)).filter(({ name }) => !unwanted.test(name));
  // It has the links /bin, /lib, … into /usr, which must be there before anything is put into them.
  packages.sort((a, b) => Number(b.name === 'base-files') - Number(a.name === 'base-files'));
  report(`downloading ${packages.length} packages`);
  const names = packages.map(({ name }) => name);
  await apt.download(names, archives, () => undefined);
  report('unpacking');
  for (const file of await packageFiles(archives, packages)) {
    await apt.unpack(join(archives, file), root);
  }
  return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
}

/** What the packages' scripts would have made, and our own files. */
async function furnish(root: string): Promise<void> {
  for (const path of directories) await mkdir(join(root, path), { recursive: true });
  for (const [path, text] of Object.entries(texts)) await writeFile(join(root, path), text);
  for (const [path, target] of Object.entries(links)) {
    await rm(join(root, path), { force: true });
    await symlink(target, join(root, path));
  }
  await cp(guestFiles, join(root, 'bench'), { recursive: true });
}

async function tool(command: string, args: readonly string[]): Promise<void> {
  // Debian keeps the tools of file systems where an ordinary user's PATH does not lead.
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const { code, stderr } = await run(command, args, { env }).catch((cause: unknown) => {
    throw new Error(`cannot run ${command}: install the package e2fsprogs`, { cause });
  });
  if (code !== 0) throw new Error(`${command} failed: ${stderr.trim()}`);
}
