// A thread that translates guest code for one VM, so that its vCPU need not wait.
//
// Messages: a batch of requests goes there, its Translation comes back; the compiled module is shared, not copied.
// The vCPU's thread looks for replies when it wants to: it does not wait for the event loop.

import { extname } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Translation, TranslatorThread } from '../../vm/translation.ts';

/** What the thread starts with; see translation-worker.ts. */
export interface TranslationWorkerData {
  readonly architecture: string;
  readonly memory: WebAssembly.Memory;
  readonly statistics: boolean;
  readonly port: MessagePort;
}

/** Megabytes of JavaScript heap; a batch needs little. */
const HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 } as const;

/** Starts the thread. It keeps no process alive. */
export function startTranslator(
  architecture: string,
  memory: WebAssembly.Memory,
  statistics: boolean,
): TranslatorThread {
  const { port1, port2 } = new MessageChannel();
  const file = new URL(`./translation-worker${extname(import.meta.url)}`, import.meta.url);
  let state: 'running' | 'ended' = 'running';
  const worker = new Worker(file, {
    workerData: { architecture, memory, statistics, port: port2 },
    transferList: [port2],
    resourceLimits: HEAP,
  });
  const end = (): void => void (state = 'ended');
  worker.on('error', end);
  worker.on('exit', end);
  worker.unref();
  port1.unref();
  return {
    post: (batch) => port1.postMessage(batch),
    poll() {
      const reply: { message: Translation } | undefined = receiveMessageOnPort(port1);
      return reply?.message ?? (state === 'ended' ? 'failed' : undefined);
    },
    async close() {
      port1.close();
      await worker.terminate();
    },
  };
}
