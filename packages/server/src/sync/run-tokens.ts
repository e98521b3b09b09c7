/**
 * Tokens in the URLs that a package gets for a run: each is good for one purpose (a call's callback, the state, one upload), follows
 * from the run's own key, and ends with the run.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Scope } from "../database/database.ts";
import type { SyncRunRow } from "./sync-records.ts";

export type TokenPurpose = "state" | `callback:${number}` | `upload:${string}` | `download:${string}`;

export function runToken(key: string, purpose: TokenPurpose): string {
  return createHmac("sha256", Buffer.from(key, "hex")).update(purpose).digest("base64url");
}

/** Whether the token is one of the run's for this purpose. */
export function isTokenOf({ key }: Pick<SyncRunRow, "key">, purpose: TokenPurpose, token: string): boolean {
  const [wanted, given] = [Buffer.from(runToken(key, purpose)), Buffer.from(token)];
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

/** Where the host takes what concerns a run; `path` follows. */
export function runUrl(api: string, scope: Scope, runId: string, path: string): string {
  return `${api}/t/${scope.tenant}/sync/${scope.branch}/${runId}/${path}`;
}
