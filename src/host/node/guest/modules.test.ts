// modules.ts on a small tree of modules made here: dependencies, built-in ones, and modprobe's
// files.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { modulesAlias, modulesDep, parseModinfo, readModules } from './modules.ts';

/** An ELF64 file with the sections "", .modinfo and .shstrtab. */
function moduleFile(modinfo: readonly string[]): Uint8Array {
  const info = new TextEncoder().encode(modinfo.map((field) => `${field}\0`).join(''));
  const names = new TextEncoder().encode('\0.modinfo\0.shstrtab\0');
  const headers = 64 + info.length + names.length;
  const bytes = new Uint8Array(headers + 3 * 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f45_4c46);
  bytes[4] = 2;
  view.setBigUint64(40, BigInt(headers), true);
  [64, 3, 2].forEach((value, index) => view.setUint16(58 + 2 * index, value, true));
  bytes.set(info, 64);
  bytes.set(names, 64 + info.length);
  const section = (index: number, name: number, offset: number, size: number) => {
    view.setUint32(headers + index * 64, name, true);
    view.setBigUint64(headers + index * 64 + 24, BigInt(offset), true);
    view.setBigUint64(headers + index * 64 + 32, BigInt(size), true);
  };
  section(1, 1, 64, info.length);
  section(2, 10, 64 + info.length, names.length);
  return bytes;
}

async function makeTree(t: TestContext, files: Record<string, string[]>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'isola-modules-'));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'modules.builtin'), 'kernel/lib/crc32.ko\n');
  for (const [path, modinfo] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), moduleFile(modinfo));
  }
  return directory;
}

const tree = {
  'kernel/fs/ext4/ext4.ko': ['alias=fs-ext4', 'alias=ext3', 'depends=jbd2,mbcache,crc32'],
  'kernel/fs/jbd2/jbd2.ko': ['depends=lib-crc'],
  'kernel/fs/mbcache.ko': ['depends='],
  'kernel/lib/lib-crc.ko': ['license=GPL', 'depends='],
  'kernel/net/unwanted.ko': ['depends=nothing_there'],
};

test('modules come with what they need, in loading order, without what is built in', async (t) => {
  const modules = await readModules(await makeTree(t, tree), ['mbcache', 'ext4', 'crc32']);
  assert.deepEqual(
    modules.map(({ name }) => name),
    ['mbcache', 'lib_crc', 'jbd2', 'ext4'],
  );
  assert.equal(
    modulesDep(modules),
    'kernel/fs/mbcache.ko:\n' +
      'kernel/lib/lib-crc.ko:\n' +
      'kernel/fs/jbd2/jbd2.ko: kernel/lib/lib-crc.ko\n' +
      'kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/lib-crc.ko kernel/fs/mbcache.ko\n',
  );
  assert.equal(modulesAlias(modules), 'alias fs-ext4 ext4\nalias ext3 ext4\n');
});

test('a module that is not there is named, with who wants it', async (t) => {
  const directory = await makeTree(t, tree);
  await assert.rejects(readModules(directory, ['unwanted']), {
    name: 'GuestUnavailableError',
    message: 'no kernel module nothing_there, wanted by unwanted',
  });
});

test('a file that is no module is refused', () => {
  assert.throws(() => parseModinfo(new Uint8Array(100)), /not an ELF64 file/);
});
