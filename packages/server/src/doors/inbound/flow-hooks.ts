/** `/v1/flow-hooks/{address}`: where the outside starts flows. The address is the right to do so. */
import { limit } from "@plinth/core/limits.ts";
import type { Reply, Route } from "../door.ts";
import { headersOf, replyOf } from "./webhooks.ts";

export const getFlowHook = flowHook("GET");
export const postFlowHook = flowHook("POST");

function flowHook(method: "GET" | "POST"): Route {
  return {
    method,
    path: "/v1/flow-hooks/:address",
    access: "open",
    branchless: true,
    bodyBytesMax: limit("webhookBodyBytesMax"),
    handle: async (context, request): Promise<Reply> => {
      const response = await context.flowHooks.take(request.params["address"] ?? "", {
        method,
        query: request.queryText,
        headers: headersOf(context, request),
        body: request.bodyBytes ?? Buffer.alloc(0),
        causeDepth: request.caller.actor.causeDepth ?? 0,
      });
      return replyOf(response);
    },
  };
}
