/** What the functions on the stack of a call use of the engine. */
import type { CallFrame } from "./call-frame.ts";
import type { HostCall } from "./host-calls/host-call.ts";
import type { InvocationEvent, InvocationOutcome, InvocationRequest } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";

export interface EngineCore {
  readonly parts: EngineParts;
  readonly hostCallOf: (op: string) => HostCall | undefined;
  /** Runs what an action calls: queries and mutations on places of their own, actions on the place of their caller. */
  callChild(frame: CallFrame, request: InvocationRequest): Promise<InvocationOutcome>;
  /** Runs what a native action calls: it waits, and its action runs on its place meanwhile. */
  callBelow(
    request: InvocationRequest,
    options: { readonly signal: AbortSignal; readonly onEvent?: (event: InvocationEvent) => void },
  ): Promise<InvocationOutcome>;
}
