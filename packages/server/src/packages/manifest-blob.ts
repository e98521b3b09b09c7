import { assert } from "@plinth/core/assert.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";

/** What is stored of a version's manifest: as it was read, and as it was written. */
export interface ManifestBlob {
  readonly manifest: Manifest;
  readonly text: string;
}

/** Reads it back; `parseManifest` made it before it was stored, and its digest was checked. */
export function parseManifestBlob(text: string): ManifestBlob {
  const blob = JSON.parse(text) as ManifestBlob;
  assert(typeof blob.text === "string" && Array.isArray(blob.manifest.functions), "a stored manifest has its fields");
  return blob;
}
