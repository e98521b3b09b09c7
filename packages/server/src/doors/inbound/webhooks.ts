/** `/v1/events/{token}`: where the outside sends events to webhooks of packages. The token is the right to do so. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { JSON_TYPE, type DoorContext, type DoorRequest, type Reply, type Route } from "../door.ts";
import { requestHeaders } from "../http-actions/request-headers.ts";
import { responseHeaders } from "../http-actions/response-headers.ts";
import type { WebhookResponse } from "../../inbound/webhook-answer.ts";

const TEXT_TYPE = "text/plain; charset=utf-8";
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

export const getWebhook = webhook("GET", "/v1/events/:token", (request) => request.params["token"]);
export const postWebhook = webhook("POST", "/v1/events/:token", (request) => request.params["token"]);
/** The address that platforms of snap-ins give: the token is `id`. */
export const getEventSource = webhook("GET", "/internal/event-sources.invoke", (request) => request.query.get("id"));
export const postEventSource = webhook("POST", "/internal/event-sources.invoke", (request) => request.query.get("id"));

function webhook(method: "GET" | "POST", path: string, tokenOf: (request: DoorRequest) => string | null | undefined): Route {
  return {
    method,
    path,
    access: "open",
    branchless: true,
    bodyBytesMax: limit("webhookBodyBytesMax"),
    handle: async (context, request): Promise<Reply> => {
      const token = tokenOf(request);
      if (token === null || token === undefined) throw plinthError("NotFound", { what: "open event source with this address" });
      const response = await context.webhooks.take(token, {
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

/** Keys of Plinth and cookies of its origin are nothing for a policy. */
export function headersOf(context: DoorContext, request: DoorRequest): readonly (readonly [string, string])[] {
  return requestHeaders(request.rawHeaders, { ownOrigin: false, isAdminKey: (credential) => context.adminKey.matches(credential) });
}

/** On the API's origin: what a browser would do with the answer is bounded as for HTTP actions. */
export function replyOf({ status, body, headers }: WebhookResponse): Reply {
  const kept = responseHeaders(headers, { origin: "api", ownOrigin: false });
  const contentType = kept.find(([name]) => name === "content-type")?.[1];
  const isText = typeof body === "string";
  return {
    kind: "text",
    status,
    contentType: contentType ?? (isText ? TEXT_TYPE : JSON_TYPE),
    body: NO_BODY.has(status) ? "" : isText ? body : JSON.stringify(body),
    headers: Object.fromEntries(kept.filter(([name]) => name !== "content-type")),
  };
}
