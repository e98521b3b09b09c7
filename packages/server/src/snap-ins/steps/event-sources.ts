/**
 * Event sources of the organisation. Those of users are made when a user configures the snap-in. A source keeps its id and URL
 * while the snap-in is installed, because others were told them; deactivated ones take no events.
 */
import type { EventSourceSpec } from "@plinth/core/manifest/manifest.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Transaction } from "../../database/database.ts";
import { EVENT_SOURCES, TRIGGERS } from "../../database/record-tables.ts";
import { parseSubscriptions, type SubscriptionRow } from "../../events/event-records.ts";
import { changeSubscriptions, subscriptionsOf } from "../../events/subscriptions.ts";
import { newId } from "../ids.ts";
import { parseEventSource, type EventSourceRow } from "../snap-in-records.ts";
import type { SagaStep, StepContext } from "./saga-step.ts";

/** Types whose events come from outside, to a URL or an address. */
const TAKES_EVENTS = new Set(["flow-custom-webhook", "email-forward"]);

export const openEventSources: SagaStep = {
  name: "eventSources",
  says: "Opening the event sources",
  apply: async (context, transaction) => {
    const existing = await sourcesOf(transaction, context.snapIn.id);
    const byName = new Map(existing.filter(({ user }) => user === null).map((row) => [row.name, row]));
    for (const spec of context.manifest.eventSources.organization) put(context, transaction, changed(context, spec, byName.get(spec.name)));
    const subscriptions = await changeSubscriptions(transaction, context.snapIn.id, await listening(context, transaction));
    return { sources: existing, subscriptions };
  },
  undo: (context, transaction, before) => restore(context, transaction, before),
};

export const closeEventSources: SagaStep = {
  name: "closeEventSources",
  says: "Closing the event sources",
  apply: async (context, transaction) => {
    const existing = await sourcesOf(transaction, context.snapIn.id);
    for (const row of existing) put(context, transaction, { ...row, enabled: false });
    return { sources: existing, subscriptions: await changeSubscriptions(transaction, context.snapIn.id, []) };
  },
  undo: (context, transaction, before) => restore(context, transaction, before),
};

export async function sourcesOf(transaction: Transaction, snapInId: string): Promise<readonly EventSourceRow[]> {
  const rows = await transaction.records.range(EVENT_SOURCES, { prefix: [snapInId], limit: limit("eventSourcesPerSnapInMax") });
  return rows.map(({ value }) => value);
}

/** Deletes a source; its URL ends. */
export function deleteSource(transaction: Transaction, row: EventSourceRow): void {
  transaction.records.delete(EVENT_SOURCES, [row.snapInId, row.id]);
  if (row.token !== null) transaction.records.delete(TRIGGERS, [row.token]);
}

function put({ scope }: Pick<StepContext, "scope">, transaction: Transaction, row: EventSourceRow): void {
  transaction.records.put(EVENT_SOURCES, [row.snapInId, row.id], row);
  if (row.token !== null) transaction.records.put(TRIGGERS, [row.token], { ...scope, snapInId: row.snapInId, eventSourceId: row.id });
}

function changed(context: StepContext, spec: EventSourceSpec, before: EventSourceRow | undefined): EventSourceRow {
  const { runtime, snapIn } = context;
  return {
    id: before?.id ?? newId(runtime, "evs"),
    snapInId: snapIn.id,
    name: spec.name,
    type: spec.type,
    user: null,
    config: spec.config,
    filterJq: spec.filterJq,
    setupInstructions: spec.setupInstructions,
    token: before?.token ?? (TAKES_EVENTS.has(spec.type) ? Buffer.from(runtime.randomBytes(24)).toString("base64url") : null),
    enabled: true,
    createdMs: before?.createdMs ?? runtime.nowMs(),
  };
}

interface Left {
  readonly sources: readonly unknown[];
  readonly subscriptions: unknown;
}

/** Makes the sources what they were, and who listens to them. */
async function restore(context: StepContext, transaction: Transaction, before: unknown): Promise<void> {
  // Sagas of older hosts left the sources only.
  const left = Array.isArray(before) ? { sources: before, subscriptions: [] } : (before as Left);
  const rows = left.sources.map(parseEventSource);
  const kept = new Set(rows.map(({ id }) => id));
  for (const row of await sourcesOf(transaction, context.snapIn.id)) if (!kept.has(row.id)) deleteSource(transaction, row);
  for (const row of rows) put(context, transaction, row);
  await changeSubscriptions(transaction, context.snapIn.id, parseSubscriptions(left.subscriptions));
}

/** What each automation of the version listens to, at the sources as the transaction sees them. */
async function listening({ manifest, snapIn }: StepContext, transaction: Transaction): Promise<readonly SubscriptionRow[]> {
  const sources = await sourcesOf(transaction, snapIn.id);
  return subscriptionsOf(
    manifest,
    sources.filter(({ enabled }) => enabled),
  );
}
