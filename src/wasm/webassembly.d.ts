/**
 * The types of the platform's WebAssembly object: the part of the WebAssembly JavaScript
 * Interface that this project uses. TypeScript ships them only together with all types of a
 * browser page, which must stay invisible outside the hosts.
 */

declare namespace WebAssembly {
  type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'externref' | 'anyfunc';
  type ExportValue = Memory | Table | Global | ((...values: never[]) => unknown);
  type ImportValue = ExportValue | number | bigint;
  type Imports = Record<string, Record<string, ImportValue>>;
  type Exports = Record<string, ExportValue>;

  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module';
  }
  const Module: {
    /** Throws {@link CompileError} if the bytes are not a valid module. */
    new (bytes: BufferSource): Module;
    customSections(module: Module, name: string): ArrayBuffer[];
    exports(module: Module): { name: string; kind: string }[];
    imports(module: Module): { module: string; name: string; kind: string }[];
  };

  interface Instance {
    readonly exports: Exports;
  }
  const Instance: new (module: Module, imports?: Imports) => Instance;

  interface Memory {
    /** A SharedArrayBuffer if the memory was made shared. */
    readonly buffer: ArrayBuffer | SharedArrayBuffer;
    grow(pages: number): number;
  }
  const Memory: new (type: { initial: number; maximum?: number; shared?: boolean }) => Memory;

  interface Table {
    readonly length: number;
    get(index: number): unknown;
    set(index: number, value?: unknown): void;
    grow(elements: number, value?: unknown): number;
  }
  const Table: new (type: { element: 'anyfunc'; initial: number; maximum?: number }) => Table;

  interface Global {
    value: unknown;
    valueOf(): unknown;
  }
  const Global: new (type: { value: ValueType; mutable?: boolean }, value?: unknown) => Global;

  interface CompileError extends Error {}
  const CompileError: new (message?: string) => CompileError;
  interface LinkError extends Error {}
  const LinkError: new (message?: string) => LinkError;
  interface RuntimeError extends Error {}
  const RuntimeError: new (message?: string) => RuntimeError;

  type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

  function validate(bytes: BufferSource): boolean;
  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
}
