// memory-size.ts: sizes that people write, and those that are none.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMemorySize } from './memory-size.ts';

test('sizes of memory', () => {
  const sizes = { '512M': 2 ** 29, '2G': 2 ** 31, '2gib': 2 ** 31, '64KB': 65536, ' 1T ': 2 ** 40 };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseMemorySize(text), bytes);
  assert.equal(parseMemorySize('256'), 2 ** 28, 'a plain number is MiB, as in QEMU');
  assert.equal(parseMemorySize('1.5G'), 3 * 2 ** 29);
});

test('what is no size is refused', () => {
  for (const text of [
    '',
    'M',
    '0',
    '0G',
    '-1G',
    '1e3M',
    '512X',
    '12 34',
    '0.0000001K',
    '9999999T',
  ]) {
    assert.throws(() => parseMemorySize(text), { name: 'VmOptionsError', message: /like 512M/ });
  }
});
