/** What every call of a run asks of the engine. */
import type { InvocationRequest } from "../../engine/invocation.ts";
import type { StepOfRun } from "../../engine/step-of-run.ts";
import { type CallbackParts, offerCallback } from "../callbacks.ts";
import type { CallOfRun } from "./call.ts";

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

/** What the code of a call is told of its step (C3 of core/flow/commands.ts). */
export async function stepOf(parts: CallbackParts, of: CallOfRun, laterMs: number | undefined): Promise<StepOfRun> {
  const { key: idempotencyKey, attempt } = of.command;
  const step = { idempotencyKey, run: of.row.id, isAgain: attempt > 1 };
  // What takes part in a commit has its result at once.
  if (laterMs === undefined || of.commit !== undefined) return step;
  return { ...step, callback: await offerCallback(parts, of, laterMs) };
}
