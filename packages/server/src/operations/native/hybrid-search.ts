/** `hybrid_search`: documents of the branch by words and by meaning. */
import { limit } from "@plinth/core/limits.ts";
import { outputOf } from "@plinth/core/operations/result.ts";
import type { JsonObject } from "@plinth/core/operations/operation.ts";
import { Breather } from "../../database/breather.ts";
import { shownOf } from "../../search/passages.ts";
import { queryWords } from "../../search/words.ts";
import { numberOf, textOf } from "./ai-inputs.ts";
import { describeNative, nativeField } from "./describe.ts";
import type { MakeNativeOperation } from "./native-operation.ts";
import { plainFields, searchDocuments } from "./search-documents.ts";
import { chosenTables, FILTERS_FIELD, readableTables, TABLES_FIELD } from "./searched-tables.ts";

const RESULTS = 10;
const NAME = { type: "string", maxLength: limit("topLevelFieldNameBytesMax") } as const;

const operation = describeNative({
  slug: "hybrid_search",
  displayName: "Search documents",
  description:
    "Find documents of this app by words and, where it is set up, by meaning. Returns the best matches with a passage of each; read whole documents with agent_knowledge_fetch.",
  effect: "outside",
  inputs: [
    nativeField("query", "text", "Words or a question."),
    TABLES_FIELD,
    FILTERS_FIELD,
    nativeField("limit", "int", "How many matches.", {
      defaultValue: RESULTS,
      schema: { type: "integer", minimum: 1, maximum: limit("searchResultsMax") },
    }),
    nativeField("include_documents", "bool", "Whether matches bring the whole documents.", { defaultValue: false }),
    nativeField("vector", "array", "Vector of the query, in place of one that is made from its text.", {
      schema: { type: "array", items: { type: "number" }, minItems: 1, maxItems: limit("vectorDimensionsMax") },
    }),
    nativeField("vector_field", "text", "Field of the documents that holds their vector.", { defaultValue: "embedding", schema: NAME }),
  ],
  outputs: [
    nativeField("results", "array", "The best first.", {
      isRequired: true,
      baseType: "composite",
      fields: [
        nativeField("table", "text", "", { isRequired: true }),
        nativeField("id", "text", "", { isRequired: true }),
        nativeField("title", "text", ""),
        nativeField("passage", "text", "The part of the document that fits best.", { isRequired: true }),
        nativeField("score", "double", "By reciprocal rank: comparable within one search only.", { isRequired: true }),
        nativeField("text_score", "double", "BM25; absent where the words did not find it."),
        nativeField("vector_score", "double", "Cosine; absent where the vector did not find it."),
        nativeField("document", "struct", "With `include_documents`."),
      ],
    }),
    nativeField("mode", "enum", "What the search was by.", { isRequired: true, allowedValues: ["text", "vector", "hybrid"] }),
  ],
});

export const hybridSearch: MakeNativeOperation = (parts) => ({
  operation,
  kind: "action",
  run: async (context, call) => {
    const { input } = call;
    const tables = chosenTables(input["tables"], await readableTables(parts.search, context, call));
    const { results, mode } = await searchDocuments(parts, context, { input, tables, limit: numberOf(input["limit"]) ?? RESULTS });
    const words = queryWords(textOf(input["query"]) ?? "");
    const vectorField = textOf(input["vector_field"]) ?? "";
    const breather = new Breather(parts.runtime);
    const shown: JsonObject[] = [];
    for (const { table, id, document, score, textScore, vectorScore } of results) {
      const { title, passages } = shownOf(document, words, limit("searchPassageChars"));
      shown.push({
        table,
        id,
        ...(title === "" ? {} : { title }),
        passage: passages.join(" … "),
        score,
        ...(textScore === null ? {} : { text_score: textScore }),
        ...(vectorScore === null ? {} : { vector_score: vectorScore }),
        ...(input["include_documents"] === true ? { document: plainFields(document, vectorField) } : {}),
      });
      await breather.breathe();
    }
    return outputOf([{ results: shown, mode }]);
  },
});
