// cse: what has been computed is not computed again (value numbering).
//
// Two pure nodes are the same if operation and operands are; constants are the same if type and value are, and the
// operands of an operation that commutes have no order. An arm sees the values of blocks around it, not the reverse.

import type { Block, PcNode, PureNode, Value } from '../node.ts';
import { pureOps, type PureRow, type Type } from '../ops.ts';
import { type Rule, walk } from './walk.ts';

export const cse = (block: Block): Block => walk(block, [numbering()]);

/** The rule of the pass, for one walk. */
export const numbering = (): Rule => new Numbering();

const BITS = 12;
const opNumbers = new Map(Object.keys(pureOps).map((name, number) => [name, number + 2]));
const commuting: ReadonlySet<string> = new Set(
  Object.entries(pureOps).flatMap(([name, row]: [string, PureRow]) => (row.commutes ? [name] : [])),
);

/** Below zero, where no operation has its keys. */
function keyOfPc(offset: number): number | undefined {
  if (Math.abs(offset) > 2 ** 51) return undefined;
  return offset >= 0 ? -1 - 2 * offset : 2 * offset;
}

class Numbering implements Rule {
  readonly #numbers = new Map<Value, number>();
  readonly #constants = new Map<Type, Map<bigint, number>>();
  #next = 1;
  /** Values by operation and operands' numbers in one number. */
  readonly #known = new Map<number, Value>();
  /** Keys in the order in which they became known, and how many when each arm began. */
  readonly #keys: number[] = [];
  readonly #marks: number[] = [];

  pure(node: PureNode | PcNode): Value | undefined {
    const key = this.#key(node);
    if (key === undefined) return undefined;
    const known = this.#known.get(key);
    if (known === undefined) {
      this.#known.set(key, node);
      this.#keys.push(key);
    }
    return known;
  }

  enter(): void {
    this.#marks.push(this.#keys.length);
  }

  leave(): void {
    const mark = this.#marks.pop()!;
    while (this.#keys.length > mark) this.#known.delete(this.#keys.pop()!);
  }

  /** Undefined in a block so long that numbers run out. */
  #key(node: PureNode | PcNode): number | undefined {
    if (node.op === 'pc') return keyOfPc(node.offset);
    const { op, args } = node;
    const first = this.#number(args[0]!);
    const second = args.length > 1 ? this.#number(args[1]!) : 0;
    const third = args.length > 2 ? this.#number(args[2]!) : 0;
    if (this.#next >= 1 << BITS) return undefined;
    const swapped = first > second && commuting.has(op);
    const pair = swapped ? second * 2 ** BITS + first : first * 2 ** BITS + second;
    return (opNumbers.get(op)! * 2 ** (2 * BITS) + pair) * 2 ** BITS + third;
  }

  #number(value: Value): number {
    const known =
      value.op === 'const'
        ? this.#ofConstant(value.type).get(value.value)
        : this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#next++;
    if (value.op === 'const') this.#ofConstant(value.type).set(value.value, number);
    else this.#numbers.set(value, number);
    return number;
  }

  #ofConstant(type: Type): Map<bigint, number> {
    let constants = this.#constants.get(type);
    if (constants === undefined) this.#constants.set(type, (constants = new Map()));
    return constants;
  }
}
