// What differs between the guest architectures when a default guest is put together: one row each.
//
// `kernelPackage` is the meta package that depends on the kernel of the day. `bootModules` are
// loaded at each start; `modules` are carried too, and loaded when something asks for them. Both
// name only what is wanted: what these depend on is read from the modules themselves.

export interface GuestArchitecture {
  /** Debian's name of the architecture. */
  readonly debian: string;
  readonly kernelPackage: string;
  readonly bootModules: readonly string[];
  readonly modules: readonly string[];
}

const bootModules = ['virtio_mmio', 'virtio_blk', 'virtio_rng'];

// ext4 asks the crypto layer for "crc32c" at mount time; crc32c_generic answers without any
// instruction-set extension.
const modules = ['crc32c_generic', 'ext4'];

/** The rows, keyed by the name that users give to `--arch`. */
export const guestArchitectures: Readonly<Record<string, GuestArchitecture>> = {
  riscv64: { debian: 'riscv64', kernelPackage: 'linux-image-riscv64', bootModules, modules },
  arm64: { debian: 'arm64', kernelPackage: 'linux-image-arm64', bootModules, modules },
  'x86-64': { debian: 'amd64', kernelPackage: 'linux-image-amd64', bootModules, modules },
};

/** The Debian release whose packages make the guest. */
export const GUEST_SUITE = 'trixie';
export const BUSYBOX_PACKAGE = 'busybox-static';

/**
 * How the first line begins that the guest's own first process prints. What is typed before would be echoed at a wrong
 * place.
 */
export const GUEST_READY: RegExp = /^isola: /m;
