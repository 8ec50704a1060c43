// The memory map of a board as a page of documentation: a Markdown table derived from the board
// itself.

import { formatRange } from '../std/range.ts';
import type { Board } from './machine.ts';

/** One row per range of guest physical addresses, RAM included, in the order of addresses. */
export function memoryMap(board: Board): string {
  const rows = [
    { ...board.ram, name: 'ram', kind: 'RAM', irq: undefined },
    {
      ...board.controller,
      name: board.controller.label,
      kind: board.controller.device.kind,
      irq: undefined,
    },
    ...board.places.map((place) => ({ ...place, name: place.label, kind: place.device.kind })),
  ].toSorted((a, b) => a.address - b.address);
  const lines = rows.map(
    (row) => `| ${formatRange(row)} | ${row.name} | ${row.kind} | ${row.irq ?? ''} |`,
  );
  return ['| addresses | name | what | interrupt |', '|---|---|---|---|', ...lines, ''].join('\n');
}
