/** Spans of a call and of its stages. Costs nothing where nothing is traced. */
import { PlinthError } from "@plinth/core/errors.ts";
import type { CallRun } from "./call-run.ts";
import type { InvocationOutcome } from "./invocation.ts";
import type { Span } from "../telemetry/trace.ts";
import type { EngineParts } from "./parts.ts";

/** Starts the span of a call; its beginning is when the call was accepted. */
export function traceCall({ telemetry }: Pick<EngineParts, "telemetry">, run: CallRun): void {
  const { tracer } = telemetry;
  if (!tracer.active) return;
  const { accepted } = run;
  const span = tracer.start(`invoke ${accepted.path}`, {
    ...(accepted.request.trace === undefined ? {} : { parent: accepted.request.trace }),
    kind: accepted.request.parent === undefined ? "server" : "internal",
    attributes: {
      "plinth.tenant": accepted.scope.tenant,
      "plinth.branch": accepted.scope.branch,
      "plinth.function": accepted.path,
      "plinth.version": accepted.version.digest,
      "plinth.kind": accepted.kind,
      "plinth.source": accepted.request.source,
      "plinth.invocation": accepted.id,
    },
  });
  run.span = span;
  run.trace = span.context;
}

export function endTrace(run: CallRun, outcome: InvocationOutcome): void {
  const { span } = run;
  if (span === undefined) return;
  const { queueMs, userMs, attempts, coldStart, costNanos } = outcome.usage;
  span.set({
    "plinth.queue_ms": queueMs,
    "plinth.user_ms": userMs,
    "plinth.attempts": attempts,
    "plinth.cold_start": coldStart,
    "plinth.cost_nanos": costNanos,
  });
  span.end(outcome.status === "failed" ? { code: outcome.error.code, message: outcome.error.message } : undefined);
}

/** Runs one stage of a call in a span of its own. */
export function inSpan<T>(parts: Pick<EngineParts, "telemetry">, run: CallRun, name: string, body: () => Promise<T>): Promise<T> {
  const { span } = run;
  return span === undefined ? body() : traced(parts, { name, above: span }, body);
}

async function traced<T>(
  { telemetry }: Pick<EngineParts, "telemetry">,
  { name, above }: { readonly name: string; readonly above: Span },
  body: () => Promise<T>,
): Promise<T> {
  const span = telemetry.tracer.start(name, { parent: above.context });
  try {
    const result = await body();
    span.end();
    return result;
  } catch (error) {
    span.end(error instanceof PlinthError ? { code: error.code, message: error.message } : { code: "InternalError", message: "" });
    throw error;
  }
}
