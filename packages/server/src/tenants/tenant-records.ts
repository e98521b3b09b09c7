/** Rows of tenants and keys, and the strict readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { KeyScope } from "../engine/invocation.ts";

export interface Tenant {
  readonly name: string;
  readonly createdMs: number;
  /** Public functions need a key with the scope `invoke`. */
  readonly requireKey: boolean;
  /** A deleted tenant leaves its row behind, so that nobody else gets its name and with it its data. */
  readonly deletedMs: number | null;
}

/** A key as it is stored: never the secret, only its digest. */
export interface KeyRecord {
  readonly id: string;
  readonly tenant: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  /** sha-256 of the whole key, in hexadecimal. */
  readonly sha256: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

export const KEY_SCOPES: readonly KeyScope[] = ["admin", "deploy", "invoke", "read"];

export function isKeyScope(value: unknown): value is KeyScope {
  return (KEY_SCOPES as readonly unknown[]).includes(value);
}

export function parseTenant(json: unknown): Tenant {
  const row = json as Tenant;
  assert(
    typeof row.name === "string" && typeof row.createdMs === "number" && typeof row.requireKey === "boolean",
    "a stored tenant has its fields",
  );
  return row;
}

export function parseKeyRecord(json: unknown): KeyRecord {
  const row = json as KeyRecord;
  assert(typeof row.id === "string" && typeof row.tenant === "string" && /^[0-9a-f]{64}$/.test(row.sha256), "a stored key has its fields");
  assert(Array.isArray(row.scopes) && row.scopes.every(isKeyScope), "a stored key has known scopes");
  return row;
}

/** A row that only says that it exists. */
export function parseMark(json: unknown): true {
  assert(json === true, "a mark is true");
  return true;
}
