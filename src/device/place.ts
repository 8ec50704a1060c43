// Device-tree nodes of placed devices: the properties that every device with registers has.
//
// The generic-name convention and `reg` are of Devicetree Specification 0.4, ch. 2.2 and 2.3.6; the
// parent bus has #address-cells = <2> and #size-cells = <2>. `interrupts-extended` names the
// controller in each device's own node, so that no node depends on an inherited interrupt-parent.

import type { InterruptTarget, Place } from './device.ts';
import { cells64 } from './device-tree-node.ts';
import type { DeviceTreeCell, DeviceTreeNode, DeviceTreeValue } from './device-tree-node.ts';

/** The cells of an `interrupts-extended` property. */
export function interruptCells(targets: readonly InterruptTarget[]): DeviceTreeCell[] {
  return targets.flatMap(({ controller, cells }) => [{ ref: controller }, ...cells]);
}

/** The node of a placed device with its `compatible`, `reg`, interrupt and `more` properties. */
export function placedNode(
  genericName: string,
  place: Place,
  compatible: readonly string[],
  more: Readonly<Record<string, DeviceTreeValue>> = {},
): DeviceTreeNode {
  const { address, size, label, interrupt } = place;
  return {
    name: `${genericName}@${address.toString(16)}`,
    label,
    properties: {
      compatible,
      reg: [...cells64(address), ...cells64(size)],
      ...(interrupt && { 'interrupts-extended': interruptCells([interrupt]) }),
      ...more,
    },
  };
}
