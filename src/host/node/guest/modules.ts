// Finds the kernel modules a guest needs in an unpacked Debian kernel package, with everything they
// depend on, and writes the index files that modprobe reads in the guest.
//
// The package has no modules.dep (the target's depmod writes that on installation), so we read what
// depmod reads: the section ".modinfo" of each module, NUL-separated "key=value" strings.
//
// Invariant: in a list of modules, each one comes after all that it depends on.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import xz from 'xz-decompress';
import { GuestUnavailableError } from './errors.ts';

export interface KernelModule {
  /** The name with underscores, as in lsmod. */
  readonly name: string;
  /** Relative to the directory of the kernel release, without a compression suffix. */
  readonly path: string;
  readonly data: Uint8Array;
  /** Names of modules that must be loaded before this one. */
  readonly depends: readonly string[];
  readonly aliases: readonly string[];
}

/**
 * Reads `names` and their dependencies from `directory` (…/lib/modules/RELEASE). What is built into
 * the kernel is left out. Throws GuestUnavailableError if a module is not there.
 */
export async function readModules(
  directory: string,
  names: readonly string[],
): Promise<KernelModule[]> {
  const files = await indexModules(directory);
  const builtin = new Set(
    (await readFile(join(directory, 'modules.builtin'), 'utf8')).split('\n').map(moduleName),
  );
  const loaded = new Map<string, KernelModule>();
  const load = async (name: string, wantedBy: string): Promise<void> => {
    if (loaded.has(name) || builtin.has(name)) return;
    const file = files.get(name);
    if (file === undefined) {
      throw new GuestUnavailableError('package', `no kernel module ${name}, wanted by ${wantedBy}`);
    }
    const data = await decompress(file, await readFile(join(directory, file)));
    const info = parseModinfo(data);
    for (const dependency of info.depends) await load(dependency, name);
    const path = file.replace(/\.xz$/, '');
    loaded.set(name, { name, path, data, aliases: info.aliases, depends: info.depends });
  };
  for (const name of names) await load(name, 'the default guest');
  return [...loaded.values()].map((module) => ({
    ...module,
    depends: module.depends.filter((name) => loaded.has(name)),
  }));
}

/**
 * The text of modules.dep for modules in loading order: "path: paths", everything that a module
 * depends on, to be loaded from the last to the first.
 */
export function modulesDep(modules: readonly KernelModule[]): string {
  const needs = new Map<string, Set<string>>();
  return modules
    .map(({ name, path, depends }) => {
      const all = new Set(depends.flatMap((item) => [item, ...(needs.get(item) ?? [])]));
      needs.set(name, all);
      const paths = modules.filter((module) => all.has(module.name)).map((module) => module.path);
      return `${path}: ${paths.toReversed().join(' ')}`.trimEnd() + '\n';
    })
    .join('');
}

/** The text of modules.alias: "alias PATTERN NAME". */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return modules
    .flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`))
    .join('');
}

/** The fields of the section .modinfo of a module, a little-endian ELF64 relocatable file. */
export function parseModinfo(elf: Uint8Array): { depends: string[]; aliases: string[] } {
  const fields = new TextDecoder('latin1').decode(elfSection(elf, '.modinfo')).split('\0');
  const values = (key: string) =>
    fields
      .filter((field) => field.startsWith(`${key}=`))
      .map((field) => field.slice(key.length + 1));
  const depends = values('depends').flatMap((list) =>
    list.split(',').filter((name) => name !== ''),
  );
  return { depends: depends.map(moduleName), aliases: values('alias') };
}

/**
 * ELF-64 object file format: the header's e_shoff, e_shentsize, e_shnum, e_shstrndx; Elf64_Shdr.
 */
function elfSection(elf: Uint8Array, wanted: string): Uint8Array {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const isElf64 = elf.length >= 64 && view.getUint32(0) === 0x7f45_4c46 && elf[4] === 2;
  if (!isElf64) throw new GuestUnavailableError('package', 'a kernel module is not an ELF64 file');
  const headers = Number(view.getBigUint64(40, true));
  const headerSize = view.getUint16(58, true);
  const header = (index: number) => {
    const start = headers + index * headerSize;
    const offset = Number(view.getBigUint64(start + 24, true));
    const size = Number(view.getBigUint64(start + 32, true));
    return { name: view.getUint32(start, true), bytes: elf.subarray(offset, offset + size) };
  };
  const names = header(view.getUint16(62, true)).bytes;
  for (let index = 0; index < view.getUint16(60, true); index++) {
    const { name, bytes } = header(index);
    const end = names.indexOf(0, name);
    if (new TextDecoder('latin1').decode(names.subarray(name, end)) === wanted) return bytes;
  }
  return new Uint8Array(0);
}

/** All modules under `directory`: name to relative path. */
async function indexModules(directory: string): Promise<Map<string, string>> {
  const paths = await readdir(join(directory, 'kernel'), { recursive: true });
  const modules = paths.filter((path) => /\.ko(\.\w+)?$/.test(path));
  return new Map(modules.map((path) => [moduleName(path), join('kernel', path)]));
}

/** File names may have dashes where the kernel's own name of the module has underscores. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

async function decompress(file: string, data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (file.endsWith('.ko')) return data;
  if (!file.endsWith('.xz')) {
    throw new GuestUnavailableError('package', `${file}: only xz-compressed modules are known`);
  }
  const stream = new xz.XzReadableStream(new Blob([data]).stream());
  return new Response(stream).bytes();
}
