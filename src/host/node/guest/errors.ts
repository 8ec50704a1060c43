import { IsolaError } from '../../../std/error.ts';
// The one error of the default guest's makers, and the words that tell a user what to do about it.
import { IsolaError } from '../../../std/error.ts';
//
import { IsolaError } from '../../../std/error.ts';
// Invariant: a message is one line, and complete without the stack.
import { IsolaError } from '../../../std/error.ts';

import { IsolaError } from '../../../std/error.ts';
export type GuestUnavailableReason =
import { IsolaError } from '../../../std/error.ts';
  | 'architecture' // there is no default guest for this architecture
import { IsolaError } from '../../../std/error.ts';
  | 'no-apt' // the machine has no apt or dpkg-deb
import { IsolaError } from '../../../std/error.ts';
  | 'no-source' // apt has no Debian source, or Debian's archive keys are missing
import { IsolaError } from '../../../std/error.ts';
  | 'network' // the mirror does not answer
import { IsolaError } from '../../../std/error.ts';
  | 'no-space' // the disk is full
import { IsolaError } from '../../../std/error.ts';
  | 'verification' // apt could not verify a signature or checksum
import { IsolaError } from '../../../std/error.ts';
  | 'cache' // the cache directory cannot be used
import { IsolaError } from '../../../std/error.ts';
  | 'package'; // a package is missing or not laid out as expected
import { IsolaError } from '../../../std/error.ts';

import { IsolaError } from '../../../std/error.ts';
/**
import { IsolaError } from '../../../std/error.ts';
 * The default guest could not be provided; `reason` says why in one word, the message in one line.
import { IsolaError } from '../../../std/error.ts';
 */
import { IsolaError } from '../../../std/error.ts';
export class GuestUnavailableError extends IsolaError {
import { IsolaError } from '../../../std/error.ts';
  override readonly name = 'GuestUnavailableError';
import { IsolaError } from '../../../std/error.ts';
  readonly reason: GuestUnavailableReason;
import { IsolaError } from '../../../std/error.ts';

import { IsolaError } from '../../../std/error.ts';
  constructor(reason: GuestUnavailableReason, message: string, options?: ErrorOptions) {
import { IsolaError } from '../../../std/error.ts';
    super(message, options);
import { IsolaError } from '../../../std/error.ts';
    this.reason = reason;
import { IsolaError } from '../../../std/error.ts';
  }
import { IsolaError } from '../../../std/error.ts';
}
import { IsolaError } from '../../../std/error.ts';

import { IsolaError } from '../../../std/error.ts';
/** The code of a system error ("ENOENT"), undefined for any other value. */
import { IsolaError } from '../../../std/error.ts';
export function errorCode(error: unknown): string | undefined {
import { IsolaError } from '../../../std/error.ts';
  if (!(error instanceof Error) || !('code' in error)) return undefined;
import { IsolaError } from '../../../std/error.ts';
  return typeof error.code === 'string' ? error.code : undefined;
import { IsolaError } from '../../../std/error.ts';
}
import { IsolaError } from '../../../std/error.ts';

import { IsolaError } from '../../../std/error.ts';
/** What a user can do who cannot have the default guest. */
import { IsolaError } from '../../../std/error.ts';
export const bringYourOwn =
import { IsolaError } from '../../../std/error.ts';
  'pass a kernel and an initial RAM file system with --kernel and --initrd';
