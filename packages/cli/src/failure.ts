/** A command that cannot go on, for a reason that the user can act on. Printed without a stack. */
export class CommandFailure extends Error {
  override name = "CommandFailure";
  /** Exit codes as in `core/errors.ts`. */
  readonly exitCode: number;
  readonly code: string | undefined;

  constructor(message: string, exitCode: number, code?: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
  }
}
