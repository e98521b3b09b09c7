import type { StoredValue } from "./value.ts";

/** Why a step or a run failed, as it is stored and shown. */
export interface FlowError {
  /** For handlers to decide on: `timeout`, `expression`, `user_error`, … or the code of `core/errors.ts`. */
  readonly code: string;
  /** One sentence that names the node and what to do. */
  readonly message: string;
  /** Id of the node that failed first. */
  readonly node: string | null;
  /** Another attempt may succeed. */
  readonly retryable: boolean;
}

/** Thrown while a node is resolved or executed, and turned into a failed step. */
export class StepFailure extends Error {
  override name = "StepFailure";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an expression reads is stored apart. It is small enough to be read before the node is decided; else this is a failure as others. */
export class StoredValueNeeded extends StepFailure {
  override name = "StoredValueNeeded";
  readonly values: readonly StoredValue[];

  constructor(message: string, values: readonly StoredValue[]) {
    super("stored_value", message);
    this.values = values;
  }
}

/** Long texts of others are cut. */
export function failure(code: string, message: string, node: string | null, retryable = false): FlowError {
  return { code, message: message.length > 2000 ? `${message.slice(0, 2000)}…` : message, node, retryable };
}

/** Of one step: a sentence that names it, which `message` continues. */
export function stepError(node: { readonly id: string }, code: string, message: string, isRetryable = false): FlowError {
  return failure(code, `The step \`${node.id}\` failed: ${message}`, node.id, isRetryable);
}
