/**
 * What the code of a step of a flow knows of the step: the key under which its effects count once, and the callback by which its result
 * may come later. Code finds it in its environment; handlers find it in `execution_metadata` of their events too.
 */
import type { SharedContext } from "@plinth/core/protocol/runner-protocol.ts";

export interface StepOfRun {
  /** The same in every attempt. */
  readonly idempotencyKey: string;
  /** Id of the run: mutations of its steps may share a context. */
  readonly run: string;
  /** The step was begun before, and what it did then may have changed the state of modules. */
  readonly isAgain: boolean;
  readonly callback?: StepCallback;
}

/** Whoever has it may complete the attempt, once. */
export interface StepCallback {
  /** A POST to it completes the attempt; it holds the token. */
  readonly url: string;
  readonly token: string;
  readonly deadlineMs: number;
}

/** The context in which a mutation of the step runs. An attempt that follows a lost one gets a fresh context, as the lost one may have had. */
export function contextOfStep(step: StepOfRun, attempts: number): SharedContext {
  return { key: step.run, isAnew: step.isAgain || attempts > 1, own: Object.keys(stepEnvironment(step)) };
}

export function stepEnvironment({ idempotencyKey, callback }: StepOfRun): Readonly<Record<string, string>> {
  return {
    PLINTH_IDEMPOTENCY_KEY: idempotencyKey,
    ...(callback === undefined ? {} : { PLINTH_CALLBACK_URL: callback.url, PLINTH_CALLBACK_TOKEN: callback.token }),
  };
}

/** Tokens are for whoever the code gives them to, and not for logs, errors and records. */
export function redactStep(
  { callback }: StepOfRun,
  redact: ((text: string) => string) | undefined,
): ((text: string) => string) | undefined {
  if (callback === undefined) return redact;
  return (text) => (redact?.(text) ?? text).replaceAll(callback.token, "[callback token]");
}
