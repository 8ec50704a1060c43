// Virtio over MMIO, version 2 (not the legacy one): VIRTIO 1.2, section 4.2; device life cycle:
// sections 2.1 and 3.1.
//
// The driver resets by writing 0 to the status and otherwise only adds bits: acknowledge, driver,
// features-ok (refused unless the features are a subset of those offered and include VERSION_1),
// driver-ok. Queues can be set up once features are agreed on, and while they are not ready. A
// driver that breaks the protocol gets DEVICE_NEEDS_RESET. Invariants: no buffer is taken before
// DRIVER_OK; after a reset no request of earlier times touches guest memory.

import { SavedStateError } from '../device.ts';
import type { Device, DeviceContext, DeviceInstance, SavedValue } from '../device.ts';
import { placedNode } from '../place.ts';
import { registerBlock } from '../register-block.ts';
import type { Live } from '../register-block.ts';
import { fromSaved, savedObject, toSaved } from '../saved-state.ts';
import { Virtqueue } from './queue.ts';
import type { QueueState } from './queue.ts';
import { feature } from './virtio.ts';
import type { VirtioDevice, VirtioInstance } from './virtio.ts';

const MAGIC = 0x7472_6976;
const VERSION = 2;
/** "ISOL": there is no registry of virtio-mmio vendors. */
const VENDOR = 0x4c4f_5349;
const TRANSPORT_FEATURES =
  feature.version1 | feature.indirectDescriptors | feature.eventIndex | feature.ringReset;

const STATUS = { driverOk: 4, featuresOk: 8, needsReset: 64, driverBits: 0x8f } as const;
const INTERRUPT = { used: 1, config: 2 } as const;

const initialState = () => ({ status: 0, interrupts: 0, driverFeatures: 0n, configGeneration: 0 });

interface Context extends DeviceContext {
  readonly device: VirtioDevice;
  readonly queues: readonly Virtqueue[];
  readonly instance: VirtioInstance;
}

type State = ReturnType<typeof initialState>;
type Mmio = Live<State, Context>;

/** A virtio device behind the MMIO transport, at work. */
export interface VirtioMmioInstance<Instance extends VirtioInstance> extends DeviceInstance {
  /** The device's own operations, for the host. */
  readonly virtio: Instance;
}

/** `device` behind the MMIO transport. */
export function virtioMmio<Instance extends VirtioInstance>(
  device: VirtioDevice<Instance>,
): Device<DeviceContext, VirtioMmioInstance<Instance>> {
  return {
    kind: device.kind,
    create: (context) => create(device, context),
    describe: (place) => [
      placedNode('virtio_mmio', place, ['virtio,mmio'], { 'dma-coherent': true }),
    ],
  };
}

function create<Instance extends VirtioInstance>(
  device: VirtioDevice<Instance>,
  context: DeviceContext,
): VirtioMmioInstance<Instance> {
  const { memory, clock } = context;
  const has = (bit: bigint) => (live.driverFeatures & bit) !== 0n;
  const host = {
    memory,
    ready: () => isReady(live),
    eventIndex: () => has(feature.eventIndex),
    indirect: () => has(feature.indirectDescriptors),
    interrupt: () => raise(live, INTERRUPT.used),
    broken: () => fail(live),
  };
  const queues = device.queueSizes.map((size) => new Virtqueue(size, host));
  const virtio = device.create({
    queues,
    clock,
    random: (bytes) => context.random(bytes),
    features: () => ((live.status & STATUS.featuresOk) !== 0 ? live.driverFeatures : 0n),
    configChanged: () => configChanged(live),
    fail: () => fail(live),
  });
  const instance = block.create({ ...context, device, queues, instance: virtio });
  const live: Mmio = instance.live;
  const idle = virtio.idle?.bind(virtio);
  return { ...instance, virtio, ...(idle && { idle }) };
}

const block = registerBlock<State, Context>('virtio-mmio', initialState)(
  {
    magic: { at: 0x000, only: 'read', read: () => MAGIC, doc: 'The text "virt".' },
    version: {
      at: 0x004,
      only: 'read',
      read: () => VERSION,
      doc: 'Version of the register layout.',
    },
    deviceId: {
      at: 0x008,
      only: 'read',
      read: (d) => d.device.deviceId,
      doc: 'Type of the device.',
    },
    vendorId: { at: 0x00c, only: 'read', read: () => VENDOR, doc: 'Vendor of the device.' },
    deviceFeatures: {
      at: 0x010,
      only: 'read',
      read: readFeatures,
      doc: 'A word of the offered features.',
    },
    deviceFeaturesSelect: {
      at: 0x014,
      only: 'write',
      doc: 'Which word of the offered features is read.',
    },
    driverFeatures: {
      at: 0x020,
      only: 'write',
      write: writeFeatures,
      doc: 'A word of the accepted features.',
    },
    driverFeaturesSelect: {
      at: 0x024,
      only: 'write',
      doc: 'Which word of the accepted features is written.',
    },
    queueSelect: { at: 0x030, only: 'write', doc: 'The queue that the queue registers mean.' },
    queueSizeMax: {
      at: 0x034,
      only: 'read',
      read: (d) => selected(d)?.sizeMax ?? 0,
      doc: 'Largest size of the queue; 0 if there is no such queue.',
    },
    queueSize: { at: 0x038, only: 'write', write: writeQueueSize, doc: 'Size of the queue.' },
    queueReady: {
      at: 0x044,
      read: (d) => Number(selected(d)?.state.ready ?? false),
      write: writeQueueReady,
      doc: 'Whether the queue works.',
    },
    queueNotify: {
      at: 0x050,
      only: 'write',
      write: notify,
      doc: 'Number of a queue with new buffers.',
    },
    interruptStatus: {
      at: 0x060,
      only: 'read',
      read: (d) => d.interrupts,
      doc: 'Reasons of the interrupt: used buffers, configuration.',
    },
    interruptAcknowledge: {
      at: 0x064,
      only: 'write',
      write: acknowledge,
      doc: 'Reasons that were dealt with.',
    },
    status: {
      at: 0x070,
      read: (d) => d.status,
      write: writeStatus,
      doc: 'Progress of the driver; 0 resets.',
    },
    queueDescriptorsLow: {
      at: 0x080,
      only: 'write',
      write: setAddress('descriptors', 'low'),
      doc: 'Descriptor table.',
    },
    queueDescriptorsHigh: {
      at: 0x084,
      only: 'write',
      write: setAddress('descriptors', 'high'),
      doc: 'Its high half.',
    },
    queueAvailableLow: {
      at: 0x090,
      only: 'write',
      write: setAddress('available', 'low'),
      doc: 'Available ring.',
    },
    queueAvailableHigh: {
      at: 0x094,
      only: 'write',
      write: setAddress('available', 'high'),
      doc: 'Its high half.',
    },
    queueUsedLow: { at: 0x0a0, only: 'write', write: setAddress('used', 'low'), doc: 'Used ring.' },
    queueUsedHigh: {
      at: 0x0a4,
      only: 'write',
      write: setAddress('used', 'high'),
      doc: 'Its high half.',
    },
    sharedMemory: {
      at: 0x0b0,
      count: 4,
      only: 'read',
      read: () => 0xffff_ffff,
      doc: 'Length and address of a shared memory region: all ones, there is none.',
    },
    queueReset: {
      at: 0x0c0,
      read: () => 0,
      write: resetQueue,
      doc: 'Writing 1 resets the queue, which is done at once.',
    },
    configGeneration: {
      at: 0x0fc,
      only: 'read',
      read: (d) => d.configGeneration,
      doc: 'Changes whenever the configuration space does.',
    },
    config: {
      at: 0x100,
      length: 0xf00,
      read: (d, offset, size) => d.instance.readConfig(offset, size),
      write: (d, value, offset, size) => d.instance.writeConfig?.(offset, size, value),
      doc: 'Configuration space of the device type.',
    },
  },
  {
    reset,
    save: (d) => {
      const queues = d.queues.map((queue) => toSaved({ ...queue.state }));
      const device = d.instance.save?.();
      return device === undefined ? { queues } : { queues, device };
    },
    restore,
  },
);

const offered = (d: Mmio): bigint => d.device.features | TRANSPORT_FEATURES;
const selected = (d: Mmio): Virtqueue | undefined => d.queues[d.get('queueSelect')];
const isReady = (d: Mmio): boolean =>
  (d.status & (STATUS.driverOk | STATUS.needsReset)) === STATUS.driverOk;

function readFeatures(d: Mmio): number {
  const word = d.get('deviceFeaturesSelect');
  return word > 1 ? 0 : Number((offered(d) >> BigInt(32 * word)) & 0xffff_ffffn);
}

function writeFeatures(d: Mmio, value: number): void {
  const word = d.get('driverFeaturesSelect');
  if (word > 1 || (d.status & STATUS.featuresOk) !== 0) return;
  const shift = BigInt(32 * word);
  d.driverFeatures = (d.driverFeatures & ~(0xffff_ffffn << shift)) | (BigInt(value) << shift);
}

/** The selected queue if it may be configured now. */
function configurable(d: Mmio): Virtqueue | undefined {
  const queue = selected(d);
  return (d.status & STATUS.featuresOk) !== 0 && queue?.state.ready === false ? queue : undefined;
}

function writeQueueSize(d: Mmio, value: number): void {
  const queue = configurable(d);
  if (queue && value <= queue.sizeMax) queue.state.size = value;
}

function setAddress(ring: 'descriptors' | 'available' | 'used', half: 'low' | 'high') {
  return (d: Mmio, value: number): void => {
    const queue = configurable(d);
    if (!queue) return;
    const old = queue.state[ring];
    queue.state[ring] =
      half === 'low' ? Math.floor(old / 2 ** 32) * 2 ** 32 + value : value * 2 ** 32 + (old >>> 0);
  };
}

function writeQueueReady(d: Mmio, value: number): void {
  if ((value & 1) !== 0) configurable(d)?.start();
  else selected(d)?.stop();
}

function resetQueue(d: Mmio, value: number): void {
  if (value === 1 && (d.driverFeatures & feature.ringReset) !== 0n) selected(d)?.reset();
}

function notify(d: Mmio, index: number): void {
  if (isReady(d) && d.queues[index]?.state.ready === true) d.instance.notify(index);
}

function writeStatus(d: Mmio, value: number): void {
  if (value === 0) {
    Object.assign(d, initialState());
    reset(d);
    return;
  }
  const before = d.status;
  let added = value & STATUS.driverBits & ~before;
  const acceptable =
    (d.driverFeatures & ~offered(d)) === 0n && (d.driverFeatures & feature.version1) !== 0n;
  if (!acceptable) added &= ~STATUS.featuresOk;
  if (((before | added) & STATUS.featuresOk) === 0) added &= ~STATUS.driverOk;
  d.status = before | added;
  if ((added & STATUS.driverOk) === 0) return;
  // A failure before DRIVER_OK could not be told, and buffers may have been offered already.
  if ((d.status & STATUS.needsReset) !== 0) raise(d, INTERRUPT.config);
  for (const index of d.queues.keys()) notify(d, index);
}

function reset(d: Mmio): void {
  for (const queue of d.queues) queue.reset();
  d.instance.reset();
  d.irq.set(false);
}

function acknowledge(d: Mmio, value: number): void {
  d.interrupts &= ~value;
  d.irq.set(d.interrupts !== 0);
}

function raise(d: Mmio, reason: number): void {
  d.interrupts |= reason;
  d.irq.set(true);
}

function configChanged(d: Mmio): void {
  d.configGeneration = (d.configGeneration + 1) >>> 0;
  if ((d.status & STATUS.driverOk) !== 0) raise(d, INTERRUPT.config);
}

/** Sets DEVICE_NEEDS_RESET and tells a driver that is up (2.1.2). */
function fail(d: Mmio): void {
  if ((d.status & STATUS.needsReset) !== 0) return;
  d.status |= STATUS.needsReset;
  if ((d.status & STATUS.driverOk) !== 0) raise(d, INTERRUPT.config);
}

function restore(d: Mmio, extra: SavedValue | undefined): void {
  const saved = savedObject(extra, `${d.device.kind}.extra`);
  const template = d.queues.map((queue) => ({ ...queue.state }));
  const states: readonly QueueState[] = fromSaved(
    template,
    saved['queues'],
    `${d.device.kind}.queues`,
  );
  states.forEach((state, index) => {
    const sizeMax = d.queues[index]?.sizeMax ?? 0;
    if (
      !Object.values(state).every(
        (value) => typeof value === 'boolean' || (Number.isInteger(value) && value >= 0),
      )
    ) {
      throw new SavedStateError(
        `${d.device.kind}.queues[${index}] holds a number that is no integer`,
      );
    }
    if (state.size > sizeMax)
      throw new SavedStateError(`${d.device.kind}.queues[${index}] is too large`);
  });
  states.forEach((state, index) => d.queues[index]?.resume(state));
  d.irq.set(d.interrupts !== 0);
  d.instance.restore?.(saved['device']);
  if (isReady(d)) d.instance.resume?.();
}
