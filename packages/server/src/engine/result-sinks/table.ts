/** The sinks of every engine. */
import type { EngineParts } from "../parts.ts";
import type { RecordBatch } from "../record-batch.ts";
import type { ResultSink } from "../result-sink.ts";
import { countUsage } from "./count-usage.ts";
import { keepRecords } from "./keep-records.ts";
import { tellListener } from "./tell-listener.ts";

export function resultSinks(parts: EngineParts, records: RecordBatch): readonly ResultSink[] {
  return [
    countUsage(parts.telemetry),
    keepRecords(records),
    ...(parts.onFinished === undefined ? [] : [tellListener(parts.onFinished)]),
    ...(parts.sinks ?? []),
  ];
}
