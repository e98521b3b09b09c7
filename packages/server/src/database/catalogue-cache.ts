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

export class CatalogueCache {
  readonly #byVersion = new Map<string, Catalogue>();

  /** The catalogue that `view` sees; the empty one when the branch has none. */
  async load(view: View, keys: KeySpace): Promise<Catalogue> {
    const version = await view.get(keys.catalogueVersion);
    if (version === undefined) return Catalogue.empty();
    const text = binaryText(version);
    const cached = this.#byVersion.get(text);
    if (cached !== undefined) {
      // Moved to the end: the first entry is the one that was not used for the longest time.
      this.#byVersion.delete(text);
      this.#byVersion.set(text, cached);
      return cached;
    }
    // The body changes only together with the version, so reading the version covers it.
    const body = must(await view.snapshot.get(keys.catalogueBody), "a catalogue with a version has a body");
    const catalogue = new Catalogue(parseCatalogue(JSON.parse(storedText(body))));
    this.#byVersion.set(text, catalogue);
    if (this.#byVersion.size > ENTRIES_MAX) {
      for (const oldest of this.#byVersion.keys()) {
        this.#byVersion.delete(oldest);
        break;
      }
    }
    return catalogue;
  }
}

/** Writes a changed catalogue. `version` is 16 new random bytes. */
export function storeCatalogue(view: View, keys: KeySpace, change: { readonly catalogue: Catalogue; readonly version: Uint8Array }): void {
  view.put(keys.catalogueVersion, change.version);
  view.put(keys.catalogueBody, textBytes(JSON.stringify(change.catalogue.data)));
}
