/** Callbacks of calls that may answer later: made before the call, since whoever it tells may be faster than its answer. */
import type { Database } from "../database/database.ts";
import { FLOW_ANSWERS } from "../database/record-tables.ts";
import type { StepCallback } from "../engine/step-of-run.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { digestOf, newAnswerToken } from "./answer-tokens.ts";
import type { CallOfRun, Deferral } from "./calls/call.ts";

export interface CallbackParts {
  readonly database: Database;
  readonly runtime: Runtime;
  /** Where the host is reached, by its configuration at this time. */
  readonly urls: Promise<{ readonly api: string }>;
}

/**
 * A token of this attempt. A call that is made again after a crash gets another one, and both are good: the first may have reached
 * somebody. The attempt is completed once, whichever comes.
 */
export async function offerCallback({ database, runtime, urls }: CallbackParts, of: CallOfRun, laterMs: number): Promise<StepCallback> {
  const { scope, row, command } = of;
  const token = newAnswerToken({ scope, run: row.id }, runtime);
  const { api } = await urls;
  await database.update(scope, async ({ records }) => {
    const { key, attempt, node } = command;
    records.put(FLOW_ANSWERS, [row.id, digestOf(token)], { key, attempt, node, kind: "call", approver: null });
  });
  return { url: answerUrl(api, token), token, deadlineMs: runtime.nowMs() + laterMs };
}

/** `doors/inbound/flow-answers.ts` serves it. */
export function answerUrl(api: string, token: string): string {
  return `${api}/v1/flow-callbacks/${token}`;
}

export function deferralOf({ deadlineMs }: StepCallback): Deferral {
  return { ok: "later", deadlineMs };
}
