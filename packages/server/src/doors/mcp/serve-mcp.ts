/**
 * MCP at `/mcp` (and `/t/<tenant>/mcp`): streamable HTTP. Each request brings its key; sessions only hold a client's requests
 * together.
 *
 * W1 Requests of web pages are answered for known origins only, so that no page reaches a host that its browser can reach.
 * W2 A stream that waits for news ends with its key, its branch and the host. A call's answer does not: it is drained.
 */
import { plinthError, type PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ServerResponse } from "node:http";
import { authenticate } from "../authenticate.ts";
import { bodyOwner } from "../body-budget.ts";
import { jsonReply, type Caller, type DoorContext } from "../door.ts";
import { errorReply, registeredError } from "../error-reply.ts";
import { checkHead, pathTenantOf, sendText, type HttpServer } from "../http-server.ts";
import { branchHeaders } from "../request-branch.ts";
import { parseJson } from "../request-body.ts";
import { isAllowedOrigin } from "./origins.ts";
import { McpSessions } from "./mcp-sessions.ts";
import { challenge, isResource, resourceMetadata } from "./protected-resource.ts";

const SESSION_HEADER = "mcp-session-id";
const REQUEST_HEADERS =
  "authorization, content-type, accept, mcp-session-id, mcp-protocol-version, last-event-id, x-plinth-branch, x-plinth-branch-key, x-plinth-user";

export function serveMcp(server: HttpServer, context: DoorContext): McpSessions {
  const sessions = new McpSessions(context);
  server.route({
    method: ["GET", "POST", "DELETE"],
    url: "/mcp",
    bodyLimit: limit("requestBodyBytesMax"),
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      checkHead(request.raw);
      await checkOrigin(context, request, reply);
      try {
        request.caller = await authenticate(context, {
          headers: request.headers,
          url: request.url,
          pathTenant: pathTenantOf(request),
          access: ["invoke", "deploy"],
          branched: true,
          serviceTokens: true,
        });
      } catch (error) {
        return await refuse(context, request, reply, registeredError(context, error));
      }
      context.usedBranches.note(request.caller.scope);
      context.bodies.take(request.raw, reply.raw, { bodyBytesMax: limit("requestBodyBytesMax"), owner: bodyOwner(request.caller) });
    },
    handler: async (request, reply) => {
      const caller = request.caller;
      if (caller === null) throw plinthError("Unauthenticated", {});
      await context.bodyTurns.turn(caller.scope.tenant, Buffer.isBuffer(request.body) ? request.body.length : 0);
      const response = await answer(context, { sessions, request, caller });
      return await send(context, { request, reply, caller, response });
    },
  });
  server.route({
    method: "OPTIONS",
    url: "/mcp",
    onRequest: async (request, reply) => {
      await checkOrigin(context, request, reply);
      reply.header("access-control-allow-methods", "GET, POST, DELETE").header("access-control-allow-headers", REQUEST_HEADERS);
      return await reply.header("access-control-max-age", "86400").code(204).send();
    },
    handler: () => undefined,
  });
  server.route({
    method: "GET",
    url: "/.well-known/oauth-protected-resource/*",
    handler: async (request, reply) => {
      const path = (request.url.split("?", 1)[0] ?? "").slice("/.well-known/oauth-protected-resource/".length);
      if (!isResource(path)) throw plinthError("NotFound", { what: "resource of that name" });
      const { api } = await context.urls;
      return sendText(reply, jsonReply(resourceMetadata(api, path), 200, { "access-control-allow-origin": "*" }));
    },
  });
  return sessions;
}

/** W1 */
async function checkOrigin(context: DoorContext, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { origin } = request.headers;
  if (origin === undefined) return;
  if (!isAllowedOrigin(origin, { own: (await context.urls).api, allowed: context.config.mcpOrigins }))
    throw plinthError("OriginRefused", {});
  reply.headers({
    "access-control-allow-origin": origin,
    "access-control-expose-headers": `${SESSION_HEADER}, www-authenticate`,
    vary: "Origin",
  });
}

async function refuse(context: DoorContext, request: FastifyRequest, reply: FastifyReply, error: PlinthError): Promise<FastifyReply> {
  const { status } = error.spec;
  if (status !== 401 && status !== 403) throw error;
  const tenant = pathTenantOf(request);
  const prefix = tenant === undefined || !isResource(`t/${tenant}/mcp`) ? "" : `/t/${tenant}`;
  const { api } = await context.urls;
  const header = challenge(api, prefix, error, request.headers.authorization !== undefined);
  return sendText(reply, { ...errorReply(error), headers: { "www-authenticate": header } });
}

async function answer(
  context: DoorContext,
  { sessions, request, caller }: { readonly sessions: McpSessions; readonly request: FastifyRequest; readonly caller: Caller },
): Promise<Response> {
  const body = readBody(request);
  const id = textOf(request.headers[SESSION_HEADER]);
  const begins = isInitialize(body);
  if (id === undefined && !begins)
    return rpcError(400, -32_000, "The header Mcp-Session-Id is required; a session begins with `initialize`.");
  const session = id === undefined ? await sessions.open(caller) : sessions.find(id, caller);
  if (session === undefined) return rpcError(404, -32_001, "There is no such session; begin another with `initialize`.");
  const response = await session.handle(webRequest((await context.urls).api, request), body, {
    caller,
    userId: textOf(request.headers["x-plinth-user"]),
    traceparent: textOf(request.headers["traceparent"]),
  });
  if (response === undefined)
    return rpcError(400, -32_600, "A request with this id is not answered yet; each request of a session has an id of its own.");
  // What could not begin is no session.
  if (id === undefined && response.status !== 200) await session.close();
  return response;
}

function readBody(request: FastifyRequest): unknown {
  const bytes = request.body;
  return Buffer.isBuffer(bytes) ? parseJson(bytes.toString("utf8")) : undefined;
}

function isInitialize(body: unknown): boolean {
  return typeof body === "object" && body !== null && "method" in body && body.method === "initialize";
}

/** The head of a request as the library takes it; its body was read and parsed here. */
function webRequest(api: string, { method, headers }: FastifyRequest): Request {
  const given = new Headers();
  for (const name of ["accept", "content-type", SESSION_HEADER, "mcp-protocol-version", "last-event-id"]) {
    const value = textOf(headers[name]);
    if (value !== undefined) given.set(name, value);
  }
  return new Request(`${api}/mcp`, { method, headers: given });
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status });
}

/** Sends a response of the library as it grows, no faster than the client reads. */
async function send(
  context: DoorContext,
  sent: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly caller: Caller; readonly response: Response },
): Promise<FastifyReply> {
  const { request, reply, caller, response } = sent;
  // W2
  const place = request.method === "GET" && response.status === 200 ? context.streams.open(caller) : undefined;
  reply.hijack();
  const raw = reply.raw;
  const reader = response.body?.getReader();
  const cancel = () => void reader?.cancel().catch(() => undefined);
  raw.once("close", cancel);
  place?.signal.addEventListener("abort", cancel, { once: true });
  try {
    raw.writeHead(response.status, {
      ...ownHeaders(reply),
      ...branchHeaders(caller.scope.branch),
      ...Object.fromEntries(response.headers),
    });
    raw.flushHeaders();
    for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) {
      const read = context.answers.hold(raw, { tenant: caller.scope.tenant, bytes: chunk.value.length });
      if (!raw.write(chunk.value) && !raw.destroyed) await drained(raw);
      read();
    }
    raw.end();
  } catch (error) {
    registeredError(context, error);
    raw.destroy();
  } finally {
    raw.off("close", cancel);
    place?.close();
  }
  return reply;
}

function drained(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      raw.off("drain", done).off("close", done);
      resolve();
    };
    raw.on("drain", done).on("close", done);
  });
}

function ownHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}
