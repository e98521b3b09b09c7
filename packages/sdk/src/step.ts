/** What the code of a step of a flow knows of its step. */
export interface Step {
  /** The same in every attempt of the step: give it to whoever must not do a thing twice. */
  readonly idempotencyKey: string;
  /** Where the node has `later`. */
  readonly callback: StepCallback | null;
}

/** Whoever has it completes the step, once. */
export interface StepCallback {
  /** A POST of `{"output": …}` or `{"error": {"code", "message"}}` to it completes the step. It holds the token. */
  readonly url: string;
  readonly token: string;
}

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

/** Of the call that runs; null where no step of a flow made it. For actions, mutations and operations. */
export function step(): Step | null {
  const { PLINTH_IDEMPOTENCY_KEY: idempotencyKey, PLINTH_CALLBACK_URL: url, PLINTH_CALLBACK_TOKEN: token } = process.env;
  if (idempotencyKey === undefined) return null;
  return { idempotencyKey, callback: url === undefined || token === undefined ? null : { url, token } };
}

export interface Later {
  readonly later: true;
}

/**
 * Returned by an action or operation: its result comes by the step's callback. The step then waits without holding a worker, as long as
 * `later` of its node says.
 */
export function later(): Later {
  return { later: true };
}

export function isLater(value: unknown): value is Later {
  return typeof value === "object" && value !== null && "later" in value && value.later === true && Object.keys(value).length === 1;
}
