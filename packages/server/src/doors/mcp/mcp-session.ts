/**
 * One session of an agent: the official server and transport, with the branch's skills as tools. Loaded when the first client
 * comes; the library takes long to load.
 *
 * X1 Who calls is told with each request by the door that authenticated it, never by the session.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type CallToolRequest,
  type CallToolResult,
  type ListToolsResult,
  type ServerNotification,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import type { PlinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { JsonObject, Operation } from "@plinth/core/operations/operation.ts";
import { isSkillFor, listSkills, runSkill } from "../../modalities/agent-skills.ts";
import { parseTraceparent } from "../../telemetry/trace.ts";
import { hasScope } from "../authenticate.ts";
import type { Caller, DoorContext } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { progressOf } from "./progress.ts";
import { RequestIds } from "./request-ids.ts";
import { toolError, toolNames, toolOf, toolResult } from "./tools.ts";

export interface McpSession {
  /** Undefined, and nothing is done, when the id of a request is in use. */
  handle(request: Request, parsedBody: unknown, from: McpCaller): Promise<Response | undefined>;
  /** Tells the client that its list of tools may be another now. */
  toolsChanged(): void;
  /** Calls that are under way. */
  readonly busy: number;
  close(): Promise<void>;
}

/** Who sends a request of a session, and what came with it. */
export interface McpCaller {
  readonly caller: Caller;
  /** `X-Plinth-User` */
  readonly userId: string | undefined;
  readonly traceparent: string | undefined;
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const INSTRUCTIONS =
  "Tools are operations of one branch of a Plinth tenant. A result that says no tells why; correct the arguments and call again.";

/** For answers of users that servers ask for. This one asks nobody, and a validator for each session takes memory. */
const NO_VALIDATOR = { getValidator: () => () => ({ valid: false as const, data: undefined, errorMessage: "nothing was asked" }) };

export async function openSession(context: DoorContext, id: string, onClosed: () => void): Promise<McpSession> {
  const server = new Server(
    { name: "plinth", title: "Plinth", version: "0.1.0" },
    {
      capabilities: { tools: { listChanged: true } },
      instructions: INSTRUCTIONS,
      jsonSchemaValidator: NO_VALIDATOR,
    },
  );
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    keepAliveMs: limit("eventStreamHeartbeatMs"),
  });
  const ids = new RequestIds();
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    ids.answered(message);
    return send(message, options);
  };
  let busy = 0;
  server.onclose = onClosed;
  server.setRequestHandler(ListToolsRequestSchema, async ({ params }, extra) => {
    try {
      return await listTools(context, params?.cursor, extra);
    } catch (error) {
      throw protocolError(registeredError(context, error));
    }
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    busy += 1;
    try {
      return await answered(context, () => callTool(context, { id, params, extra }));
    } finally {
      busy -= 1;
    }
  });
  await server.connect(transport);
  return {
    handle: async (request, parsedBody, from) => {
      if (!ids.take(parsedBody)) return undefined;
      const authInfo = { token: "", clientId: "", scopes: [], extra: { from } };
      const response = await transport.handleRequest(request, { parsedBody, authInfo });
      // Refused as a whole: no answer to its requests will come.
      if (!response.ok) ids.release(parsedBody);
      return response;
    },
    toolsChanged: () => void server.sendToolListChanged().catch(() => undefined),
    get busy() {
      return busy;
    },
    close: () => server.close(),
  };
}

/** X1 */
function callerIn(extra: Extra): McpCaller {
  const from = extra.authInfo?.extra?.["from"];
  if (from === undefined) throw new McpError(ErrorCode.InvalidRequest, "The request came without a caller.");
  return from as McpCaller;
}

async function listTools(context: DoorContext, cursor: string | undefined, extra: Extra): Promise<ListToolsResult> {
  const { scope, actor } = callerIn(extra).caller;
  const tools = [...toolNames(await listSkills(context.operations, scope, actor))];
  // A cursor is the name that the page before ended with, so pages hold together when tools come and go.
  const sorted = tools.sort(([a], [b]) => (a < b ? -1 : 1));
  const rest = cursor === undefined ? sorted : sorted.filter(([name]) => name > cursor);
  const page = rest.slice(0, limit("mcpToolsPageMax"));
  const last = page.at(-1)?.[0];
  return {
    tools: page.map(([name, skill]) => toolOf(context.operations, name, skill)),
    ...(page.length < rest.length && last !== undefined ? { nextCursor: last } : {}),
  };
}

async function callTool(
  context: DoorContext,
  { id, params, extra }: { readonly id: string; readonly params: CallToolRequest["params"]; readonly extra: Extra },
): Promise<CallToolResult> {
  const { caller, userId, traceparent } = callerIn(extra);
  const skill = await findSkill(context, caller, params.name);
  if (skill === undefined) throw new McpError(ErrorCode.InvalidParams, `There is no tool '${params.name.slice(0, 200)}'.`);
  const redact = context.redactErrors && !hasScope(caller.actor, "admin");
  const token = extra._meta?.progressToken;
  const trace = parseTraceparent(traceparent ?? textIn(extra._meta, "traceparent"));
  const { result, outcome } = await runSkill(context.operations, {
    scope: caller.scope,
    trigger: {
      skill,
      input: (params.arguments ?? {}) as JsonObject,
      actor: caller.actor,
      sessionId: id,
      skillCallId: Buffer.from(context.runtime.randomBytes(16)).toString("hex"),
      ...(userId === undefined ? {} : { userId }),
    },
    options: {
      signal: extra.signal,
      ...(trace === undefined ? {} : { trace }),
      ...(token === undefined
        ? {}
        : {
            onEvent: progressOf({
              runtime: context.runtime,
              logs: !redact,
              send: (progress) =>
                void extra
                  .sendNotification({ method: "notifications/progress", params: { progressToken: token, ...progress } })
                  .catch(() => undefined),
            }),
          }),
    },
  });
  if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
  const isUsers = skill.origin === "package" || skill.origin === "function";
  if (redact && isUsers && outcome.status === "failed")
    return toolError(`The tool failed; its message is in the log of invocation ${outcome.id}.`);
  // So that a result can be found in records, logs and traces.
  return { ...toolResult(result, skill), _meta: { "plinth/invocation": outcome.id, "plinth/trace": outcome.traceId } };
}

async function findSkill({ operations }: DoorContext, { scope, actor }: Caller, name: string): Promise<Operation | undefined> {
  // Most names are slugs that mean one operation; the whole list is made for the others only.
  const direct = name.includes("/") ? undefined : await operations.find(scope, name);
  if (direct?.slug === name && isSkillFor(direct, actor)) return direct;
  return toolNames(await listSkills(operations, scope, actor)).get(name);
}

/**
 * What is wrong with a call, and what failed, is told to the model, which may do better; only what no other argument can change is an
 * error of the protocol.
 */
async function answered(context: DoorContext, body: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof McpError) throw error;
    const registered = registeredError(context, error);
    if (isForModel(registered)) return toolError(`${registered.message} ${registered.next}`);
    throw protocolError(registered);
  }
}

function protocolError({ message, code, next }: PlinthError): McpError {
  return new McpError(ErrorCode.InternalError, message, { code, next });
}

function isForModel({ spec }: PlinthError): boolean {
  return spec.fault !== "platform" || spec.retry !== "never";
}

function textIn(meta: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  const value = meta?.[name];
  return typeof value === "string" ? value : undefined;
}
