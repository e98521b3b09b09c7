/**
 * The shape of a native operation: what it declares, and code of the host that runs it on the one path (`engine/native-code.ts`).
 *
 * To add one: a file here that makes it, and its line in `table.ts`. What it needs of the host comes in `NativeParts`.
 *
 * V1 `run` gets an input that fits the port, defaults filled in; its text is still the caller's and hostile.
 * V2 `run` returns an error as its result only where it wrote nothing; what has to be undone is thrown (a PlinthError whose fault is
 *    the function's), and becomes a result with `error` as well.
 */
import type { JsonObject, Operation, OperationResult } from "@plinth/core/operations/operation.ts";
import type { AiEndpoints } from "../../ai/ai-endpoints.ts";
import type { NativeCode, NativeContext } from "../../engine/native-code.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Search } from "../../search/search.ts";
import type { DynamicSchema } from "../operations.ts";

export interface NativeOperation {
  readonly operation: Operation;
  /** Queries and mutations have the transaction of their call; actions have `fetch` and `call`. */
  readonly kind: NativeCode["kind"];
  /** Actions: how long one may take; the limit of actions when absent. */
  readonly wallMs?: number;
  readonly run: (context: NativeContext, call: NativeCall) => Promise<OperationResult>;
  /** Ports for what was filled in so far; the declared ones when absent. It sees unchecked input, reaches nothing and throws nothing. */
  readonly schema?: (input: JsonObject) => DynamicSchema;
  /** What is to happen when something begins, or ends, to use it: of triggers. Nothing when absent. */
  readonly activate?: (input: JsonObject) => Promise<void>;
  readonly deactivate?: (input: JsonObject) => Promise<void>;
}

export interface NativeCall {
  readonly port: string;
  readonly input: JsonObject;
  /** Scopes that the caller is held to in this call, besides those of its actor. */
  readonly grants?: readonly string[];
}

/** Makes one, once for each host. */
export type MakeNativeOperation = (parts: NativeParts) => NativeOperation;

/** What native operations may use of the host besides their context. */
export interface NativeParts {
  readonly runtime: Runtime;
  /** Language models. */
  readonly ai: AiEndpoints;
  readonly search: Search;
}
