// The IR of every guest is sound: each row's meaning with operands left open and with constants, each routine that
// they or the engine call; and all of it survives the round trip through text.

import { equal } from 'node:assert/strict';
import { test } from 'node:test';
import { constantOperands } from '../src/isa/shared/operands.ts';
import { buildBlock } from '../src/ir/builder.ts';
import type { Block, Callee, OperandNode, AnyRegister } from '../src/ir/node.ts';
import { parse, type ParseContext } from '../src/ir/parse.ts';
import { print } from '../src/ir/print.ts';
import { type Owner, verify } from '../src/ir/verify.ts';
import type { Isa } from '../src/isa/shared/isa.ts';
import type { Row } from '../src/isa/shared/row.ts';
import { vcpu } from '../src/isa/shared/vcpu.ts';
import { guests } from './filetests/guests.ts';

function openOperands(row: Row): Record<string, AnyRegister | OperandNode> {
  const entries = Object.entries(row.fields).map(([slot, field]) => [
    slot,
    field.kind === 'register'
      ? { file: field.file, slot }
      : { op: 'operand', type: 'i64', args: [], slot },
  ]);
  return Object.fromEntries(entries) as Record<string, AnyRegister | OperandNode>;
}

function calleesOf(block: Block): Callee[] {
  return block.nodes.flatMap((node) => {
    if (node.op === 'call') return [node.callee];
    if (node.op === 'if') return [...calleesOf(node.taken), ...calleesOf(node.otherwise)];
    return node.op === 'loop' ? calleesOf(node.body) : [];
  });
}

/** All blocks of a guest with what they are bodies of. */
function blocksOf(isa: Isa): Map<Block, Owner> {
  const blocks = new Map<Block, Owner>();
  for (const row of isa.rows) {
    blocks.set(
      buildBlock((s) => row.meaning(s, openOperands(row))),
      'instruction',
    );
    // All free bits one: no register operand is the zero register.
    const word = (row.value | (~row.mask & (row.length === 2 ? 0xffff : 0xffff_ffff))) >>> 0;
    blocks.set(
      buildBlock((s) => row.meaning(s, constantOperands(row, word))),
      'instruction',
    );
  }
  blocks.set(
    buildBlock((s) => isa.illegal(s, 0n)),
    'instruction',
  );
  for (const routine of [isa.translate, isa.accessFault, isa.raise, isa.interrupt]) {
    blocks.set(routine.body(), routine);
  }
  // The map grows as callees are found.
  for (const block of blocks.keys()) {
    for (const callee of calleesOf(block)) {
      if (callee.kind === 'routine') blocks.set(callee.body(), callee);
    }
  }
  return blocks;
}

function contextOf(isa: Isa, blocks: Iterable<Block>): ParseContext {
  const callees = new Set([...blocks].flatMap((block) => calleesOf(block)));
  const registers = new Map(
    isa.rows.flatMap((row) =>
      Object.values(row.fields).flatMap((field) =>
        field.kind === 'register' ? [[field.file.name, field.file] as const] : [],
      ),
    ),
  );
  for (const file of isa.registerFiles) registers.set(file.name, file);
  return {
    files: [...registers.values()],
    cells: [...Object.values(isa.cells), ...Object.values(vcpu)],
    callees: [...callees],
  };
}

for (const [name, { isa }] of Object.entries(guests)) {
  test(`the IR of ${name} is sound and survives the round trip`, () => {
    const blocks = blocksOf(isa);
    const context = contextOf(isa, blocks.keys());
    for (const [block, owner] of blocks) {
      const text = print(verify(block, owner));
      equal(print(verify(parse(text, context), owner)), text);
    }
  });
}
