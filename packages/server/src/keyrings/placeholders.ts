/**
 * Placeholders of keyring types: `[ACCESS_TOKEN]` and the like, replaced once, from left to right, by values that are never read as
 * templates themselves. Values are hostile: what a user typed, or what another system sent.
 *
 * B1 In a URL a value cannot leave its place: it is percent-encoded in path and query, and must be a host name in the authority.
 * B2 No value brings a line break into a header.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";

export type PlaceholderValues = ReadonlyMap<string, string>;

const PLACEHOLDER = /\[([A-Za-z0-9_.-]{1,128})\]/g;
/** Names that Plinth gives a meaning; the others that are no field are left as they stand, such as `[1]`. */
const KNOWN = new Set(["ACCESS_TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "SCOPE", "SCOPES", "API_KEY", "SUBDOMAIN"]);
const HOST_PART = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const URL_PARTS = /^(https?:\/\/)([^/?#]*)([^?#]*)(.*)$/is;
// eslint-disable-next-line no-control-regex -- what may not stand in a header
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Fills a template whose result is not read as anything: a parameter that is encoded afterwards. */
export function fillText(template: string, values: PlaceholderValues): string {
  return fill(template, values, (value) => value);
}

/** B1 */
export function fillUrl(template: string, values: PlaceholderValues): URL {
  const parts = URL_PARTS.exec(template);
  if (parts === null) throw wrong("a URL of the keyring type does not begin with http:// or https://");
  const [, scheme = "", authority = "", path = "", rest = ""] = parts;
  const host = fill(authority, values, (value, name) => {
    if (!HOST_PART.test(value)) throw wrong(`[${name}] stands in a host name, and its value cannot be part of one`);
    return value;
  });
  const url = URL.parse(scheme + host + fillPath(path, values) + fill(rest, values, encodeStrictly));
  if (url === null) throw wrong("a URL of the keyring type is not valid with the values of its placeholders");
  return url;
}

/** B2 */
export function fillHeader(template: string, values: PlaceholderValues): string {
  const filled = fillText(template, values);
  if (CONTROL.test(filled)) throw wrong("a header would hold a line break or another control character");
  return filled;
}

/** Segment by segment, so that no value makes one that is a step up. */
function fillPath(template: string, values: PlaceholderValues): string {
  const segments = template.split("/").map((segment) => {
    const filled = fill(segment, values, encodeStrictly);
    if (filled !== segment && /^(?:\.|%2e){1,2}$/i.test(filled)) throw wrong("a part of a URL's path would be `.` or `..`");
    return filled;
  });
  return segments.join("/");
}

/** Percent-encodes all that has a meaning in a URL. */
function encodeStrictly(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function fill(template: string, values: PlaceholderValues, encode: (value: string, name: string) => string): string {
  return template.replace(PLACEHOLDER, (whole, name: string) => {
    const value = values.get(name);
    if (value !== undefined) return encode(value, name);
    if (KNOWN.has(name)) throw wrong(`the keyring type asks for [${name}], which is not known here`);
    return whole;
  });
}

function wrong(detail: string): PlinthError {
  return plinthError("KeyringTypeWrong", { detail });
}
