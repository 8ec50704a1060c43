import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { createAssembler } from '../../isa/shared/assembler.ts';
import { riscv64 } from '../../isa/riscv64/isa.ts';
import { find, shape } from './discover.ts';
import { type RegionExplanation, registerName, takeNotes } from './explain.ts';
import { createTranslator } from './translator.ts';

const { assembleProgram } = createAssembler(riscv64);
const PC = 0xffff_ffff_8000_0ffcn;

/** Memory with code at a host offset. */
function memoryWith(text: string, host: number): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  new Uint8Array(memory.buffer).set(assembleProgram(text, 0n).bytes, host);
  return memory;
}

test('a translator explains instructions at the addresses where they run, words of both lengths', () => {
  const explanations: RegionExplanation[] = [];
  const host = 65536 + 8;
  const memory = memoryWith('c.addi a0, 1\n jal zero, -6', host);
  // An all-zero word lies before it, which is no instruction.
  const translate = createTranslator(riscv64, memory, { explain: (e) => explanations.push(e) });
  translate([{ host, slot: 0, pc: PC }]);
  equal(explanations.length, 1);
  const { blocks, wasm, bytes, ...entry } = explanations[0]!;
  deepEqual(entry, { host, pc: PC });
  ok(bytes > 0 && wasm.startsWith('(func '));
  deepEqual(
    blocks.flatMap(({ instructions }) => instructions),
    [
      { distance: 0, word: 0x0505, length: 2, text: 'c.addi a0, 1' },
      { distance: 2, word: 0xffbf_f06f, length: 4, text: 'jal zero, 0xffffffff80000ff8' },
      { distance: -4, word: 0, length: 2, text: undefined },
    ],
  );
});

test('passes are noted by block, those that change nothing are not', () => {
  const memory = memoryWith('addi a0, zero, 1\n ecall', 0);
  const u16 = new Uint16Array(memory.buffer);
  const halfword = (offset: number): number => u16[offset >>> 1]!;
  const region = shape(find({ isa: riscv64, halfword, arrivals: undefined }, 0)!);
  const notes = takeNotes(riscv64, memory, { host: 0, entry: 0, slot: 0 }, region);
  const { code } = region.blocks[0]!;
  notes.after(0, 'nothing', code);
  notes.after(0, 'all', { nodes: [] });
  notes.after(0, 'nothing', { nodes: [] });
  const { blocks, pc } = notes.finish(0, '');
  equal(pc, undefined);
  deepEqual(
    blocks[0]?.stages.map(({ name }) => name),
    ['decoded', 'all'],
  );
  equal(blocks[0]?.stages[1]?.ir, '');
});

test('registers have names by their offset', () => {
  for (const file of riscv64.registerFiles) {
    equal(
      registerName(riscv64, file.offset + 8 * (file.count - 1)),
      `${file.name}${file.count - 1}`,
    );
  }
  equal(registerName(riscv64, 0), undefined);
});
