// Power control: the one-register finisher that the guest's syscon-poweroff and syscon-reboot
// drivers write.
//
// Compatible with sifive,test1: the low half of the word written at offset 0 is the command, the
// high half a code that only a failure carries. Bindings: power/reset/syscon-poweroff and
// syscon-reboot. Unknown commands are ignored.

import type { Device, DeviceContext } from './device.ts';
import type { DeviceTreeNode } from './device-tree-node.ts';
import { placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';

const PASS = 0x5555;
const RESET = 0x7777;
const FAIL = 0x3333;

/** What the guest asked for. A failure is a power-off with an exit code other than 0. */
export type PowerRequest =
  | { readonly kind: 'power-off'; readonly code: number }
  | { readonly kind: 'reset' };

/** Power control that hands the guest's requests to `request`. */
export function sysconPower(request: (wish: PowerRequest) => void): Device {
  return {
    kind: block.kind,
    create: (context) => block.create({ ...context, request }),
    describe: (place) => [
      placedNode('test', place, ['sifive,test1', 'sifive,test0', 'syscon']),
      action('poweroff', place.label, PASS),
      action('reboot', place.label, RESET),
    ],
  };
}

interface Context extends DeviceContext {
  readonly request: (wish: PowerRequest) => void;
}

const block = registerBlock<unknown, Context>('syscon-power', () => ({}))({
  command: {
    at: 0,
    only: 'write',
    write: (d, value) => {
      const command = value & 0xffff;
      if (command === PASS) d.request({ kind: 'power-off', code: 0 });
      else if (command === FAIL) d.request({ kind: 'power-off', code: value >>> 16 });
      else if (command === RESET) d.request({ kind: 'reset' });
    },
    doc: 'Command: 0x5555 power off, 0x7777 reset, 0x3333 fail with a code in the high half.',
  },
});

function action(name: 'poweroff' | 'reboot', regmap: string, value: number): DeviceTreeNode {
  return {
    name,
    properties: {
      compatible: [`syscon-${name}`],
      regmap: [{ ref: regmap }],
      offset: [0],
      value: [value],
    },
  };
}
