/**
 * Access tokens that are about to end. Y3 in detail:
 *
 * F1 Callers of one host share one refresh of a keyring. A claim in the keyring's row, committed before the request is sent, keeps
 *    other hosts, and this one after a restart, from sending another one as long as the first may still be under way.
 * F2 What a token endpoint answered is committed before anybody gets it, and the commit is tried again as long as the host lives.
 *    When the host dies between the answer and the commit, the new refresh token is lost; the older one is tried after the claim ends.
 * F3 Only the other system's word that a grant is no good makes a keyring `expired`. A failure that may pass does not.
 */
import { assert } from "@plinth/core/assert.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Scope } from "../database/database.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Log } from "../telemetry/log.ts";
import type { KeyringRow, StoredSecret } from "./keyring-records.ts";
import type { KeyringStore } from "./keyring-store.ts";
import { functionOfType, type CheckRunner } from "./check-runner.ts";
import type { OauthGrants } from "./oauth-grants.ts";
import { jsonOf, type Answer } from "./outside-calls.ts";
import { parseTokens, saysGrantIsInvalid, type Tokens } from "./parse-answers.ts";

export interface RefresherOptions {
  readonly store: KeyringStore;
  readonly grants: OauthGrants;
  readonly checks: CheckRunner;
  readonly runtime: Runtime;
  readonly log: Log;
}

type Claim =
  | { readonly kind: "gone" }
  | { readonly kind: "fresh" | "claimed" | "ended"; readonly row: KeyringRow }
  | { readonly kind: "taken"; readonly row: KeyringRow; readonly untilMs: number };

interface Arrived {
  readonly grant: number;
  readonly secret: StoredSecret;
  readonly expiresMs: number | null;
}

const SAVE_ATTEMPTS = 5;

export class Refresher {
  readonly #options: RefresherOptions;
  readonly #flights = new Map<string, Promise<KeyringRow | undefined>>();
  /** Tokens that arrived and could not be stored (F2). */
  readonly #unsaved = new Map<string, Arrived>();
  /** Failures that may pass; until then nobody asks again. */
  readonly #failed = new Map<string, { readonly untilMs: number; readonly error: PlinthError }>();
  readonly #owner: string;
  readonly #closed = new AbortController();

  constructor(options: RefresherOptions) {
    this.#options = options;
    this.#owner = Buffer.from(options.runtime.randomBytes(12)).toString("hex");
  }

  needsRefresh(row: KeyringRow): boolean {
    return row.expiresMs !== null && row.expiresMs - limit("keyringRefreshMarginMs") <= this.#nowMs();
  }

  /** The keyring with a token that has not ended; undefined when it is gone meanwhile. F1 */
  async refresh(scope: Scope, current: KeyringRow): Promise<KeyringRow | undefined> {
    const { id } = current;
    const key = JSON.stringify([scope.tenant, scope.branch, id, current.grant]);
    const failed = this.#failed.get(key);
    if (failed !== undefined && failed.untilMs > this.#nowMs()) {
      if (this.#stillValid(current)) return current;
      throw failed.error;
    }
    this.#failed.delete(key);
    const running = this.#flights.get(key);
    if (running !== undefined) return await running;
    const flight = this.#refresh(scope, id, key).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return await flight;
  }

  async close(): Promise<void> {
    this.#closed.abort(plinthError("ShuttingDown", {}));
    await Promise.allSettled(this.#flights.values());
  }

  async #refresh(scope: Scope, id: string, key: string): Promise<KeyringRow | undefined> {
    const unsaved = this.#unsaved.get(key);
    if (unsaved !== undefined) return await this.#save(scope, id, { key, arrived: unsaved });
    for (;;) {
      const claim = await this.#claim(scope, id);
      switch (claim.kind) {
        case "gone":
          return undefined;
        case "fresh":
          return claim.row;
        case "ended":
          throw plinthError("KeyringExpired", { name: claim.row.name });
        case "taken":
          if (this.#stillValid(claim.row)) return claim.row;
          await this.#claimEnd(scope, claim);
          continue;
        case "claimed":
          return await this.#perform(scope, claim.row, key);
      }
    }
  }

  /** Waits until the claim of another host may have ended: at a change of a keyring, at the latest at its time. */
  async #claimEnd(scope: Scope, { row, untilMs }: { readonly row: KeyringRow; readonly untilMs: number }): Promise<void> {
    this.#closed.signal.throwIfAborted();
    const enough = new AbortController();
    const timer = this.#options.runtime.timer(untilMs - this.#nowMs(), () => enough.abort());
    const changed = this.#options.store.nextChange(scope, AbortSignal.any([enough.signal, this.#closed.signal]));
    try {
      // It may have changed before anybody listened.
      const now = await this.#options.store.get(scope, row.id);
      if (now?.refresh?.owner !== row.refresh?.owner) return;
      await changed;
    } finally {
      timer.cancel();
      enough.abort();
      await changed;
    }
  }

  async #claim(scope: Scope, id: string): Promise<Claim> {
    let claim: Claim = { kind: "gone" };
    const row = await this.#options.store.change(scope, id, (current) => {
      if (current.state === "expired") return ((claim = { kind: "ended", row: current }), current);
      if (current.state !== "active" || current.secret === null) return ((claim = { kind: "gone" }), current);
      if (!this.needsRefresh(current)) return ((claim = { kind: "fresh", row: current }), current);
      const nowMs = this.#nowMs();
      const other = current.refresh;
      if (other !== null && other.owner !== this.#owner && other.untilMs > nowMs)
        return ((claim = { kind: "taken", row: current, untilMs: other.untilMs }), current);
      const claimed = { ...current, refresh: { owner: this.#owner, untilMs: nowMs + limit("keyringRefreshClaimMs") } };
      return ((claim = { kind: "claimed", row: claimed }), claimed);
    });
    return row === undefined ? { kind: "gone" } : claim;
  }

  async #perform(scope: Scope, row: KeyringRow, key: string): Promise<KeyringRow | undefined> {
    const { store } = this.#options;
    assert(row.secret !== null, "a claimed keyring has a secret");
    const old = store.openSecret(scope, row.id, row.secret);
    if (old.refreshToken === null) {
      // Nothing to ask with; the token serves until its very end.
      if (this.#stillValid(row)) return await this.#giveUp(scope, row.id);
      return await this.#expire(scope, row);
    }
    let answer;
    try {
      answer = await this.#ask(scope, row, old);
    } catch (error) {
      return await this.#unavailable(scope, row, { key, error });
    }
    const json = jsonOf(answer);
    const tokens = answer.status >= 200 && answer.status < 300 ? parseTokens(json) : undefined;
    if (tokens !== undefined) return await this.#save(scope, row.id, { key, arrived: this.#arrived(row, old, tokens) });
    if (saysGrantIsInvalid(answer.status, json)) return await this.#expire(scope, row);
    const detail = `its token endpoint answers ${answer.status} without a token`;
    return await this.#unavailable(scope, row, { key, error: plinthError("KeyringUnavailable", { detail }) });
  }

  /** What the token endpoint, or the type's function in its place, answers. */
  async #ask(scope: Scope, row: KeyringRow, secret: StoredSecret): Promise<Answer> {
    const { store, grants, checks } = this.#options;
    const type = await store.type(scope, row.type);
    const about = { check: "refresh", keyring: row.id, name: row.name, type: row.type } as const;
    if (type.refreshFunction === undefined)
      return await checks.run(scope, about, (fetch) => grants.refresh(scope, row, { type, secret, fetch }));
    const { secret: accessToken, refreshToken, fields } = secret;
    const answer = await checks.call(scope, about, {
      function: functionOfType(row.type, type.refreshFunction),
      credential: { access_token: accessToken, refresh_token: refreshToken, fields, scope: secret.scope },
      secrets: [accessToken, ...(refreshToken === null ? [] : [refreshToken]), ...Object.values(fields)],
    });
    return { status: 200, text: JSON.stringify(answer) };
  }

  #arrived(row: KeyringRow, old: StoredSecret, tokens: Tokens): Arrived {
    return {
      grant: row.grant,
      // A server that keeps the refresh token does not send it again.
      secret: { ...old, secret: tokens.accessToken, refreshToken: tokens.refreshToken ?? old.refreshToken },
      expiresMs: tokens.expiresInS === null ? null : this.#nowMs() + tokens.expiresInS * 1000,
    };
  }

  /** F2 */
  async #save(scope: Scope, id: string, { key, arrived }: { readonly key: string; readonly arrived: Arrived }) {
    this.#unsaved.set(key, arrived);
    for (let attempt = 1; ; attempt++) {
      try {
        const saved = await this.#options.store.change(scope, id, (row) => this.#withTokens(scope, row, arrived));
        this.#unsaved.delete(key);
        return saved;
      } catch (error) {
        if (attempt === SAVE_ATTEMPTS) throw error;
        await this.#options.runtime.sleep(50 * 2 ** attempt);
      }
    }
  }

  #withTokens(scope: Scope, row: KeyringRow, { grant, secret, expiresMs }: Arrived): KeyringRow {
    // Revoked, or signed in anew, while the answer was under way.
    if (row.grant !== grant || (row.state !== "active" && row.state !== "expired")) return row;
    const sealed = this.#options.store.sealSecret(scope, row.id, secret);
    return { ...row, secret: sealed, expiresMs, state: "active", refresh: null, updatedMs: this.#nowMs() };
  }

  /** F3 */
  async #unavailable(
    scope: Scope,
    row: KeyringRow,
    { key, error }: { readonly key: string; readonly error: unknown },
  ): Promise<KeyringRow | undefined> {
    const known =
      error instanceof PlinthError ? error : plinthError("KeyringUnavailable", { detail: "the request failed" }, { cause: error });
    if (this.#failed.size >= limit("keyringsPerBranchMax")) this.#failed.clear();
    this.#failed.set(key, { untilMs: this.#nowMs() + limit("keyringRefreshPauseMs"), error: known });
    const current = await this.#giveUp(scope, row.id);
    if (this.#stillValid(row)) return current;
    throw known;
  }

  async #giveUp(scope: Scope, id: string): Promise<KeyringRow | undefined> {
    return await this.#options.store.change(scope, id, (row) => (row.refresh?.owner === this.#owner ? { ...row, refresh: null } : row));
  }

  async #expire(scope: Scope, { id, name, grant }: KeyringRow): Promise<never> {
    const updatedMs = this.#nowMs();
    await this.#options.store.change(scope, id, (row) =>
      row.grant === grant && row.state === "active" ? { ...row, state: "expired", refresh: null, updatedMs } : row,
    );
    this.#options.log.info({ tenant: scope.tenant, branch: scope.branch, keyring: id }, "a keyring has expired");
    throw plinthError("KeyringExpired", { name });
  }

  #stillValid(row: KeyringRow): boolean {
    return row.expiresMs !== null && row.expiresMs > this.#nowMs();
  }

  #nowMs(): number {
    return this.#options.runtime.nowMs();
  }
}
