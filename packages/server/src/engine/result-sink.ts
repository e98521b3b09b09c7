/**
 * Port: where the end of every invocation goes: result, logs, artefacts and usage, of every runtime and every way to start it.
 * Sinks stand in `result-sinks/`, with a recipe in ARCHITECTURE.md. A sink's failure is logged and counted and harms no call.
 */
import type { InvocationOutcome, InvocationRequest } from "./invocation.ts";
import type { Scope } from "../database/database.ts";
import type { FunctionKind, RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";

/** What is known of an invocation when it has ended. */
export interface InvocationResult {
  readonly scope: Scope;
  readonly outcome: InvocationOutcome;
  readonly kind: FunctionKind;
  readonly runtime: RuntimeName;
  readonly source: InvocationRequest["source"];
  readonly createdMs: number;
  readonly finishedMs: number;
  /** Named values and files that the function left, by blob. */
  readonly artefacts: readonly { readonly name: string; readonly digest: string; readonly bytes: number }[];
}

export interface ResultSink {
  readonly name: string;
  /** Called once for each invocation, after its outcome stands. May do its work later, but keeps what it holds bounded. */
  finished(result: InvocationResult): void;
  /** Resolves when everything that was given to `finished` is where it belongs. */
  flush(): Promise<void>;
}
