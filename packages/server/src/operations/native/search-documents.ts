/** The search behind `hybrid_search` and `agent_knowledge_fetch`: whose tables, with which vector, as plain documents. */
import { valueFromJson, valueToCleanJson } from "@plinth/core/documents/values.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { isList, isObject } from "@plinth/core/operations/json-schema.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { JsonLike } from "../../ai/json.ts";
import { openAiClient } from "../../ai/open-ai-client.ts";
import type { NativeContext } from "../../engine/native-code.ts";
import type { Found, SearchRequest } from "../../search/search.ts";
import { isFilterable } from "../../search/searched-document.ts";
import { textOf } from "./ai-inputs.ts";
import type { NativeParts } from "./native-operation.ts";

export type SearchMode = "text" | "vector" | "hybrid";

export async function searchDocuments(
  parts: NativeParts,
  context: NativeContext,
  { input, tables, limit }: { readonly input: JsonObject; readonly tables: readonly string[]; readonly limit: number },
): Promise<Found & { readonly mode: SearchMode }> {
  const text = textOf(input["query"]);
  const vector = numbersOf(input["vector"]) ?? (text === null ? null : await vectorOf(parts, context, text));
  if (text === null && vector === null) throw plinthError("InvalidArgument", { detail: "Give `query`, `vector` or both." });
  const found = await parts.search.search(
    context.scope,
    { text, vector, tables, vectorField: textOf(input["vector_field"]) ?? "embedding", filters: filtersOf(input["filters"]), limit },
    context.signal,
  );
  return { ...found, mode: vector === null ? "text" : text === null ? "vector" : "hybrid" };
}

/** Words alone find something too, so a search does not fail with the endpoint. */
async function vectorOf({ ai }: NativeParts, context: NativeContext, text: string): Promise<readonly number[] | null> {
  if (!ai.canEmbed) return null;
  try {
    const endpoint = await ai.resolve(context.scope, { provider: null, baseUrl: null, model: null, keyring: null, purpose: "embeddings" });
    return await (await openAiClient(endpoint, (request) => context.fetch(request))).embed(text);
  } catch (error) {
    if (!(error instanceof PlinthError) || context.signal.aborted) throw error;
    context.log("warn", `The search is by words alone. ${error.message}`);
    return null;
  }
}

function filtersOf(json: Json | undefined): SearchRequest["filters"] {
  const filters: Record<string, string | number | boolean | null> = Object.create(null);
  for (const [name, value] of Object.entries(isObject(json) ? json : {})) {
    if (!isFilterable(name, value))
      throw plinthError("InvalidArgument", { detail: `There is no filter for \`${name.slice(0, 64)}\` with that value.` });
    filters[name] = value;
  }
  return filters;
}

function numbersOf(json: Json | undefined): readonly number[] | null {
  return isList(json) ? json.filter((part) => typeof part === "number") : null;
}

/** A document as outputs have it. Its vector is of no use to who reads it. */
export function plainFields(document: JsonLike, without?: string): JsonObject {
  const { [without ?? ""]: _, ...rest } = document;
  const json: Json = valueToCleanJson(valueFromJson(rest)) as Json;
  return isObject(json) ? json : {};
}
