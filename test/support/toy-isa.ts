// A guest architecture just large enough to try executors on: a few instructions encoded like RISC-V's, one level of
// page table, exceptions to a vector, one interrupt line. Tests that need no real guest use it.
//
// Translation: `pages` 0 is the identity; else it is the guest-physical address of 512 entries for the low 2 MiB, each
// a page address with bit 0 load, bit 1 store, bit 2 fetch.
// Causes: the access kind for a fault of translation, 8 more where nothing answers, 16 for an illegal word, 17 break.

import { routine } from '../../src/ir/builder.ts';
import { decoderOf } from '../../src/isa/shared/decoder.ts';
import type { Isa } from '../../src/isa/shared/isa.ts';
import {
  format,
  instructions,
  number,
  registerFields,
  type Row,
} from '../../src/isa/shared/row.ts';
import { exitCode, isaCells, layout, vcpu } from '../../src/isa/shared/vcpu.ts';

const space = layout(isaCells.start, isaCells.end);
export const X = space.registers('x', 32, true);
export const cells = space.cells({
  cause: 'i64',
  tval: 'i64',
  epc: 'i64',
  vector: 'i64',
  pages: 'i64',
  /** The interrupt line, and whether interrupts are taken. */
  line: 'i32',
  enabled: 'i32',
});

const x = registerFields(
  X,
  Array.from({ length: 32 }, (_, i) => `x${i}`),
);
const registers = { rd: x.destination('7:5'), rs1: x.source('15:5'), rs2: x.source('20:5') };
const { rd, rs1, rs2 } = registers;
const R = format(registers);
const I = format({ rd, rs1, imm: number('20:s12') });
const S = format({ rs1, rs2, imm: number('25:s7 7:5') });
const B = format({ rs1, rs2, imm: number('31:s1 7:1 25:6 8:4', { shift: 1, relative: true }) });
const C = format({ rd, imm: number('12:s1 2:5') });
const none = format({});

// oxfmt-ignore
const rows: readonly Row[] = instructions('toy', {
  addi: I('............ ..... 000 ..... 0010011', 'addi {rd}, {rs1}, {imm}',
    (s, f) => s.set(f.rd, s.add(s.get(f.rs1), f.imm))),
  add: R('0000000 ..... ..... 000 ..... 0110011', 'add {rd}, {rs1}, {rs2}',
    (s, f) => s.set(f.rd, s.add(s.get(f.rs1), s.get(f.rs2)))),
  ld: I('............ ..... 011 ..... 0000011', 'ld {rd}, {imm}({rs1})',
    (s, f) => s.set(f.rd, s.load(64, s.add(s.get(f.rs1), f.imm)))),
  lw: I('............ ..... 010 ..... 0000011', 'lw {rd}, {imm}({rs1})',
    (s, f) => s.set(f.rd, s.load(32, s.add(s.get(f.rs1), f.imm), 'signed'))),
  lbu: I('............ ..... 100 ..... 0000011', 'lbu {rd}, {imm}({rs1})',
    (s, f) => s.set(f.rd, s.load(8, s.add(s.get(f.rs1), f.imm)))),
  lhu: I('............ ..... 101 ..... 0000011', 'lhu {rd}, {imm}({rs1})',
    (s, f) => s.set(f.rd, s.load(16, s.add(s.get(f.rs1), f.imm)))),
  sd: S('....... ..... ..... 011 ..... 0100011', 'sd {rs2}, {imm}({rs1})',
    (s, f) => s.store(64, s.add(s.get(f.rs1), f.imm), s.get(f.rs2))),
  sw: S('....... ..... ..... 010 ..... 0100011', 'sw {rs2}, {imm}({rs1})',
    (s, f) => s.store(32, s.add(s.get(f.rs1), f.imm), s.get(f.rs2))),
  sb: S('....... ..... ..... 000 ..... 0100011', 'sb {rs2}, {imm}({rs1})',
    (s, f) => s.store(8, s.add(s.get(f.rs1), f.imm), s.get(f.rs2))),
  sh: S('....... ..... ..... 001 ..... 0100011', 'sh {rs2}, {imm}({rs1})',
    (s, f) => s.store(16, s.add(s.get(f.rs1), f.imm), s.get(f.rs2))),
  amoadd_w: R('0000000 ..... ..... 010 ..... 0101111', 'amoadd.w {rd}, {rs2}, ({rs1})',
    (s, f) => s.set(f.rd, s.ext32_s(s.rmw('add', 32, s.get(f.rs1), s.get(f.rs2))))),
  amoxor_d: R('0010000 ..... ..... 011 ..... 0101111', 'amoxor.d {rd}, {rs2}, ({rs1})',
    (s, f) => s.set(f.rd, s.rmw('xor', 64, s.get(f.rs1), s.get(f.rs2)))),
  /** Swaps rd with memory if memory holds rs2. */
  cas_w: R('0001000 ..... ..... 010 ..... 0101111', 'cas.w {rd}, {rs2}, ({rs1})',
    (s, f) => s.set(f.rd, s.cas(32, s.get(f.rs1), s.get(f.rs2), s.get(f.rd)))),
  beq: B('....... ..... ..... 000 ..... 1100011', 'beq {rs1}, {rs2}, {imm}',
    (s, f) => s.branch(s.eq(s.get(f.rs1), s.get(f.rs2)), s.add(s.pc(), f.imm))),
  jalr: I('............ ..... 000 ..... 1100111', 'jalr {rd}, {imm}({rs1})', (s, f) => {
    const target = s.add(s.get(f.rs1), f.imm);
    s.set(f.rd, s.pc(4));
    s.jump(target, 'indirect');
  }),
  c_addi: C('000 . ..... ..... 01', 'c.addi {rd}, {imm}',
    (s, f) => s.set(f.rd, s.add(s.get(f.rd), f.imm))),
  ecall: none('000000000000 00000 000 00000 1110011', 'ecall',
    (s) => s.exit(exitCode('firmware'), s.pc(4))),
  ebreak: none('000000000001 00000 000 00000 1110011', 'ebreak', (s) => {
    s.setState(cells.cause, 17n);
    s.setState(cells.tval, s.pc());
    s.raise();
  }),
  /** Ends the slice at the next boundary. */
  pause: none('000000010000 00000 000 00000 0001111', 'pause', (s) => {
    s.setState(vcpu.attention, 1n);
    s.jump(s.pc(4), 'sync');
  }),
  rdinstret: format({ rd })('110000000010 00000 010 ..... 1110011', 'rdinstret {rd}',
    (s, f) => s.set(f.rd, s.retired())),
  fence: none('000000000000 00000 000 00000 0001111', 'fence', (s) => s.fence()),
  probe: format({ rs1 })('000000000000 ..... 010 00000 0001111', 'probe ({rs1})',
    (s, f) => s.probeStore(s.get(f.rs1))),
});

const translate = routine('translate', ['i64', 'i32'], 'i64', (s, virtual, kind) => {
  const pages = s.state(cells.pages);
  s.when(s.eqz(pages), () => s.return(virtual));
  const entryAt = s.add(pages, s.shl(s.and(s.shr_u(virtual, 12n), 511n), 3n));
  const entry = s.variable('i64', 0n);
  s.when(s.inRam(entryAt), () => s.assign(entry, s.physicalLoad(64, entryAt)));
  const allowed = s.and(s.shr_u(s.read(entry), s.zext32(kind)), 1n);
  s.when(s.eqz(allowed), () => {
    s.setState(cells.cause, s.zext32(kind));
    s.setState(cells.tval, virtual);
    s.return(s.const64(-1));
  });
  s.return(s.or(s.and(s.read(entry), ~0xfffn), s.and(virtual, 0xfffn)));
});

const accessFault = routine('accessFault', ['i64', 'i32'], null, (s, virtual, kind) => {
  s.setState(cells.cause, s.or(s.zext32(kind), 8n));
  s.setState(cells.tval, virtual);
});

const raise = routine('raise', [], null, (s) => {
  s.setState(cells.epc, s.state(vcpu.pc));
  s.setState(vcpu.pc, s.state(cells.vector));
});

const interrupt = routine('interrupt', [], 'i32', (s) => {
  s.when(s.eqz32(s.and32(s.state(cells.line), s.state(cells.enabled))), () =>
    s.return(s.wrap(s.const64(0))),
  );
  s.setState(cells.cause, 1n << 63n);
  s.setState(cells.enabled, 0n);
  s.setState(cells.epc, s.state(vcpu.pc));
  s.setState(vcpu.pc, s.state(cells.vector));
  s.return(s.wrap(s.const64(1)));
});

const decode16 = decoderOf(rows.filter((row) => row.length === 2));
const decode32 = decoderOf(rows.filter((row) => row.length === 4));
const lengthOf = (halfword: number): 2 | 4 => ((halfword & 3) === 3 ? 4 : 2);

export const toy: Isa = {
  name: 'toy',
  rows,
  decode: (word) => (lengthOf(word & 0xffff) === 2 ? decode16(word & 0xffff) : decode32(word)),
  lengthOf,
  registerFiles: [X],
  linkRegisters: [],
  cells,
  illegal: (s, word) => {
    s.setState(cells.cause, 16n);
    s.setState(cells.tval, word);
    s.raise();
  },
  translate,
  accessFault,
  raise,
  interrupt,
  reset: () => {},
};
