/**
 * Contexts of scripts that run apart from their run: what such a script is given, as an object with a name among the blobs of its
 * tenant. A row names each (FLOW_VALUES), so that the collector of blobs keeps it; without one it is collected.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Blobs } from "../../blobs/blobs.ts";
import type { Scope } from "../../database/database.ts";
import type { AsyncScriptRow } from "./script-records.ts";

export interface ScriptContext {
  readonly code: string;
  readonly inputs: JsonObject;
}

export function contextName(
  scope: Scope,
  { run, node, atMs }: { readonly run: string; readonly node: string; readonly atMs: number },
): string {
  const time = new Date(atMs).toISOString().replaceAll(/[-:.]/g, "");
  return `workflow-scripts/${encodeURIComponent(scope.branch)}/${encodeURIComponent(scope.tenant)}/${run}-${encodeURIComponent(node)}-${time}.json`;
}

export async function storeContext(
  blobs: Pick<Blobs, "put">,
  scope: Scope,
  context: ScriptContext,
): Promise<Pick<AsyncScriptRow, "digest" | "bytes">> {
  const text = JSON.stringify(context);
  const { digest, bytes } = await blobs.put(scope.tenant, chunk(text), { bytesMax: limit("flowScriptContextBytesMax") });
  return { digest, bytes };
}

export async function readContext(blobs: Pick<Blobs, "read">, scope: Scope, { digest, name }: AsyncScriptRow): Promise<ScriptContext> {
  const bytes = await blobs.read(scope.tenant, digest);
  if (bytes === undefined) throw plinthError("NotFound", { what: `context '${name}'` });
  // Written by this host, and true to its digest.
  return JSON.parse(bytes.toString("utf8")) as ScriptContext;
}

async function* chunk(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
