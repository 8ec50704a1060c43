import assert from 'node:assert/strict';
import test from 'node:test';
import { registerBlock } from './register-block.ts';
import type { SavedState } from './device.ts';

interface Context {
  readonly log: string[];
}
const state = () => ({ ticks: 5n, names: ['a', 'b'], list: [] as number[], nested: { on: false } });

const block = registerBlock<ReturnType<typeof state>, Context>('sample', state)(
  {
    plain: { at: 0, doc: 'Keeps all.' },
    masked: { at: 4, writable: 0xf0, reset: 0x0a, doc: 'Keeps some bits.' },
    flags: { at: 8, writable: 0, w1c: 0b110, reset: 0b111, doc: 'Ones clear.' },
    computed: { at: 12, read: () => -1, doc: 'Never kept.' },
    bank: { at: 16, when: (d) => d.nested.on, reset: 1, doc: 'Banked.' },
    command: {
      at: 16,
      write: (d, value) => void d.log.push(`command ${value}`),
      doc: 'Below the bank.',
    },
    half: { at: 20, size: 2, doc: 'Two bytes.' },
    array: {
      at: 0x40,
      count: 4,
      stride: 8,
      write: (d, value, index) => void d.log.push(`${index}=${value}`),
      doc: 'Every eight bytes.',
    },
    between: {
      at: 0x44,
      count: 4,
      stride: 8,
      only: 'read',
      read: (_, index) => index,
      doc: 'In the gaps.',
    },
    config: {
      at: 0x100,
      length: 8,
      read: (_, offset, size) => offset * 16 + size,
      doc: 'A window.',
      write: (d, value, offset, size) => void d.log.push(`config ${offset}/${size}=${value}`),
    },
  },
  {
    reset: (d) => void d.log.push('reset'),
    save: () => 'more',
    restore: (d, extra) => void d.log.push(JSON.stringify(extra)),
  },
);

function create() {
  const log: string[] = [];
  return { log, device: block.create({ log }) };
}

test('masks, reset values and write-one-to-clear come from the row', () => {
  const { device } = create();
  assert.deepEqual(
    [0, 4, 8, 12].map((at) => device.read(at, 4)),
    [0, 0x0a, 7, 0xffff_ffff],
  );
  for (const at of [0, 4, 12]) device.write(at, 4, 0xffff_ffff);
  device.write(8, 4, 0b011);
  assert.deepEqual(
    [0, 4, 8, 12].map((at) => device.read(at, 4)),
    [0xffff_ffff, 0xfa, 0b101, 0xffff_ffff],
  );
});

test('the first row that applies answers, and names follow', () => {
  const { device, log } = create();
  device.write(16, 4, 9);
  assert.equal(device.registers.nameAt(16, 'read'), 'command');
  device.live.nested.on = true;
  assert.equal(device.read(16, 4), 1);
  assert.equal(device.registers.nameAt(16, 'read'), 'bank');
  device.write(16, 4, 3);
  assert.deepEqual(log, ['command 9']);
  assert.equal(device.registers.nameAt(0x58, 'write'), 'array[3]');
  assert.equal(device.registers.nameAt(0x54, 'write'), undefined);
  assert.equal(device.registers.nameAt(0x104, 'read'), 'config+0x4');
});

test('arrays, gaps and windows are told apart; other widths do nothing', () => {
  const { device, log } = create();
  device.write(0x48, 4, 7);
  assert.equal(device.read(0x48, 4), 7);
  assert.equal(device.read(0x4c, 4), 1);
  assert.equal(device.read(0x60, 4), 0);
  assert.equal(device.read(0x102, 2), 0x22);
  assert.equal(device.read(0x107, 2), 0, 'runs over the end');
  device.write(0x106, 4, 1);
  device.write(0x100, 1, 0x1ff);
  device.write(0, 2, 1);
  device.write(2, 4, 1);
  device.write(20, 2, 0x1_2345);
  assert.equal(device.read(0, 4), 0);
  assert.equal(device.read(20, 2), 0x2345);
  assert.equal(device.read(20, 4), 0);
  assert.deepEqual(log, ['1=7', 'config 0/1=255']);
});

test('save, restore and reset cover registers and state', () => {
  const { device } = create();
  device.write(0, 4, 77);
  device.live.ticks = 2n ** 70n;
  device.live.list.push(3, 4);
  device.live.nested.on = true;
  const saved = JSON.parse(JSON.stringify(device.save())) as SavedState;
  const other = create();
  other.device.restore(saved);
  assert.deepEqual(other.device.save(), device.save());
  assert.deepEqual(other.log, ['"more"']);
  assert.equal(other.device.live.ticks, 2n ** 70n);
  device.reset();
  assert.deepEqual(device.save(), create().device.save());
});

test('a damaged snapshot is refused and changes nothing', () => {
  const { device } = create();
  const good = device.save();
  const registers = good['registers'] as SavedState;
  for (const bad of [
    { ...good, registers: { ...registers, array: [1, 2, 3] } },
    { ...good, registers: { ...registers, plain: [-1] } },
    { ...good, registers: { ...registers, plain: [0.5] } },
    { ...good, state: { ...(good['state'] as SavedState), ticks: 'x' } },
    { ...good, state: { ...(good['state'] as SavedState), names: ['a'] } },
  ]) {
    assert.throws(() => device.restore(bad), { name: 'SavedStateError' });
    assert.deepEqual(device.save(), good);
  }
});

test('the documentation table says what the rows say', () => {
  const lines = block.documentation.map((r) => `${r.name} ${r.at.toString(16)} ${r.direction}`);
  assert.deepEqual(lines.slice(0, 4), [
    'plain 0 read-write',
    'masked 4 read-write',
    'flags 8 read-write',
    'computed c read',
  ]);
  assert.equal(block.documentation.find((r) => r.name === 'array')?.stride, 8);
});

test('rows that overlap or are misaligned are mistakes of the table', () => {
  const bad = registerBlock<unknown, object>('bad', () => ({}));
  assert.throws(
    () => bad({ a: { at: 0, doc: '' }, b: { at: 2, size: 2, doc: '' } }),
    /bad.b overlaps a/,
  );
  assert.throws(() => bad({ a: { at: 2, doc: '' } }), /misaligned/);
  assert.throws(() => bad({ a: { at: 0, count: 2, stride: 2, doc: '' } }), /bad.a/);
});
