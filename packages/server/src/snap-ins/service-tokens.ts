/**
 * Tokens of service accounts: what a handler calls back with. They end after `serviceTokenMs`; the store holds digests only. One
 * token serves all calls of an account until half its time is over, so that most calls write nothing.
 *
 * T1 A token says where it belongs (tenant and branch), so that a client needs nothing but the token; what it says opens nothing
 *    unless the digest lies there.
 * T2 A token that stands for a user has the scopes of the account's `impersonate` section and no others.
 * T3 An account has a bounded number of tokens that are good: who asks for them in a loop is refused.
 */
import { createHash } from "node:crypto";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, Scope } from "../database/database.ts";
import { SERVICE_ACCOUNTS, SERVICE_TOKENS } from "../database/record-tables.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { ServiceAccountRow, ServiceTokenRow } from "./snap-in-records.ts";
import type { ServiceAccount } from "./snap-ins.ts";

const PREFIX = "pls_";
const FORM = /^pls_(sa_[0-9a-f]{32})_[A-Za-z0-9_-]{43}(?:\.([A-Za-z0-9_-]{1,300}))?$/;
const PLACE = /^([a-z0-9][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9._-]{0,62})$/;

/** Who holds a token. */
export interface TokenHolder {
  readonly account: ServiceAccount;
  readonly snapInId: string;
  /** The user that it stands for; null for the account itself. */
  readonly user: string | null;
  /** `object:permission`. */
  readonly scopes: readonly string[];
}

/** A token that is made on demand, and when it ends. */
export interface IssuedToken {
  readonly token: string;
  readonly expiresMs: number;
}

export class ServiceTokens {
  readonly #database: Database;
  readonly #runtime: Runtime;
  readonly #issued = new Map<string, { readonly token: Promise<string>; readonly freshUntilMs: number }>();

  constructor(options: { readonly database: Database; readonly runtime: Runtime }) {
    this.#database = options.database;
    this.#runtime = options.runtime;
  }

  /** A token that is good for at least half of its time; of the account, or of a user for whom it acts (T2). */
  issue(scope: Scope, accountId: string, user?: string): Promise<string> {
    const key = JSON.stringify([scope.tenant, scope.branch, accountId, user ?? null]);
    const known = this.#issued.get(key);
    if (known !== undefined && known.freshUntilMs > this.#runtime.nowMs()) return known.token;
    if (this.#issued.size >= limit("cachedServiceTokensMax")) this.#issued.clear();
    const token = this.create(scope, accountId, user === undefined ? {} : { user }).then(({ token: made }) => made);
    this.#issued.set(key, { token, freshUntilMs: this.#runtime.nowMs() + limit("serviceTokenMs") / 2 });
    token.catch(() => this.#issued.delete(key));
    return token;
  }

  /** A token of its own; `lifeMs` may only shorten its time. */
  async create(scope: Scope, accountId: string, options: { readonly user?: string; readonly lifeMs?: number } = {}): Promise<IssuedToken> {
    const secret = Buffer.from(this.#runtime.randomBytes(32)).toString("base64url");
    const place = Buffer.from(`${scope.tenant}/${scope.branch}`).toString("base64url");
    const token = `${PREFIX}${accountId}_${secret}.${place}`;
    const nowMs = this.#runtime.nowMs();
    const expiresMs = nowMs + Math.min(options.lifeMs ?? limit("serviceTokenMs"), limit("serviceTokenMs"));
    const { user } = options;
    await this.#database.update(scope, async ({ records }) => {
      if ((await records.get(SERVICE_ACCOUNTS, [accountId])) === undefined) throw plinthError("NotFound", { what: "service account" });
      const max = limit("serviceTokensPerAccountMax");
      const rows = await records.range(SERVICE_TOKENS, { prefix: [accountId], limit: max });
      const ended = rows.filter(({ value }) => value.expiresMs <= nowMs);
      for (const { key } of ended) records.delete(SERVICE_TOKENS, key);
      // T3
      if (rows.length - ended.length >= max)
        throw plinthError("TooManyConcurrentRequests", { detail: `${max} tokens of the service account are good at this time` });
      records.put(SERVICE_TOKENS, [accountId, digestOf(token)], { expiresMs, ...(user === undefined ? {} : { user }) });
    });
    return { token, expiresMs };
  }

  /** The account of a token of this branch; undefined when it is not one, or has ended. */
  async verify(scope: Scope, token: string): Promise<ServiceAccount | undefined> {
    return (await this.holder(scope, token))?.account;
  }

  /** Who holds a token of this branch; undefined when it is not one, or has ended. */
  async holder(scope: Scope, token: string): Promise<TokenHolder | undefined> {
    const accountId = FORM.exec(token)?.[1];
    if (accountId === undefined) return undefined;
    return await this.#database.read(scope, async ({ records }) => {
      const row = await records.get(SERVICE_TOKENS, [accountId, digestOf(token)]);
      if (row === undefined || row.expiresMs <= this.#runtime.nowMs()) return undefined;
      const account = await records.get(SERVICE_ACCOUNTS, [accountId]);
      return account === undefined ? undefined : holderOf(account, row);
    });
  }

  /** The account has ended: its tokens are not given out any more. */
  forget(scope: Scope, accountId: string): void {
    const prefix = JSON.stringify([scope.tenant, scope.branch, accountId]).slice(0, -1);
    for (const key of this.#issued.keys()) if (key.startsWith(`${prefix},`)) this.#issued.delete(key);
  }
}

/** Whether a credential has the form of a token; says nothing about whether it is one. */
export function looksLikeServiceToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** T1: where a token says that it belongs. Hostile. */
export function placeOf(token: string): Scope | undefined {
  const place = FORM.exec(token)?.[2];
  if (place === undefined) return undefined;
  const match = PLACE.exec(Buffer.from(place, "base64url").toString("utf8"));
  return match?.[1] === undefined || match[2] === undefined ? undefined : { tenant: match[1], branch: match[2] };
}

function holderOf({ snapInId, ...account }: ServiceAccountRow, row: ServiceTokenRow): TokenHolder {
  const user = row.user ?? null;
  const scopes = user === null ? account.scopes : account.impersonate.flatMap((entry) => entry.scopes);
  return { account, snapInId, user, scopes };
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
