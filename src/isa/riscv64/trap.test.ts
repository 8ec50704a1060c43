import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import {
  codeAt,
  createHart,
  dataAt,
  executors,
  INTERRUPT,
  machineHandler,
  mode,
  supervisorHandler,
  word,
} from '../../../test/support/riscv64-hart.ts';

const [SIE, MIE, SPIE, MPIE, SPP] = [1n << 1n, 1n << 3n, 1n << 5n, 1n << 7n, 1n << 8n];
const MPP = (m: bigint): bigint => m << 11n;
const [MPRV, TVM, TW, TSR] = [1n << 17n, 1n << 20n, 1n << 21n, 1n << 22n];
const [user, supervisor, machine] = [mode.user, mode.supervisor, mode.machine];
const nop = word('addi', { rd: 0, rs1: 0, imm: 0 });
const all = 0xb3ffn;

for (const [name, create] of Object.entries(executors)) {
  test(`${name}: an exception enters machine mode and remembers where it came from`, () => {
    for (const from of [user, supervisor, machine]) {
      const h = createHart(create);
      equal(h.run(from, [nop, word('ecall')], { mstatus: MPIE | SIE, medeleg: 0n }), 'debug');
      deepEqual(h.look('mode', 'pc', 'mcause', 'mepc', 'mtval', 'mstatus'), {
        mode: machine,
        pc: machineHandler,
        mcause: 8n + from,
        mepc: codeAt + 4n,
        mtval: 0n,
        mstatus: SIE | MPIE | MPP(from),
      });
    }
  });

  test(`${name}: a delegated exception enters supervisor mode, unless from machine mode`, () => {
    for (const from of [user, supervisor]) {
      const h = createHart(create);
      h.run(from, [word('ebreak')], { mstatus: SIE | MPIE, medeleg: all });
      deepEqual(h.look('mode', 'pc', 'scause', 'sepc', 'stval', 'mstatus', 'mcause'), {
        mode: supervisor,
        pc: supervisorHandler,
        scause: 3n,
        sepc: codeAt,
        stval: codeAt,
        mstatus: MIE | MPIE | SPIE | (from === supervisor ? SPP : 0n),
        mcause: 0n,
      });
    }
    const h = createHart(create);
    h.run(machine, [word('c.ebreak')], { medeleg: all });
    deepEqual(h.look('mode', 'pc', 'mcause'), { mode: machine, pc: machineHandler, mcause: 3n });
  });

  test(`${name}: with the VM as firmware, the supervisor's call leaves and the user's is delegated`, () => {
    const h = createHart(create);
    equal(h.run(supervisor, [word('ecall')], { firmware: 1n, medeleg: all }), 'firmware');
    deepEqual(h.look('pc', 'mode', 'scause'), { pc: codeAt + 4n, mode: supervisor, scause: 0n });
    h.run(user, [word('ecall')]);
    deepEqual(h.look('pc', 'scause'), { pc: supervisorHandler, scause: 8n });
  });

  test(`${name}: words without meaning report themselves`, () => {
    const h = createHart(create);
    h.run(user, [0x0000_0073 | (5 << 7)]);
    deepEqual(h.look('mcause', 'mtval'), { mcause: 2n, mtval: 0x2f3n });
    h.run(user, [0]);
    deepEqual(h.look('mcause', 'mtval'), { mcause: 2n, mtval: 0n });
  });

  test(`${name}: mret restores mode and MIE, and drops MPRV below machine mode`, () => {
    for (const to of [user, supervisor, machine]) {
      const h = createHart(create);
      h.run(machine, [word('mret')], { mstatus: 0n });
      h.set({ mode: machine, mstatus: MPRV | MPIE | MPP(to), mepc: dataAt, pc: codeAt });
      equal(h.go(), 'debug');
      deepEqual(h.look('mode', 'pc', 'mstatus'), {
        mode: to,
        pc: dataAt,
        mstatus: MIE | MPIE | (to === machine ? MPRV : 0n),
      });
    }
  });

  test(`${name}: sret restores mode and SIE, and drops MPRV`, () => {
    for (const from of [supervisor, machine]) {
      for (const to of [user, supervisor]) {
        const h = createHart(create);
        const status = SPIE | MPRV | (to === supervisor ? SPP : 0n);
        h.run(from, [word('sret')], { mstatus: status, sepc: dataAt });
        deepEqual(h.look('mode', 'pc', 'mstatus'), {
          mode: to,
          pc: dataAt,
          mstatus: SIE | SPIE | MPIE,
        });
      }
    }
  });

  test(`${name}: what a mode may not do is illegal there`, () => {
    const fences = ['sfence.vma_all', 'sfence.vma', 'sinval.vma_all', 'sinval.vma'];
    const cases: readonly (readonly [string, bigint, bigint, boolean])[] = [
      ['mret', supervisor, 0n, false],
      ['sret', user, 0n, false],
      ['sret', supervisor, TSR, false],
      ['wfi', supervisor, TW, false],
      ['wfi', user, 0n, false],
      ['sfence.w.inval', user, 0n, false],
      ['sfence.w.inval', supervisor, TVM, true],
      ['sfence.inval.ir', user, 0n, false],
      ['sfence.inval.ir', supervisor, TVM, true],
      ['csrrs_satp_read', supervisor, TVM, false],
      ['csrrs_satp_read', machine, TVM, true],
      ...fences.flatMap((fence) => [
        [fence, user, 0n, false] as const,
        [fence, supervisor, 0n, true] as const,
        [fence, supervisor, TVM, false] as const,
        [fence, machine, TVM, true] as const,
      ]),
    ];
    for (const [instruction, from, status, allowed] of cases) {
      const h = createHart(create);
      const fields = instruction.endsWith('.vma') ? { rs1: 5, rs2: 6 } : {};
      h.run(from, [word(instruction, fields)], { mstatus: status });
      const expected = allowed
        ? { pc: codeAt + 4n, mcause: 0n }
        : { pc: machineHandler, mcause: 2n };
      deepEqual(h.look('pc', 'mcause'), expected, `${instruction} in ${from} with ${status}`);
    }
  });

  test(`${name}: wfi leaves behind itself`, () => {
    const h = createHart(create);
    equal(h.run(supervisor, [word('wfi')]), 'wait');
    equal(h.get('pc'), codeAt + 4n);
    equal(h.run(machine, [word('wfi')], { mstatus: TW }), 'wait');
  });

  test(`${name}: of several interrupts the first in the manual's order is taken`, () => {
    const order = [11n, 3n, 7n, 9n, 1n, 5n];
    for (let i = 0; i < order.length; i++) {
      const waiting = order.slice(i).reduce((bits, code) => bits | (1n << code), 0n);
      const h = createHart(create);
      h.run(user, [nop], { mie: 0xaaan, mip: waiting });
      deepEqual(h.look('pc', 'mcause', 'mepc', 'mtval'), {
        pc: machineHandler,
        mcause: INTERRUPT | order[i]!,
        mepc: codeAt,
        mtval: 0n,
      });
    }
  });

  test(`${name}: machine interrupts go before delegated ones, whatever their numbers`, () => {
    const h = createHart(create);
    h.run(user, [nop], { mie: 0xaaan, mideleg: 0x200n, mip: 0x222n });
    equal(h.get('mcause'), INTERRUPT | 1n);
  });

  test(`${name}: an interrupt needs its enable bits and a mode below or equal`, () => {
    const external = 1n << 9n;
    const cases: readonly (readonly [from: bigint, status: bigint, mideleg: bigint, to: bigint])[] =
      [
        [user, 0n, external, supervisor],
        [supervisor, 0n, external, -1n],
        [supervisor, SIE, external, supervisor],
        [machine, SIE | MPIE, external, -1n],
        [user, 0n, 0n, machine],
        [supervisor, 0n, 0n, machine],
        [machine, 0n, 0n, -1n],
        [machine, MPIE, 0n, machine],
      ];
    for (const [from, status, mideleg, to] of cases) {
      const h = createHart(create);
      h.run(from, [nop], { mstatus: status, mideleg, mie: external, mip: external });
      const expected = to < 0n ? codeAt + 4n : to === machine ? machineHandler : supervisorHandler;
      deepEqual(h.look('pc', 'mode'), { pc: expected, mode: to < 0n ? from : to });
      const masked = createHart(create);
      masked.run(from, [nop], { mstatus: status, mideleg, mie: ~external & 0xaaan, mip: external });
      equal(masked.get('pc'), codeAt + 4n);
    }
  });

  test(`${name}: an interrupt is taken right after the instruction that enables it`, () => {
    const ways: readonly (readonly [number, Readonly<Record<string, bigint>>])[] = [
      [word('csrrsi_sstatus', { rd: 0, imm: 2 }), { mie: 2n, mip: 2n }],
      [word('csrrsi_sie', { rd: 0, imm: 2 }), { mstatus: SIE, mie: 0n, mip: 2n }],
      [word('csrrsi_sip', { rd: 0, imm: 2 }), { mstatus: SIE, mie: 2n, mip: 0n }],
      [word('sret'), { mstatus: SPIE | SPP, sepc: codeAt + 4n, mie: 2n, mip: 2n }],
    ];
    for (const [code, cells] of ways) {
      const h = createHart(create);
      h.run(supervisor, [code, nop, nop], { mideleg: 0x222n, ...cells });
      deepEqual(h.look('pc', 'scause', 'sepc'), {
        pc: supervisorHandler,
        scause: INTERRUPT | 1n,
        sepc: codeAt + 4n,
      });
    }
  });

  test(`${name}: vectors are for interrupts only`, () => {
    const h = createHart(create);
    h.run(user, [nop], { mtvec: machineHandler | 1n, mie: 0x80n, mip: 0x80n });
    equal(h.get('pc'), machineHandler + 28n);
    h.run(user, [word('ecall')], { mip: 0n });
    equal(h.get('pc'), machineHandler);
  });

  test(`${name}: a trap ends the load reservation`, () => {
    const h = createHart(create);
    const code = [word('lr.d', { rd: 6, rs1: 5 }), word('ecall')];
    h.run(machine, code, { x5: dataAt });
    equal(h.get('reservation'), 0xffff_ffff_ffff_ffffn);
  });
}
