import assert from 'node:assert/strict';
import test from 'node:test';
import { sysconPower } from './syscon-power.ts';
import type { PowerRequest } from './syscon-power.ts';
import { testContext } from './test-context.ts';

test('commands become requests; anything else is ignored', () => {
  const wishes: PowerRequest[] = [];
  const power = sysconPower((wish) => void wishes.push(wish)).create(testContext().context);
  power.write(0, 4, 0x5555);
  power.write(0, 4, 0x7777);
  power.write(0, 4, 0x0003_3333);
  power.write(0, 4, 0x1234);
  power.write(4, 4, 0x5555);
  power.write(0, 1, 0x55);
  assert.equal(power.read(0, 4), 0);
  assert.deepEqual(wishes, [
    { kind: 'power-off', code: 0 },
    { kind: 'reset' },
    { kind: 'power-off', code: 3 },
  ]);
  power.restore(power.save());
  assert.deepEqual(power.save(), { registers: {}, state: {} });
});

test('its nodes: the register, and the two actions that refer to it', () => {
  const nodes = sysconPower(() => {}).describe({
    address: 0x10_0000,
    size: 0x1000,
    label: 'power',
  });
  assert.deepEqual(
    nodes.map((node) => [node.name, node.properties['compatible']]),
    [
      ['test@100000', ['sifive,test1', 'sifive,test0', 'syscon']],
      ['poweroff', ['syscon-poweroff']],
      ['reboot', ['syscon-reboot']],
    ],
  );
  assert.deepEqual(nodes[2]?.properties['value'], [0x7777]);
  assert.deepEqual(nodes[1]?.properties['regmap'], [{ ref: 'power' }]);
});
