/**
 * What follows a redirect, decided without doing it: the next target (checked like the first one) and
 * what is left of the request there.
 */
import type { EgressPolicy } from "../egress.ts";
import { refused } from "./fetch-errors.ts";
import { parseTarget, type Target } from "./target.ts";
import type { Outgoing } from "./request-rules.ts";

const STATUSES: readonly number[] = [301, 302, 303, 307, 308];

/** Headers that mean nothing without the body that they describe. */
const OF_THE_BODY = new Set(["content-type", "content-encoding", "content-language", "content-location"]);

/**
 * Headers that another origin may see. A list of what is harmless: keys travel in headers of any name
 * (`x-api-key`, `private-token`, …), so everything else stays behind, Authorization and Cookie first of all.
 */
const FOR_ANY_ORIGIN = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-encoding",
  "content-language",
  "content-type",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
  "user-agent",
]);

/** The location of a redirect, or undefined when the response is none. */
export function redirectLocation(status: number, headers: readonly (readonly [string, string])[]): string | undefined {
  if (!STATUSES.includes(status)) return undefined;
  const location = headers.find(([name]) => name === "location")?.[1];
  // Header bytes arrive as Latin-1 although addresses are written in UTF-8.
  return location === undefined ? undefined : Buffer.from(location, "latin1").toString("utf8");
}

export function followRedirect(
  from: { readonly target: Target; readonly outgoing: Outgoing },
  to: { readonly status: number; readonly location: string; readonly policy: EgressPolicy },
): { readonly target: Target; readonly outgoing: Outgoing } {
  const target = parseTarget(to.location, to.policy, from.target.url);
  if (from.target.secure && !target.secure) throw refused(target.url, "a redirect from https to http is not followed");
  const { method } = from.outgoing;
  const becomesGet =
    (to.status === 303 && method !== "GET" && method !== "HEAD") || ((to.status === 301 || to.status === 302) && method === "POST");
  const sameOrigin = from.target.url.origin === target.url.origin;
  const headers = from.outgoing.headers.filter(
    ([name]) => (sameOrigin || FOR_ANY_ORIGIN.has(name)) && !(becomesGet && OF_THE_BODY.has(name)),
  );
  return { target, outgoing: becomesGet ? { method: "GET", headers, body: null } : { ...from.outgoing, headers } };
}
