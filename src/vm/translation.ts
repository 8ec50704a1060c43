// What a thread needs to translate guest code for a VM that runs on another one.

import type { RegionRequest } from '../engine/jit/plan.ts';
import {
  createTranslator,
  type RemoteTranslator,
  type Translate,
  type TranslatorOptions,
} from '../engine/jit/translator.ts';
import { processors } from '../machine/processors.ts';

export type { RegionRequest } from '../engine/jit/plan.ts';
export type { RemoteTranslator, Translation } from '../engine/jit/translator.ts';

/** Makes a translator for the architecture of that name over a VM's memory. */
export function translatorFor(
  architecture: string,
  memory: WebAssembly.Memory,
  options: TranslatorOptions,
): Translate {
  const processor = Object.values(processors).find(({ isa }) => isa.name === architecture);
  if (processor === undefined) throw new TypeError(`there is no architecture '${architecture}'`);
  return createTranslator(processor.isa, memory, options);
}

/** A translator that somebody must end. */
export interface TranslatorThread extends RemoteTranslator {
  close(): Promise<void>;
}

export type Batch = readonly RegionRequest[];
