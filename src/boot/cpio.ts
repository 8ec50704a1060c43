// Writer of "newc" cpio archives, the format in which Linux takes its initial RAM file system
// (kernel documentation, driver-api/early-userspace/buffer-format: a 110-byte ASCII header per
// entry, then the path, then the data, each padded to 4 bytes; a TRAILER!!! entry ends it).
//
// Invariants: the same entries give the same bytes (owner root, time zero, inode numbers counted
// from 1); a directory always comes before what it holds, because the kernel unpacks front to back.

export type CpioEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | {
      readonly type: 'file';
      readonly path: string;
      readonly mode: number;
      readonly data: Uint8Array;
    }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly type: 'character-device' | 'block-device';
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

/** An entry that no archive can hold; the message names the entry and what is wrong with it. */
export class CpioError extends Error {
  override readonly name = 'CpioError';
}

/**
 * The archive that holds `entries` in the given order. Paths are relative ("bin/sh"), modes are the
 * permission bits alone (0 to 0o7777). Throws CpioError for a path that is empty, absolute, has
 * an empty, "." or ".." part, is there twice, or stands before its directory.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  checkPaths(entries);
  const records = entries.map((entry, index) => recordOf(entry, index + 1));
  records.push({ ...emptyRecord, path: encode('TRAILER!!!') });
  const size = records.reduce((sum, record) => sum + recordSize(record), 0);
  const archive = new Uint8Array(alignUp(size, BLOCK_SIZE));
  let offset = 0;
  for (const record of records) {
    writeRecord(archive.subarray(offset), record);
    offset += recordSize(record);
  }
  return archive;
}

/** Archives are padded to the block size of tape tools, so that they can also be concatenated. */
const BLOCK_SIZE = 512;
const HEADER_SIZE = 110;
const FIELD_MAX = 0xffff_ffff;

/** File type bits of st_mode (POSIX sys/stat.h, values as in Linux). */
const FILE_TYPE = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  'character-device': 0o020000,
  'block-device': 0o060000,
} as const;

interface CpioRecord {
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly major: number;
  readonly minor: number;
  readonly path: Uint8Array;
  readonly data: Uint8Array;
}

const emptyRecord: CpioRecord = {
  inode: 0,
  mode: 0,
  links: 1,
  major: 0,
  minor: 0,
  path: new Uint8Array(0),
  data: new Uint8Array(0),
};

function recordOf(entry: CpioEntry, inode: number): CpioRecord {
  const base = { ...emptyRecord, inode, path: encode(entry.path) };
  const typeBits = FILE_TYPE[entry.type];
  if (entry.type === 'symlink') {
    return { ...base, mode: typeBits | 0o777, data: encode(entry.target) };
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o7777) {
    throw new CpioError(`${entry.path}: mode ${entry.mode} is not between 0 and 0o7777`);
  }
  const mode = typeBits | entry.mode;
  if (entry.type === 'directory') return { ...base, mode, links: 2 };
  if (entry.type === 'file') {
    if (entry.data.length > FIELD_MAX) throw new CpioError(`${entry.path}: larger than 4 GiB`);
    return { ...base, mode, data: entry.data };
  }
  return { ...base, mode, major: entry.major, minor: entry.minor };
}

/** A header, the NUL-terminated path, the data; path and data each end on a 4-byte boundary. */
function recordSize(record: CpioRecord): number {
  return alignUp(HEADER_SIZE + record.path.length + 1, 4) + alignUp(record.data.length, 4);
}

function writeRecord(target: Uint8Array, record: CpioRecord): void {
  const pathSize = record.path.length + 1;
  const fields = [
    record.inode,
    record.mode,
    0, // uid
    0, // gid
    record.links,
    0, // mtime
    record.data.length,
    0, // major of the device the file was on
    0, // minor of the same
    record.major,
    record.minor,
    pathSize,
    0, // checksum, used by the "070702" variant only
  ];
  const header = '070701' + fields.map((value) => value.toString(16).padStart(8, '0')).join('');
  target.set(encode(header), 0);
  target.set(record.path, HEADER_SIZE);
  target.set(record.data, alignUp(HEADER_SIZE + pathSize, 4));
}

function checkPaths(entries: readonly CpioEntry[]): void {
  const seen = new Set<string>();
  const directories = new Set<string>(['']);
  for (const { path, type } of entries) {
    const parts = path.split('/');
    if (path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw new CpioError(`"${path}": not a plain relative path`);
    }
    if (seen.has(path)) throw new CpioError(`"${path}" is there twice`);
    const parent = parts.slice(0, -1).join('/');
    if (!directories.has(parent)) {
      throw new CpioError(`"${path}" comes before its directory "${parent}"`);
    }
    seen.add(path);
    if (type === 'directory') directories.add(path);
  }
}

function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
