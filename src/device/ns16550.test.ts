import assert from 'node:assert/strict';
import test from 'node:test';
import type { SavedState } from './device.ts';
import { ns16550 } from './ns16550.ts';
import { seeded, testContext } from './test-context.ts';

const DATA = 0;
const IER = 1;
const IIR = 2;
const FCR = 2;
const LCR = 3;
const MCR = 4;
const LSR = 5;
const MSR = 6;

function setUp() {
  const sent: string[] = [];
  let readies = 0;
  const bench = testContext();
  const device = ns16550({
    output: (bytes) => void sent.push(Buffer.from(bytes).toString('latin1')),
    ready: () => void readies++,
  });
  const uart = device.create(bench.context);
  const read = (at: number) => uart.read(at, 1);
  const write = (at: number, value: number) => uart.write(at, 1, value);
  const receive = (text: string) => uart.receive(Buffer.from(text, 'latin1'));
  return { ...bench, device, uart, read, write, receive, sent, readies: () => readies };
}

test('output comes in chunks: after a moment, when full, or when flushed', () => {
  const { write, sent, advance, uart } = setUp();
  for (const character of 'hello') write(DATA, character.charCodeAt(0));
  assert.equal(sent.length, 0);
  advance(1_000_000n);
  assert.deepEqual(sent, ['hello']);
  for (let i = 0; i < 4097; i++) write(DATA, 0x78);
  assert.equal(sent[1]?.length, 4096);
  uart.flush();
  assert.equal(sent[2], 'x');
  advance(10_000_000n);
  assert.equal(sent.length, 3);
});

test('received bytes interrupt, are read in order, and then the line falls', () => {
  const { read, write, receive, line } = setUp();
  write(FCR, 1);
  receive('ab');
  assert.equal(line.level, false, 'not enabled yet');
  write(IER, 1);
  assert.equal(line.level, true);
  assert.equal(read(IIR), 0xc4);
  assert.equal(read(LSR), 0x61);
  assert.equal(read(DATA), 0x61);
  assert.equal(read(DATA), 0x62);
  assert.equal(line.level, false);
  assert.equal(read(LSR), 0x60);
  assert.equal(read(IIR), 0xc1);
});

test('below the trigger level a timeout tells of the bytes', () => {
  const { read, write, receive, line } = setUp();
  write(FCR, 0x81);
  write(IER, 1);
  receive('1234567');
  assert.equal(read(IIR), 0xcc);
  assert.ok(line.level);
  receive('8');
  assert.equal(read(IIR), 0xc4);
});

test('the transmitter interrupt comes on enabling and after a byte, and ends when read', () => {
  const { read, write, line } = setUp();
  write(IER, 2);
  assert.ok(line.level);
  assert.equal(read(IIR), 2);
  assert.equal(line.level, false);
  assert.equal(read(IIR), 1);
  write(IER, 2);
  assert.equal(line.level, false, 'it was enabled already');
  write(DATA, 65);
  assert.ok(line.level);
  write(IER, 0);
  assert.equal(line.level, false);
});

test('input is bounded and the host is asked for the rest', () => {
  const { read, write, uart, readies } = setUp();
  write(FCR, 1);
  write(IER, 1);
  const taken = uart.receive(new Uint8Array(10_000).fill(7));
  assert.equal(taken, 4096);
  assert.equal(uart.receive(new Uint8Array(100)), 16, 'room for what went to the FIFO');
  let count = 0;
  while ((read(LSR) & 1) !== 0 && readies() === 0) {
    read(DATA);
    count++;
  }
  assert.ok(count > 3000 && count < 4112);
  assert.equal(readies(), 1);
});

test('input waits until the guest listens, whatever a driver does to open the port', () => {
  const { read, write, receive, line } = setUp();
  receive('early');
  // What Linux does: clear the FIFO, then read all registers to clear their interrupts, twice.
  for (const value of [1, 7, 0]) write(FCR, value);
  for (const register of [LSR, DATA, IIR, MSR, LSR, DATA, IIR, MSR]) read(register);
  write(IER, 5);
  write(FCR, 1);
  write(FCR, 0x81);
  assert.equal(line.level, true);
  assert.equal(read(DATA), 'e'.charCodeAt(0));
  // Printing to the console turns interrupts off and on again; a port that is closed and opened is cleared.
  write(IER, 0);
  write(FCR, 7);
  receive('!');
  assert.equal(read(LSR) & 1, 0);
  write(IER, 5);
  const rest = Array.from('arly!', () => String.fromCharCode(read(DATA))).join('');
  assert.equal(rest, 'arly!');
});

test('a guest that polls gets its input without interrupts', () => {
  const { read, receive } = setUp();
  receive('ok');
  let text = '';
  for (let i = 0; i < 100; i++) {
    if ((read(LSR) & 1) !== 0) text += String.fromCharCode(read(DATA));
  }
  assert.equal(text, 'ok');
});

test('the divisor latch hides data and interrupt enable', () => {
  const { read, write, sent, uart } = setUp();
  write(IER, 5);
  write(LCR, 0x83);
  write(DATA, 0x34);
  write(IER, 0x12);
  assert.equal(read(DATA), 0x34);
  assert.equal(read(IER), 0x12);
  assert.equal(uart.registers.nameAt(0, 'write'), 'divisorLow');
  write(LCR, 3);
  assert.equal(read(IER), 5);
  assert.equal(uart.registers.nameAt(0, 'write'), 'transmit');
  uart.flush();
  assert.deepEqual(sent, []);
});

test('loopback feeds the receiver, keeps host input waiting, and can overrun', () => {
  const { read, write, receive, sent, uart } = setUp();
  write(FCR, 1);
  write(IER, 1);
  write(MCR, 0x1f);
  assert.equal(read(MSR) & 0xf0, 0xf0);
  write(MCR, 0x10);
  assert.equal(read(MSR), 0x0f, 'all lines fell');
  assert.equal(read(MSR), 0);
  receive('H');
  for (let i = 0; i < 17; i++) write(DATA, i);
  assert.equal(read(LSR), 0x63);
  assert.equal(read(LSR), 0x61);
  for (let i = 0; i < 16; i++) assert.equal(read(DATA), i);
  write(MCR, 0);
  assert.equal(read(DATA), 0x48);
  uart.flush();
  assert.deepEqual(sent, []);
});

test('a break is a line-status interrupt and reads as a zero byte', () => {
  const { read, write, uart, line } = setUp();
  write(FCR, 1);
  write(IER, 4);
  uart.sendBreak();
  assert.ok(line.level);
  assert.equal(read(IIR), 0xc6);
  assert.equal(read(LSR), 0xf1);
  assert.equal(line.level, false);
  assert.equal(read(DATA), 0);
});

test('wide or misplaced accesses do nothing', () => {
  const { uart } = setUp();
  uart.write(7, 4, 0x5a);
  uart.write(7, 2, 0x5a);
  assert.equal(uart.read(7, 1), 0);
  uart.write(7, 1, 0x15a);
  assert.equal(uart.read(7, 1), 0x5a);
  assert.equal(uart.read(7, 4), 0);
  assert.equal(uart.read(8, 1), 0);
});

test('any accesses and input: nothing throws, and a saved state restores exactly', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const a = setUp();
    const next = seeded(seed);
    for (let i = 0; i < 2000; i++) {
      const kind = next() % 8;
      if (kind === 0) a.uart.receive(new Uint8Array(next() % 600).fill(next()));
      else if (kind === 1 && next() % 8 === 0) a.uart.sendBreak();
      else if (kind < 5) a.write(next() % 8, next());
      else a.read(next() % 8);
    }
    const b = setUp();
    b.uart.restore(JSON.parse(JSON.stringify(a.uart.save())) as SavedState);
    assert.deepEqual(b.uart.save(), a.uart.save());
    assert.equal(b.line.level, a.line.level);
    for (let i = 0; i < 200; i++) assert.equal(b.read(i % 7), a.read(i % 7));
    a.uart.reset();
    assert.deepEqual(a.uart.save(), setUp().uart.save());
  }
});

test('a snapshot of something else is refused with its reason', () => {
  const { uart } = setUp();
  const saved = uart.save();
  assert.throws(() => uart.restore({}), /ns16550a.registers is not an object/);
  assert.throws(() => uart.restore({ ...saved, state: {} }), /ns16550a.state.fifo is not an array/);
  assert.throws(() => uart.restore({ ...saved, extra: ['x'] }), { name: 'SavedStateError' });
});

test('its node', () => {
  const place = {
    address: 0x1000_0000,
    size: 0x100,
    label: 'uart0',
    interrupt: { controller: 'plic', cells: [10] },
  };
  assert.deepEqual(setUp().device.describe(place), [
    {
      name: 'serial@10000000',
      label: 'uart0',
      properties: {
        compatible: ['ns16550a'],
        reg: [0, 0x1000_0000, 0, 0x100],
        'interrupts-extended': [{ ref: 'plic' }, 10],
        'clock-frequency': [3_686_400],
      },
    },
  ]);
});
