/**
 * The pool of runners: who gets a place, when runners start and when they end.
 *
 * Owns: all runners of the host and the queues of those who wait for a place. Invariants:
 *
 * - P1: a runner serves one tenant for life. An unassigned runner is bound by its first lease and never
 *   unbound.
 * - P2: places of a runner are never given out twice, and what was given out comes back with `release`
 *   or with the runner's end.
 * - P3: waiters of one tenant and lane are served in order; tenants take turns.
 * - P4: runners and their memory stay within their budgets; over it, idle runners end, the least recently
 *   used first.
 */
import { limit } from "@plinth/core/limits.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { assert, must } from "@plinth/core/assert.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { analyzeOn } from "./analyze.ts";
import type { BudgetMember, IdleRunner, SandboxBudget } from "./budget.ts";
import {
  asError,
  isBad,
  isBetter,
  isBusy,
  type Lane,
  leastRecentlyUsed,
  type OwnLease,
  type Place,
  PLACES,
  type Tenant,
  type Waiter,
} from "./places.ts";
import type { SandboxProvider } from "./provider.ts";
import { Runner, type RunnerEnd } from "./runner.ts";
import type { TenantGate } from "./tenant-gate.ts";
import type { ProgramImage } from "./runtimes/runtime-adapter.ts";
import type { SandboxEvent } from "./sandbox-event.ts";
import { StartBreaker } from "./start-breaker.ts";
import type { CallHandler, CallOutcome, CallRequest, PoolStatus, RunnerLease, Sandbox, VersionCode } from "./sandbox.ts";

export interface PoolOptions {
  readonly runtime: Runtime;
  readonly provider: SandboxProvider;
  readonly image: ProgramImage;
  /** Unassigned runners kept ready. */
  readonly warmRunners: number;
  readonly budget: SandboxBudget;
  readonly gate: TenantGate;
  /** Processors that the runners share. */
  readonly processors: number;
  readonly onEvent?: (event: SandboxEvent) => void;
}

const SOLO_MS = 10_000;
const HOUSEKEEPING_MS = 1000;
const REFILL_PAUSE_MS = 30;
/** So that a tenant whose one runner is stuck still has another. */
const RUNNERS_MIN = 2;

export class RunnerPool implements Sandbox, BudgetMember {
  readonly #options: PoolOptions;
  readonly #runtime: Runtime;
  readonly #places = new Set<Place>();
  /** In the order of turns: the tenant that was served last is last. */
  readonly #tenants = new Map<string, Tenant>();
  readonly #ending = new Set<Promise<void>>();
  readonly #breaker: StartBreaker;
  #refill: { cancel(): void } | undefined;
  #housekeeping: { cancel(): void } | undefined;
  #wake: { readonly atMs: number; readonly timer: { cancel(): void } } | undefined;
  #closed = false;
  #spawned = 0;
  #killed = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#runtime = options.runtime;
    this.#breaker = new StartBreaker(options.runtime);
    options.budget.join(this);
    this.#keepWarm();
    this.#scheduleHousekeeping();
  }

  acquire(
    request: { readonly tenant: string; readonly lane: Lane; readonly version: VersionCode; readonly contextKey?: string },
    signal: AbortSignal,
  ): Promise<RunnerLease> {
    return this.#wait(request.tenant, { lane: request.lane, digest: request.version.digest, contextKey: request.contextKey }, signal);
  }

  async analyze(request: Parameters<Sandbox["analyze"]>[0]): ReturnType<Sandbox["analyze"]> {
    const patience = new AbortController();
    const maxMs = limit("actionQueueWaitMsMax");
    const timer = this.#runtime.timer(maxMs, () => patience.abort(plinthError("ExpiredInQueue", { maxMs, reason: "noRunner" })));
    try {
      const lease = await this.#wait(
        request.tenant,
        { lane: "transaction", digest: request.version.digest, contextKey: undefined },
        patience.signal,
      );
      timer.cancel();
      try {
        return await analyzeOn(lease.runner, request, this.#runtime);
      } finally {
        lease.release();
      }
    } finally {
      timer.cancel();
    }
  }

  async warm(request: { readonly tenant: string; readonly version: VersionCode }): Promise<void> {
    const own = [...this.#places].filter(
      (place) => place.tenant === request.tenant && place.ready && place.runner.isAlive && !place.runner.isRetiring,
    );
    await Promise.all(own.map((place) => place.runner.load(request.version)));
  }

  /** Runners of functions serve all branches of a tenant and remember nothing but contexts of runs, for seconds: no branch has runners to end. */
  async evict(tenant: string, branch?: string): Promise<void> {
    if (branch !== undefined) return;
    const own = [...this.#places].filter((place) => place.tenant === tenant);
    const waiting = this.#tenants.get(tenant)?.waiting.splice(0) ?? [];
    this.#tenants.delete(tenant);
    for (const waiter of waiting) waiter.reject(plinthError("RunnerLost", { detail: "the tenant's runners were ended" }));
    for (const place of own) place.runner.kill({ kind: "evicted", detail: "the tenant's runners were ended" });
    await Promise.all(own.map((place) => place.runner.exited));
  }

  status(): PoolStatus {
    const places = [...this.#places];
    return {
      runners: places.length,
      warm: places.filter((place) => place.ready && place.tenant === undefined).length,
      busy: places.filter((place) => isBusy(place)).length,
      memoryBytes: this.memoryBytes(),
      spawned: this.#spawned,
      killed: this.#killed,
    };
  }

  /** Resolves when the unassigned runners are ready, or when they cannot be. For tests and start-up. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#places].map((place) => place.runner.started));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#housekeeping?.cancel();
    this.#refill?.cancel();
    this.#wake?.timer.cancel();
    for (const tenant of this.#tenants.values())
      for (const waiter of tenant.waiting.splice(0)) waiter.reject(plinthError("ShuttingDown", {}));
    for (const place of Array.from(this.#places)) place.runner.kill({ kind: "closed", detail: "the host shuts down" });
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  // Waiting

  async #wait(name: string, wants: Pick<Waiter, "lane" | "digest" | "contextKey">, signal: AbortSignal): Promise<OwnLease> {
    if (this.#closed) throw plinthError("ShuttingDown", {});
    signal.throwIfAborted();
    const tenant = this.#tenantNamed(name);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        ...wants,
        resolve: (lease) => {
          signal.removeEventListener("abort", abort);
          resolve(lease);
        },
        reject: (reason) => {
          signal.removeEventListener("abort", abort);
          reject(asError(reason));
        },
      };
      const abort = (): void => {
        const at = tenant.waiting.indexOf(waiter);
        if (at >= 0) tenant.waiting.splice(at, 1);
        waiter.reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      tenant.waiting.push(waiter);
      this.#dispatch();
    });
  }

  #tenantNamed(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    this.#options.gate.admit(name);
    const tenant: Tenant = { name, waiting: [], breaker: new StartBreaker(this.#runtime), soloUntilMs: Number.NEGATIVE_INFINITY };
    this.#tenants.set(name, tenant);
    return tenant;
  }

  // Giving out places

  /** Serves whoever can be served, and starts runners for the others. Called after every change. */
  #dispatch(): void {
    if (this.#closed) return;
    for (const tenant of Array.from(this.#tenants.values())) this.#serve(tenant);
    // Runners that start unassigned are for those who wait, in their order.
    let underWay = [...this.#places].filter((place) => place.tenant === undefined && !place.ready).length;
    for (const tenant of Array.from(this.#tenants.values())) underWay -= this.#provide(tenant, underWay);
    this.#refillSoon();
  }

  #serve(tenant: Tenant): void {
    if (tenant.waiting.length === 0) return;
    let served = false;
    const full = new Set<Lane>();
    for (const waiter of Array.from(tenant.waiting)) {
      if (full.has(waiter.lane)) continue;
      const place = this.#placeFor(tenant, waiter);
      if (place === undefined) {
        full.add(waiter.lane);
        continue;
      }
      tenant.waiting.splice(tenant.waiting.indexOf(waiter), 1);
      waiter.resolve(this.#lease(place, waiter.lane));
      served = true;
    }
    if (served && this.#tenants.delete(tenant.name)) this.#tenants.set(tenant.name, tenant); // P3: its turn is over
  }

  /** A free place of the tenant: with the version loaded if there is one, on the runner of the call before or the least busy one; else a warm runner. */
  #placeFor(tenant: Tenant, waiter: Waiter): Place | undefined {
    const solo = this.#runtime.monotonicMs() < tenant.soloUntilMs;
    const max = solo && waiter.lane === "transaction" ? 1 : PLACES[waiter.lane];
    let best: Place | undefined;
    let warm: Place | undefined;
    for (const place of this.#places) {
      if (!place.ready || !place.runner.isAlive || place.runner.isRetiring) continue;
      if (place.tenant === undefined) warm ??= place;
      else if (place.tenant === tenant.name && place.taken[waiter.lane] < max && (best === undefined || isBetter(place, best, waiter)))
        best = place;
    }
    if (best !== undefined) return best;
    if (warm === undefined || this.#allowanceOf(tenant, waiter.lane) <= 0) return undefined;
    this.#bind(warm, tenant.name);
    return warm;
  }

  #bind(place: Place, tenant: string): void {
    assert(place.tenant === undefined, "a runner is bound once (P1)");
    place.tenant = tenant;
    place.fresh = true;
    place.runner.serve(tenant);
    this.#options.onEvent?.({ type: "bound", runner: place.runner.id, tenant });
  }

  #lease(place: Place, lane: Lane): OwnLease {
    place.taken[lane]++;
    place.lastUsedMs = this.#runtime.monotonicMs();
    const coldStart = place.fresh;
    place.fresh = false;
    let released = false;
    const { runner } = place;
    return {
      tenant: must(place.tenant, "a leased runner has a tenant"),
      runner,
      runnerId: runner.id,
      coldStart,
      run: (request: CallRequest, handler: CallHandler, signal: AbortSignal): Promise<CallOutcome> => {
        assert(!released, "a released lease runs nothing");
        return runner.run(request, handler, signal);
      },
      release: () => {
        assert(!released, "a lease is released once (P2)");
        released = true;
        this.#released(place, lane);
      },
    };
  }

  #released(place: Place, lane: Lane): void {
    place.taken[lane]--;
    place.lastUsedMs = this.#runtime.monotonicMs();
    if (place.runner.isAlive && place.runner.isWorn()) place.runner.retire();
    if (place.runner.isAlive && place.runner.isRetiring && !isBusy(place))
      place.runner.kill({ kind: "retired", detail: "the runner is replaced" });
    const tenant = place.tenant === undefined ? undefined : this.#tenants.get(place.tenant);
    if (place.runner.isAlive) tenant?.breaker.succeeded();
    this.#dispatch();
  }

  // Starting runners

  /** Sees that runners are under way for those who wait; says how many of the starting ones it counts on. */
  #provide(tenant: Tenant, underWay: number): number {
    if (tenant.waiting.length === 0) return 0;
    if (this.#breaker.isOpen) {
      this.#refuse(tenant);
      return 0;
    }
    const lane = tenant.waiting.some((waiter) => waiter.lane === "action") ? "action" : "transaction";
    const wanted = Math.min(this.#allowanceOf(tenant, lane), Math.ceil(tenant.waiting.length / PLACES.transaction));
    const counted = Math.min(wanted, Math.max(0, underWay));
    const pauseMs = Math.max(tenant.breaker.pauseMs(), this.#breaker.pauseMs());
    if (pauseMs > 0) this.#wakeIn(pauseMs);
    else
      for (let missing = wanted - counted; missing > 0 && this.#mayStart() && (this.#hasRoom() || this.#makeRoom(tenant.name)); missing--)
        this.#start();
    return counted;
  }

  #mayStart(): boolean {
    return [...this.#places].filter((place) => !place.ready).length < limit("runnersStartingMax");
  }

  #refuse(tenant: Tenant): void {
    // What the machine says names its folders: it is for the log, not for callers.
    const cause = new Error(this.#breaker.lastDetail);
    const error = plinthError("RunnerLost", { detail: "runners do not start on this host; its log says why" }, { cause });
    for (const waiter of tenant.waiting.splice(0)) waiter.reject(error);
  }

  #hasRoom(): boolean {
    return this.#options.budget.hasRoom(limit("runnerIdleBytes"));
  }

  /** Ends the least recently used idle runner; without one, marks a busy one of another tenant to be replaced. */
  #makeRoom(forTenant: string): boolean {
    if (this.#options.budget.endIdle(this, forTenant)) return this.#hasRoom();
    const others = this.#othersThan(forTenant);
    if (this.#countOf(forTenant) > 0 || others.some((place) => place.runner.isRetiring)) return false;
    // The tenant has nothing: the one with the most runners gives one up when its calls are done.
    const donor = others.toSorted((a, b) => this.#countOf(b.tenant) - this.#countOf(a.tenant) || a.lastUsedMs - b.lastUsedMs)[0];
    donor?.runner.retire();
    return false;
  }

  #othersThan(tenant: string | undefined): readonly Place[] {
    return [...this.#places].filter(
      (place) => place.tenant !== undefined && place.tenant !== tenant && place.ready && place.runner.isAlive,
    );
  }

  // The budget that the pool shares with others (P4)

  count(): number {
    return this.#places.size;
  }

  idle(request: { readonly asker: BudgetMember; readonly forTenant: string | undefined }): IdleRunner | undefined {
    const ours = request.asker === this;
    const assigned = this.#othersThan(ours ? request.forTenant : undefined);
    // For a pool of another kind, a runner that waits for nobody is no better than one whose tenant rests.
    const unassigned = ours ? [] : [...this.#places].filter((place) => place.tenant === undefined && place.ready && place.runner.isAlive);
    const idle = leastRecentlyUsed([...assigned, ...unassigned].filter((place) => !isBusy(place)));
    if (idle === undefined) return undefined;
    return { lastUsedMs: idle.lastUsedMs, end: () => idle.runner.kill({ kind: "retired", detail: "the memory is needed" }) };
  }

  /** A start takes the host some milliseconds and the machine more; the call that took the warm runner goes first. */
  #refillSoon(): void {
    this.#refill ??= this.#runtime.timer(REFILL_PAUSE_MS, () => {
      this.#refill = undefined;
      this.#keepWarm();
    });
  }

  #keepWarm(): void {
    if (this.#closed) return;
    if (this.#breaker.isOpen || this.#breaker.pauseMs() > 0) return;
    for (;;) {
      const unassigned = [...this.#places].filter((place) => place.tenant === undefined && place.runner.isAlive);
      if (unassigned.length >= this.#options.warmRunners || !this.#mayStart() || !this.#hasRoom()) return;
      this.#start();
    }
  }

  #start(): void {
    const startMs = this.#runtime.monotonicMs();
    const id = `runner-${++this.#spawned}`;
    let runner: Runner;
    try {
      runner = new Runner({
        runtime: this.#runtime,
        provider: this.#options.provider,
        spec: { image: this.#options.image, scratchBytes: 0, memoryBytesMax: limit("runnerMemoryBytesMax") },
        id,
        places: limit("runnerTransactionPlaces"),
        heapBytes: limit("isolateHeapBytesMax"),
        onEnd: (end) => this.#ended(place, end),
      });
    } catch (error) {
      // The machine has no descriptor, process or user left for it.
      this.#breaker.failed(String(error));
      this.#wakeIn(this.#breaker.pauseMs());
      return;
    }
    const place: Place = {
      runner,
      tenant: undefined,
      taken: { transaction: 0, action: 0 },
      fresh: true,
      ready: false,
      lastUsedMs: startMs,
    };
    this.#places.add(place);
    const gone = runner.exited.finally(() => this.#ending.delete(gone));
    this.#ending.add(gone);
    runner.started.then(
      () => {
        place.ready = true;
        this.#breaker.succeeded();
        this.#options.onEvent?.({ type: "started", runner: id, ms: this.#runtime.monotonicMs() - startMs });
        this.#dispatch();
      },
      () => undefined, // `#ended` has seen it
    );
  }

  #ended(place: Place, end: RunnerEnd): void {
    this.#places.delete(place);
    this.#killed++;
    this.#options.onEvent?.({ type: "ended", runner: place.runner.id, tenant: place.tenant, end, output: place.runner.output });
    const tenant = place.tenant === undefined ? undefined : this.#tenants.get(place.tenant);
    if (end.kind === "startFailed") this.#breaker.failed(end.detail);
    else if (isBad(end)) tenant?.breaker.failed(end.detail);
    if (end.kind === "outOfMemory" && tenant !== undefined) tenant.soloUntilMs = this.#runtime.monotonicMs() + SOLO_MS;
    if (this.#breaker.pauseMs() > 0) this.#wakeIn(this.#breaker.pauseMs());
    this.#dispatch();
  }

  // Housekeeping

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

  #scheduleHousekeeping(): void {
    this.#housekeeping = this.#runtime.timer(HOUSEKEEPING_MS, () => {
      this.#endIdle();
      this.#dispatch();
      this.#scheduleHousekeeping();
    });
  }

  #endIdle(): void {
    const nowMs = this.#runtime.monotonicMs();
    for (const place of Array.from(this.#places)) {
      if (place.tenant !== undefined && !isBusy(place) && nowMs - place.lastUsedMs >= limit("runnerIdleMsMax"))
        place.runner.kill({ kind: "retired", detail: "the runner was idle" });
    }
    const isUsed = (name: string): boolean => [...this.#places].some((place) => place.tenant === name);
    for (const tenant of Array.from(this.#tenants.values()))
      if (tenant.waiting.length === 0 && !isUsed(tenant.name) && tenant.breaker.isCalm) this.#tenants.delete(tenant.name);
    this.#options.budget.trim(this);
  }

  /** Runners that start count as what they are expected to take. */
  memoryBytes(): number {
    let bytes = 0;
    for (const place of this.#places) bytes += Math.max(place.runner.memoryBytes(), place.ready ? 0 : limit("runnerIdleBytes"));
    return bytes;
  }

  /**
   * How many more runners a tenant may have. Retiring ones only finish their calls, which may take as long as
   * an action may, so they are counted apart; they may be as many again.
   *
   * Actions wait most of their time. Queries and mutations compute: more runners than processors would only take
   * each other's place in the processors' caches.
   */
  #allowanceOf(tenant: Tenant, lane: Lane): number {
    const most = limit("runnersPerTenantMax");
    const max = lane === "action" ? most : Math.min(most, Math.max(RUNNERS_MIN, this.#options.processors));
    let serving = 0;
    let all = 0;
    for (const place of this.#places) {
      if (place.tenant !== tenant.name) continue;
      all++;
      if (!place.runner.isRetiring) serving++;
    }
    return Math.max(0, Math.min(max - serving, 2 * most - all));
  }

  #countOf(tenant: string | undefined): number {
    let count = 0;
    for (const place of this.#places) if (place.tenant === tenant) count++;
    return count;
  }
}
