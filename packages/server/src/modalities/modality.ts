/**
 * A modality: a way in which a function is invoked with a context of its own. Each is one file that turns its trigger into one call
 * of the engine; `table.ts` lists them. To add one: a file that exports a `Modality`, its line in the table, a test that begins with
 * its real trigger.
 *
 * M1 `prepare` decides and has no effect: it looks up what is meant, checks it and says which function runs with what.
 * M2 Everything else (admission, limits, records, retries, traces) is the engine's.
 */
import type { Scope } from "../database/database.ts";
import type { HandlerSubject } from "../engine/handler-event.ts";
import type { Actor, InvocationOutcome, InvocationRequest } from "../engine/invocation.ts";
import type { ModalityContext } from "./modality-context.ts";
import type { MODALITIES } from "./table.ts";

/** Where a call came from, as records, metrics and the API name it. */
export type ModalityName = keyof typeof MODALITIES;

export interface ModalityCall {
  /** `@<package>/<function>` or another path of the engine. */
  readonly path: string;
  readonly version?: string;
  /** Who is written down as the caller. */
  readonly actor: Actor;
  readonly subject: HandlerSubject;
  /** JSON. */
  readonly payload: unknown;
  readonly priority: InvocationRequest["priority"];
  readonly deadlineMs?: number;
  readonly idempotencyKey?: string;
  /** With a key: what of the payload the trigger said; the rest of it differs in each try. */
  readonly comparedText?: string;
}

export interface Modality<Trigger, Result> {
  readonly name: ModalityName;
  /** Rejects with the documented errors of the trigger. */
  prepare(context: ModalityContext, scope: Scope, trigger: Trigger): Promise<ModalityCall>;
  /** What the one who triggered it gets. Failures of the function are results here; those of the platform were thrown before. */
  finish(context: ModalityContext, trigger: Trigger, outcome: InvocationOutcome): Promise<Result> | Result;
}
