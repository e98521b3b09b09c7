/**
 * Assertions state what must hold if Plinth itself is right. A failed one is a bug in Plinth and is
 * never caused by input: bad input gets an error of `errors.ts`.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Returns `value`, which cannot be absent here. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionFailure(message);
  return value;
}

/** Marks the branch of a `switch` that no state reaches; the compiler proves it. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable case ${String(value)}`);
}

export class AssertionFailure extends Error {
  override name = "AssertionFailure";
}
