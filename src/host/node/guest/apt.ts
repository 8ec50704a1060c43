// The system's own apt in an isolated, unprivileged configuration: it fetches packages of a foreign
// architecture from the mirror the system already uses, verifies them as always, and neither reads
// the system's package state nor changes anything outside the directory it is given.
//
// How the isolation works (apt.conf(5)): APT_CONFIG names our file, which apt reads first; that
// file moves every place apt reads or writes (Dir::State, Dir::Cache, Dir::Etc::*) into our
// directory, including the place of the further configuration files, so that no hook of the system
// runs. Of the system's settings only those about transport (proxies, timeouts, …) are carried
// over.
import { access, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { bringYourOwn, errorCode, GuestUnavailableError } from './errors.ts';
import { run, type RunResult } from './process.ts';
import {
  debianMirrors,
  parseDeb822Sources,
  parseSourcesList,
  parseStanzas,
  type AptSource,
} from './sources.ts';

/** A package as apt's index describes it; `size` in bytes, `sha256` in hexadecimal. */
export interface AptPackage {
  readonly name: string;
  readonly version: string;
  readonly size: number;
  readonly sha256: string;
  /** Names in the Depends field, of each alternative the first, without versions. */
  readonly depends: readonly string[];
}

export interface AptOptions {
  /** Where apt keeps its state; exists across calls, so that an interrupted fetch can go on. */
  readonly directory: string;
  /** Debian's name of the guest's architecture. */
  readonly architecture: string;
  readonly suite: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Apt {
  /** Fetches the index. `onFraction` receives the part done, 0 to 1. */
  update(onFraction: (fraction: number) => void): Promise<void>;
  /** The newest version of a package. */
  show(name: string): Promise<AptPackage>;
  /** Packages and everything that they depend on, as for an empty system. */
  resolve(names: readonly string[]): Promise<Pick<AptPackage, 'name' | 'version'>[]>;
  /** Fetches packages into a directory; files that are already there and right are kept. */
  download(
    names: readonly string[],
    directory: string,
    onFraction: (fraction: number) => void,
  ): Promise<void>;
  /** Unpacks a package file, without running anything in it. */
  unpack(file: string, directory: string): Promise<void>;
}

/**
 * Prepares apt. Throws GuestUnavailableError where there is no apt, no Debian source, or no
 * keyring.
 */
export async function openApt(options: AptOptions): Promise<Apt> {
  const system = await readSystem(options.signal);
  const config = await writeConfiguration(options, system.transport);
  const runApt = (
    command: string,
    args: readonly string[],
    onStatus?: (line: string) => void,
    cwd?: string,
  ) =>
    runTool(command, args, {
      env: { APT_CONFIG: config },
      signal: options.signal,
      ...(onStatus === undefined ? {} : { onStatus }),
      ...(cwd === undefined ? {} : { cwd }),
    });
  const isCodename = async (): Promise<boolean> => {
    const { stdout } = await runApt('apt-get', ['indextargets', '--format', '$(CODENAME)']);
    return stdout.split('\n').includes(options.suite);
  };
  return {
    async update(onFraction) {
      let failure: GuestUnavailableError | undefined;
      for (const suite of [options.suite, STABLE]) {
        for (const mirror of system.mirrors) {
          const stanza = sourceStanza({ ...options, suite }, mirror);
          await writeFile(sourcesFile(options.directory), stanza);
          const args = [...fetchOptions, 'update'];
          const result = await runApt('apt-get', args, fractions(onFraction));
          if (result.code === 0 && (suite === options.suite || (await isCodename()))) return;
          // The first mirror is the likeliest one: its failure is the one worth telling.
          failure ??= explainFailure(
            result,
            `fetching the package index of Debian ${options.suite}`,
          );
        }
      }
      throw failure ?? noSource();
    },
    async show(name) {
      const result = await runApt('apt-cache', ['show', '--no-all-versions', name]);
      const fields = result.code === 0 ? parseStanzas(result.stdout)[0] : undefined;
      if (fields === undefined) {
        throw new GuestUnavailableError(
          'package',
          `Debian ${options.suite} has no package ${name}`,
        );
      }
      return packageOf(name, fields);
    },
    async resolve(names) {
      const args = ['-q', '--simulate', '--no-install-recommends', 'install', ...names];
      const result = await runApt('apt-get', args);
      if (result.code !== 0) throw explainFailure(result, `resolving ${names.join(', ')}`);
      return resolvedPackages(result.stdout);
    },
    async download(names, directory, onFraction) {
      const args = [...fetchOptions, 'download', ...names];
      const result = await runApt('apt-get', args, fractions(onFraction), directory);
      if (result.code !== 0) throw explainFailure(result, `fetching ${names.join(', ')}`);
    },
    async unpack(file, directory) {
      const result = await runApt('dpkg-deb', ['--extract', file, directory]);
      if (result.code !== 0) throw explainFailure(result, `unpacking ${basename(file)}`);
    },
  };
}

/** Error-Mode: a mirror that cannot be reached is otherwise a warning, and the exit code 0. */
const fetchOptions = ['-q', '-o', 'APT::Status-Fd=3', '-o', 'APT::Update::Error-Mode=any'];

/**
 * The other name of a suite while it is the newest release: a mirror that is being updated may have a whole index
 * under one name, and one whose parts do not fit each other under the other. Its codename tells whether it is.
 */
const STABLE = 'stable';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

interface SystemConfiguration {
  readonly mirrors: readonly string[];
  /** Lines of apt.conf. */
  readonly transport: readonly string[];
}

async function readSystem(signal: AbortSignal | undefined): Promise<SystemConfiguration> {
  const places = await runTool(
    'apt-config',
    ['shell', 'LIST', 'Dir::Etc::sourcelist/f', 'PARTS', 'Dir::Etc::sourceparts/d'],
    { signal },
  );
  const place = (name: string) =>
    new RegExp(`^${name}='(.*)'$`, 'm').exec(places.stdout)?.[1] ?? '/nonexistent';
  const mirrors = debianMirrors(await readSources(place('LIST'), place('PARTS')));
  if (mirrors.length === 0) throw noSource();
  try {
    await access(KEYRING);
  } catch (cause) {
    const message = `${KEYRING} is missing: install the package debian-archive-keyring, or ${bringYourOwn}`;
    throw new GuestUnavailableError('no-source', message, { cause });
  }
  const dump = await runTool('apt-config', ['dump', '--no-empty', 'Acquire'], { signal });
  return { mirrors, transport: transportSettings(dump.stdout) };
}

/**
 * The lines of `apt-config dump` that say how to reach a mirror, and nothing that weakens checks.
 */
export function transportSettings(dump: string): string[] {
  const wanted =
    /^Acquire::(https?|ftp|tor|Retries|ForceIPv[46]|Check-Valid-Until|Check-Date|Max-FutureTime)(::\S*)? "/i;
  return dump.split('\n').filter((line) => wanted.test(line));
}

async function readSources(list: string, parts: string): Promise<AptSource[]> {
  const names = await readdir(parts).catch(() => []);
  const files = [list, ...names.map((name) => join(parts, name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const isDeb822 = file.endsWith('.sources');
    if (!isDeb822 && !file.endsWith('.list')) continue;
    // A file that this user may not read, or that is not there, offers nothing.
    const text = await readFile(file, 'utf8').catch(() => '');
    sources.push(...(isDeb822 ? parseDeb822Sources(text) : parseSourcesList(text)));
  }
  return sources;
}

function noSource(): GuestUnavailableError {
  const message = `apt on this machine has no Debian source for the default guest: ${bringYourOwn}`;
  return new GuestUnavailableError('no-source', message);
}

/** Creates apt's places in `directory` and returns the path of the configuration file. */
async function writeConfiguration(
  { directory, architecture }: AptOptions,
  transport: readonly string[],
): Promise<string> {
  const place = (name: string) => join(directory, name);
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'log', 'sources', 'empty']) {
    await mkdir(place(name), { recursive: true });
  }
  await writeFile(place('state/status'), '');
  const settings: Record<string, string> = {
    'Dir::State': place('state'),
    'Dir::State::status': place('state/status'),
    'Dir::Cache': place('cache'),
    'Dir::Log': place('log'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': place('sources'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': place('empty'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': place('empty'),
    'Dir::Etc::trusted': '/dev/null',
    'Dir::Etc::trustedparts': place('empty'),
    'APT::Architecture': architecture,
    'APT::Sandbox::User': userName(),
    'Debug::NoLocking': 'true',
    'Acquire::Languages': 'none',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${quote(value)};`);
  lines.push(`APT::Architectures { ${quote(architecture)}; };`, ...transport);
  const file = place('apt.conf');
  // A proxy setting can hold a password.
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

/**
 * apt run by root changes to another user for downloads, who could not write into our directory.
 */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'root'; // A user id without a name: apt does not change users then.
  }
}

function sourcesFile(directory: string): string {
  return join(directory, 'sources', 'debian.sources');
}

function sourceStanza({ suite, architecture }: AptOptions, mirror: string): string {
  return [
    'Types: deb',
    `URIs: ${mirror}`,
    `Suites: ${suite}`,
    'Components: main',
    `Architectures: ${architecture}`,
    `Signed-By: ${KEYRING}`,
    '',
  ].join('\n');
}

/** The configuration language has no escape in a string. */
function quote(value: string): string {
  if (/["\n]/.test(value)) {
    throw new GuestUnavailableError('cache', `apt cannot work with a path like ${value}`);
  }
  return `"${value}"`;
}

/** Runs a tool of Debian's; its absence is the sign that this is no Debian machine. */
async function runTool(
  command: string,
  args: readonly string[],
  options: Parameters<typeof run>[2],
): Promise<RunResult> {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const message = `the default guest is made of Debian packages, and this machine has no ${command}: ${bringYourOwn}`;
    throw new GuestUnavailableError('no-apt', message, { cause: error });
  }
}

/** Lines "dlstatus:COUNT:PERCENT:TEXT" of apt's status descriptor, as a part of 1. */
function fractions(onFraction: (fraction: number) => void): (line: string) => void {
  return (line) => {
    const percent = /^dlstatus:\d+:([\d.]+):/.exec(line)?.[1];
    if (percent !== undefined) onFraction(Math.min(Number(percent) / 100, 1));
  };
}

/**
 * The lines "Inst NAME (VERSION …)" of a simulated installation.
 */
export function resolvedPackages(stdout: string): Pick<AptPackage, 'name' | 'version'>[] {
  return [...stdout.matchAll(/^Inst (\S+) \((\S+)/gm)].map(([, name = '', version = '']) => ({
    name,
    version,
  }));
}

function packageOf(name: string, fields: ReadonlyMap<string, string>): AptPackage {
  const depends = `${fields.get('pre-depends') ?? ''},${fields.get('depends') ?? ''}`.split(',');
  return {
    name,
    version: fields.get('version') ?? '',
    size: Number(fields.get('size')),
    sha256: fields.get('sha256') ?? '',
    depends: depends.map((item) => item.trim().split(/[\s|(:]/)[0] ?? '').filter((item) => item),
  };
}

/**
 * Turns apt's words into one line of ours; `doing` says what it was asked for ("fetching busybox").
 */
export function explainFailure(
  { stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>,
  doing: string,
): GuestUnavailableError {
  const text = `${stderr}\n${stdout}`;
  const said = /^(?:E|dpkg-deb: error): ?(.*)$/m.exec(stderr)?.[1] ?? stderr.trim().split('\n')[0];
  if (/no space left|have enough free space/i.test(text)) {
    return new GuestUnavailableError('no-space', `no space left on the disk while ${doing}`);
  }
  const distrust = /NO_PUBKEY|not signed|GPG error|OpenPGP|BADSIG|Hash Sum mismatch|not valid yet/i;
  if (distrust.test(text)) {
    return new GuestUnavailableError('verification', `${doing}: not trusted by apt: ${said}`);
  }
  if (/resolv|connect|timed? ?out|unreachable|Failed to fetch/i.test(text)) {
    const message = `${doing} failed; is there a network? apt says: ${said}`;
    return new GuestUnavailableError('network', message);
  }
  return new GuestUnavailableError('package', `${doing} failed: ${said}`);
}
