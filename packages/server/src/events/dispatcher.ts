/**
 * Gives events to automations and runs their deliveries.
 *
 * Owns: what runs. Everything else lies in the store; in memory are keys of deliveries that run, one place per busy branch, and the
 * next few of a branch whose deliveries wait for a place, so that each that ends does not read the queue again.
 * Nothing polls: commits wake it, and the due time of a delivery that waits for its next call does (V5).
 * Places are few per tenant; when those of the host are taken, the tenant with the fewest running goes first.
 */
import { assert } from "@plinth/core/assert.ts";
import { compareBytes, decodeKeyValues } from "@plinth/core/documents/keys.ts";
import { limit } from "@plinth/core/limits.ts";
import { retryDelayMs } from "@plinth/core/policy/retry.ts";
import type { KeyPart, RecordTable, Scope } from "../database/database.ts";
import { DELIVERY_QUEUE, EVENT_QUEUE, PLATFORM_SCOPE } from "../database/record-tables.ts";
import { forwardClock } from "../runtime/forward-clock.ts";
import type { Commit, KeyRange, Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { deliveryKeyOf, type DeliveryKey } from "./delivery-rows.ts";
import { fanOut, type FanOutParts } from "./fan-out.ts";
import { FreshDeliveries } from "./fresh-deliveries.ts";
import { GroupedUpdates } from "./grouped-updates.ts";
import { runDelivery, type DeliveryParts } from "./run-delivery.ts";
import { WakeTimes } from "./wake-times.ts";

type OwnParts = "updates" | "fresh" | "beganTs";

export interface DispatcherParts extends Omit<FanOutParts & DeliveryParts, OwnParts> {
  readonly store: Pick<Store, "onCommit">;
  readonly log: Log;
  readonly drainMs: number;
}

/** Work of a branch that is done by one loop at a time; `again` when more came meanwhile. */
interface Loop {
  running: boolean;
  again: boolean;
  failures: number;
}

/** Deliveries of a branch that are read ahead while no place is free. */
const AHEAD = 32;

interface Branch {
  readonly scope: Scope;
  readonly events: Loop;
  readonly deliveries: Loop;
  readonly running: Set<string>;
  /** The first that are due and do not run, in the order of the queue: none that a commit took out of it since. */
  readonly ahead: Map<string, DeliveryKey>;
  /** Nothing that is due waits but what runs: what commits add can be started without a look at the queue. */
  isKnown: boolean;
}

export class Dispatcher {
  readonly #parts: DispatcherParts & FanOutParts & DeliveryParts;
  readonly #branches = new Map<string, Branch>();
  readonly #ranges: { readonly events: KeyRange; readonly deliveries: KeyRange };
  readonly #runningOfTenant = new Map<string, number>();
  readonly #blocked = new Set<Branch>();
  readonly #work = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #wakes: WakeTimes;
  #running = 0;
  #stopped = false;
  #stopListening: (() => void) | undefined;

  constructor(parts: DispatcherParts) {
    const { database } = parts;
    // Deliveries wait for as long as they are to wait, however the clock is moved meanwhile.
    const runtime = { ...parts.runtime, nowMs: forwardClock(parts.runtime) };
    this.#parts = { ...parts, runtime, updates: new GroupedUpdates(parts), fresh: new FreshDeliveries(), beganTs: database.latest() };
    this.#ranges = {
      events: database.recordRange(PLATFORM_SCOPE, EVENT_QUEUE),
      deliveries: database.recordRange(PLATFORM_SCOPE, DELIVERY_QUEUE),
    };
    this.#wakes = new WakeTimes(runtime, (scope) => this.#deliver(this.#branch(scope)));
  }

  /** V5: listens first, so that nothing falls between the two. */
  async start(): Promise<void> {
    this.#stopListening = this.#parts.store.onCommit((commit) => this.#committed(commit));
    for await (const scope of this.#branchesWith(EVENT_QUEUE)) this.#fanOut(this.#branch(scope));
    for await (const scope of this.#branchesWith(DELIVERY_QUEUE)) this.#deliver(this.#branch(scope));
  }

  /** Starts nothing new and lets what runs end for `drainMs`. What is cut stays stored. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening?.();
    this.#wakes.stop();
    const timer = this.#parts.runtime.timer(this.#parts.drainMs, () => this.#stopping.abort());
    while (this.#work.size > 0) await Promise.all(this.#work);
    timer.cancel();
  }

  isRunning({ tenant, branch }: Scope, key: DeliveryKey): boolean {
    const ending = `\n${key.join("\n")}`;
    return [...(this.#branches.get(`${tenant}/${branch}`)?.running ?? [])].some((name) => name.endsWith(ending));
  }

  #committed(commit: Commit): void {
    for (const { key, value } of commit.writes) {
      if (value === null) this.#deleted(key);
      else if (isIn(key, this.#ranges.events)) this.#fanOut(this.#branch(scopeOf(key, this.#ranges.events)));
      else if (isIn(key, this.#ranges.deliveries)) this.#added(partsOf(key, this.#ranges.deliveries));
    }
  }

  async *#branchesWith(table: RecordTable<unknown>): AsyncGenerator<Scope> {
    for (let after: readonly KeyPart[] | undefined; ;) {
      const [row] = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
        records.range(table, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
      );
      if (row === undefined) return;
      const scope = { tenant: String(row.key[0]), branch: String(row.key[1]) };
      yield scope;
      after = [scope.tenant, scope.branch, Number.MAX_VALUE];
    }
  }

  /** A delivery was put into the queue. */
  #added(mark: readonly KeyPart[]): void {
    const branch = this.#branch({ tenant: String(mark[0]), branch: String(mark[1]) });
    const isReady = branch.isKnown && !branch.deliveries.running && !this.#stopped && this.#free(branch.scope.tenant) > 0;
    if (!isReady || Number(mark[2]) > this.#parts.runtime.nowMs()) return this.#deliver(branch);
    const name = nameOf(mark);
    if (!branch.running.has(name)) this.#start(branch, name, deliveryKeyOf(mark.slice(3)));
  }

  /** What was taken out of the queue waits for nothing. */
  #deleted(key: Uint8Array): void {
    if (this.#branches.size === 0 || !isIn(key, this.#ranges.deliveries)) return;
    const mark = partsOf(key, this.#ranges.deliveries);
    this.#branches.get(`${String(mark[0])}/${String(mark[1])}`)?.ahead.delete(nameOf(mark));
  }

  #fanOut(branch: Branch): void {
    this.#loop(branch, branch.events, () => this.#fanOutNext(branch));
  }

  /** While deliveries wait for places, so would those of new events: these wait for others that are given with them. */
  async #fanOutNext(branch: Branch): Promise<boolean> {
    const { runtime } = this.#parts;
    if (branch.ahead.size > 0) await runtime.sleep(limit("eventFanOutWaitMs"), this.#stopping.signal).catch(() => undefined);
    return !this.#stopped && (await fanOut(this.#parts, branch.scope));
  }

  #deliver(branch: Branch): void {
    this.#loop(branch, branch.deliveries, () => this.#startDue(branch));
  }

  /** Runs `step` until it says that there is nothing left, and again when something came meanwhile. */
  #loop(branch: Branch, loop: Loop, step: () => Promise<boolean>): void {
    if (this.#stopped) return;
    if (loop.running) {
      loop.again = true;
      return;
    }
    loop.running = true;
    this.#track(
      this.#turns(loop, step)
        .catch((error: unknown) => this.#failed(branch, loop, error))
        .finally(() => {
          loop.running = false;
          if (loop.again) this.#loop(branch, loop, step);
          else this.#forgetIdle(branch);
        }),
    );
  }

  async #turns(loop: Loop, step: () => Promise<boolean>): Promise<void> {
    do {
      loop.again = false;
      while (!this.#stopped && (await step()));
      loop.failures = 0;
    } while (loop.again && !this.#stopped);
  }

  async #failed(branch: Branch, loop: Loop, error: unknown): Promise<void> {
    if (this.#stopped) return;
    loop.failures++;
    this.#parts.log.warn({ error, ...branch.scope }, "events of a branch could not be given to its automations; it is tried again");
    const { runtime } = this.#parts;
    const pauseMs = retryDelayMs({ kind: "scheduledPlatform", attempt: loop.failures, jitter: runtime.random() });
    await runtime.sleep(pauseMs, this.#stopping.signal).catch(() => undefined);
    loop.again = true;
  }

  /** Starts deliveries whose time has come, as far as there are places. */
  async #startDue(branch: Branch): Promise<boolean> {
    const { scope, running, ahead } = branch;
    this.#startAhead(branch);
    const free = this.#free(scope.tenant);
    if (free <= 0) return this.#block(branch);
    const most = running.size + free + AHEAD;
    const rows = await this.#parts.database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(DELIVERY_QUEUE, { prefix: [scope.tenant, scope.branch], limit: most }),
    );
    branch.isKnown = rows.length < most;
    const nowMs = this.#parts.runtime.nowMs();
    for (const { key } of rows) {
      const name = nameOf(key);
      if (running.has(name)) continue;
      if (Number(key[2]) > nowMs) {
        this.#wakes.add(scope, Number(key[2]));
        branch.isKnown = true;
        break;
      }
      ahead.set(name, deliveryKeyOf(key.slice(3)));
    }
    this.#startAhead(branch);
    return ahead.size > 0 && this.#block(branch);
  }

  /** Starts those that were read ahead, as far as there are places. */
  #startAhead(branch: Branch): void {
    const { scope, running, ahead } = branch;
    for (const [name, key] of ahead) {
      if (this.#free(scope.tenant) <= 0) return;
      ahead.delete(name);
      if (!running.has(name)) this.#start(branch, name, key);
    }
  }

  /** Until a place is free. */
  #block(branch: Branch): false {
    branch.isKnown = false;
    this.#blocked.add(branch);
    return false;
  }

  #start(branch: Branch, name: string, key: DeliveryKey): void {
    const { tenant } = branch.scope;
    branch.running.add(name);
    this.#running++;
    this.#runningOfTenant.set(tenant, (this.#runningOfTenant.get(tenant) ?? 0) + 1);
    let hasPlace = true;
    const leave = (): void => {
      if (!hasPlace) return;
      hasPlace = false;
      this.#left(tenant);
    };
    this.#track(
      runDelivery(this.#parts, { scope: branch.scope, key }, { signal: this.#stopping.signal, onCalled: leave })
        .catch((error: unknown) => {
          if (this.#stopped) return;
          this.#parts.log.error({ error, ...branch.scope }, "a delivery failed inside the host; it is tried again in a second");
          this.#wakes.add(branch.scope, this.#parts.runtime.nowMs() + 1100);
          return this.#parts.runtime.sleep(1000, this.#stopping.signal).catch(() => undefined);
        })
        .finally(() => {
          branch.running.delete(name);
          leave();
          this.#forgetIdle(branch);
        }),
    );
  }

  /** A place is free. */
  #left(tenant: string): void {
    this.#running--;
    const left = (this.#runningOfTenant.get(tenant) ?? 1) - 1;
    if (left === 0) this.#runningOfTenant.delete(tenant);
    else this.#runningOfTenant.set(tenant, left);
    const waiting = [...this.#blocked].filter((each) => this.#free(each.scope.tenant) > 0);
    waiting.sort((a, b) => (this.#runningOfTenant.get(a.scope.tenant) ?? 0) - (this.#runningOfTenant.get(b.scope.tenant) ?? 0));
    for (const each of waiting.slice(0, Math.max(1, limit("eventRunsMax") - this.#running))) {
      this.#blocked.delete(each);
      this.#deliver(each);
    }
  }

  #free(tenant: string): number {
    return Math.min(limit("eventRunsPerTenantMax") - (this.#runningOfTenant.get(tenant) ?? 0), limit("eventRunsMax") - this.#running);
  }

  #branch(scope: Scope): Branch {
    const key = `${scope.tenant}/${scope.branch}`;
    let branch = this.#branches.get(key);
    if (branch === undefined) {
      const loop = (): Loop => ({ running: false, again: false, failures: 0 });
      this.#branches.set(
        key,
        (branch = { scope, events: loop(), deliveries: loop(), running: new Set(), ahead: new Map(), isKnown: false }),
      );
    }
    return branch;
  }

  #forgetIdle(branch: Branch): void {
    if (branch.running.size > 0 || branch.events.running || branch.deliveries.running || this.#blocked.has(branch)) return;
    this.#branches.delete(`${branch.scope.tenant}/${branch.scope.branch}`);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}

function isIn(key: Uint8Array, range: KeyRange): boolean {
  return compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0;
}

function scopeOf(key: Uint8Array, range: KeyRange): Scope {
  const [tenant, branch] = partsOf(key, range);
  return { tenant: String(tenant), branch: String(branch) };
}

/** The range of a table begins with the prefix of its rows; the encoded key follows it. */
function partsOf(key: Uint8Array, range: KeyRange): readonly KeyPart[] {
  return decodeKeyValues(key.subarray(range.start.length)).map((part) => {
    assert(part === null || (part !== undefined && typeof part !== "object"), "a key of the queue has scalar parts");
    return part;
  });
}

/** The due time is a part of the name: a delivery that was put off is not the one that ends just now. */
function nameOf(mark: readonly KeyPart[]): string {
  return mark.slice(2).join("\n");
}
