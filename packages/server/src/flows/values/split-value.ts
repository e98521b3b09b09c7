/** Decides which parts of a large value are stored apart, so that what is left is small and still says what it is. */
import { isList, isRecord, type StoredPart } from "@plinth/core/flow/value.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json } from "@plinth/core/operations/operation.ts";

export type Path = StoredPart["path"];

export interface CutPart {
  readonly path: Path;
  readonly json: Json;
}

export interface SplitValue {
  /** Null where a part was taken out. */
  readonly json: Json;
  readonly parts: readonly CutPart[];
}

export function jsonBytes(json: Json): number {
  return Buffer.byteLength(JSON.stringify(json));
}

/**
 * Takes the largest fields out of an object, and the largest entries out of a short list, until the rest fits; a text, a list of many
 * small entries or an object of many small fields goes as a whole.
 */
export function splitValue(json: Json, bytesMax: number): SplitValue {
  if (jsonBytes(json) <= bytesMax) return { json, parts: [] };
  const parts: CutPart[] = [];
  const rest = cut(json, { path: [], bytesMax, parts });
  return { json: rest, parts };
}

interface Cut {
  readonly path: Path;
  readonly bytesMax: number;
  readonly parts: CutPart[];
}

interface Child {
  readonly key: string | number;
  readonly json: Json;
  readonly bytes: number;
}

const PARTS_MAX = limit("flowStoredPartsMax");
/** Below this a part says more where it stands. */
const PART_BYTES_MIN = 1024;
const NULL_BYTES = 4;
/** `"":0,` */
const FIELD_BYTES_MIN = 5;

function cut(json: Json, { path, bytesMax, parts }: Cut): Json {
  const children = childrenOf(json, bytesMax)?.toSorted((a, b) => b.bytes - a.bytes);
  const total = jsonBytes(json);
  const taken = new Map<string | number, Child>();
  let left = total;
  for (const child of children ?? []) {
    if (left <= bytesMax || child.bytes < PART_BYTES_MIN || parts.length + taken.size >= PARTS_MAX) break;
    taken.set(child.key, child);
    left -= child.bytes - NULL_BYTES;
  }
  if (children === undefined || left > bytesMax) {
    parts.push({ path, json });
    return null;
  }
  // Of an object that alone is too large, its own fields are taken: what it says besides stays readable.
  const [largest] = taken.values();
  const isDeep = path.length >= limit("flowStoredPathMax");
  const inner = !isDeep && taken.size === 1 && largest !== undefined && isRecord(largest.json) ? largest : undefined;
  return mapChildren(json, (key, value) => {
    const child = taken.get(key);
    if (child === undefined) return value;
    if (child === inner) return cut(value, { path: [...path, key], bytesMax: Math.max(PART_BYTES_MIN, bytesMax - left), parts });
    parts.push({ path: [...path, key], json: value });
    return null;
  });
}

/** Undefined where taking some out cannot make the rest fit: then none is measured. */
function childrenOf(json: Json, bytesMax: number): Child[] | undefined {
  if (isList(json)) return json.length > PARTS_MAX ? undefined : json.map((value, key) => ({ key, json: value, bytes: jsonBytes(value) }));
  if (!isRecord(json)) return undefined;
  const entries = Object.entries(json);
  if (entries.length * FIELD_BYTES_MIN > bytesMax) return undefined;
  return entries.map(([key, value]) => ({ key, json: value, bytes: jsonBytes(value) }));
}

function mapChildren(json: Json, map: (key: string | number, value: Json) => Json): Json {
  if (isList(json)) return json.map((value, key) => map(key, value));
  return isRecord(json) ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key, map(key, value)])) : json;
}

/** The value with the parts where they belong. */
export function joinValue(json: Json, parts: readonly CutPart[]): Json {
  let joined = json;
  for (const part of parts) joined = placed(joined, part.path, part.json);
  return joined;
}

function placed(json: Json, [key, ...rest]: Path, part: Json): Json {
  if (key === undefined) return part;
  return mapChildren(json, (name, value) => (name === key ? placed(value, rest, part) : value));
}
