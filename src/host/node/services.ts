// What a VM needs of the platform, as Node has it.

import { randomFillSync } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { HostServices } from '../../vm/vm.ts';
import { createClock } from './clock.ts';
import { decompress } from './codecs.ts';
import { startTranslator } from './translator.ts';

/** Services for one VM; its time begins now. */
export function createServices(): HostServices {
  return {
    clock: createClock(),
    delay(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    },
    turn: () => turn(),
    random: (bytes) => void randomFillSync(bytes),
    decompress,
    startTranslator,
  };
}
