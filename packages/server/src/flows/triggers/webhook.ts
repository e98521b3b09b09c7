/**
 * Requests of the world to an address of the flow's own: `{reply, context, policy, parameters}`. The first context is the body, or with
 * `context: "request"` the whole request. A policy (Rego, as those of webhooks of packages) may say who is let in and what the context
 * is.
 */
import type { FlowFinding, FlowTrigger } from "@plinth/core/flow/definition.ts";
import { isRecord } from "@plinth/core/flow/value.ts";
import type { Json, JsonObject } from "@plinth/core/operations/operation.ts";
import type { WebhookRequest } from "../../inbound/webhooks.ts";
import { parseJson } from "../../operations/native-call.ts";
import { parseFindings } from "../../packages/check-policies.ts";
import type { TriggerKind, TriggerPlace } from "./trigger.ts";

export const webhookTrigger: TriggerKind = { type: "webhook", source: "native", findings: wrongPolicy };

async function wrongPolicy({ data: { policy } }: FlowTrigger, { scope, tools }: TriggerPlace): Promise<readonly FlowFinding[]> {
  if (typeof policy !== "string" || tools === undefined) return [];
  const path = "trigger.data.policy";
  const found = parseFindings(await tools.run(scope.tenant, "rego", { policy }));
  return found.map(({ line, message }) => ({
    ...{ path, node: null, severity: "error", position: { line, column: 1 } },
    message: `${path}: line ${line}: ${message}.`,
  }));
}

/** Throws ArgumentValidation and TooDeep for a body that is no JSON though it says so. */
export function contextOfRequest({ context }: JsonObject, request: WebhookRequest): Json {
  const headers = headersOf(request);
  const query = fieldsOf(new URLSearchParams(request.query));
  const body = bodyOf(request, headers["content-type"] ?? "");
  if (context === "request") return { method: request.method, query, headers, body };
  return body ?? query;
}

/** Null when there is none. */
function bodyOf({ body }: WebhookRequest, contentType: string): Json {
  if (body.length === 0) return null;
  const text = body.toString("utf8");
  const [type = ""] = contentType.toLowerCase().split(";");
  if (type.trim() === "application/x-www-form-urlencoded") return fieldsOf(new URLSearchParams(text));
  return type.trim() === "application/json" || type.trim().endsWith("+json") ? parseJson(text) : text;
}

function headersOf({ headers }: WebhookRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
}

/** A name that comes several times has the list of its values. One pass: a body may have a name in each two bytes. */
function fieldsOf(parameters: URLSearchParams): JsonObject {
  const fields = new Map<string, string[]>();
  for (const [name, value] of parameters) {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries([...fields].map(([name, values]) => [name, oneOrAll(values)]));
}

function oneOrAll(values: readonly string[]): Json {
  return values.length === 1 ? (values[0] ?? null) : values;
}

/** What a sync reply says: an output of `status`, `headers` and `body` alone is the response itself. */
export function responseOf(output: Json): {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Json;
} {
  const { status, headers = {}, body = "", ...others } = isRecord(output) ? output : {};
  const isResponse = typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isResponse || !isRecord(headers) || Object.keys(others).length > 0)
    return { status: 200, headers: [["content-type", "application/json"]], body: JSON.stringify(output) };
  const told = Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  return { status, headers: told, body };
}
