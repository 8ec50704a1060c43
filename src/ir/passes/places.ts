// Places that hold what nodes read and write: registers, cells, variables, each a number.
// Invariant: two nodes name the same place just if their numbers are equal. A place whose value may change by itself,
// or which only the decoded record names, has no number.

import {
  type Block,
  type Callee,
  type Helper,
  type Node,
  registerOffset,
  type Routine,
} from '../node.ts';

/** The place that a node reads or writes, if it is known. */
export function placeOf(node: Node): number | undefined {
  switch (node.op) {
    case 'get':
    case 'set': {
      const { register } = node;
      if (!('index' in register) || register.index === register.file.zero) return undefined;
      return registerOffset(register.file, register.index);
    }
    case 'get_state':
    case 'set_state':
      return node.field.volatile === true ? undefined : node.field.offset;
    case 'get_variable':
    case 'set_variable':
      return -1 - node.variable.id;
    default:
      return undefined;
  }
}

type Writes = ReadonlySet<number> | 'anything';

/** What each callee writes. */
const known = new WeakMap<Callee, Writes>();

/** Registers and cells that a call may change; undefined: any, and variables never. */
export function writesOf(callee: Callee): ReadonlySet<number> | undefined {
  let writes = known.get(callee);
  if (writes === undefined) {
    // What calls itself may write anything.
    known.set(callee, 'anything');
    writes = callee.kind === 'helper' ? ofHelper(callee) : ofRoutine(callee);
    known.set(callee, writes);
  }
  return writes === 'anything' ? undefined : writes;
}

const ofHelper = ({ writes }: Helper): Writes =>
  writes === undefined ? 'anything' : new Set(writes.map(({ offset }) => offset));

function ofRoutine(routine: Routine): Writes {
  const found = new Set<number>();
  return collect(routine.body(), found) ? found : 'anything';
}

/** Adds what a block writes; false if that is not known. */
function collect(block: Block, writes: Set<number>): boolean {
  for (const node of block.nodes) {
    if (node.op === 'set' || node.op === 'set_state') {
      const place = placeOf(node);
      if (place !== undefined) writes.add(place);
      else if (node.op === 'set') return false;
    } else if (node.op === 'call') {
      const inner = writesOf(node.callee);
      if (inner === undefined) return false;
      for (const place of inner) writes.add(place);
    } else if (node.op === 'loop') {
      if (!collect(node.body, writes)) return false;
    } else if (node.op === 'if') {
      if (!collect(node.taken, writes) || !collect(node.otherwise, writes)) return false;
    }
  }
  return true;
}
