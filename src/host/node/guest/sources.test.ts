// sources.ts: both formats of sources.list(5), and the choice of Debian's own archive among them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianMirrors, parseDeb822Sources, parseSourcesList, parseStanzas } from './sources.ts';

test('a one-line list: options, comments, disabled and source entries', () => {
  const text = `
# deb http://mirror.test/off bookworm main
deb http://mirror.test/debian/ bookworm main contrib # the usual
deb [arch=amd64 signed-by=/keys/a.gpg] https://other.test/apt stable main
deb-src http://mirror.test/debian bookworm main
deb [ trusted=yes ] file:/srv/packages ./
`;
  assert.deepEqual(parseSourcesList(text), [
    {
      uri: 'http://mirror.test/debian/',
      suite: 'bookworm',
      components: ['main', 'contrib'],
      signedBy: undefined,
    },
    {
      uri: 'https://other.test/apt',
      suite: 'stable',
      components: ['main'],
      signedBy: '/keys/a.gpg',
    },
    { uri: 'file:/srv/packages', suite: './', components: [], signedBy: undefined },
  ]);
});

test('a deb822 file: several URIs and suites, disabled stanzas, an embedded key', () => {
  const text = `# comment
Types: deb deb-src
# a comment inside
URIs: http://a.test/debian http://b.test/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.test/debian
Suites: trixie
Components: main

Types: deb
URIs: http://key.test/apt
Suites: stable
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;
  const sources = parseDeb822Sources(text);
  assert.deepEqual(
    sources.map(({ uri, suite }) => `${uri} ${suite}`),
    [
      'http://a.test/debian trixie',
      'http://a.test/debian trixie-updates',
      'http://b.test/debian trixie',
      'http://b.test/debian trixie-updates',
      'http://key.test/apt stable',
    ],
  );
  assert.match(sources[4]?.signedBy ?? '', /BEGIN PGP/);
});

test("Debian's archive comes before strangers, and security and CD-ROM sources are left out", () => {
  const sources = parseSourcesList(`
deb cdrom:[Debian]/ bookworm main
deb https://vendor.test/linux bookworm main
deb https://vendor.test/linux/debian bookworm stable
deb http://mirror.test/debian-security bookworm-security main
deb http://mirror.test/debian/ bookworm main
deb http://mirror.test/debian bookworm-updates main
deb http://mirror.test/debian sid main
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] mirror+file:/etc/apt/list bookworm main
`);
  assert.deepEqual(debianMirrors(sources), [
    'mirror+file:/etc/apt/list',
    'http://mirror.test/debian',
    'https://vendor.test/linux',
  ]);
  assert.deepEqual(debianMirrors([]), []);
});

test('stanzas keep folded values and forget the case of names', () => {
  const [first, second] = parseStanzas('Package: a\nDESCRIPTION: one\n two\n\n\nPackage: b');
  assert.equal(first?.get('description'), 'one\ntwo');
  assert.equal(second?.get('package'), 'b');
});
