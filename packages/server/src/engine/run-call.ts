/** Runs an accepted call through its last two stages. */
import type { CallRun } from "./call-run.ts";
import type { ExecuteOptions } from "./execute.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationEvent, InvocationOutcome } from "./invocation.ts";

export interface RunCallOptions extends ExecuteOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  /** The action whose lease it shares. */
  readonly root?: CallRun;
  /** Called with the run before it starts. */
  readonly onRun?: (run: CallRun) => void;
}

/** Rejects with a PlinthError when the call was not run at all. */
export type RunCall = (accepted: AcceptedCall, options: RunCallOptions) => Promise<InvocationOutcome>;
