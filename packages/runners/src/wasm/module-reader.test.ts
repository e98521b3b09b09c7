import { expect, test } from "vitest";
import { limit } from "@plinth/core/limits.ts";
import { ModuleError, u32Bytes } from "./byte-reader.ts";
import { checkModule, PAGE_BYTES } from "./module-reader.ts";
import { assemble, command } from "./test-modules.ts";
import { WASI_PARAMETERS, type WasiName } from "./wasi-functions.ts";

const PAGES = 100;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const EMPTY = '(module (memory (export "memory") 1) (func (export "_start")))';

const check = async (text: string): Promise<Uint8Array> => checkModule(await assemble(text), PAGES);
const refusal = async (text: string): Promise<string> =>
  check(text).then(
    () => "not refused",
    (error: unknown) => (error instanceof ModuleError ? error.message : `not a ModuleError: ${String(error)}`),
  );
/** A module of one section, given as bytes. */
const section = (id: number, content: readonly number[]): Uint8Array =>
  Uint8Array.from([...HEADER, id, ...u32Bytes(content.length), ...content]);

interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number } } };
}
const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;

/** A real engine's opinion of how far a memory grows. */
function pagesOf(bytes: Uint8Array): number {
  const { memory } = new engine.Instance(new engine.Module(bytes), {}).exports;
  let pages = memory.buffer.byteLength / PAGE_BYTES;
  for (;;) {
    try {
      memory.grow(1);
    } catch {
      return pages;
    }
    pages++;
  }
}

test.each([
  ["1", PAGES],
  ["1 60000", PAGES],
  ["1 7", 7],
  [`${PAGES}`, PAGES],
  [`${PAGES} ${PAGES}`, PAGES],
])("W02 the memory %s grows to %i pages", async (pages, expected) => {
  expect(pagesOf(await check(`(module (memory (export "memory") ${pages}) (func (export "_start")) (data (i32.const 0) "x"))`))).toBe(
    expected,
  );
});

test.each([
  ["a memory that begins too large", '(module (memory (export "memory") 101) (func (export "_start")))', /begins with 6619136 bytes/],
  ["two memories", null, /2 memories/],
  ["no memory", '(module (func (export "_start")))', /exports no memory/],
  ["a memory of its own", '(module (memory 1) (func (export "_start")))', /exports no memory/],
  ["an imported memory", '(module (import "env" "memory" (memory 1)) (func (export "_start")))', /env\.memory/],
  [
    "an imported table, global and tag",
    '(module (import "a" "t" (table 1 funcref)) (import "a" "g" (global i32)) (import "a" "e" (tag)))',
    /a\.t, a\.g, a\.e/,
  ],
  ["no _start", '(module (memory (export "memory") 1) (func (export "_initialize")))', /exports no function _start/],
  ["a _start with a parameter", '(module (memory (export "memory") 1) (func (export "_start") (param i32)))', /parameters or results/],
  [
    "a _start that is a global",
    '(module (memory (export "memory") 1) (global (export "_start") i32 (i32.const 1)))',
    /exports no function _start/,
  ],
  ["a shared memory", '(module (memory (export "memory") 1 1 shared) (func (export "_start")))', /shared/],
  ["an imported shared memory", '(module (import "env" "memory" (memory 1 1 shared)))', /shared/],
  ["a memory of 64 bits", '(module (memory (export "memory") i64 1) (func (export "_start")))', /64-bit/],
  [
    "a function of WASI with other parameters",
    '(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))))',
    /other parameters/,
  ],
  ["a function of WASI without its result", '(module (import "wasi_snapshot_preview1" "fd_close" (func (param i32))))', /other parameters/],
  [
    "names that every object has",
    '(module (import "wasi_snapshot_preview1" "constructor" (func)) (import "wasi_snapshot_preview1" "__proto__" (func)))',
    /constructor, wasi_snapshot_preview1\.__proto__/,
  ],
  ["too large a table", `(module (table 1000001 funcref))`, /1000001 entries/],
])("W05 W15 refused: %s", async (_what, text, message) => {
  if (text === null) expect(() => checkModule(section(5, [2, 0, 1, 0, 1]), PAGES)).toThrow(message);
  else expect(await refusal(text)).toMatch(message);
});

test("W05 the list of imports that are missing is bounded", async () => {
  const imports = Array.from({ length: 500 }, (_, index) => `(import "env" "f${index}" (func))`).join("");
  const message = await refusal(`(module ${imports})`);
  expect(message).toMatch(/env\.f19, …/);
  expect(message.length).toBeLessThan(500);
});

test("every function of WASI may be imported", async () => {
  await check(command("", { imports: Object.keys(WASI_PARAMETERS) as WasiName[] }));
});

test.each([
  ["types", 1, u32Bytes(limit("wasmTypesMax") + 1), /types and may have/],
  ["a group of types", 1, [1, 0x4e, ...u32Bytes(limit("wasmTypesMax") + 1)], /types and may have/],
  ["imports", 2, u32Bytes(limit("wasmImportsMax") + 1), /imports and may have/],
  ["functions", 3, u32Bytes(limit("wasmFunctionsMax") + 1), /functions and may have/],
  ["tables", 4, u32Bytes(limit("wasmTablesMax") + 1), /tables and may have/],
  ["globals", 6, u32Bytes(limit("wasmGlobalsMax") + 1), /globals and may have/],
  ["exports", 7, u32Bytes(limit("wasmExportsMax") + 1), /exports and may have/],
  ["element segments", 9, u32Bytes(limit("wasmSegmentsMax") + 1), /element segments and may have/],
  ["data segments", 11, u32Bytes(limit("wasmSegmentsMax") + 1), /data segments and may have/],
  ["local variables", 10, [1, 7, 1, ...u32Bytes(0xffff_ffff), 0x7f], /4294967295 local variables/],
  ["groups of local variables", 10, [1, 5, ...u32Bytes(0xffff_ffff)], /groups of local variables/],
])("W03 too many: %s", (_what, id, content, message) => {
  const padded = [...content, ...Array.from({ length: 20 }, () => 0)];
  expect(() => checkModule(section(id, padded), PAGES)).toThrow(message);
});

test("W03 a module that is too large is not read", () => {
  expect(() => checkModule(new Uint8Array(limit("wasmModuleBytesMax") + 1), PAGES)).toThrow(/bytes and may have/);
});

test.each([
  ["no WebAssembly", [1, 2, 3], /no WebAssembly/],
  ["nothing", [], /no WebAssembly/],
  ["a component", [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], /components are not run/],
  ["a section that ends too early", [...HEADER, 1, 100, 0], /ends too early/],
  ["a number without end", [...HEADER, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], /more than 32 bits/],
  ["a number of 33 bits", [...HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0x1f], /more than 32 bits/],
  ["a section twice", [...HEADER, 3, 1, 0, 3, 1, 0], /section 3 twice/],
  ["a name that is no UTF-8", [...HEADER, 2, 6, 1, 1, 0xff, 1, 0x61, 0], /no UTF-8/],
])("W03 refused: %s", (_what, bytes, message) => {
  expect(() => checkModule(Uint8Array.from(bytes), PAGES)).toThrow(message);
});

test("W03 whatever the bytes, the answer is a module that is bounded or a ModuleError", async () => {
  const original = await assemble(command("(call $print (i32.const 1))", { imports: ["poll_oneoff", "clock_time_get"] }));
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  let taken = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = original.slice(0, round % 3 === 0 ? random(original.length) : original.length);
    for (let changes = random(4); changes >= 0; changes--) if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    try {
      const checked = checkModule(bytes, PAGES);
      taken++;
      // The bounded section is what the engine reads: it has one memory with a maximum.
      expect(checked.length).toBeGreaterThan(HEADER.length);
    } catch (error) {
      expect(error).toBeInstanceOf(ModuleError);
    }
  }
  expect(taken).toBeGreaterThan(0);
});

test("types of garbage collection are passed over", async () => {
  // rec (struct {i8 mut}) (sub final () func), array (ref null 0), func () -> ()
  const types = [0x03, 0x4e, 0x02, 0x5f, 0x01, 0x78, 0x01, 0x4f, 0x00, 0x60, 0x00, 0x00, 0x5e, 0x63, 0x00, 0x01, 0x60, 0x00, 0x00];
  const plain = await assemble(EMPTY);
  // The one type of the plain module is type 0; of this one it is number 3.
  const rest = Array.from(plain.subarray(HEADER.length + 2 + (plain[9] ?? 0)));
  rest[3] = 3;
  const bytes = Uint8Array.from([...HEADER, 1, ...u32Bytes(types.length), ...types, ...rest]);
  expect(pagesOf(checkModule(bytes, PAGES))).toBe(PAGES);
});
