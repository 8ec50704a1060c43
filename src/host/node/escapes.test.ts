// escapes.ts: what reaches the guest, and what the terminal keeps.

import assert from 'node:assert/strict';
import test from 'node:test';
import { createEscapes } from './escapes.ts';

/** What a filter makes of inputs, with the bytes as text; neighbouring bytes are joined. */
function filtered(...inputs: readonly string[]): string[] {
  const filter = createEscapes();
  const parts: string[] = [];
  for (const part of inputs.flatMap((input) => filter(Buffer.from(input, 'latin1')))) {
    if (typeof part === 'string') parts.push(`<${part}>`);
    else parts.push(Buffer.from(part).toString('latin1'));
  }
  return parts;
}

test('everything but Ctrl-A goes to the guest', () => {
  assert.deepEqual(filtered('ls\r\x03\x04\x1b[A\xff'), ['ls\r\x03\x04\x1b[A\xff']);
  assert.deepEqual(filtered(''), []);
});

test('commands come between the bytes around them, however the input is cut', () => {
  assert.deepEqual(filtered('ab\x01hcd\x01xe'), ['ab', '<help>', 'cd', '<quit>', 'e']);
  assert.deepEqual(filtered('ab\x01', 'hcd', '\x01', 'x'), ['ab', '<help>', 'cd', '<quit>']);
  assert.deepEqual(filtered('\x01?'), ['<help>']);
});

test('Ctrl-A twice sends it once; with another key, both are dropped', () => {
  assert.deepEqual(filtered('a\x01\x01b'), ['a', '\x01b']);
  assert.deepEqual(filtered('\x01', '\x01'), ['\x01']);
  assert.deepEqual(filtered('\x01\x01\x01\x01'), ['\x01', '\x01']);
  assert.deepEqual(filtered('a\x01zb'), ['a', 'b']);
  assert.deepEqual(filtered('\x01\x01x'), ['\x01x']);
});
