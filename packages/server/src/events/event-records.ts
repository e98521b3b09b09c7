/** Rows of events and of what is made of them, and the readers of what the store gives back. */
import { assert } from "@plinth/core/assert.ts";
import type { CronSchedule } from "@plinth/core/schedules/crons.ts";
import type { DeadLetter } from "./events.ts";
import type { FlowListener } from "./flow-listeners.ts";

/** Where an event lies: the moment that its cause saw, a random part per transaction, its place in the transaction. */
export type EventPlace = readonly [seenTs: number, random: string, sequence: number];

export interface EventRow {
  readonly id: string;
  readonly type: string;
  readonly sourceId: string | null;
  /** JSON text. */
  readonly payloadText: string;
  readonly syncId: string | null;
  readonly createdMs: number;
  /** Of what caused it (`engine/cause-depth.ts`); 0 when absent. */
  readonly causeDepth?: number;
}

/** Events of one transaction that are not given to their automations yet. */
export interface EventMark {
  /** The first of them. */
  readonly next: number;
  readonly createdMs: number;
}

/** An automation that listens to a type at an event source that is enabled, or a flow. Key: type, source, automation. */
export interface SubscriptionRow {
  readonly type: string;
  readonly sourceId: string;
  readonly automation: string;
  readonly snapInId: string;
  readonly function: string;
  /** Calls of the function with the same sync id run one after the other. */
  readonly ordered: boolean;
  readonly filterJq: string | null;
  /** The user whose source it is. */
  readonly user: string | null;
  /** In place of the automation. */
  readonly flow?: FlowListener;
  /** In place of the automation: id of a webhook. */
  readonly webhook?: string;
}

/** One event for one automation. Key: place of the event, source, automation. */
export interface DeliveryRow {
  /** The key of its calls begins with this; a replay has another one. */
  readonly key: string;
  readonly snapInId: string;
  readonly automation: string;
  readonly function: string;
  readonly sourceId: string;
  readonly user: string | null;
  readonly flow?: FlowListener;
  readonly webhook?: string;
  /** The row of deliveries that it waits in; null when nothing has to be in order. */
  readonly group: string | null;
  /** Its event goes with it: there never is another delivery of it. */
  readonly isOnly?: true;
  /** Calls that were begun and ended without a result. */
  readonly attempts: number;
  /** When the next call may begin. */
  readonly dueMs: number;
  /** Why it waits after a failure. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly invocation: string | null;
  /** The moment of the store when the process began that has called it; absent before. */
  readonly hostTs?: number;
}

export interface DeadLetterRow extends Omit<DeadLetter, "event"> {
  readonly event: EventRow;
  readonly delivery: DeliveryRow;
}

export interface TimerRow {
  readonly schedule: CronSchedule;
  /** Intervals count from it. */
  readonly anchorMs: number;
  /** The next tick. */
  readonly runMs: number;
  /** When it is looked after, where it was put off. */
  readonly dueMs?: number;
  readonly metadata: unknown;
}

/** An event that waits for its time. */
export interface FlowEventRow {
  readonly type: string;
  readonly payloadText: string;
  readonly syncId: string | null;
  readonly dueMs: number;
  readonly causeDepth?: number;
}

export interface EventKeyRow {
  readonly eventId: string;
  readonly createdMs: number;
}

export function parseEvent(json: unknown): EventRow {
  const row = json as EventRow;
  assert(typeof row.id === "string" && typeof row.payloadText === "string", "a stored event has its fields");
  return row;
}

export function parseEventMark(json: unknown): EventMark {
  const row = json as EventMark;
  assert(Number.isInteger(row.next), "a mark of events has its fields");
  return row;
}

export function parseSubscription(json: unknown): SubscriptionRow {
  const row = json as SubscriptionRow;
  assert(typeof row.type === "string" && typeof row.automation === "string", "a stored subscription has its fields");
  return row;
}

export function parseSubscriptions(json: unknown): readonly SubscriptionRow[] {
  assert(Array.isArray(json), "stored subscriptions are a list");
  return json.map(parseSubscription);
}

export function parseDelivery(json: unknown): DeliveryRow {
  const row = json as DeliveryRow;
  assert(typeof row.key === "string" && typeof row.function === "string", "a stored delivery has its fields");
  return row;
}

export function parseDeadLetter(json: unknown): DeadLetterRow {
  const row = json as DeadLetterRow;
  assert(typeof row.id === "string" && typeof row.event.id === "string", "a stored dead letter has its fields");
  return row;
}

export function parseTimer(json: unknown): TimerRow {
  const row = json as TimerRow;
  assert(typeof row.runMs === "number" && typeof row.schedule.kind === "string", "a stored timer has its fields");
  return row;
}

export function parseFlowEvent(json: unknown): FlowEventRow {
  const row = json as FlowEventRow;
  assert(typeof row.dueMs === "number" && typeof row.payloadText === "string", "a stored event has its fields");
  return row;
}

export function parseWaitingCount(json: unknown): number {
  assert(typeof json === "number", "a stored count is a number");
  return json;
}

export function parseEventKey(json: unknown): EventKeyRow {
  const row = json as EventKeyRow;
  assert(typeof row.eventId === "string", "a stored key of an event has its fields");
  return row;
}
