/** Keeps a record of calls that have none yet: successful ones are sampled, failures nearly all kept. */
import { finishedRecord } from "../finalize.ts";
import type { RecordBatch } from "../record-batch.ts";
import type { ResultSink } from "../result-sink.ts";

export function keepRecords(records: RecordBatch): ResultSink {
  return {
    name: "records",
    finished: (result) => {
      const { scope, outcome, stored } = result;
      if (stored || outcome.usage.cached) return;
      const functionKey = `fn:${scope.tenant}/${outcome.functionPath}|branch:${scope.branch}`;
      if (!records.takesOne(functionKey, outcome.status === "succeeded")) return;
      records.add(finishedRecord(result, { fencingToken: 0, value: {} }));
    },
    flush: () => records.flush(),
  };
}
