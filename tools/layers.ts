// The layer table: who may import whom. A folder may always import from itself.
// Changing the architecture means changing this table, deliberately.

/** Folders of src/ and the folders that each may import from. */
// oxfmt-ignore
export const layers: Readonly<Record<string, readonly string[]>> = {
  std:     [],
  ir:      ['std'],
  wasm:    ['std'],
  memory:  ['std'],
  isa:     ['std', 'ir'],
  engine:  ['std', 'ir', 'wasm', 'memory', 'isa/shared'],
  device:  ['std', 'memory'],
  boot:    ['std', 'memory', 'device'],
  machine: ['std', 'memory', 'isa', 'device', 'boot'],
  vm:      ['std', 'memory', 'isa/shared', 'engine', 'device', 'boot', 'machine'],
  host:    ['std', 'memory', 'device', 'boot', 'machine', 'vm'],
  cli:     ['std', 'memory', 'device', 'boot', 'machine', 'vm', 'host'],
};

/** Folders whose code may touch the platform (Node, timers, clocks, randomness). */
export const platform: readonly string[] = ['host', 'cli'];

/** Guests never import each other: folders of src/isa/ other than `shared` import only themselves and `shared`. */
export const sharedIsa = 'shared';
