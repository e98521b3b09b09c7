/** What every call of a run asks of the engine. */
import type { InvocationRequest } from "../../engine/invocation.ts";
import type { CallCommand, CallOfRun } from "./call.ts";

export function requestOf({ scope, row, command }: CallOfRun): Omit<InvocationRequest, "path" | "argsText"> {
  return {
    ...scope,
    actor: row.actor,
    source: row.source,
    internalAllowed: true,
    priority: "normal",
    deadlineMs: command.timeoutMs,
  };
}

/** For the engine, which keeps the outcome of a key: each attempt is a call of its own there. */
export function engineKeyOf({ key, attempt }: CallCommand): string {
  return `${key}:${attempt}`;
}
