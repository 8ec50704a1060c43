// The register-block language: a device is a table of registers, plain state, and small functions
// for effects.
//
// From the table are derived: dispatch of reads and writes, the check of access widths, reset,
// names for traces, save and restore, and the table of registers for the documentation. A row keeps
// its own value unless it says how to `read` one; `writable` and `w1c` say which bits a guest may
// change. Rows may share an offset when they differ in direction (`only`) or in the bank that shows
// them (`when`); the first that applies answers. Invariants: an access is as wide as its register
// and aligned to it, otherwise it reads 0 and writes nothing; values are unsigned 32-bit numbers.
// The live device `d` given to every function is the state, the context and the kept registers in
// one object.

import { assert } from '../std/assert.ts';
import { SavedStateError } from './device.ts';
import type { AccessSize, DeviceInstance, SavedState, SavedValue } from './device.ts';
import { fromSaved, savedObject, toSaved } from './saved-state.ts';
import type { PlainState } from './saved-state.ts';

/** A register, or an array of them. `D` is the live device. */
interface RegisterRow<D> {
  /** Offset in bytes from the start of the block. */
  readonly at: number;
  readonly length?: never;
  /** Width in bytes; 4 unless given. */
  readonly size?: AccessSize;
  /** For an array: how many, and the distance in bytes (the width unless given). */
  readonly count?: number;
  readonly stride?: number;
  /** Kept value after reset; 0 unless given. */
  readonly reset?: number;
  /**
   * Bits that a write stores. Unless given: all, but none where `read` is given or the row is for
   * reads only.
   */
  readonly writable?: number;
  /** Bits that writing a one clears. */
  readonly w1c?: number;
  /** The one direction in which the register exists. */
  readonly only?: 'read' | 'write';
  /** Whether the register is there now: for banked registers. */
  readonly when?: (d: D) => boolean;
  /** The value a guest reads, instead of the kept one. */
  readonly read?: (d: D, index: number) => number;
  /** Effect of a write, after the kept value has changed; `value` is what the guest wrote. */
  readonly write?: (d: D, value: number, index: number) => void;
  /** One sentence for the documentation. */
  readonly doc: string;
}

/** A range whose layout the table does not know, open to every width: a configuration space. */
interface WindowRow<D> {
  readonly at: number;
  /** Length in bytes. */
  readonly length: number;
  readonly read: (d: D, offset: number, size: AccessSize) => number;
  readonly write: (d: D, value: number, offset: number, size: AccessSize) => void;
  readonly doc: string;
}

/** Kept registers of the live device. */
export interface Kept<Name extends string> {
  get(name: Name, index?: number): number;
  set(name: Name, value: number, index?: number): void;
}

/** The live device: its state, its context and its kept registers. */
export type Live<State, Context, Name extends string = string> = State & Context & Kept<Name>;

/** What the table cannot say about a block as a whole. */
export interface BlockHooks<D> {
  /** After state and registers have their reset values: lines, timers, abandoned work. */
  readonly reset?: (d: D) => void;
  /** State beside the plain one. */
  readonly save?: (d: D) => SavedValue;
  /** After state and registers are restored; `extra` is what `save` gave. */
  readonly restore?: (d: D, extra: SavedValue | undefined) => void;
}

/** A line of the register documentation. */
interface RegisterDescription {
  readonly name: string;
  readonly at: number;
  /** Width in bytes of one register, or the length of a window. */
  readonly size: number;
  readonly count: number;
  readonly stride: number;
  readonly direction: 'read' | 'write' | 'read-write';
  readonly reset: number;
  readonly doc: string;
}

/** A device made from a register block; `live` is for the device's own code. */
interface RegisterBlockInstance<D> extends DeviceInstance {
  readonly live: D;
}

/**
 * A kind of register block. `Context` is a plain object: its fields become fields of the live
 * device.
 */
export interface RegisterBlock<D, Context> {
  readonly kind: string;
  readonly documentation: readonly RegisterDescription[];
  create(context: Context): RegisterBlockInstance<D>;
}

type Rows<D, Name extends string> = Readonly<Record<Name, RegisterRow<D> | WindowRow<D>>>;

/**
 * Declares a register block: first its kind and its state after reset, then its rows. Errors in
 * the table are assertions. `state` gives plain data (see saved-state.ts), fresh each time; `State`
 * is `unknown` for a block without.
 */
export function registerBlock<State, Context extends object>(
  kind: string,
  state: () => State & Readonly<Record<string, PlainState>>,
) {
  return <Name extends string>(
    rows: Rows<Live<State, Context, Name>, Name>,
    hooks: BlockHooks<Live<State, Context, Name>> = {},
  ): RegisterBlock<Live<State, Context, Name>, Context> => {
    type D = Live<State, Context, Name>;
    const layout = layOut<D>(kind, rows);
    return {
      kind,
      documentation: layout.map(describe),
      create(context) {
        const kept = new Map(
          layout.flatMap((r) => (r.kept ? [[r.name, new Uint32Array(r.count).fill(r.reset)]] : [])),
        );
        const live = { ...context, ...state(), ...access(kind, kept) } as D;
        return {
          live,
          ...operations({ kind, layout, live, kept, hooks, fresh: state }),
        };
      },
    };
  };
}

/** A row with everything derived from it. */
interface Entry<D> {
  readonly name: string;
  readonly at: number;
  readonly end: number;
  readonly size: number;
  readonly count: number;
  readonly stride: number;
  readonly reset: number;
  readonly kept: boolean;
  readonly mask: number;
  readonly writable: number;
  readonly w1c: number;
  readonly readable: boolean;
  readonly takesWrites: boolean;
  readonly row: RegisterRow<D> | WindowRow<D>;
  readonly register: RegisterRow<D> | undefined;
  readonly window: WindowRow<D> | undefined;
}

function layOut<D>(kind: string, rows: Rows<D, string>): readonly Entry<D>[] {
  const layout = Object.entries(rows).map(([name, row]) => entryOf(name, row));
  for (const entry of layout) {
    const { name, at, size, stride, register } = entry;
    assert(
      register === undefined || (at % size === 0 && stride % size === 0),
      `${kind}.${name} is misaligned`,
    );
    assert(stride >= size, `${kind}.${name} overlaps itself`);
    for (const other of layout) {
      if (other === entry) break;
      assert(!clash(entry, other), `${kind}.${name} overlaps ${other.name}`);
    }
  }
  return layout;
}

function entryOf<D>(name: string, row: RegisterRow<D> | WindowRow<D>): Entry<D> {
  if (row.length !== undefined) {
    const { at, length } = row;
    return {
      name,
      at,
      end: at + length,
      size: length,
      count: 1,
      stride: length,
      reset: 0,
      kept: false,
      mask: 0,
      writable: 0,
      w1c: 0,
      readable: true,
      takesWrites: true,
      row,
      register: undefined,
      window: row,
    };
  }
  const { at, size = 4, count = 1, stride = size, reset = 0, w1c = 0, only } = row;
  const mask = 2 ** (8 * size) - 1;
  const computed =
    row.read !== undefined || only === 'read' || (only === 'write' && row.write !== undefined);
  const writable = row.writable ?? (computed ? 0 : mask);
  return {
    name,
    at,
    end: at + (count - 1) * stride + size,
    size,
    count,
    stride,
    reset,
    kept: !computed || writable !== 0 || w1c !== 0 || row.reset !== undefined,
    mask,
    writable,
    w1c,
    readable: only !== 'write',
    takesWrites: only !== 'read',
    row,
    register: row,
    window: undefined,
  };
}

/**
 * Whether two rows answer the same access, neither being banked. Interleaved arrays are told apart
 * by phase.
 */
function clash<D>(a: Entry<D>, b: Entry<D>): boolean {
  if (a.at >= b.end || b.at >= a.end) return false;
  if (a.register?.when !== undefined || b.register?.when !== undefined) return false;
  if (!(a.readable && b.readable) && !(a.takesWrites && b.takesWrites)) return false;
  if (a.count === 1 && b.count === 1) return true;
  const stride = a.count === 1 ? b.stride : a.stride;
  if (a.count > 1 && b.count > 1 && a.stride !== b.stride) return true;
  const phase = (((b.at - a.at) % stride) + stride) % stride;
  return phase < a.size || phase + b.size > stride;
}

function describe<D>(entry: Entry<D>): RegisterDescription {
  const { name, at, size, count, stride, reset, readable, takesWrites, writable, w1c, register } =
    entry;
  const changes = takesWrites && (writable !== 0 || w1c !== 0 || entry.row.write !== undefined);
  const direction = !readable ? 'write' : changes ? 'read-write' : 'read';
  assert(register !== undefined || direction === 'read-write', 'a window takes reads and writes');
  return { name, at, size, count, stride, direction, reset, doc: entry.row.doc };
}

function access(kind: string, kept: ReadonlyMap<string, Uint32Array>): Kept<string> {
  const valuesOf = (name: string, index: number): Uint32Array => {
    const values = kept.get(name);
    assert(values !== undefined && index < values.length, `${kind} keeps no ${name}[${index}]`);
    return values;
  };
  return {
    get: (name, index = 0) => valuesOf(name, index)[index] ?? 0,
    set: (name, value, index = 0) => {
      valuesOf(name, index)[index] = value;
    },
  };
}

interface Parts<D> {
  readonly kind: string;
  readonly layout: readonly Entry<D>[];
  readonly live: D;
  readonly kept: ReadonlyMap<string, Uint32Array>;
  readonly hooks: BlockHooks<D>;
  readonly fresh: () => Readonly<Record<string, PlainState>>;
}

function operations<D extends object>(parts: Parts<D>): DeviceInstance {
  const { layout, live, kept, hooks, fresh } = parts;
  const find = finder(layout, live);
  return {
    read: (offset, size) => {
      const entry = find(offset, true);
      return entry === undefined ? 0 : readEntry(entry, live, kept, offset, size);
    },
    write: (offset, size, value) => {
      const entry = find(offset, false);
      if (entry !== undefined) writeEntry(entry, live, kept, offset, size, value);
    },
    reset: () => {
      for (const { name, reset } of layout) kept.get(name)?.fill(reset);
      Object.assign(live, fresh());
      hooks.reset?.(live);
    },
    save: () => save(parts),
    restore: (saved) => restore(parts, saved),
    registers: {
      nameAt: (offset, direction) => {
        const entry = find(offset, direction === 'read');
        if (entry === undefined) return undefined;
        if (entry.window) return `${entry.name}+0x${(offset - entry.at).toString(16)}`;
        return entry.count === 1
          ? entry.name
          : `${entry.name}[${(offset - entry.at) / entry.stride}]`;
      },
    },
  };
}

/** The lookup of the row at an offset: single registers by map, arrays and windows by search. */
function finder<D>(layout: readonly Entry<D>[], live: D) {
  const singles = new Map<number, Entry<D>[]>();
  const ranges: Entry<D>[] = [];
  for (const entry of layout) {
    if (entry.count > 1 || entry.window) ranges.push(entry);
    else singles.set(entry.at, [...(singles.get(entry.at) ?? []), entry]);
  }
  const applies = (entry: Entry<D>, reading: boolean): boolean =>
    (reading ? entry.readable : entry.takesWrites) && (entry.register?.when?.(live) ?? true);
  return (offset: number, reading: boolean): Entry<D> | undefined => {
    for (const entry of singles.get(offset) ?? []) if (applies(entry, reading)) return entry;
    for (const entry of ranges) {
      if (offset < entry.at || offset >= entry.end || !applies(entry, reading)) continue;
      if (entry.window || (offset - entry.at) % entry.stride === 0) return entry;
    }
    return undefined;
  };
}

function readEntry<D>(
  entry: Entry<D>,
  live: D,
  kept: ReadonlyMap<string, Uint32Array>,
  offset: number,
  size: AccessSize,
): number {
  const { window, register } = entry;
  if (window) {
    if (offset + size > entry.end) return 0;
    return (window.read(live, offset - entry.at, size) & (2 ** (8 * size) - 1)) >>> 0;
  }
  if (size !== entry.size || register === undefined) return 0;
  const index = (offset - entry.at) / entry.stride;
  const value = register.read ? register.read(live, index) : (kept.get(entry.name)?.[index] ?? 0);
  return (value & entry.mask) >>> 0;
}

function writeEntry<D>(
  entry: Entry<D>,
  live: D,
  kept: ReadonlyMap<string, Uint32Array>,
  offset: number,
  size: AccessSize,
  value: number,
): void {
  const { window, register, writable, w1c } = entry;
  if (window) {
    if (offset + size > entry.end) return;
    window.write(live, (value & (2 ** (8 * size) - 1)) >>> 0, offset - entry.at, size);
    return;
  }
  if (size !== entry.size || register === undefined) return;
  const index = (offset - entry.at) / entry.stride;
  const written = (value & entry.mask) >>> 0;
  const values = kept.get(entry.name);
  if (values) {
    const old = values[index] ?? 0;
    values[index] = ((old & ~writable) | (written & writable)) & ~(written & w1c);
  }
  register.write?.(live, written, index);
}

function save<D extends object>({ live, kept, hooks, fresh }: Parts<D>): SavedState {
  const state = live as Record<string, PlainState>;
  const keys = Object.keys(fresh());
  const extra = hooks.save?.(live);
  return {
    registers: Object.fromEntries([...kept].map(([name, values]) => [name, [...values]])),
    state: Object.fromEntries(keys.map((key) => [key, toSaved(state[key] as PlainState)])),
    ...(extra === undefined ? {} : { extra }),
  };
}

function restore<D extends object>(parts: Parts<D>, saved: SavedState): void {
  const { kind, live, kept, hooks, fresh } = parts;
  const registers = savedObject(saved['registers'], `${kind}.registers`);
  const incoming = new Map<string, readonly number[]>();
  for (const [name, values] of kept) {
    const numbers = fromSaved([...values], registers[name], `${kind}.registers.${name}`);
    if (numbers.some((n) => !Number.isInteger(n) || n < 0 || n >= 2 ** 32)) {
      throw new SavedStateError(`${kind}.registers.${name} does not hold unsigned 32-bit numbers`);
    }
    incoming.set(name, numbers);
  }
  const state = fromSaved(fresh() as PlainState, saved['state'], `${kind}.state`);
  for (const [name, values] of kept) values.set(incoming.get(name) ?? []);
  Object.assign(live, state);
  hooks.restore?.(live, saved['extra']);
}
