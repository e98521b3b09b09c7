/** The wasm runtime: WASI modules in an isolate, with no system behind them. */
import { limit } from "@plinth/core/limits.ts";
import type { RunnerProgram } from "../jail/image.ts";
import { runnerProgram } from "../jail/runner-program.ts";
import { ADDON_FILE, ISOLATE_FLAGS } from "./isolate.ts";
import { prepareNodeImage } from "./node-image.ts";
import type { RuntimeAdapter } from "./runtime-adapter.ts";

/** Modules lie in the package, which Node's permissions must let the program read. */
const FLAGS = [...ISOLATE_FLAGS, "--allow-fs-read=/package"];

/** `program` speaks the protocol as `/app/runner.js`. */
export function wasmRuntime(program: RunnerProgram = runnerProgram("wasm", ["runner.js", ADDON_FILE])): RuntimeAdapter {
  return {
    name: "wasm",
    prepare: (options) => prepareNodeImage({ ...options, name: "wasm", program, flags: FLAGS, addressBytes: limit("isolateDataBytes") }),
    places: 1,
    reuse: true,
    memoryBytes: { usual: limit("packageMemoryBytes"), max: limit("packageMemoryBytesMax") },
  };
}
