/** Strict readers of what other systems answer. Everything in there is hostile: types, sizes, names of keys. */
import { limit } from "@plinth/core/limits.ts";

export interface Tokens {
  readonly accessToken: string;
  /** null when the answer has none. */
  readonly refreshToken: string | null;
  /** Seconds; null when the token does not end or its end is not told. */
  readonly expiresInS: number | null;
}

export interface Organization {
  readonly id: string;
  readonly name: string;
}

const VISIBLE = /^[\x20-\x7e]+$/;
const TEN_YEARS_S = 10 * 366 * 86_400;

/** The tokens of an answer of a token endpoint; undefined when it is no such answer. */
export function parseTokens(json: unknown): Tokens | undefined {
  const accessToken = tokenText(own(json, "access_token"));
  if (accessToken === undefined || own(json, "error") !== undefined) return undefined;
  return { accessToken, refreshToken: tokenText(own(json, "refresh_token")) ?? null, expiresInS: seconds(own(json, "expires_in")) };
}

/**
 * Whether a token endpoint says that the grant itself is no good any more, in which case asking again is of no use. Anything else
 * may be a failure that passes.
 */
export function saysGrantIsInvalid(status: number, json: unknown): boolean {
  const error = own(json, "error");
  if (error === "invalid_grant" || error === "bad_refresh_token") return true;
  return (status === 400 || status === 401) && error === undefined;
}

/** Organisations of jq values: `{id, name}`, or arrays of them; undefined when something else is among them. */
export function parseOrganizations(values: readonly unknown[]): readonly Organization[] | undefined {
  const flat = values.flatMap((value): readonly unknown[] => (Array.isArray(value) ? value : [value]));
  if (flat.length > limit("keyringOrganizationsMax")) return undefined;
  const organizations = flat.map(parseOrganization);
  return organizations.every((organization) => organization !== undefined) ? organizations : undefined;
}

function parseOrganization(value: unknown): Organization | undefined {
  const id = shortText(own(value, "id"));
  const name = shortText(own(value, "name"));
  return id === undefined || id === "" ? undefined : { id, name: name ?? id };
}

/** A property of the object itself; undefined for whatever is no plain object. */
export function own(json: unknown, name: string): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json) || !Object.hasOwn(json, name)) return undefined;
  return (json as Readonly<Record<string, unknown>>)[name];
}

function tokenText(value: unknown): string | undefined {
  if (typeof value !== "string" || value.length > limit("keyringFieldBytesMax")) return undefined;
  return VISIBLE.test(value) ? value : undefined;
}

function shortText(value: unknown): string | undefined {
  const text = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  return typeof text === "string" && text.length <= limit("keyringNameCharsMax") ? text : undefined;
}

function seconds(value: unknown): number | null {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number > 0 && number <= TEN_YEARS_S ? number : null;
}
