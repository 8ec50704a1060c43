// Parts of the engine on their own: what translating costs, and what running what was translated costs.

import { defaultEngine } from '../../src/vm/vm.ts';
import type { Suite } from '../harness.ts';
import { execution } from './execution.ts';
import { translation } from './translation.ts';

export const microSuite: Suite = {
  name: 'micro',
  load: ({ engine = defaultEngine }) =>
    Promise.resolve({ benchmarks: [...translation(), ...execution(engine)] }),
};
