/**
 * Tokens of service accounts: what a handler calls back with. They end after `serviceTokenMs`; the store holds digests only. One
 * token serves all calls of an account until half its time is over, so that most calls write nothing.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { SERVICE_ACCOUNTS, SERVICE_TOKENS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ServiceAccount } from "./snap-ins.ts";

const PREFIX = "pls_";

export class ServiceTokens {
  readonly #database: Database;
  readonly #runtime: Runtime;
  readonly #issued = new Map<string, { readonly token: Promise<string>; readonly freshUntilMs: number }>();

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** A token that is good for at least half of its time. */
  issue(scope: Scope, accountId: string): Promise<string> {
    const key = `${scope.tenant}/${scope.branch}/${accountId}`;
    const known = this.#issued.get(key);
    if (known !== undefined && known.freshUntilMs > this.#runtime.nowMs()) return known.token;
    if (this.#issued.size >= limit("cachedServiceTokensMax")) this.#issued.clear();
    const token = this.#make(scope, accountId);
    this.#issued.set(key, { token, freshUntilMs: this.#runtime.nowMs() + limit("serviceTokenMs") / 2 });
    token.catch(() => this.#issued.delete(key));
    return token;
  }

  /** The account of a token of this branch; undefined when it is not one, or has ended. */
  async verify(scope: Scope, token: string): Promise<ServiceAccount | undefined> {
    const match = /^pls_(sa_[0-9a-f]{32})_[A-Za-z0-9_-]{43}$/.exec(token);
    const accountId = match?.[1];
    if (accountId === undefined) return undefined;
    return await this.#database.read(scope, async ({ records }) => {
      const row = await records.get(SERVICE_TOKENS, [accountId, digestOf(token)]);
      if (row === undefined || row.expiresMs <= this.#runtime.nowMs()) return undefined;
      const account = await records.get(SERVICE_ACCOUNTS, [accountId]);
      if (account === undefined) return undefined;
      const { snapInId: _, ...rest } = account;
      return rest;
    });
  }

  /** The account has ended: its tokens are not given out any more. */
  forget(scope: Scope, accountId: string): void {
    this.#issued.delete(`${scope.tenant}/${scope.branch}/${accountId}`);
  }

  async #make(scope: Scope, accountId: string): Promise<string> {
    const token = `${PREFIX}${accountId}_${Buffer.from(this.#runtime.randomBytes(32)).toString("base64url")}`;
    const nowMs = this.#runtime.nowMs();
    await this.#database.update(scope, async ({ records }) => {
      if ((await records.get(SERVICE_ACCOUNTS, [accountId])) === undefined) throw plinthError("NotFound", { what: "service account" });
      for (const { key, value } of await records.range(SERVICE_TOKENS, { prefix: [accountId], limit: limit("serviceTokensPerAccountMax") }))
        if (value.expiresMs <= nowMs) records.delete(SERVICE_TOKENS, key);
      records.put(SERVICE_TOKENS, [accountId, digestOf(token)], { expiresMs: nowMs + limit("serviceTokenMs") });
    });
    return token;
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
