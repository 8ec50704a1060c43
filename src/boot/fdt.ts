// The flattened device tree: the binary form in which a board hands its description to a kernel.
// Devicetree Specification v0.4, chapter 5 (the format) and 2.2 (names).
//
// A tree is plain data (`DeviceTreeNode`). A node that others point at carries a label; `{ ref }`
// cells are replaced by the label's phandle, and only labels that something points at get one.
// Invariants: the blob is a multiple of 8 bytes, has version 17, and its blocks lie in the order
// header, memory reservations, structure, strings. Reading checks every offset and never trusts a
// length.

import { cells64 } from '../device/device-tree-node.ts';
import type { DeviceTreeNode, DeviceTreeValue } from '../device/device-tree-node.ts';

/** A tree that cannot be written, or a blob that cannot be read. */
export class DeviceTreeError extends Error {
  override readonly name = 'DeviceTreeError';
}

/** Memory the kernel must leave alone, in guest physical addresses and bytes. */
interface MemoryReservation {
  readonly address: number;
  readonly size: number;
}

export interface DeviceTreeOptions {
  /** Id of the hart or core that boots (`boot_cpuid_phys`); 0 unless told. */
  readonly bootCpu?: number;
  readonly reservations?: readonly MemoryReservation[];
}

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const LAST_COMPATIBLE_VERSION = 16;
const HEADER_BYTES = 40;
const RESERVATION_BYTES = 16;

const BEGIN_NODE = 1;
const END_NODE = 2;
const PROP = 3;
const NOP = 4;
const END = 9;

const DEPTH_MAX = 64;

/** Writes the tree under `root`, whose name is empty. Throws `DeviceTreeError`. */
export function writeDeviceTree(root: DeviceTreeNode, options: DeviceTreeOptions = {}): Uint8Array {
  if (root.name !== '') throw new DeviceTreeError(`the root node is named '${root.name}', not ''`);
  const phandles = allotPhandles(root);
  const structure = new ByteWriter();
  const strings = new StringBlock();
  writeNode(root, '', phandles, structure, strings);
  structure.u32(END);

  const reservations = options.reservations ?? [];
  const structureAt = HEADER_BYTES + (reservations.length + 1) * RESERVATION_BYTES;
  const stringsAt = structureAt + structure.length;
  const totalSize = Math.ceil((stringsAt + strings.bytes.length) / 8) * 8;

  const blob = new ByteWriter();
  blob.u32(MAGIC);
  blob.u32(totalSize);
  blob.u32(structureAt);
  blob.u32(stringsAt);
  blob.u32(HEADER_BYTES); // the reservations follow the header
  blob.u32(VERSION);
  blob.u32(LAST_COMPATIBLE_VERSION);
  blob.u32(options.bootCpu ?? 0);
  blob.u32(strings.bytes.length);
  blob.u32(structure.length);
  for (const { address, size } of reservations) {
    for (const cell of [...cells64(address), ...cells64(size)]) blob.u32(cell);
  }
  for (let cell = 0; cell < RESERVATION_BYTES / 4; cell++) blob.u32(0); // the terminating entry
  blob.append(structure.finish());
  blob.append(strings.bytes.finish());
  blob.align(8);
  return blob.finish();
}

/**
 * Reads a blob back into a tree; every value comes back as bytes, labels do not exist in a blob.
 * Throws `DeviceTreeError` when the blob is truncated or malformed.
 */
export function readDeviceTree(blob: Uint8Array): DeviceTreeNode {
  const reader = new BlobReader(blob);
  if (reader.u32(0) !== MAGIC) throw new DeviceTreeError('not a flattened device tree: bad magic');
  const totalSize = reader.u32(4);
  if (totalSize > blob.length) {
    throw new DeviceTreeError(`truncated: ${blob.length} of ${totalSize} bytes are there`);
  }
  if (reader.u32(24) > VERSION) {
    throw new DeviceTreeError(
      `needs a reader of version ${reader.u32(24)}, this one reads ${VERSION}`,
    );
  }
  const cursor = { at: reader.u32(8), stringsAt: reader.u32(12) };
  if (nextToken(reader, cursor) !== BEGIN_NODE) throw new DeviceTreeError('there is no root node');
  const root = readNode(reader, cursor, 0);
  if (nextToken(reader, cursor) !== END) throw new DeviceTreeError('the tree does not end');
  return root;
}

interface LabelUse {
  readonly labels: Map<string, DeviceTreeNode>;
  readonly referenced: Set<string>;
  readonly taken: Set<number>;
}

/** Phandle by label, for the labels that are pointed at, in tree order from 1. */
function allotPhandles(root: DeviceTreeNode): ReadonlyMap<string, number> {
  const use: LabelUse = { labels: new Map(), referenced: new Set(), taken: new Set() };
  collectLabels(root, use);
  for (const label of use.referenced) {
    if (!use.labels.has(label)) throw new DeviceTreeError(`no node carries the label '${label}'`);
  }
  const phandles = new Map<string, number>();
  let next = 1;
  for (const [label, node] of use.labels) {
    if (!use.referenced.has(label)) continue;
    const given = explicitPhandle(node);
    if (given === undefined) while (use.taken.has(next)) next++;
    phandles.set(label, given ?? next++);
  }
  return phandles;
}

function collectLabels(node: DeviceTreeNode, use: LabelUse): void {
  if (node.label !== undefined) {
    if (use.labels.has(node.label)) {
      throw new DeviceTreeError(`two nodes carry the label '${node.label}'`);
    }
    use.labels.set(node.label, node);
  }
  const given = explicitPhandle(node);
  if (given !== undefined) use.taken.add(given);
  for (const value of Object.values(node.properties)) {
    if (!Array.isArray(value)) continue;
    for (const cell of value) if (typeof cell === 'object') use.referenced.add(cell.ref);
  }
  for (const child of node.children ?? []) collectLabels(child, use);
}

function explicitPhandle(node: DeviceTreeNode): number | undefined {
  const value = node.properties['phandle'];
  const cell: unknown = Array.isArray(value) ? value[0] : undefined;
  return typeof cell === 'number' ? cell : undefined;
}

const NODE_NAME = /^[0-9a-zA-Z,._+-]{1,31}(@[0-9a-zA-Z,._+-]+)?$/;
const PROPERTY_NAME = /^[0-9a-zA-Z,._+?#-]{1,31}$/;

function writeNode(
  node: DeviceTreeNode,
  path: string,
  phandles: ReadonlyMap<string, number>,
  out: ByteWriter,
  strings: StringBlock,
): void {
  out.u32(BEGIN_NODE);
  out.text(node.name);
  out.align(4);
  const write = (name: string, value: DeviceTreeValue): void => {
    if (!PROPERTY_NAME.test(name)) {
      throw new DeviceTreeError(`'${name}' in ${path || '/'} is no property name`);
    }
    const bytes = encodeValue(value, phandles, `${path}/${name}`);
    out.u32(PROP);
    out.u32(bytes.length);
    out.u32(strings.offset(name));
    out.append(bytes);
    out.align(4);
  };
  for (const [name, value] of Object.entries(node.properties)) write(name, value);
  const phandle = node.label === undefined ? undefined : phandles.get(node.label);
  if (phandle !== undefined && !('phandle' in node.properties)) write('phandle', [phandle]);

  const names = new Set<string>();
  for (const child of node.children ?? []) {
    if (!NODE_NAME.test(child.name)) {
      throw new DeviceTreeError(`'${child.name}' under ${path || '/'} is no node name`);
    }
    if (names.has(child.name)) {
      throw new DeviceTreeError(`two nodes are named ${path}/${child.name}`);
    }
    names.add(child.name);
    writeNode(child, `${path}/${child.name}`, phandles, out, strings);
  }
  out.u32(END_NODE);
}

function encodeValue(
  value: DeviceTreeValue,
  phandles: ReadonlyMap<string, number>,
  path: string,
): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const out = new ByteWriter();
  if (value === true) return out.finish();
  if (typeof value === 'string') {
    out.text(checkText(value, path));
    return out.finish();
  }
  for (const item of value) {
    if (typeof item === 'string') {
      out.text(checkText(item, path));
      continue;
    }
    const cell = typeof item === 'number' ? item : (phandles.get(item.ref) ?? 0);
    if (!Number.isInteger(cell) || cell < 0 || cell >= 2 ** 32) {
      throw new DeviceTreeError(`${cell} in ${path} is not an unsigned 32-bit cell`);
    }
    out.u32(cell);
  }
  return out.finish();
}

function checkText(text: string, path: string): string {
  if (text.includes('\0'))
    throw new DeviceTreeError(`the text of ${path} contains a NUL character`);
  return text;
}

interface Cursor {
  at: number;
  readonly stringsAt: number;
}

function nextToken(reader: BlobReader, cursor: Cursor): number {
  for (;;) {
    const token = reader.u32(cursor.at);
    cursor.at += 4;
    if (token !== NOP) return token;
  }
}

function readNode(reader: BlobReader, cursor: Cursor, depth: number): DeviceTreeNode {
  if (depth > DEPTH_MAX) throw new DeviceTreeError(`nodes are nested deeper than ${DEPTH_MAX}`);
  const name = reader.text(cursor.at);
  cursor.at = align4(cursor.at + name.length + 1);
  const properties: [string, DeviceTreeValue][] = [];
  const children: DeviceTreeNode[] = [];
  for (;;) {
    const token = nextToken(reader, cursor);
    if (token === END_NODE) {
      return { name, properties: Object.fromEntries(properties), children };
    }
    if (token === BEGIN_NODE) {
      children.push(readNode(reader, cursor, depth + 1));
    } else if (token === PROP) {
      const length = reader.u32(cursor.at);
      const property = reader.text(cursor.stringsAt + reader.u32(cursor.at + 4));
      properties.push([property, reader.bytes(cursor.at + 8, length)]);
      cursor.at = align4(cursor.at + 8 + length);
    } else {
      throw new DeviceTreeError(`unknown token ${token} at offset ${cursor.at - 4}`);
    }
  }
}

function align4(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

/** Property names, each stored once. */
class StringBlock {
  readonly bytes = new ByteWriter();
  readonly #offsets = new Map<string, number>();

  offset(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.bytes.length;
    this.#offsets.set(name, offset);
    this.bytes.text(name);
    return offset;
  }
}

/** A growing big-endian byte string. */
class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u32(value: number): void {
    this.append(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }

  /** UTF-8, NUL-terminated. */
  text(text: string): void {
    this.append(new TextEncoder().encode(`${text}\0`));
  }

  align(bytes: number): void {
    const padding = Math.ceil(this.#length / bytes) * bytes - this.#length;
    this.append(new Uint8Array(padding));
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (this.#length + bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Checked big-endian reads. */
class BlobReader {
  readonly #blob: Uint8Array;
  readonly #view: DataView;

  constructor(blob: Uint8Array) {
    this.#blob = blob;
    this.#view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  }

  u32(offset: number): number {
    if (offset + 4 > this.#blob.length) throw new DeviceTreeError(`truncated at offset ${offset}`);
    return this.#view.getUint32(offset);
  }

  bytes(offset: number, length: number): Uint8Array {
    if (offset + length > this.#blob.length) {
      throw new DeviceTreeError(`truncated: ${length} bytes at offset ${offset} are not there`);
    }
    return this.#blob.slice(offset, offset + length);
  }

  /** The NUL-terminated text at `offset`, one character per byte (names are ASCII). */
  text(offset: number): string {
    const end = this.#blob.indexOf(0, offset);
    if (end < 0 || offset > this.#blob.length) {
      throw new DeviceTreeError(`a name at offset ${offset} does not end`);
    }
    return String.fromCharCode(...this.#blob.subarray(offset, end));
  }
}
