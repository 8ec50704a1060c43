// Disks as users give them (a raw image or a store, read-only or with an overlay) made into block stores.
//
// Invariant: if one disk cannot be opened, those opened before it are closed again. The user hears of the first
// failed operation of each disk once, as a warning, when it happens, and again in the VM's end: the guest sees only
// I/O errors.

import { memoryDelta } from '../../device/virtio/block/memory-delta.ts';
import { overlay } from '../../device/virtio/block/overlay.ts';
import type { BlockStore } from '../../device/virtio/block/store.ts';
import {
  OverlayError,
  storedDelta,
  storedDeltaBytes,
} from '../../device/virtio/block/stored-delta.ts';
import { VmFailedError, VmOptionsError } from '../../vm/errors.ts';
import { openBlockFile, openOverlayFile } from './block-file.ts';

/** A disk of a VM: what it holds, and whether and where changes go. */
export type DiskOptions = {
  readonly readOnly?: boolean;
  /** Leave the image alone and keep changes in memory, for this run only, or in this file. */
  readonly overlay?: 'memory' | { readonly path: string };
} & (
  | { /** A raw disk image. */ readonly path: string }
  | { /** A store of your own; closed when the VM ends. */ readonly store: BlockStore }
);

export interface Disks {
  readonly stores: readonly BlockStore[];
  /** Closes all; rejects with the first failure that any disk ever had. */
  close(): Promise<void>;
}

/** Opens disks. Throws BlockFileError, OverlayError, VmOptionsError. */
export async function openDisks(
  options: readonly DiskOptions[],
  warn: (message: string) => void,
): Promise<Disks> {
  const stores: BlockStore[] = [];
  let failed: Error | undefined;
  const onError = (error: Error): void => {
    failed ??= error;
    warn(error.message);
  };
  const close = async (): Promise<void> => {
    const closed = await Promise.allSettled(stores.map((store) => store.close()));
    const refused = closed.find((result) => result.status === 'rejected');
    const cause: unknown = failed ?? refused?.reason;
    if (cause instanceof Error) {
      throw new VmFailedError(`a disk is not complete: ${cause.message}`, { cause });
    }
  };
  try {
    for (const disk of options) stores.push(await openDisk(disk, { onError, onWarning: warn }));
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
  return { stores, close };
}

/** The same store, but closing it only flushes it: for a disk that outlives the VM. */
export function keptOpen(store: BlockStore): BlockStore {
  return { ...operations(store), close: () => store.flush() };
}

/** A store as a plain object, whatever class it is of. */
function operations(store: BlockStore): BlockStore {
  const zero = store.zero?.bind(store);
  return {
    size: store.size,
    readOnly: store.readOnly,
    read: (offset, target) => store.read(offset, target),
    write: (offset, source) => store.write(offset, source),
    flush: () => store.flush(),
    close: () => store.close(),
    ...(zero && { zero }),
  };
}

interface Listeners {
  readonly onError: (error: Error) => void;
  readonly onWarning: (message: string) => void;
}

async function openDisk(disk: DiskOptions, listeners: Listeners): Promise<BlockStore> {
  const { readOnly, overlay: changes } = disk;
  if (readOnly === true && changes !== undefined) {
    throw new VmOptionsError('a read-only disk has no changes: leave out its overlay or readOnly');
  }
  const base = await openBase(disk, listeners);
  if (changes === undefined) return base;
  try {
    if (changes === 'memory') return overlay(base, memoryDelta(base.size));
    return await overlayFile(base, changes.path, listeners);
  } catch (error) {
    await base.close();
    throw error;
  }
}

async function openBase(disk: DiskOptions, listeners: Listeners): Promise<BlockStore> {
  const readOnly = disk.readOnly === true || disk.overlay !== undefined;
  if ('path' in disk) return openBlockFile(disk.path, { readOnly, ...listeners });
  return watched(disk.store, readOnly || disk.store.readOnly, listeners.onError);
}

/** A store of the user's whose first failure is told, as that of a file is. */
function watched(store: BlockStore, readOnly: boolean, onError: Listeners['onError']): BlockStore {
  let told = false;
  const watch = async (operation: Promise<void>): Promise<void> => {
    try {
      await operation;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (!told) onError(error);
      told = true;
      throw error;
    }
  };
  const zero = store.zero?.bind(store);
  return {
    size: store.size,
    readOnly,
    read: (offset, target) => watch(store.read(offset, target)),
    write: (offset, source) => watch(store.write(offset, source)),
    flush: () => watch(store.flush()),
    close: () => store.close(),
    ...(zero && { zero: (offset: number, length: number) => watch(zero(offset, length)) }),
  };
}

async function overlayFile(
  base: BlockStore,
  path: string,
  { onError }: Listeners,
): Promise<BlockStore> {
  const file = await openOverlayFile(path, storedDeltaBytes(base.size), { onError });
  try {
    return overlay(base, await storedDelta(file, base.size));
  } catch (error) {
    await file.close().catch(() => undefined);
    if (!(error instanceof OverlayError)) throw error;
    throw new VmOptionsError(`${path} cannot be used as overlay: ${error.message}`, {
      cause: error,
    });
  }
}
