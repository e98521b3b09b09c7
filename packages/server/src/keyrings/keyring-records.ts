/** Rows of keyrings, and the strict readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Envelope } from "./encryption.ts";
import type { Keyring } from "./keyrings.ts";

/** A keyring as it is stored. */
export interface KeyringRow extends Keyring {
  /** JSON of StoredSecret, encrypted; null until there is one. */
  readonly secret: Envelope | null;
  /** JSON of PendingOauth, encrypted; null when nobody is signing in. */
  readonly pending: Envelope | null;
  /** Grows with each sign-in, so that a refresh of an older one does not replace what is newer. */
  readonly grant: number;
  /** A refresh that began and has not ended; after `untilMs` its owner is gone. */
  readonly refresh: { readonly owner: string; readonly untilMs: number } | null;
}

/** What the envelope `secret` holds. */
export interface StoredSecret {
  /** What is delivered: the secret, or the access token. */
  readonly secret: string;
  readonly refreshToken: string | null;
  /** Values of the type's fields, and SUBDOMAIN. */
  readonly fields: Readonly<Record<string, string>>;
  /** Scopes that were asked for, joined. */
  readonly scope: string;
}

/** What the envelope `pending` holds: what is needed when the browser comes back. */
export interface PendingOauth {
  readonly stateDigest: string;
  readonly expiresMs: number;
  readonly redirectUri: string;
  readonly verifier: string | null;
  readonly fields: Readonly<Record<string, string>>;
  readonly scope: string;
}

/** Where a state leads. Key: sha-256 of the state, in hexadecimal. */
export interface OauthStateRow {
  readonly tenant: string;
  readonly branch: string;
  readonly keyring: string;
}

export function parseKeyringRow(json: unknown): KeyringRow {
  const row = json as KeyringRow;
  assert(typeof row.id === "string" && typeof row.name === "string" && typeof row.type === "string", "a stored keyring has its names");
  assert(isEnvelopeOrNull(row.secret) && isEnvelopeOrNull(row.pending), "a stored keyring is encrypted");
  assert(["active", "expired", "revoked", "pending"].includes(row.state), "a stored keyring has a known state");
  return row;
}

/** Key: owner (null = the organisation), name. */
export function parseKeyringName(json: unknown): string {
  assert(typeof json === "string", "a name leads to the id of a keyring");
  return json;
}

export function parseKeyringType(json: unknown): KeyringTypeSpec {
  const row = json as KeyringTypeSpec;
  assert(typeof row.id === "string" && (row.kind === "secret" || row.kind === "oauth2"), "a stored type has its id and kind");
  return row;
}

export function parseOauthState(json: unknown): OauthStateRow {
  const row = json as OauthStateRow;
  assert(typeof row.tenant === "string" && typeof row.branch === "string" && typeof row.keyring === "string", "a state leads to a keyring");
  return row;
}

function isEnvelopeOrNull(value: Envelope | null): boolean {
  return value === null || (typeof value.keyId === "string" && typeof value.nonce === "string" && typeof value.data === "string");
}
