import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hartInput, hartsNode, isaString } from './riscv64-harts.ts';

test('the ISA string is in canonical order whatever order it is given in', () => {
  assert.equal(
    isaString([
      'svinval',
      'zba',
      'c',
      'zicsr',
      'i',
      'd',
      'sstc',
      'a',
      'zifencei',
      'm',
      'f',
      'zacas',
    ]),
    'rv64imafdc_zicsr_zifencei_zacas_zba_sstc_svinval',
  );
  assert.equal(isaString(['i']), 'rv64i');
});

test('a hart tells its ISA three ways, and the block sizes of what it has', () => {
  const isa = { name: 'riscv64', extensions: ['i', 'zicboz', 'm'], mmu: 'sv39' } as const;
  const hart = hartsNode(isa, 1, 10_000_000).children?.[0];
  assert.deepEqual(hart?.properties, {
    device_type: 'cpu',
    reg: [0],
    status: 'okay',
    compatible: 'riscv',
    'riscv,isa': 'rv64im_zicboz',
    'riscv,isa-base': 'rv64i',
    'riscv,isa-extensions': ['i', 'm', 'zicboz'],
    'mmu-type': 'riscv,sv39',
    'riscv,cboz-block-size': [64],
  });
});

test('every hart has an interrupt controller that outputs can name', () => {
  const isa = { name: 'riscv64', extensions: ['i'], mmu: 'sv39' } as const;
  const { children } = hartsNode(isa, 3, 1);
  assert.deepEqual(
    children?.map(({ name }) => name),
    ['cpu@0', 'cpu@1', 'cpu@2', 'cpu-map'],
  );
  const { cpu, input, controller, cells } = hartInput(2, 9);
  assert.equal(children?.[2]?.children?.[0]?.label, controller);
  assert.deepEqual([cpu, input, cells], [2, 9, [9]]);
});
