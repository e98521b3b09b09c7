/** Rows of scripts that run apart from their run. */
import { assert } from "@plinth/core/assert.ts";

/** One attempt of a step whose script runs as a stored invocation. It is there until its result has reached the run. */
export interface AsyncScriptRow {
  /** Of the context: `workflow-scripts/{env}/{company}/{run}-{node}-{time}.json`. */
  readonly name: string;
  /** The blob that holds it. */
  readonly digest: string;
  readonly bytes: number;
  readonly run: string;
  readonly key: string;
  readonly attempt: number;
  readonly node: string;
  readonly language: "javascript" | "python";
  readonly createdMs: number;
  /** The step fails when nothing has come by then. */
  readonly untilMs: number;
  /** For one execution. */
  readonly timeoutMs: number;
  /** Digest of the packages that it uses. */
  readonly bundle: string | null;
  /** The invocation; null until it is stored. */
  readonly invocation: string | null;
  /** Executions that were asked for. */
  readonly tries: number;
}

export function parseAsyncScript(json: unknown): AsyncScriptRow {
  const row = json as AsyncScriptRow;
  assert(
    typeof row.name === "string" && typeof row.digest === "string" && Number.isInteger(row.tries),
    "a stored script call has its fields",
  );
  return row;
}
