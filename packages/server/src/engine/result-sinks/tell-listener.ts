/** Tells whoever follows the logs of a branch. */
import type { EngineParts } from "../parts.ts";
import type { ResultSink } from "../result-sink.ts";

export function tellListener(onFinished: NonNullable<EngineParts["onFinished"]>): ResultSink {
  return {
    name: "listener",
    finished: ({ scope, finishedMs, outcome }) => onFinished({ scope, atMs: finishedMs, outcome }),
    flush: () => Promise.resolve(),
  };
}
