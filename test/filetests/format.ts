// The format of filetests: what a few instructions do, in text.
//
//   # addi: sign-extended immediate        begins a test; a file holds any number
//   in   x5 = 7, x6 = 0xff                 before: registers, cells by name, pc
//   in   mem 0x80001000 = 01 02 03         bytes of memory
//   code addi x6, x5, -1                   one instruction; `word 0xfff28313` and `half 0x0085` give its bits
//   out  x6 = 6                            after; also `exit = wait` for a run that leaves
//   ir   v0 = get x[5]                     the instructions' printed IR, `---` between them; UPDATE=1 rewrites it
//
// A line that begins with a space continues the keyword above it. Numbers are decimal or hexadecimal, may be negative
// and may have underscores. `;` begins a comment. In `out`, registers that are not named must be as they were.

/** Text that is no filetest; the message begins with file and line. */
export class FiletestError extends Error {
  override readonly name = 'FiletestError';
}

/** `name = value`, or bytes at an address. */
export type Item =
  | { readonly kind: 'value'; readonly line: number; readonly name: string; readonly value: bigint }
  | { readonly kind: 'exit'; readonly line: number; readonly exit: string }
  | {
      readonly kind: 'memory';
      readonly line: number;
      readonly address: number;
      readonly bytes: readonly number[];
    };

export interface CodeLine {
  readonly line: number;
  readonly text: string;
}

export interface Filetest {
  readonly file: string;
  /** Of the title; lines count from 1. */
  readonly line: number;
  readonly title: string;
  readonly inputs: readonly Item[];
  readonly code: readonly CodeLine[];
  readonly outputs: readonly Item[];
  /** The golden IR, and the line of its first line; undefined if the test has none. */
  readonly ir: { readonly line: number; readonly lines: readonly string[] } | undefined;
}

const keyword = /^(in|out|code|ir)(?:\s+(.*))?$/;
/** Columns before the text of a line. */
export const indent = 5;

interface Draft {
  line: number;
  title: string;
  inputs: Item[];
  code: CodeLine[];
  outputs: Item[];
  ir: { line: number; lines: string[] } | undefined;
}

/** The tests of a file. `file` is for messages. */
export function parseFiletests(file: string, text: string): Filetest[] {
  const drafts: Draft[] = [];
  let key = '';
  for (const [i, raw] of text.split('\n').entries()) {
    const line = i + 1;
    const fail = (problem: string) => new FiletestError(`${file}:${line}: ${problem}`);
    if (raw.startsWith('#')) {
      const title = raw.slice(1).trim();
      drafts.push({ line, title, inputs: [], code: [], outputs: [], ir: undefined });
      key = '';
      continue;
    }
    const draft = drafts.at(-1);
    const match = keyword.exec(raw);
    if (match !== null) key = match[1]!;
    if (key === 'ir' && draft !== undefined && (match !== null || raw.trim() !== '')) {
      draft.ir ??= { line, lines: [] };
      draft.ir.lines.push(raw.slice(indent).trimEnd());
      continue;
    }
    const content = (match === null ? raw : (match[2] ?? '')).replace(/;.*/, '').trim();
    if (content === '') continue;
    if (match === null && !raw.startsWith(' ')) throw fail(`expected in, code, out or ir`);
    if (draft === undefined) throw fail('a test begins with its title: # title');
    if (key === '') throw fail('nothing above that this line could continue');
    if (key === 'code') draft.code.push({ line, text: content });
    else (key === 'in' ? draft.inputs : draft.outputs).push(...parseItems(content, line, fail));
  }
  return drafts.map((draft) => ({ file, ...draft }));
}

type Fail = (problem: string) => FiletestError;

const parseItems = (text: string, line: number, fail: Fail): Item[] =>
  text.split(',').map((item) => parseItem(item.trim(), line, fail));

function parseItem(text: string, line: number, fail: Fail): Item {
  const [left, right] = text.split('=').map((side) => side.trim());
  if (!left || !right) throw fail(`'${text}' is not of the form name = value`);
  if (left === 'exit') return { kind: 'exit', line, exit: right };
  if (!left.startsWith('mem ')) {
    return { kind: 'value', line, name: left, value: parseNumber(right, fail) };
  }
  const address = Number(parseNumber(left.slice(4).trim(), fail));
  const bytes = right.split(/\s+/).map((byte) => {
    if (!/^[\da-f]{2}$/i.test(byte)) throw fail(`'${byte}' is not a byte in two digits`);
    return Number.parseInt(byte, 16);
  });
  return { kind: 'memory', line, address, bytes };
}

/** A number as filetests write it. */
export function parseNumber(text: string, fail: Fail): bigint {
  const match = /^(-?)((?:0x[\da-f_]+)|[\d_]+)$/i.exec(text);
  if (match === null) throw fail(`'${text}' is not a number`);
  const value = BigInt(match[2]!.replaceAll('_', ''));
  return match[1] === '-' ? -value : value;
}

/** The text with the IR of some tests replaced; `irs` by the test's line. */
export function replaceIr(
  text: string,
  tests: readonly Filetest[],
  irs: ReadonlyMap<number, readonly string[]>,
): string {
  const lines = text.split('\n');
  for (const test of tests.toReversed()) {
    const ir = irs.get(test.line);
    if (test.ir === undefined || ir === undefined) continue;
    const printed = ir.map((line, i) => (i === 0 ? 'ir' : '').padEnd(indent) + line);
    lines.splice(test.ir.line - 1, test.ir.lines.length, ...printed);
  }
  return lines.join('\n');
}
