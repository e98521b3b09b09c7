/**
 * The records that a branch starts with, copied from its base as of a moment: what its heads need to serve, and nothing that
 * grows with data or history. Environment variables are secrets often, so they come only when they are asked for. Crons start
 * with the branch's first deploy; scheduled functions, invocations, idempotency keys and logs stay where they are.
 *
 * To add a part: a function of this form, in the list below.
 */
import { must } from "@plinth/core/assert.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Records, Transaction } from "../database/database.ts";
import {
  ENVIRONMENT,
  HEADS,
  PACKAGE_HEADS,
  PACKAGE_LEDGER,
  PACKAGE_VERSIONS,
  VERSION_LEDGER,
  VERSIONS,
} from "../database/record-tables.ts";

/** Reads rows of the base and writes them into the new branch. */
export type CopyRecords = (base: Pick<Transaction, "records">, into: Records) => Promise<void>;

export const STARTING_RECORDS: readonly CopyRecords[] = [copyFunctionsHead, copyPackageHeads];

/** The head of the functions folder, with its version and the ledger's last entry. */
async function copyFunctionsHead(base: Pick<Transaction, "records">, into: Records): Promise<void> {
  const { records } = base;
  const head = await records.get(HEADS, ["head"]);
  if (head === undefined) return;
  const version = must(await records.get(VERSIONS, [head.version]), "the version at the head is stored");
  into.put(HEADS, ["head"], head);
  into.put(VERSIONS, [version.digest], version);
  const entry = await records.get(VERSION_LEDGER, [head.seq]);
  if (entry !== undefined) into.put(VERSION_LEDGER, [head.seq], entry);
}

/** The heads of packages, each with its version and the ledger's last entry. Their archives are blobs of the tenant and stay where they are. */
async function copyPackageHeads(base: Pick<Transaction, "records">, into: Records): Promise<void> {
  const { records } = base;
  const heads = await records.range(PACKAGE_HEADS, { prefix: [], limit: limit("packagesPerBranchMax") });
  for (const { key, value: head } of heads) {
    into.put(PACKAGE_HEADS, key, head);
    const versionKey = [...key, head.version];
    into.put(
      PACKAGE_VERSIONS,
      versionKey,
      must(await records.get(PACKAGE_VERSIONS, versionKey), "the version at a package's head is stored"),
    );
    const entry = await records.get(PACKAGE_LEDGER, [...key, head.seq]);
    if (entry !== undefined) into.put(PACKAGE_LEDGER, [...key, head.seq], entry);
  }
}

export async function copyEnvironment(base: Pick<Transaction, "records">, into: Records): Promise<void> {
  const rows = await base.records.range(ENVIRONMENT, { prefix: [], limit: limit("environmentVariablesMax") });
  for (const { key, value } of rows) into.put(ENVIRONMENT, key, value);
}
