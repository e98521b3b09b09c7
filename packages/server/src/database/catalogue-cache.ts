/**
 * Catalogues in memory. The store holds each catalogue as a body and a version, 16 random bytes that are new
 * with every change. A transaction reads the version (one point read, which also puts the catalogue into its
 * read set) and finds the parsed body here. Since no two catalogues ever have the same version, an entry can
 * never be stale, whichever moment or branch is read.
 */
import { must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import { Catalogue } from "./catalogue.ts";
import { parseCatalogue } from "./parse-catalogue.ts";
import type { KeySpace } from "./key-space.ts";
import { binaryText } from "./overlay.ts";
import { storedText, textBytes, type View } from "./view.ts";

const ENTRIES_MAX = limit("cataloguesCachedMax");
const BYTES_MAX = limit("cataloguesCachedBytesMax");

interface Cached {
  readonly catalogue: Catalogue;
  readonly bytes: number;
}

export class CatalogueCache {
  readonly #byVersion = new Map<string, Cached>();
  #bytes = 0;

  /** The catalogue that a view or a snapshot sees; the empty one when the branch has none. */
  async load(view: Pick<View, "get" | "snapshot">, keys: KeySpace): Promise<Catalogue> {
    const version = await view.get(keys.catalogueVersion);
    if (version === undefined) return Catalogue.empty();
    const text = binaryText(version);
    const cached = this.#byVersion.get(text);
    if (cached !== undefined) {
      // Moved to the end: the first entry is the one that was not used for the longest time.
      this.#byVersion.delete(text);
      this.#byVersion.set(text, cached);
      return cached.catalogue;
    }
    // The body changes only together with the version, so reading the version covers it.
    const body = must(await view.snapshot.get(keys.catalogueBody), "a catalogue with a version has a body");
    const catalogue = new Catalogue(parseCatalogue(JSON.parse(storedText(body))));
    this.#keep(text, { catalogue, bytes: body.length });
    return catalogue;
  }

  #keep(version: string, cached: Cached): void {
    this.#byVersion.set(version, cached);
    this.#bytes += cached.bytes;
    for (const [oldest, { bytes }] of this.#byVersion) {
      if (this.#byVersion.size <= ENTRIES_MAX && (this.#bytes <= BYTES_MAX || oldest === version)) return;
      this.#byVersion.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

/** Writes a changed catalogue. `version` is 16 new random bytes. */
export function storeCatalogue(view: View, keys: KeySpace, change: { readonly catalogue: Catalogue; readonly version: Uint8Array }): void {
  view.put(keys.catalogueVersion, change.version);
  view.put(keys.catalogueBody, textBytes(JSON.stringify(change.catalogue.data)));
}
