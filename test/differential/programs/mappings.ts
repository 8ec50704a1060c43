// Parts of random programs that change mappings: of data, of variants, of the code's own pages; by large pages, too.
//
// An entry is either changed for good, or left for the handler to repair: such a page faults where it is next used.
// Every change is made by a routine that fences, from a page whose mapping never changes.

import type { Random } from '../../../src/std/random.ts';
import { routineBytes } from './handlers.ts';
import { farAccess, loadNumber, type Source } from './items.ts';
import {
  asidOf,
  cells,
  cellsAt,
  codeA,
  codeAt,
  codeB,
  codeBits,
  codeEntry,
  codePages,
  codeUser,
  dataAt,
  dataBits,
  dataEntry,
  dataPages,
  dataRam,
  entry,
  flags,
  fromRoot,
  mixed,
  mixedAt,
  mixedEntry,
  routinesAt,
  spaces,
  variantAt,
  variantEntry,
  variants,
  variantsAt,
} from './layout.ts';

const { V, R, W, X, U, G, A, D } = flags;

interface Change {
  /** Of the entry, as an offset in RAM. */
  readonly at: number;
  /** What it is to be, and something good for it to be. */
  readonly value: number;
  readonly good: number;
  /** A virtual address it is for. */
  readonly address: number;
  /** The space whose own it is. */
  readonly space?: number;
  /** Routines that fence enough. */
  readonly fences: readonly number[];
}

/** Fences for leaf entries of one space, for those of all, for tables. */
const own = [0, 1, 2, 3, 4];
const global = [0, 1, 4];
const table = [0, 2];
const byAddress = [1, 3, 4];

/** Changes one page-table entry. */
export function mappingChange(source: Source): string[] {
  const { random } = source;
  const space = random.below(spaces);
  switch (random.below(7)) {
    case 0:
    case 1:
      return put(source, dataChange(random, space));
    case 2:
    case 3:
    case 4:
      return put(source, variantChange(random, space));
    case 5:
      return put(source, codeChange(random));
    default:
      return random.below(3) === 0 ? changeLarge(source) : put(source, mixedChange(random, space));
  }
}

/** Takes something away from an entry that is good. */
function spoilt(random: Random, good: number): number {
  return random.pick([good, good, 0, good & ~V, good & ~W, good & ~R & ~W, good & ~X, good ^ U]);
}

function dataChange(random: Random, space: number): Change {
  const page = random.below(dataPages);
  const physical = dataRam + 4096 * (random.below(3) === 0 ? random.below(dataPages) : page);
  const dirt = random.below(4) === 0 ? random.pick([A, D, A | D]) : 0;
  const good = entry(physical, (dataBits(page) & ~dirt) | (U * random.below(2)));
  const address = dataAt + 4096 * page;
  const at = dataEntry(space, page);
  return { at, value: spoilt(random, good), good, address, space, fences: own };
}

function variantChange(random: Random, space: number): Change {
  const page = random.below(variants);
  const dirt = random.below(4) === 0 ? random.pick([A, D, A | D]) : 0;
  const bits = V | R | W | X | ((A | D) & ~dirt) | (random.below(3) === 0 ? U : 0);
  const good = entry(variantAt + 4096 * random.below(variants), bits);
  const address = variantsAt + 4096 * page;
  const at = variantEntry(space, page);
  return { at, value: spoilt(random, good), good, address, space, fences: own };
}

/** A page of the code goes and is repaired when it is needed. */
function codeChange(random: Random): Change {
  const page = 4096 * random.below(codePages / 2);
  const address = random.pick([codeA, codeB, codeUser]) + page;
  const good = entry(codeAt + page, codeBits(address, 0));
  const at = codeEntry(address);
  const value = random.pick([0, good & ~V, good & ~X, good & ~A, good | G, good]);
  return { at, value, good, address, fences: global };
}

/** The region becomes one large page, or a table of small ones. */
function mixedChange(random: Random, space: number): Change {
  const value = mixed(space, random.below(2) === 0, U * random.below(2));
  return { at: mixedEntry(space), value, good: value, address: mixedAt, space, fences: table };
}

/** A large page is made in all spaces, used, and then changed with a fence of one address in it. */
function changeLarge(source: Source): string[] {
  const { random } = source;
  const address = mixedAt + dataRam + 4096 * random.below(dataPages);
  const user = U * random.below(2);
  const spaceNumbers = Array.from({ length: spaces }, (_, space) => space);
  const changes = (value: number, fences: readonly number[]): string[] =>
    spaceNumbers.flatMap((space) =>
      put(source, { at: mixedEntry(space), value, good: value, address, space, fences }),
    );
  const large = entry(0, V | R | W | A | D | user);
  return [
    ...changes(large, table),
    ...farAccess(random),
    ...changes(random.pick([large ^ U, large & ~W]), byAddress),
    ...farAccess(random),
  ];
}

/** The change is made at once; if it spoils, the entry's repair is set down first, unless another one is waiting. */
function put({ random, label }: Source, change: Change): string[] {
  const { at, value, good, address, space } = change;
  const isSpoilt = value !== good;
  // An entry of the space in use, whichever it is: its ASID is not known.
  const isCurrent = space !== undefined && random.below(2) === 0;
  const safe = isCurrent ? change.fences.filter((fence) => global.includes(fence)) : change.fences;
  const fence = change.fences === table && isCurrent ? 0 : random.pick(safe);
  const inRam = isCurrent
    ? [
        '  csrrs s4, satp, zero',
        '  slli s4, s4, 20',
        '  srli s4, s4, 8',
        ...loadNumber('s3', fromRoot(at - 4096 * space)),
        '  add s4, s4, s3',
      ]
    : [...loadNumber('s4', at - cellsAt), '  add s4, s4, gp'];
  const end = label();
  const repair = [
    `  ld s3, ${cells.repairAddress}(gp)`,
    `  bne s3, zero, ${end}`,
    ...loadNumber('s3', good),
    `  sd s3, ${cells.repairValue}(gp)`,
    `  sd s4, ${cells.repairAddress}(gp)`,
  ];
  return [
    ...inRam,
    ...(isSpoilt ? repair : []),
    ...loadNumber('s3', value),
    ...loadNumber('s2', address),
    `  addi a7, zero, ${asidOf(space ?? 0)}`,
    `  jalr s5, ${routinesAt + routineBytes * fence - cellsAt}(gp)`,
    `${end}:`,
  ];
}
