import { throws } from 'node:assert/strict';
import { test } from 'node:test';
import { assert, AssertionError, unreachable } from './assert.ts';

test('assert passes what is truthy and throws its message otherwise', () => {
  assert(1, 'one');
  throws(() => assert(false, 'broken'), { name: 'AssertionError', message: 'broken' });
  throws(() => assert(undefined, 'absent'), AssertionError);
});

test('assert narrows types', () => {
  const value: string | undefined = ['x'][0];
  assert(value !== undefined, 'present');
  const narrowed: string = value;
  assert(narrowed === 'x', 'narrowed');
});

test('unreachable names the case that was not handled', () => {
  throws(() => unreachable('north' as never), {
    name: 'AssertionError',
    message: 'unreachable case: north',
  });
});
