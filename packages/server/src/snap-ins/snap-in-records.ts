/** Rows of snap-ins, their resources and their sagas, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { SagaState } from "@plinth/core/policy/saga.ts";
import type { ServiceAccount, SnapIn } from "./snap-ins.ts";

/** A snap-in without what lies in rows of its own. */
export type SnapInRow = Omit<SnapIn, "eventSources">;

/** Whether it has its credentials and its version serves its calls. */
export function isLive({ state }: Pick<SnapInRow, "state">): boolean {
  return state === "active" || state === "activating" || state === "deactivating";
}

export interface EventSourceRow {
  readonly id: string;
  readonly snapInId: string;
  readonly name: string;
  readonly type: string;
  /** The user whose source it is; null for the organisation's. */
  readonly user: string | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly filterJq: string | null;
  readonly setupInstructions: string | null;
  /** Unguessable part of the URL that takes events; null for sources that take none from outside. */
  readonly token: string | null;
  /** Events of a source that is not enabled are refused. */
  readonly enabled: boolean;
  /** When it was enabled last; absent in rows of older hosts. */
  readonly openedMs?: number | undefined;
  readonly createdMs: number;
}

export interface ServiceAccountRow extends ServiceAccount {
  readonly snapInId: string;
}

/** Where calls of a snap-in wait. `ordered` functions take the calls of one sync id one after the other. */
export interface QueueRow {
  readonly snapInId: string;
  readonly functions: readonly { readonly name: string; readonly ordered: boolean; readonly maxRetries: number }[];
}

/** Where an event source of a token lies. */
export interface TriggerRow {
  readonly tenant: string;
  readonly branch: string;
  readonly snapInId: string;
  readonly eventSourceId: string;
}

export interface ServiceTokenRow {
  readonly expiresMs: number;
  /** The user that it stands for; absent for the account itself. */
  readonly user?: string;
}

/** What a user filled in for a snap-in. */
export interface UserInputsRow {
  readonly values: Readonly<Record<string, unknown>>;
}

export type SagaKind = "activate" | "deactivate" | "upgrade";

/** A saga that has not ended. */
export interface SagaRow {
  readonly id: string;
  readonly snapInId: string;
  readonly kind: SagaKind;
  /** Of an upgrade: the version to move to. */
  readonly version: string | null;
  readonly force: boolean;
  /** The snap-in is deleted when the saga is done. */
  readonly isDeletion: boolean;
  readonly state: SagaState;
  /** What each step that was done left for its undoing. */
  readonly undo: readonly unknown[];
  readonly createdMs: number;
}

export function parseSnapIn(json: unknown): SnapInRow {
  const row = json as SnapInRow;
  assert(typeof row.id === "string" && typeof row.package === "string" && typeof row.state === "string", "a stored snap-in has its fields");
  return row;
}

export function parseEventSource(json: unknown): EventSourceRow {
  const row = json as EventSourceRow;
  assert(typeof row.id === "string" && typeof row.name === "string", "a stored event source has its fields");
  return row;
}

export function parseServiceAccount(json: unknown): ServiceAccountRow {
  const row = json as ServiceAccountRow;
  assert(typeof row.id === "string" && Array.isArray(row.scopes), "a stored service account has its fields");
  return row;
}

export function parseQueue(json: unknown): QueueRow {
  const row = json as QueueRow;
  assert(typeof row.snapInId === "string" && Array.isArray(row.functions), "a stored queue has its fields");
  return row;
}

export function parseTrigger(json: unknown): TriggerRow {
  const row = json as TriggerRow;
  assert(typeof row.tenant === "string" && typeof row.eventSourceId === "string", "a stored trigger has its fields");
  return row;
}

export function parseServiceToken(json: unknown): ServiceTokenRow {
  const row = json as ServiceTokenRow;
  assert(typeof row.expiresMs === "number", "a stored token has its end");
  return row;
}

export function parseSaga(json: unknown): SagaRow {
  const row = json as SagaRow;
  assert(typeof row.id === "string" && typeof row.state.phase === "string" && Array.isArray(row.undo), "a stored saga has its fields");
  return row;
}

export function parseUserInputs(json: unknown): UserInputsRow {
  const row = json as UserInputsRow;
  assert(typeof row.values === "object" && row.values !== null, "stored inputs of a user have their values");
  return row;
}

export function parseName(json: unknown): string {
  assert(typeof json === "string", "a stored name is text");
  return json;
}
