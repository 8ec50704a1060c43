import { match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { riscv64 } from '../src/isa/riscv64/isa.ts';
import { coveragePage, isCurrent } from './isa-coverage.ts';

test('the page of instructions is current', () => {
  ok(isCurrent(), 'docs/isa-riscv64.md is out of date: node tools/isa-coverage.ts');
});

test('it shows names, texts and encodings', () => {
  const page = coveragePage(riscv64.rows);
  match(
    page,
    /\| add \| `add \{rd\}, \{rs1\}, \{rs2\}` \| `0000000 ttttt sssss 000 ddddd 0110011` \|/,
  );
  match(page, /\| c.j \| `c.j \{imm\}` \| `101 i{11} 01` \|/);
  match(page, /\| 0x180 \| satp \| read, write \|/);
  match(page, /\| 0xc01 \| time \| read \|/);
});
