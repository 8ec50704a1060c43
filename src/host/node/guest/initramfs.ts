// Puts the default guest's initial RAM file system together: busybox, the init script, the kernel
// modules, and the few files that programs expect in /etc.
//
// The archive is not compressed: the guest would pay for unpacking it at every start, the host's
// disk pays only once. Applets are linked by the guest itself (busybox --install), since only it
// can run its busybox to ask for their names.
import { writeCpio, type CpioEntry } from '../../../boot/cpio.ts';
import { modulesAlias, modulesDep, type KernelModule } from './modules.ts';

export interface InitramfsParts {
  readonly busybox: Uint8Array;
  /** The text of /init. */
  readonly init: string;
  /** The kernel's release, as in `uname -r`. */
  readonly release: string;
  readonly modules: readonly KernelModule[];
  /** Names of the modules that init loads at each start. */
  readonly bootModules: readonly string[];
}

/** The archive, to be given to the kernel as its initial RAM disk. */
export function buildInitramfs(parts: InitramfsParts): Uint8Array<ArrayBuffer> {
  const moduleDirectory = `lib/modules/${parts.release}`;
  const carried = new Set(parts.modules.map(({ name }) => name));
  const files: [path: string, data: Uint8Array | string, mode: number][] = [
    ['init', parts.init, 0o755],
    ['bin/busybox', parts.busybox, 0o755],
    [
      'etc/passwd',
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
      0o644,
    ],
    ['etc/group', 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n', 0o644],
    // What `mount` tries when it is given no type; the kernel then loads the module.
    ['etc/filesystems', 'ext4\n*\n', 0o644],
    ['etc/hosts', '127.0.0.1\tlocalhost isola\n', 0o644],
    ['etc/modules', parts.bootModules.filter((name) => carried.has(name)).join('\n'), 0o644],
    [`${moduleDirectory}/modules.dep`, modulesDep(parts.modules), 0o644],
    [`${moduleDirectory}/modules.alias`, modulesAlias(parts.modules), 0o644],
    ...parts.modules.map(({ path, data }): [string, Uint8Array, number] => [
      `${moduleDirectory}/${path}`,
      data,
      0o644,
    ]),
  ];
  const fileEntries = files.map(([path, data, mode]): CpioEntry => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    return { type: 'file', path, mode, data: bytes };
  });
  const entries = [...links, ...devices, ...fileEntries];
  return writeCpio([...directoriesFor(entries.map(({ path }) => path)), ...entries]);
}

/**
 * Directories that must be there although the archive puts nothing into them, and special modes.
 */
const emptyDirectories: Readonly<Record<string, number>> = {
  mnt: 0o755,
  proc: 0o555,
  root: 0o700,
  run: 0o755,
  sbin: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  'usr/bin': 0o755,
  'usr/sbin': 0o755,
};

const links: readonly CpioEntry[] = [{ type: 'symlink', path: 'etc/mtab', target: '/proc/mounts' }];

/** What init needs before it has mounted devtmpfs: the kernel opens /dev/console for it. */
const devices: readonly CpioEntry[] = [
  { type: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
  { type: 'character-device', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
];

function directoriesFor(paths: readonly string[]): CpioEntry[] {
  const modes = new Map<string, number>();
  for (const path of [...Object.keys(emptyDirectories).map((name) => `${name}/.`), ...paths]) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, index) => {
      const directory = parts.slice(0, index + 1).join('/');
      modes.set(directory, emptyDirectories[directory] ?? 0o755);
    });
  }
  // Sorting puts a directory before what it holds: its path is a prefix of theirs.
  const sorted = [...modes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([path, mode]) => ({ type: 'directory', path, mode }));
}
