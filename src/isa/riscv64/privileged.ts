// Instructions of the privileged architecture, and those that enter it.
// Unprivileged ISA, section 2.8 (ecall, ebreak); Privileged ISA, sections 3.3, 12.2 (sfence.vma), 16 (Svinval).

import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/node.ts';
import { format, instructions, type Row } from '../shared/row.ts';
import { exitCode } from '../shared/vcpu.ts';
import { updateContext } from './context.ts';
import { hart, x } from './state.ts';
import { MIE, MPIE, MPP_SHIFT, MPRV, SIE, SPIE, SPP_SHIFT, TSR, TVM, TW } from './status.ts';
import { causes, noticeInterrupts, raise, require } from './trap.ts';

const none = format({});
const page = format({ rs1: x.source('15:5'), rs2: x.source('20:5') });
const allPages = format({ rs2: x.source('20:5') });

/** Whether a trapping bit of mstatus is set and the hart is in supervisor mode. */
const trapped = (s: Builder, bit: bigint): Value<'i1'> =>
  s.both(s.eq32(s.state(hart.mode), 1), s.ne(s.and(s.state(hart.mstatus), bit), 0));

function ecall(s: Builder): void {
  const mode = s.state(hart.mode);
  const firmware = s.both(s.eq32(mode, 1), s.ne32(s.state(hart.firmware), 0));
  s.when(firmware, () => s.exit(exitCode('firmware'), s.pc(4)));
  raise(s, s.add(s.zext32(mode), causes.environmentCall), 0);
}

const ebreak = (s: Builder): void => raise(s, causes.breakpoint, s.pc());

function mret(s: Builder): void {
  require(s, s.eq32(s.state(hart.mode), 3));
  const status = s.state(hart.mstatus);
  const mode = s.and(s.shr_u(status, MPP_SHIFT), 3);
  const mie = s.and(s.shr_u(status, 4), MIE);
  const mprv = s.select(s.eq(mode, 3), MPRV, 0);
  const kept = s.and(status, s.or(~(MIE | MPIE | (3n << MPP_SHIFT) | MPRV), mprv));
  s.setState(hart.mstatus, s.or(kept, s.or(mie, MPIE)));
  resume(s, mode, s.state(hart.mepc));
}

function sret(s: Builder): void {
  require(s, s.both(s.ne32(s.state(hart.mode), 0), s.not(trapped(s, TSR))));
  const status = s.state(hart.mstatus);
  const mode = s.and(s.shr_u(status, SPP_SHIFT), 1);
  const sie = s.and(s.shr_u(status, 4), SIE);
  const kept = s.and(status, ~(SIE | SPIE | (1n << SPP_SHIFT) | MPRV));
  s.setState(hart.mstatus, s.or(kept, s.or(sie, SPIE)));
  resume(s, mode, s.state(hart.sepc));
}

/** Goes on in another mode. */
function resume(s: Builder, mode: Value<'i64'>, pc: Value<'i64'>): void {
  s.setState(hart.mode, s.wrap(mode));
  s.perform(updateContext);
  noticeInterrupts(s);
  s.jump(pc, 'sync');
}

function wfi(s: Builder): void {
  const mode = s.state(hart.mode);
  require(s, s.both(s.ne32(mode, 0), s.not(trapped(s, TW))));
  s.exit(exitCode('wait'), s.pc(4));
}

/** Requires supervisor mode without TVM, or machine mode. */
const requireFence = (s: Builder): void =>
  require(s, s.both(s.ne32(s.state(hart.mode), 0), s.not(trapped(s, TVM))));

function fenceAll(s: Builder): void {
  requireFence(s);
  s.flushTlb();
  s.jump(s.pc(4), 'sync');
}

/** Clears the offset in a page: bounds of what may be cached are compared with the page's address. */
const PAGE = -4096n;

/** The fence of one address; an address space given with it only narrows what may be forgotten. */
function fencePage(s: Builder, f: { readonly rs1: Parameters<Builder['get']>[0] }): void {
  requireFence(s);
  s.flushTlbPage(s.and(s.get(f.rs1), PAGE));
  s.jump(s.pc(4), 'sync');
}

/** Ordering of invalidations: each takes effect at once, so nothing remains to be done. */
const fenceOrder = (s: Builder): void => require(s, s.ne32(s.state(hart.mode), 0));

// oxfmt-ignore
export const rows: readonly Row[] = [
  ...instructions('I', {
    ecall:  none('000000000000 00000 000 00000 1110011', 'ecall', ecall),
    ebreak: none('000000000001 00000 000 00000 1110011', 'ebreak', ebreak),
  }),
  ...instructions('C', {
    'c.ebreak': none('100 1 00000 00000 10', 'c.ebreak', ebreak),
  }),
  ...instructions('Privileged', {
    mret: none('0011000 00010 00000 000 00000 1110011', 'mret', mret),
    sret: none('0001000 00010 00000 000 00000 1110011', 'sret', sret),
    wfi:  none('0001000 00101 00000 000 00000 1110011', 'wfi', wfi),
    'sfence.vma':     page('0001001 ..... ..... 000 00000 1110011', 'sfence.vma {rs1}, {rs2}', fencePage),
    'sfence.vma_all': allPages('0001001 ..... 00000 000 00000 1110011', 'sfence.vma zero, {rs2}', fenceAll),
  }),
  ...instructions('Svinval', {
    'sinval.vma':     page('0001011 ..... ..... 000 00000 1110011', 'sinval.vma {rs1}, {rs2}', fencePage),
    'sinval.vma_all': allPages('0001011 ..... 00000 000 00000 1110011', 'sinval.vma zero, {rs2}', fenceAll),
    'sfence.w.inval':  none('0001100 00000 00000 000 00000 1110011', 'sfence.w.inval', fenceOrder),
    'sfence.inval.ir': none('0001100 00001 00000 000 00000 1110011', 'sfence.inval.ir', fenceOrder),
  }),
];
