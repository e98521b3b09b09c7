/**
 * Drives the runs of this host: performs what a run's row says comes next, and tells the run what became of it.
 *
 * Owns: one loop for each run that calls or pauses. Everything that a loop knows can be read again from the store, so that a run
 * goes on after the crash of a host: a call that waited is run, one that ran has ended, and a pause ends at its time.
 */
import { PlinthError, plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import { isSyncEnded, type SyncEvent } from "@plinth/core/policy/sync-run.ts";
import type { Database, KeyPart, Scope } from "../database/database.ts";
import { OPEN_SYNC_RUNS, PLATFORM_SCOPE, SYNC_CALLS, SYNC_RUNS } from "../database/record-tables.ts";
import type { Engine } from "../engine/invocation.ts";
import { SYNC } from "../modalities/sync.ts";
import { enqueueModality, type ModalityContext } from "../modalities/modality-context.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { moveRun, openKey, setInvocation, type Moved, type ReportNotes } from "./run-store.ts";
import type { SyncCallRow, SyncRunRow } from "./sync-records.ts";

export interface SyncTimes {
  /** Until a call that runs has to report. */
  readonly reportMs: number;
  /** Until a call has to run. */
  readonly queueMs: number;
  /** Until a report arrives whose function has ended. */
  readonly reportGraceMs: number;
  /** Until a function ends that has reported. */
  readonly endGraceMs: number;
}

export interface RunDriverOptions {
  readonly database: Database;
  readonly runtime: Runtime;
  readonly telemetry: Telemetry;
  readonly engine: () => Pick<Engine, "invoke" | "enqueue" | "watch" | "cancel">;
  readonly context: () => ModalityContext;
  readonly times: SyncTimes;
}

interface Loop {
  readonly done: Promise<void>;
  /** The row changed. */
  wake(): void;
}

const RETRY_MS = 1000;

export class RunDriver {
  readonly #options: RunDriverOptions;
  readonly #loops = new Map<string, Loop>();
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #stopping = new AbortController();

  constructor(options: RunDriverOptions) {
    this.#options = options;
  }

  /** Goes on with the runs that the last host left. */
  async start(): Promise<void> {
    for (let after: readonly KeyPart[] | undefined; ;) {
      const page = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(OPEN_SYNC_RUNS, { prefix: [], limit: 100, ...(after === undefined ? {} : { after }) }),
      );
      for (const { key } of page) this.drive({ tenant: String(key[0]), branch: String(key[1]) }, String(key[2]));
      if (page.length < 100) return;
      after = page.at(-1)?.key;
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(plinthError("ShuttingDown", {}));
    for (const loop of this.#loops.values()) loop.wake();
    await Promise.all([...this.#loops.values()].map(({ done }) => done));
  }

  /** Goes on with a run, or tells its loop that its row changed. */
  drive(scope: Scope, runId: string): void {
    const key = keyOf(scope, runId);
    for (const wake of this.#watchers.get(key) ?? []) wake();
    const running = this.#loops.get(key);
    if (running !== undefined) return running.wake();
    if (this.#stopping.signal.aborted) return;
    const bell = new Bell();
    // The next turn, so that the loop is in the map before it can end.
    const done = Promise.resolve()
      .then(() => this.#loop(scope, runId, bell))
      .finally(() => {
        this.#loops.delete(key);
        for (const wake of this.#watchers.get(key) ?? []) wake();
        // What changed while the loop was ending.
        if (bell.rings && !this.#stopping.signal.aborted) this.drive(scope, runId);
      });
    this.#loops.set(key, { done, wake: () => bell.ring() });
  }

  /** Commits what happened to a run and goes on with it. */
  async tell(scope: Scope, runId: string, event: SyncEvent, report?: ReportNotes): Promise<Moved | undefined> {
    const moved = await this.#options.database.update(scope, (transaction) =>
      moveRun(transaction, runId, { event, nowMs: this.#options.runtime.nowMs(), ...(report === undefined ? {} : { report }) }),
    );
    if (moved !== undefined && moved.refused === undefined) this.moved(scope, moved.run);
    return moved;
  }

  /** A move of the run was committed. */
  moved(scope: Scope, run: SyncRunRow): void {
    const { status, mode } = run.state;
    if (isSyncEnded(run.state)) this.#options.telemetry.metrics.syncRun(mode, status);
    this.drive(scope, run.id);
  }

  /** Resolves when the row of the run may have changed. */
  async changed(scope: Scope, runId: string, signal: AbortSignal): Promise<void> {
    const key = keyOf(scope, runId);
    const { promise, resolve } = Promise.withResolvers<void>();
    const wakes = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, wakes.add(resolve));
    signal.addEventListener("abort", () => resolve(), { once: true });
    try {
      if (!signal.aborted) await promise;
    } finally {
      wakes.delete(resolve);
      if (wakes.size === 0) this.#watchers.delete(key);
    }
  }

  async #loop(scope: Scope, runId: string, bell: Bell): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        bell.quiet();
        if (!(await this.#step(scope, runId, bell))) return;
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        if (error instanceof PlinthError && error.code === "NotFound") return await this.#forget(scope, runId);
        this.#options.telemetry.log.error({ error, run: runId }, "a sync run could not go on; it is tried again in a second");
        await this.#options.runtime.sleep(RETRY_MS, this.#stopping.signal).catch(() => undefined);
      }
    }
  }

  /** One thing that the row asks for; false when nothing is left to do until somebody moves the run. */
  async #step(scope: Scope, runId: string, bell: Bell): Promise<boolean> {
    const { run, call, before } = await this.#load(scope, runId);
    switch (run.state.status) {
      case "calling":
        await this.#settleCall(scope, before);
        await this.#call(scope, run, { call, bell });
        return true;
      case "paused":
        await this.#settleCall(scope, call);
        await bell.rung(this.#options.runtime, Math.max(0, (run.state.untilMs ?? 0) - this.#options.runtime.nowMs()));
        if (!this.#stopping.signal.aborted) await this.tell(scope, runId, { kind: "pauseOver", nowMs: this.#options.runtime.nowMs() });
        return true;
      case "cancelled":
      case "failed":
        if (typeof call?.invocationId === "string") await this.#options.engine().cancel(scope, call.invocationId);
        return false;
      case "choosing":
      case "done":
        return false;
    }
  }

  async #load(scope: Scope, runId: string) {
    return await this.#options.database.read(scope, async ({ records }) => {
      const run = await records.get(SYNC_RUNS, [runId]);
      if (run === undefined) throw plinthError("NotFound", { what: "sync run" });
      const number = run.state.call;
      const [call, before] = [await records.get(SYNC_CALLS, [runId, number]), await records.get(SYNC_CALLS, [runId, number - 1])];
      return { run, call, before };
    });
  }

  /** Runs the call and waits until it has reported, has ended or has had its time. */
  async #call(
    scope: Scope,
    run: SyncRunRow,
    { call, bell }: { readonly call: SyncCallRow | undefined; readonly bell: Bell },
  ): Promise<void> {
    const number = run.state.call;
    const id = call?.invocationId ?? (await this.#enqueue(scope, run));
    if (id === undefined) return;
    const { times, runtime } = this.#options;
    const watching = new AbortController();
    const stop = AbortSignal.any([watching.signal, this.#stopping.signal]);
    let event: SyncEvent | undefined;
    const late = (maxMs: number) =>
      runtime.timer(maxMs, () => {
        event ??= { kind: "timedOut", call: number, maxMs };
        bell.ring();
      });
    let timer = late(times.queueMs);
    const watch = this.#watch(scope, id, {
      signal: stop,
      onRunning: () => {
        timer.cancel();
        timer = late(times.reportMs);
      },
    }).then(
      (ended) => {
        if (ended === undefined) return;
        event ??= ended.isLost ? { kind: "lost", call: number } : { kind: "ended", call: number, error: ended.error };
        bell.ring();
      },
      // The loop looks again.
      () => bell.ring(),
    );
    try {
      await bell.rung();
      if (event?.kind === "ended" && event.error === null) await this.#grace(scope, run.id, { number, bell });
    } finally {
      watching.abort();
      timer.cancel();
      await watch;
    }
    // Refused when the report came first.
    if (event !== undefined && !this.#stopping.signal.aborted) await this.tell(scope, run.id, event);
  }

  /** A function that did not wait for its own report has ended: the report may be on its way. */
  async #grace(scope: Scope, runId: string, { number, bell }: { readonly number: number; readonly bell: Bell }): Promise<void> {
    const { run } = await this.#load(scope, runId);
    if (run.state.status !== "calling" || run.state.call !== number) return;
    bell.quiet();
    await bell.rung(this.#options.runtime, this.#options.times.reportGraceMs);
  }

  async #enqueue(scope: Scope, run: SyncRunRow): Promise<string | undefined> {
    const { call } = run.state;
    try {
      const { id } = await enqueueModality(this.#options.context(), SYNC, { scope, trigger: { runId: run.id, call } });
      await this.#options.database.update(scope, ({ records }) => setInvocation(records, run.id, { call, id }));
      return id;
    } catch (error) {
      // What the platform cannot do now it can do later; what is wrong with the call stays wrong.
      if (!(error instanceof PlinthError) || error.spec.retry !== "never") throw error;
      await this.tell(scope, run.id, { kind: "ended", call, error: error.message });
      return undefined;
    }
  }

  /** Until the invocation has ended; undefined when `signal` came first. */
  async #watch(
    scope: Scope,
    id: string,
    { signal, onRunning }: { readonly signal: AbortSignal; readonly onRunning: () => void },
  ): Promise<{ readonly error: string | null; readonly isLost: boolean } | undefined> {
    try {
      for await (const event of this.#options.engine().watch(scope, id, signal)) {
        if (event.type === "state" && event.state === "running") onRunning();
        if (event.type !== "done") continue;
        const { outcome } = event;
        if (outcome.status === "succeeded") return { error: null, isLost: false };
        // The next host takes the call up, or finds that it was lost.
        if (outcome.error.code === "ShuttingDown") return undefined;
        return { error: `the function failed: ${outcome.error.message}`, isLost: outcome.error.code === "RunnerLost" };
      }
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof PlinthError && error.code === "NotFound") return { error: "the record of the call is gone", isLost: true };
      throw error;
    }
    return undefined;
  }

  /** Calls of a run do not overlap: the function of the one before has a while to end, then it is ended. */
  async #settleCall(scope: Scope, call: SyncCallRow | undefined): Promise<void> {
    const id = call?.invocationId;
    if (typeof id !== "string") return;
    const waiting = new AbortController();
    const timer = this.#options.runtime.timer(this.#options.times.endGraceMs, () => waiting.abort());
    try {
      const ended = await this.#watch(scope, id, {
        signal: AbortSignal.any([waiting.signal, this.#stopping.signal]),
        onRunning: () => undefined,
      });
      if (ended === undefined && waiting.signal.aborted) await this.#options.engine().cancel(scope, id);
    } finally {
      timer.cancel();
    }
  }

  /** The branch ends: nothing of it runs any more. */
  async endBranch(scope: Scope): Promise<void> {
    const open = await this.#options.database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(OPEN_SYNC_RUNS, { prefix: [scope.tenant, scope.branch], limit: limit("syncUnitsPerBranchMax") }),
    );
    for (const { key } of open) await this.tell(scope, String(key[2]), { kind: "cancelled" });
  }

  /** The run went with its branch or its tenant. */
  async #forget(scope: Scope, runId: string): Promise<void> {
    await this.#options.database
      .update(PLATFORM_SCOPE, async ({ records }) => records.delete(OPEN_SYNC_RUNS, openKey(scope, runId)))
      .catch((error: unknown) => this.#options.telemetry.log.warn({ error, run: runId }, "a sync run that is gone could not be forgotten"));
  }
}

/** Rings are kept until somebody waits. */
class Bell {
  rings = false;
  #waiting: (() => void) | undefined;

  ring(): void {
    this.rings = true;
    this.#waiting?.();
  }

  quiet(): void {
    this.rings = false;
  }

  /** Until it rings, or for that long. */
  async rung(runtime?: Runtime, maxMs?: number): Promise<void> {
    if (this.rings) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = resolve;
    const timer = runtime === undefined || maxMs === undefined ? undefined : runtime.timer(maxMs, resolve);
    await promise;
    timer?.cancel();
    this.#waiting = undefined;
  }
}

function keyOf(scope: Scope, runId: string): string {
  return `${scope.tenant}/${scope.branch}/${runId}`;
}
