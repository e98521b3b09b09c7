/** The node runtime: real Node.js on the main thread, one call per process at a time. */
import { limit } from "@plinth/core/limits.ts";
import type { RunnerProgram } from "../jail/image.ts";
import { runnerProgram } from "../jail/runner-program.ts";
import { NODE_IN_CELL, prepareNodeImage } from "./node-image.ts";
import type { ProgramImage, RuntimeAdapter } from "./runtime-adapter.ts";

const MIB = 1024 * 1024;
/** Of the memory of a process, what is not JavaScript's old heap: buffers, code, the young generation. */
const OUTSIDE_HEAP_PART = 0.25;
const HEAP_MIB_MIN = 32;

const FLAGS: readonly string[] = [
  "--disable-sigusr1",
  "--no-experimental-ffi",
  "--disable-warning=ExperimentalWarning",
  "--v8-pool-size=1",
  "--max-semi-space-size=4",
];

/** `program` speaks the protocol as `/app/runner.js`. */
export function nodeRuntime(program: RunnerProgram = runnerProgram("node", ["runner.js", "worker-preload.js"])): RuntimeAdapter {
  return {
    name: "node",
    prepare: (options) =>
      prepareNodeImage({
        ...options,
        name: "node",
        program,
        flags: FLAGS,
        // For one thread of the package's own: its engine maps room for code that it mostly never touches.
        addressBytes: limit("isolateDataBytes"),
      }),
    fit: (image, memoryBytesMax) => withFlag(image, `--max-old-space-size=${heapMib(memoryBytesMax)}`),
    places: 1,
    reuse: true,
    memoryBytes: { usual: limit("packageMemoryBytes"), max: limit("packageMemoryBytesMax") },
  };
}

/** Told its size, the engine collects its garbage before the limit of the process ends it. */
function heapMib(memoryBytesMax: number): number {
  return Math.max(HEAP_MIB_MIN, Math.floor((memoryBytesMax * (1 - OUTSIDE_HEAP_PART)) / MIB));
}

function withFlag(image: ProgramImage, flag: string): ProgramImage {
  return { ...image, command: [NODE_IN_CELL, flag, ...image.command.slice(1)] };
}
