// forward: what a register, cell or variable is known to hold is not read again, and not written again.
//
// Known is what was read or written last, until something may have changed it. An access to memory that succeeds
// changes nothing but volatile cells; a routine changes what its body says, a helper may change anything.
// What is not known at the end of both arms of an `if` in the same way is unknown behind it.

import type { Block, Node, Value } from '../node.ts';
import { placeOf, writesOf } from './places.ts';
import { type Rule, walk } from './walk.ts';

export const forward = (block: Block): Block => walk(block, [forwarding()]);

/** The rule of the pass, for one walk. */
export const forwarding = (): Rule => new Forwarding();

const equal = (a: Value, b: Value): boolean =>
  a === b || (a.op === 'const' && b.op === 'const' && a.value === b.value && a.type === b.type);

class Forwarding implements Rule {
  /** Values by place. */
  readonly #known = new Map<number, Value>();
  /** What was known about places before it changed, latest last. */
  readonly #before: { readonly place: number; readonly value: Value | undefined }[] = [];
  /** How much of that there was when each arm began. */
  readonly #marks: number[] = [];

  effect(node: Node): Value | 'nothing' | undefined {
    switch (node.op) {
      case 'get':
      case 'get_state':
      case 'get_variable':
        return this.#read(node);
      case 'set':
      case 'set_state':
      case 'set_variable':
        return this.#write(node, node.args[0]!);
      case 'call':
        this.#called(writesOf(node.callee));
        return undefined;
      default:
        return undefined;
    }
  }

  enter(kind: 'arm' | 'body'): void {
    this.#marks.push(this.#before.length);
    if (kind === 'body') this.#forgetAll();
  }

  leave(goesOn: boolean): void {
    const changed = this.#before.splice(this.#marks.pop()!);
    for (const { place, value } of changed.toReversed()) {
      if (value === undefined) this.#known.delete(place);
      else this.#known.set(place, value);
    }
    if (goesOn) for (const { place } of changed) this.#learn(place, undefined);
  }

  #read(node: Value): Value | undefined {
    const place = placeOf(node);
    if (place === undefined) return undefined;
    const value = this.#known.get(place);
    if (value === undefined) this.#learn(place, node);
    return value;
  }

  #write(node: Node, value: Value): 'nothing' | undefined {
    const place = placeOf(node);
    if (place === undefined) {
      // A register that only the decoded record names may be any.
      if (node.op === 'set') this.#forgetAll();
      return undefined;
    }
    const known = this.#known.get(place);
    if (known !== undefined && equal(known, value)) return 'nothing';
    this.#learn(place, value);
    return undefined;
  }

  #called(places: ReadonlySet<number> | undefined): void {
    if (places === undefined) this.#forgetAll();
    else for (const place of places) this.#learn(place, undefined);
  }

  #forgetAll(): void {
    for (const place of this.#known.keys()) this.#learn(place, undefined);
  }

  #learn(place: number, value: Value | undefined): void {
    if (this.#marks.length > 0) this.#before.push({ place, value: this.#known.get(place) });
    if (value === undefined) this.#known.delete(place);
    else this.#known.set(place, value);
  }
}
