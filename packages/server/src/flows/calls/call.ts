/** What a kind of call of a flow is made of. One file a kind, listed in `table.ts`. */
import type { CallDescription } from "@plinth/core/flow/calls.ts";
import type { Command } from "@plinth/core/flow/commands.ts";
import type { StepError } from "@plinth/core/flow/events.ts";
import type { FlowProgram } from "@plinth/core/flow/program.ts";
import type { RunState } from "@plinth/core/flow/state.ts";
import type { StoredPart } from "@plinth/core/flow/value.ts";
import type { Json } from "@plinth/core/operations/operation.ts";
import type { Scope, Transaction } from "../../database/database.ts";
import type { Deploys } from "../../deploys/deploys.ts";
import type { CallValues } from "../../engine/call-values.ts";
import type { Engine } from "../../engine/invocation.ts";
import type { Keyrings } from "../../keyrings/keyrings.ts";
import type { Operations } from "../../operations/operations.ts";
import type { Log } from "../../telemetry/log.ts";
import type { CallbackParts } from "../callbacks.ts";
import type { ChildRuns } from "../child-runs.ts";
import type { RunRow } from "../flow-records.ts";
import type { AsyncScripts } from "../scripts/async-scripts.ts";
import type { ScriptChecks } from "../script-check.ts";
import type { StepLogs } from "../step-logs.ts";
import type { LargeValues } from "../values/large-values.ts";

export interface StepCallsParts extends CallbackParts {
  readonly engine: () => Pick<Engine, "invoke">;
  readonly operations: Operations;
  readonly deploys: Deploys;
  readonly log: Log;
  readonly scripts: Pick<ScriptChecks, "check">;
  readonly stepLogs: StepLogs;
  readonly asyncScripts: Pick<AsyncScripts, "begin">;
  readonly values: LargeValues;
  readonly keyrings: Pick<Keyrings, "list" | "deliver" | "redact">;
  readonly children: () => Pick<ChildRuns, "prepare">;
}

export type CallCommand = Command & { readonly kind: "call" };

export type CallKindName = CallDescription["kind"];

/** What the command of a kind describes. */
export type CallOf<Kind extends CallKindName> = CallDescription & { readonly kind: Kind };

/**
 * What a call does, as far as it matters when its run is written (C1, C2 of core/flow/commands.ts): `compute` may be done again when
 * a commit is lost, `store` takes part in a commit, `outside` comes after one.
 */
export type CallClass = "compute" | "store" | "outside";

export type StepResult =
  | {
      readonly ok: true;
      readonly output: Json;
      /** Parts of the output that are stored: null stands for them there. What is too large besides is stored by `StepCalls`. */
      readonly stored?: readonly StoredPart[];
    }
  | { readonly ok: false; readonly error: StepError }
  | Deferral;

/** The result comes later: by a callback, or with the end of the run `child` that the call has begun. */
export interface Deferral {
  readonly ok: "later";
  readonly deadlineMs: number;
  readonly child?: string;
}

export interface CallOfRun {
  readonly scope: Scope;
  readonly row: RunRow;
  readonly program: FlowProgram;
  readonly state: RunState;
  readonly command: CallCommand;
  readonly signal: AbortSignal;
  /** Of class `store`: in the transaction of its writes. */
  readonly commit?: (transaction: Transaction, result: StepResult) => Promise<void>;
  /** What its code reads and writes by pieces. */
  readonly values?: CallValues;
}

export interface CallKind<Kind extends CallKindName> {
  readonly classOf: (
    parts: StepCallsParts,
    call: CallOf<Kind>,
    place: { readonly scope: Scope; readonly row: RunRow },
  ) => CallClass | Promise<CallClass>;
  /** What it gives lies in the journal whatever its size is, which its node bounds. */
  readonly givesWhole?: true;
  /** Hands stored values on itself; else its input comes with all of them in its JSON. */
  readonly takesStored?: true;
  /** Its code reads and writes values by pieces, if it is of class `outside`. */
  readonly takesPieces?: true;
  /** Rejects with what the step fails with, and with ShuttingDown. */
  readonly perform: (parts: StepCallsParts, call: CallOf<Kind>, of: CallOfRun) => Promise<StepResult>;
}
