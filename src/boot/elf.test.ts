import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { GuestMemory } from '../memory/guest-memory.ts';
import { ElfError, elfMachine, loadElf, readElf } from './elf.ts';

const missing = (tool: string): string | false =>
  spawnSync(tool, ['--version']).error === undefined
    ? false
    : `${tool} is not installed (binutils)`;

const RAM = 0x8000_0000;
const CODE_AT = 64 + 2 * 56;
const NAMES = '\0_start\0tohost\0fromhost\0local\0undefined\0file.c\0';

interface ElfParts {
  machine?: number;
  type?: number;
  entry?: bigint;
}

/** Two segments (code linked where it lies, data linked high with .bss) and a symbol table. */
function buildElf({ machine = 243, type = 2, entry = BigInt(RAM) }: ElfParts = {}): Uint8Array {
  const symbols: readonly (readonly [string, number, number, bigint, bigint])[] = [
    ['', 0, 0, 0n, 0n],
    ['file.c', 0x04, 0xfff1, 0n, 0n],
    ['local', 0x00, 1, 0x8000_0004n, 0n],
    ['undefined', 0x10, 0, 0n, 0n],
    ['_start', 0x12, 1, BigInt(RAM), 8n],
    ['tohost', 0x11, 1, 0xffff_ffff_8000_1000n, 8n],
    ['fromhost', 0x11, 1, 0xffff_ffff_8000_1040n, 8n],
  ];
  const names = new TextEncoder().encode(NAMES);
  const symtabAt = CODE_AT + 24;
  const strtabAt = symtabAt + symbols.length * 24;
  const sectionsAt = Math.ceil((strtabAt + names.length) / 8) * 8;
  const bytes = new Uint8Array(sectionsAt + 3 * 64);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const u64 = (at: number, ...values: (bigint | number)[]): void =>
    values.forEach((value, index) => view.setBigUint64(at + 8 * index, BigInt(value), true));

  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  u16(16, type);
  u16(18, machine);
  u32(20, 1);
  u64(24, entry, 64, sectionsAt);
  [64, 56, 2, 64, 3, 2].forEach((value, index) => u16(52 + 2 * index, value));

  u32(64, 1);
  u32(68, 5);
  u64(72, CODE_AT, RAM, RAM, 16, 16, 8);
  u32(120, 1);
  u32(124, 6);
  u64(128, CODE_AT + 16, 0xffff_ffff_8000_1000n, RAM + 0x1000, 8, 0x80, 8);
  for (let index = 0; index < 24; index++) bytes[CODE_AT + index] = index + 1;

  symbols.forEach(([name, info, section, value, size], index) => {
    const at = symtabAt + 24 * index;
    u32(at, NAMES.indexOf(`\0${name}\0`) + (name === '' ? 0 : 1));
    bytes[at + 4] = info;
    u16(at + 6, section);
    u64(at + 8, value, size);
  });
  bytes.set(names, strtabAt);
  u32(sectionsAt + 64 + 4, 2); // .symtab
  u64(sectionsAt + 64 + 24, symtabAt, symbols.length * 24);
  u32(sectionsAt + 64 + 40, 2); // its names
  u32(sectionsAt + 64 + 44, 3); // first global
  u64(sectionsAt + 64 + 56, 24);
  u32(sectionsAt + 128 + 4, 3); // .strtab
  u64(sectionsAt + 128 + 24, strtabAt, names.length);
  return bytes;
}

function withFile<Result>(bytes: Uint8Array, use: (path: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'isola-elf-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, bytes);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readelf(bytes: Uint8Array): string {
  const run = withFile(bytes, (path) =>
    spawnSync('readelf', ['-hlsW', path], { encoding: 'utf8' }),
  );
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

/** What readelf says, in the shape `readElf` gives. */
function judged(report: string) {
  const segments = Array.from(
    report.matchAll(/^ +LOAD +(0x\w+) (0x\w+) (0x\w+) (0x\w+) (0x\w+)/gm),
    ([, fileOffset, virtualAddress, physicalAddress, fileSize, memorySize]) => ({
      fileOffset: Number(fileOffset),
      virtualAddress: BigInt(virtualAddress ?? 0),
      physicalAddress: Number(physicalAddress),
      fileSize: Number(fileSize),
      memorySize: Number(memorySize),
    }),
  );
  const symbols = Array.from(
    report.matchAll(/^ +\d+: (\w{16}) +(\w+) (NOTYPE|OBJECT|FUNC) +\w+ +\w+ +(?:\d+|ABS) (\S+)$/gm),
    ([, value, size, , name]): [string, { value: bigint; size: bigint }] => [
      name ?? '',
      { value: BigInt(`0x${value}`), size: BigInt(size ?? 0) },
    ],
  );
  const entry = BigInt(/Entry point address: +(0x\w+)/.exec(report)?.[1] ?? 0);
  return { entry, segments, symbols: new Map(symbols) };
}

test('readelf sees the same entry, segments and symbols', { skip: missing('readelf') }, () => {
  const file = buildElf();
  const { machine, ...parsed } = readElf(file);
  assert.deepEqual(parsed, judged(readelf(file)));
  assert.equal(parsed.symbols.size, 4);
  assert.equal(machine, elfMachine.riscv64);
});

const toolchain = missing('riscv64-linux-gnu-as') || missing('riscv64-linux-gnu-ld');

test(
  'an executable made by the GNU toolchain is read as readelf reads it',
  { skip: toolchain },
  () => {
    const source =
      '.globl _start,tohost\n_start: j _start\n.data\n.balign 64\ntohost: .dword 0\n.comm b,99';
    const file = withFile(new TextEncoder().encode(source), (path) => {
      for (const [tool, ...args] of [
        ['riscv64-linux-gnu-as', path, '-o', `${path}.o`],
        ['riscv64-linux-gnu-ld', '-N', '-Ttext=0x80000000', `${path}.o`, '-o', `${path}.elf`],
      ] as const) {
        const run = spawnSync(tool, args, { encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
      }
      return new Uint8Array(readFileSync(`${path}.elf`));
    });
    const { machine, ...parsed } = readElf(file);
    assert.deepEqual(parsed, judged(readelf(file)));
    assert.equal(machine, elfMachine.riscv64);
    const memory = new GuestMemory(new ArrayBuffer(0x1_0000), 0, RAM, 0x1_0000);
    const loaded = loadElf(memory, file, elfMachine.riscv64);
    assert.equal(loaded.entry, RAM);
    assert.equal(BigInt(loaded.symbols.get('tohost') ?? 0), parsed.symbols.get('tohost')?.value);
  },
);

test('loading copies by physical address, zeroes .bss and translates symbols', () => {
  const wrote: [number, number][] = [];
  const ram = new Uint8Array(0x2000).fill(0xff);
  const memory = new GuestMemory(ram.buffer, 0, RAM, ram.length, (...range) => wrote.push(range));
  const { entry, symbols } = loadElf(memory, buildElf(), elfMachine.riscv64);
  assert.equal(entry, RAM);
  assert.deepEqual(Array.from(ram.subarray(0, 17)), [
    ...Array(16)
      .keys()
      .map((i) => i + 1),
    0xff,
  ]);
  assert.deepEqual(Array.from(ram.subarray(0x1000, 0x1009)), [17, 18, 19, 20, 21, 22, 23, 24, 0]);
  assert.deepEqual([ram[0x107f], ram[0x1080]], [0, 0xff]);
  assert.equal(symbols.get('tohost'), RAM + 0x1000);
  assert.equal(symbols.get('fromhost'), RAM + 0x1040);
  assert.equal(symbols.has('undefined'), false);
  assert.deepEqual(wrote, [
    [RAM, 16],
    [RAM + 0x1000, 0x80],
  ]);
});

test('an entry point linked high is translated to where its segment lies', () => {
  const memory = new GuestMemory(new ArrayBuffer(0x2000), 0, RAM, 0x2000);
  const file = buildElf({ entry: 0xffff_ffff_8000_1010n });
  assert.equal(loadElf(memory, file, elfMachine.riscv64).entry, RAM + 0x1010);
});

const changed = (at: number, ...values: number[]): Uint8Array => {
  const bytes = buildElf();
  bytes.set(values, at);
  return bytes;
};

const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['another format', new TextEncoder().encode('#!/bin/sh\n'), /^not an ELF file/],
  ['a 32-bit file', changed(4, 1), /^a 32-bit ELF file/],
  ['a big-endian file', changed(5, 2), /^a big-endian/],
  ['an object file', buildElf({ type: 1 }), /^an object file, not yet linked/],
  ['a shared object', buildElf({ type: 3 }), /-static -no-pie/],
  [
    'another machine',
    buildElf({ machine: 62 }),
    /^an executable for x86-64, and this machine is riscv64/,
  ],
  ['a header alone', buildElf().slice(0, 64), /^truncated: the program header table/],
  ['half a header', buildElf().slice(0, 40), /^truncated: the header/],
  ['a segment beyond the file', changed(64 + 32, 0, 0, 1), /larger in the file than in memory/],
  ['no segments', changed(56, 0, 0), /nothing to load/],
  [
    'a segment outside RAM',
    changed(64 + 24, 0, 0, 0, 0x10),
    /0x10000000 to 0x10000010, which is not all RAM/,
  ],
  ['an absurd address', changed(64 + 24 + 7, 0xff), /beyond any machine's memory/],
  ['an entry outside', buildElf({ entry: 4n }), /entry point 0x4 lies in none/],
];

for (const [what, file, message] of refused) {
  test(`${what} is refused`, () => {
    const memory = new GuestMemory(new ArrayBuffer(0x2000), 0, RAM, 0x2000);
    assert.throws(() => loadElf(memory, file, elfMachine.riscv64), { name: 'ElfError', message });
  });
}

test('a damaged file gives an ElfError, never anything else', () => {
  const file = buildElf();
  const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.integer({ min: 0, max: file.length }), (changes, length) => {
      const damaged = file.slice();
      for (const [at, byte] of changes) damaged[at] = byte;
      const memory = new GuestMemory(new ArrayBuffer(0x2000), 0, RAM, 0x2000);
      for (const bytes of [damaged, damaged.subarray(0, length)]) {
        try {
          loadElf(memory, bytes, elfMachine.riscv64);
        } catch (error) {
          assert.ok(error instanceof ElfError, String(error));
        }
      }
    }),
    { numRuns: 1000 },
  );
});
