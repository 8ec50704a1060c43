// process.ts: output, status lines, and that an abort ends the child and the child's children.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './process.ts';

test('collects output, exit code and the lines of descriptor 3', async () => {
  const lines: string[] = [];
  const onStatus = (line: string) => lines.push(line);
  const script = 'echo out; echo err >&2; echo 1 >&3; echo 2 >&3; exit 3';
  const result = await run('sh', ['-c', script], { onStatus });
  assert.deepEqual(result, { code: 3, stdout: 'out\n', stderr: 'err\n' });
  assert.deepEqual(lines, ['1', '2']);
});

test('a command that does not exist rejects', async () => {
  await assert.rejects(run('isola-no-such-command', []), { code: 'ENOENT' });
});

test('an abort ends the whole group and rejects with its reason', { timeout: 5000 }, async () => {
  const controller = new AbortController();
  const child = run('sh', ['-c', 'sleep 100 & echo started >&3; wait'], {
    signal: controller.signal,
    onStatus: () => controller.abort(new Error('enough')),
  });
  // This waits until all pipes are closed, so also for the grandchild that holds them.
  await assert.rejects(child, { message: 'enough' });
});
