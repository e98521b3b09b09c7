import { expect, test } from "vitest";
import { openDatabase } from "../database/open-database.ts";
import type { Database, Scope } from "../database/database.ts";
import {
  DELIVERIES,
  DUE_TIMES,
  EVENT_QUEUE,
  EVENTS,
  FLOW_EVENTS,
  PLATFORM_SCOPE,
  SUBSCRIPTIONS,
  TIMERS,
} from "../database/record-tables.ts";
import { newScope, openTestDatabase, type TestDatabase } from "../database/test-database.ts";
import { deliveryKeyOf, endDelivery } from "./delivery-rows.ts";
import { fanOut } from "./fan-out.ts";
import { publishDue, scheduleFlowEvent } from "./flow-events.ts";
import { FreshDeliveries } from "./fresh-deliveries.ts";
import { GroupedUpdates } from "./grouped-updates.ts";
import { publishEvent } from "./publish.ts";
import { putTimer, tick } from "./timers.ts";
import type { RefusedEvents } from "./waiting-events.ts";

const TYPE = "custom:go";
const SOURCE = "evs_1";

async function withRoom(max: number, body: (place: Place) => Promise<void>): Promise<void> {
  const opened = await openTestDatabase();
  const refused: RefusedEvents[] = [];
  const database = await openDatabase({
    store: opened.store,
    runtime: opened.runtime,
    events: { max, onRefused: (each) => void refused.push(each) },
  });
  try {
    await body(new Place(opened, database, refused));
  } finally {
    await database.close();
    await opened.close();
  }
}

class Place {
  readonly scope: Scope = newScope();
  readonly opened: TestDatabase;
  readonly database: Database;
  readonly refused: RefusedEvents[];

  constructor(opened: TestDatabase, database: Database, refused: RefusedEvents[]) {
    this.opened = opened;
    this.database = database;
    this.refused = refused;
  }

  async listen(automations: number): Promise<void> {
    await this.database.update(this.scope, async ({ records }) => {
      for (let i = 0; i < automations; i++) {
        const automation = `a${i}`;
        const row = { type: TYPE, snapInId: "s", automation, function: "f", sourceId: SOURCE, user: null, ordered: false, filterJq: null };
        records.put(SUBSCRIPTIONS, [TYPE, SOURCE, automation], row);
      }
      await Promise.resolve();
    });
  }

  async publish(count = 1): Promise<void> {
    await this.database.update(this.scope, async (transaction) => {
      for (let i = 0; i < count; i++)
        await publishEvent(transaction, { type: TYPE, sourceId: SOURCE, payload: {}, syncId: null }, this.opened.runtime.nowMs());
    });
  }

  async fanOut(): Promise<void> {
    const { database, opened } = this;
    const updates = new GroupedUpdates({ database, runtime: opened.runtime });
    const tools = { run: () => Promise.reject(new Error("there is no filter")) };
    const parts = {
      database,
      tools,
      runtime: opened.runtime,
      flows: { judge: () => "yes" as const },
      updates,
      fresh: new FreshDeliveries(),
    };
    while (await fanOut(parts, this.scope));
  }

  /** Ends the first delivery. */
  async deliver(): Promise<void> {
    await this.database.update(this.scope, async ({ records }) => {
      const [first] = await records.range(DELIVERIES, { prefix: [], limit: 1 });
      if (first === undefined) throw new Error("nothing waits");
      await endDelivery({ records, scope: this.scope }, deliveryKeyOf(first.key), first.value);
    });
  }

  get count(): number {
    return this.database.waitingEvents.count(this.scope);
  }

  check(isChange: boolean, causeDepth = 0): unknown {
    try {
      this.database.waitingEvents.check(this.scope, { isChange, causeDepth });
      return "room";
    } catch (error) {
      return (error as { readonly code?: unknown }).code;
    }
  }
}

test("E3 an event is counted from its commit to the end of its last delivery, also by a later process", async () => {
  await withRoom(100, async (place) => {
    await place.listen(2);
    await place.publish(3);
    expect(place.count).toBe(3);
    await place.fanOut();
    expect(place.count).toBe(3);
    await place.deliver();
    expect(place.count).toBe(3);
    await place.deliver();
    expect(place.count).toBe(2);
    // Two are given to automations, one of them to one that ended; four are not yet.
    await place.deliver();
    await place.publish(4);
    expect(place.count).toBe(6);
    const later = await openDatabase({ store: place.opened.store, runtime: place.opened.runtime });
    expect(later.waitingEvents.count(place.scope)).toBe(0);
    const loading = later.waitingEvents.load(later, () => false);
    await place.publish(1);
    await loading;
    expect(later.waitingEvents.count(place.scope)).toBe(7);
    expect(later.waitingEvents.total).toBe(7);
    await later.close();
    // Nobody listens: the event ends as it is looked at.
    await place.database.update(place.scope, async ({ records }) => {
      for (const { key } of await records.range(SUBSCRIPTIONS, { prefix: [], limit: 10 })) records.delete(SUBSCRIPTIONS, key);
    });
    await place.fanOut();
    expect(place.count).toBe(2);
    const rows = await place.database.read(place.scope, ({ records }) => records.range(EVENTS, { prefix: [], limit: 100 }));
    expect(rows).toHaveLength(2);
    const marks = await place.database.read(PLATFORM_SCOPE, ({ records }) => records.range(EVENT_QUEUE, { prefix: [], limit: 100 }));
    expect(marks).toEqual([]);
    place.database.waitingEvents.forget({ tenant: place.scope.tenant });
    expect(place.count).toBe(0);
  });
});

test("E2 who is outside is refused first, automations last; the first refusal is told apart", async () => {
  await withRoom(2, async (place) => {
    const checks = () => [place.check(false), place.check(true), place.check(true, 1)];
    const no = "TooManyEventsWaiting";
    expect(checks()).toEqual(["room", "room", "room"]);
    await place.publish(2);
    expect(checks()).toEqual([no, "room", "room"]);
    await place.publish(2);
    expect(checks()).toEqual([no, no, "room"]);
    await place.publish(2);
    expect(checks()).toEqual([no, no, no]);
    expect(place.refused.map(({ origin, isFirst }) => `${origin}${isFirst ? " first" : ""}`)).toEqual([
      ...["outside first", "outside", "change", "outside", "change", "automation"],
    ]);
  });
});

test("E1 what waits for its time waits on while there are too many, and ticks that are put off are one", async () => {
  await withRoom(1, async (place) => {
    const { database, scope } = place;
    let nowMs = place.opened.runtime.nowMs();
    const openedMs = nowMs;
    const parts = { database, runtime: { nowMs: () => nowMs } };
    await database.update(scope, async (transaction) => {
      const schedule = { kind: "interval" as const, periodMs: 60_000 };
      await putTimer(transaction, "evs_timer", { schedule, metadata: {}, openedMs });
      const event = { sourceId: SOURCE, type: "go", payload: {}, syncId: null, publishAtMs: nowMs + 60_000, key: "k" };
      await scheduleFlowEvent(transaction, event, { nowMs, newKey: "k" });
    });
    await place.publish(1);
    for (let rounds = 0; rounds < 8; rounds++) {
      const due = await database.read(PLATFORM_SCOPE, ({ records }) => records.range(DUE_TIMES, { prefix: [scope.tenant], limit: 10 }));
      expect(due).toHaveLength(2);
      nowMs = Math.max(...due.map(({ key }) => Number(key[2])));
      if (rounds === 7) {
        await place.listen(0);
        await place.fanOut();
      }
      for (const { key } of due) {
        const [, , dueMs, kind, id] = key;
        const run = kind === "timer" ? tick : publishDue;
        await run(parts, { scope, dueMs: Number(dueMs), kind: kind === "timer" ? "timer" : "flowEvent", id: String(id) });
        if (rounds === 7) await place.fanOut();
      }
    }
    const timer = await database.read(scope, ({ records }) => records.get(TIMERS, ["evs_timer"]));
    // Seven rounds of ten seconds later the second tick is the newest.
    expect(timer).toMatchObject({ runMs: openedMs + 180_000 });
    expect(timer).not.toHaveProperty("dueMs");
    expect(await database.read(scope, ({ records }) => records.range(FLOW_EVENTS, { prefix: [], limit: 10 }))).toEqual([]);
  });
});
