/** `/api/query_batch`: several queries in one request, answered in their order. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { jsonTextReply, type Reply, type Route } from "../door.ts";
import { arrayField, objectField } from "../fields.ts";
import { readJsonObject } from "../request-body.ts";
import { callFunction } from "./call-function.ts";
import { readCall } from "./functions.ts";

export const queryBatch: Route = {
  method: "POST",
  path: "/api/query_batch",
  access: "public",
  crossOrigin: true,
  handle: async (context, request): Promise<Reply> => {
    const queries = arrayField(readJsonObject(request), "queries");
    const max = limit("queryBatchMax");
    if (queries.length > max) throw plinthError("RequestTooLarge", { what: "batch", actual: `${queries.length} queries`, max });
    const signal = request.signal();
    // All of them read one moment, so that their results fit together.
    const at = context.database.latest();
    const calls = queries.map((_, index) => readCall(objectField({ query: queries[index] }, "query")));
    const results = await Promise.all(calls.map((call) => callFunction(context, request, { ...call, kind: "query", at, signal })));
    return jsonTextReply(`{"results":[${results.join(",")}]}`);
  },
};
