/** The hooks around every call, in their order: those before it from the top, those after it from the top too. */
import type { LifecycleHook } from "../lifecycle.ts";
import type { ResultSink } from "../result-sink.ts";
import { hydrateSecrets } from "./hydrate-secrets.ts";
import { loadDependencies } from "./load-dependencies.ts";
import { persistResult } from "./persist-result.ts";
import { resolveManifest } from "./resolve-manifest.ts";
import { tellWatchers } from "./tell-watchers.ts";

export function lifecycleHooks(sinks: readonly ResultSink[]): readonly LifecycleHook[] {
  return [resolveManifest, hydrateSecrets, loadDependencies, persistResult(sinks), tellWatchers];
}
