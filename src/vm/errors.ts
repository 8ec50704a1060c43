// Errors that users of a VM can meet, by class. Each message is one line that says what to do.

import { IsolaError } from '../std/error.ts';

/** Options that no VM can be made from. */
export class VmOptionsError extends IsolaError {
  override readonly name: string = 'VmOptionsError';
}

/** The VM cannot go on: a device of the host failed, or the guest asked for something that does not exist. */
export class VmFailedError extends IsolaError {
  override readonly name: string = 'VmFailedError';
}

/** The VM is not in a state for this call, e.g. it has ended. */
export class VmStateError extends IsolaError {
  override readonly name: string = 'VmStateError';
}

/** Something did not happen in time. */
export class TimeoutError extends IsolaError {
  override readonly name: string = 'TimeoutError';
}
