/**
 * Catalogues in memory. The store holds each catalogue as a body and a version, 16 random bytes that are new
 * with every change. A transaction reads the version (one point read, which also puts the catalogue into its
 * read set) and finds the parsed body here. Since no two catalogues ever have the same version, an entry can
 * never be stale, whichever moment or branch is read. The point read is left out where the store knows that the version has not changed
 * since it was read last.
 */
import { must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import { Catalogue } from "./catalogue.ts";
import type { Store, Timestamp } from "../store/store.ts";
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
  /** The newest version that was read of each branch, and the latest moment at which it was the branch's. */
  readonly #latest = new WeakMap<KeySpace, { at: Timestamp; readonly version: string }>();
  readonly #store: Pick<Store, "isUnchanged">;
  #bytes = 0;

  constructor(store: Pick<Store, "isUnchanged">) {
    this.#store = store;
  }

  /** The catalogue that a view or a snapshot sees; the empty one when the branch has none. */
  async load(view: Pick<View, "get" | "snapshot"> & Partial<Pick<View, "reads">>, keys: KeySpace): Promise<Catalogue> {
    const { ts } = view.snapshot;
    const known = this.unchanged(keys, ts);
    if (known !== undefined) {
      view.reads?.addPoint(keys.catalogueVersion);
      return known;
    }
    const version = await view.get(keys.catalogueVersion);
    if (version === undefined) return Catalogue.empty();
    const text = binaryText(version);
    if ((this.#latest.get(keys)?.at ?? 0) <= ts) this.#latest.set(keys, { at: ts, version: text });
    const cached = this.#cached(text);
    if (cached !== undefined) return cached;
    // The body changes only together with the version, so reading the version covers it.
    const body = must(await view.snapshot.get(keys.catalogueBody), "a catalogue with a version has a body");
    const catalogue = new Catalogue(parseCatalogue(JSON.parse(storedText(body))));
    this.#keep(text, { catalogue, bytes: body.length });
    return catalogue;
  }

  /** That of a moment, where it is known without a read. */
  unchanged(keys: KeySpace, ts: Timestamp): Catalogue | undefined {
    const latest = this.#latest.get(keys);
    if (latest === undefined || latest.at > ts) return undefined;
    if (this.#store.isUnchanged?.(keys.catalogueVersion, latest.at, ts) !== true) return undefined;
    latest.at = ts;
    return this.#cached(latest.version);
  }

  #cached(version: string): Catalogue | undefined {
    const cached = this.#byVersion.get(version);
    if (cached === undefined) return undefined;
    // Moved to the end: the first entry is the one that was not used for the longest time.
    this.#byVersion.delete(version);
    this.#byVersion.set(version, cached);
    return cached.catalogue;
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
