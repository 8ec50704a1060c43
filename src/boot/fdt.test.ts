import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { DeviceTreeNode } from '../device/device-tree-node.ts';
import { DeviceTreeError, readDeviceTree, writeDeviceTree } from './fdt.ts';

const noDtc =
  spawnSync('dtc', ['--version']).error === undefined
    ? false
    : 'dtc is not installed (package device-tree-compiler)';

const tree: DeviceTreeNode = {
  name: '',
  properties: { '#address-cells': [1], '#size-cells': [1], compatible: ['isola,test', 'virt'] },
  children: [
    {
      name: 'soc',
      properties: {
        compatible: 'simple-bus',
        '#address-cells': [1],
        '#size-cells': [1],
        ranges: true,
      },
      children: [
        {
          name: 'plic@c000000',
          label: 'plic',
          properties: {
            reg: [0xc00_0000, 0x60_0000],
            '#interrupt-cells': [1],
            '#address-cells': [0],
            'interrupt-controller': true,
          },
        },
        {
          name: 'serial@10000000',
          label: 'never-pointed-at',
          properties: {
            reg: [0x1000_0000, 0x100],
            'interrupts-extended': [{ ref: 'plic' }, 10],
            seed: Uint8Array.of(1, 2, 3),
          },
        },
      ],
    },
  ],
};

function dtc(
  args: readonly string[],
  input: Uint8Array | string,
): { text: string; warnings: string } {
  const run = spawnSync('dtc', [...args, '-'], { input });
  assert.equal(run.status, 0, run.stderr.toString());
  return { text: run.stdout.toString(), warnings: run.stderr.toString() };
}

test('dtc reads a blob back as the tree it was written from', { skip: noDtc }, () => {
  const { text, warnings } = dtc(
    ['-I', 'dtb', '-O', 'dts'],
    writeDeviceTree(tree, { bootCpu: 1, reservations: [{ address: 2 ** 32, size: 0x1000 }] }),
  );
  assert.equal(warnings, '');
  assert.equal(
    text.replaceAll('\t', ' ').replaceAll(/ +/g, ' ').trim(),
    `/dts-v1/;

/memreserve/ 0x0000000100000000 0x0000000000001000;
/ {
 #address-cells = <0x01>;
 #size-cells = <0x01>;
 compatible = "isola,test\\0virt";

 soc {
 compatible = "simple-bus";
 #address-cells = <0x01>;
 #size-cells = <0x01>;
 ranges;

 plic@c000000 {
 reg = <0xc000000 0x600000>;
 #interrupt-cells = <0x01>;
 #address-cells = <0x00>;
 interrupt-controller;
 phandle = <0x01>;
 };

 serial@10000000 {
 reg = <0x10000000 0x100>;
 interrupts-extended = <0x01 0x0a>;
 seed = [01 02 03];
 };
 };
};`,
  );
});

test('the reader reads what dtc writes', { skip: noDtc }, () => {
  const source = '/dts-v1/; / { a = "x"; n@1 { reg = <1>; b; }; };';
  const run = spawnSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-'], { input: source });
  assert.deepEqual(readDeviceTree(new Uint8Array(run.stdout)), {
    name: '',
    properties: { a: Uint8Array.of(0x78, 0) },
    children: [
      {
        name: 'n@1',
        properties: { reg: Uint8Array.of(0, 0, 0, 1), b: new Uint8Array() },
        children: [],
      },
    ],
  });
});

test('reading gives back any tree of bytes that was written', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9,._+-]{0,8}$/);
  const properties = fc.dictionary(name, fc.uint8Array({ maxLength: 9 }), {
    noNullPrototype: true,
  });
  const nodeOf = (child: fc.Arbitrary<DeviceTreeNode>): fc.Arbitrary<DeviceTreeNode> =>
    fc.record(
      {
        name,
        properties,
        children: fc.uniqueArray(child, { maxLength: 3, selector: (one) => one.name }),
      },
      { noNullPrototype: true },
    );
  const leaf = fc.record(
    { name, properties, children: fc.constant([]) },
    { noNullPrototype: true },
  );
  const node = nodeOf(nodeOf(leaf));
  fc.assert(
    fc.property(node, (generated) => {
      const root = { ...generated, name: '' };
      assert.deepEqual(readDeviceTree(writeDeviceTree(root)), root);
    }),
    { numRuns: 50 },
  );
});

test('a damaged blob gives a DeviceTreeError, never anything else', () => {
  const blob = writeDeviceTree(tree);
  fc.assert(
    fc.property(fc.nat(blob.length - 1), fc.nat(255), fc.nat(blob.length), (at, byte, length) => {
      const damaged = blob.slice(0, length);
      if (at < length) damaged[at] = byte;
      try {
        readDeviceTree(damaged);
      } catch (error) {
        assert.ok(error instanceof DeviceTreeError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

const child = (name: string, phandle?: number): DeviceTreeNode => ({
  name,
  label: name,
  properties: phandle === undefined ? {} : { phandle: [phandle] },
});

test('a phandle given in the tree is used and not given again', () => {
  const root: DeviceTreeNode = {
    name: '',
    properties: { uses: [{ ref: 'a' }, { ref: 'b' }, { ref: 'c' }] },
    children: [child('a'), child('b', 1), child('c')],
  };
  assert.deepEqual(
    readDeviceTree(writeDeviceTree(root)).properties['uses'],
    Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3),
  );
});

const illFormed: readonly (readonly [string, Partial<DeviceTreeNode>, RegExp])[] = [
  [
    'a label nobody carries',
    { properties: { a: [{ ref: 'x' }] } },
    /no node carries the label 'x'/,
  ],
  ['a cell of 33 bits', { properties: { a: [2 ** 32] } }, /4294967296 in \/a is not/],
  ['a negative cell', { properties: { a: [-1] } }, /-1 in \/a is not/],
  ['a NUL in text', { properties: { a: 'x\0y' } }, /NUL/],
  ['a property name with a space', { properties: { 'a b': true } }, /'a b' in \/ is no property/],
  ['a node name with a slash', { children: [{ name: 'a/b', properties: {} }] }, /'a\/b' under \//],
  [
    'two children of one name',
    {
      children: [
        { name: 'a', properties: {} },
        { name: 'a', properties: {} },
      ],
    },
    /two nodes are named \/a/,
  ],
  ['a named root', { name: 'root' }, /the root node is named 'root'/],
];

for (const [what, part, message] of illFormed) {
  test(`${what} is refused`, () => {
    const root = { name: '', properties: {}, ...part };
    assert.throws(() => writeDeviceTree(root), { name: 'DeviceTreeError', message });
  });
}
