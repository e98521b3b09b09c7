/**
 * Takes the place of `tr46`, whose tables of 220 KB would be evaluated with every first URL. An ASCII domain
 * is its own lower case; for others the runner's Node knows the answer.
 */
import { heldBridge } from "../held-bridge.ts";

/** What separates or ends a host; the runner's Node would take only the text before it. */
const FORBIDDEN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;

export function toASCII(domain: string): string | null {
  // eslint-disable-next-line no-control-regex -- ASCII is the point.
  if (/^[\0-\x7f]*$/.test(domain) && !/(?:^|\.)xn--/i.test(domain)) return domain.toLowerCase();
  if (FORBIDDEN.test(domain)) return null;
  const ascii = heldBridge().localSync("idna/toAscii", domain);
  return ascii === "" ? null : ascii;
}

export function toUnicode(domain: string): { readonly domain: string; readonly error: boolean } {
  return { domain, error: false };
}
