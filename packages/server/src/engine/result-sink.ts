/**
 * Port: where the end of every invocation goes: result, logs, artefacts and usage, of every runtime and every way to start it.
 *
 * To add one: a file in `result-sinks/` that makes a ResultSink, and its line in `result-sinks/table.ts` (or `sinks` of
 * EngineParts, for one that is made elsewhere). Its failure is logged and counted and harms neither the call nor other sinks.
 */
import type { FunctionKind, RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Scope } from "../database/database.ts";
import type { InvocationOutcome, InvocationRequest } from "./invocation.ts";

/** A file that a function left, kept as a blob as long as the record of its invocation. */
export interface Artefact {
  readonly name: string;
  readonly contentType: string;
  readonly digest: string;
  readonly bytes: number;
}

/** What is known of an invocation when it has ended. */
export interface InvocationResult {
  readonly scope: Scope;
  readonly outcome: InvocationOutcome;
  readonly kind: FunctionKind;
  readonly runtime: RuntimeName;
  readonly source: InvocationRequest["source"];
  readonly createdMs: number;
  /** Absent when it never started. */
  readonly startedMs: number | undefined;
  readonly finishedMs: number;
  readonly artefacts: readonly Artefact[];
  /** Its record was committed already: with its effects, or under the lease of a stored call. */
  readonly stored: boolean;
}

export interface ResultSink {
  readonly name: string;
  /** Called once for each invocation, after its outcome stands. What it keeps for later is bounded. */
  finished(result: InvocationResult): void;
  /** Resolves when everything that was given to `finished` is where it belongs; at the stop of the host. */
  flush(): Promise<void>;
}
