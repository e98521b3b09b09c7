/** The isolate runtime: functions in V8 isolates, several at a time, many versions in one process. */
import { limit } from "@plinth/core/limits.ts";
import { runnerProgram } from "../jail/runner-program.ts";
import { type RunnerProgram, withProbe } from "../jail/image.ts";
import { prepareNodeImage } from "./node-image.ts";
import type { PrepareOptions, ProgramImage, RuntimeAdapter } from "./runtime-adapter.ts";

const MIB = 1024 * 1024;

/** Isolates come from this file; it lies beside the program. */
export const ADDON_FILE = "isolated-vm.node";

/** Node's own permissions are hygiene; the jail is the boundary. */
export const ISOLATE_FLAGS: readonly string[] = [
  "--no-node-snapshot", // isolated-vm asks for it
  "--no-experimental-ffi",
  "--disable-sigusr1",
  "--disable-proto=delete",
  "--permission",
  "--allow-addons",
  "--allow-fs-read=/app",
  "--disable-warning=PERM0001",
  `--max-old-space-size=${Math.floor(limit("runnerBaseHeapBytesMax") / MIB)}`,
  // Of the runner's own heap: it holds frames, which live for moments. The runner sizes its isolates itself.
  "--max-semi-space-size=2",
  "--v8-pool-size=1",
];

export const isolateRuntime = {
  name: "isolate",
  prepare: (options) => prepareIsolateImage(options),
  places: limit("runnerTransactionPlaces"),
  reuse: true,
  memoryBytes: { usual: limit("runnerMemoryBytesMax"), max: limit("runnerMemoryBytesMax") },
} satisfies RuntimeAdapter;

/** The image holds the script of the probe too, so that the probe runs in the very jail of the runners. */
export function prepareIsolateImage(options: PrepareOptions & { readonly program?: RunnerProgram }): Promise<ProgramImage> {
  return prepareNodeImage({
    ...options,
    name: "isolate",
    program: withProbe(options.program ?? runnerProgram("isolate", ["runner.js", ADDON_FILE])),
    flags: ISOLATE_FLAGS,
    // Isolates that the runner has yet to make map much that they never touch; the watchdog bounds what is touched.
    addressBytes: limit("isolateDataBytes") * limit("runnerTransactionPlaces"),
  });
}
