// The functions that join blocks of records: how a handler goes on at another address, finds the block there, raises an
// exception, and when control returns to the host.
//
// Invariants: vcpu.pc is the address of the running block's first instruction, and every way to another block sets it;
// instructions are charged to the budget when their block is left, and the budget is looked at then; a link joins only
// blocks of one page of one mapping.

import { access } from '../../isa/shared/isa.ts';
import { exitCode, jumpCache, tlb, vcpu } from '../../isa/shared/vcpu.ts';
import { Code } from '../../wasm/code.ts';
import type { ModuleWriter } from '../../wasm/module.ts';
import { opcodes } from '../../wasm/opcodes.ts';
import { count } from '../lower/counters.ts';
import { CPU, getCell, setCell, tlbEntry, tlbTag } from '../lower/lower.ts';
import { fill, jumpCacheEntry, setHost, translateOrFault } from '../lower/runtime.ts';
import { returnIfKnown } from '../lower/second-tlb.ts';
import { BUCKETS, indexEntry } from '../places.ts';
import { header, record } from './record.ts';

export const IP = 1;
const TARGET = 2;

/** Function indices of the joints, and what handlers are called by. */
export interface Joints {
  readonly table: number;
  readonly handlerType: number;
  /** `(cpu, ip)`: the instruction of the record raised an exception. */
  readonly raise: number;
  /** `(cpu, ip, target)`: goes there through the jump cache. */
  readonly jump: number;
  /** `(cpu, ip, target)`: goes there and remembers the way in the record. */
  readonly link: number;
  /** `(cpu)`: goes to vcpu.pc. */
  readonly dispatch: number;
  /** For translated code, see jit/region.ts: `(cpu, target, spent)` and `(cpu, pc, spent)`. */
  readonly leave: number;
  readonly raiseAt: number;
}

/** Pushes a 16-bit field of the record. */
export function field16(code: Code, offset: number): void {
  code.localGet(IP);
  code.memory(opcodes['i32.load16_u'], offset, 1);
}

/** Pushes retired instructions up to the last account of the budget. */
export function pushRetired(code: Code): void {
  getCell(code, vcpu.retired);
  getCell(code, vcpu.slice);
  getCell(code, vcpu.budget);
  code.op(opcodes['i32.sub']);
  code.op(opcodes['i64.extend_i32_u']);
  code.op(opcodes['i64.add']);
}

/** Pushes the address of the record's instruction plus `offset`. */
export function pushPc(code: Code, offset: number): void {
  getCell(code, vcpu.pc);
  code.localGet(IP);
  code.memory(opcodes['i64.load16_u'], record.distance, 1);
  code.op(opcodes['i64.add']);
  if (offset !== 0) {
    code.i64Const(offset);
    code.op(opcodes['i64.add']);
  }
}

/** Pushes the instructions that this execution of the block has done: those before the record, plus `more`. */
export function spentHere(code: Code, more: number): void {
  field16(code, record.index);
  if (more === 0) return;
  code.i32Const(more);
  code.op(opcodes['i32.add']);
}

/** Takes what `push` pushes off the budget, and leaves the new budget on the stack. */
export function spend(code: Code, push: () => void): void {
  const budget = code.local('i32');
  getCell(code, vcpu.budget);
  push();
  code.op(opcodes['i32.sub']);
  code.localSet(budget);
  setCell(code, vcpu.budget, () => code.localGet(budget));
  code.localGet(budget);
}

/** With the budget on the stack: leaves for the exit that is due, if one is, to go on at `target`. */
export function leaveIfDue(code: Code, target: number): void {
  const budget = code.local('i32');
  code.localSet(budget);
  code.block();
  code.block();
  code.localGet(budget);
  code.i32Const(0);
  code.op(opcodes['i32.lt_s']);
  code.unlikely();
  code.brIf(0);
  getCell(code, vcpu.attention);
  code.op(opcodes['i32.eqz']);
  code.likely();
  code.brIf(1);
  code.end();
  setCell(code, vcpu.pc, () => code.localGet(target));
  pushDueExit(code);
  code.return();
  code.end();
}

function pushDueExit(code: Code): void {
  code.i32Const(exitCode('attention'));
  code.i32Const(exitCode('budget'));
  getCell(code, vcpu.attention);
  code.select();
}

/** Tail-calls the handler of the record at the host offset in a local. */
function enter(code: Code, joints: Pick<Joints, 'handlerType' | 'table'>, ip: number): void {
  code.localGet(CPU);
  code.localGet(ip);
  code.localGet(ip);
  code.memory(opcodes['i32.load'], record.handler, 2);
  code.returnCallIndirect(joints.handlerType, joints.table);
}

/** Goes on at the address in a local, by the record's link, after `more` instructions and those before the record. */
export function goOn(code: Code, joints: Joints, target: number, more: number): void {
  const link = code.local('i32');
  spend(code, () => spentHere(code, more));
  leaveIfDue(code, target);
  code.localGet(IP);
  code.memory(opcodes['i32.load'], record.link, 2);
  code.localTee(link);
  code.if();
  setCell(code, vcpu.pc, () => code.localGet(target));
  enter(code, joints, link);
  code.end();
  code.localGet(CPU);
  code.localGet(IP);
  code.localGet(target);
  code.returnCall(joints.link);
}

/** The record after a block that ends for its length or its page: goes on at the next instruction. */
export function fallHandler(joints: Joints): Code {
  const code = new Code(2);
  const target = code.local('i64');
  pushPc(code, 0);
  code.localSet(target);
  goOn(code, joints, target, 0);
  return code;
}

/** Function indices that joints call. */
interface JointNeeds {
  readonly find: number;
  readonly fetch: number;
  readonly raise: number;
}

/** Defines the joints. */
export function defineJoints(module: ModuleWriter, joints: Joints, needs: JointNeeds): void {
  module.defineFunction(joints.raise, raiseJoint(joints));
  module.defineFunction(joints.jump, jumpJoint(joints));
  module.defineFunction(joints.link, linkJoint(joints, needs));
  module.defineFunction(joints.dispatch, dispatchJoint(joints, needs));
  module.defineFunction(joints.leave, leaveJoint(joints));
  module.defineFunction(joints.raiseAt, raiseAtJoint(joints, needs));
}

function leaveJoint(joints: Joints): Code {
  const [target, spent] = [1, 2];
  const code = new Code(3);
  spend(code, () => code.localGet(spent));
  leaveIfDue(code, target);
  setCell(code, vcpu.pc, () => code.localGet(target));
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** An instruction that raises takes one off the budget, so that no loop of exceptions is endless. */
function raiseAtJoint(joints: Joints, needs: JointNeeds): Code {
  const [pc, spent] = [1, 2];
  const code = new Code(3);
  setCell(code, vcpu.pc, () => code.localGet(pc));
  notRetired(code);
  code.localGet(CPU);
  code.call(needs.raise);
  spend(code, () => code.localGet(spent));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  leaveIfDue(code, pc);
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

function raiseJoint(joints: Joints): Code {
  const code = new Code(2);
  code.localGet(CPU);
  pushPc(code, 0);
  spentHere(code, 1);
  code.returnCall(joints.raiseAt);
  return code;
}

/** Corrects the count of retired instructions for one that is charged to the budget but does not retire. */
function notRetired(code: Code): void {
  setCell(code, vcpu.retired, () => {
    getCell(code, vcpu.retired);
    code.i64Const(1);
    code.op(opcodes['i64.sub']);
  });
}

function jumpJoint(joints: Joints): Code {
  const code = new Code(3);
  code.localGet(CPU);
  code.localGet(TARGET);
  spentHere(code, 1);
  code.returnCall(joints.leave);
  return code;
}

/**
 * Branches, at a depth, unless the entry is for the pc and the tag in force; sets `tagged` to its tag and handler.
 * Compares one after the other, of which V8 makes shorter code than of both together.
 */
function brIfOther(code: Code, entry: number, pc: number, tagged: number, depth: number): void {
  code.localGet(entry);
  code.memory(opcodes['i64.load'], jumpCache.offset, 3);
  code.localGet(pc);
  code.op(opcodes['i64.ne']);
  code.unlikely();
  code.brIf(depth);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], jumpCache.offset + 8, 2);
  code.localTee(tagged);
  code.i32Const(2 ** jumpCache.tagBits - 1);
  code.op(opcodes['i32.and']);
  pushFetchTag(code);
  code.op(opcodes['i32.ne']);
  code.unlikely();
  code.brIf(depth);
}

function pushFetchTag(code: Code): void {
  code.localGet(CPU);
  code.memory(opcodes['i32.load'], vcpu.fetchTag.offset, 2);
}

/** Goes on at the address in a local, which is vcpu.pc, if the jump cache knows it. */
export function probeJumpCache(
  code: Code,
  pc: number,
  joints: Pick<Joints, 'handlerType' | 'table'>,
  onHit: () => void,
): void {
  const entry = code.local('i32');
  const tagged = code.local('i32');
  jumpCacheEntry(code, pc, entry);
  code.block();
  brIfOther(code, entry, pc, tagged, 0);
  onHit();
  code.localGet(CPU);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], jumpCache.offset + 12, 2);
  code.localGet(tagged);
  code.i32Const(jumpCache.tagBits);
  code.op(opcodes['i32.shr_u']);
  code.returnCallIndirect(joints.handlerType, joints.table);
  code.end();
}

/** Leaves in `ip` the record of vcpu.pc, from the jump cache or the host; 0 for a pending exception of the fetch. */
function findBlock(code: Code, needs: JointNeeds, ip: number): void {
  const pc = code.local('i64');
  const entry = code.local('i32');
  const tagged = code.local('i32');
  getCell(code, vcpu.pc);
  code.localSet(pc);
  jumpCacheEntry(code, pc, entry);
  code.block();
  code.block();
  brIfOther(code, entry, pc, tagged, 0);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], jumpCache.offset + 12, 2);
  code.localSet(ip);
  code.br(1);
  code.end();
  findByHost(code, needs, pc, ip);
  code.i32Const(0);
  code.localGet(ip);
  getCell(code, vcpu.uncached);
  code.select();
  code.if();
  code.localGet(entry);
  code.localGet(pc);
  code.memory(opcodes['i64.store'], jumpCache.offset, 3);
  code.localGet(entry);
  code.localGet(ip);
  code.memory(opcodes['i32.load'], record.handler, 2);
  code.i32Const(jumpCache.tagBits);
  code.op(opcodes['i32.shl']);
  pushFetchTag(code);
  code.op(opcodes['i32.or']);
  code.memory(opcodes['i32.store'], jumpCache.offset + 8, 2);
  code.localGet(entry);
  code.localGet(ip);
  code.memory(opcodes['i32.store'], jumpCache.offset + 12, 2);
  code.end();
  code.end();
}

/** Leaves in `ip` the record of the pc in a local, which is vcpu.pc, from the index of blocks or the host. */
function findByHost(code: Code, needs: JointNeeds, pc: number, ip: number): void {
  const host = code.local('i32');
  code.i32Const(0);
  code.localSet(ip);
  code.localGet(CPU);
  code.call(needs.fetch);
  code.localTee(host);
  code.i32Const(1);
  code.op(opcodes['i32.gt_u']);
  code.if();
  getCell(code, vcpu.uncached);
  code.op(opcodes['i32.eqz']);
  code.if();
  findInIndex(code, pc, host, ip);
  code.end();
  code.end();
  code.localGet(ip);
  code.op(opcodes['i32.eqz']);
  code.if();
  code.localGet(CPU);
  code.call(needs.find);
  code.localSet(ip);
  code.end();
}

/** Leaves in `ip` the record of an instruction in RAM by its host offset; unchanged if there is none. */
function findInIndex(code: Code, pc: number, host: number, ip: number): void {
  const entry = code.local('i32');
  const head = code.local('i32');
  code.localGet(host);
  getCell(code, vcpu.ramHost);
  code.op(opcodes['i32.sub']);
  code.i32Const(12);
  code.op(opcodes['i32.shr_u']);
  code.i32Const(Math.log2(indexEntry.bytes));
  code.op(opcodes['i32.shl']);
  getCell(code, vcpu.blockIndex);
  code.op(opcodes['i32.add']);
  code.localSet(entry);
  noteUse(code, entry, pc);
  code.localGet(entry);
  code.memory(opcodes['i32.load'], indexEntry.directory, 2);
  code.localTee(head);
  code.if();
  code.localGet(head);
  pushBucket(code, host);
  code.op(opcodes['i32.add']);
  code.memory(opcodes['i32.load'], 0, 2);
  code.localSet(head);
  code.block();
  code.loop();
  code.localGet(head);
  code.op(opcodes['i32.eqz']);
  code.brIf(1);
  code.localGet(head);
  code.memory(opcodes['i32.load'], header.host, 2);
  code.localGet(host);
  code.op(opcodes['i32.eq']);
  code.if();
  code.localGet(head);
  code.i32Const(record.bytes);
  code.op(opcodes['i32.add']);
  code.localSet(ip);
  code.br(2);
  code.end();
  code.localGet(head);
  code.memory(opcodes['i32.load'], header.next, 2);
  code.localSet(head);
  code.br(0);
  code.end();
  code.end();
  code.end();
}

/** The jump cache is about to lead to a page from a group: says so in the page's index entry. */
function noteUse(code: Code, entry: number, pc: number): void {
  const bit = code.local('i64');
  code.i64Const(1);
  code.localGet(pc);
  code.i64Const(12);
  code.op(opcodes['i64.shr_u']);
  code.op(opcodes['i64.shl']);
  code.localSet(bit);
  code.localGet(entry);
  code.memory(opcodes['i64.load'], indexEntry.uses, 3);
  code.localGet(bit);
  code.op(opcodes['i64.and']);
  code.op(opcodes['i64.eqz']);
  code.if();
  code.localGet(entry);
  code.localGet(bit);
  code.memory(opcodes['i64.atomic.rmw.or'], indexEntry.uses, 3);
  code.drop();
  code.end();
}

/** Pushes the distance from a directory of the list's head in which the instruction at a host offset hangs. */
function pushBucket(code: Code, host: number): void {
  code.localGet(host);
  code.i32Const(1);
  code.op(opcodes['i32.shr_u']);
  code.localGet(host);
  code.i32Const(6);
  code.op(opcodes['i32.shr_u']);
  code.op(opcodes['i32.xor']);
  code.i32Const(BUCKETS - 1);
  code.op(opcodes['i32.and']);
  code.i32Const(2);
  code.op(opcodes['i32.shl']);
}

function dispatchJoint(joints: Joints, needs: JointNeeds): Code {
  const code = new Code(1);
  const ip = code.local('i32');
  const pc = code.local('i64');
  findBlock(code, needs, ip);
  code.localGet(ip);
  code.likely();
  code.if();
  enter(code, joints, ip);
  code.end();
  // The fetch faulted: vcpu.pc is the address of the instruction that could not be fetched.
  code.localGet(CPU);
  code.call(needs.raise);
  notRetired(code);
  spend(code, () => code.i32Const(1));
  getCell(code, vcpu.pc);
  code.localSet(pc);
  leaveIfDue(code, pc);
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** A block's header lies before its first record; a record knows how many records lie before it. */
function pushHeader(code: Code, ip: number): void {
  code.localGet(ip);
  code.localGet(ip);
  code.memory(opcodes['i32.load16_u'], record.index, 1);
  code.i32Const(1);
  code.op(opcodes['i32.add']);
  code.i32Const(Math.log2(record.bytes));
  code.op(opcodes['i32.shl']);
  code.op(opcodes['i32.sub']);
}

/** Links only within a page of one mapping: same virtual page, same page in memory, both blocks linkable. */
function linkJoint(joints: Joints, needs: JointNeeds): Code {
  const code = new Code(3);
  const samePage = code.local('i32');
  const ip = code.local('i32');
  const from = code.local('i32');
  const to = code.local('i32');
  getCell(code, vcpu.pc);
  code.localGet(TARGET);
  code.op(opcodes['i64.xor']);
  code.i64Const(12);
  code.op(opcodes['i64.shr_u']);
  code.op(opcodes['i64.eqz']);
  code.localSet(samePage);
  setCell(code, vcpu.pc, () => code.localGet(TARGET));
  code.localGet(samePage);
  code.if();
  findBlock(code, needs, ip);
  code.localGet(ip);
  code.if();
  pushHeader(code, IP);
  code.localSet(from);
  pushHeader(code, ip);
  code.localSet(to);
  code.localGet(from);
  code.memory(opcodes['i64.load'], header.page, 3);
  code.localGet(to);
  code.memory(opcodes['i64.load'], header.page, 3);
  code.op(opcodes['i64.eq']);
  code.localGet(to);
  code.memory(opcodes['i32.load'], header.linkable, 2);
  code.op(opcodes['i32.and']);
  code.if();
  code.localGet(IP);
  code.localGet(ip);
  code.memory(opcodes['i32.store'], record.link, 2);
  code.end();
  enter(code, joints, ip);
  code.end();
  code.end();
  code.localGet(CPU);
  code.returnCall(joints.dispatch);
  return code;
}

/** `(cpu) → host offset` of the instruction at vcpu.pc; 0 for a pending exception, 1 where there is no RAM. */
export function fetchFunction(translate: number): Code {
  const code = new Code(1);
  const pc = code.local('i64');
  const entry = code.local('i32');
  const host = code.local('i32');
  getCell(code, vcpu.pc);
  code.localSet(pc);
  tlbEntry(code, pc, entry);
  code.localGet(entry);
  code.memory(opcodes['i64.load'], tlb.fetch, 3);
  tlbTag(code, pc, 1, () => getCell(code, vcpu.fetchTag));
  code.op(opcodes['i64.eq']);
  code.likely();
  code.if();
  setCell(code, vcpu.uncached, () => code.i32Const(0));
  code.localGet(entry);
  code.memory(opcodes['i32.load'], tlb.fetch + 8, 2);
  code.localGet(pc);
  code.op(opcodes['i32.wrap_i64']);
  code.op(opcodes['i32.add']);
  code.return();
  code.end();
  count(code, vcpu.tlbMissFetch);
  returnIfKnown(code, 'fetch', pc, vcpu.fetchTag, host, () =>
    setCell(code, vcpu.uncached, () => code.i32Const(0)),
  );
  const { distance } = translateOrFault(code, translate, pc, access.fetch);
  code.if();
  code.i32Const(1);
  code.return();
  code.end();
  setHost(code, distance, host);
  fill(code, 'fetch', pc, host, vcpu.fetchTag);
  code.localGet(host);
  return code;
}
