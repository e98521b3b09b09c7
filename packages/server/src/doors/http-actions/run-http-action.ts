/** Passes an HTTP request to the routes that a branch's `http.ts` declares, and their response back. */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import type { HttpActionRequest, HttpActionResponse } from "@plinth/core/protocol/runner-protocol.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { DEFAULT_TENANT } from "../../tenants/tenants.ts";
import { atDepth, causeDepthOf } from "../../engine/cause-depth.ts";
import { describeFailure } from "../convex/call-function.ts";
import { jsonReply, type DoorContext, type TextReply } from "../door.ts";
import { errorReply, registeredError } from "../error-reply.ts";
import { pathTenantOf, sendText } from "../http-server.ts";
import { actionBranch, branchHeaders } from "../request-branch.ts";
import { requestHeaders } from "./request-headers.ts";
import { parseHttpActionResponse } from "./parse-response.ts";
import { responseHeaders, type Origin } from "./response-headers.ts";

export async function runHttpAction(
  context: DoorContext,
  {
    request,
    reply,
    origin,
    path,
  }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly origin: Origin; readonly path: string },
): Promise<FastifyReply> {
  const pathTenant = pathTenantOf(request);
  const name = pathTenant ?? DEFAULT_TENANT;
  if ((await context.tenants.find(name)) === undefined) throw plinthError("NotFound", { what: `tenant '${name.slice(0, 64)}'` });
  const branch = await actionBranch(context.branches, name, { headers: request.headers, url: request.url });
  context.usedBranches.note({ tenant: name, branch });
  await context.bodyTurns.turn(name, Buffer.isBuffer(request.body) ? request.body.length : 0);
  const own = origin === "site" && pathTenant === undefined;
  const action: HttpActionRequest = {
    method: request.method,
    // Functions see the path below their own root, whatever prefix the host has put before it.
    url: `${(await context.urls).site}${path}`,
    headers: requestHeaders(request.raw.rawHeaders, {
      ownOrigin: own,
      isAdminKey: (credential) => context.adminKey.matches(credential),
    }),
    bodyBase64: Buffer.isBuffer(request.body) ? request.body.toString("base64") : "",
  };
  const outcome = await context.engine.invoke({
    tenant: name,
    branch,
    actor: atDepth({ kind: "anonymous", scopes: [] }, causeDepthOf(request.headers)),
    source: "httpAction",
    path: "",
    kind: "httpAction",
    internalAllowed: false,
    argsText: JSON.stringify(action),
    priority: "interactive",
  });
  if (outcome.status === "failed")
    return sendText(reply, failureReply(context, { error: outcome.error, requestId: outcome.id, stack: outcome.stack }));
  let response: HttpActionResponse;
  try {
    response = parseHttpActionResponse(outcome.valueText);
  } catch (error) {
    return sendText(reply, failureReply(context, { error: registeredError(context, error), requestId: outcome.id, stack: undefined }));
  }
  if (!response.routed)
    return sendText(reply, { kind: "text", status: 404, contentType: "text/plain; charset=utf-8", body: "No matching routes found" });
  for (const [header, value] of responseHeaders(response.headers, { origin, ownOrigin: own })) appendHeader(reply, header, value);
  reply.headers(branchHeaders(branch));
  return reply.code(response.status).send(Buffer.from(response.bodyBase64, "base64"));
}

/** A failure of the function is 500 with its trace; one of the platform is what it is. */
function failureReply(
  context: DoorContext,
  failure: { readonly error: PlinthError; readonly requestId: string; readonly stack: string | undefined },
): TextReply {
  const { error, requestId, stack } = failure;
  if (error.spec.fault === "platform") return errorReply(registeredError(context, error));
  const firstLine = `[Request ID: ${requestId}] Server Error`;
  const trace = context.redactErrors ? firstLine : `${firstLine}\n${describeFailure(error, stack)}`;
  const data = error.dataText === undefined ? {} : { data: JSON.parse(error.dataText) as unknown };
  return jsonReply({ code: "InternalServerError", trace, ...data }, 500);
}

function appendHeader(reply: FastifyReply, name: string, value: string): void {
  const existing = reply.getHeader(name);
  if (existing === undefined) reply.header(name, value);
  // `header` appends by itself for set-cookie only.
  else if (name === "set-cookie") reply.header(name, value);
  else reply.header(name, `${String(existing)}, ${value}`);
}
