/** What users have of a snap-in who set it up: an event source of each that the manifest lists under `user`, and their inputs. */
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Manifest } from "@plinth/core/manifest/manifest.ts";
import type { Transaction } from "../database/database.ts";
import { USER_INPUTS } from "../database/record-tables.ts";
import { changeSubscriptions } from "../events/subscriptions.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { checkInputs } from "./inputs.ts";
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

/** Changes the inputs of a user; null takes one away. Those that are not named stay. */
export async function setUserInputs(
  { snapIn, manifest }: UserSourcesContext,
  { records }: Transaction,
  { user, inputs }: { readonly user: string; readonly inputs: Readonly<Record<string, unknown>> },
): Promise<void> {
  const before = await records.get(USER_INPUTS, [snapIn.id, user]);
  if (before === undefined) {
    const max = limit("eventSourcesPerSnapInMax");
    const others = await records.range(USER_INPUTS, { prefix: [snapIn.id], limit: max });
    if (others.length >= max) throw plinthError("LimitExceeded", { what: "Users of one snap-in", actual: max + 1, max });
  }
  const values = Object.fromEntries(Object.entries({ ...before?.values, ...inputs }).filter(([, value]) => value !== null));
  checkInputs(manifest.inputs.user, values);
  records.put(USER_INPUTS, [snapIn.id, user], { values });
}

/** What a user filled in, with the defaults of the rest; undefined for users who have set nothing up. */
export async function userInputs(
  { snapIn, manifest }: Pick<UserSourcesContext, "snapIn" | "manifest">,
  { records }: Pick<Transaction, "records">,
  user: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const row = await records.get(USER_INPUTS, [snapIn.id, user]);
  if (row === undefined) return undefined;
  const known = manifest.inputs.user.map(({ name, defaultValue }) => [name, row.values[name] ?? defaultValue] as const);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

export async function deleteUserInputs({ records }: Transaction, snapInId: string): Promise<void> {
  for (const { key } of await records.range(USER_INPUTS, { prefix: [snapInId], limit: limit("eventSourcesPerSnapInMax") }))
    records.delete(USER_INPUTS, key);
}

/** False when the user has none. */
export async function closeUserSources(context: UserSourcesContext, transaction: Transaction, user: string): Promise<boolean> {
  const { snapIn } = context;
  const own = (await sourcesOf(transaction, snapIn.id)).filter((row) => row.user === user);
  for (const row of own) await deleteSource(transaction, row);
  if (isLive(snapIn)) await changeSubscriptions(transaction, snapIn.id, await listening(context, transaction));
  const hasInputs = (await transaction.records.get(USER_INPUTS, [snapIn.id, user])) !== undefined;
  transaction.records.delete(USER_INPUTS, [snapIn.id, user]);
  return own.length > 0 || hasInputs;
}
