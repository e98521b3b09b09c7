/** All runtimes. A new one is a file beside this one and a line here. */
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import { isolateRuntime } from "./isolate.ts";
import { nodeRuntime } from "./node.ts";
import { pythonRuntime } from "./python.ts";
import type { RuntimeAdapter } from "./runtime-adapter.ts";
import { wasmRuntime } from "./wasm.ts";

export const RUNTIMES = {
  isolate: isolateRuntime,
  node: nodeRuntime(),
  python: pythonRuntime(),
  wasm: wasmRuntime(),
} as const satisfies Readonly<Record<RuntimeName, RuntimeAdapter>>;
