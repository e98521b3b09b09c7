/** Runs an accepted call through its last two stages. */
import type { CallBodies } from "./call-bodies.ts";
import type { CallValues } from "./call-values.ts";
import type { CallRun } from "./call-run.ts";
import type { ExecuteOptions } from "./execute.ts";
import type { AcceptedCall } from "./intake.ts";
import type { InvocationEvent, InvocationOutcome } from "./invocation.ts";

export interface EndedCall {
  readonly outcome: InvocationOutcome;
  /** The call did not run, or not as far as the function: it is rejected with the outcome's error. */
  readonly rejected: boolean;
}

export interface RunCallOptions extends ExecuteOptions {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: InvocationEvent) => void;
  /** The action whose lease it shares. */
  readonly root?: CallRun;
  /** Large bodies, for native code. */
  readonly bodies?: CallBodies;
  /** Of actions and handlers: what they read and write by pieces. */
  readonly values?: CallValues;
  /** Called with the run before it starts. */
  readonly onRun?: (run: CallRun) => void;
  /** Stores how the call ended, before anybody hears of it. False when it has not ended for good and will run again. */
  readonly settle?: (run: CallRun, ended: EndedCall) => Promise<boolean>;
}

/** Rejects with a PlinthError when the call was not run at all. */
export type RunCall = (accepted: AcceptedCall, options: RunCallOptions) => Promise<InvocationOutcome>;
