import assert from 'node:assert/strict';
import test from 'node:test';
import { plic } from './plic.ts';
import { seeded } from './test-context.ts';

const THRESHOLD = 0x20_0000;
const CLAIM = 0x20_0004;

function setUp(contexts = 2) {
  const levels = Array.from({ length: contexts }, () => false);
  const outputs = levels.map((_, i) => ({ set: (level: boolean) => void (levels[i] = level) }));
  const device = plic({ sources: 96, contexts });
  const p = device.create({ outputs });
  const enable = (context: number, source: number) => {
    const at = 0x2000 + context * 0x80 + (source >>> 5) * 4;
    p.write(at, 4, (p.read(at, 4) | (1 << (source & 31))) >>> 0);
  };
  return { p, levels, enable, device };
}

test('a source interrupts contexts that enable it until claimed, and after completion', () => {
  const { p, levels, enable } = setUp();
  p.write(10 * 4, 4, 1);
  enable(1, 10);
  p.input(10).set(true);
  assert.deepEqual(levels, [false, true]);
  assert.equal(p.read(0x1000, 4), 1 << 10);
  assert.equal(p.read(CLAIM, 4), 0);
  assert.equal(p.read(CLAIM + 0x1000, 4), 10);
  assert.deepEqual(levels, [false, false]);
  p.write(CLAIM + 0x1000, 4, 10);
  assert.deepEqual(levels, [false, true], 'the level is still high');
  assert.equal(p.read(CLAIM + 0x1000, 4), 10);
  p.input(10).set(false);
  p.write(CLAIM + 0x1000, 4, 10);
  assert.deepEqual(levels, [false, false]);
});

test('the highest priority is claimed first, then the lowest number; the threshold masks', () => {
  const { p, levels, enable } = setUp();
  for (const [source, priority] of [
    [3, 2],
    [40, 7],
    [95, 7],
    [5, 0],
  ] as const) {
    p.write(source * 4, 4, priority);
    enable(0, source);
    p.input(source).set(true);
  }
  p.write(THRESHOLD, 4, 7);
  assert.equal(levels[0], false);
  p.write(THRESHOLD, 4, 6);
  assert.equal(levels[0], true);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => p.read(CLAIM, 4)),
    [40, 95, 3, 0],
  );
});

test('completion by a context that does not enable the source is ignored', () => {
  const { p, enable, levels } = setUp();
  p.write(4, 4, 1);
  enable(0, 1);
  p.input(1).set(true);
  assert.equal(p.read(CLAIM, 4), 1);
  p.write(CLAIM + 0x1000, 4, 1);
  p.write(CLAIM, 4, 4000);
  assert.equal(levels[0], false);
  p.write(CLAIM, 4, 1);
  assert.equal(levels[0], true);
});

test('a pending bit outlives the level; bits and widths that do not exist are not there', () => {
  const { p } = setUp();
  p.input(2).set(true);
  p.input(2).set(false);
  assert.equal(p.read(0x1000, 4), 4);
  p.write(0x2000, 4, 0xffff_ffff);
  p.write(0x200c, 4, 0xffff_ffff);
  p.write(0x2010, 4, 0xffff_ffff);
  assert.equal(p.read(0x2000, 4), 0xffff_fffe);
  assert.equal(p.read(0x200c, 4), 1, 'source 96 is the last');
  assert.equal(p.read(0x2010, 4), 0);
  p.write(4, 1, 5);
  assert.equal(p.read(4, 4), 0);
  p.write(4, 4, 0xff);
  assert.equal(p.read(4, 4), 7);
  assert.equal(p.registers.nameAt(40, 'read'), 'priority[9]');
  assert.equal(p.registers.nameAt(CLAIM + 0x1000, 'write'), 'claim[1]');
  assert.equal(p.registers.nameAt(0x30_0000, 'read'), undefined);
});

test('any accesses and levels: nothing throws, and a saved state restores exactly', () => {
  const { p, levels } = setUp();
  const next = seeded(7);
  const offsets = [0x4, 0x1000, 0x2000, 0x2080, 0x20_0000, 0x20_0004, 0x20_1004, 0x10_0000];
  for (let i = 0; i < 20_000; i++) {
    const offset = (offsets[next() % offsets.length] ?? 0) + (next() % 16) * 4;
    if (next() % 3 === 0) p.input(1 + (next() % 96)).set(next() % 2 === 0);
    else if (next() % 2 === 0) p.write(offset, 4, next() % 4 === 0 ? next() % 97 : next());
    else p.read(offset, 4);
  }
  const other = setUp();
  const saved = JSON.parse(JSON.stringify(p.save())) as ReturnType<typeof p.save>;
  other.p.restore(saved);
  assert.deepEqual(other.p.save(), p.save());
  assert.deepEqual(other.levels, levels);
  p.reset();
  assert.deepEqual(p.save(), setUp().p.save());
  assert.deepEqual(levels, [false, false]);
});

test('its node names its outputs', () => {
  const { device } = setUp(1);
  const [node] = device.describe({
    address: 0xc00_0000,
    size: 0x60_0000,
    label: 'plic',
    outputs: [{ controller: 'cpu0-intc', cells: [9] }],
  });
  assert.equal(node?.name, 'interrupt-controller@c000000');
  assert.deepEqual(node?.properties['interrupts-extended'], [{ ref: 'cpu0-intc' }, 9]);
  assert.deepEqual(node?.properties['riscv,ndev'], [96]);
});
