// Reads the text form of IR that print.ts writes (described there). Text after '#' is a comment; indentation is free.
//
// Names of registers, cells and callees are looked up in a context. What the text cannot mean (an unknown name, a
// value of another type than its place asks for, a value used where it is not defined) is an IrSyntaxError that
// names line and column. What it can mean, parse accepts: the rules of sound IR are the verifier's.

import { unsigned } from '../std/bits.ts';
import type {
  Block,
  Callee,
  Hint,
  JumpKind,
  Node,
  AnyRegister,
  AnyRegisterFile,
  StateField,
  Value,
  Variable,
} from './node.ts';
import { pureOps, type PureRow, type Type, widthOf } from './ops.ts';

/** What names in the text stand for. */
export interface ParseContext {
  readonly files: readonly AnyRegisterFile[];
  readonly cells: readonly StateField[];
  readonly callees: readonly Callee[];
}

/** Text that is not IR. Lines and columns count from 1. */
export class IrSyntaxError extends Error {
  override readonly name = 'IrSyntaxError';
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, problem: string) {
    super(`line ${line}, column ${column}: ${problem}`);
    this.line = line;
    this.column = column;
  }
}

/** Parses a block. Throws IrSyntaxError. */
export function parse(text: string, context: ParseContext): Block {
  const lines = text
    .split('\n')
    .map((line, i) => new LineReader(line.replace(/#.*/, ''), i + 1))
    .filter((line) => !line.atEnd);
  const last = new LineReader('', text.split('\n').length);
  return new Parser([...lines, last], context).all();
}

type Draft = { [key: string]: unknown } & { readonly type: Type | null };
type NodeParser = (parser: Parser, op: string) => Draft;

const none: readonly Value[] = [];
const tokenForm = /\s*(-?(?:0x[\da-f]+|\d+)(?!\w)|\$?[A-Za-z_][\w.]*|[=,()[\]:+-])/y;
const isWord = (token: string): boolean => /^[A-Za-z_$]/.test(token);

/** The tokens of one line. */
class LineReader {
  readonly number: number;
  readonly #text: string;
  #at = 0;

  constructor(text: string, number: number) {
    this.#text = text;
    this.number = number;
  }

  get atEnd(): boolean {
    return this.#text.slice(this.#at).trim() === '';
  }

  /** Column of the first token. */
  get start(): number {
    return this.#text.search(/\S|$/) + 1;
  }

  /** Column of the next token. */
  get column(): number {
    return this.#text.slice(this.#at).search(/\S|$/) + this.#at + 1;
  }

  error(problem: string, column = this.column): IrSyntaxError {
    return new IrSyntaxError(this.number, column, problem);
  }

  /** The next token, '' at the end of the line. */
  peek(): string {
    if (this.atEnd) return '';
    tokenForm.lastIndex = this.#at;
    const token = tokenForm.exec(this.#text)?.[1];
    if (token === undefined) throw this.error('unexpected character');
    return token;
  }

  take(what: string, accepts: (token: string) => boolean): string {
    const token = this.peek();
    if (token === '' || !accepts(token)) {
      throw this.error(
        `expected ${what}, not ${token === '' ? 'the end of the line' : `'${token}'`}`,
      );
    }
    this.#at = this.column - 1 + token.length;
    return token;
  }

  word(what: string): string {
    return this.take(what, isWord);
  }

  mark(mark: string): void {
    this.take(`'${mark}'`, (token) => token === mark);
  }

  /** Takes the token if it is next. */
  has(token: string): boolean {
    if (this.peek() !== token) return false;
    this.mark(token);
    return true;
  }

  integer(what: string): number {
    return Number(this.take(what, (token) => /^-?\d/.test(token)));
  }
}

class Parser {
  readonly #lines: readonly LineReader[];
  readonly #context: ParseContext;
  #index = 0;
  /** Values defined in this block so far and in the blocks around it. */
  #values: ReadonlyMap<string, Value> = new Map();
  readonly #names = new Set<string>();

  constructor(lines: readonly LineReader[], context: ParseContext) {
    this.#lines = lines;
    this.#context = context;
  }

  get line(): LineReader {
    return this.#lines[this.#index]!;
  }

  /** The whole text as a block. */
  all(): Block {
    const block = this.block();
    if (!this.line.atEnd)
      throw this.line.error(`nothing is open that '${this.line.peek()}' could end`);
    return block;
  }

  /** The nodes up to `else`, `end` or the end of the text. */
  block(): Block {
    const outer = this.#values;
    const nodes: Node[] = [];
    while (!this.line.atEnd && !['else', 'end'].includes(this.line.peek())) {
      nodes.push(this.#statement());
    }
    this.#values = outer;
    return { nodes };
  }

  /** Ends a line that must hold nothing more, and goes to the next. */
  endLine(): void {
    if (!this.line.atEnd) throw this.line.error(`unexpected '${this.line.peek()}'`);
    if (this.#index < this.#lines.length - 1) this.#index++;
  }

  /** Takes the `end` of what `opener` opened. */
  close(opener: LineReader): void {
    if (this.line.atEnd) throw opener.error('nothing ends what is opened here', opener.start);
    this.line.mark('end');
    this.endLine();
  }

  #statement(): Node {
    const { line } = this;
    const { column } = line;
    const first = line.word('an operation');
    const name = /^v\d+$/.test(first) ? first : undefined;
    if (name !== undefined) line.mark('=');
    const opColumn = line.column;
    const op = name === undefined ? first : line.word('an operation');
    const parseNode = parserOf(op);
    if (parseNode === undefined) {
      throw line.error(`unknown operation '${op}'`, name === undefined ? column : opColumn);
    }
    const node = { args: none, ...parseNode(this, op) } as unknown as Node;
    if (node.op !== 'if' && node.op !== 'loop') this.endLine();
    if (name === undefined) {
      if (node.type !== null) throw line.error(`'${op}' has a result: give it a name`, column);
      return node;
    }
    if (node.type === null) throw line.error(`'${op}' has no result to name`, column);
    if (this.#names.has(name)) throw line.error(`${name} is defined twice`, column);
    this.#names.add(name);
    this.#values = new Map(this.#values).set(name, node as Value);
    return node;
  }

  /** A value of the type that its place asks for, or of any type if the place does not tell. */
  value(expected: Type | undefined): Value {
    const { line } = this;
    const { column } = line;
    const token = line.take('a value', (next) => isWord(next) || /^-?\d/.test(next));
    const known = /^v\d+$/.test(token);
    const suffixed = !known && line.has(':') ? this.type() : undefined;
    const type = suffixed ?? expected;
    if (known) return this.#checked(this.#values.get(token), token, expected, column);
    const atom = this.#atom(token, type, column);
    return this.#checked(atom, token, expected, column);
  }

  #checked(
    value: Value | undefined,
    name: string,
    expected: Type | undefined,
    column: number,
  ): Value {
    if (value === undefined) throw this.line.error(`${name} is not defined here`, column);
    if (expected !== undefined && value.type !== expected) {
      throw this.line.error(`${name} is ${value.type}, not ${expected}`, column);
    }
    return value;
  }

  #atom(token: string, type: Type | undefined, column: number): Value {
    if (token.startsWith('$')) {
      return { op: 'operand', type: 'i64', args: none, slot: token.slice(1) };
    }
    if (type === undefined)
      throw this.line.error(`${token} needs a type, as in ${token}:i64`, column);
    if (/^p\d+$/.test(token)) {
      return { op: 'parameter', type, args: none, index: Number(token.slice(1)) };
    }
    const value = literal(token, type);
    if (value === undefined)
      throw this.line.error(`'${token}' is not a value of type ${type}`, column);
    return { op: 'const', type, args: none, value };
  }

  /** Values separated by commas. */
  values(types: readonly (Type | undefined)[]): Value[] {
    return types.map((type, i) => {
      if (i > 0) this.line.mark(',');
      return this.value(type);
    });
  }

  /** Values separated by commas, and one more if the place of the access was located before. */
  located(types: readonly Type[]): Value[] {
    const values = this.values(types);
    return this.line.has(',') ? [...values, this.value('i32')] : values;
  }

  type(): Type {
    return this.line.take('a type', (token) => Object.hasOwn(widthOf, token)) as Type;
  }

  /** A name of the context. */
  #named<T extends { readonly name: string }>(what: string, all: readonly T[]): T {
    const { column } = this.line;
    const name = this.line.word(`a ${what}`);
    const found = all.find((item) => item.name === name);
    if (found === undefined) throw this.line.error(`there is no ${what} '${name}'`, column);
    return found;
  }

  register(): AnyRegister {
    const file = this.#named('register file', this.#context.files);
    this.line.mark('[');
    const { column } = this.line;
    const token = this.line.take('a register', (next) => isWord(next) || /^\d/.test(next));
    this.line.mark(']');
    if (isWord(token)) return { file, slot: token };
    const index = Number(token);
    if (index >= file.count)
      throw this.line.error(`${file.name} has ${file.count} registers`, column);
    return { file, index };
  }

  cell(): StateField {
    return this.#named('cell', this.#context.cells);
  }

  callee(): Callee {
    return this.#named('routine or helper', this.#context.callees);
  }

  variable(): Variable {
    const name = this.line.take('a variable', (token) => /^var\d+$/.test(token));
    this.line.mark(':');
    return { id: Number(name.slice(3)), type: this.type() };
  }
}

/** The value of a literal of a type; undefined if it is none. */
function literal(token: string, type: Type): bigint | undefined {
  if (type === 'i1') return token === 'true' ? 1n : token === 'false' ? 0n : undefined;
  if (isWord(token)) return undefined;
  const value = token.startsWith('-') ? -BigInt(token.slice(1)) : BigInt(token);
  const width = widthOf[type];
  const fits = value < 1n << BigInt(width) && value >= -(1n << BigInt(width - 1));
  return fits ? unsigned(width, value) : undefined;
}

const simple =
  (types: readonly Type[], type: Type | null = null): NodeParser =>
  (parser, op) => ({ op, type, args: parser.values(types) });

const address = ['i64'] as const;

function locate(parser: Parser, op: string): Draft {
  const args = parser.values(address);
  const bound = (word: string): number => {
    parser.line.take(`'${word}'`, (token) => token === word);
    return parser.line.integer('a distance in bytes');
  };
  return { op, type: 'i32', args, low: bound('from'), high: bound('to') };
}

const operations: Readonly<Record<string, NodeParser>> = {
  ...Object.fromEntries(
    Object.entries(pureOps).map(([name, row]: [string, PureRow]) => [
      name,
      simple(row.args, row.result),
    ]),
  ),
  instruction: (parser, op) => ({
    op,
    type: null,
    distance: parser.line.integer('a distance in bytes'),
  }),
  locate_load: locate,
  locate_store: locate,
  retired: simple([], 'i64'),
  in_ram: simple(address, 'i1'),
  branch: simple(['i1', 'i64']),
  raise: simple([]),
  break: simple([]),
  fence: simple([]),
  flush_tlb: simple([]),
  flush_tlb_page: simple(address),
  sync_code: simple([]),
  probe_load: simple(address),
  probe_store: simple(address),
  get(parser, op) {
    const register = parser.register();
    return { op, type: register.file.type, register };
  },
  set(parser, op) {
    const register = parser.register();
    parser.line.mark(',');
    return { op, type: null, register, args: parser.values([register.file.type]) };
  },
  get_state(parser, op) {
    const field = parser.cell();
    return { op, type: field.type, field };
  },
  set_state(parser, op) {
    const field = parser.cell();
    parser.line.mark(',');
    return { op, type: null, field, args: parser.values([field.type]) };
  },
  get_variable(parser, op) {
    const variable = parser.variable();
    return { op, type: variable.type, variable };
  },
  set_variable(parser, op) {
    const variable = parser.variable();
    parser.line.mark(',');
    return { op, type: null, variable, args: parser.values([variable.type]) };
  },
  pc(parser, op) {
    const sign = parser.line.has('+') ? 1 : parser.line.has('-') ? -1 : 0;
    return { op, type: 'i64', offset: sign === 0 ? 0 : sign * parser.line.integer('an offset') };
  },
  call(parser, op) {
    const callee = parser.callee();
    parser.line.mark('(');
    const args = parser.values(callee.params);
    parser.line.mark(')');
    return { op, type: callee.result, callee, args };
  },
  return: (parser, op) => ({
    op,
    type: null,
    args: parser.line.atEnd ? none : [parser.value(undefined)],
  }),
  jump(parser, op) {
    const args = parser.values(address);
    const kinds = ['direct', 'indirect', 'sync'];
    const kind = parser.line.take('a kind of jump', (token) => kinds.includes(token)) as JumpKind;
    return { op, type: null, args, kind };
  },
  exit(parser, op) {
    const code = parser.line.integer('an exit code');
    parser.line.mark(',');
    return { op, type: null, args: parser.values(address), code };
  },
  loop(parser, op) {
    const opener = parser.line;
    parser.endLine();
    const body = parser.block();
    parser.close(opener);
    return { op, type: null, body };
  },
  if(parser, op) {
    const args = parser.values(['i1']);
    const given = (['likely', 'unlikely'] as const).find((word) => parser.line.has(word));
    const hint: Hint = given ?? 'none';
    const opener = parser.line;
    parser.endLine();
    const taken = parser.block();
    let otherwise: Block = { nodes: [] };
    if (parser.line.has('else')) {
      parser.endLine();
      otherwise = parser.block();
    }
    parser.close(opener);
    return { op, type: null, args, taken, otherwise, hint };
  },
};

/** Operations whose name holds a width. */
const memoryForms: readonly (readonly [RegExp, (match: readonly string[]) => NodeParser])[] = [
  [
    /^(load|physical_load)(8|16|32|64)(_s)?(_as_user)?$/,
    ([, op, bits, sign, user]) =>
      (parser) => ({
        op,
        type: 'i64',
        args: op === 'load' ? parser.located(address) : parser.values(address),
        width: Number(bits),
        signed: sign !== undefined,
        ...(user !== undefined && { asUser: true }),
      }),
  ],
  [
    /^store(8|16|32|64)(_as_user)?$/,
    ([, bits, user]) =>
      (parser) => ({
        op: 'store',
        type: null,
        args: parser.located(['i64', 'i64']),
        width: Number(bits),
        ...(user !== undefined && { asUser: true }),
      }),
  ],
  [
    /^load_vector(32|64|128)$/,
    ([, bits]) =>
      (parser) => ({
        op: 'load_vector',
        type: 'v128',
        args: parser.values(address),
        width: Number(bits),
      }),
  ],
  [
    /^store_vector(32|64|128)$/,
    ([, bits]) =>
      (parser) => ({
        op: 'store_vector',
        type: null,
        args: parser.values(['i64', 'v128']),
        width: Number(bits),
      }),
  ],
  [
    /^(cas|physical_cas)(8|16|32|64)$/,
    ([, op, bits]) =>
      (parser) => ({
        op,
        type: 'i64',
        args: parser.values(['i64', 'i64', 'i64']),
        width: Number(bits),
      }),
  ],
  [
    /^rmw(8|16|32|64)_(add|and|or|xor|xchg)$/,
    ([, bits, kind]) =>
      (parser) => ({
        op: 'rmw',
        type: 'i64',
        args: parser.values(['i64', 'i64']),
        width: Number(bits),
        kind,
      }),
  ],
];

function parserOf(op: string): NodeParser | undefined {
  if (Object.hasOwn(operations, op)) return operations[op];
  for (const [form, make] of memoryForms) {
    const match = form.exec(op);
    if (match !== null) return make(match);
  }
  return undefined;
}
