/** `/v1/operations`: the catalogue of a branch, and the four methods of each operation. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { formOf } from "@plinth/core/operations/forms.ts";
import { inputSchemaDocument, openSchemaDocument } from "@plinth/core/operations/json-schema.ts";
import type { JsonObject, Operation, OperationResult, Port } from "@plinth/core/operations/operation.ts";
import { encodeOutput } from "../../operations/function-defined/protobuf-output.ts";
import { plainForm } from "../../operations/native-result.ts";
import type { Executed, OperationCall } from "../../operations/operations.ts";
import { hasScope } from "../authenticate.ts";
import { jsonReply, jsonTextReply, type Access, type DoorContext, type DoorRequest, type Reply } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { streamFormOf } from "../event-stream.ts";
import { objectField, optionalTextField } from "../fields.ts";
import { readJsonObject, type JsonObject as Body } from "../request-body.ts";
import { isAsynchronous, readCallSettings } from "./call-settings.ts";
import { eventText, outcomeText } from "./outcome-json.ts";
import type { DocumentedRoute } from "../openapi/route-doc.ts";
import { OPERATION_DOCS } from "./operations-doc.ts";

const READ: Access = ["read", "invoke", "deploy"];
/** The operation says what it needs besides. */
const RUN: Access = ["invoke", "deploy"];

/** `GET /v1/operations?text=&type=action|trigger&agentSkills=true&limit=`: all, or the best matches first. */
export const listOperations: DocumentedRoute = {
  method: "GET",
  path: "/v1/operations",
  access: READ,
  serviceTokens: true,
  doc: OPERATION_DOCS.listOperations,
  handle: async ({ operations }, { caller, query }): Promise<Reply> => {
    const type = query.get("type");
    if (type !== null && type !== "action" && type !== "trigger") throw wrong("`type` must be action or trigger.");
    const text = query.get("text") ?? "";
    const found = await operations.search(caller.scope, {
      ...(text === "" ? {} : { text }),
      ...(type === null ? {} : { type }),
      agentSkills: query.get("agentSkills") === "true",
      limit: readLimit(query.get("limit")),
    });
    return jsonReply({ branch: caller.scope.branch, operations: found.map(summary) });
  },
};

/** `GET /v1/operations/{operation}`: its ports as fields, JSON Schema and form. */
export const getOperation: DocumentedRoute = {
  method: "GET",
  path: "/v1/operations/:id",
  access: READ,
  serviceTokens: true,
  doc: OPERATION_DOCS.getOperation,
  handle: async ({ operations }, { caller, params }): Promise<Reply> => {
    const name = params["id"] ?? "";
    const operation = await operations.find(caller.scope, name);
    if (operation === undefined) throw plinthError("OperationNotFound", { name: name.slice(0, 200) });
    return jsonReply({
      ...summary(operation),
      isWorkflowNode: operation.isWorkflowNode,
      scopes: operation.scopes.map(({ scope }) => scope),
      timeoutMs: operation.timeoutMs,
      inputSchema: operations.inputSchema(operation),
      outputSchema: operations.outputSchema(operation),
      form: formOf(operation.inputs[0]?.fields ?? []),
      ...portsView(operation),
    });
  },
};

/**
 * `POST /v1/operations/{operation}/execute` with `{input, port?, mode?, priority?, deadlineMs?, idempotencyKey?}`. Stored and streamed
 * as calls of functions are. An operation that says no answers 200 with `result.error`. With `Accept: application/x-protobuf` the
 * answer is the result alone, as `devrev.operation.OperationOutput`.
 */
export const executeOperation: DocumentedRoute = {
  method: "POST",
  path: "/v1/operations/:id/execute",
  access: RUN,
  serviceTokens: true,
  doc: OPERATION_DOCS.executeOperation,
  handle: async (context, request): Promise<Reply> => {
    const body = readJsonObject(request, { optional: true });
    const call = { ...readCall(request, body), ...readCallSettings(request, body) };
    if (isAsynchronous(request, body)) return await enqueue(context, request, call);
    const form = streamFormOf(request.headers.accept);
    if (form === undefined) {
      const executed = await context.operations.execute(call);
      const { outcome } = executed;
      if (outcome.status === "failed" && outcome.error.spec.fault === "platform") throw outcome.error;
      const redact = isRedacted(context, request);
      return wantsProtobuf(request) ? protobufReply(executed, redact) : jsonTextReply(executedText(executed, redact));
    }
    return { kind: "stream", form, write: async (stream) => await streamed(context, request, call, stream) };
  },
};

export const operationSchema: DocumentedRoute = {
  method: "POST",
  path: "/v1/operations/:id/schema",
  access: RUN,
  serviceTokens: true,
  doc: OPERATION_DOCS.operationSchema,
  handle: async ({ operations }, request): Promise<Reply> => {
    const call = readCall(request, readJsonObject(request, { optional: true }));
    return jsonReply(portsView(await operations.schema(call)));
  },
};

export const activateOperation: DocumentedRoute = hookRoute("activate");
export const deactivateOperation: DocumentedRoute = hookRoute("deactivate");

function hookRoute(hook: "activate" | "deactivate"): DocumentedRoute {
  return {
    method: "POST",
    path: `/v1/operations/:id/${hook}`,
    access: RUN,
    serviceTokens: true,
    doc: OPERATION_DOCS[`${hook}Operation`],
    handle: async ({ operations }, request): Promise<Reply> => {
      await operations[hook](readCall(request, readJsonObject(request, { optional: true })));
      return jsonReply({ done: true });
    },
  };
}

async function enqueue({ operations }: DoorContext, { caller }: DoorRequest, call: OperationCall): Promise<Reply> {
  const { id, operation } = await operations.enqueue(call);
  const location = `${caller.prefix}/v1/invocations/${id}${caller.query}`;
  return jsonReply({ id, status: "queued", operation: nameOf(operation), location }, 202, { location });
}

/** The end is told in the words of operations; everything before it in those of calls. */
async function streamed(
  context: DoorContext,
  request: DoorRequest,
  call: OperationCall,
  stream: { send(event: string, dataText: string): void; readonly signal: AbortSignal },
): Promise<void> {
  const redact = isRedacted(context, request);
  try {
    const executed = await context.operations.execute({
      ...call,
      signal: stream.signal,
      onEvent: (event) => {
        if (event.type !== "done" && !(redact && event.type === "log")) stream.send(event.type, eventText(event, { redact }));
      },
    });
    stream.send("done", executedText(executed, redact));
  } catch (error) {
    const registered = registeredError(context, error);
    stream.send("error", JSON.stringify({ code: registered.code, message: registered.message, next: registered.next }));
  }
}

function readCall({ caller, params }: DoorRequest, body: Body): OperationCall {
  const port = optionalTextField(body, "port");
  const userId = optionalTextField(body, "userId");
  // Only who may act as anybody names the user.
  if (userId !== undefined && !hasScope(caller.actor, "admin")) throw plinthError("Forbidden", { scope: "admin" });
  const user = userId ?? caller.actor.service?.user ?? undefined;
  return {
    scope: caller.scope,
    actor: caller.actor,
    operation: params["id"] ?? "",
    source: "native",
    input: readInput(body),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { userId: user }),
  };
}

/** It came as JSON, so what is in it is JSON. */
function readInput(body: Body): JsonObject {
  return (body["input"] ?? null) === null ? {} : (objectField(body, "input") as JsonObject);
}

function readLimit(text: string | null): number {
  const max = limit("operationSearchResultsMax");
  if (text === null) return max;
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1) throw wrong("`limit` must be a positive whole number.");
  return Math.min(Number(text), max);
}

function isRedacted({ redactErrors }: DoorContext, { caller }: DoorRequest): boolean {
  return redactErrors && !hasScope(caller.actor, "admin");
}

const PROTOBUF_TYPE = "application/x-protobuf";

function wantsProtobuf({ headers }: DoorRequest): boolean {
  return headers.accept?.split(",").some((type) => type.trim().toLowerCase() === PROTOBUF_TYPE) === true;
}

function protobufReply(executed: Executed, redacted: boolean): Reply {
  const body = Buffer.from(encodeOutput(shownResult(executed, redacted)));
  return { kind: "text", status: 200, contentType: PROTOBUF_TYPE, body, headers: { "x-plinth-invocation": executed.outcome.id } };
}

/** JSON text of `{id, status, operation, result, error?, logs, usage, …}`. */
function executedText(executed: Executed, redacted: boolean): string {
  const { operation, outcome } = executed;
  const shown = outcome.status === "succeeded" ? { ...outcome, valueText: "null" } : outcome;
  const redact = redacted && isOfUsers(operation);
  const { value: _, ...rest } = JSON.parse(outcomeText(shown, { redact })) as Readonly<Record<string, unknown>>;
  return JSON.stringify({ ...rest, operation: nameOf(operation), result: plainForm(shownResult(executed, redacted)) });
}

/** What the host's own code says is for everybody. */
function shownResult({ operation, result, outcome }: Executed, redacted: boolean): OperationResult {
  if (!redacted || !isOfUsers(operation) || outcome.status !== "failed" || result.kind !== "error") return result;
  const message = `The operation failed; its message is in the log of invocation ${outcome.id}.`;
  return { kind: "error", error: { type: result.error.type, message } };
}

function isOfUsers({ origin }: Operation): boolean {
  return origin === "package" || origin === "function";
}

function nameOf({ namespace, slug }: Operation): string {
  return `${namespace}/${slug}`;
}

function summary(operation: Operation) {
  const { slug, namespace, displayName, description, type, origin, effect, isAgentSkill } = operation;
  return { name: nameOf(operation), slug, namespace, displayName, description, type, origin, effect, isAgentSkill };
}

function portsView({ inputs, outputs }: { readonly inputs: readonly Port[]; readonly outputs: readonly Port[] }) {
  return {
    inputs: inputs.map((port) => ({ ...port, schema: inputSchemaDocument(port), form: formOf(port.fields) })),
    outputs: outputs.map((port) => ({ ...port, schema: openSchemaDocument(port.fields) })),
  };
}

function wrong(detail: string) {
  return plinthError("BadRequest", { detail });
}
