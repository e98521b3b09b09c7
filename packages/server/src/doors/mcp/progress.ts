/** What happens in a call, as progress: seldom enough for who reads it, and never more than a number of times. */
import { limit } from "@plinth/core/limits.ts";
import type { InvocationEvent } from "../../engine/invocation.ts";
import type { Runtime } from "../../runtime/runtime.ts";

export interface ProgressOptions {
  readonly runtime: Pick<Runtime, "monotonicMs">;
  /** Lines of logs are for those who may read them. */
  readonly logs: boolean;
  readonly send: (progress: { readonly progress: number; readonly message: string }) => void;
}

/** Progress counts what was seen; how much there will be, nobody knows. */
export function progressOf({ runtime, logs, send }: ProgressOptions): (event: InvocationEvent) => void {
  let seen = 0;
  let sent = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return (event) => {
    const message = messageOf(event, logs);
    if (message === undefined) return;
    seen += 1;
    const nowMs = runtime.monotonicMs();
    const isTime = event.type === "state" || nowMs - lastMs >= limit("mcpProgressMs");
    if (!isTime || sent >= limit("mcpProgressPerCallMax")) return;
    lastMs = nowMs;
    sent += 1;
    send({ progress: seen, message });
  };
}

function messageOf(event: InvocationEvent, logs: boolean): string | undefined {
  switch (event.type) {
    case "state":
      return event.reason === undefined ? event.state : `${event.state}: ${event.reason}`;
    case "log":
      return logs ? event.line.text.slice(0, limit("mcpProgressCharsMax")) : undefined;
    case "partial":
      return event.valueText.slice(0, limit("mcpProgressCharsMax"));
    case "done":
      return undefined;
  }
}
