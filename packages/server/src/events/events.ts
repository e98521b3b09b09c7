/**
 * Events: written in the transaction of what caused them, delivered at least once. This file is the contract; `open-events.ts` makes
 * one.
 *
 * V1 An event is committed with its cause or not at all.
 * V2 Each automation that listens gets each event at least once. A call whose end is stored is not made again; one that its process
 *    did not survive, or that ended in the last moments before the process did, is.
 * V3 Deliveries of one automation's function with the same sync id run one after the other, in the order of their commits, where the
 *    function asks for it (`supports_synchronization`); everything else side by side, within the tenant's limits.
 * V4 A delivery that fails for good becomes a dead letter, which is shown and can be replayed; those behind it go on.
 * V5 Nothing polls: commits wake the dispatcher, and a start reads what is left.
 */
import type { Scope, Transaction } from "../database/database.ts";

export interface NewEvent {
  /** `account_created`, `timer.tick`, `custom:<key>`, `email.receive`. */
  readonly type: string;
  /** The event source it comes from; null for changes of documents, which go to every source that names the type. */
  readonly sourceId: string | null;
  /** What handlers get as `payload`. JSON. */
  readonly payload: unknown;
  /** Group within which order holds. */
  readonly syncId: string | null;
  /** An event of the source with this key that was published before is the same event: it is not published again. */
  readonly key?: string;
  /** Of what causes it, where that is not the call of the transaction. */
  readonly causeDepth?: number;
}

/** An event that a package publishes to a source of its own; handlers get it as `custom:<type>`. */
export interface FlowEvent {
  readonly sourceId: string;
  readonly type: string;
  /** JSON. */
  readonly payload: unknown;
  readonly syncId: string | null;
  /** At once when absent or past. */
  readonly publishAtMs?: number;
  /** Name of what waits; a new one when absent. */
  readonly key?: string;
  /** Changes the one with the key that waits, in place of AlreadyExists. */
  readonly updateIfExists?: boolean;
  /** Of what causes it. */
  readonly causeDepth?: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly event: NewEvent & { readonly id: string; readonly createdMs: number };
  readonly snapInId: string;
  readonly automation: string;
  readonly attempts: number;
  readonly diedMs: number;
  readonly error: { readonly code: string; readonly message: string };
  /** The last invocation that tried. */
  readonly invocation: string | null;
}

export interface Events {
  /** V1. Returns the id of the event, or of the earlier one with the key. Rejects with TooManyEventsWaiting. */
  publish(transaction: Transaction, event: NewEvent): Promise<{ readonly id: string; readonly isNew: boolean }>;
  /** V1. Publishes or stores it; rejects with AlreadyExists when one with the key waits, and with TooManyEventsWaiting. */
  schedule(transaction: Transaction, event: FlowEvent): Promise<{ readonly key: string }>;
  /** False when none with the key waits. */
  unschedule(transaction: Transaction, sourceId: string, key: string): Promise<boolean>;
  deadLetters(scope: Scope, page: { readonly after?: string; readonly limit: number }): Promise<readonly DeadLetter[]>;
  deadLetter(scope: Scope, id: string): Promise<DeadLetter | undefined>;
  /** Puts it back behind what waits now. False when there is none. Rejects with TooManyEventsWaiting. */
  replay(scope: Scope, id: string): Promise<boolean>;
  discard(scope: Scope, id: string): Promise<boolean>;
  /** What waits of a branch, and why. */
  waiting(
    scope: Scope,
  ): Promise<readonly { readonly automation: string; readonly snapInId: string; readonly count: number; readonly reason: string }[]>;
  /** How many events wait for their automations, and from how many on triggers from outside are refused (`waiting-events.ts`). */
  backlog(scope: Scope): { readonly count: number; readonly max: number };
  start(): Promise<void>;
  stop(): Promise<void>;
}
