/**
 * Which headers of an HTTP action's response a client gets.
 *
 * P1 Framing belongs to the host: lengths, encodings and headers of one hop are its own.
 * P2 On the API's origin, pages of user code are sandboxed and set no cookies, so they cannot act as the API or the
 *    console. Tenants that share an origin set no cookies either, and their pages run as an origin of their own, so that
 *    they cannot act as the users of another tenant.
 * P3 Nothing in a header can end it: names are tokens and values have no control characters.
 */
import { limit } from "@plinth/core/limits.ts";
import { HOP_BY_HOP } from "./request-headers.ts";

/** `site` is the port of HTTP actions alone; `api` also serves everything else. */
export type Origin = "site" | "api";

const HOST_OWNED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "content-length",
  "date",
  "server",
  "alt-svc",
  "nel",
  "report-to",
  "public-key-pins",
]);
/** What would change how a browser treats the whole origin. */
const ORIGIN_WIDE: ReadonlySet<string> = new Set([
  "set-cookie",
  "strict-transport-security",
  "clear-site-data",
  "service-worker-allowed",
  "origin-agent-cluster",
]);
const API_OWNED: ReadonlySet<string> = new Set([
  "content-security-policy",
  "content-security-policy-report-only",
  "x-content-type-options",
]);
/** Scripts run, but cookies, storage and readable requests to the shared origin are not theirs. */
const SHARED_ORIGIN_SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox allow-scripts";
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export function responseHeaders(
  headers: readonly (readonly [string, string])[],
  options: { readonly origin: Origin; readonly ownOrigin: boolean },
): [string, string][] {
  const kept: [string, string][] =
    options.origin === "api"
      ? [
          ["content-security-policy", "sandbox"],
          ["x-content-type-options", "nosniff"],
        ]
      : options.ownOrigin
        ? []
        : [["content-security-policy", SHARED_ORIGIN_SANDBOX]];
  let bytes = 0;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(lower) || !VALUE.test(value) || HOST_OWNED.has(lower)) continue;
    if (ORIGIN_WIDE.has(lower) && !options.ownOrigin) continue;
    if (options.origin === "api" && API_OWNED.has(lower)) continue;
    bytes += lower.length + value.length;
    if (kept.length >= limit("responseHeadersMax") || bytes > limit("responseHeaderBytesMax")) break;
    kept.push([lower, lower === "set-cookie" ? hostOnlyCookie(value) : value]);
  }
  return kept;
}

/** A cookie for the very host that sets it: its `Domain` could reach the platform's other hosts. */
function hostOnlyCookie(value: string): string {
  return value
    .split(";")
    .filter((part, index) => index === 0 || !/^\s*domain\s*=/i.test(part))
    .join(";");
}
