// A node of a device tree as plain data: what a device says about itself and what `boot` encodes.
//
// Facts of the format: Devicetree Specification 0.4, ch. 2. A property is empty, text, a list of
// texts, a list of 32-bit cells, or bytes. A cell may be a reference to another node by its label;
// the encoder gives labelled nodes their phandles. Invariant: cells are integers in [0, 2^32);
// labels are unique within a tree.

/** A cell that becomes the phandle of the node labelled `ref`. */
interface DeviceTreeReference {
  readonly ref: string;
}

/** One 32-bit cell. */
export type DeviceTreeCell = number | DeviceTreeReference;

/** Value of a property; `true` is a property without a value. */
export type DeviceTreeValue =
  | true
  | string
  | readonly string[]
  | readonly DeviceTreeCell[]
  | Uint8Array;

/**
 * A node: its name with the unit address (`serial@10000000`), its properties in order, its
 * children.
 */
export interface DeviceTreeNode {
  readonly name: string;
  readonly label?: string;
  readonly properties: Readonly<Record<string, DeviceTreeValue>>;
  readonly children?: readonly DeviceTreeNode[];
}

/** A 64-bit number below 2^53 as two cells, the high one first (`#address-cells = <2>`). */
export function cells64(value: number): [high: number, low: number] {
  return [Math.floor(value / 2 ** 32), value >>> 0];
}
