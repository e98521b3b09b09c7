/** What a handler gets besides its payload: context, tokens and keyrings, made anew for each run of it. */
import type { Scope } from "../database/database.ts";
import type { ResolvedFunction } from "../deploys/deploys.ts";
import type { StepOfRun } from "./step-of-run.ts";

/** What a call of a handler is about. Stored with calls that wait, so it holds no secret. */
export interface HandlerSubject {
  /** The installed package that is meant; found by the package's name when absent. */
  readonly snapInId?: string;
  /** `hook:snap_in_activate`, `timer.tick`, `custom:…`, a command's or an action's type. */
  readonly eventType: string;
  /** Id of the automation, command, action or hook that causes the call. */
  readonly sourceId: string;
  readonly userId?: string;
  readonly operationSlug?: string;
  /** Of operations: which of the four methods, when it is not the execution. */
  readonly operationMethod?: string;
  /** Of agent skills. */
  readonly agent?: { readonly sessionId: string; readonly skillCallId: string };
  /** Modalities in which a user acts: the event gets tokens that stand for the user. */
  readonly actsForUser?: boolean;
  /** The payload is a whole event, which is delivered as it came. */
  readonly isGiven?: boolean;
  /** A credential that is being checked: `credential-tickets.ts` has it in memory, and nothing stores it. */
  readonly credentialTicket?: string;
  /** Calls of a sync run: which one. Its payload is made when it runs. */
  readonly syncRun?: { readonly id: string; readonly call: number };
  /** Inputs that are being tried, in place of those of the snap-in. */
  readonly inputs?: Readonly<Record<string, unknown>>;
}

export interface HandlerEventRequest {
  readonly scope: Scope;
  readonly fn: ResolvedFunction;
  /** JSON value. */
  readonly payload: unknown;
  readonly subject: HandlerSubject;
  /** Id of the invocation. */
  readonly requestId: string;
  /** Of steps of flows. */
  readonly step?: StepOfRun;
}

export interface HandlerEvent {
  /** JSON text of the event. */
  readonly text: string;
  /** process.env of the call. */
  readonly environment: Readonly<Record<string, string>>;
  /** Takes secrets that the event holds out of a text that leaves for logs, errors and records. */
  readonly redact: (text: string) => string;
  /** Takes a result that holds secrets, and returns what is kept in its place. */
  readonly takeResult?: (valueText: string) => string;
}

export interface HandlerEvents {
  /** Rejects with a PlinthError when the event cannot be made, for example because a keyring has expired. */
  build(request: HandlerEventRequest): Promise<HandlerEvent>;
  /** Secrets of keyrings for inline code, by name. Names without a keyring reject with NotFound. */
  keyrings(
    scope: Scope,
    names: readonly string[],
  ): Promise<{ readonly secrets: Readonly<Record<string, string>>; readonly redact: (text: string) => string }>;
}
