/** How code in this process asks the host for something. */

/** Sends one operation with its argument as JSON text; resolves with the answer's text, rejects with a HostCallError. */
export type HostCaller = (op: string, argText: string) => Promise<string>;

/** The host refused, or a limit of the call did. */
export class HostCallError extends Error {
  override name = "HostCallError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Gives user code the one door to the host that the authors' library uses: `Convex.asyncSyscall(op, argText)`. The host checks
 * every operation itself.
 */
export function installSyscalls(hostCall: HostCaller): void {
  const door = Object.freeze({ asyncSyscall: (op: unknown, argText: unknown) => hostCall(String(op), String(argText)) });
  Object.defineProperty(globalThis, "Convex", { value: door, enumerable: false, configurable: true, writable: true });
}
