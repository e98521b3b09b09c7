import { limit } from "@plinth/core/limits.ts";
import type { KeyRange, Store } from "../store/store.ts";
import { isCatalogueBody } from "./key-space.ts";
import { parseCatalogue } from "./parse-catalogue.ts";
import { storedText } from "./view.ts";

/**
 * Deletes all keys of a range of whole branches, in bounded commits; false when it was stopped before the end. The pins of a
 * branch end in the commit that deletes the catalogue that names them, so none is left behind and none ends before its branch.
 */
export async function eraseRange(store: Store, range: KeyRange, stopped: () => boolean): Promise<boolean> {
  while (!stopped()) {
    const snapshot = await store.snapshot();
    const entries = await snapshot.range({ ...range, order: "asc", limit: limit("schemaBatchDocumentsMax") });
    snapshot.release();
    if (entries.length === 0) return true;
    const ended: Buffer[] = [];
    for (const { key, value } of entries) {
      if (!isCatalogueBody(key)) continue;
      const { base } = parseCatalogue(JSON.parse(storedText(value)));
      for (const id of base?.pins ?? []) ended.push(Buffer.from(id, "hex"));
    }
    await store.commit({ writes: entries.map(({ key }) => ({ key, value: null })), pins: { made: [], ended } });
  }
  return false;
}
