// What a block device keeps its data in. `host` and the overlay implement it; the device only knows
// this.
//
// Invariants: offsets and lengths are within the store; arrays given to a store are never shared
// memory, and the caller leaves them alone until the promise settles. Operations may run at the
// same time; the order of those that overlap is the caller's business. A rejected promise is an I/O
// error, after which the store stays usable.

/** Random access to a fixed number of bytes. */
export interface BlockStore {
  /** Bytes; a multiple of 512. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Fills `target` from `offset`. */
  read(offset: number, target: Uint8Array): Promise<void>;
  /** Stores `source` at `offset`; it may be lost in a crash until `flush`. */
  write(offset: number, source: Uint8Array): Promise<void>;
  /** Makes everything durable that was written before the call. */
  flush(): Promise<void>;
  /** Flushes and lets go of resources; the store is not used afterwards. */
  close(): Promise<void>;
  /** Makes a range read as zeros without storing them, where the store can do that. */
  zero?(offset: number, length: number): Promise<void>;
}

/** Bytes of a sector, the unit of a store's size. */
export const SECTOR_BYTES = 512;
