// Where everything of a random program lies: in RAM, and in its three address spaces under Sv39.
//
// The code has four addresses: two for the supervisor, one for the user, and one in a large page that maps RAM to
// itself. Variants are pages of code of which each address space puts others at the same addresses. Data is there in
// pages of 4 KiB, and again in a region that is now one large page, now a table of small ones.
// Privileged ISA, section 12.4 (Sv39).

export const ramBase = 0x8000_0000;
export const ramBytes = 0x8_0000;

/** Offsets in RAM. */
export const handlerAt = 0x1000;
export const supervisorHandlerAt = 0x1800;
export const codeAt = 0x1_0000;
export const codePages = 8;
export const variantAt = 0x1_8000;
export const variants = 4;
/** Data: two pages to write, one to read only. */
export const dataRam = 0x1_c000;
export const dataPages = 3;
/** Routines that change a mapping. */
export const routinesAt = 0x1_f800;
/** What gp points to; see `cells`. */
export const cellsAt = 0x2_0000;
export const logAt = 0x2_1000;

/** Offsets from gp: address and value of a page-table entry to be repaired; the count of interrupts; values of satp. */
export const cells = { repairAddress: 0, repairValue: 8, interrupts: 24, satp: 32 } as const;

/** Virtual addresses. */
export const codeA = 0x40_0000;
export const codeB = 0x50_0000;
export const codeUser = 0x58_0000;
export const dataAt = 0x60_0000;
export const variantsAt = 0x80_0000;
/** A region of one large page or of small ones. */
export const mixedAt = 0xa0_0000;

export const spaces = 3;
/** Of an address space, while another is not using it; an ASID that they share. */
export const asidOf = (space: number): number => space + 1;
export const sharedAsid = 7;

/** Tables, as offsets in RAM. Those of a space lie at the same distance from its root. */
const root = (space: number): number => 0x2000 + 4096 * space;
const middle = (space: number): number => 0x5000 + 4096 * space;
const high = 0x8000;
const codeLeaf = 0x9000;
const dataLeaf = (space: number): number => 0xa000 + 4096 * space;
const variantLeaf = (space: number): number => 0xd000 + 4096 * space;

export const flags = { V: 1, R: 2, W: 4, X: 8, U: 16, G: 32, A: 64, D: 128 } as const;
const { V, R, W, X, U, G, A, D } = flags;

/** A page-table entry for an offset in RAM. */
export const entry = (offset: number, bits: number): number =>
  ((ramBase + offset) / 4096) * 1024 + bits;

/** A value of satp. */
export const satp = (space: number, asid: number): bigint =>
  (8n << 60n) | (BigInt(asid) << 44n) | BigInt((ramBase + root(space)) / 4096);

const small = (address: number): number => 8 * ((address >>> 12) & 511);
const large = (address: number): number => 8 * ((address >>> 21) & 511);

/** Offsets in RAM of page-table entries. */
export const codeEntry = (address: number): number => codeLeaf + small(address);
export const dataEntry = (space: number, page: number): number =>
  dataLeaf(space) + small(dataAt + 4096 * page);
export const variantEntry = (space: number, page: number): number =>
  variantLeaf(space) + small(variantsAt + 4096 * page);
export const mixedEntry = (space: number): number => middle(space) + large(mixedAt);
/** From the root of a space to its tables. */
export const fromRoot = (offset: number): number => offset - root(0);

/** What the region of both kinds may be in a space. */
export const mixed = (space: number, isLarge: boolean, user: number): number =>
  isLarge ? entry(0, V | R | W | user | A | D) : entry(dataLeaf(space), V);

/** What a page of data is, and what a page of code. */
export const dataBits = (page: number): number =>
  page === dataPages - 1 ? V | R | A | D : V | R | W | A | D;
export const codeBits = (address: number, global: number): number =>
  V | R | W | X | A | D | global | (address >= codeUser ? U : 0);

/** The tables at the start of a program, as offsets in RAM and values; `global`: bits of the code's entries. */
export function tables(global: number, choose: (count: number) => number): [number, number][] {
  const list: [number, number][] = [
    [high, entry(0, V | R | W | X | G | A | D)],
    ...[codeA, codeB, codeUser].flatMap((code) =>
      Array.from({ length: codePages }, (_, page): [number, number] => {
        const address = code + 4096 * page;
        return [codeEntry(address), entry(codeAt + 4096 * page, codeBits(address, global))];
      }),
    ),
  ];
  for (let space = 0; space < spaces; space++) {
    list.push(
      [root(space), entry(middle(space), V)],
      [root(space) + 16, entry(high, V)],
      [middle(space) + large(codeA), entry(codeLeaf, V)],
      [middle(space) + large(dataAt), entry(dataLeaf(space), V)],
      [middle(space) + large(variantsAt), entry(variantLeaf(space), V)],
      [mixedEntry(space), mixed(space, choose(2) === 0, U * choose(2))],
    );
    for (let page = 0; page < dataPages; page++) {
      const bits = dataBits(page) | (U * choose(2));
      list.push([dataEntry(space, page), entry(dataRam + 4096 * page, bits)]);
      // The same region of small pages has them in another order.
      const other = dataRam + 4096 * ((page + 1 + space) % dataPages);
      list.push([dataLeaf(space) + small(mixedAt + dataRam + 4096 * page), entry(other, bits)]);
    }
    for (let page = 0; page < variants; page++) {
      const bits = V | R | W | X | A | D | (choose(3) === 0 ? U : 0);
      const variant = (page * (space + 1) + space) % variants;
      list.push([variantEntry(space, page), entry(variantAt + 4096 * variant, bits)]);
    }
  }
  return list;
}
