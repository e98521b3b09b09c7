/** The identity under which the package calls back, with exactly the scopes of the manifest (A3). */
import type { Manifest, ServiceAccountSpec } from "@plinth/core/manifest/manifest.ts";
import type { Transaction } from "../../database/database.ts";
import { SERVICE_ACCOUNTS, SERVICE_TOKENS } from "../../database/record-tables.ts";
import { newId } from "../ids.ts";
import { limit } from "@plinth/core/limits.ts";
import { parseServiceAccount, type ServiceAccountRow } from "../snap-in-records.ts";
import { changeSnapIn, type SagaStep, type StepContext } from "./saga-step.ts";

export const createServiceAccount: SagaStep = {
  name: "serviceAccount",
  says: "Creating the service account",
  apply: async (context, transaction) => {
    const id = newId(context.runtime, "sa");
    transaction.records.put(SERVICE_ACCOUNTS, [id], accountOf(context, id));
    const before = await changeSnapIn(context, transaction, (row) => ({ ...row, serviceAccountId: id }));
    return { created: id, before: before.serviceAccountId };
  },
  undo: async (context, transaction, left) => {
    const { created, before } = left as { readonly created: string; readonly before: string | null };
    await endAccount(transaction, created);
    await changeSnapIn(context, transaction, (row) => ({ ...row, serviceAccountId: before }));
  },
};

/** An upgrade keeps the account and gives it the scopes of the new manifest. */
export const changeServiceAccount: SagaStep = {
  name: "serviceAccountScopes",
  says: "Changing the scopes of the service account",
  apply: async (context, transaction) => {
    const id = context.snapIn.serviceAccountId;
    if (id === null) return null;
    const before = await transaction.records.get(SERVICE_ACCOUNTS, [id]);
    transaction.records.put(SERVICE_ACCOUNTS, [id], accountOf(context, id));
    return before ?? null;
  },
  undo: async (_, transaction, before) => {
    if (before === null) return;
    const row = parseServiceAccount(before);
    transaction.records.put(SERVICE_ACCOUNTS, [row.id], row);
    await Promise.resolve();
  },
};

export const endServiceAccount: SagaStep = {
  name: "endServiceAccount",
  says: "Ending the service account",
  apply: async (context, transaction) => {
    const id = context.snapIn.serviceAccountId;
    if (id === null) return null;
    const row = await transaction.records.get(SERVICE_ACCOUNTS, [id]);
    await endAccount(transaction, id);
    await changeSnapIn(context, transaction, (snapIn) => ({ ...snapIn, serviceAccountId: null }));
    return row ?? null;
  },
  undo: async (context, transaction, before) => {
    if (before === null) return;
    const row = parseServiceAccount(before);
    transaction.records.put(SERVICE_ACCOUNTS, [row.id], row);
    await changeSnapIn(context, transaction, (snapIn) => ({ ...snapIn, serviceAccountId: row.id }));
  },
};

/** Deletes the account and every token of it. */
async function endAccount(transaction: Transaction, id: string): Promise<void> {
  transaction.records.delete(SERVICE_ACCOUNTS, [id]);
  for (const { key } of await transaction.records.range(SERVICE_TOKENS, { prefix: [id], limit: limit("serviceTokensPerAccountMax") }))
    transaction.records.delete(SERVICE_TOKENS, key);
}

const ANY: readonly string[] = ["*:all"];

function accountOf(context: StepContext, id: string): ServiceAccountRow {
  const { manifest, snapIn } = context;
  return { id, snapInId: snapIn.id, ...scopesOf(manifest.serviceAccount, manifest) };
}

function scopesOf(spec: ServiceAccountSpec | null, manifest: Manifest): Pick<ServiceAccountRow, "displayName" | "scopes" | "impersonate"> {
  // What rights this gives where is in `doors/snap-in/access.ts`.
  if (spec?.declaresScopes === false)
    return { displayName: spec.displayName, scopes: ANY, impersonate: [{ actAs: "all_devusers", scopes: ANY }] };
  const names = (scopes: ServiceAccountSpec["self"]): readonly string[] => [...new Set(scopes.map(({ scope }) => scope))].toSorted();
  return {
    displayName: spec?.displayName ?? manifest.name,
    scopes: names(spec?.self ?? []),
    impersonate: (spec?.impersonate ?? []).map(({ actAs, scopes }) => ({ actAs, scopes: names(scopes) })),
  };
}
