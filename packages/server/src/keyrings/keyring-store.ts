/** Rows of keyrings in the store: found by id and by name, sealed and opened. */
import { compareBytes } from "@plinth/core/documents/keys.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Database, Scope, Transaction } from "../database/database.ts";
import { KEYRING_NAMES, KEYRING_PLACES, KEYRING_TYPES, KEYRINGS, OAUTH_STATES } from "../database/record-tables.ts";
import type { Store } from "../store/store.ts";
import type { Envelope, KeyRing } from "./encryption.ts";
import type { KeyringRow, PendingOauth, StoredSecret } from "./keyring-records.ts";
import { builtInType } from "./keyring-types.ts";
import type { KeyringOwner } from "./keyrings.ts";

export class KeyringStore {
  readonly database: Database;
  readonly ring: KeyRing;

  readonly #commits: Pick<Store, "onCommit">;

  constructor(options: { readonly database: Database; readonly commits: Pick<Store, "onCommit">; readonly ring: KeyRing }) {
    this.#commits = options.commits;
    this.database = options.database;
    this.ring = options.ring;
  }

  /** The row of a name, in the transaction. A user's keyring is found with that user as the owner only. */
  async named(transaction: Transaction, owner: KeyringOwner, name: string): Promise<KeyringRow | undefined> {
    const id = await transaction.records.get(KEYRING_NAMES, nameKey(owner, name));
    return id === undefined ? undefined : await transaction.records.get(KEYRINGS, [id]);
  }

  async get(scope: Scope, id: string): Promise<KeyringRow | undefined> {
    return await this.database.read(scope, (transaction) => transaction.records.get(KEYRINGS, [id]));
  }

  /** Adds a keyring; throws AlreadyExists when its owner has one of that name. */
  async add(transaction: Transaction, row: KeyringRow): Promise<void> {
    const { records } = transaction;
    if ((await records.get(KEYRING_NAMES, nameKey(row.owner, row.name))) !== undefined)
      throw plinthError("AlreadyExists", { what: `A keyring '${row.name}' of this owner` });
    const max = limit("keyringsPerBranchMax");
    const existing = await records.range(KEYRING_NAMES, { prefix: [], limit: max });
    if (existing.length >= max) throw plinthError("RequestTooLarge", { what: "list of keyrings", actual: existing.length + 1, max });
    records.put(KEYRING_NAMES, nameKey(row.owner, row.name), row.id);
    records.put(KEYRING_PLACES, placeKey(transaction.scope, row.id), true);
    records.put(KEYRINGS, [row.id], row);
  }

  /** Replaces a keyring that is still there; undefined when it was deleted meanwhile. */
  async change(scope: Scope, id: string, change: (row: KeyringRow) => KeyringRow): Promise<KeyringRow | undefined> {
    return await this.database.update(scope, async (transaction) => {
      const row = await transaction.records.get(KEYRINGS, [id]);
      if (row === undefined) return undefined;
      const changed = change(row);
      if (changed !== row) transaction.records.put(KEYRINGS, [id], changed);
      return changed;
    });
  }

  async delete(scope: Scope, id: string): Promise<void> {
    await this.database.update(scope, async (transaction) => {
      const row = await transaction.records.get(KEYRINGS, [id]);
      if (row === undefined) return;
      this.forgetPending(transaction, row);
      transaction.records.delete(KEYRINGS, [id]);
      transaction.records.delete(KEYRING_NAMES, nameKey(row.owner, row.name));
      transaction.records.delete(KEYRING_PLACES, placeKey(scope, id));
    });
  }

  /** Resolves at the next commit into keyrings of the branch, or when the signal aborts. */
  async nextChange(scope: Scope, signal: AbortSignal): Promise<void> {
    const { start, end } = this.database.recordRange(scope, KEYRINGS);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#commits.onCommit(({ writes }) => {
      if (writes.some(({ key }) => compareBytes(key, start) >= 0 && compareBytes(key, end) < 0)) resolve();
    });
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
    await promise.finally(stop);
  }

  /** Makes the state of an unfinished sign-in useless. */
  forgetPending(transaction: Transaction, row: KeyringRow): void {
    if (row.pending === null) return;
    // A sign-in whose key is gone cannot be finished; its state leads to a keyring that does not know it.
    if (!this.ring.has(row.pending.keyId)) return;
    transaction.records.delete(OAUTH_STATES, [this.openPending(transaction.scope, row.id, row.pending).stateDigest]);
  }

  /** The type of a name: built-in, or `<package>/<id>`; throws NotFound. */
  async type(scope: Scope, name: string): Promise<KeyringTypeSpec> {
    const type = await this.knownType(scope, name);
    const whose = name.includes("/") ? " of an installed package" : "";
    if (type === undefined) throw plinthError("NotFound", { what: `keyring type '${name.slice(0, 200)}'${whose}` });
    return type;
  }

  async knownType(scope: Scope, name: string): Promise<KeyringTypeSpec | undefined> {
    const builtIn = builtInType(name);
    if (builtIn !== undefined) return builtIn;
    const slash = name.indexOf("/");
    if (slash < 0 || name.length > limit("keyringNameCharsMax")) return undefined;
    const key = [name.slice(0, slash), name.slice(slash + 1)];
    return await this.database.read(scope, (transaction) => transaction.records.get(KEYRING_TYPES, key));
  }

  sealSecret(scope: Scope, keyring: string, secret: StoredSecret): Envelope {
    return this.ring.seal({ ...scope, keyring, field: "secret" }, JSON.stringify(secret));
  }

  openSecret(scope: Scope, keyring: string, envelope: Envelope): StoredSecret {
    return parseSealed<StoredSecret>(this.ring.open({ ...scope, keyring, field: "secret" }, envelope));
  }

  sealPending(scope: Scope, keyring: string, pending: PendingOauth): Envelope {
    return this.ring.seal({ ...scope, keyring, field: "pending" }, JSON.stringify(pending));
  }

  openPending(scope: Scope, keyring: string, envelope: Envelope): PendingOauth {
    return parseSealed<PendingOauth>(this.ring.open({ ...scope, keyring, field: "pending" }, envelope));
  }
}

/** What this host sealed and what was authenticated when it was opened has the shape that it was given. */
function parseSealed<T>(text: string): T {
  return JSON.parse(text) as T;
}

function nameKey(owner: KeyringOwner, name: string): readonly (string | null)[] {
  return [owner.user ?? null, name];
}

export function placeKey(scope: Scope, id: string): readonly string[] {
  return [scope.tenant, scope.branch, id];
}
