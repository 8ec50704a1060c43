// The text form: what print writes, parse reads back to the same IR.

import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert, nat, property } from 'fast-check';
import { randomContext, randomInstruction } from '../../test/support/random-ir.ts';
import { buildBlock, routine } from './builder.ts';
import { IrSyntaxError, parse } from './parse.ts';
import { print } from './print.ts';
import { findProblems } from './verify.ts';

const [X] = randomContext.files;
const [mode] = randomContext.cells;
const x = (index: number) => ({ file: X, index });

test('nothing is built after a constant condition whose side ends the meaning', () => {
  const block = buildBlock((s) => {
    s.when(s.eqz(s.get(x(5))), () => {
      s.rarely(true, () => s.raise());
      s.set(x(6), 1n);
    });
    s.rarely(s.eq(s.const64(2), 2), () => s.jump(s.const64(8), 'direct'));
    s.when(s.eqz(s.get(x(7))), () => s.set(x(8), 1n));
    s.raise();
  });
  const text = `v0 = get x[5]
v1 = eqz v0
if v1
  raise
end
jump 8 direct
`;
  equal(print(block), text);
  deepEqual(findProblems(block, 'instruction'), []);
});

test('one node a line, blocks indented, values numbered', () => {
  const block = buildBlock((s) => {
    const sum = s.add(s.get(x(5)), -1n);
    s.set(x(6), sum);
    s.when(
      s.eqz(sum),
      () => s.raise(),
      () => {
        const old = s.rmw('add', 32, sum, 0xffff_ffff_0000n);
        s.setState(mode, s.wrap(old));
        s.jump(s.pc(-4), 'sync');
      },
      'unlikely',
    );
  });
  const text = `v0 = get x[5]
v1 = add v0, -1
set x[6], v1
v2 = eqz v1
if v2 unlikely
  raise
else
  v3 = rmw32_add v1, 0xffffffff0000
  v4 = wrap v3
  set_state mode, v4
  v5 = pc - 4
  jump v5 sync
end
`;
  equal(print(block), text);
  deepEqual(parse(text, randomContext), block);
});

test('types are written where the place does not tell them', () => {
  const count = routine('count', ['i64'], 'i64', (s, from) => {
    const left = s.variable('i64', from);
    s.loop(() => {
      s.when(s.eqz(s.read(left)), () => s.break());
      s.assign(left, s.sub(s.read(left), 1n));
    });
    s.when(s.eq(from, 1n), () => s.return(from));
    s.return(s.const64(7n));
  });
  const text = `set_variable var0:i64, p0
loop
  v0 = get_variable var0:i64
  v1 = eqz v0
  if v1
    break
  end
  v2 = get_variable var0:i64
  v3 = sub v2, 1
  set_variable var0:i64, v3
end
v4 = eq p0, 1
if v4
  return p0:i64
end
return 7:i64
`;
  equal(print(count.body()), text);
  equal(print(parse(text, randomContext)), text);
});

test('literals and atoms', () => {
  const text = `v0 = select true, $imm, 0xffffffff00000000
v1 = fneg64 0x3ff0000000000000
v2 = add32 -65535, 0x80000000
perform
`.replace('perform\n', 'call note(v2, false)\n');
  equal(print(parse(text, randomContext)), text);
  const spaced = '# nothing\n\n  v0 = get   x[ rd ] # a register\n';
  equal(print(parse(spaced, randomContext)), 'v0 = get x[rd]\n');
});

test('random IR is sound and survives the round trip', () => {
  assert(
    property(array(nat(), { maxLength: 400, size: 'max' }), (tape) => {
      const block = randomInstruction(tape);
      deepEqual(findProblems(block, 'instruction'), []);
      const text = print(block);
      const parsed = parse(text, randomContext);
      equal(print(parsed), text);
      deepEqual(findProblems(parsed, 'instruction'), []);
    }),
    { numRuns: 300 },
  );
});

const errors: [text: string, line: number, column: number, problem: RegExp][] = [
  ['frob v0', 1, 1, /unknown operation 'frob'/],
  ['v0 = get x[1]\nv1 = constructor v0', 2, 6, /unknown operation/],
  ['v0 = get y[1]', 1, 10, /there is no register file 'y'/],
  ['v0 = get x[32]', 1, 12, /x has 32 registers/],
  ['v0 = get x[1', 1, 13, /expected ']', not the end of the line/],
  ['set x[1], v0', 1, 11, /v0 is not defined here/],
  ['v0 = get x[1]\n  v0 = pc', 2, 3, /v0 is defined twice/],
  ['if true\nv0 = pc\nend\nset x[1], v0', 4, 11, /v0 is not defined here/],
  ['v0 = pc\nv1 = add32 v0, 1', 2, 12, /v0 is i64, not i32/],
  ['v0 = add 1:i32, 1', 1, 10, /1 is i32, not i64/],
  ['v0 = add 1', 1, 11, /expected ',', not the end of the line/],
  ['v0 = add 1, 2, 3', 1, 14, /unexpected ','/],
  ['v0 = add32 1, 0x100000000', 1, 15, /'0x100000000' is not a value of type i32/],
  ['v0 = not 1', 1, 10, /'1' is not a value of type i1/],
  ['return 5', 1, 8, /needs a type, as in 5:i64/],
  ['pc', 1, 1, /'pc' has a result: give it a name/],
  ['v0 = fence', 1, 1, /'fence' has no result to name/],
  ['fence\n if true\nfence', 2, 2, /nothing ends what is opened here/],
  ['fence\nend', 2, 1, /nothing is open that 'end' could end/],
  ['v0 = get_state nowhere', 1, 16, /there is no cell 'nowhere'/],
  ['call nobody()', 1, 6, /there is no routine or helper 'nobody'/],
  ['jump 1 somewhere', 1, 8, /expected a kind of jump, not 'somewhere'/],
  ['fence ;', 1, 7, /unexpected character/],
  ['v0 = load24 1', 1, 6, /unknown operation 'load24'/],
];

test('errors name line, column and problem', () => {
  for (const [text, line, column, problem] of errors) {
    throws(
      () => parse(text, randomContext),
      (error: unknown) => {
        equal(error instanceof IrSyntaxError, true, String(error));
        const { message } = error as IrSyntaxError;
        equal(problem.test(message), true, `${message} is not ${problem}`);
        equal(message.startsWith(`line ${line}, column ${column}: `), true, `${text}: ${message}`);
        return true;
      },
    );
  }
});
