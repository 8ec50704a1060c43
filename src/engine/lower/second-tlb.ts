// The second-level TLBs, which the slow paths look into before they have the guest's tables walked.
//
// An entry is one of the first level and, in its last four bytes, the generation of the vCPU's translations to
// which it belongs: to forget all of them is to begin another generation, however large the tables are.
// Invariants: no generation is 0, for memory begins as zeros; entries of pages with code stay, so whoever finds
// one for stores must look at the page's flags, as after a walk.

import type { StateField } from '../../ir/node.ts';
import { secondTlb, tlb, vcpu } from '../../isa/shared/vcpu.ts';
import type { Code } from '../../wasm/code.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { count } from './counters.ts';
import { fillBytes, getCell, setCell, tlbEntry, tlbTag } from './lower.ts';

/** A kind of access with tables of its own. */
export type TlbKind = 'load' | 'store' | 'fetch';

const ADDEND = 8;
const GENERATION = 12;

/**
 * If the second level knows the page of the address in a local, sets `host` to where it is, does what `found` adds,
 * copies the entry into the first level, and returns `host` from the function.
 */
export function returnIfKnown(
  code: Code,
  kind: TlbKind,
  address: number,
  tag: StateField,
  host: number,
  found: () => void = () => {},
): void {
  const entry = code.local('i32');
  const first = code.local('i32');
  const addend = code.local('i32');
  const table = secondTlb[kind];
  tlbEntry(code, address, entry, secondTlb);
  code.localGet(entry);
  code.memory(opcodes['i64.load'], table, 3);
  tlbTag(code, address, 1, () => getCell(code, tag));
  code.op(opcodes['i64.eq']);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], table + GENERATION, 2);
  getCell(code, vcpu.tlbGeneration);
  code.op(opcodes['i32.eq']);
  code.op(opcodes['i32.and']);
  code.if();
  count(code, vcpu.tlbSecondHits);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], table + ADDEND, 2);
  code.localTee(addend);
  code.localGet(address);
  code.op(opcodes['i32.wrap_i64']);
  code.op(opcodes['i32.add']);
  code.localSet(host);
  found();
  tlbEntry(code, address, first);
  code.localGet(first);
  code.localGet(entry);
  code.memory(opcodes['i64.load'], table, 3);
  code.memory(opcodes['i64.store'], tlb[kind], 3);
  code.localGet(first);
  code.localGet(addend);
  code.memory(opcodes['i32.store'], tlb[kind] + ADDEND, 2);
  code.localGet(host);
  code.return();
  code.end();
}

/** Copies into the second level what the first, at `first` (a local), has got to know of the address in a local. */
export function keepInSecond(code: Code, kind: TlbKind, address: number, first: number): void {
  const entry = code.local('i32');
  const table = secondTlb[kind];
  tlbEntry(code, address, entry, secondTlb);
  code.localGet(entry);
  code.localGet(first);
  code.memory(opcodes['i64.load'], tlb[kind], 3);
  code.memory(opcodes['i64.store'], table, 3);
  code.localGet(entry);
  code.localGet(first);
  code.memory(opcodes['i32.load'], tlb[kind] + ADDEND, 2);
  code.memory(opcodes['i32.store'], table + ADDEND, 2);
  code.localGet(entry);
  getCell(code, vcpu.tlbGeneration);
  code.memory(opcodes['i32.store'], table + GENERATION, 2);
}

/** Forgets the page of the address in a local. */
export function forgetSecond(code: Code, address: number): void {
  const entry = code.local('i32');
  tlbEntry(code, address, entry, secondTlb);
  for (const table of [secondTlb.load, secondTlb.store, secondTlb.fetch]) {
    code.localGet(entry);
    code.i64Const(-1);
    code.memory(opcodes['i64.store'], table, 3);
  }
}

/** Begins another generation. When the numbers are used up, old entries go, lest they seem to be of a new one. */
export function flushSecond(code: Code): void {
  const next = code.local('i32');
  getCell(code, vcpu.tlbGeneration);
  code.i32Const(1);
  code.op(opcodes['i32.add']);
  code.localTee(next);
  code.op(opcodes['i32.eqz']);
  code.unlikely();
  code.if();
  fillBytes(code, secondTlb.load, 3 * secondTlb.entries * secondTlb.entryBytes);
  code.i32Const(1);
  code.localSet(next);
  code.end();
  setCell(code, vcpu.tlbGeneration, () => code.localGet(next));
}
