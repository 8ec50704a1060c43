// House rules that no other tool checks, over every TypeScript file of the project:
// the layer table, platform calls outside their folders, a purpose comment at the top of each source file, function and
// line length, banned words. `node tools/tidy.ts` prints what is wrong and fails if anything is.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { layers, platform, sharedIsa } from './layers.ts';

const root = resolve(import.meta.dirname, '..');

/** A broken rule. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

interface Source {
  /** Path from the root, with slashes. */
  readonly file: string;
  readonly text: string;
}

const platformCalls =
  /\b(Date\.now|Math\.random|setTimeout|setInterval|setImmediate|performance\.now|process\.|new Date\(\))/;
const bannedWords = /\b(TODO|FIXME|XXX|HACK)\b/;
const guestNames = /riscv|arm64|aarch64|x86/i;

const isTest = (file: string): boolean => file.endsWith('.test.ts') || !file.startsWith('src/');

/** Everything wrong with one file. */
export function tidy({ file, text }: Source): Finding[] {
  const findings: Finding[] = [];
  const report = (line: number, message: string): void => {
    findings.push({ file, line, message });
  };
  const lines = text.split('\n');
  if (!isTest(file) && !/^(#!.*\n)?(\/\/|\/\*)/.test(text)) {
    report(1, 'begin with a comment that says what the file is for');
  }
  for (const [i, line] of lines.entries()) {
    if (line.length > 120) report(i + 1, `${line.length} characters; at most 120`);
    if (bannedWords.test(line) && !file.startsWith('tools/tidy')) {
      report(i + 1, 'finish it or leave it out');
    }
    checkImport(file, line, (message) => report(i + 1, message));
    checkPlatform(file, line, (message) => report(i + 1, message));
  }
  if (!isTest(file)) checkFunctions(lines, report);
  return findings;
}

function checkImport(file: string, line: string, report: (message: string) => void): void {
  const specifier = /^(?:import|export) .*from '(.*)';|^\} from '(.*)';/.exec(line);
  const path = specifier?.[1] ?? specifier?.[2];
  const [top, from] = file.split('/');
  if (path === undefined || top !== 'src' || from === undefined || isTest(file)) return;
  if (!path.startsWith('.')) {
    if (!platform.includes(from)) report(`${from} must not import '${path}': only host may`);
    return;
  }
  const target = normalize(join(dirname(file), path))
    .split('/')
    .slice(1);
  const problem = importProblem(file.split('/').slice(1), target);
  if (problem !== undefined) report(problem);
}

/** Why a file of src/ (path in parts) must not import another, if so. */
function importProblem(from: readonly string[], to: readonly string[]): string | undefined {
  const [layer, guest] = from as [string, string];
  const [target, part] = to as [string, string];
  if (layers[layer] === undefined) return `src/${layer} is not in the layer table`;
  if (layer === 'isa' && target === 'isa') {
    const fine = part === guest || part === sharedIsa;
    return fine ? undefined : `a guest must not import another guest's '${part}'`;
  }
  if (layer === target) return undefined;
  const allowed = layers[layer].includes(target) || layers[layer].includes(`${target}/${part}`);
  return allowed ? undefined : `${layer} must not import from ${target}`;
}

function checkPlatform(file: string, line: string, report: (message: string) => void): void {
  const [top, layer] = file.split('/');
  if (top !== 'src' || isTest(file) || platform.includes(layer!)) return;
  const code = line.replace(/\/\/.*|^\s*\*.*|^\s*\/\*.*/, '');
  if (platformCalls.test(code)) report('only host and cli may touch the platform');
  if (layer === 'engine' && guestNames.test(code)) report('the engine names no guest');
}

/** A line that opens a function, a method or an arrow function with a block. */
const opensFunction = new RegExp(
  '^( *)(?:export )?(?:async )?' +
    '(?:function\\*? |(?:const|let) \\w+ = .*=> \\{$|(?:#|static |async |get |set )*\\w+\\(.*\\{$)',
);

/** Functions longer than 70 lines, found by indentation: the formatter guarantees it. */
function checkFunctions(lines: readonly string[], report: (line: number, m: string) => void): void {
  for (const [i, line] of lines.entries()) {
    const start = opensFunction.exec(line);
    if (start === null || /^ *(?:if|for|while|switch|return)\b/.test(line)) continue;
    const closing = `${start[1]}}`;
    const length = lines.slice(i).findIndex((l) => l.startsWith(closing));
    if (length > 70) report(i + 1, `a function of ${length} lines; at most 70`);
  }
}

/** The TypeScript sources of the project. */
export function sources(): Source[] {
  const files = globSync(['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'tools/**/*.ts'], {
    cwd: root,
  });
  return files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

if (import.meta.main) {
  const findings = sources().flatMap(tidy);
  for (const { file, line, message } of findings) {
    console.error(`${relative('.', join(root, file))}:${line}: ${message}`);
  }
  process.exitCode = findings.length > 0 ? 1 : 0;
}
