// Platform-level interrupt controller: RISC-V PLIC Specification 1.0.0, laid out as the SiFive one.
//
// Sources are level-triggered and numbered from 1. A gateway passes one request per service: a high
// level sets the pending bit unless the source is claimed and not completed yet; completion looks
// at the level again. A pending bit stays when the level falls before the claim. A
// context is a target, usually one privilege mode of one hart; its line is high while an enabled
// source pends with a priority above the context's threshold. Priority 0 never interrupts.
// Invariant: bit n of word w of `pending`, `claimed`, `levels` and of each context's `enable`
// stands for source 32w+n; source 0 does not exist, its bits are 0.

import { assert } from '../std/assert.ts';
import type { InterruptController, InterruptControllerContext, InterruptLine } from './device.ts';
import { interruptCells, placedNode } from './place.ts';
import { registerBlock } from './register-block.ts';
import type { Live } from './register-block.ts';

const PRIORITY_BITS = 0b111;
/** Words of the enable array of one context: room for 1024 sources. */
const ENABLE_WORDS = 32;

export interface PlicOptions {
  /** Number of the last source, 1 to 1023. */
  readonly sources: number;
  /** Number of targets, 1 to 15872. */
  readonly contexts: number;
}

const wordsOf = (sources: number): number => (sources >>> 5) + 1;

const stateOf = (sources: number) => ({
  pending: Array.from({ length: wordsOf(sources) }, () => 0),
  claimed: Array.from({ length: wordsOf(sources) }, () => 0),
  levels: Array.from({ length: wordsOf(sources) }, () => 0),
});

type State = ReturnType<typeof stateOf>;
type Plic = Live<State, InterruptControllerContext>;

/** A PLIC with the given numbers of sources and contexts. */
export function plic({ sources, contexts }: PlicOptions): InterruptController {
  assert(sources >= 1 && sources <= 1023, `a PLIC has 1 to 1023 sources, not ${sources}`);
  assert(contexts >= 1 && contexts <= 15872, `a PLIC has 1 to 15872 contexts, not ${contexts}`);
  const block = plicBlock(sources, contexts);
  return {
    kind: block.kind,
    sources,
    cells: (source) => [source],
    create(context) {
      assert(
        context.outputs.length === contexts,
        `a PLIC of ${contexts} contexts needs as many outputs`,
      );
      const instance = block.create(context);
      const { live } = instance;
      const lines = Array.from({ length: sources }, (_, i): InterruptLine => ({
        set: (level) => setLevel(live, i + 1, level),
      }));
      const input = (source: number): InterruptLine => {
        const line = lines[source - 1];
        assert(line !== undefined, `this PLIC has no source ${source}`);
        return line;
      };
      return { ...instance, input };
    },
    describe: (place) => [
      placedNode('interrupt-controller', place, ['sifive,plic-1.0.0', 'riscv,plic0'], {
        'interrupt-controller': true,
        '#interrupt-cells': [1],
        '#address-cells': [0],
        'riscv,ndev': [sources],
        'interrupts-extended': interruptCells(place.outputs ?? []),
      }),
    ],
  };
}

function plicBlock(sources: number, contexts: number) {
  const enableBits = (index: number): number => existing(sources, index % ENABLE_WORDS);
  return registerBlock<State, InterruptControllerContext>('plic', () => stateOf(sources))(
    {
      priority: {
        at: 0x4,
        count: sources,
        writable: PRIORITY_BITS,
        write: updateAll,
        doc: 'Priority of source 1 and following; 0 never interrupts, 7 is the highest.',
      },
      pending: {
        at: 0x1000,
        count: wordsOf(sources),
        read: (d, word) => d.pending[word] ?? 0,
        only: 'read',
        doc: 'One bit per source: its interrupt waits to be claimed.',
      },
      enable: {
        at: 0x2000,
        count: contexts * ENABLE_WORDS,
        write: (d, value, index) => {
          d.set('enable', value & enableBits(index), index);
          update(d, Math.floor(index / ENABLE_WORDS));
        },
        doc: 'One bit per source, 32 words per context: the source may interrupt the context.',
      },
      threshold: {
        at: 0x20_0000,
        count: contexts,
        stride: 0x1000,
        writable: PRIORITY_BITS,
        write: (d, _, context) => update(d, context),
        doc: 'Per context: only priorities above it interrupt.',
      },
      claim: {
        at: 0x20_0004,
        count: contexts,
        stride: 0x1000,
        read: claim,
        write: (d, source, context) => complete(d, source, context),
        doc: 'Per context: reading claims the best pending source or 0, writing completes one.',
      },
    },
    {
      reset: updateAll,
      restore: (d) => {
        for (const bits of [d.pending, d.claimed, d.levels]) {
          bits.forEach((value, word) => (bits[word] = (value & existing(sources, word)) >>> 0));
        }
        updateAll(d);
      },
    },
  );
}

/** The bits of word `word` that stand for sources that exist. */
function existing(sources: number, word: number): number {
  const first = word * 32;
  if (first > sources) return 0;
  const upTo = sources - first >= 31 ? 0xffff_ffff : 2 ** (sources - first + 1) - 1;
  return word === 0 ? upTo & ~1 : upTo;
}

function setLevel(d: Plic, source: number, level: boolean): void {
  const word = source >>> 5;
  const bit = 1 << (source & 31);
  const old = d.levels[word] ?? 0;
  if (((old & bit) !== 0) === level) return;
  d.levels[word] = (level ? old | bit : old & ~bit) >>> 0;
  if (level) request(d, word, bit);
}

/** The gateway: a high level becomes pending unless the source is being served. */
function request(d: Plic, word: number, bit: number): void {
  if (((d.claimed[word] ?? 0) & bit) !== 0) return;
  d.pending[word] = ((d.pending[word] ?? 0) | bit) >>> 0;
  updateAll(d);
}

/**
 * The pending and enabled source of `context` with the highest priority, the lowest number first; 0
 * if none.
 */
function best(d: Plic, context: number): { source: number; priority: number } {
  let source = 0;
  let priority = 0;
  for (let word = 0; word < d.pending.length; word++) {
    let bits = (d.pending[word] ?? 0) & d.get('enable', context * ENABLE_WORDS + word);
    while (bits !== 0) {
      const candidate = word * 32 + 31 - Math.clz32(bits & -bits);
      const itsPriority = d.get('priority', candidate - 1);
      if (itsPriority > priority) {
        source = candidate;
        priority = itsPriority;
      }
      bits &= bits - 1;
    }
  }
  return { source, priority };
}

function claim(d: Plic, context: number): number {
  const { source } = best(d, context);
  if (source === 0) return 0;
  const word = source >>> 5;
  const bit = 1 << (source & 31);
  d.pending[word] = ((d.pending[word] ?? 0) & ~bit) >>> 0;
  d.claimed[word] = ((d.claimed[word] ?? 0) | bit) >>> 0;
  updateAll(d);
  return source;
}

/**
 * Ends the service of `source`; ignored unless the source may interrupt the context (the
 * specification's "Interrupt Completion").
 */
function complete(d: Plic, source: number, context: number): void {
  const word = source >>> 5;
  const bit = 1 << (source & 31);
  if (word >= d.claimed.length) return;
  if ((d.get('enable', context * ENABLE_WORDS + word) & bit) === 0) return;
  d.claimed[word] = ((d.claimed[word] ?? 0) & ~bit) >>> 0;
  if (((d.levels[word] ?? 0) & bit) !== 0) request(d, word, bit);
}

function update(d: Plic, context: number): void {
  d.outputs[context]?.set(best(d, context).priority > d.get('threshold', context));
}

function updateAll(d: Plic): void {
  for (let context = 0; context < d.outputs.length; context++) update(d, context);
}
