import { equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { VcpuRecord } from './record.ts';
import { isaCells, layout, vcpu, vcpuBytes } from './vcpu.ts';

const files = layout(isaCells.start, isaCells.end);
const X = files.registers('x', 32, true);
const F = files.registers('f', 32, false);

for (const Buffer of [ArrayBuffer, SharedArrayBuffer]) {
  test(`cells of a record in ${Buffer.name} hold unsigned values of their width`, () => {
    const buffer = new Buffer(64 + vcpuBytes);
    const record = new VcpuRecord(buffer, 64);
    record.set(vcpu.budget, -1n);
    record.set(vcpu.pc, -2n);
    record.set(vcpu.attention, 0x1_0000_0002n);
    equal(record.get(vcpu.budget), 0xffff_ffffn);
    equal(record.get(vcpu.pc), 0xffff_ffff_ffff_fffen);
    equal(record.get(vcpu.attention), 2n);
    equal(new DataView(buffer).getInt32(64 + vcpu.budget.offset, true), -1);
  });
}

test('a zero register stays zero; others keep 64 bits', () => {
  const record = new VcpuRecord(new ArrayBuffer(vcpuBytes), 0);
  for (const [file, index, value] of [
    [X, 0, 0n],
    [X, 31, 2n ** 64n - 1n],
    [F, 0, 2n ** 64n - 1n],
  ] as const) {
    record.setRegister(file, index, -1n);
    equal(record.getRegister(file, index), value);
  }
});

test('a wrong place or register is an assertion', () => {
  throws(() => new VcpuRecord(new ArrayBuffer(2 * vcpuBytes), 8), /aligned/);
  const record = new VcpuRecord(new ArrayBuffer(vcpuBytes), 0);
  throws(() => record.getRegister(X, 32), /no register x32/);
});
