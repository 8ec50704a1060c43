// The device tree of a board: what a kernel is told about the machine it runs on.
// Devicetree Specification v0.4, ch. 3 (required nodes); Linux Documentation/devicetree/bindings.
//
// Every node comes from the part it describes: CPUs from the board, devices from themselves. Nodes
// with registers go under /soc in the order of addresses; a device's further nodes that have none
// (as `syscon-poweroff`) go under the root, because a simple-bus holds only what has an address.

import type { DeviceTreeNode, DeviceTreeValue } from '../device/device-tree-node.ts';
import { cells64 } from '../device/device-tree-node.ts';
import type { Board, Chosen } from './machine.ts';

/** The whole tree, ready for `writeDeviceTree`. */
export function deviceTree(board: Board, chosen: Chosen = {}): DeviceTreeNode {
  const devices = [board.controller, ...board.places]
    .toSorted((a, b) => a.address - b.address)
    .flatMap((place) => place.device.describe(place));
  const onBus = devices.filter((node) => 'reg' in node.properties);
  const elsewhere = devices.filter((node) => !('reg' in node.properties));
  return {
    name: '',
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: `isola,${board.name}`,
      model: `Isola ${board.name}`,
    },
    children: [
      { name: 'chosen', properties: chosenProperties(board, chosen) },
      memoryNode(board),
      board.cpuNode,
      {
        name: 'soc',
        properties: {
          '#address-cells': [2],
          '#size-cells': [2],
          compatible: 'simple-bus',
          ranges: true,
        },
        children: onBus,
      },
      ...elsewhere,
      ...(board.nodes ?? []),
    ],
  };
}

function chosenProperties(board: Board, chosen: Chosen): Record<string, DeviceTreeValue> {
  const { commandLine, initrd, rngSeed } = chosen;
  return {
    ...(commandLine !== undefined && { bootargs: commandLine }),
    'stdout-path': stdoutPath(board),
    ...(initrd !== undefined && {
      'linux,initrd-start': cells64(initrd.address),
      'linux,initrd-end': cells64(initrd.address + initrd.size),
    }),
    ...(rngSeed !== undefined && { 'rng-seed': rngSeed }),
  };
}

function stdoutPath({ console }: Board): string {
  return `/soc/${console.device.describe(console)[0]?.name}`;
}

function memoryNode({ ram }: Board): DeviceTreeNode {
  return {
    name: `memory@${ram.address.toString(16)}`,
    properties: { device_type: 'memory', reg: [...cells64(ram.address), ...cells64(ram.size)] },
  };
}
