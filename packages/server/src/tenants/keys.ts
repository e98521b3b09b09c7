/**
 * API keys. A key is `plk_<id>_<secret>` with 256 random bits of secret; it is shown once, and only its
 * sha-256 is stored. Every use looks the row up (in memory after the first time), so a revoked key is
 * refused from the moment that its revocation is acknowledged.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database } from "../database/database.ts";
import { KEYS, KEYS_BY_TENANT, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { KeyScope } from "../engine/invocation.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KeyRecord } from "./tenant-records.ts";

const TOKEN = /^plk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** Whether a text has the form of a key, valid or not. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith("plk_");
}

export class Keys {
  readonly #database: Database;
  readonly #runtime: Runtime;
  readonly #cache = new Map<string, KeyRecord>();
  readonly #revocationListeners = new Set<(keyId: string) => void>();
  #generation = 0;

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** The key's record, or undefined when it is unknown, revoked or expired. */
  async authenticate(token: string): Promise<KeyRecord | undefined> {
    const id = TOKEN.exec(token)?.[1];
    if (id === undefined) return undefined;
    const record = this.#cache.get(id) ?? (await this.#load(id));
    if (record === undefined || !sameDigest(digestOf(token), record.sha256)) return undefined;
    return record.expiresMs !== null && record.expiresMs <= this.#runtime.nowMs() ? undefined : record;
  }

  /** Makes a key. The token is in the result and nowhere else. */
  async create(request: {
    readonly tenant: string;
    readonly name: string;
    readonly scopes: readonly KeyScope[];
    readonly expiresMs: number | null;
  }): Promise<{ readonly record: KeyRecord; readonly token: string }> {
    const id = Buffer.from(this.#runtime.randomBytes(8)).toString("hex");
    const token = `plk_${id}_${Buffer.from(this.#runtime.randomBytes(32)).toString("base64url")}`;
    const record: KeyRecord = {
      id,
      tenant: request.tenant,
      name: request.name,
      scopes: request.scopes,
      sha256: digestOf(token).toString("hex"),
      createdMs: this.#runtime.nowMs(),
      expiresMs: request.expiresMs,
    };
    await this.#database.update(PLATFORM_SCOPE, async (transaction) => {
      const existing = await transaction.records.range(KEYS_BY_TENANT, { prefix: [record.tenant], limit: limit("keysPerTenantMax") });
      if (existing.length >= limit("keysPerTenantMax")) {
        throw plinthError("RequestTooLarge", { what: "list of keys", actual: existing.length + 1, max: limit("keysPerTenantMax") });
      }
      transaction.records.put(KEYS, [id], record);
      transaction.records.put(KEYS_BY_TENANT, [record.tenant, id], true);
    });
    return { record, token };
  }

  async list(tenant: string): Promise<readonly KeyRecord[]> {
    return this.#database.read(PLATFORM_SCOPE, async (transaction) => {
      const marks = await transaction.records.range(KEYS_BY_TENANT, { prefix: [tenant], limit: limit("keysPerTenantMax") });
      const records = await Promise.all(marks.map((mark) => transaction.records.get(KEYS, [String(mark.key[1])])));
      return records.filter((record) => record !== undefined);
    });
  }

  /** Revokes a key of the tenant; false when it has none of that id. */
  async revoke(tenant: string, id: string): Promise<boolean> {
    const revoked = await this.#database.update(PLATFORM_SCOPE, async (transaction) => {
      if ((await transaction.records.get(KEYS_BY_TENANT, [tenant, id])) === undefined) return false;
      transaction.records.delete(KEYS, [id]);
      transaction.records.delete(KEYS_BY_TENANT, [tenant, id]);
      return true;
    });
    if (revoked) this.#forget(id);
    return revoked;
  }

  async revokeAll(tenant: string): Promise<void> {
    for (const record of await this.list(tenant)) await this.revoke(tenant, record.id);
  }

  /** Calls `listener` with the id of each key that is revoked; event streams end by it. */
  onRevoked(listener: (keyId: string) => void): () => void {
    this.#revocationListeners.add(listener);
    return () => this.#revocationListeners.delete(listener);
  }

  async #load(id: string): Promise<KeyRecord | undefined> {
    const generation = this.#generation;
    const record = await this.#database.read(PLATFORM_SCOPE, (transaction) => transaction.records.get(KEYS, [id]));
    if (record !== undefined && generation === this.#generation) {
      if (this.#cache.size >= limit("cachedKeysMax")) this.#cache.clear();
      this.#cache.set(id, record);
    }
    return record;
  }

  #forget(id: string): void {
    this.#generation++;
    this.#cache.delete(id);
    for (const listener of this.#revocationListeners) listener(id);
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function sameDigest(digest: Buffer, storedHex: string): boolean {
  return timingSafeEqual(digest, Buffer.from(storedHex, "hex"));
}
