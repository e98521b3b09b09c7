/** Which commits may change the operations of a branch: those of its catalogue, its heads and its installed packages. */
import { compareBytes } from "@plinth/core/documents/keys.ts";
import type { Scope } from "../../database/database.ts";
import { isCatalogueBody, keyMeaning, KeySpace } from "../../database/key-space.ts";
import { FLOW_TRIGGERS, HEADS, PACKAGE_HEADS, SNAP_INS } from "../../database/record-tables.ts";
import type { Commit, Key } from "../../store/store.ts";

const SPACES: ReadonlySet<number> = new Set([HEADS.space, PACKAGE_HEADS.space, SNAP_INS.space, FLOW_TRIGGERS.space]);

/** The scopes among `scopes` whose operations may be others after the commit. */
export function scopesWithChanges({ writes }: Commit, scopes: Iterable<Scope>): readonly Scope[] {
  const keys = writes.map(({ key }) => key).filter(meansOperations);
  if (keys.length === 0) return [];
  return [...scopes].filter((scope) => {
    const range = new KeySpace(scope).all();
    return keys.some((key) => compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0);
  });
}

function meansOperations(key: Key): boolean {
  if (isCatalogueBody(key)) return true;
  const meaning = keyMeaning(key);
  return meaning.kind === "record" && SPACES.has(meaning.space);
}
