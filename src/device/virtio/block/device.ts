// Block device: VIRTIO 1.2, section 5.2.
//
// Requests run asynchronously, many at a time, and complete in any order. Data passes through
// private buffers, piece by piece, so that a request whose queue was reset meanwhile can no longer
// touch guest memory, and a store never sees shared memory. After a reset new requests wait until
// the old ones have settled in the store, so that no old write lands after a new one. A snapshot
// lists the requests in flight; restoring does them again, which is harmless because none was
// completed. Invariants: at most `IN_FLIGHT` requests are in the store; an error of the store is an
// I/O error of the guest, never an exception.

import { SavedStateError } from '../../device.ts';
import { fromSaved } from '../../saved-state.ts';
import type { Chain } from '../queue.ts';
import { readConfigBytes } from '../virtio.ts';
import type { VirtioDevice, VirtioInstance, VirtioTransport } from '../virtio.ts';
import { blockConfig, blockFeatures, FLUSH, RANGES_MAX, RANGE_SECTORS_MAX } from './config.ts';
import { SECTOR_BYTES } from './store.ts';
import type { BlockStore } from './store.ts';

const QUEUE_SIZE = 256;
const IN_FLIGHT = 64;
/** Bytes moved at a time, and how many buffers of that size are kept for reuse. */
const PIECE_BYTES = 256 * 1024;
const SPARE_BUFFERS = 8;

const REQUEST = { in: 0, out: 1, flush: 4, id: 8, discard: 11, writeZeroes: 13 } as const;
const STATUS = { ok: 0, ioError: 1, unsupported: 2 } as const;
type Status = (typeof STATUS)[keyof typeof STATUS];

const HEADER_BYTES = 16;
const ID_BYTES = 20;
const RANGE_BYTES = 16;
/** Flag of a range to be zeroed: its storage may be given up. */
const UNMAP = 1;

export interface VirtioBlockOptions {
  /** Serial number that the guest sees: ASCII, 20 characters at most. */
  readonly id?: string;
}

/** A disk whose contents are in `store`; read-only if the store is. */
export function virtioBlock(store: BlockStore, { id = '' }: VirtioBlockOptions = {}): VirtioDevice {
  return {
    kind: 'virtio-blk',
    deviceId: 2,
    features: blockFeatures(store),
    queueSizes: [QUEUE_SIZE],
    create: (transport) => new BlockDevice(store, id, transport),
  };
}

interface Request {
  readonly chain: Chain;
  readonly type: number;
  readonly sector: number;
  /** Bytes of data, in the direction of the request. */
  readonly dataBytes: number;
}

class BlockDevice implements VirtioInstance {
  readonly #store: BlockStore;
  readonly #id: string;
  readonly #transport: VirtioTransport;
  readonly #config: Uint8Array;
  readonly #active = new Set<Chain>();
  readonly #spare: Uint8Array[] = [];
  #idle: (() => void)[] = [];
  /** Requests of a snapshot that are to be done again. */
  #again: number[] = [];

  constructor(store: BlockStore, id: string, transport: VirtioTransport) {
    this.#store = store;
    this.#id = id;
    this.#transport = transport;
    this.#config = blockConfig(store, QUEUE_SIZE);
  }

  readConfig(offset: number, size: 1 | 2 | 4): number {
    return readConfigBytes(this.#config, offset, size);
  }

  /** Starts requests until there are none, or as many run as may. */
  notify(): void {
    for (const chain of this.#active) if (!chain.live) return;
    while (this.#active.size < IN_FLIGHT) {
      const chain = this.#next();
      if (!chain) return;
      const request = parse(chain);
      if (!request) {
        this.#transport.fail();
        return;
      }
      this.#active.add(chain);
      void this.#run(request);
    }
  }

  reset(): void {
    this.#again = [];
  }

  save() {
    const live = [...this.#active].filter((chain) => chain.live).map((chain) => chain.head);
    return { inFlight: [...live, ...this.#again] };
  }

  restore(saved: Parameters<NonNullable<VirtioInstance['restore']>>[0]): void {
    const { inFlight } = fromSaved({ inFlight: [] as number[] }, saved, 'virtio-blk');
    if (inFlight.length > QUEUE_SIZE) {
      throw new SavedStateError('virtio-blk has more requests in flight than its queue holds');
    }
    this.#again = inFlight;
  }

  resume(): void {
    this.notify();
  }

  async idle(): Promise<void> {
    if (this.#active.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #next(): Chain | undefined {
    const queue = this.#transport.queues[0];
    const head = this.#again.shift();
    return head === undefined ? queue?.pop() : queue?.chainAt(head);
  }

  async #run(request: Request): Promise<void> {
    const { chain, type } = request;
    let status: Status;
    try {
      status = await this.#perform(request);
    } catch {
      // The store has told the host; the guest learns that the request failed.
      status = STATUS.ioError;
    }
    this.#active.delete(chain);
    chain.write(chain.writableBytes - 1, Uint8Array.of(status));
    chain.complete(type === REQUEST.in || type === REQUEST.id ? chain.writableBytes : 1);
    this.notify();
    if (this.#active.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }

  async #perform(request: Request): Promise<Status> {
    switch (request.type) {
      case REQUEST.in:
      case REQUEST.out:
        return this.#transfer(request);
      case REQUEST.flush:
        await this.#store.flush();
        return STATUS.ok;
      case REQUEST.id: {
        const text = new TextEncoder().encode(this.#id);
        const bytes = new Uint8Array(Math.min(ID_BYTES, request.dataBytes));
        bytes.set(text.subarray(0, bytes.length));
        request.chain.write(0, bytes);
        return STATUS.ok;
      }
      case REQUEST.discard:
      case REQUEST.writeZeroes:
        return this.#zeroRanges(request);
      default:
        return STATUS.unsupported;
    }
  }

  async #transfer({ chain, type, sector, dataBytes }: Request): Promise<Status> {
    const start = sector * SECTOR_BYTES;
    if (dataBytes % SECTOR_BYTES !== 0 || start + dataBytes > this.#store.size)
      return STATUS.ioError;
    if (type === REQUEST.out && this.#store.readOnly) return STATUS.ioError;
    const large = dataBytes >= PIECE_BYTES;
    const buffer =
      (large ? this.#spare.pop() : undefined) ?? new Uint8Array(large ? PIECE_BYTES : dataBytes);
    try {
      for (let done = 0; done < dataBytes && chain.live; done += PIECE_BYTES) {
        const piece = buffer.subarray(0, Math.min(PIECE_BYTES, dataBytes - done));
        if (type === REQUEST.in) {
          await this.#store.read(start + done, piece);
          chain.write(done, piece);
        } else {
          chain.read(HEADER_BYTES + done, piece);
          await this.#store.write(start + done, piece);
        }
      }
    } finally {
      if (large && this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
    }
    if (type === REQUEST.out) await this.#flushUnlessAgreed();
    return STATUS.ok;
  }

  /** A driver that does not know of FLUSH expects completed writes to be durable (5.2.6.2). */
  async #flushUnlessAgreed(): Promise<void> {
    if ((this.#transport.features() & FLUSH) === 0n) await this.#store.flush();
  }

  /**
   * Discards or zeroes the ranges that the request lists; discarding zeroes what the store can zero
   * cheaply.
   */
  async #zeroRanges({ chain, type, dataBytes }: Request): Promise<Status> {
    const discard = type === REQUEST.discard;
    if (this.#store.readOnly) return STATUS.ioError;
    if (dataBytes % RANGE_BYTES !== 0 || dataBytes > RANGES_MAX * RANGE_BYTES)
      return STATUS.ioError;
    const bytes = new Uint8Array(dataBytes);
    chain.read(HEADER_BYTES, bytes);
    const fields = new DataView(bytes.buffer);
    for (let at = 0; at < dataBytes; at += RANGE_BYTES) {
      const flags = fields.getUint32(at + 12, true);
      if ((flags & ~(discard ? 0 : UNMAP)) !== 0) return STATUS.unsupported;
      const start = Number(fields.getBigUint64(at, true)) * SECTOR_BYTES;
      const sectors = fields.getUint32(at + 8, true);
      const length = sectors * SECTOR_BYTES;
      if (sectors > RANGE_SECTORS_MAX || start + length > this.#store.size) return STATUS.ioError;
      if (this.#store.zero) await this.#store.zero(start, length);
      else if (!discard) await this.#writeZeros(chain, start, length);
    }
    await this.#flushUnlessAgreed();
    return STATUS.ok;
  }

  async #writeZeros(chain: Chain, start: number, length: number): Promise<void> {
    const zeros = new Uint8Array(Math.min(length, PIECE_BYTES));
    for (let done = 0; done < length && chain.live; done += PIECE_BYTES) {
      await this.#store.write(
        start + done,
        zeros.subarray(0, Math.min(PIECE_BYTES, length - done)),
      );
    }
  }
}

/**
 * Reads a request's header; undefined if it has none or no room for the status. Framing is free
 * (2.7.4).
 */
function parse(chain: Chain): Request | undefined {
  if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < 1) return undefined;
  const header = new Uint8Array(HEADER_BYTES);
  chain.read(0, header);
  const fields = new DataView(header.buffer);
  const type = fields.getUint32(0, true);
  const fromGuest =
    type === REQUEST.out || type === REQUEST.discard || type === REQUEST.writeZeroes;
  return {
    chain,
    type,
    sector: Number(fields.getBigUint64(8, true)),
    dataBytes: fromGuest ? chain.readableBytes - HEADER_BYTES : chain.writableBytes - 1,
  };
}
