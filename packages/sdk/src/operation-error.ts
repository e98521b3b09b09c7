/**
 * Thrown by an operation that says no: its result is this error, and its invocation has succeeded. Anything else that is thrown is a
 * failure of the function.
 */
export class OperationError extends Error {
  override name = "OperationError";
  readonly type: "invalidRequest" | "retryExecution" | "unknown";

  constructor(message: string, type: "invalidRequest" | "retryExecution" | "unknown" = "invalidRequest") {
    super(message);
    this.type = type;
  }
}
