// The text form of IR: one node a line, nested blocks indented. For golden tests, traces and people.
//
//   v0 = get x[5]                  a register by number; x[rd] by the name of an operand
//   v1 = add v0, -1                a literal has the type that its place asks for
//   v2 = load32_s v1               width in bits; _s: sign-extended
//   v3 = eqz v2
//   if v3 unlikely                 or likely, or neither
//     v4 = get_state mstatus
//     set x[6], v4
//   else
//     v5 = pc + 4
//     jump v5 indirect
//   end
//
// Values are numbered in the order in which they are defined, so equal IR prints equally. Other places:
//   $imm           number operand           p0            parameter
//   var0:i64       variable                 5:i64, p0:i64 type given where the place does not tell it (return)
//   get_variable var0:i64                   set_variable var0:i64, v1
//   instruction 4                           in the code of several: the one 4 bytes from the origin begins
//   v1 = locate_load v0 from 0 to 16        load64 v0, v1; store8 v0, v2, v1: with the place located before
//   load64_as_user v0; store8_as_user v0, v1   load_vector128 v0; store_vector64 v0, v1
//   rmw32_add v0, v1                        cas64 v0, v1, v2; physical_cas64, physical_load16
//   branch v0, v1    exit 2, v0             call name(v0, 1)    loop … end    break    return v0
// Literals: `true` and `false`; integers as signed decimals near zero, else as hexadecimal bits; floats as their bits.
// parse.ts reads this form. Printing never fails: a value used where it has none is `?`.

import { signed } from '../std/bits.ts';
import type { AnyRegister, Block, Node, Value, Variable } from './node.ts';
import { pureOps, type PureRow, type Type, widthOf } from './ops.ts';

/** The text of a block, each line ended. */
export function print(block: Block): string {
  return new Printer()
    .block(block, 0)
    .map(({ text }) => `${text}\n`)
    .join('');
}

/** A line of the text, and the node that it begins. */
export interface Line {
  readonly text: string;
  readonly node: Node | undefined;
}

/** The lines of a block's text, for messages about its nodes. */
export const printLines = (block: Block): Line[] => new Printer().block(block, 0);

/** How messages and texts write a constant of a type. */
function printConstant(type: Type, value: bigint): string {
  if (type === 'i1') return value === 0n ? 'false' : 'true';
  const near = signed(widthOf[type], value);
  if ((type === 'i32' || type === 'i64') && near > -65536n && near < 65536n) return `${near}`;
  return `0x${value.toString(16)}`;
}

/** Types of a node's arguments as far as its place tells them; the others are written out. */
export function argumentTypes(node: Node): readonly (Type | undefined)[] {
  switch (node.op) {
    case 'call':
      return node.callee.params;
    case 'set_variable':
      return [node.variable.type];
    case 'set_state':
      return [node.field.type];
    case 'if':
      return ['i1'];
    case 'branch':
      return ['i1', 'i64'];
    case 'return':
      return [];
    case 'load':
      return ['i64', 'i32'];
    case 'store':
      return ['i64', 'i64', 'i32'];
    case 'store_vector':
      return ['i64', 'v128'];
    case 'set':
      return [node.register.file.type];
    default: {
      const row = (pureOps as Record<string, PureRow>)[node.op];
      return row ? row.args : node.args.map(() => 'i64');
    }
  }
}

const printRegister = (register: AnyRegister): string =>
  `${register.file.name}[${'index' in register ? register.index : register.slot}]`;

const printVariable = ({ id, type }: Variable): string => `var${id}:${type}`;

const userMark = (node: { readonly asUser?: boolean }): string =>
  node.asUser === true ? '_as_user' : '';

class Printer {
  readonly #names = new Map<Node, string>();

  block(block: Block, depth: number): Line[] {
    return block.nodes.flatMap((node) => this.#node(node, depth));
  }

  #node(node: Node, depth: number): Line[] {
    const line = (text: string, of?: Node): Line => ({ text: '  '.repeat(depth) + text, node: of });
    if (node.op === 'if') {
      const hint = node.hint === 'none' ? '' : ` ${node.hint}`;
      const otherwise = this.block(node.otherwise, depth + 1);
      return [
        line(`if ${this.#args(node)}${hint}`, node),
        ...this.block(node.taken, depth + 1),
        ...(otherwise.length > 0 ? [line('else'), ...otherwise] : []),
        line('end'),
      ];
    }
    if (node.op === 'loop') {
      return [line('loop', node), ...this.block(node.body, depth + 1), line('end')];
    }
    const text = this.#plain(node);
    if (node.type === null) return [line(text, node)];
    const name = `v${this.#names.size}`;
    this.#names.set(node, name);
    return [line(`${name} = ${text}`, node)];
  }

  /** The text of a node without blocks, without the name that it defines. */
  #plain(node: Node): string {
    const args = this.#args(node);
    switch (node.op) {
      case 'get':
        return `get ${printRegister(node.register)}`;
      case 'set':
        return `set ${printRegister(node.register)}, ${args}`;
      case 'get_state':
        return `get_state ${node.field.name}`;
      case 'set_state':
        return `set_state ${node.field.name}, ${args}`;
      case 'get_variable':
        return `get_variable ${printVariable(node.variable)}`;
      case 'set_variable':
        return `set_variable ${printVariable(node.variable)}, ${args}`;
      case 'load':
      case 'physical_load':
        return `${node.op}${node.width}${node.signed ? '_s' : ''}${userMark(node)} ${args}`;
      case 'store':
        return `store${node.width}${userMark(node)} ${args}`;
      case 'load_vector':
      case 'store_vector':
      case 'cas':
      case 'physical_cas':
        return `${node.op}${node.width} ${args}`;
      case 'rmw':
        return `rmw${node.width}_${node.kind} ${args}`;
      case 'pc':
        return node.offset === 0
          ? 'pc'
          : `pc ${node.offset < 0 ? '-' : '+'} ${Math.abs(node.offset)}`;
      case 'call':
        return `call ${node.callee.name}(${args})`;
      case 'instruction':
        return `instruction ${node.distance}`;
      case 'locate_load':
      case 'locate_store':
        return `${node.op} ${args} from ${node.low} to ${node.high}`;
      case 'jump':
        return `jump ${args} ${node.kind}`;
      case 'exit':
        return `exit ${node.code}, ${args}`;
      case 'const':
      case 'parameter':
      case 'operand':
        return this.#value(node, undefined);
      default:
        return args === '' ? node.op : `${node.op} ${args}`;
    }
  }

  #args(node: Node): string {
    const types = argumentTypes(node);
    return node.args.map((arg, i) => this.#value(arg, types[i])).join(', ');
  }

  #value(node: Value, expected: Type | undefined): string {
    const suffix = node.type === expected ? '' : `:${node.type}`;
    switch (node.op) {
      case 'const':
        return printConstant(node.type, node.value) + suffix;
      case 'parameter':
        return `p${node.index}${suffix}`;
      case 'operand':
        return `$${node.slot}`;
      default:
        return this.#names.get(node) ?? '?';
    }
  }
}
