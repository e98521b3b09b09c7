/** `agent_knowledge_fetch`: what an agent reads of documents, by their ids or by a question, within a number of tokens. */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { isList } from "@plinth/core/operations/json-schema.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import type { JsonLike } from "../../ai/json.ts";
import { Breather } from "../../database/breather.ts";
import { shownOf } from "../../search/passages.ts";
import { queryWords } from "../../search/words.ts";
import { numberOf, textOf } from "./ai-inputs.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";
import { searchDocuments } from "./search-documents.ts";
import { chosenTables, FILTERS_FIELD, readableTables, TABLES_FIELD } from "./searched-tables.ts";

const CHARS_PER_TOKEN = 4;
const FOUND = 5;
const ID_CHARS = 64;

const operation = describeNative({
  slug: "agent_knowledge_fetch",
  displayName: "Read knowledge",
  description:
    "Read documents of this app as text: those of given ids, or those that answer a question. Long ones are cut to the passages that fit the question, and all of it to `max_tokens`.",
  effect: "outside",
  inputs: [
    nativeField("ids", "array", "Ids of documents, as hybrid_search returns them.", {
      schema: { type: "array", items: { type: "string", maxLength: ID_CHARS }, minItems: 1, maxItems: limit("knowledgeDocumentsMax") },
    }),
    nativeField("query", "text", "A question. Without ids the documents that fit it best are read; with ids, the passages that fit it."),
    TABLES_FIELD,
    FILTERS_FIELD,
    nativeField("limit", "int", "How many documents a question finds.", {
      defaultValue: FOUND,
      schema: { type: "integer", minimum: 1, maximum: limit("knowledgeDocumentsMax") },
    }),
    nativeField("max_tokens", "int", "How much text all documents have together, at four characters a token.", {
      defaultValue: limit("knowledgeTokens"),
      schema: { type: "integer", minimum: 16, maximum: limit("knowledgeTokensMax") },
    }),
  ],
  outputs: [
    nativeField("items", "array", "The documents, in the order of the ids or the best first.", {
      isRequired: true,
      baseType: "composite",
      fields: [
        nativeField("id", "text", "", { isRequired: true }),
        nativeField("table", "text", "", { isRequired: true }),
        nativeField("title", "text", "", { isRequired: true }),
        nativeField("passages", "array", "In the order of the text.", { isRequired: true, baseType: "text" }),
        nativeField("is_cut", "bool", "Whether the document has more text.", { isRequired: true }),
      ],
    }),
    nativeField("missing", "array", "Ids without a document that the caller may read.", { isRequired: true, baseType: "text" }),
    nativeField("tokens", "int", "About how much text it is.", { isRequired: true }),
  ],
});

interface Fetched {
  readonly table: string;
  readonly id: string;
  readonly document: JsonLike;
}

export const agentKnowledgeFetch: MakeNativeOperation = (parts) => ({
  operation,
  kind: "action",
  run: async (context, call) => {
    const { input } = call;
    const readable = await readableTables(parts.search, context, call);
    const ids = idsOf(input);
    const query = textOf(input["query"]);
    let fetched: readonly Fetched[];
    if (ids !== null) {
      const mayRead = new Set(readable);
      fetched = (await parts.search.documents(context.scope, ids)).filter(({ table }) => mayRead.has(table));
    } else {
      if (query === null) throw plinthError("InvalidArgument", { detail: "Give `ids`, `query` or both." });
      const tables = chosenTables(input["tables"], readable);
      fetched = (await searchDocuments(parts, context, { input, tables, limit: numberOf(input["limit"]) ?? FOUND })).results;
    }
    const chars = (numberOf(input["max_tokens"]) ?? limit("knowledgeTokens")) * CHARS_PER_TOKEN;
    const { items, used } = await itemsOf(fetched, { words: queryWords(query ?? ""), chars, breather: new Breather(parts.runtime) });
    const there = new Set(fetched.map(({ id }) => id));
    return outputOf([{ items, missing: (ids ?? []).filter((id) => !there.has(id)), tokens: Math.ceil(used / CHARS_PER_TOKEN) }]);
  },
});

function idsOf(input: JsonObject): readonly string[] | null {
  const { ids } = input;
  return isList(ids) ? [...new Set(ids.filter((id) => typeof id === "string"))] : null;
}

/** What a short document leaves is there for those after it. */
async function itemsOf(
  fetched: readonly Fetched[],
  { words, chars, breather }: { readonly words: readonly string[]; readonly chars: number; readonly breather: Breather },
): Promise<{ readonly items: readonly JsonObject[]; readonly used: number }> {
  const items: JsonObject[] = [];
  let used = 0;
  for (const [index, { table, id, document }] of fetched.entries()) {
    const share = Math.floor((chars - used) / (fetched.length - index));
    const { title, passages, isCut } = shownOf(document, words, share);
    used += passages.reduce((sum, passage) => sum + passage.length, title.length);
    items.push({ id, table, title, passages, is_cut: isCut });
    await breather.breathe();
  }
  return { items, used };
}
