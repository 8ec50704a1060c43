// command-line.ts: what the kernel is told.

import assert from 'node:assert/strict';
import test from 'node:test';
import { commandLine } from './command-line.ts';

test('a guest without terminal, with one, and with an appended text', () => {
  assert.equal(commandLine(undefined), 'console=ttyS0 quiet TERM=dumb');
  const terminal = { type: 'xterm-256color', lines: 40, columns: 120 };
  const full = 'console=ttyS0 quiet TERM=xterm-256color LINES=40 COLUMNS=120';
  assert.equal(commandLine('', terminal), full);
  assert.equal(commandLine('loglevel=7', terminal), `${full} loglevel=7`);
});

test('a strange terminal adds nothing that could be read as a parameter', () => {
  const terminal = { type: 'x init=/bin/evil', lines: 0, columns: 0 };
  assert.equal(commandLine(undefined, terminal), 'console=ttyS0 quiet');
});
