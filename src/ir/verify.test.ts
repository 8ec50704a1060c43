// Each rule of the verifier is broken once, most of them in text, which parse accepts.

import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { randomContext } from '../../test/support/random-ir.ts';
import { constant } from './builder.ts';
import type { Block, Node } from './node.ts';
import { parse } from './parse.ts';
import { findProblems, type Owner, verify } from './verify.ts';

const routine: Owner = { params: ['i64'], result: 'i64' };
const procedure: Owner = { params: [], result: null };

const broken: [rule: string, owner: Owner, text: string, ...problems: string[]][] = [
  ['terminator', 'instruction', 'raise\nfence', 'fence: follows the terminator raise'],
  [
    'terminator in a nested block',
    'instruction',
    'if true\n  jump 4 direct\n  raise\nend',
    'raise: follows the terminator jump',
  ],
  ['break', 'instruction', 'break', 'break: is outside any loop'],
  [
    'return in an instruction',
    'instruction',
    'return 1:i64',
    'return 1:i64: return cannot stand in an instruction',
  ],
  [
    'parameter in an instruction',
    'instruction',
    'set x[1], p0',
    'set x[1], p0: parameter cannot stand in an instruction',
  ],
  [
    'branch',
    'instruction',
    'branch true, 4\nfence',
    'branch true, 4: is not the last thing to happen',
  ],
  [
    'branch before the end of an outer block',
    'instruction',
    'if true\n  branch true, 4\nend\nfence',
    'branch true, 4: is not the last thing to happen',
  ],
  [
    'branch in a loop',
    'instruction',
    'loop\n  branch true, 4\nend',
    'branch true, 4: is not the last thing to happen',
  ],
  [
    'variable',
    'instruction',
    'if true\n  set_variable var0:i32, 1\nend\nv0 = get_variable var0:i32',
    'v0 = get_variable var0:i32: the variable is not assigned here',
  ],
  [
    'type of a variable',
    'instruction',
    'set_variable var0:i32, 1\nset_variable var0:i64, 1',
    'set_variable var0:i64, 1: the variable is i32, not i64',
  ],
  [
    'result',
    routine,
    'if true\n  return p0:i64\nend',
    'the routine can end without its i64 result',
  ],
  [
    'result after a loop',
    routine,
    'loop\n  break\nend',
    'the routine can end without its i64 result',
  ],
  ['type of the result', routine, 'return 1:i32', 'return 1:i32: gives i32, not i64'],
  ['result of a procedure', procedure, 'return 1:i32', 'return 1:i32: gives i32, not nothing'],
  ['no result', routine, 'return', 'return: gives nothing, not i64'],
  ['parameter', procedure, 'set x[1], p0', 'set x[1], p0: p0 is no parameter'],
  [
    'type of a parameter',
    routine,
    'set_state mode, p0\nreturn 1:i64',
    'set_state mode, p0: p0 is i64',
  ],
  ...[
    ['jump', 'jump 4 direct'],
    ['raise', 'raise'],
    ['exit', 'exit 1, 4'],
    ['branch', 'branch true, 4'],
    ['pc', 'v0 = pc'],
    ['load', 'v0 = load64 8'],
    ['store', 'store8 8, 1'],
    ['rmw', 'v0 = rmw32_or 8, 1'],
    ['cas', 'v0 = cas32 8, 1, 2'],
    ['probe_load', 'probe_load 8'],
    ['probe_store', 'probe_store 8'],
    ['operand', 'set x[1], $imm'],
    ['an operand', 'set x[rd], 1'],
  ].map(([what, text]): [string, Owner, string, string] => [
    `${what} in a routine`,
    procedure,
    text!,
    `${text}: ${what} cannot stand in a routine`,
  ]),
];

for (const [rule, owner, text, ...problems] of broken) {
  test(`broken: ${rule}`, () => {
    deepEqual(findProblems(parse(text, randomContext), owner), problems);
  });
}

const pc: Node = { op: 'pc', type: 'i64', args: [], offset: 0 };
const fence: Node = { op: 'fence', type: null, args: [] };
const one = constant('i64', 1n);
const wide = { ...constant('i32', 0n), value: 1n << 32n };
const register = { file: randomContext.files[0], index: 1 };
const add = (...args: readonly Node[]): Node =>
  ({ op: 'add', type: 'i64', args }) as unknown as Node;

const unparsable: [rule: string, nodes: Node[], problem: string][] = [
  ['one place', [fence, fence], 'fence: stands in two places'],
  ['defined before', [add(pc, one), pc], 'v0 = add ?, 1: argument 1, a pc, is not defined here'],
  ['constants in a block', [one], 'v0 = 1:i64: a const stands in no block'],
  [
    'argument types',
    [add(one, constant('i32', 5n))],
    'v0 = add 1, 5:i32: argument 2 is i32, not i64',
  ],
  ['argument count', [add(one)], 'v0 = add 1: has 1 arguments, not 2'],
  ['result type', [{ ...pc, type: 'i32' } as unknown as Node], 'v0 = pc: has type i32, not i64'],
  [
    'arguments of an effect',
    [{ op: 'set', type: null, args: [], register }],
    'set x[1],: has 0 arguments, not 1',
  ],
  [
    'constants fit',
    [
      { op: 'wrap', type: 'i32', args: [pc] },
      { op: 'eqz32', type: 'i1', args: [wide] },
    ],
    'v1 = eqz32 0: the constant 4294967296 does not fit i32',
  ],
];

for (const [rule, nodes, problem] of unparsable) {
  test(`broken: ${rule}`, () => {
    const problems = findProblems({ nodes }, 'instruction');
    equal(problems.includes(problem), true, problems.join('\n'));
  });
}

test('verify gives sound IR back and throws a list of what is broken', () => {
  const sound: Block = parse('loop\n  if true\n    return\n  end\nend', randomContext);
  equal(verify(sound, procedure), sound);
  throws(() => verify(parse('break\nbreak', randomContext), 'instruction'), {
    name: 'AssertionError',
    message: /^broken IR:\nbreak: is outside any loop\n(.*\n)+in:\n {2}break\n {2}break$/,
  });
});
