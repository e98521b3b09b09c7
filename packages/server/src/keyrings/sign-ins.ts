/**
 * Signing in with OAuth 2: sending the browser away, and taking what it brings back. A state is random, works once and for some
 * minutes, and only its digest is stored; a keyring has at most one, so a newer sign-in ends an older one.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { KeyringTypeSpec } from "@plinth/core/manifest/manifest.ts";
import type { Scope } from "../database/database.ts";
import { KEYRINGS, OAUTH_STATES, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { KeyringRow, PendingOauth, StoredSecret } from "./keyring-records.ts";
import { newRow, organizationsOf } from "./keyring-rows.ts";
import type { KeyringStore } from "./keyring-store.ts";
import { checkFields } from "./keyring-types.ts";
import type { Keyrings } from "./keyrings.ts";
import type { OauthGrants } from "./oauth-grants.ts";
import { usesPkce } from "./oauth-requests.ts";
import type { SecretChecks } from "./secret-checks.ts";

type StartOauth = Parameters<Keyrings["startOauth"]>[1];

export interface SignInsOptions {
  readonly store: KeyringStore;
  readonly grants: OauthGrants;
  readonly checks: SecretChecks;
  readonly runtime: Runtime;
}

export class SignIns {
  readonly #options: SignInsOptions;

  constructor(options: SignInsOptions) {
    this.#options = options;
  }

  async start(scope: Scope, request: StartOauth) {
    const type = await this.#options.store.type(scope, request.type);
    if (type.kind !== "oauth2")
      throw plinthError("BadRequest", { detail: `The keyring type '${request.type}' takes a secret; there is nobody to sign in with.` });
    const state = this.#randomText(32);
    const pending: PendingOauth = {
      stateDigest: digestOf(state),
      expiresMs: this.#nowMs() + limit("oauthStateMsMax"),
      redirectUri: request.redirectUri,
      verifier: usesPkce(type) ? this.#randomText(48) : null,
      fields: checkFields(type, request.fields ?? {}),
      scope: scopesOf(type, request.scopes),
    };
    const fresh = newRow(request, "oauth2", this.#options.runtime);
    // Before anything is stored: it fails when the type cannot be used.
    await this.#options.grants.authorizeUrl(scope, { row: fresh, type, pending, state });
    const id = await this.#options.store.database.update(scope, async (transaction) => {
      // An existing keyring is connected again; it serves on with what it has until then.
      const existing = await this.#options.store.named(transaction, fresh.owner, fresh.name);
      if (existing !== undefined && (existing.type !== fresh.type || existing.state === "revoked"))
        throw plinthError("AlreadyExists", { what: `A keyring '${fresh.name}' of this owner` });
      const row = existing ?? fresh;
      const sealed = { ...row, pending: this.#options.store.sealPending(scope, row.id, pending) };
      if (existing === undefined) await this.#options.store.add(transaction, sealed);
      else {
        this.#options.store.forgetPending(transaction, existing);
        transaction.records.put(KEYRINGS, [row.id], sealed);
      }
      transaction.records.put(OAUTH_STATES, [pending.stateDigest], { ...scope, keyring: row.id });
      return row.id;
    });
    return { id, state, authorizeUrl: await this.#options.grants.authorizeUrl(scope, { row: { ...fresh, id }, type, pending, state }) };
  }

  /** The keyring, connected. */
  async finish({
    state,
    code,
  }: {
    readonly state: string;
    readonly code: string;
  }): Promise<{ readonly scope: Scope; readonly row: KeyringRow }> {
    const { scope, row, pending } = await this.#takeState(state);
    const type = await this.#options.store.type(scope, row.type);
    const tokens = await this.#options.grants.exchange(scope, row, { pending, code });
    const secret: StoredSecret = {
      secret: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      fields: pending.fields,
      scope: pending.scope,
    };
    const expiresMs = tokens.expiresInS === null ? null : this.#nowMs() + tokens.expiresInS * 1000;
    const values = await this.#options.grants.values(scope, row, { type, secret });
    const credential = { secret: tokens.accessToken, fields: pending.fields, values };
    const organizations = organizationsOf(await this.#options.checks.check(scope, row, type, credential));
    const sealed = this.#options.store.sealSecret(scope, row.id, secret);
    const updatedMs = this.#nowMs();
    const stored = await this.#options.store.change(scope, row.id, (current) =>
      current.state === "revoked"
        ? current
        : { ...current, ...organizations, state: "active", secret: sealed, expiresMs, updatedMs, refresh: null, grant: current.grant + 1 },
    );
    if (stored === undefined || stored.state === "revoked") throw plinthError("NotFound", { what: `keyring '${row.id}'` });
    return { scope, row: stored };
  }

  /** A state works once: it is gone when this resolves, whatever comes after. */
  async #takeState(state: string) {
    const unknown = plinthError("BadRequest", { detail: "This sign-in is unknown, was used already or took too long; start it again." });
    const digest = digestOf(state);
    const found = await this.#options.store.database.read(PLATFORM_SCOPE, ({ records }) => records.get(OAUTH_STATES, [digest]));
    if (found === undefined) throw unknown;
    const scope = { tenant: found.tenant, branch: found.branch };
    const taken = await this.#options.store.database.update(scope, async ({ records }) => {
      if ((await records.get(OAUTH_STATES, [digest])) === undefined) return undefined;
      records.delete(OAUTH_STATES, [digest]);
      const row = await records.get(KEYRINGS, [found.keyring]);
      if (row === undefined || row.pending === null) return undefined;
      const pending = this.#options.store.openPending(scope, row.id, row.pending);
      if (pending.stateDigest !== digest) return undefined;
      const without = { ...row, pending: null };
      records.put(KEYRINGS, [row.id], without);
      return { row: without, pending };
    });
    if (taken === undefined || taken.pending.expiresMs <= this.#nowMs()) throw unknown;
    return { scope, ...taken };
  }

  #randomText(bytes: number): string {
    return Buffer.from(this.#options.runtime.randomBytes(bytes)).toString("base64url");
  }

  #nowMs(): number {
    return this.#options.runtime.nowMs();
  }
}

/** Scopes that are asked for: those chosen among the declared ones, or all of them. */
function scopesOf(type: KeyringTypeSpec, chosen: readonly string[] | undefined): string {
  const declared = type.scopes.map(({ value }) => value);
  const unknown = chosen?.find((scope) => !declared.includes(scope));
  if (unknown !== undefined) throw plinthError("BadRequest", { detail: `The keyring type has no scope '${unknown.slice(0, 100)}'.` });
  return (chosen ?? declared).join(type.scopeDelimiter);
}

function digestOf(state: string): string {
  return createHash("sha256").update(state).digest("hex");
}
