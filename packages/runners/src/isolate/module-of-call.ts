/** The module that a call needs. Shared by the runner and its guest. */
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";

/** Module path of `dir/module:export`; `http` for the router; empty when the call is about all modules. */
export function moduleOfCall({ kind, path }: { readonly kind: FunctionKind | "analyze"; readonly path: string }): string {
  if (kind === "httpAction") return "http";
  if (kind === "analyze") return "";
  const colon = path.lastIndexOf(":");
  return colon < 0 ? path : path.slice(0, colon);
}
