/**
 * The pool of processes that run packages and inline code: who gets one, when they start and when they end.
 *
 * Owns: all runners of the runtimes node, python and wasm. Invariants:
 *
 * - V1: a process serves one version of one branch of one tenant for life. One that was started for inline code belongs to nobody
 *   until its first call, and ends after it.
 * - V2: a process serves one call at a time, and after it another only where its package says so and the call ended by itself.
 * - V3: waiters of one version are served in order; tenants take turns, at places and at starts.
 * - V4: a version that does not load is tried again after growing pauses only; calls in between get the reason at once.
 * - V5: the folder of a version is held for as long as anything of a process that sees it is left.
 */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { must } from "@plinth/core/assert.ts";
import type { RuntimeName } from "@plinth/core/protocol/runner-protocol.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { analyzeOn } from "./analyze.ts";
import type { BudgetMember, IdleRunner, SandboxBudget } from "./budget.ts";
import { isBad } from "./places.ts";
import type { SandboxProvider } from "./provider.ts";
import type { RunnerEnd } from "./runner.ts";
import type { SandboxEvent } from "./sandbox-event.ts";
import type { ProgramImage, RuntimeAdapter } from "./runtimes/runtime-adapter.ts";
import type { PoolStatus, Sandbox, VersionCode } from "./sandbox.ts";
import { StartBreaker } from "./start-breaker.ts";
import type { TenantGate } from "./tenant-gate.ts";
import {
  addWaiter,
  patienceLeftMs,
  rejectAll,
  type Refusal,
  type Stock,
  stockKey,
  type VersionGroup,
  type VersionLease,
} from "./version-groups.ts";
import { VersionTurns } from "./version-turns.ts";
import { leaseOn, refusingLease } from "./version-lease.ts";
import { type StartEnd, VersionProcess } from "./version-process.ts";

export interface VersionPoolOptions {
  readonly runtime: Runtime;
  readonly provider: SandboxProvider;
  readonly adapters: Readonly<Record<RuntimeName, RuntimeAdapter>>;
  /** The image of a runtime; made at its first use. Rejects with NotAvailable where it cannot run. */
  readonly image: (name: RuntimeName) => Promise<ProgramImage>;
  readonly budget: SandboxBudget;
  readonly gate: TenantGate;
  /** Processes for inline code that are kept ready for each runtime once it was used. */
  readonly warmInline: number;
  readonly onEvent?: (event: SandboxEvent) => void;
}

const HOUSEKEEPING_MS = 1000;
const REFILL_PAUSE_MS = 30;

export class VersionPool implements Sandbox, BudgetMember {
  readonly #options: VersionPoolOptions;
  readonly #runtime: Runtime;
  readonly #turns: VersionTurns;
  readonly #stocks = new Map<string, Stock>();
  readonly #processes = new Map<VersionProcess, VersionGroup | Stock>();
  readonly #ending = new Set<Promise<void>>();
  readonly #breakers = new Map<RuntimeName, StartBreaker>();
  #timers = new Map<"refill" | "housekeeping", { cancel(): void }>();
  #wake: { readonly atMs: number; readonly timer: { cancel(): void } } | undefined;
  #dispatching: "no" | "once" | "again" = "no";
  #closed = false;
  #spawned = 0;
  #killed = 0;

  constructor(options: VersionPoolOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#turns = new VersionTurns(options.runtime);
    options.budget.join(this);
  }

  acquire(request: Parameters<Sandbox["acquire"]>[0], signal: AbortSignal): Promise<VersionLease> {
    return this.#wait(() => this.#groupOf(request), signal);
  }

  async analyze(request: Parameters<Sandbox["analyze"]>[0]): ReturnType<Sandbox["analyze"]> {
    let group: VersionGroup | undefined;
    const patience = new AbortController();
    const maxMs = limit("actionQueueWaitMsMax");
    const timer = this.#runtime.timer(maxMs, () => patience.abort(plinthError("ExpiredInQueue", { maxMs, reason: "noRunner" })));
    try {
      const lease = await this.#wait(() => (group ??= this.#passingGroup(request)), patience.signal);
      timer.cancel();
      try {
        return await analyzeOn(lease.runner, request, this.#runtime);
      } finally {
        lease.release();
      }
    } finally {
      timer.cancel();
      if (group !== undefined) this.#turns.forget(group, plinthError("RunnerLost", { detail: "the analysis was ended" }));
    }
  }

  /** Inline code needs no version; that it is asked for is enough for its stock. */
  async warm(request: Parameters<Sandbox["warm"]>[0]): Promise<void> {
    if (this.#closed) return;
    const group = this.#groupOf(request);
    if (group.use === "inline") return this.#fillStock(this.#stockOf(request.version));
    const ready = [...group.processes].find((process) => process.isIdle || process.isBusy || process.isStarting);
    const process = ready ?? this.#startFor(group);
    await process?.started;
  }

  async evict(tenant: string, branch?: string): Promise<void> {
    const groups = this.#turns.of(tenant).filter((group) => branch === undefined || group.branch === branch);
    const processes = groups.flatMap((group) => [...group.processes]);
    for (const group of groups) this.#turns.forget(group, plinthError("RunnerLost", { detail: "the tenant's runners were ended" }));
    for (const process of processes) process.kill({ kind: "evicted", detail: "the tenant's runners were ended" });
    await Promise.all(processes.map((process) => process.exited));
  }

  status(): PoolStatus {
    const processes = [...this.#processes.keys()];
    return {
      runners: processes.length,
      warm: processes.filter((process) => process.isIdle).length,
      busy: processes.filter((process) => process.isBusy).length,
      memoryBytes: this.memoryBytes(),
      spawned: this.#spawned,
      killed: this.#killed,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#wake?.timer.cancel();
    for (const group of this.#turns.all()) this.#turns.forget(group, plinthError("ShuttingDown", {}));
    for (const process of Array.from(this.#processes.keys())) process.kill({ kind: "closed", detail: "the host shuts down" });
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  // The budget that the pool shares with others

  count(): number {
    return this.#processes.size;
  }

  memoryBytes(): number {
    let bytes = 0;
    for (const process of this.#processes.keys()) bytes += process.memoryBytes();
    return bytes;
  }

  idle(): IdleRunner | undefined {
    const idle = [...this.#processes.keys()].filter((process) => process.isIdle).toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)[0];
    if (idle === undefined) return undefined;
    return { lastUsedMs: idle.lastUsedMs, end: () => idle.kill({ kind: "retired", detail: "the memory is needed" }) };
  }

  // Groups

  #groupOf(request: { readonly tenant: string; readonly branch: string; readonly version: VersionCode }): VersionGroup {
    this.#options.gate.admit(request.tenant);
    this.#housekeepLater();
    return this.#turns.groupOf(request);
  }

  /** For one call that nobody waits for again, in a process of its own. */
  #passingGroup(request: { readonly tenant: string; readonly version: VersionCode }): VersionGroup {
    this.#options.gate.admit(request.tenant);
    this.#housekeepLater();
    return this.#turns.passingGroup(request);
  }

  #stockOf(version: VersionCode): Stock {
    const key = stockKey(version);
    const stock = this.#stocks.get(key) ?? { key, version, processes: new Set(), breaker: new StartBreaker(this.#runtime) };
    this.#stocks.set(key, stock);
    return stock;
  }

  // Waiting

  async #wait(groupOf: () => VersionGroup, signal: AbortSignal): Promise<VersionLease> {
    if (this.#closed) throw plinthError("ShuttingDown", {});
    signal.throwIfAborted();
    const group = groupOf();
    const sinceMs = this.#runtime.monotonicMs();
    group.lastUsedMs = sinceMs;
    return new Promise((resolve, reject) => {
      addWaiter(group, { sinceMs, resolve, reject, signal });
      this.#dispatch();
    });
  }

  /**
   * Serves whoever can be served, and starts processes for the others. Called after every change; a change that it makes itself
   * (an idle process gives way) is looked at when it is through.
   */
  #dispatch(): void {
    if (this.#dispatching !== "no") {
      this.#dispatching = "again";
      return;
    }
    do {
      this.#dispatching = "once";
      this.#dispatchOnce();
    } while (this.#dispatching !== "once");
    this.#dispatching = "no";
  }

  #dispatchOnce(): void {
    if (this.#closed) return;
    for (const tenant of this.#turns.tenants()) if (this.#serve(tenant)) this.#turns.over(tenant);
    let started = true;
    while (started) {
      started = false;
      for (const tenant of this.#turns.tenants()) {
        if (this.#startOneOf(tenant)) {
          this.#turns.over(tenant); // V3
          started = true;
        }
      }
    }
    this.#later("refill", REFILL_PAUSE_MS, () => this.#refill());
  }

  #serve(tenant: string): boolean {
    let served = false;
    for (const group of this.#turns.of(tenant)) {
      while (group.waiting.length > 0) {
        if (group.refusal?.kind === "notPossible" && group.breaker.pauseMs() > 0) {
          rejectAll(group, group.refusal.error);
          break;
        }
        const lease = this.#leaseFor(group);
        if (lease === undefined) break;
        must(group.waiting.shift(), "somebody waits").resolve(lease);
        served = true;
      }
    }
    return served;
  }

  #leaseFor(group: VersionGroup): VersionLease | undefined {
    if (group.refusal?.kind === "notLoaded" && group.breaker.pauseMs() > 0) return refusingLease(group.tenant, group.refusal.failure); // V4
    let process = [...group.processes].find((each) => each.isIdle);
    if (process === undefined && group.use === "inline" && (this.#mayHaveMore(group) || this.#endOwnIdle(group))) {
      const stock = this.#stockOf(group.version);
      process = [...stock.processes].find((each) => each.isIdle);
      if (process !== undefined) this.#bind(process, stock, group);
    }
    return process === undefined ? undefined : leaseOn(process, group, (clean) => this.#released(process, group, clean));
  }

  #bind(process: VersionProcess, stock: Stock, group: VersionGroup): void {
    stock.processes.delete(process);
    group.processes.add(process);
    this.#processes.set(process, group);
    process.runner.serve(group.tenant);
    this.#options.onEvent?.({ type: "bound", runner: process.id, tenant: group.tenant });
  }

  #released(process: VersionProcess, group: VersionGroup, clean: boolean): void {
    group.lastUsedMs = this.#runtime.monotonicMs();
    if (process.isBusy) {
      const { runner } = process;
      const again = group.use === "again" && clean && runner.isAlive && !runner.isRetiring && !runner.isWorn();
      if (again) process.rest(); // V2
      else process.kill({ kind: "retired", detail: "the process served its call" });
    }
    this.#dispatch();
  }

  // Starting

  /** Starts one process for a tenant that needs one; false when it needs none or may have none now. */
  #startOneOf(tenant: string): boolean {
    for (const group of this.#turns.of(tenant)) {
      if (group.waiting.length === 0) continue;
      if (group.use === "inline" ? this.#startForInline(group) : this.#startForWaiting(group)) return true;
    }
    return false;
  }

  #startForWaiting(group: VersionGroup): boolean {
    const underWay = [...group.processes].filter((process) => process.isStarting).length;
    if (underWay >= group.waiting.length || group.processes.size >= limit("packageProcessesPerVersionMax")) return false;
    const leftMs = patienceLeftMs(group, underWay, this.#runtime.monotonicMs());
    if (leftMs > 0) this.#wakeIn(leftMs);
    return leftMs <= 0 && this.#startFor(group) !== undefined;
  }

  #startFor(group: VersionGroup): VersionProcess | undefined {
    if (!this.#mayTry(group.breaker) || !this.#mayStart(group) || !(this.#mayHaveMore(group) || this.#endOwnIdle(group))) return undefined;
    return this.#start(group, group.version);
  }

  #startForInline(group: VersionGroup): boolean {
    if (!(this.#mayHaveMore(group) || this.#endOwnIdle(group)) || !this.#mayTry(group.breaker)) return false;
    const stock = this.#stockOf(group.version);
    if (!this.#mayTry(stock.breaker)) return false;
    let wanted = 0;
    for (const each of this.#turns.all()) if (each.use === "inline" && stockKey(each.version) === stock.key) wanted += each.waiting.length;
    if (stock.processes.size >= wanted || !this.#mayStart(group)) return false;
    return this.#start(stock, stock.version) !== undefined;
  }

  #mayTry(breaker: StartBreaker): boolean {
    const pauseMs = breaker.pauseMs();
    if (pauseMs > 0) this.#wakeIn(pauseMs);
    return pauseMs === 0;
  }

  /** Whether the host may start one more for this group now; makes room where it can. */
  #mayStart(group: VersionGroup): boolean {
    const breaker = this.#breakerOf(group.version);
    if (breaker.isOpen) {
      const cause = new Error(breaker.lastDetail);
      const error = plinthError("RunnerLost", { detail: "runners do not start on this host; its log says why" }, { cause });
      rejectAll(group, error);
      return false;
    }
    if (!this.#mayTry(breaker) || this.#startingCount() >= limit("runnersStartingMax")) return false;
    return this.#hasRoom() || (this.#options.budget.endIdle(this, group.tenant) && this.#hasRoom());
  }

  #startingCount(): number {
    return [...this.#processes.keys()].filter((process) => process.isStarting).length;
  }

  #hasRoom(): boolean {
    return this.#options.budget.hasRoom(limit("runnerIdleBytes"));
  }

  #mayHaveMore(group: VersionGroup): boolean {
    let count = 0;
    for (const each of this.#turns.of(group.tenant)) count += each.processes.size;
    return count < limit("packageProcessesPerTenantMax");
  }

  /** A tenant at its limit gives up what it does not use. */
  #endOwnIdle(group: VersionGroup): boolean {
    const idle = this.#turns
      .of(group.tenant)
      .flatMap((each) => [...each.processes])
      .filter((process) => process.isIdle)
      .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)[0];
    idle?.kill({ kind: "retired", detail: "the tenant needs its place" });
    return idle !== undefined;
  }

  #breakerOf(version: VersionCode): StartBreaker {
    const name = runtimeOf(version);
    const breaker = this.#breakers.get(name) ?? new StartBreaker(this.#runtime);
    this.#breakers.set(name, breaker);
    return breaker;
  }

  #start(owner: VersionGroup | Stock, version: VersionCode): VersionProcess {
    const name = runtimeOf(version);
    const startMs = this.#runtime.monotonicMs();
    const process: VersionProcess = new VersionProcess({
      id: `${name}-${++this.#spawned}`,
      runtime: this.#runtime,
      provider: this.#options.provider,
      adapter: this.#options.adapters[name],
      image: () => this.#options.image(name),
      version,
      ...("tenant" in owner ? { tenant: owner.tenant } : {}),
      onEnd: (end) => this.#ended(process, end),
    });
    owner.processes.add(process);
    this.#processes.set(process, owner);
    const gone = process.exited.finally(() => this.#ending.delete(gone));
    this.#ending.add(gone);
    void process.started.then((end) => this.#startEnded(process, { owner, version, end, ms: this.#runtime.monotonicMs() - startMs }));
    return process;
  }

  #startEnded(
    process: VersionProcess,
    {
      owner,
      version,
      end,
      ms,
    }: { readonly owner: VersionGroup | Stock; readonly version: VersionCode; readonly end: StartEnd; readonly ms: number },
  ): void {
    switch (end.kind) {
      case "ready":
        this.#breakerOf(version).succeeded();
        for (const group of this.#servedBy(owner)) group.refusal = undefined;
        this.#options.onEvent?.({ type: "started", runner: process.id, ms });
        break;
      case "notStarted":
        break; // `#ended` has seen it
      case "notLoaded":
        // What ended with the process for no reason of its code is tried again; `#ended` has counted it.
        if (end.failure.kind !== "lost" && end.failure.kind !== "cancelled") this.#refuse(owner, end);
        break;
      case "notPossible":
        this.#refuse(owner, end);
        for (const group of this.#servedBy(owner)) rejectAll(group, end.error);
    }
    this.#dispatch();
  }

  #refuse(owner: VersionGroup | Stock, refusal: Refusal): void {
    for (const each of new Set([owner, ...this.#servedBy(owner)])) each.breaker.failed("its last start failed");
    for (const group of this.#servedBy(owner)) group.refusal = refusal;
  }

  /** The groups whose calls the processes of an owner serve. */
  #servedBy(owner: VersionGroup | Stock): readonly VersionGroup[] {
    if ("waiting" in owner) return [owner];
    return [...this.#turns.all()].filter((group) => group.use === "inline" && stockKey(group.version) === owner.key);
  }

  #ended(process: VersionProcess, end: RunnerEnd): void {
    const owner = this.#processes.get(process);
    if (owner === undefined) return;
    this.#processes.delete(process);
    owner.processes.delete(process);
    this.#killed++;
    const group = "waiting" in owner ? owner : undefined;
    this.#options.onEvent?.({ type: "ended", runner: process.id, tenant: group?.tenant, end, output: process.output });
    if (end.kind === "startFailed") this.#breakerOf(owner.version).failed(end.detail);
    else if (isBad(end)) owner.breaker.failed(end.detail);
    this.#dispatch();
  }

  // Readiness for calls to come, and housekeeping

  #refill(): void {
    if (this.#closed) return;
    for (const group of this.#turns.all()) {
      const spare = [...group.processes].some((process) => process.isIdle || process.isStarting);
      if (group.use !== "once" || group.passing || spare || group.refusal !== undefined || !this.#isRecent(group)) continue;
      // A spare takes nobody's place: two versions would take it from each other without end.
      const room = group.processes.size < limit("packageProcessesPerVersionMax") && this.#mayHaveMore(group) && this.#hasRoom();
      if (room && group.breaker.pauseMs() === 0) this.#startFor(group);
    }
    for (const stock of this.#stocks.values()) this.#fillStock(stock);
  }

  #fillStock(stock: Stock): void {
    const breaker = this.#breakerOf(stock.version);
    while (stock.processes.size < this.#options.warmInline) {
      if (
        stock.breaker.pauseMs() > 0 ||
        breaker.isOpen ||
        breaker.pauseMs() > 0 ||
        !this.#hasRoom() ||
        this.#startingCount() >= limit("runnersStartingMax")
      )
        return;
      this.#start(stock, stock.version);
    }
  }

  #isRecent(group: VersionGroup): boolean {
    return this.#runtime.monotonicMs() - group.lastUsedMs < limit("runnerIdleMsMax");
  }

  #housekeepLater(): void {
    this.#later("housekeeping", HOUSEKEEPING_MS, () => {
      this.#endIdle();
      this.#dispatch();
      if (this.#turns.tenants().length > 0) this.#housekeepLater();
    });
  }

  #endIdle(): void {
    const nowMs = this.#runtime.monotonicMs();
    for (const group of this.#turns.all()) {
      for (const process of Array.from(group.processes))
        if (process.isBusyForNobody()) process.kill({ kind: "retired", detail: "the process computed although no call was open" });
        else if (process.isIdle && nowMs - process.lastUsedMs >= limit("runnerIdleMsMax"))
          process.kill({ kind: "retired", detail: "the process was idle" });
      if (group.processes.size === 0 && group.waiting.length === 0 && group.breaker.isCalm && !this.#isRecent(group))
        this.#turns.forget(group, plinthError("RunnerLost", { detail: "the version was not used" }));
    }
    this.#options.budget.trim(this);
  }

  #later(name: "refill" | "housekeeping", delayMs: number, act: () => void): void {
    if (this.#closed || this.#timers.has(name)) return;
    const timer = this.#runtime.timer(delayMs, () => {
      this.#timers.delete(name);
      act();
    });
    this.#timers.set(name, timer);
  }

  #wakeIn(delayMs: number): void {
    const atMs = this.#runtime.monotonicMs() + delayMs;
    if (this.#wake !== undefined && this.#wake.atMs <= atMs) return;
    this.#wake?.timer.cancel();
    const timer = this.#runtime.timer(delayMs, () => {
      this.#wake = undefined;
      this.#dispatch();
    });
    this.#wake = { atMs, timer };
  }
}

function runtimeOf(version: VersionCode): RuntimeName {
  return version.runtime ?? "isolate";
}
