/**
 * How many events of each branch wait for their automations, and whether there is room for more. An event waits from its commit to the
 * end of its last delivery.
 *
 * E1 What was committed is never given up for room: only what would add an event is refused, before it is committed.
 * E2 Triggers from outside are refused first, changes of documents at twice as many events, and what automations cause themselves at
 *    three times as many: they make room.
 * E3 The numbers are kept in memory, from the commits of the store; a start counts what an earlier process left. They are exact but for
 *    commits that are under way at the same time.
 */
import { assert } from "@plinth/core/assert.ts";
import { compareBytes, decodeKeyValues } from "@plinth/core/documents/keys.ts";
import { plinthError } from "@plinth/core/errors.ts";
import { limit } from "@plinth/core/limits.ts";
import type { Database, KeyPart, Records, RecordTable, Scope } from "../database/database.ts";
import { KeySpace, prefixRange } from "../database/key-space.ts";
import { DELIVERIES, DELIVERY_QUEUE, EVENT_QUEUE, EVENTS, PLATFORM_SCOPE } from "../database/record-tables.ts";
import type { Commit, KeyRange, Store, Timestamp } from "../store/store.ts";

/** Who would add an event. */
export type EventOrigin = "outside" | "change" | "automation";

export interface RefusedEvents {
  readonly scope: Scope;
  readonly origin: EventOrigin;
  readonly waiting: number;
  readonly max: number;
  /** Of those since there was room the last time. */
  readonly isFirst: boolean;
}

export interface WaitingEventsOptions {
  readonly store: Pick<Store, "onCommit">;
  /** Of triggers from outside; the others are made from it. */
  readonly max?: number;
  readonly onRefused?: (refused: RefusedEvents) => void;
}

interface Waiting {
  readonly scope: Scope;
  readonly events: KeyRange;
  count: number;
  /** While what an earlier process left is counted. */
  changes: { readonly ts: Timestamp; readonly by: number }[] | undefined;
  isRefusing: boolean;
}

const NOTHING = new Uint8Array(0);
const PAGE = limit("eventsShownMax");

export class WaitingEvents {
  readonly #max: number;
  readonly #onRefused: ((refused: RefusedEvents) => void) | undefined;
  readonly #branches = new Map<string, Waiting>();
  readonly #queues: readonly KeyRange[];

  constructor({ store, max = limit("eventsWaitingMax"), onRefused }: WaitingEventsOptions) {
    this.#max = max;
    this.#onRefused = onRefused;
    const platform = new KeySpace(PLATFORM_SCOPE);
    this.#queues = [EVENT_QUEUE, DELIVERY_QUEUE].map(({ space }) => prefixRange(platform.record(space, NOTHING)));
    store.onCommit((commit) => this.#committed(commit));
  }

  /** Counts what an earlier process left, branch by branch. */
  async load(database: Pick<Database, "read">, isStopped: () => boolean): Promise<void> {
    for (const queue of [EVENT_QUEUE, DELIVERY_QUEUE]) {
      for await (const scope of branchesIn(database, queue)) {
        if (isStopped()) return;
        await this.#count(database, scope);
      }
    }
  }

  /** E2. Throws TooManyEventsWaiting. */
  check(scope: Scope, cause: { readonly isChange: boolean; readonly causeDepth: number }): void {
    const origin = cause.causeDepth > 0 ? "automation" : cause.isChange ? "change" : "outside";
    const max = this.maxOf(origin);
    const branch = this.#branches.get(nameOf(scope));
    if (branch === undefined || branch.count < max) return;
    const isFirst = !branch.isRefusing;
    branch.isRefusing = true;
    this.#onRefused?.({ scope, origin, waiting: branch.count, max, isFirst });
    throw plinthError("TooManyEventsWaiting", { count: branch.count, max, waitMs: limit("eventsFullPauseMs") });
  }

  /** Whether what can wait for its time should. */
  isFull(scope: Scope): boolean {
    return this.count(scope) >= this.maxOf("outside");
  }

  count(scope: Scope): number {
    return Math.max(0, this.#branches.get(nameOf(scope))?.count ?? 0);
  }

  /** Of all branches. */
  get total(): number {
    let total = 0;
    for (const { count } of this.#branches.values()) total += Math.max(0, count);
    return total;
  }

  maxOf(origin: EventOrigin): number {
    const shares = { outside: 1, change: limit("eventsWaitingOfChangesShare"), automation: limit("eventsWaitingOfAutomationsShare") };
    return this.#max * shares[origin];
  }

  /** Its rows are erased, or all of its tenant's. */
  forget({ tenant, branch }: { readonly tenant: string; readonly branch?: string }): void {
    for (const [name, { scope }] of this.#branches)
      if (scope.tenant === tenant && (branch === undefined || scope.branch === branch)) this.#branches.delete(name);
  }

  /** Whatever adds or ends an event writes into one of the queues as well. */
  #committed({ ts, writes }: Commit): void {
    for (const { key } of writes) {
      const queue = this.#queues.find((range) => isIn(key, range));
      if (queue === undefined) continue;
      const [tenant, name] = decodeKeyValues(key.subarray(queue.start.length));
      assert(typeof tenant === "string" && typeof name === "string", "a row of a queue names its branch");
      const branch = this.#branch({ tenant, branch: name });
      let by = 0;
      for (const write of writes) if (isIn(write.key, branch.events)) by += write.value === null ? -1 : 1;
      this.#change(branch, ts, by);
      return;
    }
  }

  #change(branch: Waiting, ts: Timestamp, by: number): void {
    branch.count += by;
    branch.changes?.push({ ts, by });
    if (branch.isRefusing && branch.count < this.#max / 2) branch.isRefusing = false;
    if (branch.count === 0 && branch.changes === undefined) this.#branches.delete(nameOf(branch.scope));
  }

  /** Commits of before the snapshot are in what is read; those behind it were noted meanwhile. */
  async #count(database: Pick<Database, "read">, scope: Scope): Promise<void> {
    const branch = this.#branch(scope);
    if (branch.changes !== undefined) return;
    const changes: Waiting["changes"] = (branch.changes = []);
    try {
      const found = await database.read(scope, async ({ records, ts }) => ({ ts, count: await countStored(records, scope) }));
      branch.count = found.count;
      for (const { ts, by } of changes) if (ts > found.ts) branch.count += by;
    } finally {
      branch.changes = undefined;
    }
  }

  #branch(scope: Scope): Waiting {
    const name = nameOf(scope);
    let branch = this.#branches.get(name);
    if (branch === undefined) {
      const events = prefixRange(new KeySpace(scope).record(EVENTS.space, NOTHING));
      this.#branches.set(name, (branch = { scope, events, count: 0, changes: undefined, isRefusing: false }));
    }
    return branch;
  }
}

/** Deliveries stand in for their events, whose payloads are large. */
async function countStored(records: Records, { tenant, branch }: Scope): Promise<number> {
  let count = 0;
  let last = "";
  for await (const { key } of rowsOf(records, DELIVERIES, [])) {
    const place = key.slice(0, 3).join("\n");
    if (place !== last) count++;
    last = place;
  }
  for await (const { key, value } of rowsOf(records, EVENT_QUEUE, [tenant, branch])) {
    const place = key.slice(2);
    for await (const _ of rowsOf(records, EVENTS, place, [...place, value.next - 1])) count++;
  }
  return count;
}

async function* rowsOf<T>(
  records: Records,
  table: RecordTable<T>,
  prefix: readonly KeyPart[],
  from?: readonly KeyPart[],
): AsyncGenerator<{ readonly key: readonly KeyPart[]; readonly value: T }> {
  for (let after = from; ;) {
    const rows = await records.range(table, { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.key;
  }
}

async function* branchesIn(database: Pick<Database, "read">, table: RecordTable<unknown>): AsyncGenerator<Scope> {
  for (let after: readonly KeyPart[] | undefined; ;) {
    const [row] = await database.read(PLATFORM_SCOPE, ({ records }) =>
      records.range(table, { prefix: [], limit: 1, ...(after === undefined ? {} : { after }) }),
    );
    if (row === undefined) return;
    const scope = { tenant: String(row.key[0]), branch: String(row.key[1]) };
    yield scope;
    after = [scope.tenant, scope.branch, Number.MAX_VALUE];
  }
}

function isIn(key: Uint8Array, range: KeyRange): boolean {
  return compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0;
}

function nameOf({ tenant, branch }: Scope): string {
  return `${tenant}/${branch}`;
}
