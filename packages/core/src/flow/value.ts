/**
 * Values of flows: JSON, with large parts by reference. A reference stands beside the JSON and never in it, so that no user can write
 * one; where one stands, the JSON has null.
 */
import type { Json, JsonObject } from "../operations/operation.ts";

/** A stored value, content-addressed. */
export interface StoredValue {
  readonly digest: string;
  readonly bytes: number;
  readonly contentType: string;
}

export interface StoredPart {
  /** Where it belongs; empty for all of the value. */
  readonly path: readonly (string | number)[];
  readonly value: StoredValue;
}

export interface FlowValue {
  readonly json: Json;
  readonly stored?: readonly StoredPart[];
}

export const NOTHING: FlowValue = { json: null };

export function isRecord(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !isList(json);
}

export function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** A field or element that the value itself has. */
export function partOf(json: Json | undefined, key: string | number): Json | undefined {
  if (isList(json)) return typeof key === "number" ? json[key] : undefined;
  return isRecord(json) && Object.hasOwn(json, key) ? json[key] : undefined;
}

/** What stands at `path`; undefined where nothing does. */
export function valueAt(value: FlowValue, path: readonly (string | number)[]): FlowValue | undefined {
  let json: Json | undefined = value.json;
  const stored = value.stored?.filter((part) => path.every((key, i) => i >= part.path.length || part.path[i] === key)) ?? [];
  if (stored.some((part) => part.path.length < path.length)) return undefined;
  for (const key of path) {
    json = partOf(json, key);
    if (json === undefined) return undefined;
  }
  if (stored.length === 0) return { json: json ?? null };
  return { json: json ?? null, stored: stored.map((part) => ({ ...part, path: part.path.slice(path.length) })) };
}

/** The stored parts that lie at, in or around `path`. */
export function storedWithin(value: FlowValue, path: readonly string[]): readonly StoredPart[] {
  return value.stored?.filter((part) => path.every((key, i) => i >= part.path.length || part.path[i] === key)) ?? [];
}

/** The JSON with the parts that `read` gives where they belong; null stays where it gives none. */
export function filled({ json, stored = [] }: FlowValue, read: (value: StoredValue) => Json | undefined): Json {
  return stored.reduce((whole, { path, value }) => {
    const part = read(value);
    return part === undefined ? whole : placed(whole, path, part);
  }, json);
}

function placed(json: Json, [key, ...rest]: StoredPart["path"], part: Json): Json {
  if (key === undefined) return part;
  if (isList(json)) return json.map((item, i) => (i === key ? placed(item, rest, part) : item));
  return isRecord(json) ? { ...json, [key]: placed(json[key] ?? null, rest, part) } : json;
}

/** The same parts, one level deeper. */
export function nested(stored: readonly StoredPart[], key: string | number): StoredPart[] {
  return stored.map((part) => ({ ...part, path: [key, ...part.path] }));
}

/** A record of values as one value. */
export function recordValue(fields: Readonly<Record<string, FlowValue>>): FlowValue {
  const json: Record<string, Json> = {};
  const stored: StoredPart[] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name] ?? NOTHING;
    json[name] = value.json;
    if (value.stored !== undefined) stored.push(...nested(value.stored, name));
  }
  return joined(json, stored);
}

/** A list of values as one value. */
export function listValue(items: readonly FlowValue[]): FlowValue {
  const json: Json[] = [];
  const stored: StoredPart[] = [];
  for (const [index, value] of items.entries()) {
    json.push(value.json);
    if (value.stored !== undefined) stored.push(...nested(value.stored, index));
  }
  return joined(json, stored);
}

function joined(json: Json, stored: readonly StoredPart[]): FlowValue {
  return stored.length === 0 ? { json } : { json, stored };
}

const STORED_PART_BYTES = 128;

/** About the length of its JSON text; counting ends beyond `bytesMax`. */
export function bytesOf(value: FlowValue, bytesMax: number): number {
  return (value.stored?.length ?? 0) * STORED_PART_BYTES + jsonBytes(value.json, bytesMax);
}

function jsonBytes(json: Json, bytesMax: number): number {
  switch (typeof json) {
    case "string":
      return json.length + 2;
    case "number":
      return 8;
    case "boolean":
      return 5;
    default:
      return json === null ? 4 : containerBytes(json, bytesMax);
  }
}

function containerBytes(json: readonly Json[] | JsonObject, bytesMax: number): number {
  let bytes = 2;
  if (isList(json)) {
    for (const item of json) {
      bytes += jsonBytes(item, bytesMax - bytes) + 1;
      if (bytes > bytesMax) return bytes;
    }
    return bytes;
  }
  for (const name of Object.keys(json)) {
    bytes += name.length + 4 + jsonBytes(json[name] ?? null, bytesMax - bytes);
    if (bytes > bytesMax) return bytes;
  }
  return bytes;
}
