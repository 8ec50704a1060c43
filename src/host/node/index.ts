// Isola as a library for Node: virtual machines from files, with the default guest where no kernel is given.
//
// A thin layer over src/vm, which is the same on every platform: it reads files, opens disks and puts devices in their
// slots. Invariant: whatever it opened is closed when the VM ends, or at once if the VM cannot be made.

import { readFile } from 'node:fs/promises';
import { virtioBlock } from '../../device/virtio/block/device.ts';
import { virtioMmio } from '../../device/virtio/mmio.ts';
import { virtioRng } from '../../device/virtio/rng/device.ts';
import { VmOptionsError } from '../../vm/errors.ts';
import type { Trace } from '../../vm/trace.ts';
import type { Architecture, MachineName } from '../../vm/machines.ts';
import { type EngineName, Vm as CoreVm } from '../../vm/vm.ts';
import { commandLine, type TerminalShape } from './command-line.ts';
import { type DiskOptions, openDisks } from './disks.ts';
import { type FetchProgress, fetchGuest, findGuest } from './guest/fetch.ts';
import { parseMemorySize } from './memory-size.ts';
import { createServices } from './services.ts';

export { ElfError } from '../../boot/elf.ts';
export { KernelError } from '../../boot/linux-image.ts';
export type { BlockStore } from '../../device/virtio/block/store.ts';
export { MachineError } from '../../machine/machine.ts';
export type { VmConsole, WaitOptions } from '../../vm/console.ts';
export { IsolaError } from '../../std/error.ts';
export { TimeoutError, VmFailedError, VmOptionsError, VmStateError } from '../../vm/errors.ts';
export type { Trace, TraceEvent, TraceKind } from '../../vm/trace.ts';
export type { Architecture, MachineName } from '../../vm/machines.ts';
export type { EngineName, VmEnd, VmStats } from '../../vm/vm.ts';
export { BlockFileError } from './block-file.ts';
export type { TerminalShape } from './command-line.ts';
export type { DiskOptions } from './disks.ts';
export { GuestUnavailableError } from './guest/errors.ts';
export { type FetchProgress, fetchGuest, findGuest } from './guest/fetch.ts';

/** What a VM is made of; everything may be left out. */
export interface VmOptions {
  /** The guest's architecture. */
  readonly arch?: Architecture;
  /** `virt` boots Linux; `bare` runs an ELF executable from its entry point, in machine mode. */
  readonly machine?: MachineName;
  /** RAM, in bytes or as text like `512M` or `2G`; 512 MiB if absent. */
  readonly memory?: number | string;
  /** A Linux kernel (Image, plain or packed), by path or content; for `bare`, an ELF executable. */
  readonly kernel?: string | Uint8Array;
  /** Initial RAM file system, by path or content. */
  readonly initrd?: string | Uint8Array;
  /** Added to the kernel command line, which begins with `console=ttyS0 quiet`. */
  readonly append?: string;
  /** The terminal at the guest's console; a program or a pipe if absent. */
  readonly terminal?: TerminalShape;
  /** The guest sees them as /dev/vda, /dev/vdb, …; at most 7. */
  readonly disks?: readonly DiskOptions[];
  readonly engine?: EngineName;
  /** Most memory for decoded and translated code, in bytes or as text like `64M`; 128 MiB if absent. */
  readonly codeCache?: number | string;
  /** Whether translated code and devices count what they do, for `stats`; they are slower then. */
  readonly statistics?: boolean;
  /** Aborting it stops the VM, or the fetching of the default guest. */
  readonly signal?: AbortSignal;
  readonly trace?: Trace;
  /** Hears how the default guest is fetched, when it is. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Hears one line of what the user should know: a disk that is only readable, or that cannot be written. */
  readonly onWarning?: (message: string) => void;
}

/**
 * A virtual machine. Without a kernel it boots the default guest, a small Linux, which is fetched on first use.
 *
 *     import { Vm } from 'isola';
 *
 *     await using vm = await Vm.create({ memory: '512M', disks: [{ path: 'disk.img' }] });
 *     vm.start();
 *     await vm.waitFor('# ');
 *     await vm.write('uname -a; poweroff\n');
 *     const end = await vm.ended; // { reason: 'poweroff', code: 0 }
 *
 * `vm.console` has web streams: `readable` for what the guest prints, `writable` for what it reads.
 */
export const Vm = {
  /**
   * Makes a VM that has not started. Throws VmOptionsError, KernelError, ElfError, MachineError, BlockFileError,
   * GuestUnavailableError, or the reason of the signal.
   */
  async create(options: VmOptions = {}): Promise<CoreVm> {
    const { signal, memory, machine = 'virt', engine, statistics, trace } = options;
    const memoryBytes = bytesOf(memory);
    const codeCacheBytes = bytesOf(options.codeCache);
    const { kernel, initrd } = await loadSoftware(options, machine);
    const disks = await openDisks(options.disks ?? [], options.onWarning ?? (() => undefined));
    const devices = disks.stores.map((store) => virtioMmio(virtioBlock(store)));
    devices.push(virtioMmio(virtioRng()));
    try {
      const vm = await CoreVm.create(
        {
          ...(options.arch && { arch: options.arch }),
          machine,
          kernel,
          devices,
          append: commandLine(options.append, options.terminal),
          release: () => disks.close(),
          ...(initrd && { initrd }),
          ...(memoryBytes !== undefined && { memoryBytes }),
          ...(codeCacheBytes !== undefined && { codeCacheBytes }),
          ...(engine && { engine }),
          ...(statistics && { statistics }),
          ...(signal && { signal }),
          ...(trace && { trace }),
        },
        createServices(),
      );
      if (kernel !== options.kernel) letGo(kernel);
      if (initrd !== undefined && initrd !== options.initrd) letGo(initrd);
      return vm;
    } catch (error) {
      await disks.close().catch(() => undefined);
      throw error;
    }
  },
};
export type Vm = CoreVm;

const bytesOf = (size: number | string | undefined): number | undefined =>
  typeof size === 'string' ? parseMemorySize(size) : size;

/** Gives the memory of a file's content back at once: it has been copied to the guest. */
function letGo(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

interface Software {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
}

async function loadSoftware(options: VmOptions, machine: MachineName): Promise<Software> {
  const { arch = 'riscv64', kernel, signal, onProgress } = options;
  const initrd = options.initrd;
  if (kernel !== undefined) {
    const bytes = await load(kernel, 'kernel');
    return initrd === undefined
      ? { kernel: bytes }
      : { kernel: bytes, initrd: await load(initrd, 'initrd') };
  }
  if (machine === 'bare') {
    throw new VmOptionsError('the bare machine runs an ELF executable: give one as the kernel');
  }
  const guest =
    (await findGuest({ arch })) ??
    (await fetchGuest({ arch, ...(signal && { signal }), ...(onProgress && { onProgress }) }));
  return {
    kernel: await load(guest.kernel, 'kernel'),
    initrd: await load(initrd ?? guest.initrd, 'initrd'),
  };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; check the path',
  EACCES: 'may not be read; check its permissions',
  EISDIR: 'is a directory; give a file',
};

async function load(source: string | Uint8Array, what: 'kernel' | 'initrd'): Promise<Uint8Array> {
  if (typeof source !== 'string') return source;
  try {
    return await readFile(source);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = reasons[code ?? ''] ?? `cannot be read: ${message}`;
    throw new VmOptionsError(`the ${what} ${source} ${reason}`, { cause });
  }
}
