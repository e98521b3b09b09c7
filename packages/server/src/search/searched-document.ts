/** What a search index takes of a document. */
import { limit } from "@plinth/core/limits.ts";
import { isJsonObject, type JsonLike } from "../ai/json.ts";
import { wordsOf } from "./words.ts";

export interface SearchedDocument {
  readonly id: string;
  /** Words of what names the document. */
  readonly title: readonly string[];
  readonly body: readonly string[];
  /** Of length 1; null when the document has none. */
  readonly vector: Float32Array | null;
  /** What filters compare: hashes of field and value; null when it has more fields than are kept. */
  readonly marks: Uint32Array | null;
}

const TITLE_FIELDS = ["title", "name", "display_name", "displayName", "subject", "summary"];
const TEXT_LEVELS = 4;

/** `document` is convex JSON. */
export function searchedDocument(document: JsonLike, vectorField: string): SearchedDocument {
  const id = document["_id"];
  const texts = textsOf(document);
  return {
    id: typeof id === "string" ? id : "",
    title: wordsOf(texts.title),
    body: wordsOf(texts.body),
    vector: Object.hasOwn(document, vectorField) ? unitVector(document[vectorField]) : null,
    marks: marksOf(document),
  };
}

/** All texts of a document, of lists and objects within it too, up to a bound. */
export function textsOf(document: JsonLike): { readonly title: string; readonly body: string } {
  let left = limit("searchDocumentCharsMax");
  const take = (value: unknown): string => {
    const text = textIn(value, 0).slice(0, left);
    left -= text.length;
    return text;
  };
  const names = Object.keys(document).filter((name) => !name.startsWith("_"));
  const titleName = TITLE_FIELDS.find((name) => Object.hasOwn(document, name) && typeof document[name] === "string");
  const title = titleName === undefined ? "" : take(document[titleName]);
  const body = names.flatMap((name) => (name === titleName ? [] : [take(document[name])]));
  return { title, body: body.filter((text) => text !== "").join("\n") };
}

/** Texts within lists and objects count too: labels, rich text. */
function textIn(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (depth >= TEXT_LEVELS) return "";
  if (Array.isArray(value)) return joined(value, depth);
  return isJsonObject(value) && !isTagged(value) ? joined(Object.values(value), depth) : "";
}

function joined(values: readonly unknown[], depth: number): string {
  // A vector is a long list of numbers.
  if (typeof values[0] === "number") return "";
  return values
    .map((value) => textIn(value, depth + 1))
    .filter((text) => text !== "")
    .join("\n");
}

/** Integers, special floats and bytes in convex JSON. */
function isTagged(value: JsonLike): boolean {
  const names = Object.keys(value);
  return names.length === 1 && names[0]?.startsWith("$") === true;
}

/** A list of numbers as a vector of length 1; null when it is none, or has no direction. */
export function unitVector(value: unknown): Float32Array | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > limit("vectorDimensionsMax")) return null;
  const vector = new Float32Array(value.length);
  let squares = 0;
  for (const [index, part] of value.entries()) {
    if (typeof part !== "number" || !Number.isFinite(part)) return null;
    vector[index] = part;
    squares += part * part;
  }
  const length = Math.sqrt(squares);
  if (!(length > 0 && Number.isFinite(length))) return null;
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

function marksOf(document: JsonLike): Uint32Array | null {
  const fields = Object.entries(document).filter(([name, value]) => isFilterable(name, value));
  if (fields.length > limit("searchDocumentFieldsMax")) return null;
  return Uint32Array.from(fields, ([name, value]) => markOf(name, value));
}

/** Fields and values that filters compare. */
export function isFilterable(name: string, value: unknown): value is string | number | boolean | null {
  if (name.startsWith("_")) return false;
  if (typeof value === "string") return value.length <= limit("searchFilterCharsMax");
  return value === null || typeof value === "number" || typeof value === "boolean";
}

/** A hash (FNV-1a) of a field and its value; what has it is looked at, so two may have the same. */
export function markOf(name: string, value: unknown): number {
  let hash = 0x811c9dc5;
  const text = `${name}\u0000${JSON.stringify(value)}`;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
