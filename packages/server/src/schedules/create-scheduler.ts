/**
 * The scheduler: starts what is due, at its time, fairly.
 *
 * T1 One exact timer, for the earliest due time of all branches; nothing polls. Commits into the table of due
 *    times move it, so it does not matter who scheduled.
 * T2 At most `scheduledRunsPerTenantMax` of one tenant and `scheduledRunsMax` in all run at a time; when places
 *    are short, the tenant with the fewest running goes first. Timers of flows are short work of the host: they have places of
 *    their own, and none of them waits for a function.
 * T3 Everything it knows can be read again from the store: a restart loses nothing.
 */
import { limit } from "@plinth/core/limits.ts";
import { MinHeap } from "@plinth/core/policy/min-heap.ts";
import { plinthError } from "@plinth/core/errors.ts";
import type { Database, Scope } from "../database/database.ts";
import type { SchedulerEngine } from "../engine/create-engine.ts";
import { publishDue } from "../events/flow-events.ts";
import { tick } from "../events/timers.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Service } from "../service.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { DueTimes, type Due } from "./due-times.ts";
import { FinishedRetention } from "./finished-retention.ts";
import { runCron } from "./run-cron.ts";
import { runJob } from "./run-job.ts";
import type { DueKind } from "./scheduled-functions.ts";

export interface SchedulerParts {
  readonly database: Database;
  readonly engine: SchedulerEngine;
  readonly runtime: Runtime;
  readonly telemetry: Telemetry;
  readonly store: Pick<Store, "onCommit">;
  /** Timers of runs of flows; none come to it when absent. */
  readonly flowTimer?: (due: Due) => Promise<void>;
  /** How long runs may go on when the scheduler stops. */
  readonly drainMs?: number;
}

export function createScheduler(parts: SchedulerParts): Service {
  return new Scheduler(parts);
}

interface Branch {
  readonly key: string;
  readonly scope: Scope;
  /** The earliest due time that is not running; undefined when there is none, or while no place is free. */
  nextMs: number | undefined;
  readonly running: Map<string, AbortController>;
  /** Its due times are being read; `again` when something changed meanwhile. */
  reading: boolean;
  again: boolean;
}

class Scheduler implements Service {
  readonly id = "scheduler";
  readonly #parts: SchedulerParts;
  readonly #due: DueTimes;
  readonly #retention: FinishedRetention;
  readonly #branches = new Map<string, Branch>();
  readonly #wakes = new MinHeap<{ readonly atMs: number; readonly branch: Branch }>((a, b) => a.atMs - b.atMs);
  /** Branches with due work and no place for it, in the order in which they came. */
  readonly #blocked = new Set<Branch>();
  readonly #runningOfTenant = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  #running = 0;
  /** Of those of flows, which are not counted as running. */
  #timers = 0;
  #timer: { readonly atMs: number; cancel(): void } | undefined;
  #stopListening: (() => void) | undefined;
  #stopped = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#due = new DueTimes(parts.database);
    this.#retention = new FinishedRetention(parts);
  }

  /** T3 */
  async start(): Promise<void> {
    this.#stopListening = this.#parts.store.onCommit((commit) => {
      for (const { due, change } of this.#due.changesOf(commit)) {
        if (change === "added") this.#noticed(this.#branch(due.scope), due.dueMs);
        else
          this.#branches
            .get(keyOf(due.scope))
            ?.running.get(runKey(due))
            ?.abort(plinthError("Cancelled", { detail: "the schedule was cancelled" }));
      }
    });
    for await (const due of this.#due.branches()) this.#noticed(this.#branch(due.scope), due.dueMs);
    this.#retention.start();
  }

  /** Starts nothing new, lets what runs end for `drainMs`, then ends it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening?.();
    this.#timer?.cancel();
    await this.#retention.stop();
    const timer = this.#parts.runtime.timer(this.#parts.drainMs ?? 0, () => {
      for (const { running } of this.#branches.values())
        for (const controller of running.values()) controller.abort(plinthError("ShuttingDown", {}));
    });
    while (this.#work.size > 0) await Promise.all(this.#work);
    timer.cancel();
  }

  /** A due time was added; a reading that is under way may have missed it. */
  #noticed(branch: Branch, dueMs: number): void {
    if (branch.reading) branch.again = true;
    this.#wakeAt(branch, dueMs);
  }

  #wakeAt(branch: Branch, dueMs: number): void {
    if (this.#stopped) return;
    if (branch.nextMs !== undefined && branch.nextMs <= dueMs) return;
    branch.nextMs = dueMs;
    this.#wakes.push({ atMs: dueMs, branch });
    this.#setTimer();
  }

  /** T1 */
  #setTimer(): void {
    const first = this.#firstWake();
    if (this.#timer?.atMs === first?.atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (first === undefined || this.#stopped) return;
    // Not all of a long wait at once: the clock may be moved on meanwhile.
    const waitMs = Math.min(Math.max(0, first.atMs - this.#parts.runtime.nowMs()), limit("clockLookMs"));
    const timer = this.#parts.runtime.timer(waitMs, () => {
      this.#timer = undefined;
      this.#wake();
    });
    this.#timer = { atMs: first.atMs, cancel: () => timer.cancel() };
  }

  #firstWake(): { readonly atMs: number; readonly branch: Branch } | undefined {
    for (;;) {
      const first = this.#wakes.peek();
      if (first === undefined || first.branch.nextMs === first.atMs) return first;
      this.#wakes.pop();
    }
  }

  #wake(): void {
    const nowMs = this.#parts.runtime.nowMs();
    for (let first = this.#firstWake(); first !== undefined && first.atMs <= nowMs; first = this.#firstWake()) {
      this.#wakes.pop();
      first.branch.nextMs = undefined;
      this.#dispatch(first.branch);
    }
    this.#setTimer();
  }

  #dispatch(branch: Branch): void {
    if (this.#stopped) return;
    if (branch.reading) {
      branch.again = true;
      return;
    }
    branch.reading = true;
    branch.again = false;
    this.#track(
      this.#startDue(branch)
        .catch((error: unknown) => {
          if (this.#stopped) return;
          this.#parts.telemetry.log.error(
            { error, tenant: branch.scope.tenant },
            "due work could not be read; it is tried again in a second",
          );
          this.#wakeAt(branch, this.#parts.runtime.nowMs() + 1000);
        })
        .finally(() => {
          branch.reading = false;
          if (branch.again) this.#dispatch(branch);
          else this.#forgetIdle(branch);
        }),
    );
  }

  async #startDue(branch: Branch): Promise<void> {
    const { tenant } = branch.scope;
    const free = Math.max(0, this.#free(tenant, "function")) + Math.max(0, this.#free(tenant, "flow"));
    const due = free === 0 ? [] : await this.#due.earliest(branch.scope, branch.running.size + free + 1);
    const nowMs = this.#parts.runtime.nowMs();
    let isBlocked = free === 0;
    for (const each of due) {
      if (branch.running.has(runKey(each))) continue;
      if (each.dueMs > nowMs) {
        this.#wakeAt(branch, each.dueMs);
        break;
      }
      if (this.#free(tenant, each.kind) > 0) this.#start(branch, each, nowMs);
      else isBlocked = true;
    }
    if (isBlocked) this.#blocked.add(branch);
  }

  #start(branch: Branch, due: Due, nowMs: number): void {
    const { tenant } = branch.scope;
    const controller = new AbortController();
    branch.running.set(runKey(due), controller);
    this.#count(tenant, due.kind, 1);
    this.#parts.telemetry.metrics.scheduleDelay(nowMs - due.dueMs);
    this.#track(
      RUNS[due.kind](this.#parts, due, controller.signal)
        .catch((error: unknown) => {
          if (this.#stopped) return;
          this.#parts.telemetry.log.error(
            { error, tenant, id: due.id },
            "a scheduled run failed inside the host; it is tried again in a second",
          );
          this.#noticed(branch, this.#parts.runtime.nowMs() + 1000);
        })
        .finally(() => this.#ended(branch, due)),
    );
  }

  #ended(branch: Branch, due: Due): void {
    const { tenant } = branch.scope;
    branch.running.delete(runKey(due));
    this.#count(tenant, due.kind, -1);
    // What became due while its own earlier run went on was passed over.
    this.#dispatch(branch);
    this.#unblock();
  }

  #count(tenant: string, kind: DueKind, change: 1 | -1): void {
    if (kind === "flow") {
      this.#timers += change;
      return;
    }
    this.#running += change;
    const now = (this.#runningOfTenant.get(tenant) ?? 0) + change;
    if (now === 0) this.#runningOfTenant.delete(tenant);
    else this.#runningOfTenant.set(tenant, now);
  }

  /** T2 */
  #unblock(): void {
    const isFree = ({ scope }: Branch): boolean => this.#free(scope.tenant, "function") > 0 || this.#free(scope.tenant, "flow") > 0;
    const waiting = [...this.#blocked].filter(isFree);
    waiting.sort((a, b) => (this.#runningOfTenant.get(a.scope.tenant) ?? 0) - (this.#runningOfTenant.get(b.scope.tenant) ?? 0));
    for (const branch of waiting.slice(0, Math.max(1, limit("scheduledRunsMax") - this.#running))) {
      this.#blocked.delete(branch);
      this.#dispatch(branch);
    }
  }

  #free(tenant: string, kind: DueKind): number {
    if (kind === "flow") return limit("flowTimersMax") - this.#timers;
    return Math.min(
      limit("scheduledRunsPerTenantMax") - (this.#runningOfTenant.get(tenant) ?? 0),
      limit("scheduledRunsMax") - this.#running,
    );
  }

  #branch(scope: Scope): Branch {
    const key = keyOf(scope);
    let branch = this.#branches.get(key);
    if (branch === undefined)
      this.#branches.set(key, (branch = { key, scope, nextMs: undefined, running: new Map(), reading: false, again: false }));
    return branch;
  }

  #forgetIdle(branch: Branch): void {
    if (branch.nextMs === undefined && branch.running.size === 0 && !branch.reading && !this.#blocked.has(branch))
      this.#branches.delete(branch.key);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

const RUNS: Readonly<Record<DueKind, (parts: SchedulerParts, due: Due, signal: AbortSignal) => Promise<void>>> = {
  function: runJob,
  cron: runCron,
  timer: tick,
  flowEvent: publishDue,
  flow: async ({ flowTimer }, due) => await flowTimer?.(due),
};

function runKey(due: Due): string {
  return `${due.kind} ${due.id}`;
}

function keyOf(scope: Scope): string {
  return `${scope.tenant}/${scope.branch}`;
}
