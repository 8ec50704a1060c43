// Entropy device: VIRTIO 1.2, section 5.4. One queue; every buffer is filled from the machine's
// randomness.
//
// A buffer may be filled in part, so one request yields 4 KiB at most, whatever its length.

import type { VirtioDevice, VirtioInstance } from '../virtio.ts';

const REQUEST_BYTES = 4096;

/** A source of entropy for the guest. */
export function virtioRng(): VirtioDevice {
  return {
    kind: 'virtio-rng',
    deviceId: 4,
    features: 0n,
    queueSizes: [64],
    create(transport): VirtioInstance {
      const { queues } = transport;
      return {
        readConfig: () => 0,
        notify(index) {
          for (let chain = queues[index]?.pop(); chain; chain = queues[index]?.pop()) {
            const bytes = new Uint8Array(Math.min(chain.writableBytes, REQUEST_BYTES));
            transport.random(bytes);
            chain.complete(chain.write(0, bytes));
          }
        },
        reset() {},
      };
    },
  };
}
