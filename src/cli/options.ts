// The options of `isola run` and how their values are read. A value that makes no sense is wrong usage.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type {
  Architecture,
  DiskOptions,
  EngineName,
  MachineName,
  TraceKind,
} from '../host/node/index.ts';
import { escapeHelp } from '../host/node/escapes.ts';
import { parseMemorySize } from '../host/node/memory-size.ts';
import { traceKinds } from '../vm/trace.ts';
import { architectures, defaultArchitecture, machineNames, machines } from '../vm/machines.ts';
import { defaultEngine, engineNames } from '../vm/vm.ts';

export interface RunFlags {
  readonly arch: Architecture;
  readonly machine: MachineName;
  readonly memory: number;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly append?: string;
  readonly disk?: readonly DiskOptions[];
  readonly engine: EngineName;
  readonly codeCache?: number;
  readonly trace?: ReadonlySet<TraceKind>;
  /** Seconds. */
  readonly timeout?: number;
  readonly reboot: boolean;
  readonly json?: boolean;
  readonly stats?: boolean;
}

/** Adds the options to a command, whose action then gets RunFlags. */
export function addRunOptions(command: Command): Command {
  const kinds = Object.keys(traceKinds);
  return command
    .addOption(
      new Option('--arch <name>', 'architecture')
        .choices(architectures)
        .default(defaultArchitecture),
    )
    .addOption(new Option('--machine <name>', 'board').choices(machineNames).default('virt'))
    .addOption(
      new Option('--memory <size>', 'memory, as 512M or 2G; a plain number is MiB')
        .argParser(memorySize)
        .default(512 * 1024 * 1024, '512M'),
    )
    .option('--kernel <file>', 'Linux kernel; without one, the default guest, fetched on first use')
    .option('--initrd <file>', 'initial RAM file system')
    .option('--append <text>', 'add to the kernel command line, after console=ttyS0 quiet')
    .option('--disk <image>', 'raw disk image, with options; see below', disk)
    .addOption(
      new Option('--engine <name>', 'executor').choices(engineNames).default(defaultEngine),
    )
    .addOption(
      new Option(
        '--code-cache <size>',
        'memory for decoded and translated code; 128M if absent',
      ).argParser(memorySize),
    )
    .option('--trace <kinds>', `tell on standard error: ${kinds.join(',')}`, trace)
    .option('--timeout <seconds>', 'stop after this time, with exit code 124', seconds)
    .option('--no-reboot', 'end when the guest reboots')
    .option('--json', 'print how it ended as one line of JSON on standard output')
    .option('--stats', 'count, and print the counters on standard error at the end')
    .addHelpText('after', helpText());
}

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');

const machineList = (): string =>
  Object.values(machines)
    .flatMap((boards) => Object.entries(boards))
    .map(([name, { summary }]) => `${name}  ${summary}`)
    .join('\n');

const helpText = (): string => `
Machines:
${indent(machineList())}

Disks: --disk FILE[,OPTION], several times; they appear as /dev/vda, /dev/vdb, …
  FILE,readonly      the guest cannot write to it
  FILE,snapshot      the image stays as it is; changes are kept in memory and lost at the end
  FILE,overlay=FILE  the image stays as it is; changes are kept in the second file

Traces:
${indent(
  Object.entries(traceKinds)
    .map(([name, text]) => `${name.padEnd(9)} ${text}`)
    .join('\n'),
)}

Keys in a terminal:
${indent(escapeHelp)}

Exit codes:
  0  the guest powered off, or you quit    124  out of time
  1  failed                                130  interrupted
  2  wrong usage                           141  nobody reads the output

JSON:
  {"reason": "poweroff" | "reboot" | "stopped" | "failed" | "timeout" | "interrupted",
   "code": what the guest gave, 0 for success, "instructions": …, "seconds": …,
   "error": what failed, if anything did, "stats": all counters, with --stats}`;

function memorySize(text: string): number {
  try {
    return parseMemorySize(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 2_000_000) return value;
  throw new InvalidArgumentError('give a number of seconds above 0');
}

function trace(text: string): Set<TraceKind> {
  const known = (kind: string): kind is TraceKind => Object.hasOwn(traceKinds, kind);
  const kinds = text.split(',');
  const wrong = kinds.find((kind) => !known(kind));
  if (wrong === undefined) return new Set(kinds.filter(known));
  throw new InvalidArgumentError(`there is no trace '${wrong}'`);
}

/** A file name may contain commas: only what is a known option after the last commas counts as one. */
function disk(text: string, earlier: readonly DiskOptions[] = []): readonly DiskOptions[] {
  const match = /^(.+?)((?:,(?:readonly|snapshot|overlay=[^,]+))*)$/s.exec(text);
  const path = match?.[1];
  if (path === undefined) throw new InvalidArgumentError('give a file');
  const flags = (match?.[2] ?? '').split(',').filter((flag) => flag !== '');
  const readOnly = flags.includes('readonly');
  const changes = flags.filter((flag) => flag !== 'readonly');
  if (changes.length > 1 || (readOnly && changes.length > 0)) {
    throw new InvalidArgumentError('give one of readonly, snapshot and overlay');
  }
  if (/,(readonly|snapshot|overlay)\b[^,]*$/.test(path)) {
    throw new InvalidArgumentError(`'${path.slice(path.lastIndexOf(',') + 1)}' is not understood`);
  }
  const [change] = changes;
  if (change === undefined) return [...earlier, { path, readOnly }];
  const overlay = change === 'snapshot' ? 'memory' : { path: change.slice('overlay='.length) };
  return [...earlier, { path, overlay }];
}
