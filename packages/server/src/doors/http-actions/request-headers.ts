/**
 * Which headers of a request an HTTP action sees.
 *
 * R1 Headers of one hop stay at that hop.
 * R2 A key of Plinth never reaches user code, also when a client sends it here by mistake.
 * R3 Headers that speak to Plinth end here, the key of a branch among them.
 * R4 Tenants under a common origin share its cookies, so they see none of them.
 */
import { looksLikeKey } from "../../tenants/keys.ts";

export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const PLATFORM_PREFIX = "x-plinth-";

export interface RequestHeaderOptions {
  readonly ownOrigin: boolean;
  /** Whether a credential is the operator's key, which may have any form. */
  readonly isAdminKey: (credential: string) => boolean;
}

export function requestHeaders(rawHeaders: readonly string[], options: RequestHeaderOptions): [string, string][] {
  const headers: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    if (
      HOP_BY_HOP.has(name) ||
      name.startsWith(PLATFORM_PREFIX) ||
      (name === "cookie" && !options.ownOrigin) ||
      (name === "authorization" && carriesKey(value, options))
    )
      continue;
    headers.push([name, value]);
  }
  return headers;
}

function carriesKey(authorization: string, { isAdminKey }: RequestHeaderOptions): boolean {
  const credential = authorization.replace(/^\S+\s+/, "").trim();
  return looksLikeKey(credential) || credential.startsWith("pla_") || /^convex\s/i.test(authorization) || isAdminKey(credential);
}
