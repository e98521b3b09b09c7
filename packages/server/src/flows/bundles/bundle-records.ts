import { assert } from "@plinth/core/assert.ts";

/** Which bundles of packages a version of a flow uses. */
export interface VersionBundlesRow {
  readonly digests: readonly string[];
}

export function parseVersionBundles(json: unknown): VersionBundlesRow {
  const row = json as VersionBundlesRow;
  assert(Array.isArray(row.digests), "the bundles of a stored version are a list");
  return row;
}
