/** Counts every invocation in the metrics. */
import type { Telemetry } from "../../telemetry/telemetry.ts";
import type { ResultSink } from "../result-sink.ts";

export function countUsage(telemetry: Telemetry): ResultSink {
  return {
    name: "metrics",
    finished: ({ scope, outcome, kind, source }) =>
      telemetry.metrics.finished({
        path: outcome.functionPath,
        branch: scope.branch,
        kind,
        source,
        ...(outcome.status === "failed" ? { errorCode: outcome.error.code } : {}),
        usage: outcome.usage,
      }),
    flush: () => Promise.resolve(),
  };
}
