/** Writes a line of the host's log for each invocation, or for each that failed, so that log systems can join it with traces. */
import type { Log } from "../../telemetry/log.ts";
import type { ResultSink } from "../result-sink.ts";

export function logCalls(log: Log, which: "failed" | "all"): ResultSink {
  return {
    name: "log",
    finished: ({ scope, outcome, kind, source }) => {
      if (which === "failed" && outcome.status === "succeeded") return;
      const { queueMs, executionMs, memoryBytes, egressBytes, costNanos } = outcome.usage;
      log.info(
        {
          tenant: scope.tenant,
          branch: scope.branch,
          function: outcome.functionPath,
          version: outcome.version,
          invocation: outcome.id,
          traceId: outcome.traceId,
          kind,
          source,
          status: outcome.status,
          ...(outcome.status === "failed" ? { errorCode: outcome.error.code, fault: outcome.error.spec.fault } : {}),
          queueMs,
          executionMs,
          memoryBytes,
          egressBytes,
          costNanos,
        },
        "invocation",
      );
    },
    flush: () => Promise.resolve(),
  };
}
