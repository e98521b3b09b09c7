/**
 * `plinth.v1.FunctionService`: operations with their four methods, what a name means, and functions with what happens as it happens.
 *
 * F1 A failure of user code is an answer; what is thrown means that nothing ran or that the platform failed.
 * F2 A call whose client is gone or whose deadline is over is cancelled.
 */
import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import { isHandlerPath } from "../../engine/function-address.ts";
import type { Actor, InvocationEvent, InvocationRequest } from "../../engine/invocation.ts";
import { answerResult } from "../../flows/answer-result.ts";
import type { AnswerResult } from "../../flows/flows.ts";
import { outputMessage } from "../../operations/function-defined/protobuf-output.ts";
import type { Executed, OperationCall } from "../../operations/operations.ts";
import {
  ExecuteEventSchema,
  ExecuteOperationResponseSchema,
  ExecuteSchemaHandlerResponseSchema,
  FunctionSchema,
  OperationSchema,
  type CompleteStepRequest,
  type ExecuteEvent,
  type ExecuteRequest,
  type FunctionService,
  type OperationCaller,
  type ResolveRequest,
} from "../../protobuf/_generated/plinth/v1/functions_pb.js";
import { parseTraceparent } from "../../telemetry/trace.ts";
import { hasScope } from "../authenticate.ts";
import type { DoorContext } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { argumentsText } from "../fields.ts";
import type { ViewOptions } from "../native/outcome-json.ts";
import { callerOf } from "./call-gate.ts";
import { EventQueue } from "./event-queue.ts";
import { thrownAsGrpc } from "./grpc-error.ts";
import { asStruct, asValue, eventOf, invocationOf, portsOf, priorityOf } from "./messages.ts";

export function functionService(context: DoorContext): ServiceImpl<typeof FunctionService> {
  const { operations } = context;
  /** Runs a method; whatever it throws is told as an error of gRPC. */
  const answer = async <T>(call: HandlerContext, body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (error) {
      throw thrownAsGrpc(context, error, call.signal);
    }
  };
  return {
    executeOperation: (request, call) =>
      answer(call, async () => {
        const executed = await operations.execute({
          ...operationCall(request, call),
          priority: priorityOf(request.priority),
          ...idempotencyOf(request.idempotencyKey),
        });
        return operationResponse(executed, viewOf(context, call));
      }),
    executeSchemaHandler: (request, call) =>
      answer(call, async () => {
        const { inputs, outputs } = await operations.schema(operationCall(request, call));
        return create(ExecuteSchemaHandlerResponseSchema, { inputs: portsOf(inputs), outputs: portsOf(outputs) });
      }),
    executeActivateHook: (request, call) =>
      answer(call, async () => {
        await operations.activate(operationCall(request, call));
        return {};
      }),
    executeDeactivateHook: (request, call) =>
      answer(call, async () => {
        await operations.deactivate(operationCall(request, call));
        return {};
      }),
    resolve: (request, call) => answer(call, () => resolve(context, request, call)),
    completeStep: (request, call) =>
      answer(call, async () => {
        await context.flows.answerByToken({ token: request.token, via: "grpc", result: stepResult(request) });
        return {};
      }),
    execute: async function* (request, call) {
      try {
        yield* execute(context, request, call);
      } catch (error) {
        throw thrownAsGrpc(context, error, call.signal);
      }
    },
  };
}

/** What all four methods of operations take. */
interface OperationRequest {
  readonly operation: string;
  readonly port: string;
  readonly input?: object | undefined;
  readonly caller?: OperationCaller | undefined;
}

function operationCall(request: OperationRequest, call: HandlerContext): OperationCall {
  const { scope, actor } = callerOf(call);
  const input = (request.input ?? {}) as JsonObject;
  argumentsText(input);
  const { userId = "", agentSessionId = "", skillCallId = "" } = request.caller ?? {};
  if ((agentSessionId === "") !== (skillCallId === ""))
    throw plinthError("BadRequest", { detail: "`agent_session_id` and `skill_call_id` belong together." });
  return {
    scope,
    actor,
    operation: request.operation,
    source: "grpc",
    input,
    signal: call.signal,
    ...deadlineOf(call),
    ...traceOf(call),
    ...(request.port === "" ? {} : { port: request.port }),
    ...userOf(actor, userId),
    ...(agentSessionId === ""
      ? {}
      : {
          agent: {
            sessionId: named("caller.agent_session_id", agentSessionId),
            skillCallId: named("caller.skill_call_id", skillCallId),
          },
        }),
  };
}

function operationResponse({ operation, result, outcome }: Executed, given: ViewOptions) {
  if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
  // What the host's own code says is for everybody.
  const view = { redact: given.redact && (operation.origin === "package" || operation.origin === "function") };
  const invocation = invocationOf(outcome, view);
  const { failure } = invocation;
  // What a failed function said is hidden in both places or in none.
  const shown =
    view.redact && failure !== undefined && result.kind === "error"
      ? { ...result, error: { ...result.error, message: failure.message } }
      : result;
  return create(ExecuteOperationResponseSchema, { output: outputMessage(shown), invocation });
}

function stepResult({ result }: CompleteStepRequest): AnswerResult {
  switch (result.case) {
    case "output":
      // The library reads JSON into it, with bounds (Q1 of request-message.ts).
      return { kind: "output", output: (toJson(ValueSchema, result.value) ?? null) as Json };
    case "error": {
      const { code, message, retryable } = result.value;
      return answerResult({ error: { code, message, retryable } });
    }
    case undefined:
      throw plinthError("BadRequest", { detail: "`output` or `error` must be given." });
  }
}

async function resolve(context: DoorContext, { target }: ResolveRequest, call: HandlerContext) {
  const { scope, actor } = callerOf(call);
  switch (target.case) {
    case "function": {
      const path = target.value;
      const found = await (isHandlerPath(path) ? context.snapIns : context.deploys).resolve(scope, path);
      if (found === undefined || (found.visibility === "internal" && !hasScope(actor, "admin")))
        throw plinthError(isHandlerPath(path) ? "HandlerNotFound" : "FunctionNotFound", { path });
      const { kind, visibility, version, args, returns } = found;
      const value = create(FunctionSchema, {
        path: found.path,
        kind,
        visibility,
        branch: scope.branch,
        version: version.digest,
        ...(args === undefined || args === null ? {} : { args: asValue(args) }),
        ...(returns === undefined || returns === null ? {} : { returns: asValue(returns) }),
      });
      return { target: { case: "function" as const, value } };
    }
    case "operation": {
      const found = await context.operations.find(scope, target.value);
      if (found === undefined) throw plinthError("OperationNotFound", { name: target.value.slice(0, 200) });
      const value = create(OperationSchema, {
        slug: found.slug,
        namespace: found.namespace,
        displayName: found.displayName,
        description: found.description,
        type: found.type,
        origin: found.origin,
        effect: found.effect,
        isWorkflowNode: found.isWorkflowNode,
        isAgentSkill: found.isAgentSkill,
        inputs: portsOf(found.inputs),
        outputs: portsOf(found.outputs),
        inputSchema: asStruct(context.operations.inputSchema(found)),
        outputSchema: asStruct(context.operations.outputSchema(found)),
      });
      return { target: { case: "operation" as const, value } };
    }
    case undefined:
      throw plinthError("BadRequest", { detail: "`function` or `operation` must be named." });
  }
}

async function* execute(context: DoorContext, request: ExecuteRequest, call: HandlerContext): AsyncGenerator<ExecuteEvent> {
  const view = viewOf(context, call);
  const invocation = invocationRequest(request, call);
  if (request.asynchronous) {
    const { id } = await context.engine.enqueue(invocation);
    yield create(ExecuteEventSchema, { event: { case: "queued", value: { id } } });
    return;
  }
  const events = new EventQueue<InvocationEvent>();
  const ended = context.engine
    .invoke(invocation, {
      signal: call.signal,
      ...(request.resultOnly
        ? {}
        : {
            onEvent: (event: InvocationEvent) => {
              if (event.type !== "done") events.push(event, bytesOf(event));
            },
          }),
    })
    .then((outcome) => {
      if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
      events.finish({ type: "done", outcome });
    })
    .catch((error: unknown) => events.end(registeredError(context, error)));
  for await (const event of events) {
    const message = eventOf(event, view);
    if (message !== undefined) yield message;
  }
  await ended;
}

function invocationRequest(request: ExecuteRequest, call: HandlerContext): InvocationRequest {
  const { scope, actor } = callerOf(call);
  return {
    ...scope,
    actor,
    source: "grpc",
    path: request.function,
    internalAllowed: hasScope(actor, "admin"),
    argsText: argumentsText(request.args ?? {}),
    priority: priorityOf(request.priority),
    ...idempotencyOf(request.idempotencyKey),
    // Work that is stored outlives the call that stores it.
    ...(request.asynchronous ? {} : deadlineOf(call)),
    ...traceOf(call),
  };
}

/** Only who may act as anybody names the user; a service account acts for its own. */
function userOf(actor: Actor, userId: string): { readonly userId?: string } {
  if (userId === "") return actor.service?.user === undefined || actor.service.user === null ? {} : { userId: actor.service.user };
  if (!hasScope(actor, "admin")) throw plinthError("Forbidden", { scope: "admin" });
  return { userId: named("caller.user_id", userId) };
}

function viewOf(context: DoorContext, call: HandlerContext): ViewOptions {
  return { redact: context.redactErrors && !hasScope(callerOf(call).actor, "admin") };
}

function deadlineOf(call: HandlerContext): { readonly deadlineMs?: number } {
  const leftMs = call.timeoutMs();
  return leftMs === undefined ? {} : { deadlineMs: Math.max(1, Math.floor(leftMs)) };
}

function traceOf(call: HandlerContext): Pick<InvocationRequest, "trace"> {
  const trace = parseTraceparent(call.requestHeader.get("traceparent") ?? undefined);
  return trace === undefined ? {} : { trace };
}

function idempotencyOf(key: string): { readonly idempotencyKey?: string } {
  const max = limit("idempotencyKeyBytesMax");
  if (Buffer.byteLength(key) > max) throw plinthError("BadRequest", { detail: `The idempotency key must have 1 to ${max} bytes.` });
  return key === "" ? {} : { idempotencyKey: key };
}

/** Names of users and sessions reach handlers, logs and names of tokens. */
function named(field: string, value: string): string {
  if (!/^[\x21-\x7e]{1,300}$/.test(value))
    throw plinthError("BadRequest", { detail: `\`${field}\` must be 1 to 300 visible ASCII characters.` });
  return value;
}

function bytesOf(event: InvocationEvent): number {
  return event.type === "partial" ? event.valueText.length : event.type === "log" ? event.line.text.length : 64;
}
