/**
 * Asynchronous invocations: stored before they are acknowledged, run when a place is free, finished under their
 * lease. After a crash, queries and mutations are run again (nothing of them was committed, or they are gone from
 * the queue); actions that had started are failed with RunnerLost, because they run at most once.
 */
import { assert, must } from "@plinth/core/assert.ts";
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { retryDelayMs, shouldRetry } from "@plinth/core/policy/retry.ts";
import { AsyncDispatcher, type WaitingCall } from "./async-dispatcher.ts";
import {
  cancelQueued,
  checkLease,
  finishLease,
  putFinished,
  putStoredCall,
  requeue,
  takeLease,
  unfinishedCalls,
  type Lease,
  type LeasedCall,
  type StoredCall,
} from "./async-store.ts";
import type { CallRun } from "./call-run.ts";
import { storeError, type QueueRow } from "./engine-records.ts";
import { finishedRecord, outcomeOf, resultOf } from "./finalize.ts";
import type { Idempotency } from "./idempotency.ts";
import { intake, laneOf, type AcceptedCall } from "./intake.ts";
import { traceOf } from "./trace-of-call.ts";
import type { Records } from "../database/database.ts";
import { INVOCATIONS } from "../database/record-tables.ts";
import type { InvocationOutcome, InvocationRecord, InvocationRequest, WaitReason } from "./invocation.ts";
import type { EngineParts } from "./parts.ts";
import type { LargeResults } from "./large-results.ts";
import type { Retention } from "./retention.ts";
import type { RunCall } from "./run-call.ts";

export interface AsyncRunsOptions {
  readonly parts: EngineParts;
  readonly idempotency: Idempotency;
  readonly retention: Retention;
  readonly largeResults: LargeResults;
  readonly runCall: RunCall;
  /** A stored call ended without a run: tells those who watch it. */
  readonly onEnded: (id: string, record: InvocationRecord) => void;
}

export class AsyncRuns {
  readonly #options: AsyncRunsOptions;
  readonly #dispatcher: AsyncDispatcher;

  constructor(options: AsyncRunsOptions) {
    this.#options = options;
    const { runtime, config } = options.parts;
    this.#dispatcher = new AsyncDispatcher({ runtime, perTenant: config.perTenant, run: (call) => this.#run(call) });
  }

  /** Takes up what the last host left. */
  async start(): Promise<void> {
    for await (const page of unfinishedCalls(this.#options.parts.database)) {
      for (const { call, row } of page) {
        if (row.state === "queued") this.#dispatcher.add(waiting(call, row));
        else await this.#recover(call, row);
      }
    }
  }

  async stop(): Promise<void> {
    await this.#dispatcher.stop();
  }

  reasonOf(id: string): WaitReason | undefined {
    return this.#dispatcher.reasonOf(id);
  }

  async enqueue(request: InvocationRequest): Promise<{ readonly id: string }> {
    const [stored] = await this.enqueueAll([request]);
    return must(stored, "each call that is stored has an id");
  }

  /** All of one branch, in one commit: where one of them cannot be, none is. */
  async enqueueAll(requests: readonly InvocationRequest[]): Promise<readonly { readonly id: string }[]> {
    const giveBack: (() => void)[] = [];
    try {
      for (const { tenant, argsText } of requests) giveBack.push(this.#dispatcher.keepRoom(tenant, Buffer.byteLength(argsText)));
      return await this.#store(requests);
    } finally {
      for (const give of giveBack) give();
    }
  }

  async #store(requests: readonly InvocationRequest[]): Promise<readonly { readonly id: string }[]> {
    const { parts, retention } = this.#options;
    const all = await Promise.all(requests.map((request) => intake(parts, request)));
    const [first] = all;
    if (first === undefined) return [];
    const { scope } = first;
    assert(
      all.every((each) => each.scope.tenant === scope.tenant && each.scope.branch === scope.branch),
      "calls that are stored together are of one branch",
    );
    const known = await parts.database.update(scope, async ({ records }) => {
      const ids: (string | undefined)[] = [];
      for (const accepted of all) ids.push(await this.#put(records, accepted));
      return ids;
    });
    return all.map((accepted, index) => {
      const before = known[index];
      if (before !== undefined) return { id: before };
      retention.committed("invocations", accepted.scope, accepted.createdMs);
      this.#dispatcher.add(waiting(accepted, queueRow(accepted)));
      return { id: accepted.id };
    });
  }

  /** The id of the call that came first with its key; undefined when it is this one. */
  async #put(records: Records, accepted: AcceptedCall): Promise<string | undefined> {
    const { parts, retention, idempotency } = this.#options;
    const key = accepted.request.idempotencyKey;
    if (key !== undefined) {
      const row = await idempotency.find(records, accepted, key);
      if (row?.result.kind === "enqueued") return row.result.id;
      if (row !== undefined) throw plinthError("IdempotencyConflict", { key });
      idempotency.put(records, accepted, { key, result: { kind: "enqueued", id: accepted.id } });
    }
    putStoredCall(records, accepted, { row: queueRow(accepted), stored: storedRequest(parts, accepted), record: queuedRecord(accepted) });
    retention.note(records, "invocations", accepted.scope, accepted.createdMs);
    return undefined;
  }

  /** Ends a call that has not started. */
  async cancelQueued(call: StoredCall): Promise<boolean> {
    const { parts } = this.#options;
    if (!(await cancelQueued(parts.database, call, parts.runtime.nowMs()))) return false;
    this.#dispatcher.remove(call.id);
    await this.#tellEnded(call);
    return true;
  }

  /** Never rejects: a failure of the host leaves the call in the store for its next start. */
  async #run(call: WaitingCall): Promise<void> {
    const { parts } = this.#options;
    try {
      const leased = await takeLease(parts.database, call, parts.runtime.nowMs());
      if (leased !== undefined) await this.#runLeased(call, leased);
    } catch (error) {
      if (error instanceof PlinthError && (error.code === "StaleLease" || error.code === "ShuttingDown")) return;
      parts.telemetry.log.error(
        { error, invocation: call.id },
        "a stored invocation could not be run; it is taken up again at the next start",
      );
    }
  }

  async #runLeased(call: WaitingCall, { lease, row, stored }: LeasedCall): Promise<void> {
    const { parts } = this.#options;
    const deadlineMs = stored.deadlineAtMs === undefined ? undefined : stored.deadlineAtMs - parts.runtime.nowMs();
    if (deadlineMs !== undefined && deadlineMs <= 0) {
      return await this.#finishWithoutRun(lease, plinthError("DeadlineExceeded", { maxMs: stored.request.deadlineMs ?? 0 }));
    }
    const { idempotencyKey: _, deadlineMs: __, ...request } = stored.request;
    let accepted: AcceptedCall;
    try {
      accepted = await intake(parts, { ...request, ...(deadlineMs === undefined ? {} : { deadlineMs }) }, call.id);
    } catch (error) {
      if (error instanceof PlinthError) return await this.#finishWithoutRun(lease, error);
      throw error;
    }
    await this.#runAccepted(call, { ...accepted, createdMs: row.createdMs }, { lease, row });
  }

  async #runAccepted(call: WaitingCall, accepted: AcceptedCall, { lease, row }: Pick<LeasedCall, "lease" | "row">): Promise<void> {
    const { parts } = this.#options;
    const recordOf = async (run: CallRun, outcome: InvocationOutcome) =>
      finishedRecord(resultOf(run, outcome, { nowMs: parts.runtime.nowMs(), stored: true }), {
        fencingToken: run.fencingToken,
        value: outcome.status === "succeeded" ? await this.#options.largeResults.keep(accepted.scope, outcome.valueText) : {},
      });
    let run: CallRun | undefined;
    let stored = false;
    try {
      await this.#options.runCall(accepted, {
        patient: true,
        onRun: (started) => {
          run = started;
          run.fencingToken = lease.token;
        },
        hooks: {
          begin: async (transaction) => {
            await checkLease(transaction, lease);
            return undefined;
          },
          commit: async (transaction, valueText) => {
            if (run === undefined) throw plinthError("StaleLease", {});
            putFinished(
              transaction.records,
              lease,
              await recordOf(run, outcomeOf(run, { kind: "succeeded", valueText, ts: transaction.ts })),
            );
            stored = true;
          },
        },
        settle: async (ended, { outcome, rejected }) => {
          if (outcome.status === "succeeded" && stored) return true;
          if (outcome.status === "failed" && (await this.#retryLater(call, { lease, row, error: outcome.error, didNotRun: rejected })))
            return false;
          await finishLease(parts.database, lease, await recordOf(ended, outcome));
          return true;
        },
      });
    } catch (error) {
      // A rejected call is settled too; its error is in the record.
      if (!(error instanceof PlinthError) || error.code === "StaleLease" || error.code === "StoreFailure") throw error;
    }
  }

  /** Failures of the platform are tried again after a pause; what may have had effects is not. */
  async #retryLater(
    call: WaitingCall,
    failed: { readonly lease: Lease; readonly row: QueueRow; readonly error: PlinthError; readonly didNotRun: boolean },
  ): Promise<boolean> {
    const { error, lease, row } = failed;
    const { parts } = this.#options;
    if (error.code === "ShuttingDown") {
      // The lease stays: the next host takes the call up.
      if (failed.didNotRun || call.lane !== "action") await requeue(parts.database, lease, "draining");
      return true;
    }
    const attempt = row.attempts + 1;
    const mayRepeat = error.spec.fault === "platform" && error.spec.retry !== "never" && (call.lane !== "action" || failed.didNotRun);
    if (!mayRepeat || !shouldRetry({ kind: "platform", attempt })) return false;
    await requeue(parts.database, lease, "retryBackoff");
    this.#dispatcher.addLater(call, retryDelayMs({ kind: "platform", attempt, jitter: parts.runtime.random() }));
    return true;
  }

  async #finishWithoutRun(lease: Lease, error: PlinthError): Promise<void> {
    const { parts } = this.#options;
    await parts.database.update(lease.scope, async (transaction) => {
      await checkLease(transaction, lease);
      const record = await transaction.records.get(INVOCATIONS, [lease.id]);
      if (record === undefined) return;
      const { waitReason: _, ...rest } = record;
      const state = error.code === "Cancelled" ? "cancelled" : "failed";
      putFinished(transaction.records, lease, {
        ...rest,
        state,
        finishedMs: parts.runtime.nowMs(),
        error: storeError(error),
        fencingToken: lease.token,
      });
    });
    await this.#tellEnded(lease);
  }

  async #recover(call: StoredCall, row: QueueRow): Promise<void> {
    const { parts } = this.#options;
    const leased = await takeLease(parts.database, call, parts.runtime.nowMs());
    if (leased === undefined) return;
    if (laneOf(row.kind) === "action") {
      await this.#finishWithoutRun(leased.lease, plinthError("RunnerLost", { detail: "the host stopped while the action ran" }));
      return;
    }
    await requeue(parts.database, leased.lease, undefined);
    this.#dispatcher.add(waiting(call, row));
  }

  async #tellEnded(call: StoredCall): Promise<void> {
    const record = await this.#options.parts.database.read(call.scope, ({ records }) => records.get(INVOCATIONS, [call.id]));
    if (record !== undefined) this.#options.onEnded(call.id, record);
  }
}

function waiting(call: StoredCall, row: QueueRow): WaitingCall {
  return { scope: call.scope, id: call.id, lane: laneOf(row.kind), priority: row.priority, argsBytes: row.argsBytes };
}

function queueRow(accepted: AcceptedCall): QueueRow {
  return {
    kind: accepted.kind,
    priority: accepted.request.priority,
    state: "queued",
    createdMs: accepted.createdMs,
    attempts: 0,
    argsBytes: Buffer.byteLength(accepted.request.argsText),
    fencingToken: 0,
  };
}

function storedRequest(parts: EngineParts, accepted: AcceptedCall) {
  const { deadlineMs } = accepted.request;
  return { request: accepted.request, ...(deadlineMs === undefined ? {} : { deadlineAtMs: parts.runtime.nowMs() + deadlineMs }) };
}

function queuedRecord(accepted: AcceptedCall): InvocationRecord {
  return {
    id: accepted.id,
    tenant: accepted.scope.tenant,
    branch: accepted.scope.branch,
    functionPath: accepted.path,
    kind: accepted.kind,
    version: accepted.version.digest,
    source: accepted.request.source,
    traceId: traceOf(accepted).traceId,
    state: "queued",
    createdMs: accepted.createdMs,
    logs: [],
    logsDropped: 0,
    fencingToken: 0,
  };
}
