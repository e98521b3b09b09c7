/** What the manifest says of the function bounds the call: its time and its memory. */
import { limit } from "@plinth/core/limits.ts";
import type { LifecycleHook } from "../lifecycle.ts";

export const resolveManifest: LifecycleHook = {
  name: "resolveManifest",
  kinds: ["handler", "inline"],
  before: async (_, run) => {
    const { fn, version, inline } = run.accepted;
    run.prepared.wallMs = inline?.timeoutMs ?? fn?.handler?.timeoutMs ?? limit("handlerWallMs");
    run.prepared.memoryBytes = version.package?.memoryBytesMax ?? limit("isolateHeapBytesMax");
    return undefined;
  },
};
