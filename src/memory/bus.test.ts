import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createBus } from './bus.ts';
import type { BusAccessSize, BusRange } from './bus.ts';

/** A range backed by bytes, writing down what it is asked. */
function range(name: string, address: number, size: number, log: string[] = []): BusRange {
  const bytes = new DataView(new ArrayBuffer(size + 8));
  return {
    name,
    address,
    size,
    target: {
      read(offset, width) {
        log.push(`${name} read ${offset} ${width}`);
        if (width === 1) return bytes.getUint8(offset);
        return width === 2 ? bytes.getUint16(offset, true) : bytes.getUint32(offset, true);
      },
      write(offset, width, value) {
        log.push(`${name} write ${offset} ${width} ${value}`);
        if (width === 1) bytes.setUint8(offset, value);
        else if (width === 2) bytes.setUint16(offset, value, true);
        else bytes.setUint32(offset, value, true);
      },
    },
  };
}

test('an access goes to the range that holds it, at its offset', () => {
  const log: string[] = [];
  const bus = createBus([range('b', 0x2000, 0x100, log), range('a', 0x1000, 0x100, log)]);
  bus.write(0x2004, 4, 0x1_8000_0001n);
  assert.equal(bus.read(0x2004, 4), 0x8000_0001n);
  assert.equal(bus.read(0x1000, 2), 0n);
  assert.deepEqual(log, ['b write 4 4 2147483649', 'b read 4 4', 'a read 0 2']);
});

test('eight bytes are two accesses, the low one first', () => {
  const log: string[] = [];
  const bus = createBus([range('a', 0x1000, 0x100, log)]);
  bus.write(0x1008, 8, 0xffff_fffe_8000_0001n);
  assert.equal(bus.read(0x1008, 8), 0xffff_fffe_8000_0001n);
  assert.deepEqual(log, [
    'a write 8 4 2147483649',
    'a write 12 4 4294967294',
    'a read 8 4',
    'a read 12 4',
  ]);
});

test('nothing answers outside the ranges, nor across their ends', () => {
  const log: string[] = [];
  const bus = createBus([range('a', 0x1000, 6, log), range('b', 0x1006, 6, log)]);
  assert.equal(bus.find(0xfff), undefined);
  assert.equal(bus.find(0x1005)?.name, 'a');
  assert.equal(bus.find(0x1005, 2), undefined);
  assert.equal(bus.find(0x100c), undefined);
  assert.equal(bus.read(0x1004, 4), 0n);
  bus.write(0x1004, 8, 1n);
  assert.deepEqual(log, []);
  assert.equal(createBus([]).find(0), undefined);
});

test('an overlap is refused with both names', () => {
  const ranges = [range('uart', 0x1000, 0x100), range('rtc', 0x10ff, 1)];
  assert.throws(() => createBus(ranges), {
    name: 'BusOverlapError',
    message: "'uart' at 0x1000-0x10ff and 'rtc' at 0x10ff-0x10ff overlap",
  });
});

test('finding agrees with trying every range, in any order of accesses', () => {
  const gaps = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 5 })), { maxLength: 8 });
  const size = fc.constantFrom<BusAccessSize>(1, 2, 4, 8);
  const accesses = fc.array(fc.tuple(fc.nat(70), size), { maxLength: 20 });
  fc.assert(
    fc.property(gaps, accesses, (layout, probes) => {
      let next = 0;
      const ranges = layout.map(([gap, length], index) => {
        const made = range(`r${index}`, next + gap, length);
        next += gap + length;
        return made;
      });
      const bus = createBus(ranges);
      for (const [address, width] of probes) {
        const expected = ranges.find(
          (one) => address >= one.address && address + width <= one.address + one.size,
        );
        assert.equal(bus.find(address, width), expected);
      }
    }),
  );
});
