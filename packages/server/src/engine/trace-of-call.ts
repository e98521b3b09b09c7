/** Where a call stands in its trace. Invocation ids have the form of trace ids, so a call that nobody traces names its own trace. */
import type { TraceContext } from "../telemetry/trace.ts";
import type { AcceptedCall } from "./intake.ts";

export function traceOf({ id, request }: Pick<AcceptedCall, "id" | "request">): TraceContext {
  return request.trace ?? { traceId: id, spanId: id.slice(-16), sampled: false };
}
