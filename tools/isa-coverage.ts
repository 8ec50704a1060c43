// Writes docs/isa-riscv64.md: every instruction of the guest architecture with its text and encoding, from the rows.
// `node tools/isa-coverage.ts` makes the page anew; with --check it only says whether the page is current.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extensions, riscv64 } from '../src/isa/riscv64/isa.ts';
import type { Row } from '../src/isa/shared/row.ts';

const file = 'docs/isa-riscv64.md';
const path = join(import.meta.dirname, '..', file);

/** The page as the rows would have it. */
export function coveragePage(rows: readonly Row[]): string {
  const groups = [...Map.groupBy(rows, (row) => row.extension)];
  const parts = [
    '# Instructions of riscv64',
    'Made from the instruction tables by `node tools/isa-coverage.ts`; do not edit.',
    `The device tree announces: ${extensions.join(', ')}.`,
    'An encoding is written from bit 31 or 15 down. `0` and `1` are fixed, `.` may be anything, letters are fields: ' +
      `${Object.entries(letters)
        .map(([field, letter]) => `\`${letter}\` ${field}`)
        .join(', ')}. ` +
      'Where two encodings match a word, the one with more fixed bits is meant. † A field must not be zero.',
    ...groups.map(([name, group]) => `## ${name}\n\n${sectionOf(name, group)}`),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** How encodings show fields. */
const letters: Readonly<Record<string, string>> = {
  rd: 'd',
  rs1: 's',
  rs2: 't',
  rs3: 'u',
  imm: 'i',
  rm: 'm',
};

const sectionOf = (extension: string, rows: readonly Row[]): string =>
  extension === 'Zicsr' ? csrSection(rows) : instructionTable(rows);

const instructionTable = (rows: readonly Row[]): string =>
  table(
    ['instruction', 'text', 'encoding'],
    rows.map((row) => [row.name, code(row.text), code(encodingOf(row)) + nonzeroMark(row)]),
  );

const numberOf = (row: Row): number => row.value >>> 20;

/** Every CSR has rows of its own: they are listed once, for no CSR in particular. */
function csrSection(rows: readonly Row[]): string {
  const csrs = [...Map.groupBy(rows, numberOf)].toSorted(([a], [b]) => a - b);
  const listed = csrs.map(([number, group]) => {
    const name = /, (\w+),/.exec(group[0]!.text)![1]!;
    const writable = group.some((row) => row.name === `csrrw_${name}`);
    return [`0x${number.toString(16).padStart(3, '0')}`, name, writable ? 'read, write' : 'read'];
  });
  const forms = csrs.find(([, group]) => group.some((row) => row.name === 'csrrw_sscratch'))![1];
  const general = forms.map((row) => [
    code(row.text.replace('sscratch', 'csr')),
    code(encodingOf(row).replace(/^\d{12} ?/, `${'c'.repeat(12)} `)),
  ]);
  return [table(['text', 'encoding'], general), table(['number', 'CSR', 'access'], listed)].join(
    '\n\n',
  );
}

const nonzeroMark = (row: Row): string => (row.nonzero.length > 0 ? ' †' : '');

/** The pattern with fields as letters, a space between parts. */
function encodingOf(row: Row): string {
  const bits = Array.from({ length: 8 * row.length }, (_, bit) =>
    ((row.mask >>> bit) & 1) === 0 ? '.' : `${(row.value >>> bit) & 1}`,
  );
  for (const [name, field] of Object.entries(row.fields)) {
    for (const { lsb, width } of field.pieces) bits.fill(letters[name]!, lsb, lsb + width);
  }
  return bits
    .toReversed()
    .join('')
    .replaceAll(/[01]+|([a-z.])\1*/g, ' $&')
    .trim();
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...body];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Whether the committed page is what the rows give. */
export const isCurrent = (): boolean => readFileSync(path, 'utf8') === coveragePage(riscv64.rows);

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, coveragePage(riscv64.rows));
  else if (!isCurrent()) {
    console.error(`${file} is out of date: node tools/isa-coverage.ts`);
    process.exitCode = 1;
  }
}
