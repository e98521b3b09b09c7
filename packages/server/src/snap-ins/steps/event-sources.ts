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
import { unscheduleAll } from "../../events/flow-events.ts";
import { deleteTimer, setTimer } from "../../events/timers.ts";
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
    const { organization, user } = context.manifest.eventSources;
    const byName = new Map(existing.filter((row) => row.user === null).map((row) => [row.name, row]));
    for (const spec of organization) await putSource(transaction, sourceRow(context, { spec, user: null, before: byName.get(spec.name) }));
    const specs = new Map(user.map((spec) => [spec.name, spec]));
    for (const before of existing) {
      const spec = specs.get(before.name);
      if (before.user !== null && spec !== undefined) await putSource(transaction, sourceRow(context, { spec, user: before.user, before }));
    }
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
    for (const row of existing) await putSource(transaction, { ...row, enabled: false });
    return { sources: existing, subscriptions: await changeSubscriptions(transaction, context.snapIn.id, []) };
  },
  undo: (context, transaction, before) => restore(context, transaction, before),
};

export async function sourcesOf(transaction: Transaction, snapInId: string): Promise<readonly EventSourceRow[]> {
  const rows = await transaction.records.range(EVENT_SOURCES, { prefix: [snapInId], limit: limit("eventSourcesPerSnapInMax") });
  return rows.map(({ value }) => value);
}

/** Deletes a source; its URL ends. */
export async function deleteSource(transaction: Transaction, row: EventSourceRow): Promise<void> {
  transaction.records.delete(EVENT_SOURCES, [row.snapInId, row.id]);
  if (row.token !== null) transaction.records.delete(TRIGGERS, [row.token]);
  await deleteTimer(transaction, row.id);
  await unscheduleAll(transaction, row.id);
}

/** Stores a source with what takes events for it: its URL, its timer. */
export async function putSource(transaction: Transaction, row: EventSourceRow): Promise<void> {
  const { records, scope } = transaction;
  records.put(EVENT_SOURCES, [row.snapInId, row.id], row);
  if (row.token !== null) records.put(TRIGGERS, [row.token], { ...scope, snapInId: row.snapInId, eventSourceId: row.id });
  await setTimer(transaction, row);
}

export function sourceRow(
  { runtime, snapIn }: Pick<StepContext, "runtime"> & { readonly snapIn: { readonly id: string } },
  source: { readonly spec: EventSourceSpec; readonly user: string | null; readonly before: EventSourceRow | undefined },
): EventSourceRow {
  const { spec, user, before } = source;
  return {
    id: before?.id ?? newId(runtime, "evs"),
    snapInId: snapIn.id,
    name: spec.name,
    type: spec.type,
    user,
    config: spec.config,
    filterJq: spec.filterJq,
    setupInstructions: spec.setupInstructions,
    token: before?.token ?? newToken(runtime, spec.type),
    enabled: true,
    // Of a timer, what intervals count from: when it was opened.
    openedMs: before?.enabled === true && isSame(before.config, spec.config) ? before.openedMs : runtime.nowMs(),
    createdMs: before?.createdMs ?? runtime.nowMs(),
  };
}

/** That of an email's address has small letters only: mail servers may change the case of others. */
function newToken(runtime: StepContext["runtime"], type: string): string | null {
  if (!TAKES_EVENTS.has(type)) return null;
  return Buffer.from(runtime.randomBytes(24)).toString(type === "email-forward" ? "hex" : "base64url");
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
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
  for (const row of await sourcesOf(transaction, context.snapIn.id)) if (!kept.has(row.id)) await deleteSource(transaction, row);
  for (const row of rows) await putSource(transaction, row);
  await changeSubscriptions(transaction, context.snapIn.id, parseSubscriptions(left.subscriptions));
}

/** What each automation of the version listens to, at the sources as the transaction sees them. */
export async function listening(
  { manifest, snapIn }: Pick<StepContext, "manifest"> & { readonly snapIn: { readonly id: string } },
  transaction: Transaction,
): Promise<readonly SubscriptionRow[]> {
  const sources = await sourcesOf(transaction, snapIn.id);
  return subscriptionsOf(
    manifest,
    sources.filter(({ enabled }) => enabled),
  );
}
