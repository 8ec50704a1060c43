// dce: values that nobody uses, empty `if`s, and writes that are overwritten before anybody can see them.
//
// One walk from the end to the start. Registers and cells can be seen by whatever may leave the instruction (accesses
// to memory fault), calls, and reads; the end of the block sees all. Variables that are never read are not written.

import type { Block, IfNode, LoopNode, Node } from '../node.ts';
import { pureOps } from '../ops.ts';
import { placeOf } from './places.ts';

export const dce = (block: Block): Block => new Elimination(block).block(block);

/** Nodes that do nothing but give a value. */
const droppable: ReadonlySet<string> = new Set([
  ...Object.keys(pureOps),
  'pc',
  'get',
  'get_state',
  'get_variable',
  'retired',
  'in_ram',
  'locate_load',
  'locate_store',
]);

class Elimination {
  readonly #whole: Block;
  readonly #used = new Set<Node>();
  /** Places that are written later, before anybody can see them. */
  #overwritten = new Set<number>();
  /** Variables that are read anywhere; found out when needed. */
  #read: Set<number> | undefined;

  constructor(whole: Block) {
    this.#whole = whole;
  }

  block(block: Block): Block {
    const kept: Node[] = [];
    const { nodes } = block;
    let isChanged = false;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const node = this.#node(nodes[i]!);
      isChanged ||= node !== nodes[i];
      if (node === undefined) continue;
      for (const arg of node.args) this.#used.add(arg);
      kept.push(node);
    }
    return isChanged ? { nodes: kept.toReversed() } : block;
  }

  /** What is left of a node. */
  #node(node: Node): Node | undefined {
    if (droppable.has(node.op)) {
      if (!this.#used.has(node)) return undefined;
      if (node.op === 'get' || node.op === 'get_state') this.#see(node);
      return node;
    }
    switch (node.op) {
      case 'set':
      case 'set_state':
        return this.#isOverwritten(node) ? undefined : node;
      case 'set_variable':
        return this.#isRead(node.variable.id) ? node : undefined;
      case 'if':
        return this.#if(node);
      case 'loop':
        return this.#loop(node);
      case 'instruction':
      case 'fence':
        return node;
      default:
        this.#overwritten.clear();
        return node;
    }
  }

  #see(node: Node): void {
    const place = placeOf(node);
    if (place !== undefined) this.#overwritten.delete(place);
    else this.#overwritten.clear();
  }

  #isOverwritten(node: Node): boolean {
    const place = placeOf(node);
    if (place === undefined) return false;
    if (this.#overwritten.has(place)) return true;
    this.#overwritten.add(place);
    return false;
  }

  #if(node: IfNode): Node | undefined {
    const after = this.#overwritten;
    this.#overwritten = new Set(after);
    const otherwise = this.block(node.otherwise);
    const inOtherwise = this.#overwritten;
    this.#overwritten = after;
    const taken = this.block(node.taken);
    for (const place of this.#overwritten) {
      if (!inOtherwise.has(place)) this.#overwritten.delete(place);
    }
    if (taken.nodes.length + otherwise.nodes.length === 0) return undefined;
    const isWhole = taken === node.taken && otherwise === node.otherwise;
    return isWhole ? node : { ...node, taken, otherwise };
  }

  #loop(node: LoopNode): Node {
    this.#overwritten.clear();
    const body = this.block(node.body);
    this.#overwritten.clear();
    return body === node.body ? node : { ...node, body };
  }

  #isRead(variable: number): boolean {
    this.#read ??= readVariables(this.#whole, new Set());
    return this.#read.has(variable);
  }
}

function readVariables(block: Block, read: Set<number>): Set<number> {
  for (const node of block.nodes) {
    if (node.op === 'get_variable') read.add(node.variable.id);
    else if (node.op === 'loop') readVariables(node.body, read);
    else if (node.op === 'if') {
      readVariables(node.taken, read);
      readVariables(node.otherwise, read);
    }
  }
  return read;
}
