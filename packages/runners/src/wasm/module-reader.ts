/**
 * Counts what a module has before the engine sees it, and bounds its memory. It decides what Plinth takes; whether the module is
 * WebAssembly at all is the engine's to say.
 */
import { limit } from "@plinth/core/limits.ts";
import { ByteReader, ModuleError, u32Bytes } from "./byte-reader.ts";
import { readTypes, readValueType, type Signatures } from "./module-types.ts";
import { WASI_MODULE, wasiSignature } from "./wasi-functions.ts";

export const PAGE_BYTES = 64 * 1024;

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x01, 0x00, 0x00, 0x00];
const NAMES_SHOWN_MAX = 20;
const NAME_CHARS_MAX = 200;

const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
  tag: 13,
} as const;

const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

interface MemoryLimits {
  readonly pagesMin: number;
  readonly pagesMax: number | undefined;
}

interface Found {
  signatures: Signatures;
  /** Index of the type of each function, imported ones first. */
  readonly functionTypes: number[];
  readonly missing: string[];
  memory: (MemoryLimits & { readonly from: number; readonly to: number }) | undefined;
  start: number | undefined;
  exportsMemory: boolean;
}

/** The module with its memory bounded. Throws a ModuleError when it is none that Plinth runs. */
export function checkModule(bytes: Uint8Array, pagesMax: number): Uint8Array {
  if (bytes.length > limit("wasmModuleBytesMax"))
    throw new ModuleError(`it has ${bytes.length} bytes and may have ${limit("wasmModuleBytesMax")}`);
  checkHeader(bytes);
  const found: Found = {
    signatures: [],
    functionTypes: [],
    missing: [],
    memory: undefined,
    start: undefined,
    exportsMemory: false,
  };
  const reader = new ByteReader(bytes, MAGIC.length + VERSION.length);
  const seen = new Set<number>();
  while (!reader.isAtEnd) {
    const from = reader.at;
    const id = reader.byte();
    const section = reader.part(reader.u32());
    if (id === SECTION.custom) continue;
    if (seen.has(id)) throw new ModuleError(`it has section ${id} twice`);
    seen.add(id);
    readSection(id, section, found, { from, to: reader.at });
  }
  return boundMemory(bytes, checkFound(found), pagesMax);
}

function checkHeader(bytes: Uint8Array): void {
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw new ModuleError("it is no WebAssembly");
  if (VERSION.some((byte, index) => bytes[MAGIC.length + index] !== byte))
    throw new ModuleError("it is no module of WebAssembly 1; components are not run, build for WASI preview 1");
}

function readSection(id: number, section: ByteReader, found: Found, place: { readonly from: number; readonly to: number }): void {
  switch (id) {
    case SECTION.type:
      found.signatures = readTypes(section, limit("wasmTypesMax"));
      return;
    case SECTION.import:
      return readImports(section, found);
    case SECTION.function:
      for (let count = section.count("functions", limit("wasmFunctionsMax")); count > 0; count--) found.functionTypes.push(section.u32());
      return;
    case SECTION.table:
      return readTables(section);
    case SECTION.memory:
      if (section.count("memories", 1) === 1) found.memory = { ...readMemory(section), ...place };
      return;
    case SECTION.global:
      return void section.count("globals", limit("wasmGlobalsMax"));
    case SECTION.tag:
      return void section.count("tags", limit("wasmTypesMax"));
    case SECTION.export:
      return readExports(section, found);
    case SECTION.element:
    case SECTION.data:
      return void section.count(id === SECTION.data ? "data segments" : "element segments", limit("wasmSegmentsMax"));
    case SECTION.code:
      return readCode(section);
    default:
      // The start section and the count of the data; of others the engine says what it thinks.
      return undefined;
  }
}

function readImports(section: ByteReader, found: Found): void {
  for (let count = section.count("imports", limit("wasmImportsMax")); count > 0; count--) {
    const module = section.text();
    const name = section.text();
    const kind = section.byte();
    const type = kind === KIND.function ? section.u32() : skipImport(section, kind);
    if (type !== undefined) found.functionTypes.push(type);
    const wanted = module === WASI_MODULE ? wasiSignature(name) : undefined;
    const text = `${module}.${name}`.slice(0, NAME_CHARS_MAX);
    if (type === undefined || wanted === undefined) found.missing.push(text);
    else if (found.signatures[type] !== wanted) throw new ModuleError(`it imports ${text} with other parameters than the function has`);
  }
}

function skipImport(section: ByteReader, kind: number): undefined {
  switch (kind) {
    case KIND.table:
      readValueType(section);
      readMemory(section);
      return undefined;
    case KIND.memory:
      readMemory(section);
      return undefined;
    case KIND.global:
      readValueType(section);
      section.byte();
      return undefined;
    case KIND.tag:
      section.byte();
      section.u32();
      return undefined;
    default:
      throw new ModuleError(`it imports something of the unknown kind ${kind}`);
  }
}

function readMemory(section: ByteReader): MemoryLimits {
  const flags = section.byte();
  if ((flags & 2) !== 0) throw new ModuleError("its memory is shared: threads are not run");
  if ((flags & 4) !== 0) throw new ModuleError("its memory has 64-bit addresses, which are not supported");
  if (flags > 1) throw new ModuleError("its memory has a size of pages of its own, which is not supported");
  const pagesMin = section.u32();
  return { pagesMin, pagesMax: flags === 1 ? section.u32() : undefined };
}

function readTables(section: ByteReader): void {
  let entries = 0;
  for (let count = section.count("tables", limit("wasmTablesMax")); count > 0; count--) {
    readValueType(section);
    entries += readMemory(section).pagesMin;
  }
  const max = limit("wasmTableEntriesMax");
  if (entries > max) throw new ModuleError(`its tables have ${entries} entries and may have ${max}`);
}

function readExports(section: ByteReader, found: Found): void {
  for (let count = section.count("exports", limit("wasmExportsMax")); count > 0; count--) {
    const name = section.text();
    const kind = section.byte();
    const index = section.u32();
    if (name === "_start" && kind === KIND.function) found.start = index;
    if (name === "memory" && kind === KIND.memory) found.exportsMemory = true;
  }
}

function readCode(section: ByteReader): void {
  const localsMax = limit("wasmLocalsMax");
  for (let count = section.count("functions", limit("wasmFunctionsMax")); count > 0; count--) {
    const body = section.part(section.u32());
    let locals = 0;
    for (let groups = body.count("groups of local variables in a function", localsMax); groups > 0; groups--) {
      locals += body.u32();
      if (locals > localsMax) throw new ModuleError(`a function of it has ${locals} local variables and may have ${localsMax}`);
      readValueType(body);
    }
  }
}

function checkFound(found: Found): NonNullable<Found["memory"]> {
  if (found.missing.length > 0) {
    const listed = found.missing.slice(0, NAMES_SHOWN_MAX).join(", ") + (found.missing.length > NAMES_SHOWN_MAX ? ", …" : "");
    throw new ModuleError(`it imports what does not exist here: ${listed}. Only functions of ${WASI_MODULE} do`);
  }
  const type = found.start === undefined ? undefined : found.functionTypes[found.start];
  if (type === undefined) throw new ModuleError("it exports no function _start: it must be a command");
  if (found.signatures[type] !== ">") throw new ModuleError("its _start has parameters or results");
  if (found.memory === undefined || !found.exportsMemory) throw new ModuleError("it exports no memory of the name memory");
  return found.memory;
}

/** Writes the memory's section anew, so that the engine itself refuses what grows beyond. */
function boundMemory(bytes: Uint8Array, memory: NonNullable<Found["memory"]>, pagesMax: number): Uint8Array {
  if (memory.pagesMin > pagesMax)
    throw new ModuleError(`its memory begins with ${memory.pagesMin * PAGE_BYTES} bytes and may have ${pagesMax * PAGE_BYTES}`);
  const content = [1, 1, ...u32Bytes(memory.pagesMin), ...u32Bytes(Math.min(memory.pagesMax ?? pagesMax, pagesMax))];
  const section = Uint8Array.from([SECTION.memory, ...u32Bytes(content.length), ...content]);
  const bounded = new Uint8Array(memory.from + section.length + bytes.length - memory.to);
  bounded.set(bytes.subarray(0, memory.from));
  bounded.set(section, memory.from);
  bounded.set(bytes.subarray(memory.to), memory.from + section.length);
  return bounded;
}
