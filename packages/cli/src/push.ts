/** One push: generate types, bundle, deploy. Shared by `deploy`, `dev` and the quickstart. */
import { findEntryPoints } from "./bundle/entry-points.ts";
import type { Bundler } from "./bundle/bundle.ts";
import { call, type Json } from "./client.ts";
import { generate } from "./codegen/generate.ts";
import type { Connection } from "./connection.ts";

export interface Push {
  readonly version: string;
  readonly changed: boolean;
  readonly functions: readonly { readonly path: string; readonly kind: string; readonly visibility: string }[];
  readonly indexesAdded: readonly string[];
  readonly indexesRemoved: readonly string[];
  readonly bundleMs: number;
  readonly deployMs: number;
}

export async function push(
  connection: Connection,
  bundler: Bundler,
  options: { readonly folder: string; readonly note?: string | undefined; readonly dryRun?: boolean | undefined },
): Promise<Push> {
  const startedMs = performance.now();
  generate(options.folder, findEntryPoints(options.folder));
  const { script, sourceMap } = await bundler.bundle();
  const bundledMs = performance.now();
  const body: Json = {
    script,
    sourceMap,
    ...(options.note === undefined ? {} : { note: options.note }),
    ...(options.dryRun === true ? { dryRun: true } : {}),
  };
  const result = parseResult(await call(connection, "/v1/deploy", { body }));
  return { ...result, bundleMs: bundledMs - startedMs, deployMs: performance.now() - bundledMs };
}

function parseResult(json: Json): Omit<Push, "bundleMs" | "deployMs"> {
  // The host is trusted by whoever deploys to it; its answer has the form of DeployResult.
  return json as unknown as Omit<Push, "bundleMs" | "deployMs">;
}
