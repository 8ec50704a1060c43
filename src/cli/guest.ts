// `isola guest`: the default guests in the user's cache.

import { dirname } from 'node:path';
import { Command } from 'commander';
import { fetchGuest, findGuest, GuestUnavailableError } from '../host/node/index.ts';
import { guestArchitectures } from '../host/node/guest/architectures.ts';
import { cacheDirectory } from '../host/node/guest/cache.ts';
import { interruption, say } from './errors.ts';
import { progressLine } from './progress.ts';

const architectures = Object.keys(guestArchitectures);

export function guestCommand(): Command {
  return new Command('guest')
    .description('manage the default guests')
    .addCommand(
      new Command('fetch')
        .description('fetch a guest made of Debian packages, or bring it up to date')
        .argument('<arch>', `architecture: ${architectures.join(', ')}`)
        .action(fetch),
    )
    .addCommand(
      new Command('list')
        .description('list the guests in the cache')
        .option('--json', 'print them as a JSON array')
        .action(list),
    )
    .addCommand(
      new Command('path')
        .description('print the directory of a guest, or of the cache')
        .argument('[arch]', 'architecture')
        .action(path),
    );
}

async function fetch(arch: string): Promise<void> {
  const progress = progressLine();
  const { signal, dispose } = interruption();
  try {
    const guest = await fetchGuest({ arch, signal, onProgress: progress.show });
    progress.clear();
    process.stdout.write(`${guest.arch} Linux ${guest.release}\n`);
  } finally {
    progress.clear();
    dispose();
  }
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const found = await Promise.all(architectures.map((arch) => findGuest({ arch })));
  const guests = found.filter((guest) => guest !== undefined);
  if (json === true) {
    const rows = guests.map(({ arch, release, kernel, initrd, manifest }) => {
      return { arch, release, kernel, initrd, packages: manifest.packages };
    });
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  for (const { arch, release, kernel } of guests) {
    process.stdout.write(`${arch.padEnd(8)} Linux ${release}  ${dirname(kernel)}\n`);
  }
  if (guests.length === 0) say('no guest has been fetched; isola guest fetch riscv64 gets one');
}

async function path(arch?: string): Promise<void> {
  if (arch === undefined) {
    process.stdout.write(`${cacheDirectory()}\n`);
    return;
  }
  const guest = await findGuest({ arch });
  if (guest === undefined) {
    const message = `the guest ${arch} has not been fetched; isola guest fetch ${arch} gets it`;
    throw new GuestUnavailableError('cache', message);
  }
  process.stdout.write(`${dirname(guest.kernel)}\n`);
}
