/**
 * Assertions: statements about this program that can only be false if the program is wrong.
 * They are never used for input, for host errors or for anything a guest can cause; those have
 * their own `Error` classes or are values. A failed assertion therefore means a bug to report.
 */

/** A broken invariant of this program. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/** Throws {@link AssertionError} with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/**
 * Marks the end of an exhaustive case distinction: the compiler accepts the call only if every
 * case has been handled, and at run time it throws {@link AssertionError}.
 */
export function unreachable(x: never): never {
  throw new AssertionError(`unreachable case: ${String(x)}`);
}
