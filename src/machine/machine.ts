// The language machines are written in: a machine is a function from options to a list of placed
// devices.
//
// From that one value follow the memory map, the wiring of interrupts, the working devices
// (`createDevices`), the device tree (device-tree.ts) and the page of documentation
// (memory-map.ts). A `Board` is a plain description: it runs nothing and knows no engine.
// Invariants: RAM and places never overlap; an interrupt input is driven by one device and exists
// at the controller; labels are unique; places are sorted by address.

import { IsolaError } from '../std/error.ts';
import type { LinuxLayout } from '../boot/linux-image.ts';
import type { DeviceTreeNode } from '../device/device-tree-node.ts';
import type {
  Device,
  DeviceContext,
  DeviceInstance,
  InterruptController,
  InterruptControllerInstance,
  InterruptLine,
  InterruptTarget,
  Place,
} from '../device/device.ts';
import type { SerialDevice, SerialInstance } from '../device/serial.ts';
import type { Processor } from './processor.ts';
import { firstOverlap, formatRange } from '../std/range.ts';
import type { AddressRange } from '../std/range.ts';

/**
 * Options no such machine can be built with, or a mistake in a design; the message says which and
 * why.
 */
export class MachineError extends IsolaError {
  override readonly name = 'MachineError';
}

/** A device and where it is, not yet named. */
export interface Placement<Kind = Device> extends AddressRange {
  readonly device: Kind;
  /** Input of the interrupt controller that the device drives. */
  readonly irq?: number;
}

/** An output of the interrupt controller: an interrupt input of a hart or core. */
export interface CpuInput extends InterruptTarget {
  readonly cpu: number;
  /**
   * Number of the input in the terms of the ISA (riscv64: the exception code, as 9 for supervisor
   * external).
   */
  readonly input: number;
}

/** What the guest's CPUs are, as far as a board describes them. */
export interface IsaOptions {
  readonly name: string;
  /** Extensions in lower case, single letters too: `['i', 'm', 'a', 'zicsr', …]`. */
  readonly extensions: readonly string[];
  readonly mmu: 'sv39' | 'sv48';
}

/**
 * How a board starts. `sbi-linux`: a kernel in S-mode over SBI. `linux`: a kernel with the device tree's address alone.
 * `bare-elf`: an executable in M-mode.
 */
export type BootProtocol = 'sbi-linux' | 'linux' | 'bare-elf';

/** What a machine's author writes. */
export interface Design {
  readonly boot: BootProtocol;
  readonly processor: Processor;
  readonly cpus: number;
  /** Frequency of the guest's clock register, in ticks a second. */
  readonly timebaseHz: number;
  readonly ram: AddressRange;
  /** The `/cpus` node. */
  readonly cpuNode: DeviceTreeNode;
  /** Further nodes under the root, of what lies at no address. */
  readonly nodes?: readonly DeviceTreeNode[];
  readonly controller: Placement<InterruptController> & { readonly outputs: readonly CpuInput[] };
  /** Where the guest's first words go; labelled `uart`. */
  readonly console: Placement<SerialDevice>;
  /** The other parts by label; an undefined one is an empty slot. */
  readonly parts: Readonly<Record<string, Placement | undefined>>;
}

/** A placed device with its label, and where its interrupt goes. */
export interface PlacedDevice<Kind = Device> extends Place {
  readonly device: Kind;
  readonly irq?: number;
}

interface PlacedController extends Place {
  readonly device: InterruptController;
  readonly outputs: readonly CpuInput[];
}

/** A machine with its options chosen: everything known, nothing running. */
export interface Board extends Omit<Design, 'controller' | 'console' | 'parts'> {
  readonly name: string;
  readonly controller: PlacedController;
  readonly console: PlacedDevice<SerialDevice>;
  /** Sorted by address; the console is among them, the controller is not. */
  readonly places: readonly PlacedDevice[];
}

/** What depends on this boot rather than on the board: `/chosen`. */
export interface Chosen {
  readonly commandLine?: string;
  readonly initrd?: NonNullable<LinuxLayout['initrd']>;
  /** Unpredictable bytes for the kernel's random number generator, a multiple of 4. */
  readonly rngSeed?: Uint8Array;
}

export interface Machine<Options> {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Throws `MachineError` for options it cannot be built with. */
  build(options: Options): Board;
}

/** Names a design. */
export function machine<Options>(
  name: string,
  summary: string,
  design: (options: Options) => Design,
): Machine<Options> {
  return { name, summary, build: (options) => boardOf(name, design(options)) };
}

/** A device at an address; `size` in bytes. */
export function at<Kind>(
  address: number,
  size: number,
  device: Kind,
  wiring: { readonly irq?: number } = {},
): Placement<Kind> {
  return { address, size, device, ...wiring };
}

/** `count` parts named `name0`, `name1`, …; an undefined one leaves its slot empty. */
export function series(
  name: string,
  count: number,
  placement: (index: number) => Placement | undefined,
): Record<string, Placement | undefined> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${name}${index}`, placement(index)]),
  );
}

/** What the devices of a board run in. */
export interface BoardContext extends Omit<DeviceContext, 'irq'> {
  /** The line that drives an interrupt input of a CPU. */
  cpuInput(cpu: number, input: number): InterruptLine;
}

/** The devices of a board at work. */
export interface BoardDevices {
  readonly controller: InterruptControllerInstance;
  readonly console: SerialInstance;
  /** By label, the controller included, in the order of addresses. */
  readonly instances: ReadonlyMap<string, DeviceInstance>;
  /** For the bus: who answers where. */
  readonly ranges: readonly (AddressRange & {
    readonly name: string;
    readonly target: DeviceInstance;
  })[];
}

/** Makes every device of the board and wires their interrupts. */
export function createDevices(board: Board, context: BoardContext): BoardDevices {
  const { clock, memory } = context;
  const random: DeviceContext['random'] = (bytes) => context.random(bytes);
  const controller = board.controller.device.create({
    outputs: board.controller.outputs.map(({ cpu, input }) => context.cpuInput(cpu, input)),
  });
  const create = <Instance extends DeviceInstance>(
    place: PlacedDevice<Device<DeviceContext, Instance>>,
  ): Instance => {
    const irq = place.irq === undefined ? unconnected : controller.input(place.irq);
    return place.device.create({ irq, memory, clock, random });
  };
  const console = create(board.console);
  const others = board.places.filter((place) => place !== board.console);
  const placed = [
    { place: board.controller, target: controller },
    { place: board.console, target: console },
    ...others.map((place) => ({ place, target: create(place) })),
  ].toSorted((a, b) => a.place.address - b.place.address);
  return {
    controller,
    console,
    instances: new Map(placed.map(({ place, target }) => [place.label, target])),
    ranges: placed.map(({ place: { label: name, address, size }, target }) => ({
      name,
      address,
      size,
      target,
    })),
  };
}

const unconnected: InterruptLine = { set: () => undefined };

function boardOf(name: string, design: Design): Board {
  const { controller, parts, ...rest } = design;
  if (!Number.isSafeInteger(design.cpus) || design.cpus < 1) {
    throw new MachineError(`${name} cannot have ${design.cpus} CPUs; give it at least 1`);
  }
  checkRam(name, design.ram);
  const console = placeDevice(CONSOLE_LABEL, design.console, controller.device);
  const places: PlacedDevice[] = [console];
  for (const [label, part] of Object.entries(parts)) {
    if (label === CONTROLLER_LABEL || label === CONSOLE_LABEL) {
      throw new MachineError(`${name}: '${label}' is not free; label the part differently`);
    }
    if (part !== undefined) places.push(placeDevice(label, part, controller.device));
  }
  const board: Board = {
    ...rest,
    name,
    controller: { ...controller, label: CONTROLLER_LABEL },
    console,
    places: places.toSorted((a, b) => a.address - b.address),
  };
  checkOverlap(board);
  checkInterrupts(board);
  return board;
}

/** Labels of the parts that every board has. */
const CONTROLLER_LABEL = 'intc';
const CONSOLE_LABEL = 'uart';

function placeDevice<Kind>(
  label: string,
  part: Placement<Kind>,
  controller: InterruptController,
): PlacedDevice<Kind> {
  if (part.irq === undefined) return { ...part, label };
  const interrupt = { controller: CONTROLLER_LABEL, cells: controller.cells(part.irq) };
  return { ...part, label, interrupt };
}

const PAGE_BYTES = 0x1000;

function checkRam(name: string, ram: AddressRange): void {
  const { size } = ram;
  if (Number.isSafeInteger(ram.address + size) && size > 0 && size % PAGE_BYTES === 0) return;
  throw new MachineError(
    `${name} cannot have ${size} bytes of memory; give it a positive multiple of 4096`,
  );
}

function checkOverlap(board: Board): void {
  const ranges = [{ ...board.ram, label: 'ram' }, board.controller, ...board.places];
  for (const { label, address, size } of ranges) {
    if (!Number.isSafeInteger(address) || address < 0 || !Number.isSafeInteger(size) || size < 1) {
      throw new MachineError(`${board.name}: '${label}' is at no valid range of addresses`);
    }
  }
  const overlap = firstOverlap(ranges);
  if (overlap === undefined) return;
  const [one, other] = overlap.map((range) => `'${range.label}' at ${formatRange(range)}`);
  throw new MachineError(`${board.name}: ${one} and ${other} overlap`);
}

function checkInterrupts(board: Board): void {
  const driven = new Map<number, string>();
  const { sources } = board.controller.device;
  for (const { label, irq } of board.places) {
    if (irq === undefined) continue;
    if (!Number.isInteger(irq) || irq < 1 || irq > sources) {
      throw new MachineError(
        `${board.name}: '${label}' drives interrupt ${irq}; there are 1 to ${sources}`,
      );
    }
    const other = driven.get(irq);
    if (other !== undefined) {
      throw new MachineError(
        `${board.name}: '${other}' and '${label}' both drive interrupt ${irq}`,
      );
    }
    driven.set(irq, label);
  }
}
