/** How the native door shows invocations: small JSON around value texts that are passed on unparsed. */
import type { PlinthError } from "@plinth/core/errors.ts";
import { ERRORS } from "@plinth/core/errors.ts";
import type { InvocationEvent, InvocationOutcome, InvocationRecord } from "../../engine/invocation.ts";

export interface ViewOptions {
  /** Show ids only of what failed inside functions. */
  readonly redact: boolean;
}

/** JSON text of `{id, status, value | error, logs, …}`. */
export function outcomeText(outcome: InvocationOutcome, options: ViewOptions): string {
  const head = {
    id: outcome.id,
    traceId: outcome.traceId,
    status: outcome.status,
    function: outcome.functionPath,
    version: outcome.version,
    logs: options.redact ? [] : outcome.logs,
    logsDropped: outcome.logsDropped,
    usage: outcome.usage,
  };
  if (outcome.status === "succeeded") return withField(JSON.stringify(head), "value", outcome.valueText);
  return withField(JSON.stringify(head), "error", failureText(outcome.error, outcome.stack, options));
}

/** JSON text of a stored record. */
export function recordText(record: InvocationRecord, options: ViewOptions): string {
  const { valueText, error, ...rest } = record;
  const head = { ...rest, function: record.functionPath, status: record.state, logs: options.redact ? [] : record.logs };
  const text = JSON.stringify(head);
  if (valueText !== undefined) return withField(text, "value", valueText);
  if (error === undefined) return text;
  const { dataText, ...shown } = error;
  const base = JSON.stringify(
    options.redact ? { code: error.code, message: `The function failed; its message is in the log of invocation ${record.id}.` } : shown,
  );
  return withField(text, "error", dataText === undefined ? base : withField(base, "data", dataText));
}

/** JSON text of an event's data. */
export function eventText(event: InvocationEvent, options: ViewOptions): string {
  switch (event.type) {
    case "state":
      return JSON.stringify({ state: event.state, ...(event.reason === undefined ? {} : { reason: event.reason }) });
    case "log":
      return JSON.stringify(event.line);
    case "partial":
      return `{"value":${event.valueText}}`;
    case "done":
      return outcomeText(event.outcome, options);
  }
}

function failureText(error: PlinthError, stack: string | undefined, options: ViewOptions): string {
  const spec = ERRORS[error.code];
  const hidden = options.redact && spec.fault === "function";
  const base = JSON.stringify({
    code: error.code,
    message: hidden ? "The function failed; its message is in the log of this invocation." : error.message,
    next: error.next,
    exitCode: spec.exitCode,
    fault: spec.fault,
    retry: spec.retry,
    ...(hidden || stack === undefined ? {} : { stack }),
  });
  return error.dataText === undefined ? base : withField(base, "data", error.dataText);
}

/** Adds a field whose value is JSON text already. */
function withField(objectText: string, name: string, valueText: string): string {
  return `${objectText.slice(0, -1)},"${name}":${valueText}}`;
}
