// The base of every error that a user of Isola can meet: a wrong option, a damaged file, a host that cannot do what
// is asked.
//
// Invariant: the message is one line that is complete without the stack and says what to do. What is not of this
// class is a mistake in Isola itself.

/** Base of all errors of this library's public interface. */
export class IsolaError extends Error {
  override readonly name: string = 'IsolaError';
}
