/** Starts a branch over the state of another one: its catalogue says what lies below, and pins keep it. */
import { assert } from "@plinth/core/assert.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Pin, Store, Timestamp } from "../store/store.ts";
import type { BaseLayer, Catalogue } from "./catalogue.ts";
import type { CatalogueCache } from "./catalogue-cache.ts";
import type { Scope } from "./database.ts";
import type { InternalIds } from "./internal-ids.ts";
import { KeySpace } from "./key-space.ts";
import { withoutPending } from "./schema-plan.ts";
import type { OpenTransaction } from "./transaction.ts";

const PIN_ID_BYTES = 16;

export interface BaseHost {
  readonly store: Store;
  readonly ids: InternalIds;
  readonly catalogues: CatalogueCache;
}

export async function createBranchFrom(
  host: BaseHost,
  transaction: OpenTransaction,
  { base, at = transaction.ts }: { readonly base: Scope; readonly at?: Timestamp },
): Promise<Timestamp> {
  const { scope } = transaction;
  assert(!transaction.readonly, "a branch is made in a transaction that writes");
  assert(base.tenant === scope.tenant && base.branch !== scope.branch, "the base is another branch of the tenant");
  await refuseFilled(transaction);
  const from = await catalogueAt(host, base, at);
  // Without a table there is nothing to copy.
  if (from.data.cursorSecret === "") return at;
  const layers: BaseLayer[] = [{ branch: base.branch, at }, ...(from.data.base?.layers ?? [])];
  const max = limit("branchLayersMax");
  if (layers.length > max) throw plinthError("LimitExceeded", { what: "Branches made from one another", actual: layers.length, max });
  // The whole chain is pinned for this branch: what becomes of the branches between does not matter to it.
  const pins = layers.map((layer): Pin => {
    const range = new KeySpace({ tenant: scope.tenant, branch: layer.branch }).data();
    return { id: Buffer.from(host.ids.random(PIN_ID_BYTES)), range, at: layer.at };
  });
  // A schema that was being prepared in the base goes on there; nobody would finish it here.
  const { catalogue } = withoutPending(from);
  const ownBase = {
    layers,
    tablesEnd: from.data.nextTable,
    indexesEnd: from.data.nextIndex,
    pins: pins.map(({ id }) => Buffer.from(id).toString("hex")),
  };
  // Cursors of one branch are of no use in another.
  const cursorSecret = Buffer.from(transaction.catalogue.newSecret()).toString("base64");
  await transaction.view.layOver(ownBase, { keys: transaction.keys, store: host.store });
  transaction.catalogue.begin(catalogue.change({ cursorSecret, base: ownBase, watched: [] }));
  transaction.pin(pins);
  return at;
}

/** The look is part of what the transaction read, so that a first write at the same moment is a conflict. */
async function refuseFilled({ view, keys, scope }: OpenTransaction): Promise<void> {
  const { entries } = await view.range({ range: keys.data(), order: "asc", limit: 1 });
  if (entries.length > 0) throw plinthError("AlreadyExists", { what: `Data of the branch ${scope.branch}` });
}

async function catalogueAt({ store, catalogues }: BaseHost, base: Scope, at: Timestamp): Promise<Catalogue> {
  const keys = new KeySpace({ tenant: base.tenant, branch: base.branch });
  const snapshot = await store.snapshot(at);
  try {
    return await catalogues.load({ snapshot, get: (key) => snapshot.get(key) }, keys);
  } finally {
    snapshot.release();
  }
}
