// A raw disk image in a file: the block store of Node.
//
// A file that cannot be opened for writing is opened read-only, with a warning. Bytes behind the
// last whole sector cannot be addressed by a guest; they are left out, with a warning, and never
// changed. An error of the file system rejects the operation, which the guest sees as an I/O error,
// and the first one is also told to the host: a full disk should not look like a guest's problem.
// Every transfer is complete or fails: short reads and writes are continued. Invariant: arrays are
// never shared memory (the contract of BlockStore).

import { IsolaError } from '../../std/error.ts';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { SECTOR_BYTES } from '../../device/virtio/block/store.ts';
import type { BlockStore } from '../../device/virtio/block/store.ts';

/**
 * A disk image that cannot be used, or an operation on it that failed; `cause` is the system's
 * error.
 */
export class BlockFileError extends IsolaError {
  override readonly name = 'BlockFileError';
}

export interface BlockFileOptions {
  /** Never write, even if the file could be written. */
  readonly readOnly?: boolean;
  /** Hears of the first operation that fails, and of no other. */
  readonly onError?: (error: BlockFileError) => void;
  /** Hears what is unusual about the file when it is opened. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Opens the raw image at `path`. Throws {@link BlockFileError} if there is none or it cannot be a
 * disk.
 */
export async function openBlockFile(
  path: string,
  options: BlockFileOptions = {},
): Promise<BlockStore> {
  const { handle, readOnly } = await openHandle(path, options);
  try {
    const size = await sizeOf(path, handle, options);
    return fileStore(path, handle, { size, readOnly, onError: options.onError });
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Opens the file at `path` for changes of an overlay, creating it if there is none and extending
 * it, sparsely, to `bytes`. Throws {@link BlockFileError}.
 */
export async function openOverlayFile(
  path: string,
  bytes: number,
  options: Pick<BlockFileOptions, 'onError'> = {},
): Promise<BlockStore> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
  } catch (error) {
    throw openError(path, error);
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new BlockFileError(`${path} is not a regular file`);
    const size = Math.max(stat.size, Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES);
    if (stat.size < size) await handle.truncate(size);
    return fileStore(path, handle, { size, readOnly: false, onError: options.onError });
  } catch (error) {
    await handle.close();
    if (error instanceof BlockFileError) throw error;
    throw new BlockFileError(`${path} cannot be extended to ${bytes} bytes: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function openHandle(path: string, options: BlockFileOptions) {
  if (options.readOnly !== true) {
    try {
      return { handle: await open(path, 'r+'), readOnly: false };
    } catch (error) {
      if (!['EACCES', 'EPERM', 'EROFS', 'ETXTBSY'].includes(codeOf(error)))
        throw openError(path, error);
    }
  }
  try {
    const handle = await open(path, 'r');
    if (options.readOnly !== true)
      options.onWarning?.(`${path} is not writable: the disk is read-only`);
    return { handle, readOnly: true };
  } catch (error) {
    throw openError(path, error);
  }
}

async function sizeOf(
  path: string,
  handle: FileHandle,
  options: BlockFileOptions,
): Promise<number> {
  const stat = await handle.stat();
  if (stat.isDirectory()) throw openError(path, { code: 'EISDIR' });
  if (!stat.isFile())
    throw new BlockFileError(`${path} is not a regular file: give a raw disk image`);
  const size = stat.size - (stat.size % SECTOR_BYTES);
  if (size === 0) {
    throw new BlockFileError(`${path} has ${stat.size} bytes: a disk has at least ${SECTOR_BYTES}`);
  }
  if (size !== stat.size) {
    const rest = stat.size - size;
    options.onWarning?.(
      `${path} does not end with a sector: the guest does not see its last ${rest} bytes`,
    );
  }
  return size;
}

function fileStore(
  path: string,
  handle: FileHandle,
  {
    size,
    readOnly,
    onError,
  }: { size: number; readOnly: boolean; onError: BlockFileOptions['onError'] },
): BlockStore {
  let told = false;
  /** Runs `operation`; an error is told once and thrown as ours. */
  const attempt = async (what: string, operation: () => Promise<void>): Promise<void> => {
    try {
      await operation();
    } catch (cause) {
      const error = new BlockFileError(`${path} cannot be ${what}: ${reasonOf(cause)}`, { cause });
      if (!told) onError?.(error);
      told = true;
      throw error;
    }
  };
  const flush = () => attempt('flushed', () => handle.datasync());
  return {
    size,
    readOnly,
    flush,
    read: (offset, target) => attempt('read', () => readAll(handle, offset, target)),
    write: (offset, source) => attempt('written', () => writeAll(handle, offset, source)),
    async close() {
      try {
        if (!readOnly) await flush();
      } finally {
        await handle.close();
      }
    },
  };
}

/** Reads until `target` is full; what a shrunken file no longer has is an error. */
async function readAll(handle: FileHandle, offset: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length;) {
    const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
    if (bytesRead === 0) throw new Error(`it ends at byte ${offset + done}; it was truncated`);
    done += bytesRead;
  }
}

async function writeAll(handle: FileHandle, offset: number, source: Uint8Array): Promise<void> {
  for (let done = 0; done < source.length;) {
    const { bytesWritten } = await handle.write(source, done, source.length - done, offset + done);
    done += bytesWritten;
  }
}

function openError(path: string, error: unknown): BlockFileError {
  const messages: Record<string, string> = {
    ENOENT: `there is no disk image ${path}: check the path`,
    EISDIR: `${path} is a directory: give a raw disk image`,
    EACCES: `${path} may not be read: check its permissions`,
  };
  const message = messages[codeOf(error)] ?? `${path} cannot be opened: ${reasonOf(error)}`;
  return new BlockFileError(message, { cause: error });
}

/** The system's code of an error, or an empty text. */
function codeOf(error: unknown): string {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function reasonOf(error: unknown): string {
  if (codeOf(error) === 'ENOSPC') return 'no space is left on its file system';
  return error instanceof Error ? error.message : String(error);
}
