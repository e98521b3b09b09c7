/** Which automations listen to what. Rows of this change with the sagas of snap-ins, in their transactions. */
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Records, Transaction } from "../database/database.ts";
import { FLOW_TRIGGERS, SUBSCRIPTIONS, SUBSCRIPTIONS_BY_SNAP_IN } from "../database/record-tables.ts";
import type { EventSourceRow } from "../snap-ins/snap-in-records.ts";
import type { SubscriptionRow } from "./event-records.ts";
import { flowSource, type FlowListener } from "./flow-listeners.ts";
import { isChangeType } from "./object-events.ts";

/** The subscriptions of a snap-in at its sources. Throws LimitExceeded before it makes more than one commit can hold. */
export function subscriptionsOf(manifest: Manifest, sources: readonly EventSourceRow[]): readonly SubscriptionRow[] {
  checkCount(manifest, sources);
  const ordered = new Set(manifest.functions.filter((each) => each.supportsSynchronization).map(({ name }) => name));
  return sources.flatMap((source) =>
    manifest.automations
      .filter((automation) => automation.source === source.name)
      .flatMap((automation) =>
        automation.eventTypes.map((type) => ({
          type,
          sourceId: source.id,
          automation: automation.name,
          snapInId: source.snapInId,
          function: automation.function,
          ordered: ordered.has(automation.function),
          filterJq: source.filterJq,
          user: source.user,
        })),
      ),
  );
}

/** Makes these the subscriptions of a snap-in, and the branch's commits write what is listened to. Returns those before. */
export async function changeSubscriptions(
  transaction: Transaction,
  snapInId: string,
  next: readonly SubscriptionRow[],
): Promise<readonly SubscriptionRow[]> {
  const { records } = transaction;
  const before = (await records.get(SUBSCRIPTIONS_BY_SNAP_IN, [snapInId])) ?? [];
  if (JSON.stringify(before) === JSON.stringify(next)) return before;
  for (const row of before) records.delete(SUBSCRIPTIONS, keyOf(row));
  for (const row of next) records.put(SUBSCRIPTIONS, keyOf(row), row);
  if (next.length === 0) records.delete(SUBSCRIPTIONS_BY_SNAP_IN, [snapInId]);
  else records.put(SUBSCRIPTIONS_BY_SNAP_IN, [snapInId], next);
  await checkListeners(records, next);
  await transaction.watchEvents(await changesListenedTo(records));
  return before;
}

/** Makes these the types of events that a flow listens to; `before` were those. The row of its trigger is written already. */
export async function changeFlowSubscriptions(
  transaction: Transaction,
  listener: FlowListener,
  { before, next }: { readonly before: readonly string[]; readonly next: readonly string[] },
): Promise<void> {
  const { records } = transaction;
  const source = flowSource(listener.name);
  const rows = next.map((type): SubscriptionRow => {
    const names = { type, sourceId: source, automation: source, snapInId: "", function: "" };
    return { ...names, ordered: false, filterJq: null, user: null, flow: listener };
  });
  for (const type of before) records.delete(SUBSCRIPTIONS, [type, source, source]);
  for (const row of rows) records.put(SUBSCRIPTIONS, keyOf(row), row);
  await checkListeners(records, rows);
  if ([...before, ...next].some(isChangeType)) await transaction.watchEvents(await changesListenedTo(records));
}

/** Types of changes that any snap-in, webhook or flow of the branch listens to. */
async function changesListenedTo(records: Records): Promise<readonly string[]> {
  const rows = await records.range(SUBSCRIPTIONS_BY_SNAP_IN, {
    prefix: [],
    limit: limit("snapInsPerBranchMax") + limit("webhooksPerBranchMax"),
  });
  const flows = await records.range(FLOW_TRIGGERS, { prefix: [], limit: limit("flowsMax") });
  const types = [...rows.flatMap(({ value }) => value.map(({ type }) => type)), ...flows.flatMap(({ value }) => value.eventTypes)];
  return [...new Set(types.filter(isChangeType))];
}

/** Each subscription has its source's filter, so what counts is both together. */
function checkCount({ automations }: Manifest, sources: readonly EventSourceRow[]): void {
  const typesOf = new Map<string, number>();
  for (const { source, eventTypes } of automations) typesOf.set(source, (typesOf.get(source) ?? 0) + eventTypes.length);
  let count = 0;
  let chars = 0;
  for (const { name, filterJq } of sources) {
    const own = typesOf.get(name) ?? 0;
    count += own;
    chars += own * (filterJq?.length ?? 0);
  }
  const max = limit("subscriptionsPerSnapInMax");
  if (count > max)
    throw plinthError("LimitExceeded", { what: "Event types of all automations at all sources of the snap-in", actual: count, max });
  const charsMax = limit("subscriptionFilterCharsMax");
  if (chars > charsMax)
    throw plinthError("LimitExceeded", {
      what: "Characters of the filters, for each event type of each automation",
      actual: chars,
      max: charsMax,
    });
}

/** Refuses more listeners of a type than are looked for. */
async function checkListeners(records: Records, rows: readonly SubscriptionRow[]): Promise<void> {
  const max = limit("eventListenersMax");
  for (const type of new Set(rows.map((row) => row.type))) {
    const { length } = await records.range(SUBSCRIPTIONS, { prefix: [type], limit: max + 1 });
    if (length > max)
      throw plinthError("LimitExceeded", { what: `Automations that listen to '${type.slice(0, 80)}'`, actual: length, max });
  }
}

function keyOf(row: SubscriptionRow): readonly [string, string, string] {
  return [row.type, row.sourceId, row.automation];
}
