/** Answers of the database, as search reads them. */
import { assert } from "@plinth/core/assert.ts";
import { isJsonObject, type JsonLike } from "../ai/json.ts";

export function parseDocumentText(text: string): JsonLike | undefined {
  const json: unknown = JSON.parse(text);
  return isJsonObject(json) ? json : undefined;
}

export function parsePageText(text: string): {
  readonly documents: readonly JsonLike[];
  readonly isDone: boolean;
  readonly cursor: string;
} {
  const json: unknown = JSON.parse(text);
  assert(isJsonObject(json), "a page is an object");
  const { page, isDone, continueCursor } = json;
  assert(Array.isArray(page) && typeof isDone === "boolean" && typeof continueCursor === "string", "a page has documents and a cursor");
  return { documents: page.filter(isJsonObject), isDone, cursor: continueCursor };
}
