// The thread's side of translator.ts.

import { workerData } from 'node:worker_threads';
import { type Batch, translatorFor } from '../../vm/translation.ts';
import type { TranslationWorkerData } from './translator.ts';

const { architecture, memory, statistics, port } = workerData as TranslationWorkerData;
const now = (): bigint => process.hrtime.bigint();
const translate = translatorFor(architecture, memory, { now, statistics });
port.addEventListener('message', ({ data }) => port.postMessage(translate(data as Batch)));
port.start();
