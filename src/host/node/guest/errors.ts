// The one error of the default guest's makers, and the words that tell a user what to do about it.
//
// Invariant: a message is one line, and complete without the stack.

import { IsolaError } from '../../../std/error.ts';

export type GuestUnavailableReason =
  | 'architecture' // there is no default guest for this architecture
  | 'no-apt' // the machine has no apt or dpkg-deb
  | 'no-source' // apt has no Debian source, or Debian's archive keys are missing
  | 'network' // the mirror does not answer
  | 'no-space' // the disk is full
  | 'verification' // apt could not verify a signature or checksum
  | 'cache' // the cache directory cannot be used
  | 'package'; // a package is missing or not laid out as expected

/**
 * The default guest could not be provided; `reason` says why in one word, the message in one line.
 */
export class GuestUnavailableError extends IsolaError {
  override readonly name = 'GuestUnavailableError';
  readonly reason: GuestUnavailableReason;

  constructor(reason: GuestUnavailableReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The code of a system error ("ENOENT"), undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What a user can do who cannot have the default guest. */
export const bringYourOwn =
  'pass a kernel and an initial RAM file system with --kernel and --initrd';
