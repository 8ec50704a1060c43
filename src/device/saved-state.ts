// Plain state to JSON and back, checked against a template: how every device's snapshot is derived
// from its state.
//
// State is made of numbers, booleans, texts, bigints, arrays and plain objects of these. A bigint
// is saved as decimal text. The template (the state after reset) says what must come back: the same
// keys, the same types. An array that is empty in the template holds any number of finite numbers;
// any other keeps its length. Invariant: for state of this form, `fromSaved(template,
// toSaved(state))` equals the state; anything else throws `SavedStateError`.

import { SavedStateError } from './device.ts';
import type { SavedState, SavedValue } from './device.ts';

/** What the state of a device may be made of. */
export type PlainState =
  | boolean
  | number
  | string
  | bigint
  | readonly PlainState[]
  | { readonly [key: string]: PlainState };

/** The JSON form of `value`. */
export function toSaved(value: PlainState): SavedValue {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return (value as readonly PlainState[]).map(toSaved);
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toSaved(item)]));
  }
  return value;
}

/**
 * The state saved as `saved`, which must have the form of `template`; `path` names it in errors.
 */
export function fromSaved<T extends PlainState>(
  template: T,
  saved: SavedValue | undefined,
  path: string,
): T {
  return check(template, saved, path) as T;
}

/** The object saved at `path`. */
export function savedObject(saved: SavedValue | undefined, path: string): SavedState {
  if (typeof saved !== 'object' || saved === null || Array.isArray(saved)) {
    throw new SavedStateError(`${path} is not an object`);
  }
  return saved as SavedState;
}

function check(template: PlainState, saved: SavedValue | undefined, path: string): PlainState {
  if (typeof template === 'bigint') {
    if (typeof saved !== 'string' || !/^-?\d{1,40}$/.test(saved)) {
      throw new SavedStateError(`${path} is not an integer in decimal text`);
    }
    return BigInt(saved);
  }
  if (Array.isArray(template)) return checkArray(template as readonly PlainState[], saved, path);
  if (typeof template === 'object') {
    const object = savedObject(saved, path);
    const entries = Object.entries(template);
    return Object.fromEntries(
      entries.map(([key, item]) => [key, check(item, object[key], `${path}.${key}`)]),
    );
  }
  if (typeof saved !== typeof template || (typeof saved === 'number' && !Number.isFinite(saved))) {
    throw new SavedStateError(`${path} is not a ${typeof template}`);
  }
  return saved as PlainState;
}

function checkArray(
  template: readonly PlainState[],
  saved: SavedValue | undefined,
  path: string,
): PlainState[] {
  if (!Array.isArray(saved)) throw new SavedStateError(`${path} is not an array`);
  const items = saved as readonly SavedValue[];
  if (template.length === 0) return items.map((item, i) => check(0, item, `${path}[${i}]`));
  if (items.length !== template.length) {
    throw new SavedStateError(`${path} has ${items.length} items instead of ${template.length}`);
  }
  return template.map((item, i) => check(item, items[i], `${path}[${i}]`));
}
