/** Tests of a flow as they are written: `<name>.flow.test.json`, beside `<name>.flow.json` or `<name>.json`. */
import type { Json, JsonObject } from "../../operations/operation.ts";
import type { DryReport } from "../dry-report.ts";
import type { DryInput, Mocks } from "../mocks.ts";

export interface FlowTestFile {
  /** File of the definition, from the folder of the tests; null for the one beside it. */
  readonly flow: string | null;
  /** For all cases; those of a case come first. */
  readonly mocks: Mocks;
  readonly cases: readonly FlowTestCase[];
}

export interface FlowTestCase {
  readonly name: string;
  /** Only a name is written down yet, or it is left out for now. */
  readonly isSkipped: boolean;
  readonly input: Json;
  /** When the run begins, in its own time. */
  readonly atMs: number;
  readonly mocks: Mocks;
  readonly inputs: readonly DryInput[];
  readonly expect: Expectation;
}

/** What is null is not looked at. */
export interface Expectation {
  readonly status: DryReport["status"] | null;
  /** All of it. */
  readonly output: { readonly json: Json } | null;
  /** Parts of it. */
  readonly outputHas: { readonly json: Json } | null;
  /** `message`: a part of it. */
  readonly error: { readonly code: string | null; readonly node: string | null; readonly message: string | null } | null;
  readonly path: readonly string[] | null;
  readonly calls: readonly ExpectedCall[] | null;
  readonly notCalled: readonly string[];
  readonly undone: readonly string[] | null;
  /** Those that are named. */
  readonly variables: JsonObject;
  readonly reply: { readonly json: Json } | null;
  readonly elapsedMs: number | null;
}

export interface ExpectedCall {
  readonly node: string;
  readonly target: string | null;
  readonly input: { readonly json: Json } | null;
  readonly inputHas: { readonly json: Json } | null;
  readonly attempts: number | null;
}
