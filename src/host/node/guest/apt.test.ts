// apt.ts: what is carried over from the system's configuration, and how apt's failures are told.
// That it fetches is tested by fetch.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainFailure, resolvedPackages, transportSettings } from './apt.ts';

test('settings of the transport are carried over, those that weaken checks or run programs are not', () => {
  const dump = [
    'Acquire "";',
    'Acquire::http::Proxy "http://proxy.test:3128";',
    'Acquire::https::Proxy::mirror.test "DIRECT";',
    'Acquire::Retries "3";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::AllowInsecureRepositories "1";',
    'Acquire::Languages "de";',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "true";',
  ].join('\n');
  assert.deepEqual(transportSettings(dump), [
    'Acquire::http::Proxy "http://proxy.test:3128";',
    'Acquire::https::Proxy::mirror.test "DIRECT";',
    'Acquire::Retries "3";',
    'Acquire::Check-Valid-Until "false";',
  ]);
});

test('a simulated installation names each package and its version', () => {
  const stdout = [
    'The following NEW packages will be installed:',
    '  libx1 x',
    'Inst libx1 (1:1.2-3+b1 Debian:13.0/stable [riscv64])',
    'Inst x (2~rc1-1 Debian:13.0/stable [riscv64]) []',
    'Conf libx1 (1:1.2-3+b1 Debian:13.0/stable [riscv64])',
  ].join('\n');
  assert.deepEqual(resolvedPackages(stdout), [
    { name: 'libx1', version: '1:1.2-3+b1' },
    { name: 'x', version: '2~rc1-1' },
  ]);
});

const failures: readonly [reason: string, stderr: string][] = [
  ['network', "E: Failed to fetch http://m.test/x  Temporary failure resolving 'm.test'\n"],
  ['network', 'E: Failed to fetch http://m.test/x  Could not connect to m.test:80 (timed out)\n'],
  ['verification', 'W: GPG error: http://m.test trixie InRelease: NO_PUBKEY 6ED0E7B82643E131\n'],
  ['verification', 'E: Failed to fetch http://m.test/x.deb  Hash Sum mismatch\n'],
  ['no-space', 'E: Write error - write (28: No space left on device)\n'],
  ['no-space', "E: You don't have enough free space in /x.\n"],
  ['package', 'dpkg-deb: error: archive is damaged\n'],
];

for (const [reason, stderr] of failures) {
  test(`a failure of apt is told in one line: ${stderr.trim()}`, () => {
    const error = explainFailure({ stdout: '', stderr }, 'busybox-static');
    assert.equal(error.reason, reason);
    assert.match(error.message, /^[^\n]*busybox-static[^\n]*$/);
  });
}
