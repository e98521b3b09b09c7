/**
 * Calls a function for a client of Convex's HTTP API and words the answer as that API does: HTTP 200 with
 * `{status, value | errorMessage, errorData?, logLines}` for all that concerns the function, and a status with
 * `{code, message}` for all else.
 */
import { PlinthError } from "@plinth/core/errors.ts";
import type { FunctionKind } from "@plinth/core/protocol/runner-protocol.ts";
import type { InvocationOutcome, LogLine } from "../../engine/invocation.ts";
import type { Timestamp } from "../../store/store.ts";
import { hasScope } from "../authenticate.ts";
import type { DoorContext, DoorRequest } from "../door.ts";
import { registeredError } from "../error-reply.ts";
import { toCleanJsonText } from "./clean-json.ts";

export type ValueFormat = "json" | "convex_encoded_json";
export const VALUE_FORMATS = ["json", "convex_encoded_json"] as const;

export interface FunctionCall {
  readonly path: string;
  readonly kind: FunctionKind | undefined;
  readonly argsText: string;
  readonly format: ValueFormat;
  readonly at?: Timestamp;
  readonly signal?: AbortSignal;
}

/** JSON text of the answer. Throws what is not the function's doing. */
export async function callFunction(context: DoorContext, request: DoorRequest, call: FunctionCall): Promise<string> {
  const { actor, scope } = request.caller;
  const admin = hasScope(actor, "admin");
  const redact = context.redactErrors && !admin;
  let outcome: InvocationOutcome;
  try {
    outcome = await context.engine.invoke(
      {
        ...scope,
        actor,
        source: "convex",
        path: call.path,
        ...(call.kind === undefined ? {} : { kind: call.kind }),
        internalAllowed: admin,
        argsText: call.argsText,
        priority: "interactive",
        ...(call.at === undefined ? {} : { at: call.at }),
      },
      call.signal === undefined ? {} : { signal: call.signal },
    );
  } catch (error) {
    const registered = registeredError(context, error);
    if (!concernsFunction(registered)) throw registered;
    const requestId = Buffer.from(context.runtime.randomBytes(8)).toString("hex");
    return errorText({ error: registered, requestId, redact, logs: [], format: call.format });
  }
  if (outcome.status === "succeeded") {
    const valueText = call.format === "json" ? toCleanJsonText(outcome.valueText) : outcome.valueText;
    return `{"status":"success","value":${valueText},"logLines":${logLinesText(outcome.logs, redact)}}`;
  }
  if (outcome.error.spec.fault === "platform") throw registeredError(context, outcome.error);
  return errorText({
    error: outcome.error,
    requestId: outcome.id,
    redact,
    logs: outcome.logs,
    format: call.format,
    ...(outcome.stack === undefined ? {} : { stack: outcome.stack }),
  });
}

/** What Convex reports as a result of the function although it was not run. */
function concernsFunction(error: PlinthError): boolean {
  return (
    error.spec.fault === "function" ||
    error.code === "FunctionNotFound" ||
    error.code === "HandlerNotFound" ||
    error.code === "WrongFunctionKind" ||
    error.code === "ArgumentValidation"
  );
}

function errorText(failure: {
  readonly error: PlinthError;
  readonly requestId: string;
  readonly stack?: string;
  readonly redact: boolean;
  readonly logs: readonly LogLine[];
  readonly format: ValueFormat;
}): string {
  const firstLine = `[Request ID: ${failure.requestId}] Server Error`;
  const errorMessage = failure.redact ? firstLine : `${firstLine}\n${describeFailure(failure.error, failure.stack)}`;
  const dataText = failure.error.dataText;
  const errorData = dataText === undefined ? "" : `,"errorData":${failure.format === "json" ? toCleanJsonText(dataText) : dataText}`;
  return `{"status":"error","errorMessage":${JSON.stringify(errorMessage)},"errorCode":"${failure.error.code}"${errorData},"logLines":${logLinesText(failure.logs, failure.redact)}}`;
}

/** The text of a failure as Convex writes it, with the frames of the author's sources. */
export function describeFailure(error: PlinthError, stack: string | undefined): string {
  const message = error.code === "FunctionNotFound" || error.code === "HandlerNotFound" ? `${error.message} ${error.next}` : error.message;
  return stack === undefined ? message : `${message}\n${stack}`;
}

export function formatLogLine(line: LogLine): string {
  return `[${line.level.toUpperCase()}] ${line.text}`;
}

/** Console lines may hold what the author meant for the team only; redaction drops them. */
function logLinesText(logs: readonly LogLine[], redact: boolean): string {
  return redact || logs.length === 0 ? "[]" : JSON.stringify(logs.map(formatLogLine));
}
