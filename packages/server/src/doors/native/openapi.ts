/** `GET /v1/openapi.json`: this API, as OpenAPI 3.1. */
import { jsonTextReply, type Reply } from "../door.ts";
import { openApiDocument } from "../openapi/document.ts";
import { json, type DocumentedRoute } from "../openapi/route-doc.ts";
import { anything } from "../openapi/schema.ts";

/** The table is asked for when a request comes: the route stands in it. */
export function openApiRoute(routes: () => Readonly<Record<string, DocumentedRoute>>): DocumentedRoute {
  let text: Promise<string> | undefined;
  return {
    method: "GET",
    path: "/v1/openapi.json",
    access: "open",
    branchless: true,
    doc: { summary: "This document", tag: "Host", answers: { 200: json(anything("An OpenAPI 3.1 document.")) } },
    handle: async (context): Promise<Reply> => {
      text ??= context.urls.then(({ api }) => JSON.stringify(openApiDocument({ routes: routes(), url: api })));
      return jsonTextReply(await text);
    },
  };
}
