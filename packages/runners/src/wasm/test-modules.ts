/** For tests: assembles modules from text, writes packages of them, and starts the real runner on them without a jail. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import wabtModule from "wabt";
import { type RunnerCommand, RunnerPeer } from "../conformance/runner-peer.ts";
import { buildWasmImage, WASM_RUNNER_FLAGS } from "./build-image.ts";
import { WASI_PARAMETERS, type WasiName } from "./wasi-functions.ts";

export const VERSION = "v";
const TYPES = { i: "i32", I: "i64" } as const;

let assembler: ReturnType<typeof wabtModule> | undefined;

/** The bytes of a module of the text format. */
export async function assemble(text: string): Promise<Uint8Array> {
  assembler ??= wabtModule();
  const module = (await assembler).parseWat("test.wat", text, { threads: true, memory64: true, exceptions: true, tail_call: true });
  try {
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}

/** An import of a function of WASI, which the module then calls `$name`. */
export function wasiImport(name: WasiName): string {
  const parameters = Array.from(WASI_PARAMETERS[name], (letter) => TYPES[letter as keyof typeof TYPES]).join(" ");
  const result = name === "proc_exit" ? "" : "(result i32)";
  return `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) ${result}))`;
}

/**
 * A command whose `_start` has this body. It may use `$read` (reads standard input to address 4096 and returns its length), `$write`
 * (descriptor, address, length), `$print` (a number as text) and the imports that are named. Addresses below 1024 are scratch.
 */
export function command(
  start: string,
  options: { readonly imports?: readonly WasiName[]; readonly more?: string; readonly pages?: string } = {},
): string {
  const names = new Set<WasiName>(["fd_read", "fd_write", "proc_exit", ...(options.imports ?? [])]);
  return `(module
  ${[...names].map(wasiImport).join("\n  ")}
  (memory (export "memory") ${options.pages ?? "64"})
  (func $read (result i32) (local $at i32) (local $got i32)
    (loop $again
      (i32.store (i32.const 0) (i32.add (i32.const 4096) (local.get $at)))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
      (local.set $got (i32.load (i32.const 8)))
      (local.set $at (i32.add (local.get $at) (local.get $got)))
      (br_if $again (local.get $got)))
    (local.get $at))
  (func $write (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (if (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable))))
  (func $print (param $number i32) (local $at i32)
    (local.set $at (i32.const 64))
    (loop $again
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $again (local.get $number)))
    (call $write (i32.const 1) (local.get $at) (i32.sub (i32.const 64) (local.get $at))))
  ${options.more ?? ""}
  (func $start (export "_start") ${start}))`;
}

/** A folder with a module for each function, of text or of bytes; it lasts as long as the tests' process. */
export async function writeModules(modules: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "plinth-wasm-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "code"));
  for (const [name, module] of Object.entries(modules))
    await writeFile(join(folder, "code", `${name}.wasm`), typeof module === "string" ? await assemble(module) : module);
  return folder;
}

process.setMaxListeners(200);
let image: Promise<string> | undefined;

/** The command of the real runner on a package folder. */
export async function runnerCommand(folder: string): Promise<RunnerCommand> {
  image ??= mkdtemp(join(tmpdir(), "plinth-wasm-image-")).then(async (outDir) => {
    process.once("exit", () => rmSync(outDir, { recursive: true, force: true }));
    return (await buildWasmImage({ outDir })).runnerFile;
  });
  return { file: process.execPath, args: [...WASM_RUNNER_FLAGS, await image], env: { PLINTH_PACKAGE_FOLDER: folder } };
}

/** A runner that has loaded the modules, under the name `v`. */
export async function startRunner(modules: Readonly<Record<string, string | Uint8Array>>): Promise<RunnerPeer> {
  const peer = new RunnerPeer(await runnerCommand(await writeModules(modules)));
  await peer.hello();
  const { envelope, text } = await peer.load(VERSION, JSON.stringify({ functions: Object.keys(modules) }));
  if (envelope.type !== "loaded") throw new Error(`the modules do not load: ${text}`);
  return peer;
}

/** Why a module does not load. */
export async function loadFailure(module: string | Uint8Array): Promise<string> {
  const peer = new RunnerPeer(await runnerCommand(await writeModules({ f: module })));
  await peer.hello();
  const { envelope, text } = await peer.load(VERSION, '{"functions":["f"]}');
  await peer.close();
  return envelope.type === "loadFailed" ? text : envelope.type;
}
