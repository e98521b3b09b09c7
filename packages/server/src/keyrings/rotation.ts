/**
 * Moves everything under the newest master key, a bounded number of keyrings at a time. What is done is known by the key id in each
 * envelope, so that a rotation that was cut goes on where it was when it is started again; writers and readers go on meanwhile.
 */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyPart, Scope } from "../database/database.ts";
import { KEYRING_PLACES, KEYRINGS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { KeyringRow } from "./keyring-records.ts";
import { placeKey, type KeyringStore } from "./keyring-store.ts";

export async function rotateKeyrings(store: KeyringStore): Promise<{ readonly keyrings: number }> {
  const unreadable = new Set<string>();
  let keyrings = 0;
  for await (const { scope, ids } of places(store)) {
    keyrings += await store.database.update(scope, async (transaction) => {
      let changed = 0;
      for (const id of ids) {
        const row = await transaction.records.get(KEYRINGS, [id]);
        // The data of a deleted tenant is gone; what is left of it here leads nowhere.
        if (row === undefined) {
          transaction.records.delete(KEYRING_PLACES, placeKey(scope, id));
          continue;
        }
        const missing = [row.secret, row.pending].find((envelope) => envelope !== null && !store.ring.has(envelope.keyId));
        if (missing !== undefined && missing !== null) {
          unreadable.add(missing.keyId);
          continue;
        }
        const sealed = sealAgain(store, scope, row);
        if (sealed === undefined) continue;
        transaction.records.put(KEYRINGS, [id], sealed);
        changed++;
      }
      return changed;
    });
  }
  const [keyId] = unreadable;
  if (keyId !== undefined) throw plinthError("KeyringKeyMissing", { keyId });
  return { keyrings };
}

/** Ids of keys that stored keyrings need and that the ring does not have. */
export async function missingKeys(store: KeyringStore): Promise<readonly string[]> {
  const missing = new Set<string>();
  for await (const { scope, ids } of places(store)) {
    const rows = await store.database.read(scope, (transaction) => Promise.all(ids.map((id) => transaction.records.get(KEYRINGS, [id]))));
    for (const envelope of rows.flatMap((row) => [row?.secret, row?.pending]))
      if (envelope !== undefined && envelope !== null && !store.ring.has(envelope.keyId)) missing.add(envelope.keyId);
  }
  return [...missing];
}

/** The row under the newest key; undefined when it is already. */
function sealAgain(store: KeyringStore, scope: Scope, row: KeyringRow): KeyringRow | undefined {
  const isNew = (envelope: KeyringRow["secret"]) => envelope === null || envelope.keyId === store.ring.newest;
  if (isNew(row.secret) && isNew(row.pending)) return undefined;
  return {
    ...row,
    secret: row.secret === null ? null : store.sealSecret(scope, row.id, store.openSecret(scope, row.id, row.secret)),
    pending: row.pending === null ? null : store.sealPending(scope, row.id, store.openPending(scope, row.id, row.pending)),
  };
}

/** All keyrings of the host, in groups of one branch. */
async function* places(store: KeyringStore): AsyncGenerator<{ readonly scope: Scope; readonly ids: readonly string[] }> {
  let after: readonly KeyPart[] | undefined;
  for (;;) {
    const rows = await store.database.read(PLATFORM_SCOPE, (transaction) =>
      transaction.records.range(KEYRING_PLACES, {
        prefix: [],
        limit: limit("keyringsRotatedPerCommit"),
        ...(after === undefined ? {} : { after }),
      }),
    );
    const groups = new Map<string, { readonly scope: Scope; readonly ids: string[] }>();
    for (const { key } of rows) {
      const [tenant, branch, id] = key.map(String);
      if (tenant === undefined || branch === undefined || id === undefined) continue;
      const group = groups.get(`${tenant}\0${branch}`) ?? { scope: { tenant, branch }, ids: [] };
      group.ids.push(id);
      groups.set(`${tenant}\0${branch}`, group);
    }
    yield* groups.values();
    after = rows.at(-1)?.key;
    if (after === undefined) return;
  }
}
