// The slow paths of generated code: what a load, store or atomic does on a miss of the first-level TLB, and flushes.
// They look into the second level, else translate, refill both, and leave to the host what is rare: accesses across
// pages, devices, stores to code.
//
// Invariants: an entry is cached only for RAM, only under the tag in force, and only if the guest's `translate`
// allows it for every access of that kind to the page; a page with code is never cached for stores.

import type { StateField } from '../../ir/node.ts';
import { CODE } from '../../memory/page-flags.ts';
import { access } from '../../isa/shared/isa.ts';
import { jumpCache, lastPages, tlb, vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import type { ModuleWriter } from '../../wasm/module.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { count } from './counters.ts';
import {
  CPU,
  fillBytes,
  getCell,
  type RuntimeFunctions,
  setCell,
  tlbEntry,
  tlbTag,
} from './lower.ts';
import {
  flushSecond,
  forgetSecond,
  keepInSecond,
  returnIfKnown,
  type TlbKind,
} from './second-tlb.ts';

/** Function indices of what the host does (engine/host-calls.ts implements them). */
export interface HostFunctions {
  /**
   * `(cpu, virtual: i64, size: i32, access: i32) → i32`: loads across a page boundary into the scratch; its offset,
   * or 0.
   */
  readonly crossLoad: number;
  /**
   * `(cpu, virtual: i64, size: i32, value: i64, access: i32) → i32`: the same for a store: where to store once more,
   * which nobody sees; 0 for a pending exception. Of sixteen bytes the upper half is in vcpu.scratchHigh, here and
   * below.
   */
  readonly crossStore: number;
  /** `(cpu, virtual: i64, physical: f64, size: i32) → i32`: like crossLoad, from a device. */
  readonly deviceLoad: number;
  readonly deviceStore: number;
  /** `(cpu, host: i32)`: a store is about to change a page with code. */
  readonly codeWrite: number;
}

export interface RuntimeNeeds {
  readonly translate: number;
  readonly accessFault: number;
  readonly host: HostFunctions;
}

/** How data are accessed: the tag of entries, and the kind of access for `translate`. */
interface Manner {
  readonly tag: StateField;
  readonly kind: number;
}

const own = {
  load: { tag: vcpu.dataTag, kind: access.load },
  store: { tag: vcpu.dataTag, kind: access.store },
} as const;
const asUser = {
  load: { tag: vcpu.userTag, kind: access.loadAsUser },
  store: { tag: vcpu.userTag, kind: access.storeAsUser },
} as const;

const ADDRESS = 1;
const SIZE = 2;
const VALUE = 3;

/** Defines the runtime's functions in a module whose imports are complete. */
export function defineRuntime(
  module: ModuleWriter,
  runtime: RuntimeFunctions,
  needs: RuntimeNeeds,
): void {
  module.defineFunction(runtime.slowLoad, slowLoad(needs, own.load));
  module.defineFunction(runtime.slowStore, slowStore(needs, own.store));
  module.defineFunction(runtime.slowLoadAsUser, slowLoad(needs, asUser.load));
  module.defineFunction(runtime.slowStoreAsUser, slowStore(needs, asUser.store));
  module.defineFunction(runtime.slowAtomic, slowAtomic(needs));
  module.defineFunction(runtime.forgetPages, forgetPages());
  module.defineFunction(runtime.flushTlb, flushTlb());
  module.defineFunction(runtime.flushTlbPage, flushTlbPage());
}

/** Reserves the runtime's functions. */
export function declareRuntime(module: ModuleWriter): RuntimeFunctions {
  return {
    slowLoad: module.declareFunction(module.type(['i32', 'i64', 'i32'], ['i32'])),
    slowStore: module.declareFunction(module.type(['i32', 'i64', 'i32', 'i64'], ['i32'])),
    slowLoadAsUser: module.declareFunction(module.type(['i32', 'i64', 'i32'], ['i32'])),
    slowStoreAsUser: module.declareFunction(module.type(['i32', 'i64', 'i32', 'i64'], ['i32'])),
    slowAtomic: module.declareFunction(module.type(['i32', 'i64'], ['i32'])),
    forgetPages: module.declareFunction(module.type(['i32'], [])),
    flushTlb: module.declareFunction(module.type(['i32'], [])),
    flushTlbPage: module.declareFunction(module.type(['i32', 'i64'], [])),
  };
}

/** Returns what the host gives if the access crosses a page. */
function crossing(code: Code, hostFunction: number, params: readonly number[], kind: number): void {
  code.localGet(ADDRESS);
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(0xfff);
  code.op(opcodes['i32.and']);
  code.localGet(SIZE);
  code.op(opcodes['i32.add']);
  code.i32Const(0x1000);
  code.op(opcodes['i32.gt_u']);
  code.unlikely();
  code.if();
  for (const param of params) code.localGet(param);
  code.i32Const(kind);
  code.returnCall(hostFunction);
  code.end();
}

/**
 * Translates the address in a local for an access kind, and returns 0 from the function on a fault. Leaves the physical
 * address in `physical`, its distance from the start of RAM in `distance`, and whether it is outside RAM on the stack.
 */
export function translateOrFault(code: Code, translate: number, address: number, kind: number) {
  const physical = code.local('i64');
  const distance = code.local('i64');
  setCell(code, vcpu.uncached, () => code.i32Const(0));
  code.localGet(CPU);
  code.localGet(address);
  code.i32Const(kind);
  code.call(translate);
  code.localTee(physical);
  code.i64Const(-1);
  code.op(opcodes['i64.eq']);
  code.unlikely();
  code.if();
  code.i32Const(0);
  code.return();
  code.end();
  code.localGet(physical);
  getCell(code, vcpu.ramBase);
  code.op(opcodes['i64.sub']);
  code.localTee(distance);
  getCell(code, vcpu.ramSize);
  code.op(opcodes['i64.ge_u']);
  return { physical, distance };
}

/** Sets `host` to the host offset of a distance from the start of RAM. */
export function setHost(code: Code, distance: number, host: number): void {
  code.localGet(distance);
  code.op(opcodes['i32.wrap_i64']);
  getCell(code, vcpu.ramHost);
  code.op(opcodes['i32.add']);
  code.localSet(host);
}

/** Caches in both levels that the page of an address is at a host offset, unless `translate` forbade it. */
export function fill(
  code: Code,
  kind: TlbKind,
  address: number,
  host: number,
  tag: StateField,
): void {
  const entry = code.local('i32');
  const table = tlb[kind];
  getCell(code, vcpu.uncached);
  code.op(opcodes['i32.eqz']);
  code.if();
  tlbEntry(code, address, entry);
  code.localGet(entry);
  tlbTag(code, address, 1, () => getCell(code, tag));
  code.memory(opcodes['i64.store'], table, 3);
  code.localGet(entry);
  code.localGet(host);
  code.localGet(address);
  code.op(opcodes['i32.wrap_i64']);
  code.op(opcodes['i32.sub']);
  code.memory(opcodes['i32.store'], table + 8, 2);
  keepInSecond(code, kind, address, entry);
  code.end();
}

function slowLoad(needs: RuntimeNeeds, { tag, kind }: Manner): Code {
  const code = new Code(3);
  const host = code.local('i32');
  crossing(code, needs.host.crossLoad, [CPU, ADDRESS, SIZE], kind);
  count(code, vcpu.tlbMissLoad);
  returnIfKnown(code, 'load', ADDRESS, tag, host);
  const { physical, distance } = translateOrFault(code, needs.translate, ADDRESS, kind);
  code.unlikely();
  code.if();
  code.localGet(CPU);
  code.localGet(ADDRESS);
  code.localGet(physical);
  code.op(opcodes['f64.convert_i64_u']);
  code.localGet(SIZE);
  code.returnCall(needs.host.deviceLoad);
  code.end();
  setHost(code, distance, host);
  fill(code, 'load', ADDRESS, host, tag);
  code.localGet(host);
  return code;
}

/** If the page at a host offset (a local) holds code, tells the host, which forgets what was made of it. */
function noticeCodeWrite(code: Code, needs: RuntimeNeeds, host: number): void {
  getCell(code, vcpu.pageFlags);
  code.localGet(host);
  getCell(code, vcpu.ramHost);
  code.op(opcodes['i32.sub']);
  code.i32Const(12);
  code.op(opcodes['i32.shr_u']);
  code.op(opcodes['i32.add']);
  code.memory(opcodes['i32.load8_u'], 0, 0);
  code.i32Const(CODE);
  code.op(opcodes['i32.and']);
  code.unlikely();
  code.if();
  code.localGet(CPU);
  code.localGet(host);
  code.call(needs.host.codeWrite);
  code.end();
}

function slowStore(needs: RuntimeNeeds, { tag, kind }: Manner): Code {
  const code = new Code(4);
  const host = code.local('i32');
  crossing(code, needs.host.crossStore, [CPU, ADDRESS, SIZE, VALUE], kind);
  count(code, vcpu.tlbMissStore);
  returnIfKnown(code, 'store', ADDRESS, tag, host, () => noticeCodeWrite(code, needs, host));
  const { physical, distance } = translateOrFault(code, needs.translate, ADDRESS, kind);
  code.unlikely();
  code.if();
  code.localGet(CPU);
  code.localGet(ADDRESS);
  code.localGet(physical);
  code.op(opcodes['f64.convert_i64_u']);
  code.localGet(SIZE);
  code.localGet(VALUE);
  code.returnCall(needs.host.deviceStore);
  code.end();
  setHost(code, distance, host);
  noticeCodeWrite(code, needs, host);
  fill(code, 'store', ADDRESS, host, tag);
  code.localGet(host);
  return code;
}

/** Atomics reach RAM only: elsewhere they are access faults. */
function slowAtomic(needs: RuntimeNeeds): Code {
  const code = new Code(2);
  const host = code.local('i32');
  count(code, vcpu.tlbMissStore);
  returnIfKnown(code, 'store', ADDRESS, vcpu.dataTag, host, () =>
    noticeCodeWrite(code, needs, host),
  );
  const { distance } = translateOrFault(code, needs.translate, ADDRESS, access.store);
  code.unlikely();
  code.if();
  code.localGet(CPU);
  code.localGet(ADDRESS);
  code.i32Const(access.store);
  code.call(needs.accessFault);
  code.i32Const(0);
  code.return();
  code.end();
  setHost(code, distance, host);
  noticeCodeWrite(code, needs, host);
  fill(code, 'store', ADDRESS, host, vcpu.dataTag);
  code.localGet(host);
  return code;
}

/** Where the record's caches end that a flush empties; all ones is a tag and a pc that no entry matches. */
const END = jumpCache.offset + jumpCache.entries * jumpCache.entryBytes;

/** Bytes of the last pages. */
const LAST_PAGES = 2 * lastPages.registers * lastPages.entryBytes;

/** Empties the last pages, and keeps them for the tag in force from now on. */
function forgetPages(): Code {
  const code = new Code(1);
  fillBytes(code, lastPages.load, LAST_PAGES);
  setCell(code, vcpu.lastPagesTag, () => getCell(code, vcpu.dataTag));
  return code;
}

function flushTlb(): Code {
  const code = new Code(1);
  count(code, vcpu.tlbFlushes);
  fillBytes(code, lastPages.load, END - lastPages.load);
  flushSecond(code);
  setCell(code, vcpu.largeLow, () => code.i64Const(-1));
  setCell(code, vcpu.largeHigh, () => code.i64Const(0));
  return code;
}

/** Bytes of the jump cache's entries for a page. */
const ENTRIES_BYTES = 64 * jumpCache.entryBytes;

/** Sets `entry` to the first of the 64 jump cache entries of the page of the address (i64) that `push` pushes. */
function jumpCachePage(code: Code, push: () => void): void {
  push();
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(12 - Math.log2(ENTRIES_BYTES));
  code.op(opcodes['i32.shr_u']);
  code.i32Const((jumpCache.entries / 64 - 1) * ENTRIES_BYTES);
  code.op(opcodes['i32.and']);
  code.localGet(CPU);
  code.op(opcodes['i32.add']);
}

/**
 * Sets `entry` to the jump cache entry of the pc in a local: 64 entries a page, chosen by the halfword in it. The
 * page's 2048 halfwords are folded so that neighbours do not collide.
 */
export function jumpCacheEntry(code: Code, pc: number, entry: number): void {
  const { entryBytes } = jumpCache;
  jumpCachePage(code, () => code.localGet(pc));
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(Math.log2(entryBytes) - 1);
  code.op(opcodes['i32.shl']);
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  code.i32Const(7 - Math.log2(entryBytes));
  code.op(opcodes['i32.shr_u']);
  code.op(opcodes['i32.xor']);
  code.i32Const(63 * entryBytes);
  code.op(opcodes['i32.and']);
  code.op(opcodes['i32.add']);
  code.localSet(entry);
}

function flushTlbPage(): Code {
  const code = new Code(2);
  const entry = code.local('i32');
  count(code, vcpu.tlbPageFlushes);
  code.localGet(ADDRESS);
  getCell(code, vcpu.largeLow);
  code.op(opcodes['i64.ge_u']);
  code.localGet(ADDRESS);
  getCell(code, vcpu.largeHigh);
  code.op(opcodes['i64.le_u']);
  code.op(opcodes['i32.and']);
  code.if();
  // A mapping larger than a page may lie here: its other pages are cached one by one, so all must go.
  count(code, vcpu.tlbFlushes);
  count(code, vcpu.tlbLargeFlushes);
  fillBytes(code, lastPages.load, END - lastPages.load);
  flushSecond(code);
  code.return();
  code.end();
  // Any of them may be for the page.
  fillBytes(code, lastPages.load, LAST_PAGES);
  tlbEntry(code, ADDRESS, entry);
  for (const table of [tlb.load, tlb.store, tlb.fetch]) {
    code.localGet(entry);
    code.i64Const(-1);
    code.memory(opcodes['i64.store'], table, 3);
  }
  forgetSecond(code, ADDRESS);
  jumpCachePage(code, () => code.localGet(ADDRESS));
  code.i32Const(jumpCache.offset);
  code.op(opcodes['i32.add']);
  code.i32Const(0xff);
  code.i32Const(ENTRIES_BYTES);
  code.index(opcodes['memory.fill'], 0);
  forgetStraddling(code);
  return code;
}

/** Empties the jump cache's entry of the instruction that begins before the page and may go on in it. */
function forgetStraddling(code: Code): void {
  const pc = code.local('i64');
  const entry = code.local('i32');
  code.localGet(ADDRESS);
  code.i64Const(2);
  code.op(opcodes['i64.sub']);
  code.localSet(pc);
  jumpCacheEntry(code, pc, entry);
  code.localGet(entry);
  code.i64Const(-1);
  code.memory(opcodes['i64.store'], jumpCache.offset, 3);
}
