/** What a caller may say about how a call is to run, in the body or in headers. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { InvocationRequest, Priority } from "../../engine/invocation.ts";
import { parseTraceparent } from "../../telemetry/trace.ts";
import type { DoorRequest } from "../door.ts";
import { choiceField, optionalNumberField, optionalTextField } from "../fields.ts";
import type { JsonObject } from "../request-body.ts";
import { choice, number, orNull, text } from "../openapi/schema.ts";
import { PRIORITY } from "../openapi/schemas.ts";

/** What is written about these settings where they are in the body. */
export const CALL_PROPERTIES = {
  "mode?": orNull(choice(["sync", "async"], "`async` stores the call and answers 202.")),
  "priority?": orNull(PRIORITY),
  "deadlineMs?": orNull(number("Milliseconds from now until the caller gives up.", { minimum: 1, maximum: limit("scheduleAheadMsMax") })),
  "idempotencyKey?": orNull(text("A call with a key that was used before answers with the first outcome, also after a restart.")),
};

/** And where they are headers. */
export const CALL_HEADERS = {
  Prefer: text("`respond-async` stores the call and answers 202."),
  "X-Plinth-Priority": PRIORITY,
  "X-Plinth-Deadline-Ms": text("Milliseconds from now until the caller gives up."),
  "Idempotency-Key": text("As `idempotencyKey`."),
  traceparent: text("The trace that the caller is in (W3C Trace Context)."),
};

const PRIORITIES = ["interactive", "normal", "background"] as const satisfies readonly Priority[];

export function readCallSettings(
  request: DoorRequest,
  body: JsonObject,
): Pick<InvocationRequest, "priority" | "deadlineMs" | "idempotencyKey" | "trace"> {
  const idempotencyKey = headerText(request, "idempotency-key") ?? optionalTextField(body, "idempotencyKey");
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey);
  const deadlineMs = readDeadline(request, body);
  const trace = readTrace(request);
  return {
    priority: readPriority(request, body),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(trace === undefined ? {} : { trace }),
  };
}

/** The trace that the caller began. */
export function readTrace(request: DoorRequest): InvocationRequest["trace"] {
  return parseTraceparent(headerText(request, "traceparent"));
}

/** Whether the call is to be stored and run later: `mode`, or the `Prefer` header. */
export function isAsynchronous(request: DoorRequest, body: JsonObject): boolean {
  const mode = choiceField(body, "mode", ["sync", "async"]);
  return mode === "async" || (mode === undefined && /\brespond-async\b/i.test(headerText(request, "prefer") ?? ""));
}

function readPriority(request: DoorRequest, body: JsonObject): Priority {
  const header = headerText(request, "x-plinth-priority");
  const fields = header === undefined ? body : { priority: header };
  return choiceField(fields, "priority", PRIORITIES) ?? "normal";
}

function readDeadline(request: DoorRequest, body: JsonObject): number | undefined {
  const header = headerText(request, "x-plinth-deadline-ms");
  const fields = header === undefined ? body : { deadlineMs: /^\d{1,12}$/.test(header) ? Number(header) : header };
  return optionalNumberField(fields, "deadlineMs", { min: 1, max: limit("scheduleAheadMsMax") });
}

export function checkIdempotencyKey(key: string): void {
  const max = limit("idempotencyKeyBytesMax");
  if (key === "" || Buffer.byteLength(key) > max)
    throw plinthError("BadRequest", { detail: `The idempotency key must have 1 to ${max} bytes.` });
}

function headerText(request: DoorRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
