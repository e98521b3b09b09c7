/**
 * Stored calls: what happens to them durably. All functions run in a transaction of the call's branch.
 *
 * L1 Whoever runs a stored call holds a lease with a fencing token. Each lease has a higher token than the one
 *    before, and only the holder of the latest can finish the call; others get StaleLease and change nothing.
 * L2 A call leaves the queue in the transaction that stores its result.
 */
import { plinthError } from "@plinth/core/errors.ts";
import type { Database, Records, Scope, Transaction } from "../database/database.ts";
import { INVOCATIONS, INVOCATION_QUEUE, INVOCATION_REQUESTS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { QueueRow, StoredRequest } from "./engine-records.ts";
import type { InvocationRecord } from "./invocation.ts";

export interface StoredCall {
  readonly scope: Scope;
  readonly id: string;
}

export interface Lease extends StoredCall {
  readonly token: number;
}

export interface LeasedCall {
  readonly lease: Lease;
  readonly row: QueueRow;
  readonly stored: StoredRequest;
}

const PAGE = 256;

export function putStoredCall(
  records: Records,
  call: StoredCall,
  rows: { readonly row: QueueRow; readonly stored: StoredRequest; readonly record: InvocationRecord },
): void {
  records.put(INVOCATION_QUEUE, keyOf(call), rows.row);
  records.put(INVOCATION_REQUESTS, [call.id], rows.stored);
  records.put(INVOCATIONS, [call.id], rows.record);
}

/** Gives the call to the caller; undefined when it is finished. A lease that another one holds ends with this. */
export async function takeLease(database: Database, call: StoredCall, nowMs: number): Promise<LeasedCall | undefined> {
  return await database.update(call.scope, async ({ records }) => {
    const row = await records.get(INVOCATION_QUEUE, keyOf(call));
    const stored = await records.get(INVOCATION_REQUESTS, [call.id]);
    // The request went with its tenant; nothing is left to run.
    if (row !== undefined && stored === undefined) records.delete(INVOCATION_QUEUE, keyOf(call));
    if (row === undefined || stored === undefined) return undefined;
    const token = row.fencingToken + 1;
    const taken: QueueRow = { ...row, state: "running", fencingToken: token };
    records.put(INVOCATION_QUEUE, keyOf(call), taken);
    const record = await records.get(INVOCATIONS, [call.id]);
    if (record !== undefined) {
      const { waitReason: _, ...rest } = record;
      records.put(INVOCATIONS, [call.id], { ...rest, state: "running", startedMs: nowMs, fencingToken: token });
    }
    return { lease: { ...call, token }, row: taken, stored };
  });
}

/** L1. Puts the queue entry into the read set of the transaction, so that a later lease is a conflict. */
export async function checkLease(transaction: Transaction, lease: Lease): Promise<void> {
  const row = await transaction.records.get(INVOCATION_QUEUE, keyOf(lease));
  if (row?.fencingToken !== lease.token) throw plinthError("StaleLease", {});
}

/** L2, after `checkLease` in the same transaction. */
export function putFinished(records: Records, lease: Lease, record: InvocationRecord): void {
  records.delete(INVOCATION_QUEUE, keyOf(lease));
  records.delete(INVOCATION_REQUESTS, [lease.id]);
  records.put(INVOCATIONS, [lease.id], record);
}

export async function finishLease(database: Database, lease: Lease, record: InvocationRecord): Promise<void> {
  await database.update(lease.scope, async (transaction) => {
    await checkLease(transaction, lease);
    putFinished(transaction.records, lease, record);
  });
}

/** Gives the lease up so that the call is run again. */
export async function requeue(database: Database, lease: Lease, reason: InvocationRecord["waitReason"]): Promise<void> {
  await database.update(lease.scope, async (transaction) => {
    await checkLease(transaction, lease);
    const { records } = transaction;
    const row = await records.get(INVOCATION_QUEUE, keyOf(lease));
    const record = await records.get(INVOCATIONS, [lease.id]);
    if (row !== undefined) records.put(INVOCATION_QUEUE, keyOf(lease), { ...row, state: "queued", attempts: row.attempts + 1 });
    if (record !== undefined)
      records.put(INVOCATIONS, [lease.id], { ...record, state: "queued", ...(reason === undefined ? {} : { waitReason: reason }) });
  });
}

/** Ends a call that no run owns. False when it runs or has ended. */
export async function cancelQueued(database: Database, call: StoredCall, nowMs: number): Promise<boolean> {
  return await database.update(call.scope, async ({ records }) => {
    const row = await records.get(INVOCATION_QUEUE, keyOf(call));
    const record = await records.get(INVOCATIONS, [call.id]);
    if (row === undefined || row.state !== "queued" || record === undefined) return false;
    const { waitReason: _, ...rest } = record;
    const { code, message } = plinthError("Cancelled", { detail: "before it started" });
    putFinished(
      records,
      { ...call, token: row.fencingToken },
      { ...rest, state: "cancelled", finishedMs: nowMs, error: { code, message } },
    );
    return true;
  });
}

/** All calls that have not ended, in pages, so that few are in memory at a time. */
export async function* unfinishedCalls(database: Database): AsyncGenerator<{ readonly call: StoredCall; readonly row: QueueRow }[]> {
  for (let after: readonly (string | number | bigint | boolean | null)[] | undefined; ;) {
    const page = await database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(INVOCATION_QUEUE, { prefix: [], limit: PAGE, ...(after === undefined ? {} : { after }) }),
    );
    if (page.length === 0) return;
    yield page.map(({ key, value }) => ({
      call: { scope: { tenant: String(key[0]), branch: String(key[1]) }, id: String(key[2]) },
      row: value,
    }));
    after = page.at(-1)?.key;
  }
}

function keyOf(call: StoredCall) {
  return [call.scope.tenant, call.scope.branch, call.id] as const;
}
