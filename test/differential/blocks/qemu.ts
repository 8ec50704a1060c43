// QEMU's user mode as an executor of blocks: the judge.
//
// All blocks go into one executable. Its driver takes one after the other: copies the window of data, loads all
// registers, enters the block's place, and afterwards stores all registers and the window; at the end it writes all
// records to standard output. A block that raises an exception ends in a signal handler, which stores the registers
// that the kernel saved for it.
//
// A block may change every register but its keeper, which holds the address of the record after. So a place has one
// instruction before the block, which loads x31, and a few behind it, which save x31 and go back by it.

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { elfMachine } from '../../../src/boot/elf.ts';
import { riscv64 } from '../../../src/isa/riscv64/isa.ts';
import { createAssembler } from '../../../src/isa/shared/assembler.ts';
import { writeElf } from '../../support/elf-writer.ts';
import {
  base,
  type BlockExecutor,
  codeOf,
  comparableAddress,
  mostBlocks,
  placeBytes,
  placeOf,
  placesEnd,
  type RandomBlock,
  record,
  signals,
  windowBytes,
  windowStart,
} from './block.ts';

export const emulator = 'qemu-riscv64-static';
const cpu = 'rv64,zba=on,zbb=on,zbc=on,zbs=on';

const driverAddress = base + 0xf_0000;
const stackEnd = driverAddress - 0x1000;
const stackBytes = 0x8000;
/** Records before; behind each the address of its place, and the bytes are rounded up. */
const inputs = base + 0x40_0000;
const inputBytes = record.bytes + 64;
const placeInInput = record.bytes;
/** Records after; before each the value of x31 before. */
const outputs = base + 0x100_0000;
const outputBytes = record.bytes + 64;
const outputOf = (index: number): number => outputs + index * outputBytes + 64;
const page = 4096;

const { assemble, assembleProgram } = createAssembler(riscv64);

const each = (from: number, to: number, line: (i: number) => string): string =>
  Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('\n');

/** An even 32-bit address in a register, zero-extended. */
function address(register: string, value: number): string {
  const upper = Math.round(value / 2 / 4096);
  return `
  lui ${register}, ${upper}
  addi ${register}, ${register}, ${value / 2 - upper * 4096}
  slli ${register}, ${register}, 1`;
}

/** Copies the window; clobbers t0 to t2. */
const copyWindow = (from: string, to: string, name: string): string => `
  addi t0, zero, ${windowBytes / 8}
${name}:
  ld t1, 0(${from})
  ld t2, 8(${from})
  sd t1, 0(${to})
  sd t2, 8(${to})
  addi ${from}, ${from}, 16
  addi ${to}, ${to}, 16
  addi t0, t0, -2
  bne t0, zero, ${name}`;

const SYS = { write: 64, exit: 93, sigaltstack: 132, rt_sigaction: 134 } as const;
/** Flags of sigaction: on the stack of its own, and not blocked while the handler runs, which never returns. */
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x800_0000;
const SA_NODEFER = 0x4000_0000;
/** Where ucontext_t has pc and x1 to x31, f0 to f31, fcsr. */
const context = { x: 176, f: 176 + 256, fcsr: 176 + 512 } as const;
const siginfoAddress = 16;

/** Where the driver's variables lie from its address on; its code begins behind them. */
const variables = {
  index: 0,
  count: 8,
  total: 16,
  written: 24,
  /** For the SC that clears the reservation. */
  dummy: 32,
  /** stack_t. */
  stack: 40,
  /** The kernel's sigaction. */
  action: 64,
  bytes: 128,
} as const;
const driverCode = driverAddress + variables.bytes;

const driver = `
start:
  addi a7, zero, ${SYS.sigaltstack}
${address('a0', driverAddress)}
  addi a0, a0, ${variables.stack}
  addi a1, zero, 0
  ecall
${[4, 5, 7, 11]
  .map(
    (signal) => `
  addi a7, zero, ${SYS.rt_sigaction}
  addi a0, zero, ${signal}
${address('a1', driverAddress)}
  addi a1, a1, ${variables.action}
  addi a2, zero, 0
  addi a3, zero, 8
  ecall`,
  )
  .join('\n')}

next:
${address('s0', driverAddress)}
  ld s1, ${variables.index}(s0)
  ld s2, ${variables.count}(s0)
  bne s1, s2, go
  addi a7, zero, ${SYS.write}
  ld a2, ${variables.total}(s0)
  ld s3, ${variables.written}(s0)
${address('a1', outputs)}
  beq a2, s3, done
  add a1, a1, s3
  sub a2, a2, s3
  addi a0, zero, 1
  ecall
  blt a0, zero, failed
  add s3, s3, a0
  sd s3, ${variables.written}(s0)
  jal zero, next
failed:
  addi a0, zero, 1
  jal zero, leave
done:
  addi a0, zero, 0
leave:
  addi a7, zero, ${SYS.exit}
  ecall

go:
  addi t0, s0, ${variables.dummy}
  sc.d zero, zero, (t0)
  addi t0, zero, ${inputBytes}
  mul s3, s1, t0
${address('x30', inputs)}
  add x30, x30, s3
  addi t0, zero, ${outputBytes}
  mul s3, s1, t0
${address('s4', outputs + 64)}
  add s4, s4, s3
  ld t0, 248(x30)
  sd t0, -8(s4)
  addi s5, x30, ${record.window}
${address('s6', windowStart)}
${copyWindow('s5', 's6', 'in')}
  ld t0, 0(x30)
  csrrw zero, fcsr, t0
${each(0, 31, (i) => `fld f${i}, ${record.f + 8 * i}(x30)`)}
  ld x31, ${placeInInput}(x30)
${each(1, 29, (i) => `ld x${i}, ${8 * i}(x30)`)}
  ld x30, 240(x30)
  jalr zero, 0(x31)

finish:
${each(1, 30, (i) => `sd x${i}, ${8 * i}(x31)`)}
${each(0, 31, (i) => `fsd f${i}, ${record.f + 8 * i}(x31)`)}
  csrrs t0, fcsr, zero
  sd t0, 0(x31)
  sd zero, ${record.signal}(x31)
  sd zero, ${record.pc}(x31)
  sd zero, ${record.address}(x31)
stored:
  addi s5, x31, ${record.window}
${address('s6', windowStart)}
${copyWindow('s6', 's5', 'out')}
${address('s0', driverAddress)}
  ld s1, ${variables.index}(s0)
  addi s1, s1, 1
  sd s1, ${variables.index}(s0)
  jal zero, next

handler:
${address('s0', driverAddress)}
  ld s1, ${variables.index}(s0)
  addi t0, zero, ${outputBytes}
  mul s3, s1, t0
${address('x31', outputs + 64)}
  add x31, x31, s3
${each(1, 31, (i) => `ld t0, ${context.x + 8 * i}(a2)\nsd t0, ${8 * i}(x31)`)}
${each(0, 31, (i) => `ld t0, ${context.f + 8 * i}(a2)\nsd t0, ${record.f + 8 * i}(x31)`)}
  lwu t0, ${context.fcsr}(a2)
  sd t0, 0(x31)
  sd a0, ${record.signal}(x31)
  ld t0, ${context.x}(a2)
  sd t0, ${record.pc}(x31)
  ld t0, ${siginfoAddress}(a1)
  sd t0, ${record.address}(x31)
  jal zero, stored
`;

const { bytes: driverBytes, labels } = assembleProgram(driver, BigInt(driverCode));
const finish = Number(labels.get('finish'));

/** The driver with its variables for a number of blocks. */
function driverFor(count: number): Uint8Array {
  const bytes = new Uint8Array(variables.bytes + driverBytes.length);
  bytes.set(driverBytes, variables.bytes);
  const view = new DataView(bytes.buffer);
  const set = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  set(variables.count, count);
  set(variables.total, count * outputBytes);
  set(variables.stack, stackEnd - stackBytes);
  set(variables.stack + 16, stackBytes);
  set(variables.action, Number(labels.get('handler')));
  set(variables.action + 8, SA_SIGINFO + SA_ONSTACK + SA_NODEFER);
  return bytes;
}

const known = new Map<string, number>();

/** The word of an instruction of four bytes; there are few of them. */
function wordOf(text: string): number {
  const word = known.get(text) ?? assemble(text, 0n)!.bits;
  known.set(text, word);
  return word;
}

/** The block in its place: x31 loaded before it, the way back behind it. */
function writePlace(memory: Uint8Array, at: number, block: RandomBlock): void {
  const k = block.keeper;
  const code = codeOf(block);
  const jump = placeOf(block.index) + code.length + 8;
  const way = [
    [at - 4, `ld x31, -8(x${k})`],
    [at + code.length, `sd x31, 248(x${k})`],
    [at + code.length + 4, `addi x31, x${k}, 0`],
    [at + code.length + 8, `jal zero, ${finish - jump}`],
  ] as const;
  memory.set(code, at);
  const view = new DataView(memory.buffer, memory.byteOffset);
  for (const [offset, text] of way) view.setUint32(offset, wordOf(text), true);
}

function executableOf(blocks: readonly RandomBlock[]): Uint8Array {
  // From one page before `base`, which holds the entry of the first place, to the end of the window's page.
  const low = new Uint8Array(windowStart + windowBytes + page - base);
  const places = new Uint8Array(placesEnd - placeOf(1) + placeBytes);
  const before = new Uint8Array(blocks.length * inputBytes);
  for (const [i, block] of blocks.entries()) {
    const at = placeOf(block.index);
    if (block.index === 0) writePlace(low, page, block);
    else writePlace(places, at - placeOf(1) + placeBytes, block);
    before.set(block.before, i * inputBytes);
    const view = new DataView(before.buffer, i * inputBytes);
    view.setBigUint64(8 * block.keeper, BigInt(outputOf(i)), true);
    view.setBigUint64(placeInInput, BigInt(at - 4), true);
  }
  const last = Math.max(...blocks.map(({ index }) => index));
  const used = places.subarray(0, placeBytes * (last + 1));
  const roundUp = (size: number): number => Math.ceil(size / page) * page;
  const driverPart = driverFor(blocks.length);
  return writeElf(elfMachine.riscv64, driverCode, [
    { address: base - page, bytes: low, memoryBytes: 0x9000 + page },
    { address: stackEnd - stackBytes, bytes: new Uint8Array(0), memoryBytes: stackBytes },
    { address: driverAddress, bytes: driverPart, memoryBytes: roundUp(driverPart.length) },
    { address: placeOf(1) - placeBytes, bytes: used, memoryBytes: roundUp(used.length) },
    { address: inputs, bytes: before, memoryBytes: roundUp(before.length) },
    {
      address: outputs,
      bytes: new Uint8Array(0),
      memoryBytes: roundUp(blocks.length * outputBytes),
    },
  ]);
}

/** A record without addresses that mean nothing. */
function comparable(output: Uint8Array): Uint8Array {
  const after = new Uint8Array(output);
  const view = new DataView(after.buffer);
  const segv = view.getBigUint64(record.signal, true) === BigInt(signals.SIGSEGV);
  if (!segv || view.getBigUint64(record.address, true) >= comparableAddress) {
    view.setBigUint64(record.address, 0n, true);
  }
  return after;
}

const execute = promisify(execFile);

/** The address of a block's keeper on entry: executors that compare with QEMU must use the same. */
export const keeperValue = outputOf;

export const qemu: BlockExecutor = {
  name: 'QEMU',
  async run(blocks) {
    if (blocks.length > mostBlocks) throw new RangeError(`at most ${mostBlocks} blocks at once`);
    const folder = mkdtempSync(join(tmpdir(), 'isola-blocks-'));
    try {
      const path = join(folder, 'blocks');
      writeFileSync(path, executableOf(blocks));
      chmodSync(path, 0o755);
      const options = { encoding: 'buffer', maxBuffer: 2 ** 28 } as const;
      const { stdout } = await execute(emulator, ['-cpu', cpu, path], options);
      return blocks.map((_, i) => {
        const start = i * outputBytes + 64;
        return comparable(stdout.subarray(start, start + record.bytes));
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
