/** Gives the end of each call to every result sink. */
import { resultOf } from "../finalize.ts";
import type { LifecycleHook } from "../lifecycle.ts";
import type { ResultSink } from "../result-sink.ts";

export function persistResult(sinks: readonly ResultSink[]): LifecycleHook {
  return {
    name: "persistResult",
    after: (parts, { run, outcome, stored }) => {
      const result = resultOf(run, outcome, { nowMs: parts.runtime.nowMs(), stored });
      for (const sink of sinks) {
        try {
          sink.finished(result);
        } catch (error) {
          parts.telemetry.metrics.hookFailed(`sink:${sink.name}`);
          parts.telemetry.log.error({ error, invocation: run.accepted.id, sink: sink.name }, "a result sink failed");
        }
      }
    },
  };
}
