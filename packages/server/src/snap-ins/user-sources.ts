/** Event sources of users: each user who sets a snap-in up has their own of each that the manifest lists under `user`. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Transaction } from "../database/database.ts";
import { changeSubscriptions } from "../events/subscriptions.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { isLive, type SnapInRow } from "./snap-in-records.ts";
import { deleteSource, listening, putSource, sourceRow, sourcesOf } from "./steps/event-sources.ts";

export interface UserSourcesContext {
  readonly snapIn: SnapInRow;
  readonly manifest: Manifest;
  readonly runtime: Runtime;
}

/** Opens the sources of a user; those of a snap-in that is not active take events from its activation on. */
export async function openUserSources(context: UserSourcesContext, transaction: Transaction, user: string): Promise<void> {
  const { snapIn, manifest } = context;
  const existing = await sourcesOf(transaction, snapIn.id);
  const own = new Map(existing.filter((row) => row.user === user).map((row) => [row.name, row]));
  const specs = manifest.eventSources.user;
  const count = existing.length + specs.length - own.size;
  const max = limit("eventSourcesPerSnapInMax");
  if (count > max) throw plinthError("LimitExceeded", { what: "Event sources of one snap-in", actual: count, max });
  for (const spec of specs) {
    const row = sourceRow(context, { spec, user, before: own.get(spec.name) });
    await putSource(transaction, { ...row, enabled: isLive(snapIn) });
  }
  await changeSubscriptions(transaction, snapIn.id, await listening(context, transaction));
}

/** False when the user has none. */
export async function closeUserSources(context: UserSourcesContext, transaction: Transaction, user: string): Promise<boolean> {
  const { snapIn } = context;
  const own = (await sourcesOf(transaction, snapIn.id)).filter((row) => row.user === user);
  for (const row of own) await deleteSource(transaction, row);
  if (isLive(snapIn)) await changeSubscriptions(transaction, snapIn.id, await listening(context, transaction));
  return own.length > 0;
}
