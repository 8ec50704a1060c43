// Console device: VIRTIO 1.2, section 5.3, one port (no MULTIPORT) with a size and emergency
// writes.
//
// Queue 0 carries input, queue 1 output. Input waits in the device until the guest offers buffers;
// see serial.ts for how much. It outlives a reset, which every driver does when it begins: what was
// typed before is not lost. Output goes to the host in the pieces in which the guest sends it.

import { SerialInput } from '../../serial.ts';
import type { SerialBackend } from '../../serial.ts';
import { fromSaved } from '../../saved-state.ts';
import { readConfigBytes } from '../virtio.ts';
import type { VirtioDevice, VirtioInstance, VirtioTransport } from '../virtio.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const SIZE = 1n << 0n;
const EMERGENCY_WRITE = 1n << 2n;
const EMERGENCY_WRITE_AT = 8;
/** Bytes that one request may send; Linux sends pages. More counts as a broken driver. */
const REQUEST_BYTES = 1 << 20;

/** A console at work. */
export interface VirtioConsoleInstance extends VirtioInstance {
  /** Queues input for the guest and returns how many of the bytes it took, from the first on. */
  receive(bytes: Uint8Array): number;
  /** Tells the guest the size of the terminal in characters, 1 to 65535. */
  resize(columns: number, rows: number): void;
}

/** A console whose other end is `backend`. */
export function virtioConsole(backend: SerialBackend): VirtioDevice<VirtioConsoleInstance> {
  return {
    kind: 'virtio-console',
    deviceId: 3,
    features: SIZE | EMERGENCY_WRITE,
    queueSizes: [64, 64],
    create: (transport) => create(backend, transport),
  };
}

function create(backend: SerialBackend, transport: VirtioTransport): VirtioConsoleInstance {
  const { queues } = transport;
  const input = new SerialInput(backend.ready?.bind(backend));
  const config = new Uint8Array(12);
  const fields = new DataView(config.buffer);
  fields.setUint16(0, 80, true);
  fields.setUint16(2, 25, true);
  fields.setUint32(4, 1, true);

  const deliver = (): void => {
    while (input.length > 0) {
      const chain = queues[RECEIVE]?.pop();
      if (!chain) break;
      chain.complete(chain.write(0, input.take(chain.writableBytes)));
    }
    input.refill();
  };
  const send = (): void => {
    for (let chain = queues[TRANSMIT]?.pop(); chain; chain = queues[TRANSMIT]?.pop()) {
      if (chain.readableBytes > REQUEST_BYTES) {
        transport.fail();
        return;
      }
      const bytes = new Uint8Array(chain.readableBytes);
      chain.read(0, bytes);
      chain.complete(0);
      if (bytes.length > 0) backend.output(bytes);
    }
  };
  return {
    readConfig: (offset, size) => readConfigBytes(config, offset, size),
    writeConfig(offset, _, value) {
      if (offset === EMERGENCY_WRITE_AT) backend.output(Uint8Array.of(value));
    },
    notify: (index) => (index === RECEIVE ? deliver() : send()),
    reset() {},
    save: () => ({ input: input.contents(), config: [...config] }),
    restore(saved) {
      const template = { input: [] as number[], config: [...config] };
      const state = fromSaved(template, saved, 'virtio-console');
      input.replace(state.input);
      config.set(state.config);
    },
    resume: deliver,
    receive(bytes) {
      const taken = input.put(bytes);
      deliver();
      return taken;
    },
    resize(columns, rows) {
      fields.setUint16(0, columns, true);
      fields.setUint16(2, rows, true);
      transport.configChanged();
    },
  };
}
